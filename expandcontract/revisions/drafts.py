"""Drafts of what autogenerate found: a recipe's own, with what belongs into its seal; or operations as they are."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from expandcontract.core.change import LONGEST_NAME, Change
from expandcontract.core.phase import Kind
from expandcontract.revisions.placing import PLAIN
from expandcontract.revisions.recipes import draft
from expandcontract.revisions.render import Draft, Half

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from expandcontract.revisions.auto import Item
    from expandcontract.revisions.autogenerate import Difference


def slug(message: str) -> str:
    """A change's name made of a message: snake_case, as long as a name may be."""
    found = re.sub(r"[^a-z0-9]+", "_", message.lower()).strip("_")[:LONGEST_NAME].strip("_")
    return found if re.match(r"[a-z]", found) else f"change_{found}"[:LONGEST_NAME].strip("_")


def drafted(connection: Connection, difference: Difference, item: Item, name: str | None) -> Draft:
    """The pair of an item.

    Args:
        connection: To the database that was compared.
        difference: What was found there.
        item: One of its items.
        name: The change's name; ``None`` lets the recipe choose.
    """
    if item.recipe == PLAIN:
        return _plain(difference, item, name or slug(item.about))
    found = draft(connection, item.recipe, **item.arguments, name=name)
    if not item.seal:
        return found
    lines, imports = difference.source(item.seal)
    half = replace(found.expand, seal=[*found.expand.seal, *lines], imports=(*found.expand.imports, *imports))
    change = found.change
    if change.kind is Kind.ADDITIVE:
        change = Change(change.name, kind=Kind.FILLED, irreversible=change.irreversible)
    return replace(found, change=change, expand=half)


def _plain(difference: Difference, item: Item, name: str) -> Draft:
    lines, imports = difference.source(item.plain)
    back: list[Any] = [operation.reverse() for operation in reversed(item.plain)]
    undo, more = difference.source(back)
    half = Half(summary=item.about, imports=tuple({*imports, *more}), upgrade=lines, downgrade=undo)
    return Draft(change=Change(name), expand=half)
