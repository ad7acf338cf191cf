"""What the catalogue has against a move: one query a check, each refuses or warns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from expandcontract.core.facts import Finding, Severity
from expandcontract.pg.queries import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from expandcontract.core.mapping import Table

QUERIES = load("expandcontract.pg", "preflight.sql")


def preflight(connection: Connection, tables: Sequence[Table]) -> tuple[Finding, ...]:
    """Every finding of every check; a check that has nothing to say gives no row.

    Args:
        connection: To the target database.
        tables: The tables that the change touches; checks named ``table_…`` are asked of each.
    """
    found: list[Finding] = []
    for name, query in QUERIES.items():
        places = [{"schema": t.schema, "table": t.name} for t in tables] if name.startswith("table_") else [{}]
        for values in places:
            found.extend(
                Finding(what=row["what"], severity=Severity(row["severity"]), fix=row["fix"])
                for row in connection.execute(text(query), values).mappings()
            )
    return tuple(found)
