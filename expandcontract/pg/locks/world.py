"""The database as a prediction sees it: what the catalogue has, and what the statements before would have changed.

Rules for the next editor:

1. Facts are read when first asked for, and from then on only this copy is changed: the database is never written, and
   no table of it is locked.
2. What cannot be known (no connection, or a table that is not there) is ``None`` or a relation that is not ``known``.
   The caller then takes the worst and says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

Name = tuple[str, str]
"""Schema and name, unquoted."""

HIDDEN = ("pg_catalog", "information_schema", "expandcontract", "pg_toast")


@dataclass(frozen=True, slots=True, kw_only=True)
class Type:
    """A type, its domains resolved.

    Attributes:
        base: Its name, or that of a domain's base type: ``varchar``; an array begins with an underscore.
        base_oid: Its identifier; 0 where there is no catalogue.
        typmod: Length or precision as the catalogue keeps it, or -1.
        checked: Whether it is a domain that refuses some values.
        collation: Identifier of its collation.
        default: The expression that a domain gives to columns that have none; empty where it gives none.
    """

    base: str
    base_oid: int = 0
    typmod: int = -1
    checked: bool = False
    collation: int = 0
    default: str = ""


@dataclass(slots=True, kw_only=True)
class Column:
    """A column; ``type`` is ``None`` where not known, ``sequence`` is the one that it owns."""

    type: Type | None = None
    not_null: bool = False
    identity: bool = False
    sequence: Name | None = None


@dataclass(slots=True, kw_only=True)
class Key:
    """A constraint; ``kind`` as in ``pg_constraint.contype``, ``other`` is what a foreign key refers to.

    A CHECK has its ``definition`` from the catalogue, or its ``expression`` as a tree from a statement.
    """

    kind: str
    columns: frozenset[str] = frozenset()
    validated: bool = True
    inherited: bool = True
    definition: str = ""
    expression: dict[str, Any] | None = None
    other: Name | None = None


@dataclass(slots=True, kw_only=True)
class Index:
    """An index; it is not ``plain`` where it has an expression or a predicate."""

    columns: frozenset[str] = frozenset()
    plain: bool = True


@dataclass(slots=True, kw_only=True)
class Reference:
    """A foreign key of another table that refers to this one."""

    table: Name
    constraint: str
    columns: frozenset[str] = frozenset()


@dataclass(slots=True, kw_only=True)
class View:
    """A view or materialized view over this relation, and the columns that it reads; ``None`` for all of them."""

    name: Name
    columns: frozenset[str] | None = None


@dataclass(slots=True, kw_only=True)
class Relation:
    """A table, view, sequence or index.

    Attributes:
        name: Schema and name.
        kind: As in ``pg_class.relkind``.
        known: Whether its columns and the rest are facts; if not, they are only what statements before have made.
        table: Of an index, its table.
        partition_key: Of a partitioned table, the one column that it is partitioned by; empty where it is not just one.
    """

    name: Name
    kind: str = "r"
    known: bool = True
    table: Name | None = None
    partition_key: str = ""
    columns: dict[str, Column] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    indexes: dict[Name, Index] = field(default_factory=dict)
    referenced: list[Reference] = field(default_factory=list)
    parents: list[Name] = field(default_factory=list)
    children: list[Name] = field(default_factory=list)
    default_partition: Name | None = None
    views: list[View] = field(default_factory=list)
    triggers: set[str] = field(default_factory=set)


class Source(Protocol):
    """Where facts come from."""

    path: list[str]
    zone: str
    complete: bool

    def find(self, name: str, schemas: list[str]) -> Name | None:
        """The first schema of these that has a relation of this name."""

    def relation(self, name: Name) -> Relation | None:
        """The relation, or ``None`` where there is none."""


@dataclass(slots=True)
class World:
    """All that is known, and what statements have changed of it so far."""

    source: Source
    relations: dict[Name, Relation | None] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)
    zone: str = ""
    types: dict[str, Type] = field(default_factory=dict)
    mapped: dict[str, tuple[Name, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.path = list(self.source.path)
        self.zone = self.source.zone

    def name(self, schema: str, name: str) -> Name:
        """The full name that a statement means; where there is no such relation, the one that it would make."""
        if schema:
            return (schema, name)
        for place in self.path:
            if self.relations.get((place, name)) is not None:
                return (place, name)
        gone = {place for place in self.path if (place, name) in self.relations}
        found = self.source.find(name, [place for place in self.path if place not in gone])
        return found or (self.path[0] if self.path else "public", name)

    def get(self, name: Name) -> Relation | None:
        """The relation of this name, or ``None`` where there is none, or where none is known."""
        if name not in self.relations:
            self.relations[name] = self.source.relation(name)
        return self.relations[name]

    def need(self, name: Name) -> Relation:
        """The relation of this name; one of which nothing is known where it is not there."""
        found = self.get(name)
        if found is None:
            found = self.relations[name] = Relation(name=name, known=False)
        return found

    def add(self, relation: Relation) -> None:
        """A statement made a relation."""
        self.relations[relation.name] = relation

    def remove(self, name: Name) -> None:
        """A statement dropped a relation."""
        gone = self.get(name)
        for parent in gone.parents if gone else ():
            self.need(parent).children = [child for child in self.need(parent).children if child != name]
        self.relations[name] = None

    def rename(self, old: Name, new: Name) -> None:
        """A statement gave a relation another name or schema."""
        found = self.need(old)
        self.relations[old] = None
        found.name = new
        self.relations[new] = found
        for relation in filter(None, self.relations.values()):
            relation.children = [new if child == old else child for child in relation.children]
            for key in relation.keys.values():
                key.other = new if key.other == old else key.other

    def descendants(self, name: Name) -> tuple[Name, ...]:
        """All partitions and children, at any depth."""
        return tuple(self._below(name))

    def _below(self, name: Name) -> Iterator[Name]:
        for child in self.need(name).children:
            yield child
            yield from self._below(child)
