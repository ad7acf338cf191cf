"""SQL given by the user, as PostgreSQL's own grammar reads it; nothing is run.

https://github.com/pganalyze/libpg_query. The parser is loaded when the first text is read: few commands need it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from expandcontract.errors import MappingError

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement: its text as given, its kind in the grammar (``index_stmt``), and its tree."""

    text: str
    kind: str
    tree: Any


def statements(sql: str, what: str) -> tuple[Statement, ...]:
    """The statements of a text, in order.

    Args:
        sql: Any number of statements.
        what: What the text is, for the message: ``--expand``.

    Raises:
        MappingError: It does not parse, or holds no statement.
    """
    from postgast import PgQueryError, parse, split  # noqa: PLC0415  # 14 MB that few commands need

    try:
        parts = [part.strip() for part in split(sql)]
        trees = [parse(part).stmts for part in parts if part]
    except PgQueryError as exc:
        msg = f"{what} does not parse: {exc}"
        raise MappingError(msg, hint="write it as psql would take it") from exc
    found = [
        Statement(text=part, kind=str(tree[0].stmt.WhichOneof("node")), tree=_node(tree[0].stmt))
        for part, tree in zip([part for part in parts if part], trees, strict=True)
        if tree
    ]
    if not found:
        msg = f"{what} holds no statement"
        raise MappingError(msg, hint="leave it out")
    return tuple(found)


def _node(node: Any) -> Any:
    return getattr(node, node.WhichOneof("node"))


def expression(sql: str, what: str) -> str:
    """The text itself, where it is exactly one expression; without comments, which could swallow what follows.

    Raises:
        MappingError: It does not parse, or is more or something else than one expression.
    """
    from postgast import deparse, parse  # noqa: PLC0415  # 14 MB that few commands need

    from expandcontract.pg.clause import single  # noqa: PLC0415  # it loads the parser

    single(what, sql)
    if not any(mark in sql for mark in ("--", "/*", "\n")):
        return sql
    return str(deparse(parse(f"SELECT ({sql}\n)"))).removeprefix("SELECT ").strip()


def reads_columns(sql: str) -> bool:
    """Whether an expression names a column."""
    from postgast import find_nodes, parse  # noqa: PLC0415
    from postgast.pg_query_pb2 import ColumnRef  # noqa: PLC0415

    return any(True for _ in find_nodes(parse(f"SELECT ({sql}\n)"), ColumnRef))


def column_type(sql: str) -> str:
    """The text itself, where it is a column's type and nothing more; ``COLLATE`` may follow.

    Raises:
        MappingError: It does not parse, or says more than a type: a default, a constraint, identity, another column.
    """
    found = statements(f"CREATE TABLE t (c {sql}\n)", "the type")
    elements = found[0].tree.table_elts
    commented = "--" in sql or "/*" in sql
    if len(found) > 1 or len(elements) != 1 or elements[0].column_def.constraints or commented:
        msg = f"{sql!r} says more than a type"
        raise MappingError(msg, hint="a default goes to --default, NOT NULL to --not-null; identity: write bigserial")
    return sql


def index_columns(elements: Iterable[str], where: str | None = None) -> frozenset[str]:
    """The columns that parts of an index's key and its predicate name; those of a part that does not parse are none."""
    from postgast import PgQueryError, find_nodes, parse  # noqa: PLC0415
    from postgast.pg_query_pb2 import ColumnRef, IndexElem  # noqa: PLC0415

    found: set[str] = set()
    tail = f" WHERE {where}\n" if where is not None else ""
    for element in elements:
        try:
            tree = parse(f"CREATE INDEX ON t ({element}\n){tail}")
        except PgQueryError:
            continue
        found |= {part.name for part in find_nodes(tree, IndexElem) if part.name}
        found |= {ref.fields[-1].string.sval for ref in find_nodes(tree, ColumnRef)}
    return frozenset(found)
