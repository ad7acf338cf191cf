"""A rehearsal in words: what each statement locked, for how long, and where that is not what was foretold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from expandcontract.cli.failure import Interrupted
from expandcontract.cli.screen import screen
from expandcontract.cli.show_events import follow
from expandcontract.errors import RehearsalError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from expandcontract.cli.screen import Screen
    from expandcontract.runner.events import Event

LEFT = "interrupted; the server of the rehearsal is gone, and the target was only read"
WIDE = 100


def watched(events: Iterator[Event], *, json: bool) -> dict[str, object]:
    """Follow a rehearsal to its end; gives its document. Where it failed, what was seen is shown first.

    Raises:
        RehearsalError: It failed.
        Interrupted: Ctrl-C; what the rehearsal had started is ended first.
    """
    try:
        if not json:
            return follow(events)
        last: dict[str, object] = {}
        for event in events:
            last = event.data
    except KeyboardInterrupt:
        close = getattr(events, "close", None)
        if close is not None:
            close()
        raise Interrupted(LEFT) from None
    except RehearsalError as exc:
        if not json and exc.document:
            show_rehearsal(screen(), exc.document)
        raise
    return last


def show_rehearsal(out: Screen, document: Mapping[str, Any]) -> None:
    """Show every move with its statements, then the figures that a person asks for."""
    for note in document["notes"]:
        out.line(f"! {note}", "yellow")
    for passage in document["moves"]:
        _passage(out, passage)
    if document["irreversible"]:
        out.line(f"not taken back to planned: {document['irreversible']}", "yellow")


def _passage(out: Screen, passage: Mapping[str, Any]) -> None:
    out.line()
    end = passage["to"] or "failed"
    out.line(f"{passage['move']}: {passage['from']} → {end}", "bold" if passage["to"] else "bold red")
    for note in passage["notes"]:
        out.line(f"  ! {note}", "yellow")
    rows = [row for statement in passage["statements"] for row in _rows(statement)]
    if rows:
        out.table(("  statement", "locks seen", "held", "rows", "as foretold"), rows)
        reads, writes = passage["stops_reads_ms"], passage["stops_writes_ms"]
        if reads or writes:
            out.line(f"  held up at the longest: reads {_ms(reads)}, writes {_ms(writes)}", "dim")
    for statement in passage["statements"]:
        for what in statement["differences"]:
            out.line(f"  ✗ {_short(statement['sql'])}: {what}", "bold red")
    if passage["error"]:
        out.line(f"  ✗ {passage['error']['code']}: {passage['error']['message']}", "bold red")


def _rows(statement: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    seen = statement["seen"]
    if seen is None:
        yield f"  {_short(statement['sql'])}", "not run", "", "", "✗"
        return
    locks = [f"{lock['mode']} on {lock['relation']}" for lock in seen["locks"]] or ["none"]
    work = [
        f"{verb} {name}" for verb, names in (("rewrites", seen["rewrites"]), ("reads", seen["scans"])) for name in names
    ]
    agrees = "✗" if statement["differences"] else "✓" if statement["foretold"] else ""
    yield f"  {_short(statement['sql'])}", locks[0], _ms(seen["held_ms"]), ", ".join(work), agrees
    for lock in locks[1:]:
        yield "", lock, "", "", ""


def _short(sql: str) -> str:
    text = " ".join(sql.split())
    return text if len(text) <= WIDE else f"{text[: WIDE - 1]}…"


def _ms(value: float) -> str:
    return f"{value:,.1f} ms"
