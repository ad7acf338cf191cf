"""Checks of columns that move to another table, before anything is changed: expressions, rows, keys and grants."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from psycopg import errors, sql
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from expandcontract.core.mapping import Mapping
from expandcontract.errors import MappingError
from expandcontract.pg import pairing, roundtrip
from expandcontract.pg.catalog import columns, table_oid
from expandcontract.pg.expression import check_side, renamed
from expandcontract.pg.parsed import single
from expandcontract.pg.queries import load
from expandcontract.pg.quoting import identifier

if TYPE_CHECKING:
    from collections.abc import Mapping as MappingABC

    from sqlalchemy import Connection

    from expandcontract.core.mapping import Table
    from expandcontract.core.transfer import Transfer

QUERIES = load("expandcontract.pg", "transfers.sql")
COUNTED = 1000  # rows, after which it only matters that there are more
PATIENCE = "30s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lacking:
    """What a role that writes one table may not do in the other, and its writes will need.

    Attributes:
        role: The role, or ``public``.
        table: Where it lacks something.
        read: Columns that it may not SELECT.
        written: Columns that it may not UPDATE.
        inserted: Columns that it may not INSERT.
    """

    role: str
    table: Table
    read: tuple[str, ...]
    written: tuple[str, ...]
    inserted: tuple[str, ...] = ()


def check(
    connection: Connection, transfer: Transfer, types: MappingABC[str, str] = MappingProxyType({})
) -> MappingABC[str, str]:
    """Make sure that both sides parse, are immutable and read only the other side's columns. Leaves nothing behind.

    Args:
        connection: To a database that has the old columns.
        transfer: The declaration.
        types: Of new columns that do not exist yet; one that is not named has the type that its expression yields.

    Returns:
        The type of every new column.

    Raises:
        MappingError: With the expression, and what PostgreSQL says of it; or a column that is not there.
        UnknownNameError: A table does not exist.
    """
    for name, expression in (*transfer.forward.items(), *transfer.reverse.items()):
        single(f"the expression for {name}", expression)
    source = {column.name: column.type for column in columns(connection, transfer.source)}
    target = {column.name: column.type for column in columns(connection, transfer.table)}
    for table, known, wanted in (
        (transfer.source, source, (*transfer.old, *transfer.key.values())),
        (transfer.table, target, tuple(transfer.key)),
    ):
        missing = [name for name in wanted if name not in known]
        if missing:
            msg = f"the transfer names {', '.join(missing)}, which {table} does not have"
            raise MappingError(msg, hint="ec status")
    new = check_side(connection, {name: source[name] for name in transfer.old}, transfer.forward, {**types, **target})
    check_side(connection, new, transfer.reverse, source)
    return new


def tried(connection: Connection, transfer: Transfer, types: MappingABC[str, str]) -> tuple[str, str]:
    """Send existing rows of the source forward and back; what is wrong, with the first of them, and what to do.

    Args:
        connection: In a transaction that is left as it was.
        transfer: Checked already.
        types: Of the new columns.
    """
    mapping, kinds = _as_mapping(connection, transfer, types)
    return roundtrip.told(mapping, roundtrip.round_trip(connection, mapping, kinds))


def _as_mapping(
    connection: Connection, transfer: Transfer, types: MappingABC[str, str]
) -> tuple[Mapping, dict[str, str]]:
    """As if the new columns stood beside the old ones; one of the same name has another there."""
    names = {n: f"expandcontract_new_{i}" if n in transfer.reverse else n for i, n in enumerate(transfer.new)}
    reverse = dict(transfer.reverse)
    if any(new != name for name, new in names.items()):
        savepoint = connection.begin_nested()
        try:
            # as the triggers' function has it, so that other schemas' names keep their schema
            connection.exec_driver_sql("SET LOCAL search_path = pg_catalog, pg_temp")
            moved = {name: (types[name], new) for name, new in names.items()}
            reverse = {name: renamed(connection, value, moved) for name, value in reverse.items()}
        finally:
            savepoint.rollback()
    forward = {names[name]: value for name, value in transfer.forward.items()}
    mapping = Mapping(transfer.source, forward=forward, reverse=reverse, lossy=transfer.lossy)
    return mapping, {names[name]: types[name] for name in names}


def refuse(connection: Connection, transfer: Transfer) -> None:
    """Refuse tables between which rows do not belong together one to one, or where one may hide a row.

    Raises:
        MappingError: What it is, why, and what to do instead.
    """
    for table, key in ((transfer.table, [*transfer.key]), (transfer.source, [*transfer.key.values()])):
        values = {"oid": table_oid(connection, table), "key": key}
        found = connection.execute(text(QUERIES["facts"]), values).one()
        if not found.unique:
            msg = f"{', '.join(key)} of {table} is not unique, so that one value could belong to several rows"
            raise MappingError(
                msg, hint=f"make it unique first, with a pair of its own: ec new add-unique {table} {' '.join(key)}"
            )
        if found.policies:
            msg = f"{table} has row security, and a policy could hide from a writer the row that its write has to reach"
            raise MappingError(msg, hint="ALTER TABLE … DISABLE ROW LEVEL SECURITY while the columns move")


def refers(connection: Connection, transfer: Transfer) -> bool:
    """Whether a foreign key over the key leads from one of the tables to the other."""
    target, source = table_oid(connection, transfer.table), table_oid(connection, transfer.source)
    ends = ((target, source, [*transfer.key]), (source, target, [*transfer.key.values()]))
    return any(
        connection.execute(text(QUERIES["refers"]), {"oid": oid, "other": other, "key": key}).scalar_one()
        for oid, other, key in ends
    )


def required(connection: Connection, transfer: Transfer) -> tuple[str, ...]:
    """The columns, beside the key, without which no row of the target can be inserted."""
    values = {"oid": table_oid(connection, transfer.table), "key": [*transfer.key]}
    return tuple(connection.execute(text(QUERIES["required"]), values).scalar_one())


def lacking(connection: Connection, transfer: Transfer) -> tuple[Lacking, ...]:
    """What roles that write one of the tables need in the other and have not: the triggers run as the writer.

    Raises:
        MappingError: A role may not use the other table's schema.
    """
    created = tuple(transfer.key) if transfer.create_missing else ()
    ends: tuple[tuple[Table, Table, tuple[str, ...], tuple[str, ...], tuple[str, ...]], ...] = (
        (transfer.source, transfer.table, (*transfer.key, *transfer.new), transfer.new, created),
        (transfer.table, transfer.source, (*transfer.key.values(), *transfer.old), transfer.old, ()),
    )
    found = []
    for table, other, read, written, inserted in ends:
        writers = connection.execute(text(QUERIES["writers"]), {"oid": table_oid(connection, table)}).scalars().all()
        values = {"oid": table_oid(connection, other), "read": [*read], "written": [*written], "inserted": [*inserted]}
        for role in writers:
            row = connection.execute(text(QUERIES["lacking"]), {"role": role, **values}).one()
            if row.schema:
                msg = f"{role} writes {table}, and may not use the schema {row.schema}, where {other} is"
                raise MappingError(msg, hint=f"GRANT USAGE ON SCHEMA {row.schema} TO {role}")
            if row.read or row.written or row.inserted:
                sides = {side: tuple(getattr(row, side)) for side in ("read", "written", "inserted")}
                found.append(Lacking(role=role, table=other, **sides))
    return tuple(found)


def stranded(connection: Connection, transfer: Transfer) -> tuple[int, tuple[str, ...]] | None:
    """How many source rows have a value and no target row, up to 1,001, and the keys of the first 20.

    Returns:
        ``None`` where 30 s did not suffice to look.
    """
    key = pairing.listed(pairing.source(transfer, name) for name in transfer.key.values())
    query = sql.SQL("SELECT ROW({})::text AS key FROM {} AS {} WHERE {} LIMIT {}").format(
        key,
        identifier(transfer.source.schema, transfer.source.name),
        identifier(transfer.source.name),
        pairing.stranded(transfer),
        COUNTED + 1,
    )
    savepoint = connection.begin_nested()
    try:
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{PATIENCE}'")
        keys = tuple(connection.exec_driver_sql(query.as_string()).scalars())
    except DBAPIError as exc:
        if isinstance(exc.orig, errors.QueryCanceled):
            return None
        raise
    finally:
        savepoint.rollback()
    return len(keys), keys[:20]
