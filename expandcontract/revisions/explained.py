"""What an open change explains of a difference between models and database: what it has made and will still drop.

Told from the two halves of its pair, as they are recorded for ``ec lint``: each step that was done may be missing in
the models of the old release, each that is still to come may be in those of the new one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from expandcontract.core.mapping import Table
from expandcontract.core.phase import Kind as ChangeKind
from expandcontract.core.revision import Action, Kind, Part
from expandcontract.revisions import record, seal
from expandcontract.revisions.operations import SealConstraint, SealIndex, SealNotNull, SealUnique
from expandcontract.revisions.swapping import READY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alembic.script import Script

    from expandcontract.core.change import Change
    from expandcontract.revisions.operations import SealItem

TYPE, NULL, DEFAULT = "type", "nullable", "default"
ALTERS = {
    Kind.CHANGE_TYPE: TYPE,
    Kind.SET_DEFAULT: DEFAULT,
    Kind.DROP_DEFAULT: DEFAULT,
    Kind.SET_NOT_NULL: NULL,
    Kind.DROP_NOT_NULL: NULL,
}
RULES = ("unique", "foreign key", "check")


@dataclass(slots=True)
class Explained:
    """What may differ while changes are open; nothing else may.

    Attributes:
        tables: Come, go or get another name.
        renamed: Old name to new.
        columns: Come or go.
        leaving: The columns that a contract drops: what stands on them goes along.
        altered: Columns of which a part changes: ``type``, ``nullable`` or ``default``.
        indexes: Come or go, with their schema.
        constraints: Come or go, by table and name.
        keys: Constraints that come, by table, sort and columns: models need not name them.
    """

    tables: set[Table] = field(default_factory=set)
    renamed: dict[Table, Table] = field(default_factory=dict)
    columns: set[tuple[Table, str]] = field(default_factory=set)
    leaving: set[tuple[Table, str]] = field(default_factory=set)
    altered: set[tuple[Table, str, str]] = field(default_factory=set)
    indexes: set[str] = field(default_factory=set)
    constraints: set[tuple[Table, str]] = field(default_factory=set)
    keys: set[tuple[Table, str, frozenset[str]]] = field(default_factory=set)

    def add(self, change: Change, expand: Script, contract: Script | None) -> None:
        """Take in what a pair does.

        Args:
            change: As its expand declares it.
            expand: The expand half.
            contract: The contract half, if any.
        """
        for script in filter(None, (expand, contract)):
            found = record.revision(script, str(script.path), change)
            for _, action in found.actions(Part.UPGRADE, Part.CUT_OVER):
                self._action(action, leaves=script is contract)
            for function in ("seal", READY, "restore"):
                self._items(seal.record(script.module, function))
        for hold in change.shape.leaving:
            self.leaving |= {(hold.table, column) for column in hold.columns}
        if change.kind is ChangeKind.SWAPPED:
            for mapping in change.shape.mappings:
                self.altered |= {(mapping.table, c, part) for c in mapping.old for part in (TYPE, NULL, DEFAULT)}
                self.leaving -= {(mapping.table, column) for column in mapping.old}
                self.leaving |= {(mapping.table, column) for column in mapping.new}

    def _action(self, action: Action, *, leaves: bool) -> None:
        table, column = action.table, action.column
        if action.kind is Kind.DROP_INDEX and action.name:
            self.indexes.add(action.name)
        if table is None:
            return
        if action.kind in {Kind.CREATE_TABLE, Kind.DROP_TABLE}:
            self.tables.add(table)
        elif action.kind is Kind.RENAME_TABLE and action.name:
            self.renamed[table] = Table(schema=table.schema, name=action.name)
            self.tables |= {table, self.renamed[table]}
        elif action.kind is Kind.CREATE_INDEX and action.name:
            self.indexes.add(index_name(table, action.name))
        elif action.kind is Kind.ADD_CONSTRAINT:
            self._constraint(table, action)
        elif action.kind is Kind.DROP_CONSTRAINT and action.name:
            self.constraints.add((table, action.name))
        elif column is not None:
            self._column(action, table, column, leaves=leaves)

    def _column(self, action: Action, table: Table, column: str, *, leaves: bool) -> None:
        if action.kind in {Kind.ADD_COLUMN, Kind.DROP_COLUMN}:
            self.columns.add((table, column))
        if action.kind is Kind.DROP_COLUMN and leaves:
            self.leaving.add((table, column))
        if (part := ALTERS.get(action.kind)) is not None:
            self.altered.add((table, column, part))

    def _constraint(self, table: Table, action: Action) -> None:
        if action.name:
            self.constraints.add((table, action.name))
        if action.says("not null") and action.column:
            self.altered.add((table, action.column, NULL))
        self.keys |= {(table, rule, frozenset(action.columns)) for rule in RULES if action.says(rule)}

    def _items(self, items: Iterable[SealItem]) -> None:
        from expandcontract.pg.statement import read  # noqa: PLC0415  # 14 MB that are not needed without a change

        for item in items:
            match item:
                case SealIndex():
                    self.indexes.add(index_name(item.table, item.name))
                case SealNotNull():
                    self.altered.add((item.table, item.column, NULL))
                case SealUnique():
                    self.indexes.add(index_name(item.table, item.name))  # what it is first
                    self.constraints.add((item.table, item.name))
                    self.keys.add((item.table, "unique", frozenset(item.columns)))
                case SealConstraint():
                    self.constraints.add((item.table, item.name))
                    for statement in seal.plain(item):
                        for action in read(statement):
                            self._action(action, leaves=False)
                case _:
                    self.constraints.add((item.table, item.name))


def index_name(table: Table, name: str) -> str:
    """An index as statements name it; it is of its table's schema."""
    return str(Table(schema=table.schema, name=name))


def contracted_names(change: Change, contract: Script) -> tuple[frozenset[str], frozenset[str]]:
    """The tables that the contract of a change drops; and the columns, indexes and constraints that it drops or alters.

    Args:
        change: As its expand declares it.
        contract: The contract half.
    """
    known = Explained()
    known.add(change, contract, None)
    columns = {name for _, name in known.columns | known.leaving} | {name for _, name, _ in known.altered}
    # an index is known with its schema, which a name with a dot cannot be told from
    parts = frozenset(columns | known.indexes | {name for _, name in known.constraints})
    return frozenset(table.name for table in known.tables), parts
