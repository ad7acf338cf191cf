"""``add-check``: rows that break a rule are mended, and it holds once no release is left that breaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.mapping import Table
from expandcontract.errors import MappingError, UsageError
from expandcontract.pg import catalog, clause
from expandcontract.revisions.operations import SealConstraint
from expandcontract.revisions.recipes import rule
from expandcontract.revisions.recipes.wording import change_name, execute, qualified
from expandcontract.revisions.render import quote, rendered

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from expandcontract.revisions.render import Draft


def draft(
    connection: Connection, table: str, constraint: str, sql: str, *, fill: str | None = None, name: str | None = None
) -> Draft:
    """The pair that adds a CHECK.

    Args:
        connection: To a database that has the table.
        table: ``table`` or ``schema.table``.
        constraint: The constraint's name.
        sql: The rule, an immutable expression over one row.
        fill: ``COLUMN=SQL``: what a column is set to in rows that break the rule.
        name: The change's name; default ``table_constraint``.

    Raises:
        UnknownNameError: There is no such table or column.
        MappingError: The rule or the fill cannot be used.
    """
    place = Table.parse(table)
    columns = clause.rule(connection, place, sql)
    rule.free_name(connection, place, constraint)
    mends = None
    if fill is not None:
        column, mark, expression = fill.partition("=")
        if not mark:
            msg = f"--fill {fill!r} sets nothing"
            raise UsageError(msg, hint="--fill COLUMN=SQL")
        found = catalog.column(connection, place, column.strip())
        if found.name not in columns:
            msg = f"the rule is about {', '.join(columns)}, and a value of {found.name} mends no row"
            raise MappingError(msg, hint="--fill COLUMN=SQL with one of these")
        broken = f"NOT ({sql})"
        mends = rule.mending(connection, place, found, expression.strip(), where=broken, broken=broken)
    drop = f"ALTER TABLE {qualified(place)} DROP CONSTRAINT {quote(constraint)}"
    coming = rule.Rule(
        table=place,
        columns=columns,
        item=SealConstraint(constraint, place, f"CHECK ({sql})"),
        source=f"op.seal_check({rendered(constraint)}, {rendered(place.spelled)}, {rendered(sql)})",
        undo=execute(drop),
        words=f"check {constraint} of {place}",
    )
    return rule.draft(connection, coming, change_name(place.name, constraint, name=name), fill=mends)
