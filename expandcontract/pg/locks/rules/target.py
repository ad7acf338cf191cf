"""The table that a statement is about, and the roles that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from expandcontract.pg.locks.table import Piece

if TYPE_CHECKING:
    from expandcontract.pg.locks.world import Name, Relation, World


@dataclass(frozen=True, slots=True)
class Target:
    """A table, and whether its partitions and children are meant too (``ONLY`` means not)."""

    world: World
    relation: Relation
    family: bool = True

    @property
    def name(self) -> Name:
        """Schema and name."""
        return self.relation.name

    @property
    def leaves(self) -> tuple[Name, ...]:
        """Its partitions and children, at any depth."""
        return self.world.descendants(self.name) if self.family else ()

    @property
    def kind(self) -> str:
        """``plain``, ``partitioned`` or ``inherited``."""
        if self.relation.kind == "p":
            return "partitioned"
        return "inherited" if self.leaves else "plain"

    @property
    def certain(self) -> bool:
        """Whether its columns and constraints are facts."""
        return self.relation.known

    def piece(self, form: str, *, assumed: bool = False, **roles: tuple[Name, ...]) -> Piece:
        """A form done to this table; ``roles`` are further ones, with underscores for blanks."""
        named = {part.replace("_", " "): found for part, found in roles.items()}
        return Piece(
            form=form,
            kind=self.kind,
            assumed=assumed or not self.certain,
            roles={"table": (self.name,), "leaf": self.leaves, **named},
        )

    def with_other(self, form: str, other: Name, *, assumed: bool = False, **roles: tuple[Name, ...]) -> Piece:
        """A form that also concerns the table which a foreign key refers to."""
        return self.piece(form, assumed=assumed, other=(other,), other_leaf=partitions(self.world, other), **roles)


def partitions(world: World, name: Name) -> tuple[Name, ...]:
    """The partitions of a partitioned table at any depth; inheriting tables are none."""
    return world.descendants(name) if world.need(name).kind == "p" else ()


def target(world: World, name: Name, *, family: bool = True) -> Target:
    """The table of this name, known or not."""
    return Target(world, world.need(name), family)
