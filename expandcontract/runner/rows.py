"""The part of a move that goes through rows: fill, compare, repair, seal."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from expandcontract.backfill import parity, statement
from expandcontract.backfill.comparison import Comparison
from expandcontract.backfill.job import How
from expandcontract.core.facts import Asked
from expandcontract.core.mapping import Mapping
from expandcontract.core.phase import Move
from expandcontract.core.plan import AT_THE_END, ask
from expandcontract.core.transfer import Stranded, Transfer
from expandcontract.errors import RefusedError
from expandcontract.revisions import breaking, seal, sealing
from expandcontract.runner.events import Event
from expandcontract.runner.filling import fill_rows, how
from expandcontract.runner.functions import importable
from expandcontract.runner.holding import Holding
from expandcontract.runner.limits import workers
from expandcontract.runner.observe import coming, differing, observe
from expandcontract.runner.waiting import waited

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.backfill.comparison import Rows
    from expandcontract.core.change import ChangeState
    from expandcontract.core.shape import Work
    from expandcontract.revisions.operations import SealItem
    from expandcontract.runner.mover import Mover
    from expandcontract.runner.place import Place


def backfill(place: Place, mover: Mover, change: ChangeState) -> Iterator[Event]:
    """Fill, prove equal, seal, and ask the gates at the end."""
    items = seal.record(place.project.pair(change.name).expand.module)
    yield from fill_rows(place, mover, change, *change.shape.work)
    yield from compare(place, mover, change, repair=True, steered=True)
    notices = sealing.run(place.url, items, mover.fence, mover.patience)
    yield from waited(mover, change.name, notices, lambda text: sealed(text, change))
    with mover.reading() as ledger:
        facts = observe(place, mover.connection, ledger, change.name, Asked(move=Move.BACKFILL), count=False)
        facts = replace(
            facts,
            differing=differing(place, change),
            unsealed=seal.missing(mover.connection, items),
        )
    judgement = ask(AT_THE_END[Move.BACKFILL], facts)
    if not judgement.open:
        raise RefusedError(
            "; ".join(map(str, judgement.shut)), hint=judgement.next_command, document=judgement.document()
        )


def sealed(text: str, change: ChangeState) -> Event:
    """An item of a seal is there and valid."""
    return Event(kind="sealed", text=f"sealed: {text}", change=change.name)


def compare(
    place: Place, mover: Mover | None, change: ChangeState, *, repair: bool, steered: bool = False
) -> Iterator[Event]:
    """Compare every row, and repair where asked; the last event of each table and rule says what was found.

    Args:
        place: Where.
        mover: Whose epoch fences a repair.
        change: The change.
        repair: Set the new shape from the old one where they differ.
        steered: Whether this is part of a backfill, which can be paused and given fewer workers.
    """
    holding = Holding()
    if repair:
        importable(place, change.shape)
    for work in change.shape.compared:
        last = None
        asked = replace(
            comparison(place, change, work, statement.astray if change.traded and isinstance(work, Mapping) else None),
            how=how(place.settings),
            repair=repair and (not isinstance(work, Stranded) or work.transfer.create_missing),
            epoch=mover.epoch if mover else None,
            steered=steered,
            gently=True,
        )
        for last in parity.verify(asked):
            yield from holding.events(last)
            yield comparing(last)
        if last is not None:
            found: dict[str, object] = {"differing": last.differing, "rows": list(last.rows)}
            yield Event(kind="step", text=_agreement(change, work, last), change=change.name, data=found)
    if change.traded:
        yield from _unfit(place, change)
    for item in coming(place, change):
        yield _keeping(place, change, item)


def comparison(
    place: Place, change: ChangeState, work: Work, rows: Rows | None = None, *, epoch: int | None = None
) -> Comparison:
    """A comparison that nothing holds back, by as many workers as are set; with an epoch it repairs."""
    by = How(workers=workers(place.settings), function_limit=place.settings.backfill.function_limit)
    return Comparison(
        url=place.url, change=change.name, work=work, how=by, rows=rows, repair=epoch is not None, epoch=epoch
    )


def comparing(at: parity.ParityProgress) -> Event:
    """How far a comparison is, as an event."""
    data: dict[str, object] = {
        "done": at.pages_done,
        "total": at.pages_total,
        "differing": at.differing,
        "repaired": at.repaired,
        "pass": at.number,
        "rows": list(at.rows),
        "eta_s": None if at.eta is None else at.eta.total_seconds(),
        "waiting": list(at.waiting),
        "gentle": at.gentle,
    }
    return Event(kind="progress", text=f"comparing, pass {at.number}", change=at.change, data=data)


def mend(place: Place, mover: Mover, change: ChangeState) -> Iterator[Event]:
    """Just before a rule is made: mend the rows that broke it since the backfill, and count once more.

    Raises:
        RefusedError: Rows still break it; the first are named.
    """
    importable(place, change.shape)
    for work in change.shape.fills:
        passes = list(parity.verify(comparison(place, change, work, epoch=mover.epoch)))
        if passes and passes[-1].number > 1:
            yield Event(kind="step", text=f"rows of {work.table} that break the rule were mended", change=change.name)
    for item in coming(place, change):
        found = _keeping(place, change, item)
        yield found
        if found.data["differing"]:
            msg = f"{found.text}; it is not made"
            raise RefusedError(msg, hint=f"mend them, then ec advance {change.name}")


def _keeping(place: Place, change: ChangeState, item: SealItem) -> Event:
    found = breaking.look(place.url, item)
    first = f", first: {', '.join(found.first)}" if found.first else ""
    return Event(
        kind="step",
        text=f"{found.rows or 'no'} row{'s' if found.rows != 1 else ''} break{'s' if found.rows == 1 else ''}"
        f" {seal.describe(item)}{first}",
        change=change.name,
        data={"differing": found.rows, "rows": list(found.first)},
    )


def lost(place: Place, change: ChangeState) -> Iterator[Event]:
    """What going back from cut-over cannot restore under a lossy mapping: counted, the first named; a scan."""
    both: tuple[Mapping | Transfer, ...] = (*change.shape.mappings, *change.shape.transfers)
    for work in both:
        if not work.lossy:
            continue
        *_, last = parity.verify(comparison(place, change, work, statement.beyond))
        source = work.source if isinstance(work, Transfer) else work.table
        old = ", ".join(f"{source}.{name}" for name in work.old)
        new = ", ".join(f"{work.table}.{name}" for name in work.new)
        text = f"the mapping is lossy: {old} has what it makes of the values that the new release wrote to {new}"
        if last.differing:
            rows = ", ".join(last.rows)
            text += f"; {last.differing} rows of {new} tell more than {old} can give again, first: {rows}"
        yield Event(kind="note", text=text, change=change.name, data={"lost": last.differing, "rows": list(last.rows)})


def _unfit(place: Place, change: ChangeState) -> Iterator[Event]:
    """Rows that going back would lose, first where they are."""
    for mapping in change.shape.mappings:
        *_, last = parity.verify(comparison(place, change, mapping, statement.unfit))
        columns = " or ".join(f"{mapping.table}.{new}" for new in mapping.new)
        text = f"every value of {columns} fits the old type"
        if last.differing:
            rows = ", ".join(last.rows)
            text = f"{last.differing} rows have a value of {columns} that does not fit the old type, first: {rows}"
        yield Event(kind="step", text=text, change=change.name, data={"unfit": last.differing, "rows": list(last.rows)})


def _agreement(change: ChangeState, work: Work, last: parity.ParityProgress) -> str:
    where = f" of {work.table}" if len(change.shape.compared) > 1 else ""
    if isinstance(work, Stranded):
        return _stranded(work, last)
    if work in change.shape.fills:
        if last.differing:
            return f"{last.differing} rows{where} lack a value, first: {', '.join(last.rows)}"
        return f"every row{where} has its value"
    if last.differing:
        return f"{last.differing} rows{where} differ, first: {', '.join(last.rows)}"
    return f"old and new shape agree on every row{where}"


def _stranded(work: Stranded, last: parity.ParityProgress) -> str:
    source, target = work.table, work.transfer.table
    if not last.differing:
        return f"every row of {source} that has a value has its row of {target}"
    return (
        f"{last.differing} rows of {source} have a value and no row of {target} to hold it, first:"
        f" {', '.join(last.rows)}; insert these rows of {target}, which take the value over, or empty the old columns"
    )
