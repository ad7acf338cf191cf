"""The type of a column, down to its parts: what a value of it is made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Ask = Callable[..., list[Mapping[str, Any]]]

HEADER = 4  # bytes that character types add to their length in atttypmod
Make = Literal["plain", "enum", "array", "range", "multirange", "composite"]
OF_CHARACTERS = frozenset({"bpchar", "varchar"})
OF_BITS = frozenset({"bit", "varbit"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A type.

    Attributes:
        name: Of the base type: ``int4``, ``varchar``; of an enum, range or composite its own.
        spelled: As SQL writes it, with schema, length and quotes.
        make: How values of it are made.
        length: Of characters or bits; ``None`` without limit.
        precision: Digits of a numeric in all; ``None`` without limit.
        scale: Of these, the digits behind the point.
        parts: The element of an array, the subtype of a range, the range of a multirange, the fields of a composite.
        domain: The domain over it, as SQL writes that; empty where there is none. It may refuse values of the type.
        demands: The text of the domain's checks.
        required: Whether the domain forbids NULL.
    """

    name: str
    spelled: str
    make: Make = "plain"
    length: int | None = None
    precision: int | None = None
    scale: int = 0
    parts: tuple[Kind, ...] = ()
    domain: str = ""
    demands: str = ""
    required: bool = False


def kind(ask: Ask, oid: int, modifier: int) -> Kind:
    """What the type with that identifier is.

    Args:
        ask: Runs a query of ``tables.sql``.
        oid: Of the type.
        modifier: As ``atttypmod`` has it; -1 without.
    """
    (row,) = ask("type", oid=oid, modifier=modifier)
    if row["kind"] == "d":
        base = kind(ask, row["base"], row["base_modifier"])
        said = " ".join(check["said"] for check in ask("domain", oid=oid))
        required = base.required or row["required"]
        return replace(base, domain=row["spelled"], demands=f"{base.demands} {said}".strip(), required=required)
    return _made(ask, row, modifier) or _plain(row["name"], row["spelled"], modifier)


def _made(ask: Ask, row: Mapping[str, Any], modifier: int) -> Kind | None:
    """A type that is made of others; ``None`` for one that is not."""
    make: Make
    parts: tuple[Kind, ...]
    match row:
        case {"kind": "e"}:
            make, parts = "enum", ()
        case {"kind": "r", "subtype": part}:
            make, parts = "range", (kind(ask, part, -1),)
        case {"kind": "m", "of_ranges": part}:
            make, parts = "multirange", (kind(ask, part, -1),)
        case {"kind": "c", "relation": relation}:
            fields = ask("fields", oid=relation)
            make, parts = "composite", tuple(kind(ask, field["type"], field["modifier"]) for field in fields)
        case {"category": "A", "element": part} if part:
            make, parts = "array", (kind(ask, part, modifier),)
        case _:
            return None
    return Kind(name=row["name"], spelled=row["spelled"], make=make, parts=parts)


def _plain(name: str, spelled: str, modifier: int) -> Kind:
    if modifier < 0:
        return Kind(name=name, spelled=spelled)
    if name in OF_CHARACTERS:
        return Kind(name=name, spelled=spelled, length=modifier - HEADER)
    if name in OF_BITS:
        return Kind(name=name, spelled=spelled, length=modifier)
    if name == "numeric":
        packed = modifier - HEADER
        # eleven bits of scale since 15, signed; https://www.postgresql.org/docs/current/datatype-numeric.html
        scale = ((packed & 0x7FF) ^ 1024) - 1024
        return Kind(name=name, spelled=spelled, precision=(packed >> 16) & 0xFFFF, scale=scale)
    return Kind(name=name, spelled=spelled)
