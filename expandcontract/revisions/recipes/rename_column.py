"""``rename-column``: a second column with everything the first has, kept equal until the first is dropped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlalchemy import text

from expandcontract.core.change import Change, check_name
from expandcontract.core.mapping import Mapping, Table
from expandcontract.errors import MappingError
from expandcontract.pg import catalog
from expandcontract.revisions.render import Draft, Half, add_column, quote, rendered, statement

if TYPE_CHECKING:
    from sqlalchemy import Connection

LONGEST = 63


def draft(connection: Connection, table: str, old: str, new: str, *, name: str | None = None) -> Draft:
    """The pair that renames a column.

    Args:
        connection: To a database that has the old shape.
        table: The column's table, ``table`` or ``schema.table``.
        old: The column's name.
        new: Its new name.
        name: The change's name; default ``table_old_to_new``.

    Returns:
        Both halves.

    Raises:
        UnknownNameError: There is no such table or column.
        MappingError: The column is of a kind that this recipe cannot carry, or the new name is taken.
    """
    place = Table.parse(table)
    return _draft(connection, place, catalog.column(connection, place, old), new, name)


def _draft(connection: Connection, table: Table, column: catalog.Column, new: str, name: str | None) -> Draft:
    old = column.name
    _check(connection, table, column, new)
    change = check_name(name or _default_name(table, old, new))
    mapping = Mapping(table, forward={new: quote_name(connection, old)}, reverse={old: quote_name(connection, new)})
    schema = "" if table.schema == "public" else f", schema={rendered(table.schema)}"
    expand = Half(
        summary=f"rename {table}.{old} to {new} (expand)",
        upgrade=[*_add(connection, table, column, new, schema), "op.begin_change(change)  # hold and two-way triggers"],
        seal=_seal(connection, table, column, new),
        downgrade=["op.end_change(change)", f"op.drop_column({rendered(table.name)}, {rendered(new)}{schema})"],
    )
    contract = Half(
        summary=f"rename {table}.{old} to {new} (contract)",
        upgrade=[
            "op.assert_contract(change)  # refused until the rollback window has expired",
            "op.end_change(change)  # triggers, then hold",
            f"op.drop_column({rendered(table.name)}, {rendered(old)}{schema})",
        ],
        seal=[],
        downgrade=_restore(table, column, new, schema),
    )
    return Draft(
        change=Change(change, mapping=mapping),
        expand=expand,
        contract=contract,
        beside=catalog.beside(connection, table, old),
    )


def _default_name(table: Table, old: str, new: str) -> str:
    return re.sub(r"[^a-z0-9_]", "_", f"{table.name}_{old}_to_{new}".lower())


def quote_name(connection: Connection, name: str) -> str:
    """The identifier as SQL, quoted where PostgreSQL needs it."""
    return str(connection.execute(text("SELECT quote_ident(:name)"), {"name": name}).scalar_one())


def _check(connection: Connection, table: Table, column: catalog.Column, new: str) -> None:
    if len(new.encode()) > LONGEST:
        msg = f"{new!r} is longer than PostgreSQL's {LONGEST} bytes"
        raise MappingError(msg)
    if any(found.name == new for found in catalog.columns(connection, table)):
        msg = f"{table} has a column {new!r} already"
        raise MappingError(msg, hint="choose another name")
    if column.generated or column.identity or "nextval(" in (column.default or ""):
        msg = f"{table}.{column.name} gives itself its value (identity, serial or generated)"
        raise MappingError(msg)
    for found in catalog.constraints(connection, table, column.name):
        if found.kind == "p":
            msg = f"{table}.{column.name} is in the primary key {found.name}"
            raise MappingError(msg)
        if not found.own:
            msg = f"foreign key {found.name} of {found.on_table} refers to {table}.{column.name}"
            raise MappingError(msg)
        if found.kind == "x":
            msg = f"exclusion constraint {found.name} has {table}.{column.name}"
            raise MappingError(msg)


def _add(connection: Connection, table: Table, column: catalog.Column, new: str, schema: str) -> list[str]:
    lines = [add_column(table, column, new)]
    place = f"{rendered(table.name)}, {rendered(new)}"
    if column.default is not None:
        # set after the column is added, so that the rows there stay NULL for the backfill to find
        lines.append(f"op.alter_column({place}, server_default=sa.text({statement(column.default)}){schema})")
    if column.comment is not None:
        lines.append(f"op.alter_column({place}, comment={rendered(column.comment)}{schema})")
    for role, privilege in catalog.grants(connection, table, column.name):
        grantee = "PUBLIC" if role == "public" else quote(role)
        grant = f"GRANT {privilege} ({quote(new)}) ON {quote(table.schema)}.{quote(table.name)} TO {grantee}"
        lines.append(f"op.execute({statement(grant)})")
    return lines


def _restore(table: Table, column: catalog.Column, new: str, schema: str) -> list[str]:
    old = column.name
    place = f"{rendered(table.name)}, {rendered(old)}"
    fill = f"UPDATE {quote(table.schema)}.{quote(table.name)} SET {quote(old)} = {quote(new)}"
    lines = [add_column(table, column, old), f"op.execute({statement(fill)})"]
    if column.default is not None:
        lines.append(f"op.alter_column({place}, server_default=sa.text({statement(column.default)}){schema})")
    if column.not_null:
        lines.append(f"op.alter_column({place}, nullable=False{schema})")
    return lines


def _seal(connection: Connection, table: Table, column: catalog.Column, new: str) -> list[str]:
    where = rendered(str(table))
    lines = []
    with connection.begin_nested() as savepoint:
        tails = _renamed(connection, table, column.name, new)
        savepoint.rollback()
    for index in catalog.indexes(connection, table, column.name):
        if index.constraint is None:
            unique = ", unique=True" if index.unique else ""
            fresh = _fresh(index.name, column.name, new)
            lines.append(f"op.seal_index({rendered(fresh)}, {where}, {rendered(tails[index.name])}{unique})")
    for found in catalog.constraints(connection, table, column.name):
        fresh = rendered(_fresh(found.name, column.name, new))
        if found.kind == "u":
            lines.append(f"op.seal_unique({fresh}, {where}, {_unique(found, column.name, new)})")
        elif found.kind == "c":
            inner = tails[found.name].removeprefix("CHECK (").split(") NOT VALID")[0].removesuffix(")")
            lines.append(f"op.seal_check({fresh}, {where}, {rendered(inner)})")
        elif found.kind == "f":
            lines.append(f"op.seal_foreign_key({fresh}, {where}, {rendered(_foreign_key(found, column.name, new))})")
    if column.not_null:
        lines.append(f"op.seal_not_null({where}, {rendered(new)})")
    return lines


def _swapped(names: tuple[str, ...], old: str, new: str) -> list[str]:
    return [new if name == old else name for name in names]


def _unique(found: catalog.Constraint, old: str, new: str) -> str:
    said = [f"[{', '.join(map(rendered, _swapped(found.columns, old, new)))}]"]
    if found.included:
        said.append(f"include=[{', '.join(map(rendered, _swapped(found.included, old, new)))}]")
    if found.definition.startswith("UNIQUE NULLS NOT DISTINCT"):
        said.append("nulls_not_distinct=True")
    if found.deferrable:
        said.append("deferrable=True" + (', initially="DEFERRED"' if found.deferred else ""))
    return ", ".join(said)


def _foreign_key(found: catalog.Constraint, old: str, new: str) -> str:
    keys = ", ".join(map(quote, _swapped(found.columns, old, new)))
    plain = re.escape(old) if quote(old) == old else re.escape(quote(old))
    # ON DELETE SET NULL may name columns of this side again
    tail = re.sub(rf"(SET (?:NULL|DEFAULT) \([^)]*?)(?<=[( ]){plain}(?=[,)])", lambda m: m[1] + quote(new), found.tail)
    return f"FOREIGN KEY ({keys}) {tail.removesuffix(' NOT VALID')}"


def _renamed(connection: Connection, table: Table, old: str, new: str) -> dict[str, str]:
    """What PostgreSQL itself writes for each index and check once the column is renamed, tried on a temporary copy."""
    source = f"{quote(table.schema)}.{quote(table.name)}"
    probe = "pg_temp.expandcontract_copy"
    parts = "INCLUDING INDEXES INCLUDING CONSTRAINTS INCLUDING GENERATED"
    like = f"CREATE TEMP TABLE expandcontract_copy (LIKE {source} {parts})"
    connection.exec_driver_sql(like.replace("%", "%%"))
    copied: dict[str, int] = {}
    query = text(
        "SELECT indexrelid, pg_get_indexdef(indexrelid) FROM pg_index"
        " WHERE indrelid = cast(:table AS regclass) ORDER BY 1"
    )
    before = [(oid, _tail(definition)) for oid, definition in connection.execute(query, {"table": probe})]
    originals = connection.execute(
        text(
            "SELECT i.relname, pg_get_indexdef(x.indexrelid)"
            " FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid"
            " WHERE x.indrelid = cast(:table AS regclass) ORDER BY x.indexrelid"
        ),
        {"table": source},
    ).all()
    for name, definition in originals:
        oid = next(found for found, tail in before if tail == _tail(definition) and found not in copied.values())
        copied[name] = oid
    rename = f"ALTER TABLE {probe} RENAME COLUMN {quote(old)} TO {quote(new)}"
    connection.exec_driver_sql(rename.replace("%", "%%"))
    after = {oid: _tail(definition) for oid, definition in connection.execute(query, {"table": probe})}
    tails = {name: after[oid] for name, oid in copied.items()}
    checks = text(
        "SELECT conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint"
        " WHERE conrelid = cast(:t AS regclass) AND contype = 'c'"
    )
    tails.update({row.conname: row.definition for row in connection.execute(checks, {"t": probe})})
    return tails


def _tail(definition: str) -> str:
    return definition.split(" USING ", 1)[1]


def _fresh(name: str, old: str, new: str) -> str:
    fresh = name.replace(old, new) if old in name else f"{name}_{new}"
    if len(fresh.encode()) > LONGEST:
        msg = f"the name {fresh!r} would be longer than PostgreSQL's {LONGEST} bytes"
        raise MappingError(msg, hint="rename the index first")
    return fresh
