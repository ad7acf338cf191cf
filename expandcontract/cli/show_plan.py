"""A plan in words: what the next move will do, and what its gates say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from expandcontract.cli.show_gate import show_gate
from expandcontract.cli.show_status import timeline
from expandcontract.cli.show_switch import show_drift

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from expandcontract.cli.screen import Screen


def show_plan(out: Screen, document: Mapping[str, Any]) -> None:
    """Show the next move's statements or tables, then the judgement of its gates."""
    out.line(str(document["change"]), "bold")
    out.line(f"  {timeline(str(document['phase']), moving=False)}")
    if not document.get("move"):
        out.line("  nothing is left to do")
        show_drift(out, document.get("drift"))
        return
    out.line(f"next move: {document['move']}", "bold")
    if document.get("irreversible"):
        out.line(f"  cannot be taken back: {document['irreversible']}", "bold")
    for left in document.get("headroom") or ():
        out.line(f"  headroom of {left['column']}: {left['text']}")
    for relation in document.get("relations") or ():
        size = f"{relation['pages']:,} pages, about {max(relation['rows'], 0):,} rows"
        out.line(f"  fills {relation['name']}: {size}; expected: {relation['text']}")
    for item in document.get("seal") or ():
        out.line(f"  seals {item}")
    for statement in document.get("statements") or ():
        _statement(out, statement)
    for finding in document.get("preflight") or ():
        out.line(f"  {'refuses' if finding['severity'] == 'refuse' else 'to know'}: {finding['what']}")
    if document.get("judgement"):
        show_gate(out, document["judgement"])


def _statement(out: Screen, statement: Mapping[str, Any]) -> None:
    for line in f"{statement['sql']};".splitlines():
        out.line(f"    {line}")
    for said in _effects(statement):
        out.line(f"      {said}", "dim")


def _effects(statement: Mapping[str, Any]) -> Iterator[str]:
    if statement["refused"]:
        yield f"PostgreSQL will refuse it: {statement['refused']}"
    if statement["form"] == "unknown":
        yield "its locks are not known; ec rehearse would show them"
    for lock in statement["locks"]:
        yield f"{lock['mode']} on {lock['relation']}"
    for what, names in (("rewrites", statement["rewrites"]), ("reads all of", statement["scans"])):
        if names:
            yield f"{what} {', '.join(names)}"
    if not statement["transactional"]:
        yield "outside a transaction"
    if statement["assumed"]:
        yield "at the worst: not all that this depends on is known"
