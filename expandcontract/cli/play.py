"""Playing a moving command: its events are shown as they come, in words or as documents, or gathered into one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from expandcontract.cli.failure import Interrupted
from expandcontract.cli.screen import Plain, emit, in_line
from expandcontract.cli.show_events import Steady, follow
from expandcontract.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from expandcontract.runner.events import Event


def resumable(changes: Sequence[str]) -> str:
    """What Ctrl-C leaves behind, and the two ways on."""
    names = " ".join(changes)
    back = "CHANGE" if names == "--all" else names
    return f"the move is left in flight: ec advance {names} resumes it, ec rollback {back} takes it back"


def play(
    events: Iterable[Event],
    *,
    json: bool,
    lines: bool = False,
    status: Callable[[], Any] | None = None,
    left: str = "interrupted; run the same command again",
) -> dict[str, object]:
    """Consume ``events`` to the end and give the figures of the last one.

    Args:
        events: From the runner; the work is done while they are consumed.
        json: Print one document at the end instead of words.
        lines: Print each event as a document on a line as it comes, and at last the status.
        status: What the document says of where things stand afterwards; asked after the last event.
        left: What Ctrl-C leaves behind, in words.

    Raises:
        Interrupted: Ctrl-C; the runner has been told to stop first.
        UsageError: Both kinds of document are wanted.
    """
    if json and lines:
        msg = "--json is one document, --json-lines is many"
        raise UsageError(msg, hint="give one of the two")
    gathered: list[dict[str, object]] = []
    try:
        last = _gather(events, gathered) if json else _stream(events) if lines else follow(events)
    except KeyboardInterrupt:
        # closing the iterator lets the runner give back its lock before the process ends
        close = getattr(events, "close", None)
        if close is not None:
            close()
        raise Interrupted(left, {"events": gathered} if json else None) from None
    if json:
        emit({"events": gathered, "status": status() if status else None})
    elif lines:
        Steady(Plain()).line(in_line({"status": status() if status else None}))
    return last


def _stream(events: Iterable[Event]) -> dict[str, object]:
    last: dict[str, object] = {}
    out = Steady(Plain())
    for event in events:
        out.line(in_line(event.document()))
        last = event.data
    return last


def _gather(events: Iterable[Event], into: list[dict[str, object]]) -> dict[str, object]:
    last: dict[str, object] = {}
    try:
        for event in events:
            into.append(event.document())
            last = event.data
    except Exception as exc:
        # the error's document shall tell what had been done by then
        exc.__dict__["so_far"] = {"events": into}
        raise
    return last
