"""Makes a seal on a live table, and takes it back: short locks, scans that let reads and writes pass."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from expandcontract.core.attempt import Patience
from expandcontract.core.conflict import Claim
from expandcontract.core.effect import LockMode
from expandcontract.errors import SealError
from expandcontract.pg import build
from expandcontract.pg.connect import connect
from expandcontract.pg.ddl import Notice, Work, perform, statements
from expandcontract.revisions import leaves, partitions
from expandcontract.revisions.operations import SealConstraint, SealIndex, SealItem, SealNotNull, SealUnique, Unsealed
from expandcontract.revisions.seal import below, create_index, describe, plain, relation, valid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import URL


REFERENCED = re.compile(
    r"\bREFERENCES\s+((?:\"(?:[^\"]|\"\")+\"|[\w$]+)(?:\.(?:\"(?:[^\"]|\"\")+\"|[\w$]+))?)", re.IGNORECASE
)
NOT_NULL_NOT_VALID = 180000


def run(
    url: URL, items: tuple[SealItem, ...], fence: Callable[[], None], patience: Patience | None = None
) -> Iterator[str | Notice]:
    """Make every item that is not valid yet, one after the other, on partitions first. May run any number of times.

    Args:
        url: The target database.
        items: What to make.
        fence: Called before each item; raises where this mover is no longer the one.
        patience: How long, and how, locks are waited for.

    Yields:
        Each item in words, once it is valid; and what is waited for meanwhile.

    Raises:
        SealError: An item cannot be made: rows break it, or the build failed.
        LockTimeoutError: A lock was not had; the blocker is named.
    """
    for item in items:
        fence()
        with connect(url, command="seal") as connection:
            state = valid(connection, item)
            parts = None if state else leaves.parts(connection, item)
        yield from run(url, parts or (), fence, patience)
        if not state:
            seal = _Seal(url, item, patience or Patience())
            yield from _make(seal, leftover=state is False, whole=parts is not None)
        yield describe(item)


def undo(
    url: URL, items: tuple[SealItem, ...], fence: Callable[[], None], patience: Patience | None = None
) -> Iterator[str | Notice]:
    """Take every item back, in reverse, and what a making that was broken off left; yields as :func:`run` does.

    May run any number of times.
    """
    for item in reversed(items):
        fence()
        for piece in (item, below(item)):
            if piece is not None:
                yield from _drop_there(_Seal(url, piece, patience or Patience()))
        with connect(url, command="seal") as connection:
            parts = leaves.parts(connection, item)
        for notice in undo(url, parts or (), fence, patience):
            if not isinstance(notice, str):
                yield notice
        yield describe(item)


def _drop_there(seal: _Seal) -> Iterator[Notice]:
    if seal.state(seal.item) is not None:
        yield from _drop(seal)


class _Seal:
    """One item, and how its statements are run."""

    def __init__(self, url: URL, item: SealItem, patience: Patience) -> None:
        self.url, self.item, self.patience = url, item, patience
        self.table = relation(item.table)

    @property
    def index(self) -> build.Index:
        return build.Index(schema=self.item.table.schema, name=self.item.name, relation=self.table.as_string())

    def claims(self, mode: LockMode, *others: str) -> tuple[Claim, ...]:
        return (Claim(self.table.as_string(), mode), *(Claim(other, mode) for other in others))

    def ddl(self, claims: tuple[Claim, ...], *composed: sql.SQL | sql.Composed) -> Iterator[Notice]:
        run = statements(self.url, "seal", *composed)
        return perform(self.url, Work(what=describe(self.item), claims=claims, run=run), self.patience)

    def partitioned(self) -> bool:
        with connect(self.url, command="seal") as connection:
            return leaves.is_partitioned(connection, self.item.table)

    def state(self, item: SealItem) -> bool | None:
        with connect(self.url, command="seal") as connection:
            return valid(connection, item)


def _make(seal: _Seal, *, leftover: bool, whole: bool) -> Iterator[Notice]:
    item = seal.item
    try:
        match item:
            case _ if whole:  # the partitions have it, so that their parent only takes it in
                parents = _parents(item.definition) if isinstance(item, SealConstraint | Unsealed) else []
                asked = seal.claims(LockMode.ACCESS_EXCLUSIVE, *parents)
                yield from seal.ddl(asked, *(sql.SQL(statement) for statement in plain(item)))
            case SealIndex():
                yield from _build(seal, item)
            case SealNotNull():
                yield from _not_null(seal, item)
            case SealUnique():
                yield from _build_unique(seal, item)
            case Unsealed():
                yield from _gone(seal, item)
            case SealConstraint():
                yield from _constraint(seal, item.name, item.definition, there=leftover)
    except psycopg.Error as exc:
        msg = f"{describe(item)} could not be made: {str(exc).splitlines()[0]}"
        raise SealError(
            msg,
            hint="mend the rows it names, then run the same command again",
        ) from exc


def _build(seal: _Seal, item: SealIndex | SealUnique) -> Iterator[Notice]:
    if isinstance(item, SealIndex) and seal.partitioned():
        yield from _build_by_leaf(seal, item)
        return
    yield from build.build(seal.url, seal.index, sql.SQL(create_index(item, concurrently=True)), seal.patience)


def _build_by_leaf(seal: _Seal, item: SealIndex) -> Iterator[Notice]:
    while True:
        with connect(seal.url, command="seal") as connection:
            step = partitions.next_step(connection, item)
        match step:
            case None:
                return
            case partitions.Build():
                yield from build.build(seal.url, step.index, step.statement, seal.patience)
            case partitions.Drop():
                yield from build.drop(seal.url, step.index, seal.patience)
            case partitions.Short():
                yield from seal.ddl((Claim(step.relation, step.mode),), step.statement)


def _build_unique(seal: _Seal, item: SealUnique) -> Iterator[Notice]:
    yield from _build(seal, item)
    name = sql.Identifier(item.name)
    add = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} UNIQUE USING INDEX {} {}")
    statement = add.format(seal.table, name, name, sql.SQL(item.timing))
    yield from seal.ddl(seal.claims(LockMode.ACCESS_EXCLUSIVE), statement)


def _constraint(seal: _Seal, name: str, definition: str, *, there: bool) -> Iterator[Notice]:
    parents = _parents(definition)
    if not there:
        add = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {} NOT VALID")
        mode = LockMode.SHARE_ROW_EXCLUSIVE if parents else LockMode.ACCESS_EXCLUSIVE
        statement = add.format(seal.table, sql.Identifier(name), sql.SQL(definition))
        yield from seal.ddl(seal.claims(mode, *parents), statement)
    validate = sql.SQL("ALTER TABLE {} VALIDATE CONSTRAINT {}").format(seal.table, sql.Identifier(name))
    yield from seal.ddl(seal.claims(LockMode.SHARE_UPDATE_EXCLUSIVE), validate)


def _parents(definition: str) -> list[str]:
    """The table that a foreign key refers to, as SQL writes it; it is locked along with the key's own."""
    return REFERENCED.findall(definition)[:1] if definition.lstrip().upper().startswith("FOREIGN KEY") else []


def _not_null(seal: _Seal, item: SealNotNull) -> Iterator[Notice]:
    with connect(seal.url, command="seal") as connection:
        version = connection.exec_driver_sql("SHOW server_version_num").scalar_one()
    column = sql.Identifier(item.column)
    if int(version) >= NOT_NULL_NOT_VALID:
        there = seal.state(SealConstraint(item.name, item.table, "")) is not None
        definition = sql.SQL("NOT NULL {}").format(column).as_string()
        yield from _constraint(seal, item.name, definition, there=there)
        return
    check = item.proof
    proof = seal.state(SealConstraint(check, item.table, ""))
    if not proof:
        definition = sql.SQL("CHECK ({} IS NOT NULL)").format(column).as_string()
        yield from _constraint(seal, check, definition, there=proof is False)
    proved = sql.SQL("ALTER TABLE {} ALTER COLUMN {} SET NOT NULL").format(seal.table, column)
    # in one transaction, so that a kill in between leaves no proof behind a column that counts as sealed
    gone = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(seal.table, sql.Identifier(check))
    yield from seal.ddl(seal.claims(LockMode.ACCESS_EXCLUSIVE), proved, gone)


def _drop(seal: _Seal) -> Iterator[Notice]:
    item = seal.item
    match item:
        case SealIndex() if seal.partitioned():
            gone = sql.SQL("DROP INDEX {}").format(seal.index.identifier)
            yield from seal.ddl(seal.claims(LockMode.ACCESS_EXCLUSIVE), gone)
        case SealIndex():
            yield from build.drop(seal.url, seal.index, seal.patience)
        case SealNotNull():
            drop = sql.SQL("ALTER TABLE {} ALTER COLUMN {} DROP NOT NULL")
            statement = drop.format(seal.table, sql.Identifier(item.column))
            yield from seal.ddl(seal.claims(LockMode.ACCESS_EXCLUSIVE), statement)
        case Unsealed():
            there = seal.state(item) is False
            yield from _constraint(seal, item.name, item.definition, there=there)
        case SealUnique() | SealConstraint():
            yield from _gone(seal, item)


def _gone(seal: _Seal, item: SealUnique | SealConstraint | Unsealed) -> Iterator[Notice]:
    parents = _parents(item.definition) if isinstance(item, SealConstraint | Unsealed) else []
    drop = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(seal.table, sql.Identifier(item.name))
    yield from seal.ddl(seal.claims(LockMode.ACCESS_EXCLUSIVE, *parents), drop)
