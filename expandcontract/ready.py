"""For applications: in which phases of a change a release is ready. Light to import, and asks nobody.

A readiness check that wants one schema version, equal to the last, fails on every color but the newest while a change
is under way, and takes the way back with it. What a release needs is a range of phases, and that follows from what it
speaks: the fit table has it, see ``docs/reference/phases.md``.
"""

from __future__ import annotations

from typing import Literal

from expandcontract.core.fit import FITS
from expandcontract.core.phase import Kind, Phase
from expandcontract.core.release import Speaks

Spoken = Literal["old", "dual", "new"]
KindName = Literal["mapped", "swapped", "filled", "additive", "tightened", "removed"]


def phases(speaks: Spoken, kind: KindName = "mapped") -> frozenset[str]:
    """The phases of a change in which a release may get traffic.

    Args:
        speaks: What the release speaks of the change: ``old``, ``dual`` or ``new``.
        kind: The change's kind, as ``ec status`` and the page of its recipe say.

    Raises:
        ValueError: There is no such word.
    """
    rows = FITS[Kind(kind)]
    return frozenset(str(phase) for phase in Phase if Speaks(speaks) in rows[phase])


def fits(phase: str | None, speaks: Spoken, kind: KindName = "mapped") -> bool:
    """Whether a release may get traffic while the change is there.

    Args:
        phase: What ``SELECT expandcontract.phase('CHANGE')`` gives; ``None``, of a change that no move was made of
            yet, counts as ``planned``.
        speaks: What the release speaks of the change.
        kind: The change's kind.

    Raises:
        ValueError: There is no such phase or word.
    """
    return Phase(phase or Phase.PLANNED) in phases(speaks, kind)
