"""What is known of the balancer, in words: what was checked, who moved it, and a shift under way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from expandcontract.cli.times import moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from expandcontract.cli.screen import Screen


def show_checks(out: Screen, document: Mapping[str, Any]) -> None:
    """Show each finding with its mark, and what to do where one is not as it should be."""
    for check in document["checks"]:
        out.line(f"{'✓' if check['ok'] else '✗'} {check['what']}", "green" if check["ok"] else "red")
        if check["fix"]:
            out.line(f"    next: {check['fix']}", "cyan")
    if not document["gradual"]:
        out.line("! it gives a color all of the traffic or none", "yellow")
    if document["warning"]:
        out.line(f"! {document['warning']}", "yellow")
    verdict = "can be used" if document["ok"] else "cannot be used as it is"
    out.line(f"switch {document['switch']} {verdict}", "bold green" if document["ok"] else "bold red")


def show_drift(out: Screen, drift: Mapping[str, Any] | None) -> None:
    """Show that somebody else moved the traffic; nothing where nobody did."""
    if drift:
        out.line(f"{drift['code']} {drift['gate']}: {drift['reason']}", "bold red")
        out.line(f"  next: {drift['next']}", "cyan")


def show_shift(out: Screen, shift: Mapping[str, Any] | None) -> None:
    """Show the shift that is under way, and what it was told; nothing where there is none."""
    if not shift:
        return
    out.line(f"a shift toward {shift['toward']} is under way since {moment(shift['began_at'])}", "yellow")
    for word, ways in (
        ("paused", "ec switch resume, or ec switch abort"),
        ("aborted", "the command that began it takes the traffic back"),
    ):
        if told := shift.get(word):
            why = f": {told['why']}" if told.get("why") else ""
            out.line(f"  {word} by {told['by']} at {moment(told['at'])}{why}", "yellow")
            out.line(f"  next: {ways}", "cyan")
