"""Playing a moving command: its events are shown as they come, or gathered into one document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from expandcontract.cli.failure import Interrupted
from expandcontract.cli.screen import emit
from expandcontract.cli.show_events import follow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from expandcontract.runner.events import Event


def resumable(changes: Sequence[str]) -> str:
    """What Ctrl-C leaves behind, and the two ways on."""
    names = " ".join(changes)
    return f"the move is left in flight: ec advance {names} resumes it, ec rollback {names} takes it back"


def play(
    events: Iterable[Event],
    *,
    json: bool,
    status: Callable[[], Any] | None = None,
    left: str = "interrupted; run the same command again",
) -> dict[str, object]:
    """Consume ``events`` to the end and give the figures of the last one.

    Args:
        events: From the runner; the work is done while they are consumed.
        json: Print one document at the end instead of lines.
        status: What the document says of where things stand afterwards; asked after the last event.
        left: What Ctrl-C leaves behind, in words.

    Raises:
        Interrupted: Ctrl-C; the runner has been told to stop first.
    """
    gathered: list[dict[str, object]] = []
    try:
        last = _gather(events, gathered) if json else follow(events)
    except KeyboardInterrupt:
        # closing the iterator lets the runner give back its lock before the process ends
        close = getattr(events, "close", None)
        if close is not None:
            close()
        raise Interrupted(left, {"events": gathered} if json else None) from None
    if json:
        emit({"events": gathered, "status": status() if status else None})
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
