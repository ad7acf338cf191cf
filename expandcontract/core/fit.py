"""Which release fits which state of a change, by its kind. This table is the only authority.

For a mapped change:

=============================  =====  ======  =====
phase of the change            old    dual    new
=============================  =====  ======  =====
planned                        fits   no      no
expanded, dual_writing         fits   fits    no
backfilled, cut_over           fits   fits    fits
contracted                     no     no      fits
=============================  =====  ======  =====

The other kinds have rows of their own. What a release must not be before a tightening takes effect is nothing: one
that keeps to the coming rule (``new``) runs at any time, one that does not (``old``) until the contract.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from expandcontract.core.phase import Kind, Phase
from expandcontract.core.release import Speaks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from expandcontract.core.change import ChangeState
    from expandcontract.core.release import Release

EVERY = frozenset(Speaks)
OLD, NEW = frozenset({Speaks.OLD}), frozenset({Speaks.NEW})
OLD_OR_NEW = OLD | NEW

FITS: Mapping[Kind, Mapping[Phase, frozenset[Speaks]]] = MappingProxyType(
    {
        Kind.MAPPED: {
            Phase.PLANNED: OLD,
            Phase.EXPANDED: frozenset({Speaks.OLD, Speaks.DUAL}),
            Phase.DUAL_WRITING: frozenset({Speaks.OLD, Speaks.DUAL}),
            Phase.BACKFILLED: EVERY,
            Phase.CUT_OVER: EVERY,
            Phase.CONTRACTED: NEW,
        },
        Kind.SWAPPED: dict.fromkeys(Phase, EVERY),
        Kind.FILLED: {
            **dict.fromkeys(Phase, EVERY),
            Phase.PLANNED: OLD,
            Phase.EXPANDED: frozenset({Speaks.OLD, Speaks.DUAL}),
        },
        Kind.ADDITIVE: {**dict.fromkeys(Phase, EVERY), Phase.PLANNED: OLD},
        Kind.TIGHTENED: {**dict.fromkeys(Phase, OLD_OR_NEW), Phase.CONTRACTED: NEW},
        Kind.REMOVED: {**dict.fromkeys(Phase, OLD_OR_NEW), Phase.PLANNED: OLD, Phase.CONTRACTED: NEW},
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfit:
    """A change that a release does not fit.

    Attributes:
        change: The change's name.
        phase: Where it stands.
        speaks: What the release speaks of it.
        wanted: What fits there.
    """

    change: str
    phase: Phase
    speaks: Speaks
    wanted: frozenset[Speaks]

    def __str__(self) -> str:
        fitting = " or ".join(speaks for speaks in Speaks if speaks in self.wanted)
        return f"{self.change} is {self.phase}, which wants {fitting}, and the release speaks {self.speaks}"


def spoken(release: Release, change: ChangeState, changes: Iterable[ChangeState]) -> Speaks:
    """What ``release`` speaks of ``change``.

    What it lists holds. A change it does not list is spoken ``old``; once that change is contracted it is spoken
    ``new`` if the release's baseline is that contract or a later one.

    Args:
        release: The release asked about.
        change: The change asked about.
        changes: All changes of the ledger; the contracted ones tell what the baseline includes.
    """
    if change.name in release.speaks:
        return release.speaks[change.name]
    if change.phase is not Phase.CONTRACTED or change.straight:
        return Speaks.NEW if change.straight else Speaks.OLD
    baseline = next((c.contracted_at for c in changes if c.contract_revision == release.baseline), None)
    included = baseline is not None and change.contracted_at is not None and change.contracted_at <= baseline
    return Speaks.NEW if release.baseline is not None and included else Speaks.OLD


def fitting(change: ChangeState, phase: Phase | None = None) -> frozenset[Speaks]:
    """What a release must speak of ``change`` to get traffic, at its own phase or at ``phase``."""
    return FITS[change.kind][phase or change.phase]


def misfits(release: Release, changes: Iterable[ChangeState]) -> tuple[Misfit, ...]:
    """Every change that ``release`` does not fit; empty where it may get traffic."""
    known = tuple(changes)
    found = (
        Misfit(change=change.name, phase=change.phase, speaks=spoken(release, change, known), wanted=fitting(change))
        for change in known
    )
    return tuple(misfit for misfit in found if misfit.speaks not in misfit.wanted)
