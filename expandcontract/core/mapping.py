"""How one row's old columns give its new ones, and back."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from expandcontract.errors import MappingError

if TYPE_CHECKING:
    from collections.abc import Mapping as MappingABC


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table's schema and name, unquoted, as the catalogue has them."""

    schema: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Table:
        """Read ``table`` or ``schema.table``; the schema defaults to ``public``.

        A name that itself holds a dot is written in double quotes, as in SQL.

        Raises:
            MappingError: ``text`` is not one or two names.
        """
        parts = re.findall(r'"(?:[^"]|"")+"|[^".]+', text)
        if ".".join(parts) != text or len(parts) not in {1, 2}:
            msg = f"{text!r} is not a table: write table or schema.table"
            raise MappingError(msg)
        names = [part[1:-1].replace('""', '"') if part.startswith('"') else part for part in parts]
        return cls(schema=names[0] if len(names) > 1 else "public", name=names[-1])

    @property
    def spelled(self) -> str:
        """As :meth:`parse` reads it: quoted where a name holds a dot or a quote."""
        names = [self.name] if self.schema == "public" else [self.schema, self.name]
        return ".".join('"' + n.replace('"', '""') + '"' if {".", '"'} & set(n) else n for n in names)

    def __str__(self) -> str:
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True, init=False)
class Mapping:
    """The one declaration that triggers, backfill, parity and hold come from.

    Args:
        table: ``table`` or ``schema.table``.
        forward: New column name to an SQL expression over the old columns of the same row.
        reverse: Old column name to an SQL expression over the new columns of the same row.
        lossy: Whether ``reverse(forward(x))`` may differ from ``x``; then going back says what is lost.

    Raises:
        MappingError: A side is empty, an expression is blank, or a column stands on both sides.
    """

    table: Table
    forward: MappingABC[str, str]
    reverse: MappingABC[str, str]
    lossy: bool = field(default=False)

    def __init__(
        self,
        table: str | Table,
        *,
        forward: MappingABC[str, str],
        reverse: MappingABC[str, str],
        lossy: bool = False,
    ) -> None:
        object.__setattr__(self, "table", table if isinstance(table, Table) else Table.parse(table))
        object.__setattr__(self, "forward", MappingProxyType(dict(forward)))
        object.__setattr__(self, "reverse", MappingProxyType(dict(reverse)))
        object.__setattr__(self, "lossy", lossy)
        self._check()

    def _check(self) -> None:
        if not self.forward or not self.reverse:
            msg = f"a mapping of {self.table} needs both a forward and a reverse expression"
            raise MappingError(msg)
        both = sorted(set(self.forward) & set(self.reverse))
        if both:
            msg = f"a mapping of {self.table} has {', '.join(both)} on both sides; a column is either old or new"
            raise MappingError(msg)
        blank = [name for side in (self.forward, self.reverse) for name, sql in side.items() if not sql.strip()]
        if blank:
            msg = f"a mapping of {self.table} has no expression for {', '.join(blank)}"
            raise MappingError(msg)

    @property
    def old(self) -> tuple[str, ...]:
        """The columns of the old shape, in the order declared."""
        return tuple(self.reverse)

    @property
    def new(self) -> tuple[str, ...]:
        """The columns of the new shape, in the order declared."""
        return tuple(self.forward)

    @property
    def columns(self) -> frozenset[str]:
        """Every column that the mapping governs."""
        return frozenset(self.old) | frozenset(self.new)

    def overlap(self, other: Mapping) -> frozenset[str]:
        """The columns that both mappings govern; empty where the tables differ."""
        return self.columns & other.columns if self.table == other.table else frozenset()

    def document(self) -> dict[str, object]:
        """As a JSON-ready mapping; the ledger's server-side functions read this form."""
        return {
            "schema": self.table.schema,
            "table": self.table.name,
            "forward": [{"column": name, "sql": sql} for name, sql in self.forward.items()],
            "reverse": [{"column": name, "sql": sql} for name, sql in self.reverse.items()],
            "lossy": self.lossy,
        }

    @classmethod
    def from_document(cls, document: MappingABC[str, object]) -> Mapping:
        """The inverse of :meth:`document`.

        Raises:
            MappingError: The document lacks a key or a value has the wrong shape.
        """
        try:
            sides = [
                {str(item["column"]): str(item["sql"]) for item in document[side]}  # type: ignore[attr-defined]
                for side in ("forward", "reverse")
            ]
            table = Table(schema=str(document["schema"]), name=str(document["table"]))
        except (KeyError, TypeError) as exc:
            msg = f"not a mapping: {document!r}"
            raise MappingError(msg) from exc
        return cls(table, forward=sides[0], reverse=sides[1], lossy=bool(document.get("lossy", False)))
