"""``add-foreign-key``: orphans are counted, and forbidden once no release is left that makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from expandcontract.core.mapping import Table
from expandcontract.core.naming import default_name
from expandcontract.core.shape import Hold
from expandcontract.errors import MappingError, UsageError
from expandcontract.pg import catalog
from expandcontract.pg.clause import reason
from expandcontract.revisions.leaves import leaves
from expandcontract.revisions.operations import SealForeignKey
from expandcontract.revisions.recipes import rule
from expandcontract.revisions.recipes.wording import change_name, execute, listed, qualified
from expandcontract.revisions.render import quote, rendered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from expandcontract.revisions.render import Draft

ACTIONS = ("no action", "restrict", "cascade", "set null", "set default")
LEADING = """SELECT EXISTS (SELECT FROM pg_index AS x WHERE x.indrelid = :oid AND x.indisvalid AND x.indpred IS NULL
    AND ARRAY(SELECT a.attname::text FROM unnest(x.indkey) WITH ORDINALITY AS k (attnum, place)
        JOIN pg_attribute AS a ON a.attrelid = x.indrelid AND a.attnum = k.attnum
        WHERE k.place <= :size ORDER BY 1)
    = ARRAY(SELECT unnest(cast(:columns AS text[])) ORDER BY 1))"""
PRIMARY = """SELECT a.attname::text FROM pg_constraint AS c
    CROSS JOIN LATERAL unnest(c.conkey) WITH ORDINALITY AS k (attnum, place)
    JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.attnum
    WHERE c.conrelid = :oid AND c.contype = 'p' ORDER BY k.place"""


def draft(  # noqa: PLR0913  # what a foreign key has
    connection: Connection,
    table: str,
    columns: Sequence[str],
    target: str,
    target_columns: Sequence[str] = (),
    *,
    on_delete: str | None = None,
    on_update: str | None = None,
    constraint: str | None = None,
    name: str | None = None,
) -> Draft:
    """The pair that adds a FOREIGN KEY.

    Args:
        connection: To a database that has both tables.
        table: The referencing table, ``table`` or ``schema.table``.
        columns: Its columns.
        target: The table referred to.
        target_columns: Its columns; default: its primary key.
        on_delete: ``cascade``, ``set null``, ``set default``, ``restrict`` or ``no action``.
        on_update: The same.
        constraint: The constraint's name; default: as PostgreSQL would name it.
        name: The change's name; default ``table_columns_fkey``.

    Raises:
        UnknownNameError: There is no such table or column.
        MappingError: PostgreSQL would not have such a key.
        UsageError: There is no such action.
    """
    place, other, keys = Table.parse(table), Table.parse(target), tuple(columns)
    oid = catalog.table_oid(connection, other)
    theirs = tuple(target_columns) or tuple(connection.execute(text(PRIMARY), {"oid": oid}).scalars())
    for where, listed_columns in ((place, keys), (other, theirs)):
        for column in listed_columns:
            catalog.column(connection, where, column)
    tail = _tail(on_delete, on_update)
    named = rule.free_name(connection, place, constraint or default_name(place.name, keys, "fkey"))
    definition = f"FOREIGN KEY ({', '.join(map(quote, keys))}) REFERENCES {qualified(other)}"
    definition = f"{definition} ({', '.join(map(quote, theirs))}) {tail}".rstrip()
    item = SealForeignKey(named, place, definition, keys, other, theirs)
    _check(connection, item)
    more = f", tail={rendered(tail)}" if tail else ""
    coming = rule.Rule(
        table=place,
        columns=keys,
        item=item,
        source=f"op.seal_foreign_key({rendered(named)}, {rendered(place.spelled)}, {listed(keys)},"
        f" {rendered(other.spelled)}, {listed(theirs)}{more})",
        undo=execute(f"ALTER TABLE {qualified(place)} DROP CONSTRAINT {quote(named)}"),
        words=f"let {', '.join(keys)} of {place} refer to {other}",
    )
    return rule.draft(
        connection,
        coming,
        change_name(place.name, *keys, "fkey", name=name),
        others=(Hold(other, theirs),) if other != place else (),
        notes=_notes(connection, item),
    )


def _tail(on_delete: str | None, on_update: str | None) -> str:
    said = []
    for event, action in (("DELETE", on_delete), ("UPDATE", on_update)):
        if action is None:
            continue
        if action.lower() not in ACTIONS:
            msg = f"there is no action {action!r} for ON {event}"
            raise UsageError(msg, hint="one of: " + ", ".join(ACTIONS))
        said.append(f"ON {event} {action.upper()}")
    return " ".join(said)


def _check(connection: Connection, item: SealForeignKey) -> None:
    """Ask PostgreSQL itself, on an empty copy of the referencing side: types, the key referred to, the actions."""
    if not item.target_columns:
        msg = f"{item.target} has no primary key to refer to"
        raise MappingError(msg, hint="name the columns of a unique constraint: REFERENCES TABLE COLUMN…")
    if len(item.columns) != len(item.target_columns):
        msg = f"{', '.join(item.columns)} cannot refer to {', '.join(item.target_columns)}: not as many"
        raise MappingError(msg)
    unique = (
        "SELECT EXISTS (SELECT FROM pg_index AS x WHERE x.indrelid = :oid AND x.indisunique AND x.indimmediate"
        " AND x.indpred IS NULL AND ARRAY(SELECT a.attname::text FROM unnest(x.indkey) WITH ORDINALITY AS k (n, place)"
        " JOIN pg_attribute AS a ON a.attrelid = x.indrelid AND a.attnum = k.n WHERE place <= x.indnkeyatts ORDER BY 1)"
        " = ARRAY(SELECT unnest(cast(:columns AS text[])) ORDER BY 1))"
    )
    values = {"oid": catalog.table_oid(connection, item.target), "columns": list(item.target_columns)}
    if not connection.execute(text(unique), values).scalar_one():
        msg = f"{', '.join(item.target_columns)} of {item.target} are not unique together"
        raise MappingError(msg, hint=f"ec new add-unique {item.target} {' '.join(item.target_columns)}")
    _comparable(connection, item)


def _comparable(connection: Connection, item: SealForeignKey) -> None:
    sides = [
        [catalog.column(connection, where, column).type for column in columns]
        for where, columns in ((item.table, item.columns), (item.target, item.target_columns))
    ]
    lists = [", ".join(f"c{n} {kind}" for n, kind in enumerate(kinds)) for kinds in sides]
    numbered = ", ".join(f"c{n}" for n in range(len(item.columns)))
    savepoint = connection.begin_nested()
    try:
        connection.exec_driver_sql(f"CREATE TEMP TABLE expandcontract_to ({lists[1]}, UNIQUE ({numbered}))")
        connection.exec_driver_sql(
            f"CREATE TEMP TABLE expandcontract_from ({lists[0]},"
            f" FOREIGN KEY ({numbered}) REFERENCES expandcontract_to ({numbered}))"
        )
    except DBAPIError as exc:
        msg = f"{', '.join(item.columns)} of {item.table} cannot refer to {item.target}: {reason(exc)}"
        raise MappingError(msg, hint="ec new change-type brings one side to the other's type") from exc
    finally:
        savepoint.rollback()


def _notes(connection: Connection, item: SealForeignKey) -> tuple[str, ...]:
    notes = []
    for where in leaves(connection, item.table) or (item.table,):
        values = {
            "oid": catalog.table_oid(connection, where),
            "size": len(item.columns),
            "columns": list(item.columns),
        }
        if not connection.execute(text(LEADING), values).scalar_one():
            columns = " ".join(item.columns)
            notes.append(
                f"no index of {where} begins with {columns}: deleting from {item.target} will scan it each time;"
                f" before the contract: ec new add-index {item.table} {columns}"
            )
            break
    notes.append(f"the contract locks {item.target} too, against writes, for an instant")
    return tuple(notes)
