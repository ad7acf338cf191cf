"""Fills pages with a Python function: read without a lock, compute, then write what is still as it was read.

While the function is at work there is no transaction, no lock, and nothing that anybody could wait for. Each write is
one commit with its fence and its claim; the cursor moves with the last one. A row that was changed in between is read
and computed again, a few times; what is then left, the comparison finds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql
from psycopg.adapt import Transformer

from expandcontract.backfill.batch import batch
from expandcontract.errors import FunctionError
from expandcontract.functions.process import FaultError, TooLongError
from expandcontract.pg import computed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import timedelta

    from expandcontract.functions.process import Caller
    from expandcontract.ledger.segments import Segments
    from expandcontract.pg.computed import Form, Read

ROUNDS = 3
"""How often a row that keeps changing is read again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What belongs to a write's transaction and to the time before it.

    Attributes:
        enter: At the start of the transaction; raises where nothing may be written.
        settle: At its end, with the rows written and whether the batch is over.
        meanwhile: Ten times a second while the function is at work; what it raises breaks the batch off.
    """

    enter: Callable[[], None]
    settle: Callable[[int, bool], None]
    meanwhile: Callable[[], None]


class Computing:
    """Fills pages of one relation.

    Args:
        form: How its rows are read and written.
        caller: Of the function.
        connection: In autocommit mode.
        segments: Of the change, on the same connection.
        ceiling: How long one statement may run.
    """

    def __init__(
        self, form: Form, caller: Caller, connection: psycopg.Connection, segments: Segments, *, ceiling: timedelta
    ) -> None:
        self._form = form
        self._caller = caller
        self._connection = connection
        self._segments = segments
        self._ceiling = ceiling
        self._adapter = Transformer(connection)

    def fill(self, pages: sql.Composable, numbers: Mapping[str, int], around: Around) -> int:
        """Fill the unfilled rows of some pages; how many were.

        Args:
            pages: Which ones, with placeholders.
            numbers: What goes into these.
            around: The transaction of each write.

        Raises:
            FunctionError: The function gave nothing that can be written.
            TooLongError: It took too long.
            psycopg.Error: A statement failed.
        """
        rows = self._read(computed.read(self._form, pages), numbers)
        filled = 0
        for number in range(1, ROUNDS + 1):
            given = self._given(rows, around) if rows else {}
            written, over = self._write(given, around, last=number == ROUNDS)
            filled += len(written)
            if over:
                break
            left = [found for found in rows if found.at in given and found.at not in written]
            rows = self._again(left, pages, numbers)
        return filled

    def _read(self, query: sql.Composed, values: Mapping[str, object]) -> list[Read]:
        def work() -> list[Read]:
            return self._form.taken(self._connection.execute(query, values).fetchall())

        return batch(self._connection, self._segments, work, ceiling=self._ceiling)

    def _again(self, rows: Sequence[Read], pages: sql.Composable, numbers: Mapping[str, int]) -> list[Read]:
        form = self._form
        if not form.key:
            return self._read(computed.read(form, pages), numbers)
        keys = {
            f"key{number}": [self._text(found.row[name], name) for found in rows]
            for number, name in enumerate(form.key)
        }
        return self._read(computed.read(form, computed.by_key(form, [sql.Placeholder(name) for name in keys])), keys)

    def _text(self, value: object, name: str) -> str | None:
        return computed.as_text(value, as_json=name in self._form.json, adapter=self._adapter)

    def _given(self, rows: Sequence[Read], around: Around) -> dict[str, tuple[Read, list[str | None]]]:
        """What is to be written, by place; nothing for a row that stays as it is."""
        try:
            results = self._caller.ask([found.row for found in rows], around.meanwhile)
        except FaultError as exc:
            about = rows if exc.fault.row is None else [rows[exc.fault.row]]
            raise self._failed(exc.fault.said, about) from exc
        except TooLongError as exc:
            raise TooLongError(self._failed(exc.message, rows).message, hint=computed.HINT) from exc
        except FunctionError as exc:
            raise self._failed(exc.message, rows) from exc
        pairs = ((found, result) for found, result in zip(rows, results, strict=True) if result is not None)
        return {found.at: (found, self._texts(found, result)) for found, result in pairs}

    def _texts(self, found: Read, result: Mapping[str, object]) -> list[str | None]:
        texts = []
        for name, value in result.items():
            try:
                texts.append(self._text(value, name))
            except (psycopg.Error, TypeError, ValueError) as exc:
                said = f"gave a {type(value).__name__} for {name}, which cannot be written: {exc}"
                raise self._failed(said, [found]) from exc
        return texts

    def _failed(self, said: str, about: Sequence[Read]) -> FunctionError:
        return computed.failure(self._form, said, about)

    def _write(
        self, given: Mapping[str, tuple[Read, list[str | None]]], around: Around, *, last: bool
    ) -> tuple[set[str], bool]:
        """What was written, by place, and whether the batch is over."""

        def work() -> tuple[set[str], bool]:
            around.enter()
            written = self._written(list(given.values())) if given else set()
            over = last or len(written) == len(given)
            around.settle(len(written), over)
            return written, over

        try:
            return batch(self._connection, self._segments, work, ceiling=self._ceiling)
        except (psycopg.DataError, psycopg.IntegrityError) as exc:
            raise self._refused(exc, list(given.values())) from exc

    def _written(self, rows: Sequence[tuple[Read, list[str | None]]]) -> set[str]:
        names = [f"value{number}" for number in range(len(self._form.work.writes))]
        low, high = computed.around([found.at for found, _ in rows])
        values: dict[str, object] = {
            "low": low,
            "high": high,
            "at": [found.at for found, _ in rows],
            "seen": [found.seen for found, _ in rows],
            **{name: [texts[number] for _, texts in rows] for number, name in enumerate(names)},
        }
        at, seen, *texts = (sql.Placeholder(name) for name in ("at", "seen", *names))
        query = computed.write(self._form, at, seen, texts, (sql.Placeholder("low"), sql.Placeholder("high")))
        return {row[0] for row in self._connection.execute(query, values)}

    def _refused(self, exc: psycopg.Error, rows: Sequence[tuple[Read, list[str | None]]]) -> FunctionError:
        """The first row that the server does not take; each is tried alone, and nothing of that is kept."""
        for row in rows:
            try:
                with self._connection.transaction(force_rollback=True):
                    self._segments.enter(self._ceiling)
                    self._written([row])
            except (psycopg.DataError, psycopg.IntegrityError) as alone:
                return self._failed(_denied(alone), [row[0]])
            except psycopg.Error:
                break
        return self._failed(_denied(exc), [found for found, _ in rows])


def _denied(exc: psycopg.Error) -> str:
    return f"gave what PostgreSQL does not take: {str(exc).splitlines()[0]}"
