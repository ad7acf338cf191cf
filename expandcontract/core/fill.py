"""Values for rows that lack them: from the row itself, from other tables, or from a function of the project."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from expandcontract.core.mapping import Table
from expandcontract.errors import MappingError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping as MappingABC

FUNCTION = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")
NOTHING: MappingABC[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, init=False)
class Fill:
    """Values for rows that lack them: a new column's, or a repair of rows that break a coming rule.

    Args:
        table: ``table`` or ``schema.table``.
        values: Column name to an SQL expression over the same row, and over the joined ones; may be volatile.
        where: Which rows lack them, by columns of ``table``; default: all these columns are NULL. A row that was
            filled no longer matches.
        join: Other tables that the expressions read, by the name that they have there.
        on: Which of their rows belong to a row of ``table``: at most one for each.
        function: ``package.module:function`` instead of expressions. It gets a list of rows, each a dictionary with
            the primary key and ``reads``, and gives a list as long, each a dictionary with ``writes``, or ``None``
            where the row stays as it is.
        reads: What the function gets. Nothing is written to a row of which one of these has changed since.
        writes: What it gives.

    Raises:
        MappingError: There is no value, an expression is blank, or the parts do not go together.
    """

    table: Table
    values: MappingABC[str, str]
    where: str | None = field(default=None)
    join: MappingABC[str, Table] = field(default_factory=dict)
    on: str | None = field(default=None)
    function: str | None = field(default=None)
    reads: tuple[str, ...] = field(default=())
    writes: tuple[str, ...] = field(default=())

    def __init__(  # the three kinds of source, each with its own
        self,
        table: str | Table,
        values: MappingABC[str, str] = NOTHING,
        *,
        where: str | None = None,
        join: MappingABC[str, str | Table] = NOTHING,
        on: str | None = None,
        function: str | None = None,
        reads: Iterable[str] = (),
        writes: Iterable[str] = (),
    ) -> None:
        joined = {name: other if isinstance(other, Table) else Table.parse(other) for name, other in join.items()}
        object.__setattr__(self, "table", table if isinstance(table, Table) else Table.parse(table))
        object.__setattr__(self, "values", MappingProxyType(dict(values)))
        object.__setattr__(self, "where", where)
        object.__setattr__(self, "join", MappingProxyType(joined))
        object.__setattr__(self, "on", on)
        object.__setattr__(self, "function", function)
        object.__setattr__(self, "reads", tuple(reads))
        object.__setattr__(self, "writes", tuple(writes))
        wrong = self._unnamed() if function is None else self._uncallable()
        if wrong:
            msg = f"a fill of {self.table} {wrong}"
            raise MappingError(msg)

    def _unnamed(self) -> str:
        if self.reads or self.writes:
            return "says what a function reads and writes, and names no function"
        if not self.values or not all(sql.strip() for sql in self.values.values()):
            return "needs an expression for each of its columns"
        if bool(self.join) != bool((self.on or "").strip()):
            return "needs both the tables of its join and on=…, which says what rows belong together"
        if self.table.name in self.join:
            return f"joins something as {self.table.name}, which is what its own row is called"
        return ""

    def _uncallable(self) -> str:
        if not FUNCTION.fullmatch(self.function or ""):
            return f"names its function {self.function!r}; write package.module:function"
        if self.values or self.join or self.on:
            return "has a function, and with it neither expressions nor a join"
        if not self.reads or not self.writes:
            return "has a function, and does not say what that reads and writes"
        twice = [name for side in (self.reads, self.writes) for name in side if side.count(name) > 1]
        return f"names {twice[0]} twice" if twice else ""

    @property
    def columns(self) -> tuple[str, ...]:
        """What is filled, in the order declared."""
        return self.writes or tuple(self.values)

    @property
    def by_row(self) -> bool:
        """Whether the row itself gives its values, so that one UPDATE can."""
        return self.function is None and not self.join

    def document(self) -> dict[str, object]:
        """As a JSON-ready mapping."""
        found: dict[str, object] = {
            "schema": self.table.schema,
            "table": self.table.name,
            "values": [{"column": name, "sql": sql} for name, sql in self.values.items()],
            "where": self.where,
        }
        if self.join:
            tables = [{"name": name, "schema": t.schema, "table": t.name} for name, t in self.join.items()]
            return {**found, "join": tables, "on": self.on}
        if self.function:
            return {**found, "function": self.function, "reads": list(self.reads), "writes": list(self.writes)}
        return found

    @classmethod
    def from_document(cls, document: MappingABC[str, Any]) -> Fill:
        """The inverse of :meth:`document`."""
        values = {item["column"]: item["sql"] for item in document["values"]}
        joined = {item["name"]: Table(schema=item["schema"], name=item["table"]) for item in document.get("join", ())}
        return cls(
            Table(schema=str(document["schema"]), name=str(document["table"])),
            values,
            where=document["where"],
            join=joined,
            on=document.get("on"),
            function=document.get("function"),
            reads=document.get("reads", ()),
            writes=document.get("writes", ()),
        )
