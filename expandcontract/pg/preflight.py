"""What the catalogue has against a move: one query a check, each refuses or warns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from expandcontract.core.facts import Finding, Severity
from expandcontract.pg.queries import load

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from expandcontract.core.mapping import Table

QUERIES = load("expandcontract.pg", "preflight.sql")


def preflight(connection: Connection, table: Table | None) -> tuple[Finding, ...]:
    """Every finding of every check; a check that has nothing to say gives no row.

    Args:
        connection: To the target database.
        table: The table that the change maps; ``None`` for checks of the whole database only.
    """
    found: list[Finding] = []
    for name, query in QUERIES.items():
        if table is None and name.startswith("table_"):
            continue
        values = {"schema": table.schema, "table": table.name} if table and name.startswith("table_") else {}
        found.extend(
            Finding(what=row["what"], severity=Severity(row["severity"]), fix=row["fix"])
            for row in connection.execute(text(query), values).mappings()
        )
    return tuple(found)
