"""Python source of a revision's parts, as a developer would write it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy.dialects import postgresql

from expandcontract.core.change import implied
from expandcontract.revisions.layout import layout, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping as MappingABC

    from expandcontract.core.change import Change
    from expandcontract.core.fill import Fill
    from expandcontract.core.mapping import Mapping, Table
    from expandcontract.core.shape import Hold
    from expandcontract.core.transfer import Transfer
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
    """The statements of one revision, as Python source lines; ``imports`` are lines that they need beside ``op``.

    ``restore`` lists, as a seal does, what the way back puts back; ``downgrade`` begins with a call of it.
    """

    summary: str
    imports: tuple[str, ...] = ()
    upgrade: list[str] = field(default_factory=list)
    seal: list[str] = field(default_factory=list)
    cut_over: list[str] = field(default_factory=list)
    seal_back: list[str] = field(default_factory=list)
    roll_back: list[str] = field(default_factory=list)
    restore: list[str] = field(default_factory=list)
    downgrade: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a recipe gives: a pair that is not written yet.

    Attributes:
        change: The declaration.
        expand: The expand half.
        contract: The contract half; ``None`` where the kind has none.
        beside: Columns that share an index or constraint with the mapped ones, so that they cannot change meanwhile.
        notes: What the developer should know before it is applied.
    """

    change: Change
    expand: Half
    contract: Half | None = None
    beside: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


def rendered(value: str) -> str:
    """A string as a Python literal."""
    return quoted(value)


def statement(sql: str) -> str:
    """SQL as a literal for ``op.execute`` or ``sa.text``, which would read ``:name`` as a parameter."""
    return rendered(re.sub(r"(?<![:\w\\]):(?=\w)", r"\:", sql))


def quote(name: str) -> str:
    """An identifier, quoted for SQL where it is not plain lower case or is a reserved word."""
    return str(QUOTER.quote(name))


def sqlalchemy_type(name: str) -> str | None:
    """SQLAlchemy's type for one that ``format_type`` writes; ``None`` where SQL says it better."""
    if sized := SIZED.fullmatch(name):
        word = "String" if sized[1] == "character varying" else "Numeric"
        return f"sa.{word}({sized[2]}{', ' + sized[3] if sized[3] else ''})"
    return KNOWN.get(name)


def add_column(table: Table, column: Column, name: str) -> str:
    """ADD COLUMN with the type and collation of ``column``, nullable and without default."""
    kind = sqlalchemy_type(column.type)
    if kind is None or column.collation is not None:
        collate = f" COLLATE {column.collation}" if column.collation else ""
        place = f"{quote(table.schema)}.{quote(table.name)}"
        return f"op.execute({statement(f'ALTER TABLE {place} ADD COLUMN {quote(name)} {column.type}{collate}')})"
    schema = "" if table.schema == "public" else f", schema={rendered(table.schema)}"
    return f"op.add_column({rendered(table.name)}, sa.Column({rendered(name)}, {kind}){schema})"


def change_source(change: Change) -> str:
    """The declaration ``change = Change(…)``."""
    shape = change.shape
    said = [rendered(change.name)]
    said += _several("mapping", [_mapping(mapping) for mapping in shape.mappings])
    said += _several("fill", [_fill(fill) for fill in shape.fills])
    said += _several("transfer", [_transfer(transfer) for transfer in shape.transfers])
    said += _several("removes", [_hold(hold) for hold in shape.removes])
    said += _several("keeps", [_hold(hold) for hold in shape.keeps])
    if change.kind is not implied(shape):
        said.append(f"kind={rendered(change.kind)}")
    if change.irreversible:
        said.append(f"irreversible={rendered(change.irreversible)}")
    return layout(f"change = Change({', '.join(said)})")


def _several(name: str, items: list[str]) -> list[str]:
    if not items:
        return []
    return [f"{name}={items[0] if len(items) == 1 else '[' + ', '.join(items) + ']'}"]


def _mapping(mapping: Mapping) -> str:
    lossy = ", lossy=True" if mapping.lossy else ""
    return (
        f"Mapping({rendered(mapping.table.spelled)}, forward={_dict(mapping.forward)},"
        f" reverse={_dict(mapping.reverse)}{lossy})"
    )


def _fill(fill: Fill) -> str:
    said = [rendered(fill.table.spelled)]
    said += [_dict(fill.values)] if fill.values else []
    if fill.join:
        said.append(f"join={_dict({name: table.spelled for name, table in fill.join.items()})}")
        said.append(f"on={rendered(fill.on or '')}")
    if fill.function:
        said.append(f"function={rendered(fill.function)}")
        said += [f"{name}=[{', '.join(map(rendered, getattr(fill, name)))}]" for name in ("reads", "writes")]
    said += [f"where={rendered(fill.where)}"] if fill.where is not None else []
    return f"Fill({', '.join(said)})"


def _transfer(transfer: Transfer) -> str:
    more = "".join(f", {flag}=True" for flag in ("lossy", "create_missing") if getattr(transfer, flag))
    return (
        f"Transfer({rendered(transfer.source.spelled)}, {rendered(transfer.table.spelled)},"
        f" key={_dict(transfer.key)}, forward={_dict(transfer.forward)},"
        f" reverse={_dict(transfer.reverse)}{more})"
    )


def _hold(hold: Hold) -> str:
    return f"Hold({rendered(hold.table.spelled)}, [{', '.join(map(rendered, hold.columns))}])"


def _dict(side: MappingABC[str, str]) -> str:
    return "{" + ", ".join(f"{rendered(key)}: {rendered(sql)}" for key, sql in side.items()) + "}"


def function(name: str, doc: str, lines: list[str]) -> str:
    """A function of a revision."""
    body = "\n".join(layout(line, 4) for line in lines) or "    pass"
    return f'def {name}() -> None:\n    """{doc}"""\n{body}\n'
