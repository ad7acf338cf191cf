"""Values for a column, as SQL over a row's number ``n``: one that fits its type first, then others. Pure.

Rules for the next editor:

1. The first variant differs for every ``n`` wherever the type has room for that, so that unique columns can have it.
2. What later variants are for is a CHECK, a partition's bound, a domain or a mapping that the first does not satisfy.
   Which one does is tried out by :mod:`expandcontract.pg.rows.choice`, never guessed from the text of a check.
3. A constant that stands in a check is the best hint there is: variants are made of these first.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from expandcontract.pg.rows.kind import Kind

QUOTED = re.compile(r"'((?:[^']|'')*)'")
NUMBER = re.compile(r"(?<![\w.'])-?\d+(?:\.\d+)?(?![\w'])")
SHORT = 16  # characters; below that a word and a number do not fit
DIGITS_AT_MOST = 15
INTEGERS = frozenset({"int2", "int4", "int8"})
NUMBERS = INTEGERS | {"numeric", "float4", "float8", "money"}
TEXTS = frozenset({"text", "varchar", "bpchar", "citext", "name"})
LONGEST = 200
LENGTHS = (2, 3, 5, 10)
MOST_LENGTHS = 6
STEPS = {
    "date": "",
    "timestamp": " * INTERVAL '1 minute'",
    "timestamptz": " * INTERVAL '1 minute'",
    "time": " * INTERVAL '1 second'",
}
PLAIN: dict[str, tuple[str, ...]] = {
    "bool": ("{n} % 2 = 0", "true", "false"),
    "int2": ("1 + {n} % 32000", "{n} % 100", "{n} % 10", "{n} % 2", "- 1 - {n} % 32000", "0", "1"),
    "int4": ("{n}", "{n} % 1000", "{n} % 100", "{n} % 10", "{n} % 2", "-{n}", "0", "1"),
    "int8": ("{n}", "{n} % 1000", "{n} % 100", "{n} % 10", "{n} % 2", "-{n}", "0", "1"),
    "float4": ("{n} + 0.5", "({n} % 100) / 100.0", "-{n}", "0"),
    "float8": ("{n} + 0.5", "({n} % 100) / 100.0", "-{n}", "0"),
    "money": ("{n}::numeric", "0::numeric"),
    "oid": ("{n}",),
    "date": ("DATE '2000-01-01' + {n}", "CURRENT_DATE - ({n} % 3650)", "CURRENT_DATE + 1 + {n} % 3650"),
    "time": ("TIME '00:00' + {n} * INTERVAL '1 second'", "TIME '12:00'"),
    "timetz": ("TIMETZ '00:00+00' + {n} * INTERVAL '1 second'", "TIMETZ '12:00+00'"),
    "timestamp": (
        "TIMESTAMP '2020-01-01' + {n} * INTERVAL '1 second'",
        "LOCALTIMESTAMP - {n} * INTERVAL '1 second'",
        "LOCALTIMESTAMP + {n} * INTERVAL '1 second'",
    ),
    "timestamptz": (
        "TIMESTAMPTZ '2020-01-01 00:00+00' + {n} * INTERVAL '1 second'",
        "now() - {n} * INTERVAL '1 second'",
        "now() + {n} * INTERVAL '1 second'",
    ),
    "interval": ("{n} * INTERVAL '1 second'", "INTERVAL '1 day'"),
    "uuid": ("md5({n}::text)::uuid", "gen_random_uuid()"),
    "json": ("json_build_object('n', {n}, 'text', 'value ' || {n})", "json_build_array({n})", "to_json({n})"),
    "jsonb": ("jsonb_build_object('n', {n}, 'text', 'value ' || {n})", "jsonb_build_array({n})", "to_jsonb({n})"),
    "xml": ("('<n>' || {n} || '</n>')::xml",),
    "bytea": ("decode(md5({n}::text), 'hex')", "decode(lpad(to_hex({n}), 8, '0'), 'hex')"),
    "inet": ("INET '10.0.0.0' + {n}", "INET '2001:db8::' + {n}"),
    "cidr": ("set_masklen((INET '10.0.0.0' + {n})::cidr, 32)", "network(set_masklen(INET '10.0.0.0' + {n} * 256, 24))"),
    "macaddr": ("lpad(to_hex({n}), 12, '0')::macaddr",),
    "macaddr8": ("lpad(to_hex({n}), 16, '0')::macaddr8",),
    "tsvector": ("to_tsvector('simple', 'word' || {n})",),
    "tsquery": ("to_tsquery('simple', 'word' || {n})",),
    "point": ("point({n}, {n} + 1)",),
    "line": ("line(point(0, {n}), point(1, {n} + 1))",),
    "lseg": ("lseg(point(0, {n}), point(1, {n} + 1))",),
    "box": ("box(point({n} * 10, {n} * 10), point({n} * 10 + 5, {n} * 10 + 5))",),
    "path": ("path(polygon(box(point({n}, {n}), point({n} + 1, {n} + 1))))",),
    "polygon": ("polygon(box(point({n}, {n}), point({n} + 1, {n} + 1)))",),
    "circle": ("circle(point({n} * 10, {n} * 10), 2)",),
    "pg_lsn": ("'0/0'::pg_lsn + {n}",),
    "hstore": ("('n=>' || {n})",),
    "ltree": ("'top.n' || {n}",),
    "char": ("chr(97 + {n} % 26)",),
}
WORDS = (
    "{word} || ' ' || {n}",
    "{n}::text",
    "'user' || {n} || '@example.com'",
    "{lower} || {n}",
    "'https://example.com/' || {n}",
    "'First' || {n} || ' Last' || {n}",
    "(DATE '2000-01-01' + {n})::text",
    "({n} / 100.0)::numeric(20, 2)::text",
    "md5({n}::text)::uuid::text",
    """'{{"n": ' || {n} || '}}'""",
    "'+49' || lpad({n}::text, 9, '0')",
    "({n} % 2 = 0)::text",
    "host(INET '10.0.0.0' + {n})",
)
SIZED = (
    "translate(lpad({n}::text, {size}, '0'), '0123456789', 'ABCDEFGHIJ')",
    "translate(lpad({n}::text, {size}, '0'), '0123456789', 'abcdefghij')",
    "lpad({n}::text, {size}, '0')",
)


def literals(*texts: str) -> tuple[str, ...]:
    """The constants in the text of checks and bounds, strings unquoted, in order, each once."""
    found: list[str] = []
    for text in texts:
        found += [quoted.replace("''", "'") for quoted in QUOTED.findall(text)]
        found += NUMBER.findall(QUOTED.sub("", text))
    return tuple(dict.fromkeys(found))


def variants(kind: Kind, n: sql.Composable, word: str, hints: Sequence[str] = ()) -> tuple[sql.Composed, ...]:
    """The values that a column can be given, each an expression over ``n``; none where the type is not known.

    Args:
        kind: The column's type.
        n: The row's number, from 1, as an ``int``.
        word: What texts begin with: the column's name.
        hints: Constants of the checks on the column.
    """
    match kind.make:
        case "enum":
            found = _enum(kind, n, hints)
        case "array":
            found = [sql.SQL("ARRAY[{}]").format(item) for item in variants(kind.parts[0], n, word, hints)]
        case "range":
            found = _range(kind, n, word)
        case "multirange":
            inner = variants(kind.parts[0], n, word)
            found = [sql.SQL("{}({})").format(sql.SQL(kind.spelled), item) for item in inner]
        case "composite":
            found = _composite(kind, n, word)
        case _:
            plain = _plain(kind, n, word, hints)
            found = [*plain[:1], *_hinted(kind, n, hints), *plain[1:]] if plain else []
    return tuple(_cast(kind, item) for item in found)


def _cast(kind: Kind, value: sql.Composable) -> sql.Composed:
    cast = sql.SQL("({})::{}").format(value, sql.SQL(kind.spelled))
    return sql.SQL("{}::{}").format(cast, sql.SQL(kind.domain)) if kind.domain else cast


def _plain(kind: Kind, n: sql.Composable, word: str, hints: Sequence[str]) -> list[sql.Composed]:
    if kind.name in TEXTS:
        return _texts(kind, n, word, hints)
    if kind.name == "numeric":
        return _numerics(kind, n)
    if kind.name in {"bit", "varbit"}:
        return [sql.SQL("{}::bit({})").format(n, sql.Literal(kind.length or 32))]
    return [sql.SQL(template).format(n=n) for template in PLAIN.get(kind.name, ())]


def _texts(kind: Kind, n: sql.Composable, word: str, hints: Sequence[str]) -> list[sql.Composed]:
    room = kind.length or 0
    shown = word if not room else word[: max(room - SHORT, 1)]
    values = {"n": n, "word": sql.Literal(shown), "lower": sql.Literal(shown.lower())}
    found = [sql.SQL(template).format(**values) for template in WORDS]
    sizes = [int(hint) for hint in hints if hint.isdecimal() and 0 < int(hint) <= LONGEST][:MOST_LENGTHS]
    for size in dict.fromkeys((*sizes, *([room] if 0 < room <= LONGEST else []), *LENGTHS)):
        found += [sql.SQL(template).format(n=n, size=sql.Literal(size)) for template in SIZED]
    if room and room < SHORT:  # a number alone differs for longer
        found.insert(0, sql.SQL("right(lpad(to_hex({n}), 8, '0'), {size})").format(n=n, size=sql.Literal(room)))
    return [sql.SQL("left({}, {})").format(item, sql.Literal(room)) if room else item for item in found]


def _numerics(kind: Kind, n: sql.Composable) -> list[sql.Composed]:
    if kind.precision is None:
        templates = ("{n}", "{n} / 100.0", "({n} % 100) / 100.0", "{n} % 10", "-{n}", "0")
        return [sql.SQL(template).format(n=n) for template in templates]
    room = sql.SQL("1" + "0" * min(kind.precision, DIGITS_AT_MOST))
    step = sql.SQL("1" + "0" * max(kind.scale, 0))
    values = {"n": n, "room": room, "step": step}
    bounded = ("({n} % {room})::numeric / {step}", "({n} % 100 % {room})::numeric / {step}", "{n} % 10", "0")
    return [sql.SQL(template).format(**values) for template in bounded]


def _enum(kind: Kind, n: sql.Composable, hints: Sequence[str]) -> list[sql.Composed]:
    every = sql.SQL("enum_range(NULL::{})").format(sql.SQL(kind.spelled))
    cycled = sql.SQL("({all})[1 + {n} % cardinality({all})]").format(all=every, n=n)
    return [cycled, *(sql.Composed([sql.Literal(hint)]) for hint in hints)]


def _range(kind: Kind, n: sql.Composable, word: str) -> list[sql.Composed]:
    """Ranges that do not meet, as an exclusion constraint wants them."""
    low, high = (sql.SQL("({} * 10 + {})").format(n, sql.Literal(offset)) for offset in (0, 5))
    pairs = zip(variants(kind.parts[0], low, word), variants(kind.parts[0], high, word), strict=True)
    made = sql.SQL(kind.spelled)
    return [sql.SQL("{}(least({a}, {b}), greatest({a}, {b}))").format(made, a=a, b=b) for a, b in pairs]


def _composite(kind: Kind, n: sql.Composable, word: str) -> list[sql.Composed]:
    firsts = [variants(part, n, word) for part in kind.parts]
    if not all(firsts):
        return []
    return [sql.SQL("ROW({})").format(sql.SQL(", ").join(found[0] for found in firsts))]


def _hinted(kind: Kind, n: sql.Composable, hints: Sequence[str]) -> list[sql.Composed]:
    """Values made of the constants of a check: one of them, all in turn, near them, between them."""
    if not hints:
        return []
    if kind.name in NUMBERS:
        return _near(kind, n, sorted({float(hint) for hint in hints if NUMBER.fullmatch(hint)}))
    constants = [_cast(kind, sql.Literal(hint)) for hint in hints]
    found = [sql.Composed([one]) for one in constants]
    if len(constants) > 1:
        turn = sql.SQL("(ARRAY[{}])[1 + {} % {}]")
        found.insert(0, turn.format(sql.SQL(", ").join(constants), n, sql.Literal(len(constants))))
    if (step := STEPS.get(kind.name)) is not None:
        after = sql.SQL("{} + ({} % {})" + step)
        found += [after.format(one, n, sql.Literal(size)) for one in constants for size in (28, 3650, 1_000_000)]
    return found


def _near(kind: Kind, n: sql.Composable, numbers: Sequence[float]) -> list[sql.Composed]:
    whole = kind.name in INTEGERS
    exact = [sql.Literal(int(number) if whole or number.is_integer() else number) for number in numbers]
    found = [
        sql.SQL("{} + {} % greatest(({})::int8 - ({})::int8, 1)").format(low, n, high, low)
        for low, high in itertools.pairwise(exact)
    ]
    found += [sql.SQL("{} + {}").format(one, n) for one in exact]
    found += [sql.SQL("{} - {}").format(one, n) for one in exact]
    found += [sql.Composed([one]) for one in exact]
    if len(exact) > 1:
        turn = sql.SQL("(ARRAY[{}])[1 + {} % {}]")
        found.append(turn.format(sql.SQL(", ").join(exact), n, sql.Literal(len(exact))))
    return found
