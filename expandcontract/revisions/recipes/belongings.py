"""What hangs on a column, carried over to a new one that may have another name and another type.

Carried: default, comment and grants with the column; indexes, unique constraints, checks, foreign keys of both
directions and NOT NULL in the seal. Primary keys, identity and sequences are not; :func:`refuse` tells.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from expandcontract.core.change import LONGEST_NAME
from expandcontract.errors import MappingError
from expandcontract.pg import belonging, catalog, obstacles
from expandcontract.revisions.render import add_column, quote, rendered, statement

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from expandcontract.core.mapping import Table
    from expandcontract.pg.catalog import Column

LONGEST = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One column as it is, and as the new one beside it shall be: name, type, collation, default."""

    old: Column
    new: Column


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """An index or constraint and its copy over the new columns.

    Attributes:
        kind: ``index`` or ``constraint``.
        name: Of the original.
        fresh: Of the copy.
        line: Of ``seal()``, which makes the copy.
        minds_null: Whether a NULL in a column could break the original.
    """

    kind: str
    name: str
    fresh: str
    line: str
    minds_null: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Belongings:
    """Lines of the two halves of a pair.

    Attributes:
        add: Of the expand: the new columns with default, comment and grants, nullable and empty.
        seal: Of ``seal()``.
        leave: Of the contract, before the old columns are dropped: foreign keys that refer to them.
        restore: Of the contract's downgrade, after the old columns are back and full: default, NOT NULL, indexes,
            constraints.
        notes: What is not carried over, or not as it was.
        copies: What has a copy under another name.
    """

    add: list[str] = field(default_factory=list)
    seal: list[str] = field(default_factory=list)
    leave: list[str] = field(default_factory=list)
    restore: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    copies: list[Copy] = field(default_factory=list)


def carry(
    connection: Connection,
    table: Table,
    moves: Sequence[Move],
    reread: Callable[[str], str] | None = None,
    *,
    foreign_keys: bool = True,
) -> Belongings:
    """Everything that hangs on the old columns, over the new ones; an index over two of them comes once.

    Args:
        connection: Its temporary schema is written to and rolled back.
        table: The columns' table.
        moves: The columns. A new one's ``default`` is taken as it stands.
        reread: Makes of an expression over the old types one over the new, where PostgreSQL would not.
        foreign_keys: Whether these are carried too.

    Raises:
        MappingError: An index, check or foreign key cannot be of the new type.
    """
    found = Belongings()
    names = _Names(connection, table, moves)
    written = belonging.rewritten(connection, table, [(move.old, move.new) for move in moves], reread)
    for move in moves:
        found.add.extend(_add(connection, table, move))
    _indexes(connection, table, moves, names, written, found)
    _checks(connection, table, moves, names, written, found)
    if foreign_keys:
        _foreign_keys(connection, table, moves, names, found)
    for move in moves:
        if move.new.not_null:
            found.seal.append(f"op.seal_not_null({rendered(table.spelled)}, {rendered(move.new.name)})")
        found.restore[:0] = _restore(table, move)
        for name in belonging.statistics(connection, table, move.old.name):
            found.notes.append(
                f"statistics {name} are dropped with {move.old.name}; create them anew over the new column"
            )
    return found


def in_schema(table: Table) -> str:
    """The keyword argument that Alembic's directives need of a table outside ``public``."""
    return "" if table.schema == "public" else f", schema={rendered(table.schema)}"


def qualified(table: Table) -> str:
    """The table's name as SQL."""
    return f"{quote(table.schema)}.{quote(table.name)}"


class _Names:
    """Names for copies: with the new column's name in place of the old one's, short enough, and free."""

    def __init__(self, connection: Connection, table: Table, moves: Sequence[Move]) -> None:
        self.moves = [(move.old.name, move.new.name) for move in moves]
        self.columns = dict(self.moves)
        self._schema = table.schema
        self._taken = {table.schema: set(belonging.taken(connection, table.schema))}
        self._connection = connection

    def fresh(self, name: str, schema: str | None = None) -> str:
        schema = schema or self._schema
        if schema not in self._taken:
            self._taken[schema] = set(belonging.taken(self._connection, schema))
        wanted = self._wanted(name)
        found = wanted
        for number in range(2, 100):
            if found not in self._taken[schema] and len(found.encode()) <= LONGEST:
                break
            found = _shortened(wanted, f"_{sha256(wanted.encode()).hexdigest()[:6]}" if number == 2 else f"_{number}")  # noqa: PLR2004
        self._taken[schema].add(found)
        return found

    def _wanted(self, name: str) -> str:
        wanted = name
        for old, new in self.moves:
            whole = rf"(?<![^\W_]){re.escape(old)}(?![^\W_])"
            wanted = re.sub(whole, lambda _, new=new: new, wanted)  # type: ignore[misc]
        return wanted if wanted != name else f"{name}_{self.moves[0][1]}"


def _shortened(name: str, end: str) -> str:
    return name.encode()[: LONGEST - len(end)].decode(errors="ignore") + end


def _add(connection: Connection, table: Table, move: Move) -> list[str]:
    old, new = move.old, move.new
    lines = [add_column(table, new, new.name)]
    place = f"{rendered(table.name)}, {rendered(new.name)}"
    if new.default is not None:
        # set after the column is added, so that the rows there stay NULL for the backfill to find
        lines.append(f"op.alter_column({place}, server_default=sa.text({statement(new.default)}){in_schema(table)})")
    if new.comment is not None:
        lines.append(f"op.alter_column({place}, comment={rendered(new.comment)}{in_schema(table)})")
    lines += [
        granted(table, new.name, role, privilege) for role, privilege in catalog.grants(connection, table, old.name)
    ]
    return lines


def granted(table: Table, column: str, role: str, privilege: str) -> str:
    """The line that grants a privilege on a column."""
    grantee = "PUBLIC" if role == "public" else quote(role)
    return f"op.execute({statement(f'GRANT {privilege} ({quote(column)}) ON {qualified(table)} TO {grantee}')})"


def leave(connection: Connection, table: Table, column: Column, found: Belongings) -> None:
    """What hangs on a column that no single new one takes the place of: it goes, and is told and restored.

    Raises:
        MappingError: A foreign key of another table refers to the column.
    """
    found.restore[:0] = _restore(table, Move(old=column, new=column))
    for key in belonging.foreign_keys(connection, table, column.name):
        if not (key.table == table and column.name in key.columns):
            msg = f"foreign key {key.name} of {key.table} refers to {table}.{column.name}, and nothing takes its place"
            raise MappingError(msg, hint="drop the foreign key first, with a pair of its own")
    constraints = [c for c in catalog.constraints(connection, table, column.name) if c.kind in {"c", "f", "u"}]
    for constraint in constraints:
        found.notes.append(f"constraint {constraint.name} goes with {column.name}: {constraint.definition}")
        found.restore.append(_constraint(table, constraint.name, constraint.definition))
    for index in catalog.indexes(connection, table, column.name):
        if index.constraint is None:
            found.notes.append(f"index {index.name} goes with {column.name}: {index.definition}")
            found.restore.append(f"op.execute({statement(index.definition)})")


def _restore(table: Table, move: Move) -> list[str]:
    place = f"{rendered(table.name)}, {rendered(move.old.name)}"
    lines = []
    if move.old.default is not None:
        default = statement(move.old.default)
        lines.append(f"op.alter_column({place}, server_default=sa.text({default}){in_schema(table)})")
    if move.old.not_null:
        lines.append(f"op.alter_column({place}, nullable=False{in_schema(table)})")
    return lines


def _each(connection: Connection, table: Table, moves: Sequence[Move]) -> dict[str, catalog.Index]:
    return {index.name: index for move in moves for index in catalog.indexes(connection, table, move.old.name)}


def _indexes(
    connection: Connection,
    table: Table,
    moves: Sequence[Move],
    names: _Names,
    written: belonging.Written,
    found: Belongings,
) -> None:
    where = rendered(table.spelled)
    constraints = (found for move in moves for found in catalog.constraints(connection, table, move.old.name))
    uniques = {constraint.name: constraint for constraint in constraints if constraint.kind == "u"}
    for index in _each(connection, table, moves).values():
        if not index.valid:
            found.notes.append(f"index {index.name} is not valid and is not carried over")
        elif index.constraint is None:
            alone = ", unique=True" if index.unique else ""
            fresh, tail = names.fresh(index.name), written.indexes[index.name]
            found.seal.append(f"op.seal_index({rendered(fresh)}, {where}, {rendered(tail)}{alone})")
            found.restore.append(f"op.execute({statement(index.definition)})")
            found.copies.append(_copy("index", index.name, fresh, found, " NULLS NOT DISTINCT" in index.definition))
    for unique in uniques.values():
        fresh = names.fresh(unique.name)
        found.seal.append(f"op.seal_unique({rendered(fresh)}, {where}, {_unique(unique, names)})")
        found.restore.append(_constraint(table, unique.name, unique.definition))
        equal = unique.definition.startswith("UNIQUE NULLS NOT DISTINCT")
        found.copies.append(_copy("constraint", unique.name, fresh, found, equal))


def _copy(kind: str, name: str, fresh: str, found: Belongings, minds_null: bool) -> Copy:  # noqa: FBT001
    """The copy that the last line of the seal makes."""
    return Copy(kind=kind, name=name, fresh=fresh, line=found.seal[-1], minds_null=minds_null)


def _unique(found: catalog.Constraint, names: _Names) -> str:
    def listed(columns: tuple[str, ...]) -> str:
        return f"[{', '.join(rendered(names.columns.get(name, name)) for name in columns)}]"

    said = [listed(found.columns)]
    if found.included:
        said.append(f"include={listed(found.included)}")
    if found.definition.startswith("UNIQUE NULLS NOT DISTINCT"):
        said.append("nulls_not_distinct=True")
    if found.deferrable:
        said.append("deferrable=True" + (', initially="DEFERRED"' if found.deferred else ""))
    return ", ".join(said)


def _constraint(table: Table, name: str, definition: str) -> str:
    return f"op.execute({statement(f'ALTER TABLE {qualified(table)} ADD CONSTRAINT {quote(name)} {definition}')})"


def _checks(
    connection: Connection,
    table: Table,
    moves: Sequence[Move],
    names: _Names,
    written: belonging.Written,
    found: Belongings,
) -> None:
    known = belonging.checks(connection, table)
    over = {c.name for move in moves for c in catalog.constraints(connection, table, move.old.name) if c.kind == "c"}
    for name in sorted(over):
        check = known[name]
        if not check.enforced:
            found.notes.append(f"check {name} is NOT ENFORCED and is not carried over")
            continue
        if not check.validated:
            found.notes.append(
                f"check {name} was never validated; its copy will be, and rows that break it stop the seal"
            )
        fresh = names.fresh(name)
        line = f"op.seal_check({rendered(fresh)}, {rendered(table.spelled)}, {rendered(written.checks[name])})"
        found.seal.append(line)
        found.copies.append(_copy("constraint", name, fresh, found, True))  # noqa: FBT003  # a check may say anything
        found.restore.append(_constraint(table, name, f"CHECK ({check.expression})"))


def _foreign_keys(
    connection: Connection, table: Table, moves: Sequence[Move], names: _Names, found: Belongings
) -> None:
    keys = {
        key.name + str(key.table): key for m in moves for key in belonging.foreign_keys(connection, table, m.old.name)
    }
    for key in keys.values():
        _comparable(connection, table, key, moves)
        fresh = names.fresh(key.name, key.table.schema)
        definition = key.definition(table, names.columns)
        line = f"op.seal_foreign_key({rendered(fresh)}, {rendered(key.table.spelled)}, {rendered(definition)})"
        found.seal.append(line)
        if key.table == table:
            whole = key.match == "f" and len(key.columns) > 1
            found.copies.append(_copy("constraint", key.name, fresh, found, whole))
        if not key.validated:
            found.notes.append(
                f"foreign key {key.name} was never validated; its copy will be, and rows that break it stop the seal"
            )
        if not (key.table == table and names.columns.keys() & set(key.columns)):
            drop = f"ALTER TABLE {qualified(key.table)} DROP CONSTRAINT {quote(key.name)}"
            found.leave.append(f"op.execute({statement(drop)})")
        found.restore.append(_constraint(key.table, key.name, key.definition(table, {})))


def _comparable(connection: Connection, table: Table, key: belonging.ForeignKey, moves: Sequence[Move]) -> None:
    """Make sure that PostgreSQL can compare the two ends under the new types, on two empty temporary tables."""
    fresh = {move.old.name: move.new for move in moves}

    def kinds(place: Table, columns: tuple[str, ...]) -> list[str]:
        known = {column.name: column for column in catalog.columns(connection, place)}
        return [(fresh.get(name, known[name]) if place == table else known[name]).type for name in columns]

    ends = list(zip(kinds(key.table, key.columns), kinds(key.ref_table, key.ref_columns), strict=True))
    lists = [", ".join(f"c{n} {end[side]}" for n, end in enumerate(ends)) for side in (0, 1)]
    listed = ", ".join(f"c{n}" for n in range(len(ends)))
    savepoint = connection.begin_nested()
    try:
        connection.exec_driver_sql(f"CREATE TEMP TABLE expandcontract_to ({lists[1]}, UNIQUE ({listed}))")
        connection.exec_driver_sql(
            f"CREATE TEMP TABLE expandcontract_from ({lists[0]},"
            f" FOREIGN KEY ({listed}) REFERENCES expandcontract_to ({listed}))"
        )
    except DBAPIError as exc:
        reason = str(exc.orig).splitlines()[0]
        msg = f"foreign key {key.name} from {key.table} to {key.ref_table} cannot have such types: {reason}"
        raise MappingError(
            msg, hint="drop the foreign key first, and add it again once both ends have their new type"
        ) from exc
    finally:
        savepoint.rollback()


def refuse(connection: Connection, table: Table, column: Column) -> tuple[str, ...]:
    """Refuse columns that no new one can take the place of.

    Returns:
        What has to be seen to before the contract.

    Raises:
        MappingError: What it is, why it cannot be carried, and what to do instead.
    """
    return obstacles.refuse(connection, table, [column.name])


def free(connection: Connection, table: Table, name: str) -> str:
    """``name`` itself, where the table can have a column of that name.

    Raises:
        MappingError: It is too long, or taken.
    """
    if not name or len(name.encode()) > LONGEST:
        msg = f"{name!r} is longer than PostgreSQL's {LONGEST} bytes" if name else "a column needs a name"
        raise MappingError(msg, hint="choose another name")
    if any(found.name == name for found in catalog.columns(connection, table)):
        msg = f"{table} has a column {name!r} already"
        raise MappingError(msg, hint="choose another name")
    return name


def quote_name(connection: Connection, name: str) -> str:
    """The identifier as SQL, quoted where PostgreSQL needs it."""
    return str(connection.execute(text("SELECT quote_ident(:name)"), {"name": name}).scalar_one())


def named(*words: str) -> str:
    """A change's name made of what it changes: snake_case, short enough."""
    found = re.sub(r"[^a-z0-9]+", "_", "_".join(words).lower()).strip("_")
    return (found if found[:1].isalpha() else f"c_{found}")[:LONGEST_NAME].rstrip("_")
