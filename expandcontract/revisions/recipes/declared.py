"""New columns as they are declared on the command line: ``name``, then a type and NOT NULL where they are wanted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from expandcontract.errors import UsageError
from expandcontract.pg import catalog, retype
from expandcontract.pg.expression import yields
from expandcontract.revisions.recipes import belongings

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from expandcontract.core.mapping import Table
    from expandcontract.pg.catalog import Column

DECLARED = re.compile(r'("(?:[^"]|"")+"|[^\s"=]+)(?:\s+(.*?))??(\s+not\s+null)?\s*', re.IGNORECASE | re.DOTALL)
FORM = 'write name=expression, or name type not null=expression; "quoted" where the name has blanks'


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What was said of a new column; no type where it is what its expression yields."""

    name: str
    type: str | None
    not_null: bool


def declared(said: str) -> Declared:
    """Read ``name``, ``name type`` or ``name type not null``.

    Raises:
        UsageError: It is none of these.
    """
    found = DECLARED.fullmatch(said.strip())
    if found is None:
        msg = f"{said!r} declares no column"
        raise UsageError(msg, hint=FORM)
    return Declared(name=unquoted(found[1]), type=found[2] or None, not_null=found[3] is not None)


def assigned(said: str) -> tuple[str, str]:
    """Read ``left=expression``; the first ``=`` outside a quoted name counts.

    Raises:
        UsageError: One of the two is missing.
    """
    found = re.fullmatch(r'((?:"(?:[^"]|"")*"|[^"=])+)=(.*\S.*)', said, re.DOTALL)
    if found is None:
        msg = f"{said!r} is no name=expression"
        raise UsageError(msg, hint=FORM)
    return found[1].strip(), found[2].strip()


def unquoted(name: str) -> str:
    """The name that an identifier as in SQL stands for; an unquoted one is taken as it is."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def column(
    connection: Connection,
    table: Table,
    said: Declared,
    expression: str,
    old: dict[str, Column],
    *,
    of: Table | None = None,
) -> Column:
    """The new column; its type is the one given, or what its expression yields over the old columns.

    Args:
        connection: Left as it was.
        table: Where the new column goes.
        said: What was declared of it.
        expression: Its value.
        old: The columns that the expression may read.
        of: The old columns' table, where it is another one.

    Raises:
        MappingError: The name is taken, the type is none, or the expression does not parse.
    """
    kind = (
        retype.spelled(connection, said.type).name
        if said.type
        else yields(connection, of or table, {one.name: one.type for one in old.values()}, said.name, expression)
    )
    return catalog.Column(
        name=belongings.free(connection, table, said.name),
        type=kind,
        not_null=said.not_null,
        default=None,
        comment=None,
        generated=False,
        identity=False,
        collation=None,
    )
