"""What is tied to a column by its number, and so stays with it when the column's name goes to another one.

Also how near to its end a column's own numbering is. Takes no lock beyond ACCESS SHARE.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text

from expandcontract.core.facts import Finding, Severity
from expandcontract.pg import catalog
from expandcontract.pg.queries import load

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from expandcontract.core.mapping import Table

QUERIES = load("expandcontract.pg", "bound.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Headroom:
    """How far a column's own numbering is from what its type can hold."""

    sequence: str
    last_value: int
    limit: int

    def __str__(self) -> str:
        used = 100 * self.last_value / self.limit
        left = self.limit - self.last_value
        return f"{self.sequence} has given out {self.last_value} of {self.limit} ({used:.1f} %); {left} are left"


def bound(connection: Connection, table: Table, column: str) -> tuple[str, ...]:
    """Views, policies, triggers, publications, generated columns, relatives and identity that would miss a swap."""
    values = {"oid": catalog.table_oid(connection, table), "column": column}
    return tuple(connection.execute(text(QUERIES["bound"]), values).scalars())


def headroom(connection: Connection, table: Table, column: str) -> Headroom | None:
    """How many values the column's sequence or identity has left; ``None`` where it has none that counts up."""
    values = {"oid": catalog.table_oid(connection, table), "column": column}
    row = connection.execute(text(QUERIES["headroom"]), values).mappings().one_or_none()
    return None if row is None else Headroom(**{**row, "last_value": row["last_value"] or 0})


def sessions(connection: Connection, columns: str) -> tuple[Finding, ...]:
    """The sessions that may have prepared a statement whose result changes its type as columns trade names.

    PostgreSQL shows a session's prepared statements to nobody else, so each that is connected is named.
    https://www.postgresql.org/docs/current/view-pg-prepared-statements.html
    """
    found = tuple(connection.execute(text(QUERIES["sessions"])).scalars())
    if not found:
        return ()
    what = f"connected: {'; '.join(found)}; one that has prepared a statement returning {columns} gets 0A000 from it"
    return (
        Finding(
            what=f"{what} after the swap, until it prepares anew",
            severity=Severity.WARN,
            fix="let the pools renew their connections after the swap, or prepare nothing meanwhile",
        ),
    )


def typed(connection: Connection, table: Table, column: str) -> bool | None:
    """Whether the column's own sequence is of its type; ``None`` where it has none."""
    values = {"oid": catalog.table_oid(connection, table), "column": column}
    found: bool | None = connection.execute(text(QUERIES["serial"]), values).scalar_one_or_none()
    return found
