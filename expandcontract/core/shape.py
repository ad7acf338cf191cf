"""What a change does to rows and columns: mappings, fills, and what its hold keeps from being dropped.

The ledger keeps a shape as one document; triggers, hold, backfill and parity are all made from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from expandcontract.core.fill import Fill
from expandcontract.core.mapping import Mapping, Table
from expandcontract.core.transfer import Stranded, Transfer
from expandcontract.errors import MappingError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping as MappingABC


@dataclass(frozen=True, slots=True, init=False)
class Hold:
    """Columns that nobody may drop while the change is open.

    Args:
        table: ``table`` or ``schema.table``; a view serves too.
        columns: Their names.

    Raises:
        MappingError: There is no column.
    """

    table: Table
    columns: tuple[str, ...]

    def __init__(self, table: str | Table, columns: Iterable[str]) -> None:
        object.__setattr__(self, "table", table if isinstance(table, Table) else Table.parse(table))
        object.__setattr__(self, "columns", tuple(columns))
        if not self.columns:
            msg = f"a hold of {self.table} needs a column"
            raise MappingError(msg)

    def document(self) -> dict[str, object]:
        """As a JSON-ready mapping."""
        return {"schema": self.table.schema, "table": self.table.name, "columns": list(self.columns)}

    @classmethod
    def from_document(cls, document: MappingABC[str, Any]) -> Hold:
        """The inverse of :meth:`document`."""
        return cls(_table(document), document["columns"])


Work = Mapping | Fill | Transfer | Stranded
"""What a backfill, or a comparison, goes through a table for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """All that a change declares of rows and columns.

    Attributes:
        mappings: At most one a table.
        fills: At most one a table, and none on a mapped one.
        transfers: Columns that move to another table; neither table has any other work in the same change.
        removes: What goes at the contract without anything in its place.
        keeps: What must stay as it is while the change is open, such as the columns that a coming rule is about.
        touches: Tables altered without any of that: looked at before a move, and named where one is waited for.

    Raises:
        MappingError: Two mappings or fills are of one table.
    """

    mappings: tuple[Mapping, ...] = ()
    fills: tuple[Fill, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    removes: tuple[Hold, ...] = ()
    keeps: tuple[Hold, ...] = ()
    touches: tuple[Table, ...] = ()

    def __post_init__(self) -> None:
        tables = [work.table for work in self.compared]
        for table in tables:
            if tables.count(table) > 1:
                msg = f"{table} is mapped or filled twice in one change; one declaration can have several columns"
                raise MappingError(msg)

    @property
    def work(self) -> tuple[Work, ...]:
        """What the backfill has to do, one item a table."""
        missing = (Stranded(transfer) for transfer in self.transfers if transfer.create_missing)
        return (*self.mappings, *self.fills, *missing, *self.transfers)

    @property
    def compared(self) -> tuple[Work, ...]:
        """What has to be found in order on every row, one item a table."""
        stranded = (Stranded(transfer) for transfer in self.transfers if not transfer.create_missing)
        return (*self.work, *stranded)

    @property
    def holds(self) -> tuple[Hold, ...]:
        """What the hold keeps from being dropped: both sides of every mapping, what the contract removes or keeps."""
        return (*self._claimed, *self.keeps)

    @property
    def _claimed(self) -> tuple[Hold, ...]:
        """What no other open change may touch in any way."""
        mapped = (Hold(mapping.table, (*mapping.old, *mapping.new)) for mapping in self.mappings)
        moved = (hold for move in self.transfers for hold in (Hold(move.source, move.old), Hold(move.table, move.new)))
        return (*mapped, *moved, *self.removes)

    @property
    def leaving(self) -> tuple[Hold, ...]:
        """What the contract drops."""
        mapped = (Hold(mapping.table, mapping.old) for mapping in self.mappings)
        moved = (Hold(move.source, move.old) for move in self.transfers)
        return (*mapped, *moved, *self.removes)

    @property
    def arriving(self) -> tuple[Hold, ...]:
        """The new columns, which taking the expand back drops."""
        mapped = (Hold(mapping.table, mapping.new) for mapping in self.mappings)
        moved = (Hold(move.table, move.new) for move in self.transfers)
        return (*mapped, *moved)

    @property
    def tables(self) -> tuple[Table, ...]:
        """Every table that the change touches, once, in the order declared."""
        held = (hold.table for hold in (*self.removes, *self.keeps))
        return tuple(dict.fromkeys((*(work.table for work in self.compared), *held, *self.touches)))

    @property
    def lossy(self) -> bool:
        """Whether going back may not restore every value."""
        return any(mapping.lossy for mapping in self.mappings) or any(move.lossy for move in self.transfers)

    def overlap(self, other: Shape) -> tuple[Hold, ...]:
        """The columns that both changes hold, by table; empty where they do not touch.

        Columns that both only keep are none of them: two rules may come over the same column.
        """
        shared: dict[Table, set[str]] = {}
        for mine in self.holds:
            for theirs in other.holds if mine in self._claimed else other._claimed:
                if theirs.table == mine.table:
                    shared.setdefault(mine.table, set()).update(set(mine.columns) & set(theirs.columns))
        return tuple(Hold(table, sorted(columns)) for table, columns in shared.items() if columns)

    def document(self) -> dict[str, object]:
        """As a JSON-ready mapping; the ledger's server-side functions read this form.

        What takes more than the row itself stands apart, in ``computed``: one UPDATE on the server cannot fill it.
        """
        return {
            "mappings": [mapping.document() for mapping in self.mappings],
            "fills": [fill.document() for fill in self.fills if fill.by_row],
            "computed": [fill.document() for fill in self.fills if not fill.by_row],
            "transfers": [transfer.document() for transfer in self.transfers],
            "removes": [hold.document() for hold in self.removes],
            "touches": [{"schema": table.schema, "table": table.name} for table in self.touches],
            "keeps": [hold.document() for hold in self.keeps],
            "holds": [
                *({**hold.document(), "kept": False} for hold in self._claimed),
                *({**hold.document(), "kept": True} for hold in self.keeps),
            ],
        }

    @classmethod
    def from_document(cls, document: MappingABC[str, Any]) -> Shape:
        """The inverse of :meth:`document`.

        Raises:
            MappingError: The document lacks a key or a value has the wrong shape.
        """
        try:
            return cls(
                mappings=tuple(map(Mapping.from_document, document["mappings"])),
                fills=tuple(map(Fill.from_document, (*document["fills"], *document.get("computed", ())))),
                transfers=tuple(map(Transfer.from_document, document.get("transfers", ()))),
                removes=tuple(map(Hold.from_document, document["removes"])),
                keeps=tuple(map(Hold.from_document, document.get("keeps", ()))),
                touches=tuple(map(_table, document.get("touches", ()))),
            )
        except (KeyError, TypeError) as exc:
            msg = f"not a shape: {document!r}"
            raise MappingError(msg) from exc


def _table(document: MappingABC[str, Any]) -> Table:
    return Table(schema=str(document["schema"]), name=str(document["table"]))
