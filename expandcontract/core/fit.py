"""Which release fits which state of a change. This table is the only authority.

=============================  =====  ======  =====
phase of the change            old    dual    new
=============================  =====  ======  =====
planned                        fits   no      no
expanded, dual_writing         fits   fits    no
backfilled, cut_over           fits   fits    fits
contracted                     no     no      fits
=============================  =====  ======  =====

An additive change (no mapping, no contract) has rows of its own: ``planned`` fits ``old`` only, from ``expanded`` on
every release fits.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from expandcontract.core.phase import Phase
from expandcontract.core.release import Speaks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from expandcontract.core.change import ChangeState
    from expandcontract.core.release import Release

FIT: Mapping[Phase, frozenset[Speaks]] = MappingProxyType(
    {
        Phase.PLANNED: frozenset({Speaks.OLD}),
        Phase.EXPANDED: frozenset({Speaks.OLD, Speaks.DUAL}),
        Phase.DUAL_WRITING: frozenset({Speaks.OLD, Speaks.DUAL}),
        Phase.BACKFILLED: frozenset(Speaks),
        Phase.CUT_OVER: frozenset(Speaks),
        Phase.CONTRACTED: frozenset({Speaks.NEW}),
    }
)

FIT_ADDITIVE: Mapping[Phase, frozenset[Speaks]] = MappingProxyType(
    {phase: frozenset({Speaks.OLD}) if phase is Phase.PLANNED else frozenset(Speaks) for phase in Phase}
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
    rows = FIT_ADDITIVE if change.additive else FIT
    return rows[phase or change.phase]


def misfits(release: Release, changes: Iterable[ChangeState]) -> tuple[Misfit, ...]:
    """Every change that ``release`` does not fit; empty where it may get traffic."""
    known = tuple(changes)
    found = (
        Misfit(change=change.name, phase=change.phase, speaks=spoken(release, change, known), wanted=fitting(change))
        for change in known
    )
    return tuple(misfit for misfit in found if misfit.speaks not in misfit.wanted)
