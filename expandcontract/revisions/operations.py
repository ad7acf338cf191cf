"""Our directives on ``op``: the ends of a change, and the seal. Operations are data; what they do is in the ledger.

Each becomes a call of a server-side function, so that a script made with ``--sql`` behaves as the command does.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from alembic.operations import MigrateOperation, Operations
from sqlalchemy import String, bindparam, text

from expandcontract.core.mapping import Table
from expandcontract.core.naming import default_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from expandcontract.core.change import Change


def call(operations: Any, function: str, *arguments: str | dict[str, object]) -> None:
    """Run ``SELECT expandcontract.function(arguments…)``, online or into the script; a dict is passed as jsonb."""
    places, bound = [], []
    for number, value in enumerate(arguments):
        is_json = isinstance(value, dict)
        places.append(f"CAST(:a{number} AS {'jsonb' if is_json else 'text'})")
        bound.append(bindparam(f"a{number}", json.dumps(value) if is_json else value, String()))
    statement = text(f"SELECT expandcontract.{function}({', '.join(places)})")
    operations.execute(statement.bindparams(*bound))


def _name(change: Change | str) -> str:
    return change if isinstance(change, str) else change.name


@Operations.register_operation("begin_change")
class BeginChangeOp(MigrateOperation):
    """Hold and two-way triggers of a change are made; the last step of an expand."""

    def __init__(self, change: Change) -> None:
        self.change = change

    @classmethod
    def begin_change(cls, operations: Operations, change: Change) -> None:
        """Make hold and triggers from the change's shape. Takes SHARE ROW EXCLUSIVE on each table it maps."""
        operations.invoke(cls(change))


@Operations.register_operation("assert_contract")
class AssertContractOp(MigrateOperation):
    """The server refuses unless the contract may run now; the first step of a contract."""

    def __init__(self, name: str) -> None:
        self.name = name

    @classmethod
    def assert_contract(cls, operations: Operations, change: Change | str) -> None:
        """Refuse, on the server, unless the change is cut over, its window expired and its contract begun by ``ec``."""
        operations.invoke(cls(_name(change)))


@Operations.register_operation("end_change")
class EndChangeOp(MigrateOperation):
    """Triggers, then hold, of a change are removed."""

    def __init__(self, name: str) -> None:
        self.name = name

    @classmethod
    def end_change(cls, operations: Operations, change: Change | str) -> None:
        """Remove triggers and hold. Takes ACCESS EXCLUSIVE on the table where it was the table's last open change."""
        operations.invoke(cls(_name(change)))


@dataclass(frozen=True, slots=True)
class SealIndex:
    """An index of the new shape: ``definition`` is what stands after USING."""

    name: str
    table: Table
    definition: str
    unique: bool = False


@dataclass(frozen=True, slots=True)
class SealNotNull:
    """NOT NULL of a new column."""

    table: Table
    column: str

    @property
    def name(self) -> str:
        """As PostgreSQL 18 names such a constraint by itself."""
        return default_name(self.table.name, [self.column], "not_null")

    @property
    def proof(self) -> str:
        """The check that stands there while it is made before PostgreSQL 18."""
        return default_name(self.table.name, [self.column], "not_null_proof")


@dataclass(frozen=True, slots=True)
class SealConstraint:
    """A CHECK or FOREIGN KEY: ``definition`` as in ADD CONSTRAINT."""

    name: str
    table: Table
    definition: str


@dataclass(frozen=True, slots=True)
class SealForeignKey(SealConstraint):
    """A FOREIGN KEY of which both sides are known, so that rows without a partner can be found."""

    columns: tuple[str, ...]
    target: Table
    target_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SealUnique:
    """A UNIQUE constraint over ``columns``; ``timing`` is ``DEFERRABLE …`` or empty."""

    name: str
    table: Table
    columns: tuple[str, ...]
    include: tuple[str, ...] = ()
    nulls_not_distinct: bool = False
    timing: str = ""


@dataclass(frozen=True, slots=True)
class Unsealed:
    """A foreign key that goes by itself, before what it is on: else the tables at both its ends are locked together.

    ``definition`` as in ADD CONSTRAINT, for the way back.
    """

    name: str
    table: Table
    definition: str


SealItem = SealIndex | SealNotNull | SealConstraint | SealUnique | Unsealed


class _SealOp(MigrateOperation):
    """Carries one item of the seal; ``backfill`` runs it online, a straight-through run plainly."""

    def __init__(self, item: SealItem) -> None:
        self.item = item


@Operations.register_operation("seal_index")
class SealIndexOp(_SealOp):
    """An index of the new shape."""

    @classmethod
    def seal_index(
        cls, operations: Operations, name: str, table: str, definition: str, *, unique: bool = False
    ) -> None:
        """Index the new shape; ``definition`` is what stands after USING: ``btree (lower(display_name))``."""
        operations.invoke(cls(SealIndex(name, Table.parse(table), definition, unique)))


@Operations.register_operation("seal_not_null")
class SealNotNullOp(_SealOp):
    """NOT NULL of a new column."""

    @classmethod
    def seal_not_null(cls, operations: Operations, table: str, column: str) -> None:
        """Make a new column NOT NULL without a scan under an exclusive lock."""
        operations.invoke(cls(SealNotNull(Table.parse(table), column)))


@Operations.register_operation("seal_check")
class SealCheckOp(_SealOp):
    """A CHECK constraint of the new shape."""

    @classmethod
    def seal_check(cls, operations: Operations, name: str, table: str, sql: str) -> None:
        """Add and validate ``CHECK (sql)``."""
        operations.invoke(cls(SealConstraint(name, Table.parse(table), f"CHECK ({sql})")))


@Operations.register_operation("seal_unique")
class SealUniqueOp(_SealOp):
    """A UNIQUE constraint of the new shape."""

    @classmethod
    def seal_unique(
        cls,
        operations: Operations,
        name: str,
        table: str,
        columns: Sequence[str],
        *,
        include: Sequence[str] = (),
        nulls_not_distinct: bool = False,
        deferrable: bool = False,
        initially: Literal["IMMEDIATE", "DEFERRED"] = "IMMEDIATE",
    ) -> None:
        """Add a UNIQUE constraint from an index built concurrently; NULLS NOT DISTINCT needs PostgreSQL 15."""
        timing = f"DEFERRABLE INITIALLY {initially}" if deferrable else ""
        item = SealUnique(name, Table.parse(table), tuple(columns), tuple(include), nulls_not_distinct, timing)
        operations.invoke(cls(item))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _listed(names: Sequence[str]) -> str:
    return f"({', '.join(map(_quoted, names))})"


@Operations.register_operation("seal_foreign_key")
class SealForeignKeyOp(_SealOp):
    """A foreign key of the new shape."""

    @classmethod
    def seal_foreign_key(
        cls,
        operations: Operations,
        name: str,
        table: str,
        columns: str | Sequence[str],
        target: str | None = None,
        target_columns: Sequence[str] = (),
        *,
        tail: str = "",
    ) -> None:
        """Add and validate a foreign key from ``columns`` to those of ``target``.

        ``tail`` is what stands behind: ``ON DELETE CASCADE``. In place of columns, target and tail the whole may be
        given: ``FOREIGN KEY (…) REFERENCES …``; then rows without a partner are not counted before it is made.
        """
        place = Table.parse(table)
        if isinstance(columns, str) or target is None:
            operations.invoke(cls(SealConstraint(name, place, str(columns))))
            return
        other = Table.parse(target)
        definition = f"FOREIGN KEY {_listed(columns)} REFERENCES {_quoted(other.schema)}.{_quoted(other.name)}"
        definition = f"{definition} {_listed(target_columns)} {tail}".rstrip()
        operations.invoke(cls(SealForeignKey(name, place, definition, tuple(columns), other, tuple(target_columns))))


@Operations.register_operation("unseal_foreign_key")
class UnsealForeignKeyOp(_SealOp):
    """A foreign key that goes before what it is on."""

    @classmethod
    def unseal_foreign_key(cls, operations: Operations, name: str, table: str, definition: str) -> None:
        """Drop a foreign key before the contract drops its table or column; ``definition`` is for the way back.

        Takes ACCESS EXCLUSIVE on the tables at both ends, for an instant.
        """
        operations.invoke(cls(Unsealed(name, Table.parse(table), definition)))


@Operations.implementation_for(BeginChangeOp)
def _begin_change(operations: Operations, operation: BeginChangeOp) -> None:
    change = operation.change
    call(operations, "begin_change", change.name, str(change.kind), change.shape.document())


@Operations.implementation_for(AssertContractOp)
def _assert_contract(operations: Operations, operation: AssertContractOp) -> None:
    from expandcontract.revisions.straight import before_contract  # noqa: PLC0415  # only where a contract runs

    call(operations, "assert_contract", operation.name)
    before_contract(operations, operation.name)


@Operations.implementation_for(EndChangeOp)
def _end_change(operations: Operations, operation: EndChangeOp) -> None:
    call(operations, "end_change", operation.name)


def _seal_outside(operations: Operations, operation: _SealOp) -> None:
    from expandcontract.revisions.seal import plain, valid  # noqa: PLC0415  # only where a seal runs outside seal()

    context = operations.get_context()
    if context.connection is not None and not context.as_sql and valid(context.connection, operation.item):
        return  # ec made it online, before this revision
    for statement in plain(operation.item):
        operations.execute(text(statement.replace(":", "\\:")))


for _op in (SealIndexOp, SealNotNullOp, SealCheckOp, SealUniqueOp, SealForeignKeyOp, UnsealForeignKeyOp):
    Operations.implementation_for(_op)(_seal_outside)
