"""Drafts of what autogenerate found: a recipe's own, with what belongs into its seal; or operations as they are."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from expandcontract.core.change import LONGEST_NAME, Change
from expandcontract.core.mapping import Table
from expandcontract.core.phase import Kind
from expandcontract.errors import UsageError
from expandcontract.pg import retype
from expandcontract.revisions import untouched
from expandcontract.revisions.folding import AGAIN, sealed
from expandcontract.revisions.placing import PLAIN
from expandcontract.revisions.recipes import draft
from expandcontract.revisions.render import rendered

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

    from expandcontract.revisions.auto import Item, Plan
    from expandcontract.revisions.autogenerate import Difference
    from expandcontract.revisions.render import Draft

OTHER_NAME = "the models have {name}, and seal() makes its like under another name: give both the same, here or there"


def slug(message: str) -> str:
    """A change's name made of a message: snake_case, as long as a name may be."""
    found = re.sub(r"[^a-z0-9]+", "_", message.lower()).strip("_")[:LONGEST_NAME].strip("_")
    return found if re.match(r"[a-z]", found) else f"change_{found}"[:LONGEST_NAME].strip("_")


def drafted(
    connection: Connection, difference: Difference, plan: Plan, message: str, taken: Collection[str]
) -> tuple[list[Draft], tuple[str, ...]]:
    """The pairs of a plan, and what the next run will find.

    Args:
        connection: To the database that was compared; only read.
        difference: What was found there.
        plan: What to carry.
        message: What it is for; names the change where it is one.
        taken: The names of changes that there are.

    Raises:
        UsageError: A recipe refuses; what it was for is named, and how its options are given.
    """
    drafts: list[Draft] = []
    later = list(plan.later)
    traded: dict[tuple[Table, str], str] = {}
    names = {*taken}
    types: set[str] = set()
    for item in plan.items:
        columns = {*item.wanted.over, *([item.wanted.column] if item.wanted.column else [])}
        found = sorted(column for column in columns if (item.wanted.table, column) in traded)
        if found:
            change = traded[item.wanted.table, found[0]]
            later.append(f"{AGAIN}, once {change} is contracted, which gives {found[0]} its new type: {item.about}")
            continue
        name = slug(message) if len(plan.items) == 1 else None
        pair = _drafted(connection, difference, item, name, types)
        if pair.change.name in names:
            pair = _drafted(connection, difference, item, _free(pair.change.name, names), types)
        if pair.change.kind is Kind.SWAPPED:
            traded[item.wanted.table, item.wanted.short] = pair.change.name
        names.add(pair.change.name)
        types |= untouched.types_made(connection, item.plain)
        drafts.append(pair)
    return drafts, tuple(later)


def _free(name: str, taken: Collection[str]) -> str:
    number = 2
    while (found := f"{name[: LONGEST_NAME - len(str(number)) - 1]}_{number}") in taken:
        number += 1
    return found


def _drafted(
    connection: Connection, difference: Difference, item: Item, name: str | None, types: Collection[str]
) -> Draft:
    if item.recipe == PLAIN:
        return untouched.draft(connection, difference, item, name or slug(item.about), types)
    try:
        found = draft(connection, item.recipe, **_in_place(connection, item), name=name)
    except UsageError as exc:
        raise _told(exc, item) from exc
    said = " ".join(found.expand.seal)
    other = [name for name in item.wanted.names if rendered(name) not in said]
    found = replace(found, notes=(*found.notes, *(OTHER_NAME.format(name=name) for name in other)))
    if not item.seal:
        return found
    half = replace(found.expand, seal=[*found.expand.seal, *map(sealed, item.seal)])
    shape, kind = found.change.shape, found.change.kind
    change = Change(
        found.change.name,
        fill=shape.fills,
        touches=[table.spelled for table in dict.fromkeys((*shape.touches, *_targets(item)))],
        kind=Kind.FILLED if kind is Kind.ADDITIVE else kind,
        irreversible=found.change.irreversible,
    )
    return replace(found, change=change, expand=half)


def _targets(item: Item) -> list[Table]:
    return [Table.parse(one.arguments["target"]) for one in item.seal if one.recipe == "add-foreign-key"]


def _in_place(connection: Connection, item: Item) -> dict[str, object]:
    """The arguments; a type that PostgreSQL changes in its catalogue alone keeps the name without a second column."""
    given = dict(item.arguments)
    if item.recipe != "change-type":
        return given
    asked = {"using", "reverse", "to"} & set(given)
    table = Table.parse(str(given["table"]))
    kind = retype.spelled(connection, str(given["type"])).name
    if asked <= {"to"} and (asked or retype.work(connection, table, str(given["column"]), kind) == ()):
        given["keep_name"] = False
    return given


def _told(exc: UsageError, item: Item) -> UsageError:
    """The recipe's refusal with what it was for; its options are given differently here."""
    how = f"options are given so: --with {item.wanted.label}:OPTION=VALUE"
    return type(exc)(f"{item.about}: {exc.message}", hint=f"{exc.hint}; {how}" if exc.hint else how)
