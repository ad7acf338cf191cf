"""``ec verify --watch``: one line a pass; a terminal sees how far each is, too."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from expandcontract.cli.screen import Plain, in_line, is_terminal
from expandcontract.cli.show_events import follow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.runner.events import Event


def show_passes(events: Iterator[Event], *, json: bool) -> None:
    """Show what comes until there is no more, or Ctrl-C, which is the usual end of watching and no error.

    Args:
        events: Of the passes; endless while both shapes live.
        json: One document a line instead of words; progress within a pass is left out.

    Raises:
        BrokenPipeError: Nobody reads any more, and so there is nothing to watch for.
    """
    terminal = is_terminal(sys.stdout) and not json
    shown = (event for event in events if terminal or event.kind != "progress")
    try:
        if json:
            out = Plain()
            for event in shown:
                out.line(in_line(event.document()))
        else:
            follow(shown, to_the_end=False)
    except KeyboardInterrupt:
        _close(events)
    except BaseException:
        _close(events)
        raise


def _close(events: Iterator[Event]) -> None:
    close = getattr(events, "close", None)
    if close is not None:
        close()
