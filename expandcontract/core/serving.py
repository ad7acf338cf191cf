"""What the traffic as it stands means for the changes: who serves and must not, and which phase is no longer true."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.change import requires
from expandcontract.core.color import Color
from expandcontract.core.fit import misfits, spoken
from expandcontract.core.gate import closed, opened, unknown
from expandcontract.core.phase import Phase
from expandcontract.core.release import Speaks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from expandcontract.core.change import ChangeState
    from expandcontract.core.color import Weights
    from expandcontract.core.gate import Answer
    from expandcontract.core.release import Release


def unfit(weights: Weights, releases: Mapping[Color, Release], changes: Sequence[ChangeState]) -> dict[Color, str]:
    """Each color that gets traffic and must not, with why: nothing is recorded on it, or its release does not fit."""
    found = {}
    for color in Color:
        if not weights.of(color):
            continue
        release = releases.get(color)
        wrong = misfits(release, changes) if release else ()
        if release is None:
            found[color] = f"no release is recorded on {color}"
        elif wrong:
            found[color] = f"{release} does not fit: " + "; ".join(map(str, wrong))
    return found


def strayed(
    change: ChangeState, weights: Weights, releases: Mapping[Color, Release], changes: Sequence[ChangeState]
) -> bool:
    """Whether a release that does not speak ``new``, and would have to, gets traffic while the window runs."""
    return (
        change.phase is Phase.CUT_OVER
        and not change.unnoticed
        and any(
            weights.of(color) and (color not in releases or spoken(releases[color], change, changes) is not Speaks.NEW)
            for color in Color
        )
    )


def untrue(
    weights: Weights, releases: Mapping[Color, Release], changes: Sequence[ChangeState]
) -> tuple[tuple[ChangeState, Release], ...]:
    """The changes whose phase is not true while these releases get traffic, each with the first such release."""
    serving = [release for color, release in releases.items() if weights.of(color)]
    return tuple(
        (change, found[0])
        for change in changes
        if (found := [release for release in serving if spoken(release, change, changes) not in requires(change)])
    )


def drift(
    weights: Weights | None, recorded: Weights | None, error: str, *, moving: bool, wrong: Mapping[Color, str]
) -> Answer:
    """Whether the balancer reads as the ledger last recorded it, and would after a restart.

    Args:
        weights: As the balancer reads; ``None`` where it could not be read.
        recorded: As the ledger last read them; ``None`` before the first reading.
        error: Why it could not be read, or why a restart would change the traffic.
        moving: Whether a move is in flight, which goes on from whatever the balancer reads.
        wrong: The colors that get traffic and must not, with why.
    """
    if weights is None:
        return unknown(f"the traffic switch could not be read: {error}", next_="ec status")
    found = str(weights)
    kept = recorded or weights
    if moving or not (error or weights != kept):
        return opened(f"the balancer gives {found}", measured=found)
    back = f"ec switch {kept.live or 'COLOR'}"
    if error:
        return closed(error, measured=found, next_=back if kept.live else "ec status")
    why = f"the balancer gives {found}, the ledger last read {kept}"
    if wrong:
        return closed("; ".join([why, *wrong.values()]), measured=found, limit=str(kept), next_=back)
    return closed(why, measured=found, limit=str(kept), next_=f"{back}, or ec switch --adopt")
