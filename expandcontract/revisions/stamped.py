"""Where Alembic's version table and the ledger disagree: somebody stamped, or ran a pair without the guard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.facts import Finding
from expandcontract.core.phase import Phase

if TYPE_CHECKING:
    from collections.abc import Mapping

    from expandcontract.revisions.project import Pair, Project


def stamped(project: Project, applied: frozenset[str], phases: Mapping[str, Phase]) -> tuple[Finding, ...]:
    """Each half that only one of the two knows as applied; a stamp moves no phase, so the ledger is right.

    Args:
        project: The project.
        applied: The revisions that the version table has, through ancestors and dependencies.
        phases: Of the changes that the ledger knows.

    Returns:
        Nothing, or one finding whose fix sets the version table to what was really run.
    """
    right = set(applied)
    said = []
    for pair in project.pairs():
        phase = phases.get(pair.name, Phase.PLANNED)
        for half, revision, there in _halves(pair, phase):
            if there == (revision in applied):
                continue
            verb = "lacks" if there else "has"
            said.append(f"alembic_version {verb} the {half} of {pair.name} ({revision}), and {pair.name} is {phase}")
            if there:
                right |= project.ancestors([revision])
            else:
                right = {found for found in right if revision not in project.ancestors([found])}
    if not said:
        return ()
    heads = [found for found in right if not any(found in project.ancestors([o]) for o in right if o != found)]
    fix = f"alembic stamp --purge {' '.join(sorted(heads)) or 'base'}, then the same command again"
    return (Finding(what="; ".join(said) + ": a stamp moves no phase", fix=fix),)


def _halves(pair: Pair, phase: Phase) -> list[tuple[str, str, bool]]:
    """Each half's revision, and whether the ledger says that it was run."""
    found = [("expand", pair.expand.revision, phase is not Phase.PLANNED)]
    if pair.contract is not None:
        found.append(("contract", pair.contract.revision, phase is Phase.CONTRACTED))
    return found
