"""The plan canary: before the first batch, what PostgreSQL would do for it is read, and a scan of a whole table stops.

A batch asks for a range of pages, which is a TID range scan whatever the statistics, unless that is switched off. What
it joins may still be gone through whole for every batch. Nothing is executed but ANALYZE.
https://www.postgresql.org/docs/current/sql-explain.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from expandcontract.backfill.batch import batch, stopped
from expandcontract.errors import PlanError
from expandcontract.ledger.segments import Segments
from expandcontract.pg.queries import load
from expandcontract.pg.quoting import identifier

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from expandcontract.backfill.board import Board
    from expandcontract.pg.catalog import Leaf

QUERIES = load("expandcontract.backfill", "canary.sql")
AS_JSON = sql.SQL("EXPLAIN (VERBOSE, FORMAT JSON) ")
AS_TEXT = sql.SQL("EXPLAIN ")
ANALYZE = sql.SQL("ANALYZE (SKIP_LOCKED) {}")
LONGEST_ANALYZE = "60s"
"""It reads a sample of a fixed size; where that takes longer, a backfill can do without."""
SMALL_PAGES = 64
"""Of so few pages more than it asks for, a batch may go through a whole relation: that can be the cheaper plan."""
SHOWN_LINES = 30
WHOLE = frozenset({"Seq Scan", "Index Scan", "Index Only Scan"})
BY_CONDITION = ("Index Cond", "Order By")


@dataclass(frozen=True, slots=True, kw_only=True)
class First:
    """The first statement on a relation.

    Attributes:
        leaf: The relation.
        query: With placeholders.
        values: What stands in them.
        pages: How many pages it asks for.
    """

    leaf: Leaf
    query: sql.Composed
    values: Mapping[str, int]
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """A relation in a plan.

    Attributes:
        schema: Its schema.
        name: Its name.
        whole: Whether all of it is gone through.
    """

    schema: str
    name: str
    whole: bool


def prove(connection: psycopg.Connection, change: str, asked: Sequence[First], board: Board) -> None:
    """Analyse what never was, and see that no statement goes through more than it asks for.

    Takes SHARE UPDATE EXCLUSIVE on a table that it analyses, if nobody has it, and for the rest the locks of the
    statements themselves for a moment. May run any number of times.

    Args:
        connection: In autocommit mode.
        change: The change.
        asked: The first statement on each relation.
        board: Where it is noted what was analysed, and what could not be.

    Raises:
        BackfillError: A statement cannot be planned.
        PlanError: One would go through a whole table; its plan is in the message.
    """
    canary = _Canary(connection, change, board)
    canary.analyse([first.leaf.oid for first in asked])
    for first in asked:
        canary.prove(first)


def scanned(plan: Mapping[str, Any]) -> Iterator[Scanned]:
    """Every relation that a node of an ``EXPLAIN (VERBOSE, FORMAT JSON)`` reads.

    Args:
        plan: A node.
    """
    if "Relation Name" in plan and plan["Node Type"] != "ModifyTable":
        whole = plan["Node Type"] in WHOLE and not any(key in plan for key in BY_CONDITION)
        yield Scanned(schema=plan.get("Schema", ""), name=plan["Relation Name"], whole=whole)
    for child in plan.get("Plans", ()):
        yield from scanned(child)


class _Canary:
    def __init__(self, connection: psycopg.Connection, change: str, board: Board) -> None:
        self._connection = connection
        self._change = change
        self._segments = Segments(connection, change)
        self._board = board
        self._seen: dict[tuple[str, str], tuple[int, int]] = {}

    def analyse(self, relations: Sequence[int]) -> None:
        """Analyse those of the relations that never were."""
        for row in self._unknown(relations):
            name = f"{row['schema']}.{row['name']}"
            if row["allowed"]:
                text = f"{name} had never been analysed; {self._analysed(row)}"
            else:
                text = (
                    f"{name} has never been analysed, and role {row['role']} may not: plans that involve it are"
                    f" guessed. To mend that: ANALYZE {name}, or GRANT {row['owner']} TO {row['role']}"
                )
            self._board.note(f"analyze {row['oid']}", text)

    def _analysed(self, row: Mapping[str, Any]) -> str:
        """What came of an attempt, which nobody waits for and which is not waited for long."""
        try:
            with self._connection.transaction():
                self._connection.execute(sql.SQL("SET LOCAL statement_timeout = {}").format(LONGEST_ANALYZE))
                self._connection.execute(ANALYZE.format(identifier(row["schema"], row["name"])), {})
        except psycopg.errors.QueryCanceled:
            return f"ANALYZE was broken off after {LONGEST_ANALYZE}, so plans that involve it are guessed"
        if self._unknown([row["oid"]]):
            return "somebody else holds the lock that ANALYZE needs, so plans that involve it are guessed"
        return "ANALYZE was run on it"

    def prove(self, first: First) -> None:
        """Read the plan of one statement; again where it reads other relations that had to be analysed."""
        plan = self._plan(first)
        others = [self._relation(item) for item in scanned(plan)]
        if self._unknown([oid for oid, _ in others]):
            self.analyse([oid for oid, _ in others])
            plan = self._plan(first)
        for item in scanned(plan):
            oid, pages = self._relation(item)
            if item.whole and pages > first.pages + SMALL_PAGES:
                self._judge(first, item, oid)

    def _judge(self, first: First, item: Scanned, oid: int) -> None:
        if oid != first.leaf.oid or not first.leaf.is_heap:
            # where there is an index, passing it by was a choice for this much at a time; without one there was none
            forced = self._plan(first, "SET LOCAL enable_seqscan = off")
            if item not in set(scanned(forced)):
                return
            hint = (
                f"make an index (CREATE INDEX CONCURRENTLY) on {item.schema}.{item.name} over the columns by which its"
                " rows are looked up, as the plan shows them; then run the same command again"
            )
        else:
            switched = self._connection.execute(QUERIES["switched_off"], {}).fetchone()
            hint = f"EXPLAIN shows the same in psql; ANALYZE {first.leaf.schema}.{first.leaf.name}, then run it again"
            if switched is not None:
                hint = f"{switched[0]} is off, so that a range of pages cannot be read by itself: {switched[1]}"
        lines = self._explain(first, AS_TEXT)
        msg = (
            f"each batch of {first.leaf.name} would go through the whole of {item.schema}.{item.name},"
            " so none was begun; the plan of the first:"
        )
        shown = "".join(f"\n    {line}" for line in lines[:SHOWN_LINES])
        raise PlanError(msg + shown, hint=hint, document={"plan": lines})

    def _plan(self, first: First, setting: str | None = None) -> dict[str, Any]:
        found: dict[str, Any] = self._explain(first, AS_JSON, setting)[0][0]["Plan"]
        return found

    def _explain(self, first: First, form: sql.SQL, setting: str | None = None) -> list[Any]:
        def explain() -> list[Any]:
            if setting is not None:
                self._connection.execute(setting)
            return [row[0] for row in self._connection.execute(form + first.query, first.values).fetchall()]

        try:
            return batch(self._connection, self._segments, explain)
        except psycopg.Error as exc:
            raise stopped(exc, f"planning its first batch of {first.leaf.name}") from exc

    def _relation(self, item: Scanned) -> tuple[int, int]:
        """The object identifier and the pages of a relation in a plan."""
        place = (item.schema, item.name)
        if place not in self._seen:
            given = {"schema": item.schema, "name": item.name}
            row = self._connection.execute(QUERIES["named"], given).fetchone()
            self._seen[place] = (0, 0) if row is None else (int(row[0]), int(row[1]))
        return self._seen[place]

    def _unknown(self, relations: Sequence[int]) -> list[dict[str, Any]]:
        with self._connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(QUERIES["unknown"], {"relations": list(relations)}).fetchall()
