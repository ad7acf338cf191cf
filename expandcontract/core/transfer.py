"""Columns that move to another table: the declaration over two rows, found by each other's key."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from expandcontract.core.mapping import Table
from expandcontract.errors import MappingError

if TYPE_CHECKING:
    from collections.abc import Mapping as MappingABC


@dataclass(frozen=True, slots=True, init=False)
class Transfer:
    """The one declaration that triggers, backfill, parity and hold come from, where columns move to another table.

    Args:
        source: Where the old columns are, ``table`` or ``schema.table``.
        table: Where the new ones are; a row of it belongs to at most one of the source, and the other way round.
        key: Column of ``table`` to the column of ``source`` that it equals.
        forward: New column name to an SQL expression over the old columns of the source's row.
        reverse: Old column name to an SQL expression over the new columns of the target's row.
        lossy: Whether ``reverse(forward(x))`` may differ from ``x``; then going back says what is lost.
        create_missing: Whether the backfill inserts a target row where there is a value and none to hold it.

    Raises:
        MappingError: A side or the key is empty, an expression is blank, a key column moves, or both tables are one.
    """

    source: Table
    table: Table
    key: MappingABC[str, str]
    forward: MappingABC[str, str]
    reverse: MappingABC[str, str]
    lossy: bool = field(default=False)
    create_missing: bool = field(default=False)

    def __init__(
        self,
        source: str | Table,
        table: str | Table,
        *,
        key: MappingABC[str, str],
        forward: MappingABC[str, str],
        reverse: MappingABC[str, str],
        lossy: bool = False,
        create_missing: bool = False,
    ) -> None:
        object.__setattr__(self, "source", source if isinstance(source, Table) else Table.parse(source))
        object.__setattr__(self, "table", table if isinstance(table, Table) else Table.parse(table))
        object.__setattr__(self, "key", MappingProxyType(dict(key)))
        object.__setattr__(self, "forward", MappingProxyType(dict(forward)))
        object.__setattr__(self, "reverse", MappingProxyType(dict(reverse)))
        object.__setattr__(self, "lossy", lossy)
        object.__setattr__(self, "create_missing", create_missing)
        wrong = self._wrong()
        if wrong:
            msg = f"a transfer from {self.source} to {self.table} {wrong}"
            raise MappingError(msg)

    def _wrong(self) -> str:
        if self.source == self.table:
            return "needs two tables; within one table it is a mapping"
        if not self.forward or not self.reverse:
            return "needs both a forward and a reverse expression"
        if not self.key:
            return "needs a key, which says what row belongs to what row"
        blank = [name for side in (self.forward, self.reverse) for name, sql in side.items() if not sql.strip()]
        if blank:
            return f"has no expression for {', '.join(blank)}"
        moved = sorted({*self.key} & {*self.forward} | {*self.key.values()} & {*self.reverse})
        return f"moves {', '.join(moved)}, which is in the key" if moved else ""

    @property
    def old(self) -> tuple[str, ...]:
        """The columns of the old shape, which the source has, in the order declared."""
        return tuple(self.reverse)

    @property
    def new(self) -> tuple[str, ...]:
        """The columns of the new shape, which the target has, in the order declared."""
        return tuple(self.forward)

    def document(self) -> dict[str, object]:
        """As a JSON-ready mapping; the ledger's server-side functions read this form."""
        return {
            "source": {"schema": self.source.schema, "table": self.source.name},
            "target": {"schema": self.table.schema, "table": self.table.name},
            "key": [{"target": target, "source": source} for target, source in self.key.items()],
            "forward": [{"column": name, "sql": sql} for name, sql in self.forward.items()],
            "reverse": [{"column": name, "sql": sql} for name, sql in self.reverse.items()],
            "lossy": self.lossy,
            "create_missing": self.create_missing,
        }

    @classmethod
    def from_document(cls, document: MappingABC[str, Any]) -> Transfer:
        """The inverse of :meth:`document`."""
        source, target = (
            Table(schema=place["schema"], name=place["table"]) for place in (document["source"], document["target"])
        )
        forward, reverse = ({item["column"]: item["sql"] for item in document[side]} for side in ("forward", "reverse"))
        return cls(
            source,
            target,
            key={item["target"]: item["source"] for item in document["key"]},
            forward=forward,
            reverse=reverse,
            lossy=document["lossy"],
            create_missing=document["create_missing"],
        )


@dataclass(frozen=True, slots=True)
class Stranded:
    """Rows of the source that have a value and no target row to hold it: it would be lost at the contract."""

    transfer: Transfer

    @property
    def table(self) -> Table:
        """Where these rows are."""
        return self.transfer.source
