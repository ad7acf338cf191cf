"""Proof that an answer came from the color and the version that was asked for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from expandcontract.core.color import Color
    from expandcontract.traffic.web import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Where an answer says who gave it: a JSON pointer (``/color``), or the name of a header (``X-Color``).

    Attributes:
        color_in: Where the color stands; ``None``: no proof is asked.
        version_in: Where the version stands; ``None``: no proof is asked.
    """

    color_in: str | None = None
    version_in: str | None = None


def unproved(reply: Reply, proof: Proof, color: Color, version: str | None) -> str:
    """Why the answer does not prove that it is of this color and version; empty where it does.

    Args:
        reply: The answer.
        proof: Where to look.
        color: Who was asked.
        version: What is deployed there; ``None`` where that is not known, and is not asked.
    """
    for what, where, wanted in (("color", proof.color_in, str(color)), ("version", proof.version_in, version)):
        if where is None or wanted is None:
            continue
        found = _text(reply, where)
        if found is None:
            return f"does not tell its {what}: nothing at {where}"
        same = found.casefold() == wanted if what == "color" else found == wanted
        if not same:
            return f"is of {what} {found}, not {wanted}"
    return ""


def _text(reply: Reply, where: str) -> str | None:
    if not where.startswith("/"):
        return reply.headers.get(where.lower())
    try:
        found = at(json.loads(reply.body), where)
    except (ValueError, LookupError):
        return None
    if found is None or isinstance(found, (dict, list)):
        return None
    return found if isinstance(found, str) else json.dumps(found)


def at(document: Any, pointer: str) -> Any:
    """What a JSON pointer leads to.

    https://www.rfc-editor.org/rfc/rfc6901

    Raises:
        LookupError: There is nothing.
    """
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(document, list) and name.isdecimal():
            document = document[int(name)]
        elif isinstance(document, dict):
            document = document[name]
        else:
            raise LookupError(pointer)
    return document
