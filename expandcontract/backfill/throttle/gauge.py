"""The one interface of everything that is watched: look once, say what was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from psycopg.rows import dict_row

from expandcontract.core.throttle import Reading, Signal, Unknown
from expandcontract.pg.queries import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import psycopg

    from expandcontract.backfill.throttle.limits import Limits

QUERIES = load("expandcontract.backfill.throttle", "throttle.sql")
MONITOR = "pg_monitor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a look is about.

    Attributes:
        connection: In autocommit mode, its statements bounded in time.
        application: ``application_name`` of every session of this backfill, in all processes.
        relations: Object identifiers of the relations that are filled.
        limits: What is allowed.
    """

    connection: psycopg.Connection
    application: str
    relations: Sequence[int]
    limits: Limits

    def ask(self, query: str, **values: object) -> list[dict[str, Any]]:
        """The rows of a named query."""
        given = {"application": self.application, "relations": list(self.relations), **values}
        with self.connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(QUERIES[query], given).fetchall()

    def reading(self, signal: Signal, value: float, detail: str = "") -> Reading:
        """What was measured, beside its limit."""
        return Reading(signal=signal, value=float(value), limit=self.limits.of[signal], detail=detail)

    def hidden(self, signal: Signal, what: str, grant: str = f"GRANT {MONITOR} TO {{role}}") -> Unknown:
        """A signal that our role may not read."""
        role = self.connection.info.user
        return Unknown(signal=signal, why=f"role {role} may not see {what}", grant=grant.format(role=role))


class Gauge(Protocol):
    """Reads one or a few signals that belong together; may remember what it saw before."""

    @property
    def signals(self) -> Sequence[Signal]:
        """Which signals it reads."""
        ...

    def read(self, scope: Scope) -> Iterable[Reading | Unknown]:
        """Look once. Takes no lock that anybody could wait for.

        Returns:
            A reading, or that it is unknown, of each of its signals that has a limit.

        Raises:
            psycopg.Error: A query failed or took too long; the caller tells.
        """
        ...
