"""Reads the actions of ALTER TABLE. https://www.postgresql.org/docs/current/sql-altertable.html."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.revision import Action, Kind
from expandcontract.pg.cursor import Cursor, spelled

if TYPE_CHECKING:
    from expandcontract.core.mapping import Table
    from expandcontract.pg.words import Word

AFTER_TYPE = {
    "not", "null", "default", "primary", "unique", "references", "check", "generated", "constraint", "collate",
    "deferrable", "initially", "storage", "compression", "using",
}  # fmt: skip
CONSTRAINTS = ("check", "unique", "primary", "foreign", "exclude", "not")
KEYS = {"primary": "primary key", "foreign": "foreign key", "not": "not null"}
SERIAL = {"serial", "bigserial", "smallserial", "serial2", "serial4", "serial8"}


def alter_table(cursor: Cursor) -> tuple[Action, ...]:
    """Read on after the words ``ALTER TABLE``."""
    cursor.accept("if", "exists")
    cursor.accept("only")
    table = cursor.table()
    if table is None:
        return (Action(kind=Kind.UNKNOWN),)
    return tuple(_action(Cursor(part), table) for part in cursor.parts()) or (Action(kind=Kind.UNKNOWN),)


def _action(cursor: Cursor, table: Table) -> Action:
    word = cursor.any_of(*READERS)
    return READERS[word](cursor, table) if word else _other(cursor, table)


def _other(cursor: Cursor, table: Table) -> Action:
    if cursor.accept("enable", "row") or cursor.accept("force", "row"):
        return Action(kind=Kind.RESTRICT, table=table, name="row level security")
    if cursor.accept("detach"):
        return Action(kind=Kind.ALTER, table=table, name="detach partition", said=_concurrently(cursor))
    return Action(kind=Kind.ALTER, table=table, name=spelled(cursor.words[cursor.at :]))


def _validate(cursor: Cursor, table: Table) -> Action:
    cursor.accept("constraint")
    return Action(kind=Kind.VALIDATE_CONSTRAINT, table=table, name=cursor.name())


def _set(cursor: Cursor, table: Table) -> Action:
    if cursor.accept("schema"):
        return Action(kind=Kind.RENAME_TABLE, table=table, name=cursor.name())
    return Action(kind=Kind.ALTER, table=table, name=f"set {spelled(cursor.words[cursor.at :])}")


def _concurrently(cursor: Cursor) -> frozenset[str]:
    return frozenset({"concurrently"} if cursor.seek("concurrently") else ())


def _add(cursor: Cursor, table: Table) -> Action:
    if cursor.accept("constraint"):
        return constraint(cursor, table, cursor.name())
    if not cursor.accept("column") and cursor.peek in CONSTRAINTS:
        return constraint(cursor, table, None)
    cursor.accept("if", "not", "exists")
    column = cursor.name()
    kind, said = column_words(cursor)
    return Action(kind=Kind.ADD_COLUMN, table=table, column=column, type=kind, said=said)


def column_words(cursor: Cursor) -> tuple[str, frozenset[str]]:
    """The type of a column's definition, and which optional words stand behind it."""
    kind = spelled(cursor.until(AFTER_TYPE))
    said = set()
    if kind in SERIAL:
        said |= {"default", "serial", "not null"}
    while not cursor.done:
        word = cursor.any_of("not", "default", "primary", "unique", "references", "check", "generated")
        if word == "not" and cursor.accept("null"):
            said.add("not null")
        elif word == "generated":
            said |= _generated(cursor)
        elif word in {"default", "unique", "check"}:
            said.add(word)
            if word == "default":
                cursor.until(AFTER_TYPE - {"using"})
        elif word in {"primary", "references"}:
            said.add({"primary": "primary key", "references": "foreign key"}[word])
        elif cursor.peek == "(":
            cursor.inside()
        elif not word:
            cursor.at += 1
    return kind, frozenset(said)


def _generated(cursor: Cursor) -> set[str]:
    cursor.any_of("always", "by")
    cursor.accept("default")
    cursor.accept("as")
    if cursor.accept("identity"):
        return {"default", "identity"}
    cursor.inside()
    return {"default", "generated", "stored" if cursor.accept("stored") else "virtual"}


def constraint(cursor: Cursor, table: Table, name: str | None) -> Action:
    """Read on after ``ADD CONSTRAINT name``, or after ``ADD``."""
    kind = cursor.any_of(*CONSTRAINTS)
    said = {KEYS.get(kind, kind)} if kind else set()
    cursor.any_of("key", "null")
    if cursor.accept("using", "index"):
        return Action(kind=Kind.ADD_CONSTRAINT, table=table, name=name, said=frozenset(said | {"using index"}))
    if kind == "unique":
        cursor.any_of("nulls")
        cursor.accept("not", "distinct")
    inner: tuple[str, ...] = ()
    begin, column = cursor.at, None
    if kind in {"unique", "primary", "foreign"}:
        inner = cursor.names()
    elif kind == "not":
        column = cursor.name()
    else:
        inner = tuple(_mentioned(cursor.inside()))
    cursor.at = max(begin, cursor.at)
    rest = Cursor(cursor.words[cursor.at :])
    said |= {"not valid"} if rest.seek("not", "valid") else set()
    rest.at = 0
    said |= {"not enforced"} if rest.seek("not", "enforced") else set()
    return Action(kind=Kind.ADD_CONSTRAINT, table=table, column=column, name=name, columns=inner, said=frozenset(said))


def _mentioned(inside: list[Word]) -> list[str]:
    """Every name of an expression that may be a column's."""
    following = [*inside[1:], None]
    return [
        word.value
        for word, after in zip(inside, following, strict=True)
        if word.kind in {"word", "name"} and not (after is not None and after.value == "(")
    ]


def _drop(cursor: Cursor, table: Table) -> Action:
    if cursor.accept("constraint"):
        cursor.accept("if", "exists")
        return Action(kind=Kind.DROP_CONSTRAINT, table=table, name=cursor.name())
    cursor.accept("column")
    cursor.accept("if", "exists")
    return Action(kind=Kind.DROP_COLUMN, table=table, column=cursor.name())


def _alter_column(cursor: Cursor, table: Table) -> Action:
    if cursor.accept("constraint"):
        return Action(kind=Kind.ALTER, table=table, name=f"constraint {cursor.name()}")
    cursor.accept("column")
    column = cursor.name()
    if cursor.accept("set", "data", "type") or cursor.accept("type"):
        said = frozenset({"using"} if Cursor(cursor.words[cursor.at :]).seek("using") else ())
        return Action(
            kind=Kind.CHANGE_TYPE, table=table, column=column, type=spelled(cursor.until({"using"})), said=said
        )
    for wanted, kind in (
        ("set default", Kind.SET_DEFAULT),
        ("drop default", Kind.DROP_DEFAULT),
        ("set not null", Kind.SET_NOT_NULL),
        ("drop not null", Kind.DROP_NOT_NULL),
        ("drop identity", Kind.DROP_DEFAULT),
    ):
        if cursor.accept(*wanted.split()):
            return Action(kind=kind, table=table, column=column)
    return Action(kind=Kind.ALTER, table=table, column=column, name=spelled(cursor.words[cursor.at :]))


def _rename(cursor: Cursor, table: Table) -> Action:
    if cursor.accept("to"):
        return Action(kind=Kind.RENAME_TABLE, table=table, name=cursor.name())
    if cursor.accept("constraint"):
        # only messages of errors name a constraint, and ON CONFLICT ON CONSTRAINT
        return Action(kind=Kind.ALTER, table=table, name=f"rename constraint {cursor.name()}")
    cursor.accept("column")
    column = cursor.name()
    cursor.accept("to")
    return Action(kind=Kind.RENAME_COLUMN, table=table, column=column, name=cursor.name())


READERS = {
    "add": _add,
    "drop": _drop,
    "alter": _alter_column,
    "rename": _rename,
    "validate": _validate,
    "set": _set,
}
