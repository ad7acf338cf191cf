"""The two halves of a swapped change: new columns under helper names, which trade names with the old ones at cut-over.

What hangs on the columns comes along as :mod:`belongings` carries it. Most of it trades names too. Dropped at the swap
and made anew before the names go back is what would fail a write of a value that the old column cannot have and is
NULL for (checks, NULLS NOT DISTINCT, MATCH FULL), and what cannot be renamed while another stands on it (primary keys,
foreign keys whose other end moves too). Helper names are symmetric: before the swap the new column has it, afterwards
the old one, so what the seal makes and what the way back makes anew are the same lines.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingABC
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from expandcontract.core.change import Change
from expandcontract.core.mapping import Mapping, Table
from expandcontract.core.phase import Kind
from expandcontract.errors import MappingError
from expandcontract.pg import bound, catalog, obstacles
from expandcontract.revisions.recipes import belongings
from expandcontract.revisions.recipes.belongings import Move, in_schema, qualified, quote_name
from expandcontract.revisions.render import Draft, Half, quote, rendered, statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

HELPER = "_beside"
SHORT = 63 - len(HELPER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Swapped:
    """One column that gives its name to a new one.

    Attributes:
        table: Its table.
        old: The column.
        new: The new one, under the helper name; its default is what it gets with the name.
        forward: The new value, over the old column.
        back: The old value, over the new column under the helper name.
        restored: The same over the new column under the old one's name.
        lossy: Whether going back may not restore every value.
    """

    table: Table
    old: catalog.Column
    new: catalog.Column
    forward: str
    back: str
    restored: str
    lossy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Lines about what is made anew and does not trade names.

    Attributes:
        seal: What is made over the helper columns, before either swap.
        leave: Drops what is over the columns that lose their names.
        make: Gives what was sealed its proper name.
    """

    seal: tuple[str, ...] = ()
    leave: tuple[str, ...] = ()
    make: tuple[str, ...] = ()


NO_KEYS = Keys()
PROVED = "# ec: ignore EC221, EC222, EC225 because seal_back() has proved it, so that nothing is scanned"


def helper(connection: Connection, table: Table, column: str) -> str:
    """The name of the column beside ``column``.

    Raises:
        MappingError: It is taken.
    """
    return belongings.free(connection, table, column.encode()[:SHORT].decode(errors="ignore") + HELPER)


def refuse(connection: Connection, table: Table, column: catalog.Column) -> None:
    """Refuse a column whose name cannot go to another one without somebody missing it.

    Raises:
        MappingError: What is tied to the column itself, and what to do instead.
    """
    if column.generated:
        msg = f"{table}.{column.name} is generated, and a new column under its name would not be"
        raise MappingError(msg, hint="drop the generated column and add it anew, each with a pair of its own")
    if found := bound.bound(connection, table, column.name):
        msg = f"{table}.{column.name} cannot give its name away: {', '.join(found)} would stay with the old column"
        raise MappingError(msg, hint="drop it first and make it anew once the change is contracted")
    obstacles.refuse(connection, table, [column.name], in_place=True)


def draft(
    connection: Connection,
    name: str,
    what: str,
    columns: Sequence[Swapped],
    *,
    keys: Keys = NO_KEYS,
    notes: Sequence[str] = (),
) -> Draft:
    """Both halves.

    Args:
        connection: To a database that has the old shape.
        name: The change's.
        what: In a few words, for the files' first lines.
        columns: What trades names; several of one table come once an index.
        keys: Primary and foreign keys that are made anew.
        notes: What there is to know beyond what could not be carried.

    Raises:
        MappingError: Something that hangs on a column cannot be of the new type.
    """
    tables = _by_table(columns)
    carried = {table: _carry(connection, table, found, back=False, keys=keys) for table, found in tables.items()}
    restored = {table: _carry(connection, table, found, back=True, keys=keys) for table, found in tables.items()}
    mappings = [_mapping(table, found) for table, found in tables.items()]
    return Draft(
        change=Change(name, mapping=mappings, kind=Kind.SWAPPED),
        expand=_expand(connection, what, columns, keys, carried),
        contract=_contract(what, columns, restored),
        beside=frozenset(n for c in columns for n in catalog.beside(connection, c.table, c.old.name)),
        notes=(*notes, *(note for found in carried.values() for note in found.notes)),
    )


Carried = MappingABC[Table, belongings.Belongings]


def _expand(connection: Connection, what: str, columns: Sequence[Swapped], keys: Keys, carried: Carried) -> Half:
    trades = [line for table, found in carried.items() for line in _trade_belongings(table, found)]
    anew = _anew(carried)
    leave, make = [*keys.leave, *anew.leave], [*keys.make, *anew.make]
    return Half(
        summary=f"{what} (expand)",
        upgrade=[
            *(line for found in carried.values() for line in found.add),
            "op.begin_change(change)  # hold and two-way triggers",
        ],
        seal=[*(line for found in carried.values() for line in found.seal), *keys.seal],
        cut_over=[*leave, *_trade(connection, columns, back=False), *make, *trades],
        seal_back=[*anew.seal, *keys.seal],
        roll_back=[*leave, *_trade(connection, columns, back=True), *make, *trades],
        downgrade=["op.end_change(change)", *(_drop(column.table, column.new.name) for column in columns)],
    )


def _contract(what: str, columns: Sequence[Swapped], restored: Carried) -> Half:
    return Half(
        summary=f"{what} (contract)",
        upgrade=[
            "op.assert_contract(change)  # refused until the rollback window has expired",
            "op.end_change(change)  # triggers, then hold",
            *(_drop(column.table, column.new.name) for column in columns),
        ],
        downgrade=[
            *(line for found in restored.values() for line in found.add),
            *(_fill(column) for column in columns),
            *(line for found in restored.values() for line in found.seal),
        ],
    )


def _by_table(columns: Sequence[Swapped]) -> dict[Table, list[Swapped]]:
    tables: dict[Table, list[Swapped]] = {}
    for column in sorted(columns, key=lambda found: (found.table.schema, found.table.name)):
        tables.setdefault(column.table, []).append(column)
    return tables


def _carry(
    connection: Connection, table: Table, columns: Sequence[Swapped], *, back: bool, keys: Keys
) -> belongings.Belongings:
    """What comes along to the helper columns: of the new type, or ``back`` of the old one once it has that name."""
    moves = []
    for column in columns:
        like = column.old if back else column.new
        beside = replace(like, name=column.new.name, default=None, identity=False)
        moves.append(Move(old=column.old, new=replace(beside, not_null=False) if back else beside))
    return belongings.carry(connection, table, moves, foreign_keys=keys is NO_KEYS)


def _mapping(table: Table, columns: Sequence[Swapped]) -> Mapping:
    return Mapping(
        table,
        forward={column.new.name: column.forward for column in columns},
        reverse={column.old.name: column.back for column in columns},
        lossy=any(column.lossy for column in columns),
    )


def _trade(connection: Connection, columns: Sequence[Swapped], *, back: bool) -> list[str]:
    """The columns trade names; a default or numbering goes with the name, NOT NULL leaves the one that lost it."""
    lines = []
    for column in columns:
        table, schema = rendered(column.table.spelled), in_schema(column.table)
        name, beside = rendered(column.old.name), rendered(column.new.name)
        place = f"{rendered(column.table.name)}, {beside}"
        if back and column.old.not_null:
            lines.append(PROVED)
            lines.append(f"op.alter_column({place}, nullable=False{schema})")
        lines.append(f"op.trade_columns({table}, {name}, {beside})")
        if _numbered(column):
            typed = bound.typed(connection, column.table, column.old.name)
            kept = ", retype=False" if typed is False else ""
            lines.append(f"op.move_numbering({table}, {beside}, {name}{kept})")
        elif column.old.default is not None:
            default = statement((column.old if back else column.new).default or "")
            place_of_name = f"{rendered(column.table.name)}, {name}"
            lines.append(f"op.alter_column({place_of_name}, server_default=sa.text({default}){schema})")
            lines.append(f"op.alter_column({place}, server_default=None{schema})")
        if not back and column.old.not_null:
            lines.append(f"op.alter_column({place}, nullable=True{schema})")
    return lines


def _numbered(column: Swapped) -> bool:
    return column.old.identity or "nextval(" in (column.old.default or "")


def _trade_belongings(table: Table, carried: belongings.Belongings) -> list[str]:
    plural = {"index": "indexes", "constraint": "constraints"}
    return [
        f"op.trade_{plural[copy.kind]}({rendered(table.spelled)}, {rendered(copy.name)}, {rendered(copy.fresh)})"
        for copy in carried.copies
        if not copy.minds_null
    ]


def _anew(carried: Carried) -> Keys:
    """What a NULL in the old column could break: it goes with the name, and is made anew for the way back."""
    minding = [(table, copy) for table, found in carried.items() for copy in found.copies if copy.minds_null]
    return Keys(
        seal=tuple(copy.line for _, copy in minding),
        leave=tuple(drop(table, copy.kind, copy.name) for table, copy in minding),
        make=tuple(rename(table, copy.kind, copy.fresh, copy.name) for table, copy in minding),
    )


def drop(table: Table, kind: str, name: str) -> str:
    """The line that drops an ``index`` or a ``constraint``."""
    return f"op.drop_{kind}({rendered(name)}, {rendered(table.name)}{in_schema(table)})"


def rename(table: Table, kind: str, name: str, to: str) -> str:
    """The line that renames an ``index`` or a ``constraint``."""
    if kind == "index":
        return f"op.execute({statement(f'ALTER INDEX {quote(table.schema)}.{quote(name)} RENAME TO {quote(to)}')})"
    return f"op.execute({statement(f'ALTER TABLE {qualified(table)} RENAME CONSTRAINT {quote(name)} TO {quote(to)}')})"


def _drop(table: Table, column: str) -> str:
    return f"op.drop_column({rendered(table.name)}, {rendered(column)}{in_schema(table)})"


def _fill(column: Swapped) -> str:
    """The old value under the helper name, for the contract's downgrade."""
    fill = f"UPDATE {qualified(column.table)} SET {quote(column.new.name)} = ({column.restored})"
    return f"op.execute({statement(fill)})"


def note(columns: Sequence[Swapped]) -> str:
    """What a running release may still notice."""
    named = ", ".join(f"{column.table}.{column.old.name}" for column in columns)
    return (
        f"a session that has prepared a statement returning {named} gets 0A000 from it after the swap until it"
        " prepares anew (psycopg prepares what it runs often); ec gate names the sessions there are"
    )


def cast(connection: Connection, table: Table, old: catalog.Column, new: catalog.Column) -> Swapped:
    """A column whose values are cast to the new type, and back."""
    name, beside = quote_name(connection, old.name), quote_name(connection, new.name)
    return Swapped(
        table=table,
        old=old,
        new=new,
        forward=f"{name}::{new.type}",
        back=f"{beside}::{old.type}",
        restored=f"{name}::{old.type}",
    )
