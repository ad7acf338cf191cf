"""``ec rehearse``: a change all the way on a scratch database, each statement seen and compared with the plan."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from expandcontract.core.phase import Move
from expandcontract.errors import RehearsalError
from expandcontract.pg.connect import hot
from expandcontract.pg.locks.recording import Recorder
from expandcontract.pg.rows import by_script, generated
from expandcontract.runner import demands, ground
from expandcontract.runner.events import Event
from expandcontract.runner.rehearsed import document, told
from expandcontract.runner.stage import leading, stage
from expandcontract.runner.target import read
from expandcontract.runner.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from expandcontract.pg.rows import Filled
    from expandcontract.runner.ground import Ground
    from expandcontract.runner.place import Place
    from expandcontract.runner.stage import Stage
    from expandcontract.runner.target import Target
    from expandcontract.runner.walk import Passage

ROWS = 10_000
WIDE = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How a rehearsal is wanted.

    Attributes:
        rows: How many rows each table is given.
        fill: A script that makes rows in place of generated ones.
        dsn: A scratch database; ``None``: one on a server of our own.
        empty_it: Whether everything in it may be dropped first.
    """

    rows: int = ROWS
    fill: Path | None = None
    dsn: str | None = None
    empty_it: bool = False


def rehearse(place: Place, name: str, wanted: Wanted) -> Iterator[Event]:
    """Rehearse a change; the target is only read.

    Args:
        place: The project and its target.
        name: The change; it must be planned there.
        wanted: How.

    Yields:
        Each step as it is done; the last event's figures are the whole as a document.

    Raises:
        RefusedError: The change has left ``planned``, or other changes cannot be brought to where they stand.
        UsageError: The scratch database is the target, or not empty.
        ConfigError: There is no server to rehearse on.
        RehearsalError: A move failed, or a statement did other than foretold.
    """
    target = read(place, name)
    with ExitStack() as stack:
        ready = stack.enter_context(_ground(target, wanted))
        yield Event(kind="step", text=_where(target, ready), change=name)
        ground.build(place, target, ready)
        there = stage(place, ready.url, target.weights)
        stack.enter_context(leading(ready.url))
        filled = _filled(there, target, wanted)
        for table in filled:
            yield Event(kind="step", text=str(table), change=name)
        passages: list[Passage] = []
        walk = Walk(there, Recorder(ready.url), name)
        for passage in walk.whole():
            passages.append(passage)
            yield Event(kind="step", text=told(passage), change=name)
        found = document(target, ready, filled, passages, walk.notes)
    _refuse(name, passages, found)
    text = f"{name} was rehearsed: {found['statements']} statements did what the plan foretells"
    yield Event(kind="finished", text=text, change=name, data=found)


def _ground(target: Target, wanted: Wanted) -> AbstractContextManager[Ground]:
    if wanted.dsn is None:
        return ground.embedded(target)
    return ground.given(target, wanted.dsn, emptied=wanted.empty_it)


def _where(target: Target, ready: Ground) -> str:
    server = "a throw-away server" if ready.ours else "the scratch database given"
    return f"rehearsing {target.change.name} on {server}, PostgreSQL {ready.major} (the target's is {target.major})"


def _filled(there: Stage, target: Target, wanted: Wanted) -> tuple[Filled, ...]:
    tables = tuple(target.rows)
    with hot(there.url, command="rehearse") as connection:
        if wanted.fill is not None:
            return by_script(connection, wanted.fill.read_text(encoding="utf-8"), tables)
        return generated(connection, tables, wanted.rows, demands.of(there, target.change))


def _refuse(name: str, passages: list[Passage], found: dict[str, object]) -> None:
    failed = next((passage for passage in passages if passage.error is not None), None)
    if failed is not None and failed.error is not None:
        way = "rolling back" if failed.move is Move.ROLL_BACK else str(failed.move)
        msg = f"{way} from {failed.start} failed in the rehearsal of {name}: {failed.error.message}"
        hint = failed.error.hint if failed.error.hint and "ec " not in failed.error.hint else None
        raise RehearsalError(msg, hint=hint or f"mend the pair, then ec rehearse {name}", document=found)
    lines = [(passage, line) for passage in passages for line in passage.lines if line.differences]
    if lines:
        said = [f"  {p.move}: {_short(line.statement)}: {why}" for p, line in lines for why in line.differences]
        what = f"{len(lines)} statements of {name} did other than the plan foretells:"
        hint = "what was seen is what the server does; plan the move by that, and report the statement"
        raise RehearsalError("\n".join([what, *dict.fromkeys(said)]), hint=hint, document=found)


def _short(statement: str) -> str:
    text = " ".join(statement.split())
    return text if len(text) <= WIDE else f"{text[: WIDE - 1]}…"
