"""``drop-index``: dropped concurrently at the contract, for a running release may need it to be fast, or at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.change import Change, check_name
from expandcontract.core.mapping import Table
from expandcontract.core.phase import Kind
from expandcontract.core.shape import Hold
from expandcontract.errors import MappingError
from expandcontract.pg import relation
from expandcontract.revisions.recipes import standing
from expandcontract.revisions.render import Draft, Half, quote, rendered, statement

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from expandcontract.pg.relation import NamedIndex

ARBITER = "{index} is unique: a statement ON CONFLICT that names its columns fails without it; new must have none"
OVER_PARTITIONS = "# ec: ignore EC224 because an index over partitions cannot be dropped concurrently"
UNHELD = "nothing in PostgreSQL can hold an index: a DROP INDEX by hand is not refused"
INVALID = "{index} is invalid and serves no query; DROP INDEX CONCURRENTLY by hand does, too"


def draft(connection: Connection, index: str, *, name: str | None = None) -> Draft:
    """The pair that drops an index.

    Args:
        connection: To a database that has the index.
        index: ``index`` or ``schema.index``.
        name: The change's name; default ``drop_index``.

    Returns:
        Both halves; only the contract does anything.

    Raises:
        UnknownNameError: There is no such index.
        MappingError: A constraint, a foreign key, the replica identity or a partitioned index needs it.
    """
    found = relation.index(connection, Table.parse(index))
    _check(found)
    change = check_name(name or standing.named("drop", found.name))
    expand = Half(
        summary=f"drop index {found.name} of {found.table} (expand)",
        upgrade=["op.begin_change(change)"],
        downgrade=["op.end_change(change)"],
    )
    unique = ", unique=True" if found.unique else ""
    sealed = f"{rendered(found.name)}, {rendered(found.table.spelled)}, {rendered(found.tail)}{unique}"
    contract = Half(
        summary=f"drop index {found.name} of {found.table} (contract)",
        upgrade=_contract(found),
        restore=[f"op.seal_index({sealed})"],
        downgrade=_comment(found),
    )
    kept = {"keeps": Hold(found.table, found.columns)} if found.columns else {"touches": found.table.spelled}
    notes = [ARBITER.format(index=found.name)] if found.unique else []
    notes += [UNHELD] if found.valid else [INVALID.format(index=found.name)]
    declared = Change(change, kind=Kind.REMOVED, **kept)
    return Draft(change=declared, expand=expand, contract=contract, notes=tuple(notes))


def _check(index: NamedIndex) -> None:
    if index.constraint is not None:
        msg = f"{index.name} is the index of constraint {index.constraint} of {index.table}"
        raise MappingError(msg, hint=f"ec new drop-constraint {index.table.spelled} {index.constraint}")
    if index.parent is not None:
        msg = f"{index.name} is a part of the partitioned index {index.parent}"
        raise MappingError(msg, hint=f"ec new drop-index {index.parent}")
    if index.referrers is not None:
        msg = f"foreign key {index.referrers} needs {index.name}"
        raise MappingError(msg, hint="drop that foreign key first: ec new drop-constraint")
    if index.replica:
        msg = f"{index.name} is the replica identity of {index.table}: updates could no longer be published"
        raise MappingError(msg, hint="ALTER TABLE … REPLICA IDENTITY with another index first")


def _contract(index: NamedIndex) -> list[str]:
    ends = ["op.assert_contract(change)  # refused until the rollback window has expired", "op.end_change(change)"]
    place = f"{quote(index.schema)}.{quote(index.name)}"
    if index.partitioned:  # CONCURRENTLY is not possible there
        return [*ends, OVER_PARTITIONS, f"op.execute({statement(f'DROP INDEX IF EXISTS {place}')})"]
    gone = f"op.execute({statement(f'DROP INDEX CONCURRENTLY IF EXISTS {place}')})"
    block = f"with op.get_context().autocommit_block():\n    {gone}"
    return [ends[0], block, "op.assert_contract(change)  # a new transaction began", ends[1]]


def _comment(index: NamedIndex) -> list[str]:
    if index.comment is None:
        return []
    text = index.comment.replace("'", "''")
    comment = f"COMMENT ON INDEX {quote(index.schema)}.{quote(index.name)} IS '{text}'"
    return [f"op.execute({statement(comment)})"]
