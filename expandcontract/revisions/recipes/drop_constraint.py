"""``drop-constraint``: a check or a plain foreign key goes at the expand, what a statement may name at the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.change import Change, check_name
from expandcontract.core.mapping import Table
from expandcontract.core.phase import Kind
from expandcontract.core.shape import Hold
from expandcontract.errors import MappingError
from expandcontract.pg import relation
from expandcontract.revisions.leaves import NOT_VALID_FOREIGN_KEY
from expandcontract.revisions.recipes import standing
from expandcontract.revisions.render import Draft, Half, quote, rendered, statement

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from expandcontract.pg.relation import NamedConstraint, Traits

KINDS = {"c": "check", "f": "foreign key", "p": "primary key", "u": "unique constraint", "x": "exclusion constraint"}
TYPES = {"c": "check", "f": "foreignkey", "p": "primary", "u": "unique"}
RELIES = "from the expand on {what} refuses nothing: the running release must not count on its error"
BACK = "ec rollback puts it back, and is refused while rows break it"
ACTS = "until the contract {what} still changes rows when {other} does; a release that speaks new must do so itself"
ARBITER = "a statement ON CONFLICT that names {what} or its columns fails without it; new must have none"
IDENTITY = "without a primary key, UPDATE and DELETE of {table} fail while it is published"
BOTH = "dropping it locks {other} too, for a moment"


def draft(connection: Connection, table: str, constraint: str, *, name: str | None = None) -> Draft:
    """The change that drops a constraint.

    Args:
        connection: To a database that has the constraint.
        table: ``table`` or ``schema.table``.
        constraint: Its name.
        name: The change's name; default ``drop_constraint``.

    Returns:
        ``additive`` for a check and a foreign key that only refuses, else ``removed``.

    Raises:
        UnknownNameError: There is no such table or constraint.
        MappingError: Something needs it, or it is a part of a parent's.
    """
    place = Table.parse(table)
    traits = standing.whole(connection, place)
    found = relation.constraint(connection, place, constraint)
    _check(place, found)
    change = check_name(name or standing.named("drop", found.name))
    if found.kind in {"p", "u", "x"} or found.acts or _hard_to_restore(connection, traits, found):
        return _late(change, place, found)
    return _early(change, place, found)


def _check(table: Table, found: NamedConstraint) -> None:
    if found.kind == "n":
        msg = f"{found.name} is the NOT NULL of {found.columns[0]}"
        raise MappingError(msg, hint=f"ec new drop-not-null {table.spelled} {found.columns[0]}")
    if found.kind not in KINDS:
        msg = f"{found.name} is a constraint trigger"
        raise MappingError(msg, hint="drop the trigger with ec new sql")
    if found.inherited:
        msg = f"{found.name} of {table} comes from a parent"
        raise MappingError(msg, hint="drop the parent's")
    if found.referrers is not None:
        msg = f"foreign key {found.referrers} needs {found.name}"
        raise MappingError(msg, hint="drop that foreign key first: ec new drop-constraint")
    if found.replica:
        msg = f"{found.name} is the replica identity of {table}: updates could no longer be published"
        raise MappingError(msg, hint="ALTER TABLE … REPLICA IDENTITY with another index first")
    if found.dependents is not None:
        msg = f"{found.dependents} needs {found.name}"
        raise MappingError(msg, hint="change or drop that first, in an expand revision")


def _hard_to_restore(connection: Connection, traits: Traits, found: NamedConstraint) -> bool:
    """A partitioned table's foreign key before PostgreSQL 18, which could only come back under a long lock."""
    version = int(connection.exec_driver_sql("SHOW server_version_num").scalar_one())
    return found.kind == "f" and traits.partitioned and version < NOT_VALID_FOREIGN_KEY


def _early(change: str, table: Table, found: NamedConstraint) -> Draft:
    what = f"{KINDS[found.kind]} {found.name}"
    put_back = found.validated and not found.no_inherit
    expand = Half(
        summary=f"drop {what} of {table}",
        upgrade=[_drop(table, found), "op.begin_change(change)"],
        restore=[_sealed(table, found)] if put_back else [],
        downgrade=[*([] if put_back else [_add(table, found)]), *_comment(table, found), "op.end_change(change)"],
    )
    notes = [RELIES.format(what=what), BACK]
    notes += [BOTH.format(other=found.referred)] if found.referred is not None else []
    return Draft(change=Change(change, touches=_tables(table, found)), expand=expand, notes=tuple(notes))


def _late(change: str, table: Table, found: NamedConstraint) -> Draft:
    what = f"{KINDS[found.kind]} {found.name}"
    expand = Half(
        summary=f"drop {what} of {table} (expand)",
        upgrade=["op.begin_change(change)"],
        downgrade=["op.end_change(change)"],
    )
    contract = Half(
        summary=f"drop {what} of {table} (contract)",
        upgrade=[
            "op.assert_contract(change)  # refused until the rollback window has expired",
            "op.end_change(change)",
            _drop(table, found),
        ],
        downgrade=[_add(table, found), *_comment(table, found)],
    )
    notes = []
    if found.kind == "f":
        notes = [ACTS.format(what=what, other=found.referred)] if found.acts else []
        notes.append(BOTH.format(other=found.referred))
    else:
        notes.append(ARBITER.format(what=found.name))
    notes += [IDENTITY.format(table=table)] if found.kind == "p" else []
    keeps = [Hold(table, found.columns)] if found.columns else []
    declared = Change(change, keeps=keeps, touches=_tables(table, found), kind=Kind.REMOVED)
    return Draft(change=declared, expand=expand, contract=contract, notes=tuple(notes))


def _tables(table: Table, found: NamedConstraint) -> list[str]:
    return [table.spelled, *([found.referred.spelled] if found.referred is not None else [])]


def _drop(table: Table, found: NamedConstraint) -> str:
    if found.kind not in TYPES:
        gone = f"ALTER TABLE {standing.place(table)} DROP CONSTRAINT {quote(found.name)}"
        return f"op.execute({statement(gone)})"
    sort = f", type_={rendered(TYPES[found.kind])}{standing.schema_argument(table)}"
    return f"op.drop_constraint({rendered(found.name)}, {rendered(table.name)}{sort})"


def _sealed(table: Table, found: NamedConstraint) -> str:
    where = f"{rendered(found.name)}, {rendered(table.spelled)}"
    if found.referred is None:
        inner = found.definition.removeprefix("CHECK (").removesuffix(")")
        return f"op.seal_check({where}, {rendered(inner)})"
    own, other = (f"[{', '.join(map(rendered, names))}]" for names in (found.columns, found.referred_columns))
    tail = f", tail={rendered(found.tail)}" if found.tail else ""
    return f"op.seal_foreign_key({where}, {own}, {rendered(found.referred.spelled)}, {other}{tail})"


def _add(table: Table, found: NamedConstraint) -> str:
    add = f"ALTER TABLE {standing.place(table)} ADD CONSTRAINT {quote(found.name)} {found.definition}"
    return f"op.execute({statement(add)})"


def _comment(table: Table, found: NamedConstraint) -> list[str]:
    if found.comment is None:
        return []
    text = found.comment.replace("'", "''")
    comment = f"COMMENT ON CONSTRAINT {quote(found.name)} ON {standing.place(table)} IS '{text}'"
    return [f"op.execute({statement(comment)})"]
