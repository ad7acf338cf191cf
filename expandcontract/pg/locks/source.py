"""Facts from the catalogue of a database, or none where there is no database. Takes no lock on any table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from expandcontract.pg.locks.world import Begun, Column, Index, Key, Name, Reference, Relation, Type, Unique, View
from expandcontract.pg.queries import load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

QUERIES = load("expandcontract.pg.locks", "facts.sql")


class Nothing:
    """No database: nothing is known but what the statements themselves say."""

    complete = False

    def __init__(self) -> None:
        self.path = ["public"]
        self.zone = ""

    def find(self, name: str, schemas: list[str]) -> Name | None:  # noqa: ARG002  # as of every source
        """Never found."""
        return None

    def relation(self, name: Name) -> Relation | None:  # noqa: ARG002  # as of every source
        """Never known."""
        return None

    def changes(self) -> dict[str, Begun] | None:
        """Not known."""
        return None


class Catalogue:
    """The catalogue that a connection sees."""

    complete = True

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.types: dict[int, Mapping[str, Any]] = {}
        session = self.rows("session")[0]
        self.path = list(session["path"])
        self.zone = str(session["zone"])
        self.major = int(session["major"])

    def rows(self, query: str, **values: object) -> list[Mapping[str, Any]]:
        """The rows of a named query."""
        return [dict(row) for row in self.connection.execute(text(QUERIES[query]), values).mappings()]

    def find(self, name: str, schemas: list[str]) -> Name | None:
        """The first schema of these that has a relation of this name."""
        rows = self.rows("find", name=name, schemas=schemas)
        return _name(rows[0]) if rows else None

    def relation(self, name: Name) -> Relation | None:
        """The relation with all that hangs on it, or ``None`` where there is none."""
        rows = self.rows("relation", schema=name[0], name=name[1])
        if not rows:
            return None
        oid = rows[0]["oid"]
        found = Relation(name=_name(rows[0]), kind=rows[0]["kind"], partition_key=rows[0]["partition_key"] or "")
        if rows[0]["table_oid"] is not None:
            found.table = _name(self.rows("named", oid=rows[0]["table_oid"])[0])
        self._columns(found, oid)
        self._constraints(found, oid)
        self._family(found, oid)
        found.views = [
            View(name=_name(row), columns=frozenset(row["columns"] or ())) for row in self.rows("views", oid=oid)
        ]
        found.triggers = {row["name"] for row in self.rows("triggers", oid=oid)}
        return found

    def _columns(self, found: Relation, oid: int) -> None:
        for row in self.rows("columns", oid=oid):
            found.columns[row["name"]] = Column(
                type=self.type(row["type_oid"], row["typmod"], row["collation_oid"]),
                not_null=row["not_null"],
                identity=row["identity"],
                sequence=_split(row["sequence"]),
                drawn=_split(row["drawn"]),
            )

    def _constraints(self, found: Relation, oid: int) -> None:
        for row in self.rows("keys", oid=oid):
            if row["kind"] == "f" and row["inner_part"] and row["name"] in found.keys:
                continue
            found.keys[row["name"]] = Key(
                kind=row["kind"],
                columns=frozenset(row["columns"]),
                validated=row["validated"],
                inherited=row["inherited"],
                definition=row["definition"],
                other=(row["other_schema"], row["other_name"]) if row["other_name"] else None,
                attached=row["inner_part"],
            )
        found.referenced = [
            Reference(table=(row["schema"], row["relation"]), constraint=row["name"], columns=frozenset(row["columns"]))
            for row in self.rows("referencing", oid=oid)
        ]
        for row in self.rows("indexes", oid=oid):
            ordered, keys = tuple(row["ordered"]), row["keys"]
            unique = Unique(ordered[:keys], ordered[keys:], row["nulls_not_distinct"]) if row["is_unique"] else None
            found.indexes[_name(row)] = Index(
                columns=frozenset(row["columns"]), plain=row["plain"], unique=unique, attached=row["attached"]
            )

    def _family(self, found: Relation, oid: int) -> None:
        if found.kind not in "rpfiI":
            return
        for row in self.rows("family", oid=oid):
            (found.parents if row["is_parent"] else found.children).append(_name(row))
            if row["is_default"] and not row["is_parent"]:
                found.default_partition = _name(row)

    def changes(self) -> dict[str, Begun] | None:
        """What the ledger has of each change; ``None`` where there is no ledger."""
        if not self.rows("has_ledger")[0]["found"]:
            return None
        return {row["name"]: Begun(shape=row["shape"] or {}, attached=row["attached"]) for row in self.rows("changes")}

    def type(self, oid: int, typmod: int = -1, collation: int | None = None) -> Type:
        """A type by its identifier."""
        if oid not in self.types:
            self.types[oid] = self.rows("type", oid=oid)[0]
        row = self.types[oid]
        return Type(
            base=row["base"],
            base_oid=row["base_oid"],
            typmod=typmod if typmod != -1 else row["typmod"],
            checked=bool(row["checked"]),
            default=row["default"] or "",
            collation=row["collation_oid"] if collation is None else collation,
        )

    def type_oid(self, name: str, schemas: list[str]) -> int | None:
        """The identifier of a type by name."""
        rows = self.rows("type_named", name=name, schemas=schemas)
        return int(rows[0]["oid"]) if rows else None


def _split(written: str | None) -> Name | None:
    if not written:
        return None
    schema, _, name = written.partition("\n")
    return schema, name


def _name(row: Mapping[str, Any]) -> Name:
    return (str(row["schema"]), str(row["name"]))
