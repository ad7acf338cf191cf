"""Recipes: one file each, from the catalogue to the two halves of a pair.

The module of a recipe has one function ``draft(connection, **arguments)`` that reads the catalogue, changes nothing
and returns a :class:`~expandcontract.revisions.render.Draft`. The kind of the draft's change says which phases it
passes and which releases fit when.
"""

from __future__ import annotations

from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from expandcontract.revisions.render import Draft


def draft(connection: Connection, recipe: str, **arguments: Any) -> Draft:
    """What the recipe of that name makes of these arguments; leaves nothing behind in the database.

    Raises:
        UsageError: What is asked for cannot be, with the reason.
    """
    module = import_module(f"expandcontract.revisions.recipes.{recipe.replace('-', '_')}")
    found: Draft = module.draft(connection, **arguments)
    return found


def options(recipe: str) -> frozenset[str]:
    """The names of the arguments that the recipe takes."""
    module = import_module(f"expandcontract.revisions.recipes.{recipe.replace('-', '_')}")
    return frozenset(signature(module.draft).parameters) - {"connection"}
