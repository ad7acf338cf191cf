"""A plan in words: the moves ahead, what each does and what stands in its way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from expandcontract.cli.show_status import timeline

if TYPE_CHECKING:
    from collections.abc import Mapping

    from expandcontract.cli.screen import Screen

SCALARS = (str, int, float)


def show_plan(out: Screen, document: Mapping[str, Any]) -> None:
    """Show the moves ahead in order, then findings."""
    out.line(f"{document.get('change', '')}: {document.get('phase', '')}", "bold")
    if document.get("phase"):
        out.line(f"  {timeline(str(document['phase']), moving=bool(document.get('in_flight')))}")
    for count, move in enumerate(document.get("moves") or (), start=1):
        _move(out, count, move)
    for finding in document.get("findings") or document.get("preflight") or ():
        _finding(out, finding)
    if document.get("next"):
        out.line(f"next: {document['next']}", "cyan")


def _move(out: Screen, count: int, move: Any) -> None:
    if isinstance(move, SCALARS):
        out.line(f"{count}. {move}")
        return
    to = f" → {move['to']}" if move.get("to") else ""
    out.line(f"{count}. {move.get('move', '')}{to}", "bold")
    for step in move.get("steps") or move.get("does") or ():
        for at, text in enumerate(str(step).strip().splitlines()):
            out.line(f"   {'·' if at == 0 else ' '} {text}")
    if move.get("gates"):
        out.line(f"   gates: {', '.join(map(_name, move['gates']))}")
    if move.get("command"):
        out.line(f"   {move['command']}", "cyan")


def _name(gate: Any) -> str:
    return str(gate.get("gate", "")) if isinstance(gate, dict) else str(gate)


def _finding(out: Screen, finding: Any) -> None:
    if not isinstance(finding, dict):
        out.line(f"! {finding}", "yellow")
        return
    fix = f"; {finding['fix']}" if finding.get("fix") else ""
    out.line(f"! {finding.get('severity', 'warn')}: {finding.get('what', '')}{fix}", "yellow")
