"""SQL as PostgreSQL's own grammar reads it; nothing is run. All that cuts or checks SQL text does it here.

https://github.com/pganalyze/libpg_query. The parser is loaded when the first text is read: few commands need it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from expandcontract.errors import MappingError

if TYPE_CHECKING:
    from collections.abc import Iterable

SEMICOLON = ord(";")
PLAIN = frozenset({"target_list", "limit_option", "op"})
ONE = "give one SQL expression, without a semicolon or a comment at its end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement.

    Attributes:
        text: As it was written, without the closing semicolon.
        kind: The grammar's name for it, ``index_stmt``; empty where the grammar does not know it.
        tree: Its tree, as the parser's message; ``None`` where it has no kind.
    """

    text: str
    kind: str = ""
    tree: Any = None

    @property
    def node(self) -> dict[str, Any]:
        """Its tree as plain mappings: enumerations by their word, fields with the default's value left out."""
        from google.protobuf.json_format import MessageToDict  # noqa: PLC0415  # comes with the parser

        return {} if self.tree is None else MessageToDict(self.tree, preserving_proto_field_name=True)


def cut(script: str) -> tuple[Statement, ...]:
    """The statements of a script, in order. What PostgreSQL 18 cannot parse is a statement without kind."""
    from postgast import PgQueryError, parse  # noqa: PLC0415  # 14 MB that few commands need

    try:
        tree = parse(script)
    except PgQueryError:
        pieces = _split(script)
        if len(pieces) == 1:
            return (Statement(text=pieces[0]),)
        return tuple(found for piece in pieces for found in cut(piece))
    return tuple(_statement(script.encode(), raw) for raw in tree.stmts)


def _split(script: str) -> list[str]:
    """A script that does not parse, cut at its semicolons; whole where even its words cannot be told apart."""
    from postgast import PgQueryError, scan  # noqa: PLC0415  # loaded already

    encoded, begins, pieces = script.encode(), 0, []
    try:
        ends = [token.start for token in scan(script).tokens if token.token == SEMICOLON]
    except PgQueryError:
        ends = []
    for end in (*ends, len(encoded)):
        pieces.append(encoded[begins:end].decode().strip())
        begins = end + 1
    return [piece for piece in pieces if piece] or [script]


def _statement(script: bytes, raw: Any) -> Statement:
    end = raw.stmt_location + raw.stmt_len if raw.stmt_len else len(script)
    text = script[raw.stmt_location : end].decode().strip().rstrip(";").rstrip()
    kind = str(raw.stmt.WhichOneof("node"))
    return Statement(text=text, kind=kind, tree=getattr(raw.stmt, kind))


def statements(sql: str, what: str) -> tuple[Statement, ...]:
    """The statements of a text that a user gave, in order.

    Args:
        sql: Any number of statements.
        what: What the text is, for the message: ``--expand``.

    Raises:
        MappingError: It does not parse, or holds no statement.
    """
    from postgast import PgQueryError, parse  # noqa: PLC0415  # 14 MB that few commands need

    try:
        parse(sql)
    except PgQueryError as exc:
        msg = f"{what} does not parse: {exc}"
        raise MappingError(msg, hint="write it as psql would take it") from exc
    found = cut(sql)
    if not found:
        msg = f"{what} holds no statement"
        raise MappingError(msg, hint="leave it out")
    return found


def single(what: str, expression: str, *, commented: bool = False) -> str:
    """``expression`` itself, where it is exactly one SQL expression: no list, clause or further statement beside it.

    Args:
        what: What it is for, in the message.
        expression: As the user wrote it.
        commented: Whether a comment may end it; it would swallow what is written behind.

    Raises:
        MappingError: It does not parse, is several, or goes on beyond an expression.
    """
    from postgast import PgQueryError, parse  # noqa: PLC0415  # 14 MB that few commands need

    end, alone, said = "\n" if commented else "", [], ""
    for source in (f"SELECT ({expression}{end})", f"SELECT {expression}{end}"):
        try:
            found = parse(source).stmts
        except PgQueryError as exc:
            said = said or str(exc).splitlines()[0]
        else:
            alone.append(len(found) == 1 and _is_one_value(found[0].stmt.select_stmt))
    if said and not alone:
        msg = f"{what} ({expression}) does not parse: {said}"
        raise MappingError(msg, hint=ONE)
    if said or not all(alone):
        msg = f"{what} ({expression}) is not one expression"
        raise MappingError(msg, hint=ONE)
    return expression


def _is_one_value(select: Any) -> bool:
    if {field.name for field, _ in select.ListFields()} - PLAIN or len(select.target_list) != 1:
        return False
    target = select.target_list[0].res_target
    return not target.name and not target.val.HasField("row_expr")


def expression(sql: str, what: str) -> str:
    """The text itself, where it is exactly one expression; without comments, which could swallow what follows.

    Raises:
        MappingError: It does not parse, or is more or something else than one expression.
    """
    from postgast import deparse, parse  # noqa: PLC0415  # 14 MB that few commands need

    single(what, sql, commented=True)
    if not any(mark in sql for mark in ("--", "/*", "\n")):
        return sql
    return str(deparse(parse(f"SELECT ({sql}\n)"))).removeprefix("SELECT ").strip()


def spelled(statement: Statement) -> str:
    """The statement as PostgreSQL itself would write it, in one line and with nothing left to be understood."""
    from postgast import deparse  # noqa: PLC0415  # 14 MB that few commands need
    from postgast.pg_query_pb2 import ParseResult  # noqa: PLC0415

    result = ParseResult()
    getattr(result.stmts.add().stmt, statement.kind).CopyFrom(statement.tree)
    return str(deparse(result))


def reads_columns(sql: str) -> bool:
    """Whether an expression names a column."""
    from postgast import find_nodes, parse  # noqa: PLC0415
    from postgast.pg_query_pb2 import ColumnRef  # noqa: PLC0415

    return any(True for _ in find_nodes(parse(f"SELECT ({sql}\n)"), ColumnRef))


def is_type(sql: str) -> bool:
    """Whether the text reads as a type and nothing more."""
    found = cut(f"SELECT (NULL::{sql})")
    if len(found) != 1 or found[0].kind != "select_stmt":
        return False
    targets = found[0].tree.target_list
    return len(targets) == 1 and bool(targets[0].res_target.val.HasField("type_cast"))


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
