"""Gathers the facts that a move's gates look at. Reads only; what cannot be read stays unknown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from expandcontract.backfill import parity, statement
from expandcontract.core.color import Weights
from expandcontract.core.facts import Asked, Facts, Finding
from expandcontract.core.phase import Kind, Move, Phase
from expandcontract.errors import MappingError, PairError, SwitchError, UnknownNameError, UnreachableError, UnsavedError
from expandcontract.ledger import VERSION, Ledger, installed_version
from expandcontract.pg import bound, catalog, census, expression, roundtrip, transfers
from expandcontract.pg.preflight import preflight
from expandcontract.revisions import breaking, seal
from expandcontract.revisions.operations import SealNotNull
from expandcontract.revisions.prelude import prelude
from expandcontract.revisions.probe import need_guard
from expandcontract.revisions.stamped import stamped
from expandcontract.runner import guarding
from expandcontract.runner.functions import importable
from expandcontract.runner.leaving import with_sessions
from expandcontract.runner.limits import workers
from expandcontract.runner.mover import holder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from expandcontract.backfill.comparison import Rows
    from expandcontract.core.change import ChangeState
    from expandcontract.core.color import Color
    from expandcontract.core.release import Release
    from expandcontract.core.shape import Work
    from expandcontract.revisions.operations import SealItem
    from expandcontract.revisions.project import Pair
    from expandcontract.runner.place import Place


def merged(place: Place, ledger: Ledger) -> tuple[ChangeState, ...]:
    """The ledger's changes, and after them the pairs that it does not know yet, as planned."""
    known = {change.name: change for change in ledger.changes()}
    found = []
    for pair in place.project.pairs():
        state = known.pop(pair.name, None)
        found.append(declared(place, pair) if state is None else _with_files(state, pair))
    return (*known.values(), *found)


def declared(place: Place, pair: Pair) -> ChangeState:
    """A pair that no ledger knows: planned."""
    from expandcontract.core.change import ChangeState  # noqa: PLC0415  # only made here
    from expandcontract.core.window import Window  # noqa: PLC0415

    return ChangeState(
        name=pair.name,
        kind=pair.change.kind,
        shape=pair.change.shape,
        irreversible=pair.change.irreversible,
        window=Window(place.settings.window.length),
        contract_revision=pair.contract.revision if pair.contract else None,
    )


def _with_files(state: ChangeState, pair: Pair) -> ChangeState:
    contract = pair.contract.revision if pair.contract else state.contract_revision
    found = replace(state, contract_revision=contract, irreversible=pair.change.irreversible)
    return replace(found, kind=pair.change.kind, shape=pair.change.shape) if state.phase is Phase.PLANNED else found


def ended(connection: Connection) -> frozenset[str]:
    """The changes that no move leads on from; none where there is no ledger."""
    if installed_version(connection) != VERSION:
        return frozenset()
    return frozenset(change.name for change in Ledger(connection).changes() if change.ended)


def read_weights(place: Place) -> tuple[Weights | None, str]:
    """The weights in force, and why they could not be read, or why a restart of the balancer would change them."""
    if place.switch is None:
        return None, ""
    try:
        return place.switch.read(), ""
    except UnsavedError as exc:
        return Weights(**exc.running), exc.message
    except SwitchError as exc:
        return None, exc.message


def usable(place: Place, connection: Connection, change: ChangeState, asked: Asked) -> None:
    """Make sure that what the move works with can be used at all, before any gate is asked.

    Raises:
        UnreachableError: The balancer does not answer.
        ConfigError: ``env.py`` does not call the guard, or fails; or what watches the shift cannot be made.
        PairError: A half of the pair is missing or out of order.
        MappingError: An expression does not parse, is volatile, or reads what it may not; a function cannot be
            imported.
    """
    weights, why = read_weights(place)
    if why and weights is None:
        msg = f"{why}; nothing was begun"
        raise UnreachableError(msg, hint="ec status")
    if asked.release is not None and asked.move is not Move.ROLL_BACK:
        guarding.guard(place, {})
    if asked.move in {Move.EXPAND, Move.CONTRACT} or (asked.move is Move.ROLL_BACK and change.phase is Phase.EXPANDED):
        need_guard(place.project.config)
    if asked.move is not Move.EXPAND:
        return
    pair = place.project.pair(change.name)
    for fault in place.project.faults(pair):
        raise PairError(fault.what, hint=fault.fix)
    if change.in_flight is None:
        importable(place, pair.change.shape)
        expression.check(connection, pair.change.shape, prelude(pair.expand.module))


def known(place: Place, ledger: Ledger, name: str) -> ChangeState:
    """A change that the ledger or the project's revisions know.

    Raises:
        UnknownNameError: Neither does; the nearest name is said.
    """
    found = {change.name: change for change in merged(place, ledger)}
    if name in found:
        return found[name]
    try:
        return ledger.change(name)
    except UnknownNameError:
        place.project.pair(name)
        raise


def observe(
    place: Place, connection: Connection, ledger: Ledger, name: str, asked: Asked, *, count: bool = True
) -> Facts:
    """Everything that the gates of ``asked.move`` look at.

    Args:
        place: Where we work.
        connection: The ledger's connection; read only.
        ledger: The ledger.
        name: The change.
        asked: What the caller asked for.
        count: Compare the rows too; a scan of the table.
    """
    changes = merged(place, ledger)
    change = next(found for found in changes if found.name == name)
    weights, why = read_weights(place)
    facts = Facts(
        now=ledger.now(),
        change=change,
        changes=changes,
        asked=asked,
        releases=ledger.releases(),
        recorded=ledger.weights(),
        weights=weights,
        traffic_error=why,
        origin=_origin(change, asked),
        holder=holder(connection, ledger),
        integrity=_integrity(ledger, change),
        preflight=_preflight(place, connection, ledger, change, asked.move),
        switched=place.switch is not None,
    )
    return _for_move(place, connection, facts, count=count)


def _origin(change: ChangeState, asked: Asked) -> Weights | None:
    if change.in_flight is None or change.in_flight.move is not asked.move:
        return None
    found: dict[str, int] | None = (change.in_flight.arguments or {}).get("origin")  # type: ignore[assignment]
    return Weights(**found) if found else None


def _integrity(ledger: Ledger, change: ChangeState) -> tuple[Finding, ...]:
    found = [Finding(what=what, fix=f"ec repair {name}") for name, what in ledger.integrity()]
    chain = ledger.verify_history()
    if chain["broken"] is not None or not chain["head_holds"]:
        found.append(Finding(what=f"the journal was altered at entry {chain['broken']}", fix="ec history --verify"))
    # a change that does not exist yet cannot have been damaged, but the ground it stands on can
    return tuple(found) if change.phase is not Phase.CONTRACTED else ()


def _preflight(
    place: Place, connection: Connection, ledger: Ledger, change: ChangeState, move: Move
) -> tuple[Finding, ...]:
    phases = {known.name: known.phase for known in ledger.changes()}
    astray = stamped(place.project, place.project.applied(connection), phases)
    paired = bool(change.shape.mappings or change.shape.transfers)
    found = preflight(connection, change.shape.tables, triggers=paired, keyed=place.settings.backfill.keys)
    return (*astray, *found, *to_notice(connection, change, move))


def to_notice(connection: Connection, change: ChangeState, move: Move) -> tuple[Finding, ...]:
    """The sessions that may notice that the names are traded, where ``move`` trades them."""
    if change.kind is not Kind.SWAPPED or not (change.traded if move is Move.ROLL_BACK else move is Move.CUT_OVER):
        return ()
    named = change.shape.mappings
    columns = (column for m in named for column in (m.new if change.traded else m.old))
    return bound.sessions(connection, ", ".join(columns))


def _for_move(place: Place, connection: Connection, facts: Facts, *, count: bool) -> Facts:
    move, change = facts.asked.move, facts.change
    if move in {Move.EXPAND, Move.CONTRACT} or (move is Move.ROLL_BACK and change.phase is Phase.EXPANDED):
        facts = _with_pair(place, connection, facts)
    elif move is Move.ROLL_BACK:
        facts = replace(facts, earlier=())
    if move in {Move.DUAL_WRITE, Move.CUT_OVER}:
        facts = _with_health(place, facts)
    if move is Move.ROLL_BACK and change.traded:
        facts = replace(facts, unfit=unfit(place, change) if count else None)
    if move is Move.BACKFILL:
        limit = place.settings.snapshot_limit
        facts = replace(facts, snapshots=census.snapshots(connection, limit), snapshot_limit=limit)
    if move in {Move.CUT_OVER, Move.CONTRACT} and change.open:
        facts = replace(facts, differing=differing(place, change) if count else None)
    if move is Move.CUT_OVER:
        items = seal.record(place.project.pair(change.name).expand.module)
        facts = replace(facts, unsealed=seal.missing(connection, items))
    if move is Move.ROLL_BACK and change.phase is Phase.EXPANDED and count:
        facts = replace(facts, breaking=_breaking(place, change))
    if move is Move.CONTRACT:
        facts = _with_ending(place, connection, facts)
    return facts


def _with_pair(place: Place, connection: Connection, facts: Facts) -> Facts:
    pair = place.project.pair(facts.change.name)
    applied = place.project.applied(connection)
    found = list(place.project.faults(pair))
    if facts.asked.move is Move.EXPAND:
        found += _proved(place, connection, pair) if facts.change.phase is Phase.PLANNED else ()
        facts = replace(facts, lint=_linted(place, pair))
    earlier = {
        Move.EXPAND: place.project.earlier_expands,
        Move.CONTRACT: place.project.earlier_contracts,
        Move.ROLL_BACK: place.project.later_expands,
    }[facts.asked.move](pair, applied)
    return replace(facts, pair=tuple(found), earlier=earlier)


def _linted(place: Place, pair: Pair) -> tuple[Finding, ...]:
    from expandcontract.runner import lint  # noqa: PLC0415  # loads every rule

    return lint.errors(place.project, pair.name)


def _proved(place: Place, connection: Connection, pair: Pair) -> Iterator[Finding]:
    """What is wrong with the mappings before the expand: an expression, or what it makes of the rows that there are."""
    shape, made = pair.change.shape, prelude(pair.expand.module)
    sealed = [item for item in seal.record(pair.expand.module) if isinstance(item, SealNotNull)]
    try:
        importable(place, shape)
        expression.check(connection, shape, made)
        with expression.making(connection, made):
            for mapping in shape.mappings:
                types = expression.check_mapping(connection, mapping)
                not_null = frozenset(item.column for item in sealed if item.table == mapping.table) & set(mapping.new)
                what, fix = roundtrip.told(mapping, roundtrip.round_trip(connection, mapping, types, not_null=not_null))
                if what:
                    yield Finding(what=what, fix=fix)
            for transfer in shape.transfers:
                what, fix = transfers.tried(connection, transfer, transfers.check(connection, transfer))
                if what:
                    yield Finding(what=what, fix=fix)
    except MappingError as exc:
        yield Finding(what=exc.message, fix=f"mend {pair.expand.path}")


def differing(place: Place, change: ChangeState) -> int:
    """Rows whose two shapes disagree, that lack a value, or that break the rule to come; scans the tables."""
    if change.traded:
        mapped = change.shape.mappings
        return sum(_count(place, change, mapping, statement.astray) for mapping in mapped)
    rules = coming(place, change)
    if rules:  # a fill mends what breaks the rule, so its rows are among these
        return sum(breaking.count(place.url, item) for item in rules)
    return sum(_count(place, change, work) for work in change.shape.compared)


def _count(place: Place, change: ChangeState, work: Work, rows: Rows | None = None) -> int:
    return parity.count(place.url, change.name, work, rows, workers=workers(place.settings))


def unfit(place: Place, change: ChangeState) -> int:
    """Rows whose value the old columns cannot have, once the names are traded; scans the tables."""
    mapped = change.shape.mappings
    return sum(_count(place, change, mapping, statement.unfit) for mapping in mapped)


def coming(place: Place, change: ChangeState) -> tuple[SealItem, ...]:
    """What the contract seals before it is applied: the rule of a tightening."""
    contract = place.project.pair(change.name).contract if change.contracts else None
    return () if contract is None else seal.record(contract.module)


def restored(place: Place, change: ChangeState) -> tuple[SealItem, ...]:
    """What a roll-back to planned puts back."""
    return seal.record(place.project.pair(change.name).expand.module, "restore")


def _breaking(place: Place, change: ChangeState) -> tuple[Finding, ...]:
    """The rules that rows break by now and no fill of the change mends; scans the tables."""
    filled = {fill.table for fill in change.shape.fills}
    counted = [(breaking.count(place.url, i), i) for i in restored(place, change) if i.table not in filled]
    return tuple(
        Finding(
            what=f"{rows} rows of {item.table} break {seal.describe(item)}",
            fix=f"mend these rows, then ec rollback {change.name}",
        )
        for rows, item in counted
        if rows
    )


def _with_health(place: Place, facts: Facts) -> Facts:
    release = facts.asked.release
    deployed = facts.releases.get(release.color) if release else None
    if release is None or deployed is None or deployed.version != release.version:
        return facts
    return replace(facts, health={release.color: place.probe(release.color, release.version, wait=False)})


def _with_ending(place: Place, connection: Connection, facts: Facts) -> Facts:
    leaving = facts.change.shape.leaving if facts.change.open else ()
    return replace(
        with_sessions(place, connection, facts),
        dependents=tuple(what for hold in leaving for what in catalog.dependents(connection, hold.table, hold.columns)),
    )


def live_release(ledger: Ledger, weights: Weights | None) -> Release | None:
    """The release on the color with all the traffic, or ``None``."""
    live: Color | None = weights.live if weights else None
    return ledger.releases().get(live) if live else None
