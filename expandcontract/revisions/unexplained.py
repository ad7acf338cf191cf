"""What of a difference between models and database no open change explains: that alone is reported.

It stays whatever table it is on: an index made by hand beside one that a seal will make is told as ever.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from alembic.operations import ops
from sqlalchemy import text

from expandcontract.core.phase import Kind, Phase, forward
from expandcontract.ledger import VERSION, installed_version
from expandcontract.revisions.explained import DEFAULT, NULL, TYPE, Explained, index_name
from expandcontract.revisions.placing import columns_before, place_of, target_of
from expandcontract.revisions.project import CONTRACT, EXPAND, half_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from alembic.script import Script
    from sqlalchemy import Connection

ATTACHED = "SELECT name, kind, phase FROM expandcontract.change WHERE attached ORDER BY name"


def unexplained(operations: Sequence[Any], connection: Connection, script: Any) -> list[Any]:
    """The operations that no open change explains; of one that alters a column, the parts.

    Args:
        operations: What Alembic found.
        connection: To the database where that was; only read.
        script: The project's revisions.
    """
    return list(_left(operations, _explained(connection, script)))


def _explained(connection: Connection, script: Any) -> Explained:
    """What the open changes of this database explain, as their pairs are written."""
    found = Explained()
    if installed_version(connection) != VERSION:
        return found
    rows = connection.execute(text(ATTACHED)).all()
    names = {row.name for row in rows if forward(Phase(row.phase), Kind(row.kind)) is not None}
    if not names:
        return found
    halves = {half: revision for revision in script.walk_revisions() if (half := half_of(revision)) is not None}
    for name in sorted(names):
        expand: Script | None = halves.get((name, EXPAND))
        if expand is not None:
            found.add(expand.module.change, expand, halves.get((name, CONTRACT)))
    return found


def _left(operations: Iterable[Any], known: Explained) -> Iterator[Any]:
    flat = list(_flat(operations))
    absent = {place_of(one) for one in flat if isinstance(one, ops.CreateTableOp | ops.DropTableOp)} & known.tables
    follow = {id(one) for pair in _following(flat, known) for one in pair}
    for one in operations:
        if isinstance(one, ops.ModifyTableOps):
            inner = list(_left_of(one.ops, known, absent, follow))
            if inner == one.ops:
                yield one
            elif inner:
                yield ops.ModifyTableOps(one.table_name, inner, schema=one.schema)
        else:
            yield from _left_of([one], known, absent, follow)


def _flat(operations: Iterable[Any]) -> Iterator[Any]:
    for one in operations:
        yield from _flat(one.ops) if isinstance(one, ops.ModifyTableOps) else (one,)


def _left_of(operations: Iterable[Any], known: Explained, absent: set[Any], follow: set[int]) -> Iterator[Any]:
    for one in operations:
        if not hasattr(one, "table_name") and not isinstance(one, ops.CreateForeignKeyOp):
            yield one  # a third party's own; nothing is known of it
        elif place_of(one) in absent or id(one) in follow:
            continue
        elif isinstance(one, ops.AlterColumnOp):
            left = _unexplained(one, known)
            if left.has_changes():
                yield left
        elif not _is_explained(one, known):
            yield one


def _unexplained(operation: ops.AlterColumnOp, known: Explained) -> ops.AlterColumnOp:
    """The operation without the parts that an open change alters."""
    place, column = place_of(operation), str(operation.column_name)
    parts = {part for part in (TYPE, NULL, DEFAULT) if (place, column, part) in known.altered}
    if not parts:
        return operation
    left = copy(operation)
    left.modify_type = None if TYPE in parts else left.modify_type
    left.modify_nullable = None if NULL in parts else left.modify_nullable
    left.modify_server_default = False if DEFAULT in parts else left.modify_server_default
    return left


def _is_explained(operation: Any, known: Explained) -> bool:
    place = place_of(operation)
    found = False
    match operation:
        case ops.AddColumnOp():
            found = (place, str(operation.column.name)) in known.columns
        case ops.DropColumnOp():
            found = (place, str(operation.column_name)) in known.columns
        case ops.CreateIndexOp():
            found = index_name(place, str(operation.index_name)) in known.indexes
        case ops.DropIndexOp():
            found = index_name(place, str(operation.index_name)) in known.indexes or _goes_along(operation, known)
        case ops.DropConstraintOp():
            found = (place, str(operation.constraint_name)) in known.constraints or _goes_along(operation, known)
        case ops.CreateUniqueConstraintOp():
            found = _comes(operation, known, "unique", operation.columns)
        case ops.CreateForeignKeyOp():
            found = _comes(operation, known, "foreign key", operation.local_cols)
        case ops.AddConstraintOp():
            found = _comes(operation, known, "", ())
    return found


def _goes_along(operation: Any, known: Explained) -> bool:
    """Whether it stands on a column that a contract drops."""
    place = place_of(operation)
    if any((place, column) in known.leaving for column in columns_before(operation)):
        return True
    reverse = operation._reverse  # noqa: SLF001  # where a foreign key led is known nowhere else
    if not isinstance(reverse, ops.CreateForeignKeyOp):
        return False
    return any((target_of(reverse), str(column)) in known.leaving for column in reverse.remote_cols)


def _comes(operation: Any, known: Explained, rule: str, columns: Iterable[Any]) -> bool:
    place, name = place_of(operation), operation.constraint_name
    if name is not None and (place, str(name)) in known.constraints:
        return True
    # foreign keys are compared without their names
    key = (place, rule, frozenset(map(str, columns)))
    return key in known.keys and (name is None or rule == "foreign key")


def _following(flat: list[Any], known: Explained) -> Iterator[tuple[Any, Any]]:
    """Foreign keys that models still lead to a table's old name, and the database to its new one."""
    gone = {
        (place_of(one), columns_before(one), target_of(one._reverse)): one  # noqa: SLF001  # as above
        for one in flat
        if isinstance(one, ops.DropConstraintOp) and isinstance(one._reverse, ops.CreateForeignKeyOp)  # noqa: SLF001
    }
    for one in flat:
        if isinstance(one, ops.CreateForeignKeyOp) and (new := known.renamed.get(target_of(one))) is not None:
            key = (place_of(one), frozenset(map(str, one.local_cols)), new)
            if key in gone:
                yield one, gone[key]
