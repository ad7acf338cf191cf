"""Our directives on ``op`` for a swap: columns, constraints and indexes trade names, and numbering moves along.

They stand in ``cut_over()`` and ``roll_back()`` of an expand revision, which the runner calls in one transaction
together with the ledger's part. Each becomes a call of a server-side function, as every other directive of ours does.
"""

from __future__ import annotations

from dataclasses import dataclass

from alembic.operations import MigrateOperation, Operations

from expandcontract.core.mapping import Table
from expandcontract.revisions.operations import call


@dataclass(frozen=True, slots=True)
class Trade:
    """A server-side function of the ledger, and what it is called with."""

    function: str
    arguments: tuple[str, ...]


class _TradeOp(MigrateOperation):
    """Carries one trade."""

    def __init__(self, trade: Trade) -> None:
        self.trade = trade


@Operations.register_operation("trade_columns")
class TradeColumnsOp(_TradeOp):
    """Two columns trade names."""

    @classmethod
    def trade_columns(cls, operations: Operations, table: str, one: str, other: str) -> None:
        """Let two columns trade names, and their NOT NULLs too where these have any. Takes ACCESS EXCLUSIVE."""
        operations.invoke(cls(Trade("trade_columns", (*_names(table), one, other))))


@Operations.register_operation("trade_constraints")
class TradeConstraintsOp(_TradeOp):
    """Two constraints trade names."""

    @classmethod
    def trade_constraints(cls, operations: Operations, table: str, one: str, other: str) -> None:
        """Let two constraints of a table trade names, and the indexes below them. Takes ACCESS EXCLUSIVE."""
        operations.invoke(cls(Trade("trade_constraints", (*_names(table), one, other))))


@Operations.register_operation("trade_indexes")
class TradeIndexesOp(_TradeOp):
    """Two indexes trade names."""

    @classmethod
    def trade_indexes(cls, operations: Operations, table: str, one: str, other: str) -> None:
        """Let two indexes of a table trade names. Takes SHARE UPDATE EXCLUSIVE on both."""
        operations.invoke(cls(Trade("trade_indexes", (Table.parse(table).schema, one, other))))


@Operations.register_operation("move_numbering")
class MoveNumberingOp(_TradeOp):
    """What numbers the rows goes to another column."""

    @classmethod
    def move_numbering(
        cls, operations: Operations, table: str, source: str, target: str, *, retype: bool = True
    ) -> None:
        """Move an identity, or a default and its sequence, from one column to another; the position is kept.

        Takes ACCESS EXCLUSIVE on the table, and SHARE ROW EXCLUSIVE on the sequence, which gets the column's type
        unless ``retype`` is false.
        """
        arguments = (*_names(table), source, target, "retype" if retype else "keep")
        operations.invoke(cls(Trade("move_numbering", arguments)))


def _names(table: str) -> tuple[str, str]:
    place = Table.parse(table)
    return place.schema, place.name


def _trade(operations: Operations, operation: _TradeOp) -> None:
    call(operations, operation.trade.function, *operation.trade.arguments)


for _op in (TradeColumnsOp, TradeConstraintsOp, TradeIndexesOp, MoveNumberingOp):
    Operations.implementation_for(_op)(_trade)
