"""Whether a table, a column or a name is free to be changed: what every recipe asks before it drafts anything."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlalchemy import text

from expandcontract.core.shape import Shape
from expandcontract.errors import MappingError
from expandcontract.ledger import VERSION, installed_version
from expandcontract.pg import catalog, relation
from expandcontract.revisions.render import quote, rendered

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from expandcontract.core.mapping import Table
    from expandcontract.pg.relation import Traits

LONGEST = 63  # bytes of a name
SYSTEM = {"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"}


def place(table: Table) -> str:
    """The table's qualified name, as SQL writes it."""
    return f"{quote(table.schema)}.{quote(table.name)}"


def schema_argument(table: Table) -> str:
    """``, schema="…"`` for Alembic's operations; empty for ``public``."""
    return "" if table.schema == "public" else f", schema={rendered(table.schema)}"


def drop_index(name: str, table: Table) -> str:
    """The line that drops what a seal built; nothing is there any more where ec dropped it before, online."""
    where = f"table_name={rendered(table.name)}{schema_argument(table)}"
    return f"op.drop_index({rendered(name)}, {where}, if_exists=True)"


def named(*words: str) -> str:
    """A change's default name from what it changes, in snake_case and short enough."""
    joined = re.sub(r"[^a-z0-9_]", "_", "_".join(words).lower()).strip("_")
    return (joined if joined[:1].isalpha() else f"c_{joined}")[:50].rstrip("_")


def whole(connection: Connection, table: Table) -> Traits:
    """The table's traits, where a change may begin at it.

    Raises:
        MappingError: It is a partition or a child, or its columns are those of a type.
        UnknownNameError: There is no such table.
    """
    found = relation.traits(connection, table)
    if found.parent is not None:
        sort = "a partition" if found.partition else "a child"
        msg = f"{table} is {sort} of {found.parent}; what changes there alone would differ from its parent"
        raise MappingError(msg, hint=f"change {found.parent}: it leads to every {sort.removeprefix('a ')}")
    if found.typed:
        msg = f"{table} is a table of a composite type, and its columns are the type's"
        raise MappingError(msg, hint="change the type with ec new sql")
    return found


def fillable(traits: Traits, table: Table) -> None:
    """Make sure that a fill reaches every row of the table.

    Raises:
        MappingError: Other tables inherit from it; their rows are theirs, and are filled with them.
    """
    if traits.inherited:
        msg = f"other tables inherit from {table}, and a fill would leave out their rows"
        raise MappingError(msg, hint="give a default that is the same for every row, or fill with ec new sql")


def free_name(connection: Connection, table: Table, name: str) -> None:
    """Make sure that a column of that name can be added.

    Raises:
        MappingError: The name is too long, PostgreSQL's own, or taken here or in a partition or child.
    """
    check_length(name)
    if name in SYSTEM:
        msg = f"{name!r} is the name of a system column"
        raise MappingError(msg, hint="choose another name")
    taken = [str(table)] if any(found.name == name for found in catalog.columns(connection, table)) else []
    taken += [found.name for found in relation.descendants(connection, table, name) if found.has_column]
    if taken:
        msg = f"{taken[0]} has a column {name!r} already"
        raise MappingError(msg, hint="choose another name")


def check_length(name: str) -> None:
    """Make sure that PostgreSQL would not cut the name.

    Raises:
        MappingError: It is empty or longer than 63 bytes.
    """
    if not name or len(name.encode()) > LONGEST:
        msg = f"{name!r} is longer than PostgreSQL's {LONGEST} bytes" if name else "a name is empty"
        raise MappingError(msg, hint="choose another name")


def unheld(connection: Connection, table: Table, columns: tuple[str, ...]) -> None:
    """Make sure that no open change holds one of the columns: its triggers are made from them as they are.

    Raises:
        MappingError: One does.
    """
    if installed_version(connection) != VERSION:
        return
    query = text("SELECT name, shape FROM expandcontract.change WHERE attached AND shape IS NOT NULL ORDER BY name")
    for name, shape in connection.execute(query):
        for hold in Shape.from_document(shape).holds:
            if hold.table == table and (shared := sorted(set(hold.columns) & set(columns))):
                msg = f"the open change {name} holds {', '.join(shared)} of {table}"
                raise MappingError(msg, hint=f"finish it first: ec status {name}")
