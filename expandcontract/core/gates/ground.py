"""Gates of every move: who moves, and whether the ground is as it was left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.facts import Severity
from expandcontract.core.gate import Gate, closed, opened, unknown
from expandcontract.core.phase import Move
from expandcontract.core.serving import drift, unfit

if TYPE_CHECKING:
    from expandcontract.core.facts import Facts, Finding
    from expandcontract.core.gate import Answer


def mover_lock(facts: Facts) -> Answer:
    """Nobody else moves this database."""
    if facts.holder is not None:
        return closed(f"{facts.holder} moves this database", next_="ec status --watch")
    return opened("nobody else moves this database")


def ledger_intact(facts: Facts) -> Answer:
    """Journal, hold and triggers are as the ledger left them."""
    if facts.integrity is None:
        return unknown("hold, triggers and journal could not be read")
    if facts.integrity:
        return closed(
            "; ".join(map(str, facts.integrity)),
            measured=f"{len(facts.integrity)} altered",
            limit="0",
            next_=facts.integrity[0].fix or f"ec repair {facts.change.name}",
        )
    return opened("hold, triggers and journal are as they were left")


def traffic_drift(facts: Facts) -> Answer:
    """The balancer reads as the ledger last recorded it, and would after a restart."""
    if not facts.switched:
        return opened("no traffic switch is configured")
    wrong = {} if facts.weights is None else unfit(facts.weights, facts.releases, facts.changes)
    moving = facts.change.in_flight is not None
    return drift(facts.weights, facts.recorded, facts.traffic_error, moving=moving, wrong=wrong)


def in_flight(facts: Facts) -> Answer:
    """No move of any change is left unfinished, but the one that is being resumed."""
    resumed = {facts.change.name, *facts.asked.together}
    unfinished = [
        change
        for change in facts.changes
        if change.in_flight is not None and not (change.name in resumed and change.in_flight.move is facts.asked.move)
    ]
    if unfinished:
        first = unfinished[0]
        moves = ", ".join(f"{change.in_flight.move} of {change.name}" for change in unfinished if change.in_flight)
        return closed(f"left in flight: {moves}", next_=f"ec advance {first.name}, or ec rollback {first.name}")
    return opened("no move is in flight")


def preflight(facts: Facts) -> Answer:
    """The database's catalogue has nothing against the move."""
    return _findings(facts.preflight, "the preflight could not be run", "the preflight found nothing against it")


def pair(facts: Facts) -> Answer:
    """Both revisions of the pair are there, in order, and its mapping holds."""
    return _findings(facts.pair, "the pair of revisions could not be read", "the pair is whole")


def lint(facts: Facts) -> Answer:
    """No rule finds an error in the pair's revisions that no comment gives a reason for."""
    return _findings(facts.lint, "the pair's revisions could not be judged", "ec lint finds no error in the pair")


def _findings(findings: tuple[Finding, ...] | None, unread: str, fine: str) -> Answer:
    if findings is None:
        return unknown(unread)
    refused = [finding for finding in findings if finding.severity is Severity.REFUSE]
    if refused:
        return closed("; ".join(map(str, refused)), measured=f"{len(refused)} found", limit="0", next_=refused[0].fix)
    warned = "; ".join(map(str, findings))
    return opened(f"{fine}; to know: {warned}" if warned else fine)


def earlier_expands(facts: Facts) -> Answer:
    """No expand revision earlier in the chain is missing; for a roll-back, none later is applied."""
    if facts.asked.move is Move.ROLL_BACK:
        return _order(facts, "expand", "stands on it and is applied", "ec rollback {0}", "alembic downgrade expand@-1")
    return _order(facts, "expand", "comes first", "ec advance {0}", "alembic upgrade {0}")


def earlier_contracts(facts: Facts) -> Answer:
    """No contract revision earlier in the chain is missing."""
    return _order(facts, "contract", "comes first", "ec advance {0}", "alembic upgrade {0}")


def _order(facts: Facts, half: str, why: str, command: str, plain: str) -> Answer:
    if facts.earlier is None:
        return unknown(f"the chain of {half} revisions could not be read")
    alone = [name for name in facts.earlier if name not in facts.asked.together]  # the others go first in the same move
    if alone:
        if alone[0] not in {change.name for change in facts.changes}:  # an ordinary revision, which Alembic runs
            return closed(f"revision {', '.join(alone)} {why}", next_=plain.format(alone[0]))
        return closed(f"the {half} of {', '.join(alone)} {why}", next_=command.format(alone[0]))
    return opened(f"no other {half} is in the way")


def columns_free(facts: Facts) -> Answer:
    """No other open change maps a column of this one."""
    if not facts.change.shape.holds:
        return opened("the change maps no column")
    for other in facts.others():
        shared = facts.change.shape.overlap(other.shape) if other.open else ()
        if shared:
            return closed(
                f"{other.name} is open and maps {', '.join(shared[0].columns)} of {shared[0].table} already",
                next_=f"ec status {other.name}",
            )
    return opened("no other open change maps its columns")


MOVER_LOCK = Gate("mover-lock", "EC310", mover_lock)
LEDGER_INTACT = Gate("ledger-intact", "EC311", ledger_intact)
TRAFFIC_DRIFT = Gate("traffic-drift", "EC312", traffic_drift)
IN_FLIGHT = Gate("in-flight", "EC313", in_flight)
PREFLIGHT = Gate("preflight", "EC314", preflight)
PAIR = Gate("pair", "EC315", pair)
EARLIER_EXPANDS = Gate("earlier-expands", "EC320", earlier_expands)
COLUMNS_FREE = Gate("columns-free", "EC321", columns_free)
LINT = Gate("lint", "EC322", lint)
EARLIER_CONTRACTS = Gate("earlier-contracts", "EC363", earlier_contracts)
