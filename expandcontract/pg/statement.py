"""Reads SQL into what it does, with PostgreSQL's own parser. Only the text is looked at: no database is asked.

What cannot be placed is :attr:`Kind.UNKNOWN`, never left out: an ignored statement would look harmless.
https://www.postgresql.org/docs/current/sql-commands.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from postgast import pg_query_pb2 as pg

from expandcontract.core.revision import Action, Kind
from expandcontract.pg.alter_table import alter_table, named, parts, table_of
from expandcontract.pg.parsed import cut

if TYPE_CHECKING:
    from collections.abc import Callable

PLACEHOLDER = re.compile(r"(?<![:\w]):[A-Za-z_]\w*|%s|%\(\w+\)s")
OURS = {
    "begin_change": Kind.BEGIN_CHANGE,
    "end_change": Kind.END_CHANGE,
    "assert_contract": Kind.ASSERT_CONTRACT,
}
KNOWN_FUNCTIONS = {"setval", "nextval", "currval", "count", "max", "min", "now", "version"}
WRITES = {"insert_stmt", "update_stmt", "delete_stmt", "merge_stmt"}
MINOR = {"INDEX", "TABCONSTRAINT", "DOMCONSTRAINT", "TRIGGER", "POLICY", "RULE", "STATISTIC_EXT"}


def read(sql: str) -> tuple[Action, ...]:
    """What one statement does, one action after the other; never empty."""
    for text in (sql, PLACEHOLDER.sub("$1", sql)):
        found = cut(text)
        if all(one.kind for one in found):
            actions = tuple(action for one in found for action in _read(one.kind, one.tree))
            return actions or (Action(kind=Kind.UNKNOWN),)
    return (Action(kind=Kind.UNKNOWN, name="what does not parse"),)


def _read(which: str, statement: Any) -> tuple[Action, ...]:
    reader = READERS.get(which)
    found = reader(statement) if reader else _by_name(which)
    written = _writing_ctes(statement)
    return tuple(written) if written and found[0].kind is Kind.SELECT else (*written, *found)


def _by_name(which: str) -> tuple[Action, ...]:
    words = which.removesuffix("_stmt").split("_")
    for verb, kind in (("create", Kind.CREATE), ("define", Kind.CREATE), ("alter", Kind.ALTER), ("drop", Kind.DROP)):
        if words[0] == verb:
            return (Action(kind=kind, name=" ".join(words[1:])),)
    return (Action(kind=Kind.UNKNOWN, name=" ".join(words)),)


def _writing_ctes(statement: Any) -> list[Action]:
    fields = {field.name for field in statement.DESCRIPTOR.fields}
    if "with_clause" not in fields:
        return []
    queries = [cte.common_table_expr.ctequery for cte in statement.with_clause.ctes]
    each = [(which, getattr(query, which)) for query in queries if (which := query.WhichOneof("node")) in WRITES]
    return [action for which, query in each for action in _read(which, query)]


def _one(kind: Kind, name: str | None = None, *said: str) -> tuple[Action, ...]:
    return (Action(kind=kind, name=name, said=frozenset(said)),)


def _kind(value: int) -> str:
    return str(pg.ObjectType.Name(value)).removeprefix("OBJECT_")


def _create_table(found: Any) -> tuple[Action, ...]:
    said = frozenset({"partition"} if found.HasField("partbound") else ())
    return (Action(kind=Kind.CREATE_TABLE, table=table_of(found.relation), said=said),)


def _create_table_as(found: Any) -> tuple[Action, ...]:
    table = table_of(found.into.rel)
    if _kind(found.objtype) == "MATVIEW":
        return _one(Kind.CREATE, f"materialized view {table}")
    return (Action(kind=Kind.CREATE_TABLE, table=table),)


def _create_index(found: Any) -> tuple[Action, ...]:
    words = {"unique": found.unique, "concurrently": found.concurrent, "if not exists": found.if_not_exists,
             "only": not found.relation.inh}  # fmt: skip
    columns = tuple(part.index_elem.name for part in found.index_params if part.index_elem.name)
    expressions = len(columns) < len(found.index_params)
    said = {word for word, there in words.items() if there} | ({"expression"} if expressions else set())
    table, name = table_of(found.relation), found.idxname or None
    return (Action(kind=Kind.CREATE_INDEX, table=table, name=name, columns=columns, said=frozenset(said)),)


def _alter(found: Any) -> tuple[Action, ...]:
    kind = _kind(found.objtype)
    if kind in {"TABLE", "FOREIGN_TABLE"}:
        return alter_table(found)
    name = f"{kind.lower()} {table_of(found.relation)}"
    dropped = any(pg.AlterTableType.Name(cmd.alter_table_cmd.subtype) == "AT_DropColumn" for cmd in found.cmds)
    return _one(Kind.DROP, f"attribute of {name}") if dropped else _one(Kind.ALTER, name)


def _rename(found: Any) -> tuple[Action, ...]:
    kind, table = _kind(found.rename_type), table_of(found.relation)
    if kind == "TABLE":
        return (Action(kind=Kind.RENAME_TABLE, table=table, name=found.newname),)
    if kind == "COLUMN" and _kind(found.relation_type) == "TABLE":
        return (Action(kind=Kind.RENAME_COLUMN, table=table, column=found.subname, name=found.newname),)
    name = f"{kind.lower()} {table or named(found.object)}"
    # nobody's statement names these but an error's text, and ON CONFLICT ON CONSTRAINT
    return _one(Kind.ALTER if kind in MINOR else Kind.RENAME, name)


def _set_schema(found: Any) -> tuple[Action, ...]:
    kind, table = _kind(found.object_type), table_of(found.relation)
    if kind == "TABLE":
        return (Action(kind=Kind.RENAME_TABLE, table=table, name=found.newschema),)
    return _one(Kind.RENAME, f"{kind.lower()} {table or named(found.object)}")


def _enum(found: Any) -> tuple[Action, ...]:
    name = parts(found.type_name)
    return _one(Kind.RENAME, f"value of type {name}") if found.old_val else _one(Kind.ADD_VALUE, str(name))


def _drop(found: Any) -> tuple[Action, ...]:
    kind = _kind(found.remove_type)
    said = {"concurrently"} if found.concurrent else set()
    words = frozenset(said | ({"if exists"} if found.missing_ok else set()))
    names = [named(one) for one in found.objects]
    if kind in {"TABLE", "FOREIGN_TABLE"}:
        return tuple(Action(kind=Kind.DROP_TABLE, table=name, said=words) for name in names)
    if kind == "INDEX":
        return tuple(Action(kind=Kind.DROP_INDEX, name=str(name), said=words) for name in names)
    what = {"MATVIEW": "materialized view"}.get(kind, kind.lower())
    return tuple(Action(kind=Kind.DROP, name=f"{what} {name}", said=words) for name in names)


def _select(found: Any) -> tuple[Action, ...]:
    if found.HasField("into_clause"):
        return (Action(kind=Kind.CREATE_TABLE, table=table_of(found.into_clause.rel)),)
    calls = [one.res_target.val.func_call for one in found.target_list]
    calls = [call for call in calls if call.funcname]
    for call in calls:
        function = parts(call.funcname)
        if function.schema == "expandcontract" and function.name in OURS:
            return _one(OURS[function.name])
        if function.name == "set_config":
            values = [_constant(argument) for argument in call.args]
            return (Action(kind=Kind.SETTING, column=values[0].lower(), name=values[1].lower()),)
    unknown = [parts(call.funcname) for call in calls if not _reads(call)]
    return _one(Kind.UNKNOWN, f"{unknown[0]}()") if unknown else _one(Kind.SELECT)


def _reads(call: Any) -> bool:
    function = parts(call.funcname)
    ours = function.schema in {"pg_catalog", "expandcontract"}
    return ours or function.name.startswith("pg_") or function.name in KNOWN_FUNCTIONS


def _constant(node: Any) -> str:
    value = node.a_const
    kind = value.WhichOneof("val")
    return str(getattr(getattr(value, kind), kind)) if kind else ""


def _set(found: Any) -> tuple[Action, ...]:
    kind = pg.VariableSetKind.Name(found.kind)
    if kind == "VAR_RESET_ALL":
        return (Action(kind=Kind.SETTING, column="all", name="default"),)
    given = ", ".join(map(_constant, found.args)) if kind == "VAR_SET_VALUE" else "default"
    return (Action(kind=Kind.SETTING, column=found.name.lower(), name=given.lower()),)


def _insert(found: Any) -> tuple[Action, ...]:
    query = found.select_stmt.select_stmt
    said = frozenset({"select"} if found.HasField("select_stmt") and not query.values_lists else ())
    return (Action(kind=Kind.INSERT, table=table_of(found.relation), said=said),)


def _write(kind: Kind) -> Callable[[Any], tuple[Action, ...]]:
    def reader(found: Any) -> tuple[Action, ...]:
        said = frozenset({"where"} if kind is not Kind.MERGE and found.HasField("where_clause") else ())
        return (Action(kind=kind, table=table_of(found.relation), said=said),)

    return reader


def _grant(found: Any) -> tuple[Action, ...]:
    if found.is_grant:
        return _one(Kind.GRANT)
    first = found.objects[0].range_var if found.objects and found.objects[0].HasField("range_var") else None
    return (Action(kind=Kind.RESTRICT, table=table_of(first), name="revoke"),)


def _reindex(found: Any) -> tuple[Action, ...]:
    said = {"concurrently"} & {option.def_elem.defname for option in found.params}
    return (Action(kind=Kind.REINDEX, name=str(table_of(found.relation) or found.name), said=frozenset(said)),)


def _restrict(what: str, field: str) -> Callable[[Any], tuple[Action, ...]]:
    return lambda found: (Action(kind=Kind.RESTRICT, table=table_of(getattr(found, field)), name=what),)


def _fixed(kind: Kind, name: str | None = None, *said: str) -> Callable[[Any], tuple[Action, ...]]:
    return lambda _: _one(kind, name, *said)


READERS: dict[str, Callable[[Any], tuple[Action, ...]]] = {
    "create_stmt": _create_table,
    "create_foreign_table_stmt": lambda found: _create_table(found.base_stmt),
    "create_table_as_stmt": _create_table_as,
    "index_stmt": _create_index,
    "view_stmt": lambda found: _one(Kind.CREATE, f"view {table_of(found.view)}"),
    "create_function_stmt": lambda found: _one(Kind.CREATE, f"function {parts(found.funcname)}"),
    "create_enum_stmt": lambda found: _one(Kind.CREATE, f"type {parts(found.type_name)}"),
    "composite_type_stmt": lambda found: _one(Kind.CREATE, f"type {table_of(found.typevar)}"),
    "create_seq_stmt": lambda found: _one(Kind.CREATE, f"sequence {table_of(found.sequence)}"),
    "create_trig_stmt": lambda found: _one(Kind.CREATE, f"trigger {table_of(found.relation)}.{found.trigname}"),
    "create_policy_stmt": _restrict("create policy", "table"),
    "rule_stmt": _restrict("create rule", "relation"),
    "createdb_stmt": _fixed(Kind.CREATE, "database", "alone"),
    "dropdb_stmt": _fixed(Kind.DROP, "database", "alone"),
    "alter_table_stmt": _alter,
    "alter_enum_stmt": _enum,
    "alter_object_schema_stmt": _set_schema,
    "rename_stmt": _rename,
    "drop_stmt": _drop,
    "drop_owned_stmt": _fixed(Kind.DROP, "owned"),
    "truncate_stmt": lambda found: tuple(
        Action(kind=Kind.TRUNCATE, table=table_of(one.range_var)) for one in found.relations
    ),
    "update_stmt": _write(Kind.UPDATE),
    "delete_stmt": _write(Kind.DELETE),
    "merge_stmt": _write(Kind.MERGE),
    "insert_stmt": _insert,
    "select_stmt": _select,
    "variable_set_stmt": _set,
    "grant_stmt": _grant,
    "grant_role_stmt": lambda found: _one(Kind.GRANT if found.is_grant else Kind.RESTRICT, "role"),
    "reindex_stmt": _reindex,
    "vacuum_stmt": lambda found: (
        _one(Kind.MAINTAIN, "vacuum", "alone") if found.is_vacuumcmd else _one(Kind.MAINTAIN, "analyze")
    ),
    **{f"{word}_stmt": _fixed(Kind.COMMENT) for word in ("comment", "sec_label")},
    **{
        f"{word}_stmt": _fixed(Kind.MAINTAIN, word.replace("_", " "))
        for word in ("cluster", "check_point", "refresh_mat_view", "lock", "discard")
    },
    **{
        f"{word}_stmt": _fixed(Kind.SELECT)
        for word in ("notify", "listen", "unlisten", "variable_show", "explain", "constraints_set")
    },
}
