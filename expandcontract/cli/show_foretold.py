"""What a roll-back would do, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from expandcontract.cli.show_gate import show_gate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from expandcontract.cli.screen import Screen


def show_foretold(out: Screen, document: Mapping[str, Any]) -> None:
    """Show where changes and traffic would go, what would be deployed, named and lost, and the gates."""
    for change in document["changes"]:
        ways = f"would go from {change['from']} to {change['to']}" if change["to"] else f"is {change['from']}"
        out.line(f"{change['name']} {ways}", "bold")
    out.line(f"  traffic: {_way(document['traffic'])}")
    if deploys := document["deploys"]:
        over = f", over {deploys['over']}" if deploys["over"] else ""
        out.line(f"  deployed first: {deploys['version']} on {deploys['color']}{over}")
    if document["others"]:
        out.line(f"  would go back with it, and must be named: {', '.join(document['others'])}", "yellow")
    for note in document["lost"]:
        out.line(f"  {note['text']}", "yellow")
    for judgement in document["judgements"]:
        show_gate(out, {**judgement, "next": None})
    out.line(f"next: {document['next']}", "cyan")


def _way(traffic: Mapping[str, Any]) -> str:
    now = traffic["now"]
    stands = f"blue {now['blue']} %, green {now['green']} %" if now else "not known"
    if traffic["to"] is None:
        return f"{stands}, and stays"
    stages = ", ".join(f"{percent} %" for percent in traffic["steps"][:-1])
    how = f"by way of {stages}" if stages else "at once"
    return f"{stands}; all of it to {traffic['to']} with {traffic['version']}, {how}"
