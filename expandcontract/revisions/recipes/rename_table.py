"""``rename-table``: the table gets its new name, and a view that can be written through keeps the old one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from expandcontract.core.change import Change
from expandcontract.core.mapping import Table
from expandcontract.core.naming import fits
from expandcontract.core.shape import Hold
from expandcontract.errors import MappingError
from expandcontract.pg import catalog, leaving
from expandcontract.revisions.recipes.wording import change_name, execute, in_schema, qualified
from expandcontract.revisions.render import Draft, Half, quote, rendered

if TYPE_CHECKING:
    from sqlalchemy import Connection

INVOKER = 150000  # the first release in which a view asks for the rights of who uses it
THROUGH = (
    "through which SELECT, INSERT, UPDATE, DELETE and ON CONFLICT work, and which the old release must not TRUNCATE,"
    " COPY from or to, ask for ctid or pg_get_serial_sequence, nor give indexes, triggers or foreign keys"
)
TAKEN = """SELECT EXISTS (SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = :schema AND c.relname = :name)
    OR EXISTS (SELECT FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace
        WHERE n.nspname = :schema AND t.typname = :name)"""


def draft(connection: Connection, old: str, new: str, *, name: str | None = None) -> Draft:
    """The pair that renames a table.

    Args:
        connection: To a database that has it.
        old: ``table`` or ``schema.table``.
        new: Its new name, in the same schema.
        name: The change's name; default ``old_to_new``.

    Raises:
        UnknownNameError: There is no such table.
        MappingError: The new name is taken, or a view cannot stand in for the table.
    """
    before = Table.parse(old)
    columns = tuple(column.name for column in catalog.columns(connection, before))
    found = leaving.facts(connection, before)
    after = _renamed(connection, before, new)
    version = int(connection.exec_driver_sql("SHOW server_version_num").scalar_one())
    if version < INVOKER and found.row_security:
        msg = f"{before} has row level security, which a view of before PostgreSQL 15 would ask of its owner"
        raise MappingError(msg, hint="rename it in a maintenance window, or upgrade the server first")
    if not columns:
        msg = f"{before} has no column that a view could show"
        raise MappingError(msg, hint="rename it in a revision of its own")
    view = _view(connection, before, after, columns, found, invoker=version >= INVOKER)
    drop = execute(f"DROP VIEW {qualified(before)}")
    schema = in_schema(before)
    return Draft(
        change=Change(
            change_name(before.name, "to", after.name, name=name),
            removes=Hold(before, columns),
            keeps=Hold(after, columns),
        ),
        expand=Half(
            summary=f"rename {before} to {after.name} (expand)",
            upgrade=[
                f"op.rename_table({rendered(before.name)}, {rendered(after.name)}{schema})",
                *view,
                "op.begin_change(change)  # holds table and view",
            ],
            downgrade=[
                "op.end_change(change)",
                drop,
                f"op.rename_table({rendered(after.name)}, {rendered(before.name)}{schema})",
            ],
        ),
        contract=Half(
            summary=f"rename {before} to {after.name} (contract)",
            upgrade=[
                "op.assert_contract(change)  # refused until the rollback window has expired",
                "op.end_change(change)  # lets the view go",
                drop,
            ],
            downgrade=view,
        ),
        notes=_notes(connection, before, found),
    )


def _renamed(connection: Connection, before: Table, new: str) -> Table:
    after = Table(schema=before.schema, name=new.removeprefix(f"{before.schema}."))
    if not fits(after.name):
        msg = f"{after.name!r} is longer than the 63 bytes that PostgreSQL keeps of a name"
        raise MappingError(msg)
    if connection.execute(text(TAKEN), {"schema": after.schema, "name": after.name}).scalar_one():
        msg = f"there is a relation or type {after} already"
        raise MappingError(msg, hint="choose another name")
    return after


def _view(  # what a view is made of
    connection: Connection,
    before: Table,
    after: Table,
    columns: tuple[str, ...],
    found: leaving.TableFacts,
    *,
    invoker: bool,
) -> list[str]:
    options = " WITH (security_invoker = true)" if invoker else ""
    listed = ", ".join(map(quote, columns))
    lines = [execute(f"CREATE VIEW {qualified(before)}{options} AS SELECT {listed} FROM {qualified(after)}")]
    if not found.owned:
        lines.append(execute(f"ALTER VIEW {qualified(before)} OWNER TO {quote(found.owner)}"))
    for grant in leaving.grants(connection, before):
        column = f" ({quote(grant.column_name)})" if grant.column_name is not None else ""
        option = " WITH GRANT OPTION" if grant.grantable else ""
        lines.append(execute(f"GRANT {grant.privilege}{column} ON {qualified(before)} TO {grant.grantee}{option}"))
    return lines


def _notes(connection: Connection, table: Table, found: leaving.TableFacts) -> tuple[str, ...]:
    notes = [
        f"until the contract {table} is a view, {THROUGH}",
        "indexes, constraints and sequences keep their names: name them so in the models",
    ]
    if found.triggers:
        notes.append(f"triggers that look at TG_TABLE_NAME see the new name: {', '.join(found.triggers)}")
    notes += [
        f"publication {name} sends it under its new name from the expand on: make the table there first"
        for name in leaving.published(connection, table)
    ]
    notes += [
        f"the contract is refused until this uses the new name: {what}"
        for what in catalog.dependents(connection, table, [])
        if "whose body mentions it" in what
    ]
    return tuple(notes)
