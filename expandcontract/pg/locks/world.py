"""The database as a prediction sees it: what the catalogue has, and what the statements before would have changed.

Rules for the next editor:

1. Facts are read when first asked for, and from then on only this copy is changed: the database is never written, and
   no table of it is locked.
2. What cannot be known (no connection, or a table that is not there) is ``None`` or a relation that is not ``known``.
   The caller then takes the worst and says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Name = tuple[str, str]
"""Schema and name, unquoted."""

TRIES = 100


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
    """A column; ``type`` is ``None`` where not known.

    Attributes:
        type: Its type.
        not_null: Whether it is NOT NULL.
        identity: Whether it is an identity.
        sequence: The sequence that it owns.
        drawn: The sequence that its default takes numbers from, owned or not; ``None`` for an identity.
    """

    type: Type | None = None
    not_null: bool = False
    identity: bool = False
    sequence: Name | None = None
    drawn: Name | None = None


@dataclass(slots=True, kw_only=True)
class Key:
    """A constraint; ``kind`` as in ``pg_constraint.contype``, ``other`` is what a foreign key refers to.

    It has its ``definition`` from the catalogue, or is a tree from a statement: its ``node``. One that is ``attached``
    is part of a constraint of the partitioned table above.
    """

    kind: str
    columns: frozenset[str] = frozenset()
    validated: bool = True
    inherited: bool = True
    definition: str = ""
    node: dict[str, Any] | None = None
    other: Name | None = None
    attached: bool = False


class Unique(NamedTuple):
    """What a plain unique index keeps unique: PostgreSQL takes an index for another's only where all this is equal."""

    columns: tuple[str, ...]
    including: tuple[str, ...] = ()
    nulls_not_distinct: bool = False

    def renamed(self, old: str, new: str) -> Unique:
        """The same once a column has another name."""
        columns, including = (
            tuple(new if name == old else name for name in names) for names in (self.columns, self.including)
        )
        return Unique(columns, including, self.nulls_not_distinct)


@dataclass(slots=True, kw_only=True)
class Index:
    """An index; it is not ``plain`` where it has an expression or a predicate.

    Attributes:
        columns: All that it depends on.
        plain: Whether it has neither expression nor predicate.
        unique: What it keeps unique; ``None`` where it is not unique, not plain or not known.
        attached: Whether it is part of a partitioned index: it cannot become part of a second one.
    """

    columns: frozenset[str] = frozenset()
    plain: bool = True
    unique: Unique | None = None
    attached: bool = False


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

    def rename_column(self, old: str, new: str) -> None:
        """A column has another name from now on, in all that stands over it too."""
        if old in self.columns:
            self.columns[new] = self.columns.pop(old)
        above: list[Key | Index | Reference | View] = [*self.keys.values(), *self.indexes.values()]
        for each in (*above, *self.referenced, *self.views):
            if each.columns is not None:
                each.columns = frozenset(new if column == old else column for column in each.columns)
        for index in self.indexes.values():
            index.unique = index.unique and index.unique.renamed(old, new)

    def refer(self, now: Callable[[Name], Name | None]) -> None:
        """Call every other relation by the name that it has now; what is gone (``None``) is no longer told."""
        for column in self.columns.values():
            column.sequence = column.sequence and now(column.sequence)
            column.drawn = column.drawn and now(column.drawn)
        for key in self.keys.values():
            key.other = key.other and now(key.other)
        self.table = self.table and now(self.table)
        self.default_partition = self.default_partition and now(self.default_partition)
        self.indexes = {known: index for name, index in self.indexes.items() if (known := now(name))}
        self.parents = [known for name in self.parents if (known := now(name))]
        self.children = [known for name in self.children if (known := now(name))]
        self.views = [View(name=known, columns=view.columns) for view in self.views if (known := now(view.name))]
        self.referenced = [
            Reference(table=known, constraint=reference.constraint, columns=reference.columns)
            for reference in self.referenced
            if (known := now(reference.table))
        ]


@dataclass(slots=True, kw_only=True)
class Begun:
    """A change that the ledger knows: its shape as a document, and whether its triggers are on."""

    shape: dict[str, Any]
    attached: bool


class Source(Protocol):
    """Where facts come from."""

    path: list[str]
    zone: str
    complete: bool

    def find(self, name: str, schemas: list[str]) -> Name | None:
        """The first schema of these that has a relation of this name."""

    def relation(self, name: Name) -> Relation | None:
        """The relation, or ``None`` where there is none."""

    def changes(self) -> dict[str, Begun] | None:
        """What the ledger has of each change; ``None`` where no ledger is known."""


@dataclass(slots=True)
class World:
    """All that is known, and what statements have changed of it so far.

    Attributes:
        source: Where facts come from.
        relations: By the name that each has now; ``None`` where there is none.
        path: The schemas that a name without one is looked for in.
        zone: The session's time zone.
        types: Domains that statements made.
        begun: The changes that are known; the ledger's among them once it was asked.
        has_ledger: Whether there is a ledger to ask; ``None`` as long as it was not looked for.
        names: What became of those that the source knows by another name: the present one, or ``None`` if dropped.
    """

    source: Source
    relations: dict[Name, Relation | None] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)
    zone: str = ""
    types: dict[str, Type] = field(default_factory=dict)
    begun: dict[str, Begun] = field(default_factory=dict)
    has_ledger: bool | None = None
    names: dict[Name, Name | None] = field(default_factory=dict)

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

    def free(self, schema: str, wanted: str) -> Name:
        """The name that PostgreSQL gives an index that none was given: the first that no relation has."""
        tries = (wanted, *(f"{wanted}{number}" for number in range(1, TRIES)))
        return next(((schema, name) for name in tries if self.get((schema, name)) is None), (schema, wanted))

    def get(self, name: Name) -> Relation | None:
        """The relation of this name, or ``None`` where there is none, or where none is known."""
        if name not in self.relations:
            found = self.relations[name] = self.source.relation(name)
            if found is not None:
                found.refer(lambda known: self.names.get(known, known))
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
        self._call(name, None)
        self.relations[name] = None

    def rename(self, old: Name, new: Name) -> None:
        """A statement gave a relation another name or schema."""
        found = self.need(old)
        self._call(old, new)
        self.relations[old] = None
        found.name = new
        self.relations[new] = found

    def _call(self, old: Name, new: Name | None) -> None:
        known = next((known for known, now in self.names.items() if now == old), old)
        if (
            known != old or old not in self.names
        ):  # or else it is one that a statement made, which the source cannot know
            self.names[known] = new
        for relation in filter(None, self.relations.values()):
            relation.refer(lambda name: new if name == old else name)

    def changes(self) -> dict[str, Begun]:
        """Every change that is known, to be altered as statements alter it; the ledger is asked once."""
        if self.has_ledger is None:
            found = self.source.changes()
            self.has_ledger = found is not None
            self.begun = {**(found or {}), **self.begun}
        return self.begun

    def descendants(self, name: Name) -> tuple[Name, ...]:
        """All partitions and children, at any depth."""
        return tuple(self._below(name))

    def _below(self, name: Name) -> Iterator[Name]:
        for child in self.need(name).children:
            yield child
            yield from self._below(child)
