"""What goes with something that is dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.pg.locks.rules.target import partitions, target
from expandcontract.pg.locks.table import Piece

if TYPE_CHECKING:
    from expandcontract.pg.locks.rules.target import Target
    from expandcontract.pg.locks.world import Name, World


def references_gone(at: Target, columns: frozenset[str] | None = None) -> list[Piece]:
    """The foreign keys of other tables that refer to the table, or to any of its columns given."""
    pieces = []
    for reference in list(at.relation.referenced):
        if columns is None or columns & reference.columns:
            child = target(at.world, reference.table)
            pieces.append(child.with_other("drop foreign key", at.name))
            child.relation.keys.pop(reference.constraint, None)
            at.relation.referenced.remove(reference)
    return pieces


def views_gone(at: Target, columns: frozenset[str] | None = None) -> list[Piece]:
    """The views over the table, or over any of its columns given, and the views over these."""
    pieces = []
    for view in list(at.relation.views):
        if columns is None or view.columns is None or columns & view.columns:
            pieces += view_gone(at.world, view.name)
    return pieces


def view_gone(world: World, name: Name) -> list[Piece]:
    """A view, and the views over it."""
    form = "drop materialized view" if world.need(name).kind == "m" else "drop view"
    pieces = [Piece(form=form, roles={"view": (name,)}, assumed=not world.need(name).known)]
    for above in list(world.need(name).views):
        pieces += view_gone(world, above.name)
    world.remove(name)
    return pieces


def foreign_key_gone(at: Target, other: Name) -> Piece:
    """One foreign key of the table."""
    found = at.world.need(other)
    found.referenced = [reference for reference in found.referenced if reference.table != at.name]
    return at.piece("drop foreign key", other=(other,), other_leaf=partitions(at.world, other))
