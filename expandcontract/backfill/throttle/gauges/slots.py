"""WAL that replication slots keep on the primary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.throttle import Reading, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.backfill.throttle.gauge import Scope


class Slots:
    """How much WAL the slowest slot keeps, and which slots are about to lose theirs.

    An ``unreserved`` slot loses WAL that its reader still needs with the next checkpoint.
    https://www.postgresql.org/docs/current/view-pg-replication-slots.html
    """

    signals = (Signal.SLOT_BACKLOG_BYTES, Signal.SLOTS_AT_RISK)

    def read(self, scope: Scope) -> Iterator[Reading]:
        """Both, of every slot, in use or not."""
        slots = scope.ask("slots")
        if Signal.SLOT_BACKLOG_BYTES in scope.limits.of:
            worst = max(slots, key=lambda slot: slot["backlog"] or 0, default=None)
            value = 0 if worst is None else worst["backlog"] or 0
            unused = "" if worst is None or worst["active"] else ", nobody reads it"
            detail = f"slot {worst['name']}{unused}" if worst else ""
            yield scope.reading(Signal.SLOT_BACKLOG_BYTES, value, detail)
        if Signal.SLOTS_AT_RISK in scope.limits.of:
            names = [str(slot["name"]) for slot in slots if slot["at_risk"]]
            yield scope.reading(Signal.SLOTS_AT_RISK, len(names), ", ".join(names))
