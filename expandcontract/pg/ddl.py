"""Reads a statement of SQL into what it does. Only its text is looked at: no database is asked.

What cannot be placed is :attr:`Kind.UNKNOWN`, never left out: an ignored statement would look harmless.
https://www.postgresql.org/docs/current/sql-commands.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.revision import Action, Kind
from expandcontract.pg.cursor import Cursor, spelled
from expandcontract.pg.ddl_table import alter_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from expandcontract.core.mapping import Table

OBJECTS = (
    "view", "materialized", "function", "procedure", "aggregate", "type", "domain", "schema", "sequence", "trigger",
    "policy", "rule", "extension", "statistics", "publication", "subscription", "collation", "operator", "cast",
    "role", "database", "foreign", "server", "event", "text", "owned", "routine", "constraint", "language", "user",
)  # fmt: skip
OURS = {
    "begin_change": Kind.BEGIN_CHANGE,
    "end_change": Kind.END_CHANGE,
    "assert_contract": Kind.ASSERT_CONTRACT,
}
MAINTENANCE = ("analyze", "checkpoint", "refresh", "lock", "discard")
HARMLESS = ("notify", "listen", "unlisten", "show", "explain", "values", "table")


def read(sql: str) -> tuple[Action, ...]:
    """What one statement does, one action after the other; never empty."""
    cursor = Cursor(sql)
    word = cursor.name() if not cursor.done else ""
    while word == "with":
        word = _past_ctes(cursor)
    reader = READERS.get(word)
    if reader is not None:
        return reader(cursor)
    if word in {*MAINTENANCE, "vacuum", "cluster"}:
        said = frozenset({"alone"} if word == "vacuum" else ())
        return (Action(kind=Kind.MAINTAIN, name=spelled(cursor.words).lower(), said=said),)
    if word in HARMLESS:
        return (Action(kind=Kind.SELECT),)
    return (Action(kind=Kind.UNKNOWN, name=word or None),)


def _past_ctes(cursor: Cursor) -> str:
    """The verb behind ``WITH …``; the first of its CTEs that writes counts as the verb."""
    begin = cursor.at
    for at in range(begin, len(cursor.words)):
        word = cursor.words[at]
        behind = cursor.words[at - 1].value
        if word.kind == "word" and word.value in {"update", "insert", "delete", "merge"} and behind in {"(", ")"}:
            cursor.at = at + 1
            return word.value
    cursor.until({"select", "values", "table"})
    return cursor.name()


def _create(cursor: Cursor) -> tuple[Action, ...]:
    cursor.accept("or", "replace")
    while cursor.any_of("global", "local", "temp", "temporary", "unlogged"):
        pass
    if cursor.accept("table"):
        cursor.accept("if", "not", "exists")
        return (Action(kind=Kind.CREATE_TABLE, table=cursor.table(), said=_partition(cursor)),)
    unique = cursor.accept("unique")
    if cursor.accept("index"):
        return (_create_index(cursor, unique=unique),)
    cursor.any_of("constraint", "recursive", "trusted", "procedural")
    kind = cursor.any_of(*OBJECTS)
    if kind in {"policy", "rule"}:
        cursor.seek("on") if kind == "policy" else cursor.seek("to")
        return (Action(kind=Kind.RESTRICT, table=cursor.table(), name=f"create {kind}"),)
    if not kind:
        return (Action(kind=Kind.UNKNOWN, name="create"),)
    cursor.accept("view") or cursor.accept("data", "wrapper")
    cursor.accept("if", "not", "exists")
    return (Action(kind=Kind.CREATE, name=f"{kind} {cursor.table() or ''}".rstrip()),)


def _partition(cursor: Cursor) -> frozenset[str]:
    return frozenset({"partition"} if cursor.accept("partition", "of") else ())


def _create_index(cursor: Cursor, *, unique: bool) -> Action:
    said = {"unique"} if unique else set()
    if cursor.accept("concurrently"):
        said.add("concurrently")
    if cursor.accept("if", "not", "exists"):
        said.add("if not exists")
    name = None if cursor.peek == "on" else cursor.name()
    cursor.accept("on")
    if cursor.accept("only"):
        said.add("only")
    table = cursor.table()
    if cursor.accept("using"):
        cursor.name()
    return Action(kind=Kind.CREATE_INDEX, table=table, name=name, columns=cursor.names(), said=frozenset(said))


def _drop(cursor: Cursor) -> tuple[Action, ...]:
    kind = cursor.any_of("table", "index", *OBJECTS)
    cursor.accept("view") if kind == "materialized" else None
    said = frozenset({"concurrently"} if cursor.accept("concurrently") else ())
    said |= {"if exists"} if cursor.accept("if", "exists") else set()
    names = [Cursor(part).table() for part in cursor.parts()]
    found = [name for name in names if name is not None]
    if not kind or not found:
        return (Action(kind=Kind.UNKNOWN, name="drop"),)
    if kind == "table":
        return tuple(Action(kind=Kind.DROP_TABLE, table=table, said=said) for table in found)
    if kind == "index":
        return tuple(Action(kind=Kind.DROP_INDEX, name=str(table), said=said) for table in found)
    return tuple(Action(kind=Kind.DROP, name=f"{kind} {name}", said=said) for name in found)


def _alter(cursor: Cursor) -> tuple[Action, ...]:
    if cursor.accept("table"):
        if cursor.accept("all"):
            return (Action(kind=Kind.ALTER, name="table all in tablespace"),)
        return alter_table(cursor)
    kind = cursor.any_of("index", "system", "default", "group", "tablespace", *OBJECTS)
    if not kind:
        return (Action(kind=Kind.UNKNOWN, name="alter"),)
    if kind == "type":
        return (_alter_type(cursor),)
    name = str(cursor.table() or "")
    if kind not in {"index", "trigger", "constraint", "policy", "statistics"} and cursor.seek("rename"):
        return (Action(kind=Kind.RENAME, name=f"{kind} {name}"),)
    return (Action(kind=Kind.ALTER, name=f"{kind} {name}"),)


def _alter_type(cursor: Cursor) -> Action:
    name = str(cursor.table() or "")
    if cursor.accept("add", "value"):
        return Action(kind=Kind.ADD_VALUE, name=name)
    if cursor.accept("rename") or cursor.accept("set", "schema"):
        return Action(kind=Kind.RENAME, name=f"type {name}")
    if cursor.accept("drop", "attribute"):
        return Action(kind=Kind.DROP, name=f"attribute of type {name}")
    return Action(kind=Kind.ALTER, name=f"type {name}")


def _write(kind: Kind, cursor: Cursor, *skipped: str) -> tuple[Action, ...]:
    for word in (*skipped, "only"):
        cursor.accept(word)
    table = cursor.table()
    said = {"where"} if cursor.seek("where") else set()
    return (Action(kind=kind, table=table, said=frozenset(said)),)


def _insert(cursor: Cursor) -> tuple[Action, ...]:
    cursor.accept("into")
    table = cursor.table()
    said = set()
    if cursor.accept("as"):
        cursor.name()
    cursor.inside()
    if cursor.peek in {"select", "with", "table", "("}:
        said.add("select")
    return (Action(kind=Kind.INSERT, table=table, said=frozenset(said)),)


def _truncate(cursor: Cursor) -> tuple[Action, ...]:
    cursor.accept("table")
    cursor.accept("only")
    found = [Cursor(part).table() for part in cursor.parts()]
    return tuple(Action(kind=Kind.TRUNCATE, table=table) for table in found) or (Action(kind=Kind.UNKNOWN),)


def _select(cursor: Cursor) -> tuple[Action, ...]:
    begin = cursor.at
    function = cursor.table()
    if function is None or cursor.peek != "(":
        cursor.at = begin
        into = cursor.seek("into")
        return (Action(kind=Kind.UNKNOWN, name="select into") if into else Action(kind=Kind.SELECT),)
    if function.schema == "expandcontract" and function.name in OURS:
        return (Action(kind=OURS[function.name]),)
    if function.name == "set_config":
        values = [spelled(part).strip("'") for part in Cursor(cursor.inside()).parts()]
        return (_setting(values[0].lower(), values[1] if len(values) > 1 else ""),)
    known = function.schema in {"pg_catalog", "expandcontract"} or function.name.startswith("pg_")
    known = known or function.name in {"setval", "nextval", "count", "max", "min", "now", "version", "exists"}
    return (Action(kind=Kind.SELECT if known else Kind.UNKNOWN, name=f"{function}()"),)


def _setting(name: str, value: str) -> Action:
    return Action(kind=Kind.SETTING, column=name, name=value.lower())


def _set(cursor: Cursor) -> tuple[Action, ...]:
    cursor.any_of("local", "session")
    if cursor.peek in {"role", "transaction", "constraints", "authorization", "characteristics"}:
        return (_setting(cursor.name(), ""),)
    table = cursor.table()
    cursor.any_of("to", "=")
    value = spelled(cursor.words[cursor.at :]).strip("'")
    return (_setting(str(table or ""), value),)


def _reset(cursor: Cursor) -> tuple[Action, ...]:
    return (_setting(cursor.name(), "default"),)


def _reindex(cursor: Cursor) -> tuple[Action, ...]:
    cursor.inside()
    cursor.any_of("table", "index", "schema", "database", "system")
    said = frozenset({"concurrently"} if cursor.accept("concurrently") else ())
    return (Action(kind=Kind.REINDEX, name=str(cursor.table() or ""), said=said),)


def _revoke(cursor: Cursor) -> tuple[Action, ...]:
    table: Table | None = None
    if cursor.seek("on"):
        cursor.accept("table")
        table = cursor.table()
    return (Action(kind=Kind.RESTRICT, table=table, name="revoke"),)


READERS: dict[str, Callable[[Cursor], tuple[Action, ...]]] = {
    "create": _create,
    "drop": _drop,
    "alter": _alter,
    "update": lambda cursor: _write(Kind.UPDATE, cursor),
    "delete": lambda cursor: _write(Kind.DELETE, cursor, "from"),
    "merge": lambda cursor: _write(Kind.UPDATE, cursor, "into"),
    "insert": _insert,
    "truncate": _truncate,
    "select": _select,
    "set": _set,
    "reset": _reset,
    "reindex": _reindex,
    "revoke": _revoke,
    "grant": lambda _: (Action(kind=Kind.GRANT),),
    "comment": lambda _: (Action(kind=Kind.COMMENT),),
}
