"""A plan in words: what the next move will do, and what its gates say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from expandcontract.cli.show_gate import show_gate
from expandcontract.cli.show_status import timeline

if TYPE_CHECKING:
    from collections.abc import Mapping

    from expandcontract.cli.screen import Screen


def show_plan(out: Screen, document: Mapping[str, Any]) -> None:
    """Show the next move's statements or tables, then the judgement of its gates."""
    out.line(str(document["change"]), "bold")
    out.line(f"  {timeline(str(document['phase']), moving=False)}")
    if not document.get("move"):
        out.line("  nothing is left to do")
        return
    out.line(f"next move: {document['move']}", "bold")
    if document.get("irreversible"):
        out.line(f"  cannot be taken back: {document['irreversible']}", "bold")
    for left in document.get("headroom") or ():
        out.line(f"  headroom of {left['column']}: {left['text']}")
    for statement in document.get("sql") or ():
        _indented(out, statement)
    for relation in document.get("relations") or ():
        out.line(f"  fills {relation['name']}: {relation['pages']:,} pages, about {relation['rows']:,} rows")
    for item in document.get("seal") or ():
        out.line(f"  seals {item}")
    if document.get("judgement"):
        show_gate(out, document["judgement"])


def _indented(out: Screen, statement: str) -> None:
    for line in f"{statement};".splitlines():
        out.line(f"    {line}")
