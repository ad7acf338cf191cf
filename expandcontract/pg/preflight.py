"""What the catalogue has against a move: one query a check, each refuses or warns. Takes at most ACCESS SHARE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from expandcontract.core.facts import Finding, Severity
from expandcontract.pg.queries import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Connection

    from expandcontract.core.mapping import Table

QUERIES = load("expandcontract.pg", "preflight.sql")
STATEMENTS = """SELECT format('%I.pg_stat_statements', n.nspname) FROM pg_extension AS e
    JOIN pg_namespace AS n ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements'
    AND EXISTS (SELECT FROM pg_settings WHERE name = 'pg_stat_statements.max')"""


OF_TRIGGERS = frozenset({"table_later_trigger"})
"""Checks that are about the change's own triggers."""


def preflight(
    connection: Connection, tables: Sequence[Table], *, triggers: bool = True, keyed: Iterable[str] = ()
) -> tuple[Finding, ...]:
    """Every finding of every check; a check that has nothing to say gives no row.

    Args:
        connection: To the target database.
        tables: The tables that the change touches; checks named ``table_…`` and ``statements_…`` are asked of each.
        triggers: Whether the change has triggers of its own on them.
        keyed: The relations, by ``schema.table``, of which a setting says by which key they are gone through.
    """
    return tuple(
        Finding(what=row["what"], severity=Severity(row["severity"]), fix=row["fix"])
        for query, values in _asked(connection, tables, frozenset() if triggers else OF_TRIGGERS, list(keyed))
        for row in connection.execute(text(query), values).mappings()
    )


def _asked(
    connection: Connection, tables: Sequence[Table], without: frozenset[str], keyed: list[str]
) -> Iterator[tuple[str, dict[str, object]]]:
    places: list[dict[str, object]] = [
        {"schema": table.schema, "table": table.name, "keyed": keyed} for table in tables
    ]
    statements = connection.execute(text(STATEMENTS)).scalar_one_or_none()
    for name, query in QUERIES.items():
        if name in without:
            continue
        topic = name.partition("_")[0]
        if topic == "server":
            yield query, {}
        elif topic == "table":
            yield from ((query, place) for place in places)
        elif statements is not None:
            found = query.replace("{statements}", statements)
            yield from ((found, {"table": place["table"]}) for place in places)
