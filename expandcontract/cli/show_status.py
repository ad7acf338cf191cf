"""The status document in words.

Rules for the next editor:

1. The document is the runner's and the same one is served over HTTP; this file only reads it.
2. A key that is missing shows as nothing, never as an error: an older runner's document still shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from expandcontract.cli.figures import figures
from expandcontract.cli.show_switch import show_drift, show_shift
from expandcontract.cli.times import length, moment, until
from expandcontract.core.phase import ORDER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from expandcontract.cli.screen import Screen

DONE, HERE, AHEAD, MOVING = "●", "◉", "○", "◐"


def show_status(out: Screen, document: Mapping[str, Any]) -> None:
    """Show changes, releases and traffic."""
    changes = document.get("changes") or []
    if not changes:
        out.line("no changes yet; ec new rename-column TABLE OLD NEW writes the first pair")
    weights = (document.get("traffic") or {}).get("weights") or {}
    for change in changes:
        _change(out, change, document.get("now"), weights)
    _releases(out, document)
    _integrity(out, document)


def timeline(phase: str, *, moving: bool) -> str:
    """``planned ● expanded ◉ dual_writing ○ …``: behind, here, ahead."""
    names = [str(name) for name in ORDER]
    at = names.index(phase) if phase in names else -1
    marks = [
        DONE if place < at else (MOVING if moving else HERE) if place == at else AHEAD for place in range(len(names))
    ]
    return "  ".join(f"{name} {mark}" for name, mark in zip(names, marks, strict=True))


def _change(out: Screen, change: Mapping[str, Any], now: object, weights: Mapping[str, int]) -> None:
    flight = change.get("in_flight")
    out.line(str(change["name"]), "bold")
    out.line(f"  {timeline(str(change.get('phase', '')), moving=bool(flight))}")
    if flight:
        version = f" with {flight['version']}" if flight.get("version") else ""
        out.line(f"  in flight: {flight.get('move')}{version} since {moment(flight.get('since'))}", "yellow")
    for line, style in backfill_words(change):
        out.line(f"  {line}", style)
    window = window_words(change, now)
    if window and change.get("phase") == "cut_over":
        out.line(f"  {window}")
    for line, style in release_words(change, weights):
        out.line(f"  {line}", style)
    if change.get("next"):
        out.line(f"  next: {change['next']}", "cyan")


def release_words(change: Mapping[str, Any], weights: Mapping[str, int]) -> list[tuple[str, str]]:
    """What each color's release speaks of the change and whether that fits, each line with its style."""
    lines = []
    for color, found in (change.get("releases") or {}).items():
        said, style = f"{color}: {found['version']} speaks {found['speaks']}", ""
        if found["fits"]:
            said += ", which fits"
        else:
            said += f", which does not fit; {change['phase']} wants {' or '.join(found['wanted'])}"
            style = "yellow"
            if weights.get(color):
                said, style = f"{said}, and it gets {weights[color]} % of the traffic", "bold red"
        lines.append((said, style))
    return lines


def backfill_words(change: Mapping[str, Any]) -> list[tuple[str, str]]:
    """How a backfill under way is steered and what holds it back, each line with its style; empty where none is."""
    found = change.get("backfill") or {}
    if not found or (change.get("in_flight") or {}).get("move") != "backfill":
        return []
    lines = _progress_words(found)
    if paused := found.get("paused"):
        why = f": {paused['why']}" if paused.get("why") else ""
        lines.append((f"paused by {paused.get('by')} since {moment(paused.get('at'))}{why}", "yellow"))
        lines.append((f"to go on: ec backfill {change['name']} resume", "cyan"))
    given = [f"workers in each process: {found['workers']}"] if found.get("workers") else []
    given += [f"batches of {found['target']}"] if found.get("target") else []
    if given:
        lines.append((f"set while it runs: {'; '.join(given)}", ""))
    held = found.get("held_back") or ()
    lines += [(f"waiting: {item['last']}", "yellow") for item in held if item.get("now")]
    counted = [f"{item['title']} {item['times']} times, {item['seconds']:g} s" for item in held]
    if counted:
        lines.append((f"held back so far: {'; '.join(counted)}", ""))
    return lines


def _progress_words(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    at, working = found.get("progress"), found.get("working") or {}
    lines = []
    if at:
        said = figures({**at, "waiting": ()})
        lines.append((f"{at['table']} is filled to {at['share']:.0%} as of {moment(at['at'])}: {said}", ""))
    if working:
        lines.append((f"at work: {', '.join(working)}", ""))
    return lines


def show_backfill(out: Screen, name: str, document: Mapping[str, Any]) -> None:
    """Show how one change's backfill is steered, out of a status document."""
    found = [change for change in document.get("changes", ()) if change.get("name") == name]
    change: Mapping[str, Any] = found[0] if found else {}
    lines = backfill_words(change) or [("it runs as configured, and nothing has held it back", "")]
    for line, style in lines:
        out.line(f"{name}: {line}", style)


def window_words(change: Mapping[str, Any], now: object) -> str:
    """The rollback window in one line; empty where the document says nothing of it."""
    window = change.get("window") or {}
    if not window:
        return ""
    whole = length(window.get("length"))
    if not window.get("closes_at"):
        return f"the rollback window of {whole} has not opened"
    remaining = until(window["closes_at"], now)
    if not remaining:
        return f"the rollback window of {whole} closed at {moment(window['closes_at'])}"
    return f"the rollback window of {whole} closes at {moment(window['closes_at'])}, in {remaining}"


def show_window(out: Screen, name: str, document: Mapping[str, Any]) -> None:
    """Show one change's window, out of a status document or the answer of ``window``."""
    listed = [change for change in document.get("changes", ()) if change.get("name") == name]
    change = listed[0] if listed else document if "window" in document else {"window": document}
    out.line(f"{name}: {window_words(change, document.get('now')) or 'no window is recorded'}")


def _releases(out: Screen, document: Mapping[str, Any]) -> None:
    releases = document.get("releases") or {}
    traffic = document.get("traffic") or {}
    weights = (
        traffic.get("weights") or traffic.get("recorded") or {key: traffic[key] for key in releases if key in traffic}
    )
    if not releases and not weights:
        return
    rows = []
    for color in ("blue", "green"):
        release = releases.get(color) or {}
        speaks = release.get("speaks") or {}
        rows.append(
            (
                color,
                f"{weights[color]} %" if color in weights else "?",
                str(release.get("version") or "-"),
                str(release.get("role") or "-"),
                ", ".join(f"{change}={word}" for change, word in speaks.items()) or "-",
                str(release.get("baseline") or "-"),
            )
        )
    out.line()
    out.table(("COLOR", "TRAFFIC", "VERSION", "ROLE", "SPEAKS", "BASELINE"), rows)
    show_drift(out, traffic.get("drift"))
    if traffic.get("error") and not traffic.get("drift"):
        out.line(f"the balancer could not be read: {traffic['error']}", "yellow")
    show_shift(out, traffic.get("shift"))


def _integrity(out: Screen, document: Mapping[str, Any]) -> None:
    for fence in document.get("fences") or ():
        out.line(f"locked out for the contract of {fence.get('change')}: {fence.get('role')}", "yellow")
    for fault in document.get("integrity") or ():
        out.line(f"altered: {fault.get('what')}; next: ec repair {fault.get('change')}", "bold red")
