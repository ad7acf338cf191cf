"""Python source of a revision's parts, as a developer would write it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy.dialects import postgresql

from expandcontract.revisions.layout import WIDTH, laid_out

if TYPE_CHECKING:
    from expandcontract.core.mapping import Mapping, Table
    from expandcontract.pg.catalog import Column

KNOWN = {
    "text": "sa.Text()",
    "character varying": "sa.String()",
    "smallint": "sa.SmallInteger()",
    "integer": "sa.Integer()",
    "bigint": "sa.BigInteger()",
    "boolean": "sa.Boolean()",
    "date": "sa.Date()",
    "uuid": "sa.Uuid()",
    "double precision": "sa.Double()",
    "numeric": "sa.Numeric()",
    "timestamp with time zone": "sa.DateTime(timezone=True)",
    "timestamp without time zone": "sa.DateTime()",
    "bytea": "sa.LargeBinary()",
}
QUOTER = postgresql.dialect(paramstyle="named").identifier_preparer  # type: ignore[no-untyped-call]
SIZED = re.compile(r"(character varying|numeric)\((\d+)(?:,(\d+))?\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """The statements of one revision, as Python source lines."""

    summary: str
    upgrade: list[str] = field(default_factory=list)
    seal: list[str] = field(default_factory=list)
    downgrade: list[str] = field(default_factory=list)


def rendered(value: str) -> str:
    """A string as a Python literal, in the quotes that formatters choose: double, unless that escapes more."""
    literal = json.dumps(value, ensure_ascii=False)
    if value.count('"') <= value.count("'"):
        return literal
    inner = literal[1:-1].replace('\\"', '"').replace("'", "\\'")
    return f"'{inner}'"


def statement(sql: str) -> str:
    """SQL as a literal for ``op.execute`` or ``sa.text``, which would read ``:name`` as a parameter."""
    return rendered(re.sub(r"(?<![:\w\\]):(?=\w)", r"\:", sql))


def quote(name: str) -> str:
    """An identifier, quoted for SQL where it is not plain lower case or is a reserved word."""
    return str(QUOTER.quote(name))


def add_column(table: Table, column: Column, name: str) -> str:
    """ADD COLUMN with the type and collation of ``column``, nullable and without default."""
    kind = KNOWN.get(column.type)
    if sized := SIZED.fullmatch(column.type):
        word = "String" if sized[1] == "character varying" else "Numeric"
        kind = f"sa.{word}({sized[2]}{', ' + sized[3] if sized[3] else ''})"
    if kind is None or column.collation is not None:
        collate = f" COLLATE {column.collation}" if column.collation else ""
        place = f"{quote(table.schema)}.{quote(table.name)}"
        return f"op.execute({statement(f'ALTER TABLE {place} ADD COLUMN {quote(name)} {column.type}{collate}')})"
    schema = "" if table.schema == "public" else f", schema={rendered(table.schema)}"
    return f"op.add_column({rendered(table.name)}, sa.Column({rendered(name)}, {kind}){schema})"


def change_source(name: str, mapping: Mapping) -> str:
    """The declaration ``change = Change(…)``."""
    sides = []
    for side in ("forward", "reverse"):
        items = [f"{rendered(key)}: {rendered(sql)}" for key, sql in getattr(mapping, side).items()]
        whole = f"        {side}={{{', '.join(items)}}},\n"
        listed = "".join(f"            {item},\n" for item in items)
        sides.append(whole if len(whole) <= WIDTH + 1 else f"        {side}={{\n{listed}        }},\n")
    lossy = "        lossy=True,\n" if mapping.lossy else ""
    return (
        f"change = Change(\n    {rendered(name)},\n    mapping=Mapping(\n        {rendered(str(mapping.table))},\n"
        f"{''.join(sides)}{lossy}    ),\n)"
    )


def function(name: str, doc: str, lines: list[str]) -> str:
    """A function of a revision."""
    body = "\n".join(broken for line in lines for broken in laid_out(line)) or "    pass"
    return f'def {name}() -> None:\n    """{doc}"""\n{body}\n'
