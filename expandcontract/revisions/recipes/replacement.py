"""The two halves of a mapped change: new columns beside old ones, kept equal until the old ones are dropped.

Every recipe with a mapping comes here. The expressions are proved first: they parse, are immutable, and the rows that
there are go forward and come back.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from expandcontract.core.change import Change
from expandcontract.core.mapping import Mapping
from expandcontract.errors import MappingError
from expandcontract.pg import catalog, obstacles
from expandcontract.pg.expression import check_mapping, yields
from expandcontract.pg.roundtrip import round_trip, told
from expandcontract.revisions.recipes import belongings
from expandcontract.revisions.recipes.belongings import Belongings, Move, in_schema, qualified
from expandcontract.revisions.render import Draft, Half, add_column, quote, rendered, statement

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from collections.abc import Mapping as MappingABC

    from sqlalchemy import Connection

    from expandcontract.core.mapping import Table
    from expandcontract.pg.catalog import Column


ROUNDED = frozenset({"smallint", "integer", "bigint", "numeric", "real", "date"}) | {
    f"{word}{zone}" for word in ("time", "timestamp") for zone in ("", " with time zone", " without time zone")
}
"""Types to which an assignment rounds a value of another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What happens to one table.

    Attributes:
        mapping: How old and new columns give each other.
        moves: Columns that one new column takes the place of; what hangs on them is carried over.
        added: New columns that take the place of several, or of a part of one.
    """

    mapping: Mapping
    moves: tuple[Move, ...] = ()
    added: tuple[Column, ...] = ()

    @property
    def new(self) -> tuple[Column, ...]:
        """All new columns."""
        return (*(move.new for move in self.moves), *self.added)


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """Lines for what the columns need and is not of their tables: a type.

    Attributes:
        expand: Before anything else in the expand.
        expand_back: After everything else in its downgrade.
        contract: After everything else in the contract.
        contract_back: Before anything else in its downgrade.
    """

    expand: tuple[str, ...] = ()
    expand_back: tuple[str, ...] = ()
    contract: tuple[str, ...] = ()
    contract_back: tuple[str, ...] = ()


NOTHING_AROUND = Around()


def replaced(
    connection: Connection,
    name: str,
    what: str,
    parts: Sequence[Part],
    *,
    around: Around = NOTHING_AROUND,
    notes: Sequence[str] = (),
    reread: Callable[[str], str] | None = None,
) -> Draft:
    """Both halves.

    Args:
        connection: To a database that has the old shape; left as it was.
        name: The change's.
        what: In a few words, for the files' first lines.
        parts: One a table.
        around: What else is made and dropped.
        notes: What there is to know, beyond what is found here.
        reread: As :func:`belongings.carry` takes it.

    Raises:
        MappingError: A column cannot be replaced, or an expression does not hold on the rows that there are.
    """
    parts = [replace(part, mapping=_exact(connection, part)) for part in parts]
    said = list(notes)
    carried = []
    for part in parts:
        said += obstacles.refuse(connection, part.mapping.table, part.mapping.old)
        said += prove(connection, part.mapping, part.new)
        carried.append(_carried(connection, part, reread))
    return Draft(
        change=Change(name, mapping=[part.mapping for part in parts]),
        expand=_expand(what, parts, carried, around),
        contract=_contract(connection, what, parts, carried, around),
        beside=frozenset().union(*(_beside(connection, part) for part in parts)),
        notes=(*said, *(note for found in carried for note in found.notes)),
    )


def _expand(what: str, parts: Sequence[Part], carried: Sequence[Belongings], around: Around) -> Half:
    return Half(
        summary=f"{what} (expand)",
        upgrade=[
            *around.expand,
            *(line for found in carried for line in found.add),
            "op.begin_change(change)  # hold and two-way triggers",
        ],
        seal=[line for found in carried for line in found.seal],
        downgrade=[
            "op.end_change(change)",
            *(_drop(part.mapping.table, column) for part in parts for column in part.mapping.new),
            *around.expand_back,
        ],
    )


def _contract(
    connection: Connection, what: str, parts: Sequence[Part], carried: Sequence[Belongings], around: Around
) -> Half:
    return Half(
        summary=f"{what} (contract)",
        upgrade=[
            "op.assert_contract(change)  # refused until the rollback window has expired",
            "op.end_change(change)  # triggers, then hold",
            *(line for found in carried for line in found.leave),
            *(_drop(part.mapping.table, column) for part in parts for column in part.mapping.old),
            *around.contract,
        ],
        downgrade=[
            *around.contract_back,
            *(line for part in parts for line in _back(connection, part)),
            *(line for found in carried for line in found.restore),
        ],
    )


def _exact(connection: Connection, part: Part) -> Mapping:
    """The mapping with a cast where an assignment would round: what is stored is what the expression says.

    A length is left to the assignment, which refuses a longer value where a cast would cut it off.
    """
    mapping = part.mapping
    old = {name: catalog.column(connection, mapping.table, name).type for name in mapping.old}
    new = {column.name: column.type for column in part.new}

    def cast(side: MappingABC[str, str], given: MappingABC[str, str], types: MappingABC[str, str]) -> dict[str, str]:
        found = {}
        for name, expression in side.items():
            yielded = yields(connection, mapping.table, given, name, expression)
            rounds = yielded != types[name] and types[name].split("(")[0] in ROUNDED
            found[name] = f"({expression})::{types[name]}" if rounds else expression
        return found

    return Mapping(
        mapping.table,
        forward=cast(mapping.forward, old, new),
        reverse=cast(mapping.reverse, new, old),
        lossy=mapping.lossy,
    )


def prove(connection: Connection, mapping: Mapping, new: Sequence[Column]) -> list[str]:
    """Make sure that the mapping holds on the rows that there are.

    Args:
        connection: To a database that has the old columns.
        mapping: The mapping.
        new: The new columns, with types and whether they may be NULL.

    Returns:
        What is lost, where the mapping is declared lossy.

    Raises:
        MappingError: An expression cannot be used, or the first rows that it does not hold for.
    """
    types = check_mapping(connection, mapping, {column.name: column.type for column in new})
    not_null = frozenset(column.name for column in new if column.not_null)
    found = round_trip(connection, mapping, types, not_null=not_null)
    what, fix = told(mapping, found)
    if what:
        raise MappingError(what, hint=fix)
    if mapping.lossy:
        share = f"{found.changed or 'none'} of {found.extent}"
        note = (
            f"the mapping of {mapping.table} is lossy: {share} would come back as others; after cut-over, what the new"
            f" release writes reaches {', '.join(mapping.old)} only as far as the reverse can tell"
        )
        return [note]
    return []


def _carried(connection: Connection, part: Part, reread: Callable[[str], str] | None) -> Belongings:
    table = part.mapping.table
    found = belongings.carry(connection, table, part.moves, reread) if part.moves else Belongings()
    moved = {move.old.name for move in part.moves}
    gone = [name for name in part.mapping.old if name not in moved]
    common = _common_grants(connection, table, gone)
    for column in part.added:
        found.add.append(add_column(table, column, column.name))
        found.add.extend(belongings.granted(table, column.name, role, privilege) for role, privilege in common)
        if column.not_null:
            found.seal.append(f"op.seal_not_null({rendered(table.spelled)}, {rendered(column.name)})")
    for name in gone:
        belongings.leave(connection, table, catalog.column(connection, table, name), found)
    # what is over two of the columns was found twice
    found.restore[:], found.notes[:] = dict.fromkeys(found.restore), dict.fromkeys(found.notes)
    return found


def _common_grants(connection: Connection, table: Table, columns: Sequence[str]) -> list[tuple[str, str]]:
    """What is granted on each of the columns; a new one made of all of them tells no more than that."""
    counted = Counter(grant for name in columns for grant in catalog.grants(connection, table, name))
    return [grant for grant, times in counted.items() if times == len(columns)]


def _drop(table: Table, column: str) -> str:
    return f"op.drop_column({rendered(table.name)}, {rendered(column)}{in_schema(table)})"


def _back(connection: Connection, part: Part) -> list[str]:
    table = part.mapping.table
    lines = [add_column(table, catalog.column(connection, table, name), name) for name in part.mapping.old]
    values = ", ".join(f"{quote(name)} = ({reverse})" for name, reverse in part.mapping.reverse.items())
    fill = f"UPDATE {qualified(table)} AS {quote(table.name)} SET {values}"
    return [*lines, f"op.execute({statement(fill)})"]


def _beside(connection: Connection, part: Part) -> frozenset[str]:
    found = (catalog.beside(connection, part.mapping.table, name) for name in part.mapping.old)
    return frozenset().union(*found) - set(part.mapping.old)
