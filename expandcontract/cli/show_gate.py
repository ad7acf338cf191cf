"""A judgement in words: every gate, what was measured beside its limit, and when it can open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from expandcontract.cli.screen import screen
from expandcontract.cli.times import moment, until

if TYPE_CHECKING:
    from collections.abc import Mapping

    from expandcontract.cli.failure import Told
    from expandcontract.cli.screen import Screen

MARKS = {"open": ("✓", "green"), "closed": ("✗", "red"), "unknown": ("?", "yellow")}


def show_gate(out: Screen, document: Mapping[str, Any]) -> None:
    """Show every gate of the move, then whether it may be made."""
    for gate in document["gates"]:
        _gate(out, gate, said=document.get("next"))
    _verdict(out, document)


def show_refusal(document: Mapping[str, Any], told: Told) -> None:
    """Show on standard error why a move was refused: only the gates that are not open."""
    out = screen(errors=True)
    # the message lists the gates too; they are shown below with what was measured
    headline = told.message.splitlines()[0].rstrip(":")
    if document.get("move") and document.get("change"):
        headline = f"{document['move']} of {document['change']}, which is {document.get('phase')}"
    out.line(f"{told.code} refused: {headline}", "bold red")
    following = told.hint or document.get("next")
    for gate in document.get("gates", ()):
        if gate["state"] != "open":
            _gate(out, gate, said=following)
    if document.get("opens_at"):
        out.line(f"  earliest: {_earliest(document)}")
    if following:
        out.line(f"  next: {following}")


def _gate(out: Screen, gate: Mapping[str, Any], *, said: object) -> None:
    """Show one gate; its advice only where it is not ``said`` below anyway."""
    mark, style = MARKS.get(gate["state"], MARKS["unknown"])
    out.line(f"{mark} {gate['code']} {gate['gate']}: {gate['reason']}", style)
    facts = [f"{word} {gate[key]}" for key, word in (("measured", "measured"), ("limit", "limit")) if gate.get(key)]
    if gate["state"] != "open":
        facts += [f"opens at {moment(gate['opens_at'])}"] if gate.get("opens_at") else []
        facts += [f"next: {gate['next']}"] if gate.get("next") not in {None, "", said} else []
    if facts and gate["state"] != "open":
        out.line("    " + " · ".join(facts))


def _verdict(out: Screen, document: Mapping[str, Any]) -> None:
    move, change = document["move"], document["change"]
    if document["open"]:
        out.line(f"open: {move} of {change}", "bold green")
    else:
        shut = sum(1 for gate in document["gates"] if gate["state"] != "open")
        out.line(f"closed: {move} of {change}, {shut} of {len(document['gates'])} gates are not open", "bold red")
        if document.get("opens_at"):
            out.line(f"  earliest: {_earliest(document)}")
    if document.get("next"):
        out.line(f"  next: {document['next']}")


def _earliest(document: Mapping[str, Any]) -> str:
    remaining = until(document["opens_at"], document.get("now"))
    return moment(document["opens_at"]) + (f", in {remaining}" if remaining else "")
