"""What a release says of itself, in the places where it can, and what is taken for true of it.

Rules for the next editor:

1. No place is above another: where two name the same change they agree, or the command is refused.
2. What is said holds for one version. Said of another it says nothing here; said of none, it may not contradict what
   the ledger knows of this one: a file in the tree is not that of an earlier release which is deployed again.
3. Only where nothing is said does what is remembered, implied or the rule ``old`` come in; see
   docs/decisions/0027-what-a-release-says-of-itself.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from expandcontract.core.release import Speaks
from expandcontract.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What one place says.

    Attributes:
        source: The place, for messages: ``--speaks``, a file, a Deployment.
        version: Of which version it is said; ``None`` where the place does not tell.
        baseline: The newest contract revision that the release was built on.
        speaks: What it speaks of each change that is named.
    """

    source: str
    version: str | None = None
    baseline: str | None = None
    speaks: Mapping[str, Speaks] = field(default_factory=lambda: MappingProxyType({}))


def of(version: str, given: Sequence[Declaration], known: Mapping[str, Speaks] | None) -> tuple[Declaration, ...]:
    """Those that are about ``version``.

    Args:
        version: The release that is to be deployed.
        given: What the places say.
        known: What the ledger knows it to speak; ``None`` where it was never deployed.

    Raises:
        ConfigError: One that names no version contradicts the ledger, or all are about others and it is a new one.
    """
    held = tuple(one for one in given if one.version in {None, version})
    for one in held:
        if one.version is None and known is not None:
            _need_same(version, one, known)
    if given and not held and known is None:
        said = given[0]
        msg = f"{said.source} says what {said.version} speaks, and nothing says it of {version}"
        raise ConfigError(msg, hint=f"give it the version {version}, or --speaks CHANGE=old")
    return held


def _need_same(version: str, one: Declaration, known: Mapping[str, Speaks]) -> None:
    for name, speaks in one.speaks.items():
        before = known.get(name, Speaks.OLD)
        if before is not speaks:
            said = f"{one.source}, which names no version, says {speaks}"
            msg = f"{version} was deployed as speaking {before} of {name}, and {said}"
            raise ConfigError(msg, hint=f'version = "{version}" in it where it is right, or the file of that release')


def agreed(held: Sequence[Declaration]) -> Declaration:
    """All of them in one.

    Raises:
        ConfigError: Two of them say different things of a change, or of the baseline.
    """
    speaks: dict[str, tuple[Speaks, str]] = {}
    baseline: tuple[str, str] | None = None
    for one in held:
        for name, word in one.speaks.items():
            before = speaks.setdefault(name, (word, one.source))
            if before[0] is not word:
                what = f"what is spoken of {name}"
                raise _differ(what, before, (word, one.source))
        if one.baseline is not None:
            baseline = baseline or (one.baseline, one.source)
            if baseline[0] != one.baseline:
                raise _differ("the baseline", baseline, (one.baseline, one.source))
    return Declaration(
        source=", ".join(one.source for one in held),
        baseline=baseline[0] if baseline else None,
        speaks={name: word for name, (word, _) in speaks.items()},
    )


def _differ(what: str, first: tuple[str, str], second: tuple[str, str]) -> ConfigError:
    msg = f"{what} is told in two ways: {first[0]} by {first[1]}, {second[0]} by {second[1]}"
    return ConfigError(msg, hint="mend the one that is wrong; neither is guessed")


def speech(text: str, source: str) -> dict[str, Speaks]:
    """``users_name=new,orders_total=old`` as an annotation holds it.

    Raises:
        ConfigError: It is not of that form.
    """
    found: dict[str, Speaks] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, _, word = item.partition("=")
        if name in found or word not in set(Speaks):
            msg = f"{source} says {item!r}, where CHANGE=old, CHANGE=dual or CHANGE=new is meant, each change once"
            raise ConfigError(msg, hint="for example: users_display_name=new,orders_total=old")
        found[name] = Speaks(word)
    return found
