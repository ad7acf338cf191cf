"""The smoke test: the user's own command against the idle color, before it gets any traffic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.traffic.process import why_not

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from expandcontract.core.color import Color


def smoke(command: Sequence[str], color: Color, url: str, version: str | None, within: timedelta) -> str:
    """Run the smoke test; empty where it passed, else why it did not.

    ``{color}``, ``{url}`` and ``{version}`` are filled in, and stand in ``EC_COLOR``, ``EC_URL`` and ``EC_VERSION``.

    Args:
        command: The user's.
        color: The color that is tested.
        url: Its own address.
        version: What is deployed there; empty where that is not known.
        within: After that long it is ended, with all that it started.
    """
    given = {"color": str(color), "url": url, "version": version or ""}
    words = [_filled(word, given) for word in command]
    return why_not(words, {f"EC_{name.upper()}": value for name, value in given.items()}, within)


def _filled(word: str, given: dict[str, str]) -> str:
    for name, value in given.items():
        word = word.replace(f"{{{name}}}", value)
    return word
