"""Makes a seal on a live table, and takes it back: short locks, scans that let reads and writes pass."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from expandcontract.errors import SealError
from expandcontract.pg.census import blockers
from expandcontract.pg.connect import connect, hot
from expandcontract.pg.retry import retrying
from expandcontract.revisions import leaves, partitions
from expandcontract.revisions.operations import SealConstraint, SealIndex, SealItem, SealNotNull, SealUnique, Unsealed
from expandcontract.revisions.seal import below, create_index, describe, plain, relation, valid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import URL

BUDGET = timedelta(minutes=30)
BUILD = timedelta(hours=12)  # a concurrent build may wait for every older snapshot


def run(url: URL, items: tuple[SealItem, ...], fence: Callable[[], None]) -> Iterator[str]:
    """Make every item that is not valid yet, one after the other, on partitions first. May run any number of times.

    Args:
        url: The target database.
        items: What to make.
        fence: Called before each item; raises where this mover is no longer the one.

    Yields:
        Each item in words, once it is valid.

    Raises:
        SealError: An item cannot be made: rows break it, or the build failed.
        LockTimeoutError: A lock was not had; the blocker is named.
    """
    for item in items:
        fence()
        with connect(url, command="seal") as connection:
            state = valid(connection, item)
            parts = None if state else leaves.parts(connection, item)
        yield from run(url, parts or (), fence)
        if not state:
            _make(url, item, leftover=state is False, whole=parts is not None)
        yield describe(item)


def undo(url: URL, items: tuple[SealItem, ...], fence: Callable[[], None]) -> Iterator[str]:
    """Take every item back, in reverse, and what a making that was broken off left. May run any number of times."""
    for item in reversed(items):
        fence()
        for piece in (item, below(item)):
            if piece is None:
                continue
            with connect(url, command="seal") as connection:
                there = valid(connection, piece) is not None
            if there:
                _drop(url, piece)
        with connect(url, command="seal") as connection:
            parts = leaves.parts(connection, item)
        for _ in undo(url, parts or (), fence):
            pass
        yield describe(item)


def _make(url: URL, item: SealItem, *, leftover: bool, whole: bool) -> None:
    try:
        match item:
            case _ if whole:  # the partitions have it, so that their parent only takes it in
                _ddl(url, item, *map(sql.SQL, plain(item)))
            case SealIndex():
                _build(url, item, leftover=leftover)
            case SealNotNull():
                _not_null(url, item)
            case SealUnique():
                _build_unique(url, item)
            case Unsealed():
                _ddl(url, item, _gone(item))
            case SealConstraint():
                _constraint(url, item.table, item.name, item.definition, there=leftover)
    except psycopg.Error as exc:
        msg = f"{describe(item)} could not be made: {str(exc).splitlines()[0]}"
        raise SealError(
            msg,
            hint="mend the rows it names, then run the same command again",
        ) from exc


def _ddl(url: URL, item: SealItem, *statements: sql.SQL | sql.Composed) -> None:
    def attempt() -> None:
        with hot(url, command="seal") as connection, connection.transaction():
            for statement in statements:
                connection.execute(statement)

    def who() -> str:
        with connect(url, command="seal") as connection:
            return blockers(connection, item.table)

    retrying(attempt, what=describe(item), budget=BUDGET, blockers=who)


def _long(url: URL, statement: sql.SQL | sql.Composed) -> None:
    """Outside a transaction, without lock_timeout (a concurrent build waits for snapshots), with a deadline."""
    with hot(url, command="seal") as connection:
        connection.execute("SET lock_timeout = 0")
        connection.execute(sql.SQL("SET statement_timeout = {}").format(int(BUILD.total_seconds() * 1000)))
        connection.execute(statement)


def _build(url: URL, item: SealIndex | SealUnique, *, leftover: bool) -> None:
    if isinstance(item, SealIndex) and _partitioned(url, item):
        _build_by_leaf(url, item)
        return
    if leftover:
        gone = sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(sql.Identifier(item.table.schema, item.name))
        _long(url, gone)
    if _partitioned(url, item):
        _ddl(url, item, sql.SQL(create_index(item, concurrently=False)))
    else:
        _long(url, sql.SQL(create_index(item, concurrently=True)))


def _build_by_leaf(url: URL, item: SealIndex) -> None:
    while True:
        with connect(url, command="seal") as connection:
            step = partitions.next_step(connection, item)
        if step is None:
            return
        if step.concurrent:
            _long(url, step.statement)
        else:
            _ddl(url, item, step.statement)


def _partitioned(url: URL, item: SealItem) -> bool:
    with connect(url, command="seal") as connection:
        return leaves.is_partitioned(connection, item.table)


def _build_unique(url: URL, item: SealUnique) -> None:
    table = relation(item.table)
    with connect(url, command="seal") as connection:
        index = valid(connection, SealIndex(item.name, item.table, ""))
    if not index:
        _build(url, item, leftover=index is False)
    name = sql.Identifier(item.name)
    add = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} UNIQUE USING INDEX {} {}")
    _ddl(url, item, add.format(table, name, name, sql.SQL(item.timing)))


def _constraint(url: URL, table: object, name: str, definition: str, *, there: bool) -> None:
    item = SealConstraint(name, table, definition)  # type: ignore[arg-type]
    place = relation(item.table)
    if not there:
        add = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {} NOT VALID")
        _ddl(url, item, add.format(place, sql.Identifier(name), sql.SQL(definition)))
    validate = sql.SQL("ALTER TABLE {} VALIDATE CONSTRAINT {}").format(place, sql.Identifier(name))
    _long(url, validate)


def _not_null(url: URL, item: SealNotNull) -> None:
    with connect(url, command="seal") as connection:
        version = connection.exec_driver_sql("SHOW server_version_num").scalar_one()
        there = valid(connection, SealConstraint(item.name, item.table, "")) is not None
    column = sql.Identifier(item.column)
    if int(version) >= 180000:  # noqa: PLR2004  # the first release with NOT NULL … NOT VALID
        definition = sql.SQL("NOT NULL {}").format(column).as_string()
        _constraint(url, item.table, item.name, definition, there=there)
        return
    check = item.proof
    with connect(url, command="seal") as connection:
        there = valid(connection, SealConstraint(check, item.table, "")) is not None
    definition = sql.SQL("CHECK ({} IS NOT NULL)").format(column).as_string()
    _constraint(url, item.table, check, definition, there=there)
    table = relation(item.table)
    proved = sql.SQL("ALTER TABLE {} ALTER COLUMN {} SET NOT NULL").format(table, column)
    # in one transaction, so that a kill in between leaves no proof behind a column that counts as sealed
    _ddl(url, item, proved, sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(table, sql.Identifier(check)))


def _gone(item: SealItem) -> sql.Composed:
    drop = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}")
    return drop.format(relation(item.table), sql.Identifier(item.name))


def _drop(url: URL, item: SealItem) -> None:
    table = relation(item.table)
    match item:
        case SealIndex() if _partitioned(url, item):
            _ddl(url, item, sql.SQL("DROP INDEX {}").format(sql.Identifier(item.table.schema, item.name)))
        case SealIndex():
            _long(url, sql.SQL("DROP INDEX CONCURRENTLY {}").format(sql.Identifier(item.table.schema, item.name)))
        case SealNotNull():
            drop = sql.SQL("ALTER TABLE {} ALTER COLUMN {} DROP NOT NULL")
            _ddl(url, item, drop.format(table, sql.Identifier(item.column)))
        case SealUnique() | SealConstraint():
            _ddl(url, item, _gone(item))
        case Unsealed():
            with connect(url, command="seal") as connection:
                there = valid(connection, item) is False
            _constraint(url, item.table, item.name, item.definition, there=there)
