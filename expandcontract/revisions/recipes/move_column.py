"""``move-column``: columns move to another table, whose rows belong one to one to this one's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from expandcontract.core.change import Change, check_name
from expandcontract.core.mapping import Table
from expandcontract.core.transfer import Transfer
from expandcontract.errors import MappingError, UsageError
from expandcontract.pg import catalog, obstacles, transfers
from expandcontract.revisions.recipes import belongings, declared
from expandcontract.revisions.recipes.belongings import Belongings, in_schema, named, qualified
from expandcontract.revisions.render import Draft, Half, add_column, quote, rendered, statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from expandcontract.pg.catalog import Column
    from expandcontract.pg.transfers import Lacking


def draft(  # noqa: PLR0913  # each is a flag of the command
    connection: Connection,
    table: str,
    columns: Sequence[str],
    *,
    to: str,
    key: Sequence[str],
    using: str | None = None,
    reverse: str | None = None,
    lossy: bool = False,
    create_missing: bool = False,
    name: str | None = None,
) -> Draft:
    """The pair that moves columns to another table.

    Args:
        connection: To a database that has both tables; left as it was.
        table: Where the columns are, ``table`` or ``schema.table``.
        columns: Their names.
        to: Where they go.
        key: ``target_column=source_column``, once for each column of the key.
        using: The new value as an expression over the old row, where it is not the old value; of one column only.
        reverse: The old value as an expression over the new one.
        lossy: Whether going back may not restore every value.
        create_missing: Whether the backfill inserts target rows where there is a value and none to hold it.
        name: The change's name; default ``table_column_to_target``.

    Returns:
        Both halves.

    Raises:
        UnknownNameError: There is no such table or column.
        UsageError: No key or column is given, or an expression without its counterpart.
        MappingError: The columns cannot be moved, or an expression does not hold on the rows that there are.
    """
    source, target = Table.parse(table), Table.parse(to)
    old = [catalog.column(connection, source, column) for column in columns]
    new, forward, back = _sides(connection, source, target, old, using, reverse)
    transfer = Transfer(
        source,
        target,
        key=_key(connection, key, source, target),
        forward=forward,
        reverse=back,
        lossy=lossy,
        create_missing=create_missing,
    )
    notes = [*_refuse(connection, transfer, old), *_prove(connection, transfer, new)]
    notes += _without_row(connection, transfer)
    change = check_name(name or named(source.name, *columns, "to", target.name))
    return _drafted(connection, transfer, Change(change, transfer=transfer), old, new, notes)


def _sides(
    connection: Connection,
    source: Table,
    target: Table,
    old: Sequence[Column],
    using: str | None,
    reverse: str | None,
) -> tuple[list[Column], dict[str, str], dict[str, str]]:
    if not old:
        msg = f"nothing says which columns of {source} move"
        raise UsageError(msg, hint="ec new move-column users bio --to profiles --key user_id=id")
    if (using is None) != (reverse is None) or (using is not None and len(old) != 1):
        msg = "--using and --reverse go together, and are for one column"
        raise UsageError(msg, hint="move each column whose value changes with a pair of its own")
    for column in old:
        belongings.free(connection, target, column.name)
    if using is not None and reverse is not None:
        said = declared.Declared(name=old[0].name, type=None, not_null=False)
        made = declared.column(connection, target, said, using, {old[0].name: old[0]}, of=source)
        return [made], {made.name: using}, {old[0].name: reverse}
    plain = {column.name: belongings.quote_name(connection, column.name) for column in old}
    return [replace(column, not_null=False, default=None) for column in old], plain, plain


def _key(connection: Connection, said: Sequence[str], source: Table, target: Table) -> dict[str, str]:
    found = {}
    for item in said:
        left, right = declared.assigned(item)
        mine, theirs = declared.unquoted(left), declared.unquoted(right)
        found[catalog.column(connection, target, mine).name] = catalog.column(connection, source, theirs).name
    if not found:
        msg = f"nothing says which row of {target} belongs to which of {source}"
        raise UsageError(msg, hint="--key user_id=id: the target's column, then the source's")
    return found


def _refuse(connection: Connection, transfer: Transfer, old: Sequence[Column]) -> list[str]:
    notes = [*obstacles.refuse(connection, transfer.source, transfer.old)]
    obstacles.refuse(connection, transfer.table, transfer.new, in_place=True)
    transfers.refuse(connection, transfer)
    for column in old:
        if column.not_null or column.default is not None:
            what = "NOT NULL" if column.not_null else "a default"
            msg = (
                f"{transfer.source}.{column.name} has {what}, and a release that no longer knows the column inserts"
                f" rows without a value; with the value in {transfer.table} there is none to give here"
            )
            raise MappingError(
                msg,
                hint="drop NOT NULL and default first, with pairs of their own: ec new drop-not-null, change-default",
            )
    if not transfers.refers(connection, transfer):
        pairs = ", ".join(transfer.key), ", ".join(transfer.key.values())
        notes.append(
            f"no foreign key leads from {transfer.table} ({pairs[0]}) to {transfer.source} ({pairs[1]}); without one,"
            " two rows of one key that are inserted at the same moment do not see each other: ec verify finds them"
        )
    return notes


def _prove(connection: Connection, transfer: Transfer, new: Sequence[Column]) -> list[str]:
    types = transfers.check(connection, transfer, {column.name: column.type for column in new})
    what, fix = transfers.tried(connection, transfer, types)
    if what:
        raise MappingError(what, hint=fix)
    if not transfer.lossy:
        return []
    note = (
        f"the transfer is lossy: after cut-over, what the new release writes reaches {', '.join(transfer.old)} of"
        f" {transfer.source} only as far as the reverse can tell"
    )
    return [note]


def _without_row(connection: Connection, transfer: Transfer) -> list[str]:
    if transfer.create_missing:
        wanted = transfers.required(connection, transfer)
        if wanted:
            msg = f"rows of {transfer.table} cannot be inserted by key alone: {', '.join(wanted)} must have a value too"
            raise MappingError(msg, hint="insert the missing rows yourself, and leave out --create-missing")
        note = (
            f"rows of {transfer.table} are inserted by the backfill, and by the triggers for a release that is not"
            " known to speak dual or new: one that inserts them too must be ready for a row that is there (ON CONFLICT)"
        )
        return [note]
    found = transfers.stranded(connection, transfer)
    if found is None:
        return [
            f"{transfer.source} is large: that every value has its row of {transfer.table} is first seen at backfill"
        ]
    count, keys = found
    if not count:
        return []
    many = f"more than {transfers.COUNTED}" if count > transfers.COUNTED else str(count)
    msg = (
        f"{many} rows of {transfer.source} have a value and no row of {transfer.table} to hold it, first"
        f" {', '.join(transfer.key.values())}: {' '.join(keys)}"
    )
    raise MappingError(msg, hint="insert these rows first, or let the backfill do it: --create-missing")


def _drafted(
    connection: Connection,
    transfer: Transfer,
    change: Change,
    old: Sequence[Column],
    new: Sequence[Column],
    notes: list[str],
) -> Draft:
    source, target = transfer.source, transfer.table
    what = f"move {', '.join(transfer.old)} of {source} to {target}"
    left = Belongings()
    for column in old:
        belongings.leave(connection, source, column, left)
    lacking = transfers.lacking(connection, transfer)
    fresh = set(transfer.new)
    expand = Half(
        summary=f"{what} (expand)",
        upgrade=[
            *(line for column in new for line in _added(connection, transfer, column)),
            *(line for found in lacking for line in _granting(found, "GRANT", "TO")),
            "op.begin_change(change)  # hold, and triggers of both tables",
        ],
        downgrade=[
            "op.end_change(change)",
            *(_drop(target, name) for name in transfer.new),
            *(line for found in lacking for line in _granting(_kept(found, fresh, target), "REVOKE", "FROM")),
        ],
    )
    here = [_kept(found, set(transfer.old), source) for found in lacking if found.table == source]
    contract = Half(
        summary=f"{what} (contract)",
        upgrade=[
            "op.assert_contract(change)  # refused until the rollback window has expired",
            "op.end_change(change)  # triggers of both tables, then hold",
            *left.leave,
            *(_drop(source, name) for name in transfer.old),
            *(line for found in here for line in _granting(found, "REVOKE", "FROM")),
        ],
        downgrade=[
            *(line for found in here for line in _granting(found, "GRANT", "TO")),
            *(add_column(source, column, column.name) for column in old),
            *_own_grants(connection, transfer, old, lacking),
            f"op.execute({statement(_filled_back(transfer))})",
            *dict.fromkeys(left.restore),
        ],
    )
    granted = dict.fromkeys(f"{found.role} is granted what the triggers need in {found.table}" for found in lacking)
    return Draft(
        change=change,
        expand=expand,
        contract=contract,
        beside=_beside(connection, transfer),
        notes=(*notes, *dict.fromkeys(left.notes), *granted),
    )


def _added(connection: Connection, transfer: Transfer, column: Column) -> list[str]:
    lines = [add_column(transfer.table, column, column.name)]
    if column.comment is not None:
        place = f"{rendered(transfer.table.name)}, {rendered(column.name)}"
        lines.append(f"op.alter_column({place}, comment={rendered(column.comment)}{in_schema(transfer.table)})")
    if column.name in transfer.reverse:
        lines += [
            belongings.granted(transfer.table, column.name, role, privilege)
            for role, privilege in catalog.grants(connection, transfer.source, column.name)
        ]
    return lines


def _kept(found: Lacking, gone: set[str], table: Table) -> Lacking:
    """What is left to revoke: a column's own grants go with it."""
    if found.table != table:
        return found
    keep = [tuple(name for name in side if name not in gone) for side in (found.read, found.written)]
    return replace(found, read=keep[0], written=keep[1])


def _granting(found: Lacking, verb: str, preposition: str) -> list[str]:
    each = (("SELECT", found.read), ("UPDATE", found.written), ("INSERT", found.inserted))
    said = ", ".join(f"{what} ({', '.join(map(quote, names))})" for what, names in each if names)
    if not said:
        return []
    role = "PUBLIC" if found.role == "public" else quote(found.role)
    return [f"op.execute({statement(f'{verb} {said} ON {qualified(found.table)} {preposition} {role}')})"]


def _own_grants(
    connection: Connection, transfer: Transfer, old: Sequence[Column], lacking: Sequence[Lacking]
) -> list[str]:
    """The old columns' own grants, and those that the triggers need on them."""
    names = set(transfer.old)
    lines = [
        belongings.granted(transfer.source, column.name, role, privilege)
        for column in old
        for role, privilege in catalog.grants(connection, transfer.source, column.name)
    ]
    for found in lacking:
        if found.table == transfer.source:
            read, written = (tuple(n for n in side if n in names) for side in (found.read, found.written))
            lines += _granting(replace(found, read=read, written=written, inserted=()), "GRANT", "TO")
    return lines


def _drop(table: Table, column: str) -> str:
    return f"op.drop_column({rendered(table.name)}, {rendered(column)}{in_schema(table)})"


def _filled_back(transfer: Transfer) -> str:
    """The old columns from the new ones, for a development database."""
    target = quote(transfer.table.name)
    values = ", ".join(f"({sql}) AS {quote(f'v{n}')}" for n, sql in enumerate(transfer.reverse.values()))
    keys = ", ".join(f"{target}.{quote(name)} AS {quote(f'k{n}')}" for n, name in enumerate(transfer.key))
    given = f"(SELECT {keys}, {values} FROM {qualified(transfer.table)} AS {target}) AS given"
    set_ = ", ".join(f"{quote(name)} = given.{quote(f'v{n}')}" for n, name in enumerate(transfer.reverse))
    joined = " AND ".join(f"old.{quote(name)} = given.{quote(f'k{n}')}" for n, name in enumerate(transfer.key.values()))
    return f"UPDATE {qualified(transfer.source)} AS old SET {set_} FROM {given} WHERE {joined}"


def _beside(connection: Connection, transfer: Transfer) -> frozenset[str]:
    found = (catalog.beside(connection, transfer.source, name) for name in transfer.old)
    return frozenset().union(*found) - set(transfer.old)
