"""``drop-table``: it is held until no release is left that uses it; its foreign keys go first, one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.change import Change
from expandcontract.core.mapping import Table
from expandcontract.core.shape import Hold
from expandcontract.errors import MappingError
from expandcontract.pg import catalog, leaving
from expandcontract.revisions.recipes.wording import change_name, execute, in_schema
from expandcontract.revisions.render import Draft, Half, rendered

if TYPE_CHECKING:
    from sqlalchemy import Connection


def draft(connection: Connection, table: str, *, name: str | None = None) -> Draft:
    """The pair that drops a table.

    Args:
        connection: To a database that has it.
        table: ``table`` or ``schema.table``.
        name: The change's name; default ``drop_table``.

    Raises:
        UnknownNameError: There is no such table.
        MappingError: It is part of another table, or others inherit from it.
    """
    place = Table.parse(table)
    columns = [column.name for column in catalog.columns(connection, place)]
    found = leaving.facts(connection, place)
    if found.partition:
        msg = f"{place} is a partition, and its rows are another table's too"
        raise MappingError(msg, hint="ALTER TABLE … DETACH PARTITION … CONCURRENTLY first")
    if found.children or found.inherits:
        msg = f"{place} {'inherits' if found.inherits else 'is inherited from by ' + ', '.join(found.children)}"
        raise MappingError(msg, hint="ALTER TABLE … NO INHERIT … first")
    if not columns:
        msg = f"{place} has no column that could be held"
        raise MappingError(msg, hint="drop it in a revision of its own")
    return Draft(
        change=Change(change_name("drop", place.name, name=name), removes=Hold(place, columns)),
        expand=Half(
            summary=f"drop {place} (expand)",
            upgrade=["op.begin_change(change)  # holds the table until the contract"],
            downgrade=["op.end_change(change)"],
        ),
        contract=Half(
            summary=f"drop {place} (contract)",
            seal=[
                f"op.unseal_foreign_key({rendered(key.name)}, {rendered(place.spelled)}, {rendered(key.definition)})"
                for key in leaving.keys_out(connection, place)
            ],
            upgrade=[
                "op.assert_contract(change)  # refused until the rollback window has expired",
                "op.end_change(change)  # lets the table go",
                f"op.drop_table({rendered(place.name)}{in_schema(place)})",
            ],
            downgrade=[execute(made) for made in leaving.source(connection, place)],
        ),
        notes=_notes(connection, place, found, columns),
    )


def _notes(connection: Connection, table: Table, found: leaving.TableFacts, columns: list[str]) -> tuple[str, ...]:
    notes = [f"trigger {trigger} goes with it" for trigger in found.triggers]
    if found.row_security:
        notes.append("its policies go with it")
    if found.partitioned:
        notes.append("its partitions go with it, and each is locked with it")
    notes += [
        f"foreign key {key.name} goes first, for which {key.target} is locked an instant"
        for key in leaving.keys_out(connection, table)
    ]
    notes += [
        f"the contract is refused until this is changed or dropped: {what}"
        for what in catalog.dependents(connection, table, columns)
    ]
    notes += [
        f"publication {name} sends it: contract here before the subscriber drops it"
        for name in leaving.published(connection, table)
    ]
    notes.append("its rows are gone for good with the contract: keep a copy of what must be kept")
    return tuple(notes)
