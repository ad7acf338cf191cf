"""Who stands in the way of a lock, in words that lead somewhere at three in the morning."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from expandcontract.core.duration import in_words

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

IDLE = ("idle in transaction", "idle in transaction (aborted)")
QUIET = timedelta(seconds=1)
"""A transaction that has done nothing for so long is idle, and not between two of its statements."""


class Kind(StrEnum):
    """What sort of a blocker it is."""

    SESSION = "session"
    AUTOVACUUM = "autovacuum"
    WRAPAROUND = "autovacuum to prevent wraparound"
    PREPARED = "prepared transaction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocker:
    """A transaction that holds, or waits before us for, a lock that conflicts with ours, or an old snapshot.

    Attributes:
        pid: Backend process id; ``None`` for a prepared transaction.
        kind: What sort it is.
        relation: What it holds, as SQL writes it; empty where it is the snapshot that counts.
        mode: Its lock's mode; empty where it is the snapshot that counts.
        role: Login role, or the owner of a prepared transaction.
        application: Its ``application_name``, or the name of a prepared transaction.
        address: Client address, ``local`` for a socket.
        state: As in ``pg_stat_activity``; empty where it may not be seen.
        age: Of its transaction; ``None`` where it may not be seen.
        quiet: How long its state has not changed; ``None`` where it may not be seen.
        query: Its last or running query, literals masked.
    """

    pid: int | None
    kind: Kind = Kind.SESSION
    relation: str = ""
    mode: str = ""
    role: str = ""
    application: str = ""
    address: str = ""
    state: str = ""
    age: timedelta | None = None
    quiet: timedelta | None = None
    query: str = ""

    @property
    def yields(self) -> bool:
        """Whether it gives way by itself to a lock that is waited for long enough."""
        return self.kind is Kind.AUTOVACUUM

    @property
    def idle(self) -> bool:
        """Whether it does nothing and keeps its transaction open."""
        return self.state in IDLE

    @property
    def asleep(self) -> bool:
        """Whether it is idle and has been for a while."""
        return self.idle and self.quiet is not None and self.quiet >= QUIET

    @property
    def lasting(self) -> timedelta | None:
        """Its age as the ladder of limits counts it: for ever where it has no end of its own, ``None`` if unknown."""
        return timedelta.max if self.kind in {Kind.WRAPAROUND, Kind.PREPARED} else self.age

    def may_end(self, roles: Collection[str]) -> bool:
        """Whether ``--terminate-idle`` may end it: an application's session that is asleep in its transaction."""
        return self.kind is Kind.SESSION and self.role in roles and self.asleep

    def holds_up_build(self, limit: timedelta) -> bool:
        """Whether a concurrent build had better not start: it would wait for this one, nobody knows how long."""
        if self.yields:
            return False
        return self.asleep or (self.lasting is not None and self.lasting > limit)

    def told(self, roles: Mapping[str, str]) -> str:
        """One line: who, what it holds, since when, and what it did last."""
        color = f" ({roles[self.role]})" if self.role in roles else ""
        name = f" {self.application!r}" if self.application else ""
        if self.kind is Kind.PREPARED:
            who = f"prepared transaction{name} of {self.role}{color}"
        elif self.kind is Kind.SESSION:
            place = f" from {self.address}" if self.address else ""
            who = f"backend {self.pid} of {self.role or 'an unknown role'}{color}{name}{place}"
        else:
            who = f"backend {self.pid}, an {self.kind}"
        holds = f"{self.mode} on {self.relation}" if self.relation else "an old snapshot"
        parts = [f"{who}, holds {holds}"]
        if self.state and self.kind is Kind.SESSION:
            parts.append(self.state)
        if self.age is not None:
            parts.append(f"transaction open for {in_words(self.age)}")
        if self.query and self.kind is not Kind.PREPARED:
            parts.append(f"query: {self.query}")
        return ", ".join(parts)

    def advice(self, roles: Collection[str], command: str) -> str:
        """What to type against it."""
        if self.kind is Kind.PREPARED:
            name = self.application.replace("'", "''")
            return f"COMMIT PREPARED '{name}' or ROLLBACK PREPARED '{name}', then {command or 'try again'}"
        if self.kind is Kind.WRAPAROUND:
            return f"let it finish, it does not give way and must not be ended lightly; then {command or 'try again'}"
        if command and self.idle and self.role in roles:
            return f"{command} --terminate-idle, or end its transaction and run {command}"
        verb = "pg_terminate_backend" if self.idle else "pg_cancel_backend"
        return f"wait for it or SELECT {verb}({self.pid}), then {command or 'try again'}"

    def document(self, roles: Mapping[str, str]) -> dict[str, object]:
        """As a JSON-ready mapping."""
        return {
            "pid": self.pid,
            "kind": str(self.kind),
            "relation": self.relation or None,
            "mode": self.mode or None,
            "role": self.role or None,
            "color": roles.get(self.role),
            "application": self.application or None,
            "address": self.address or None,
            "state": self.state or None,
            "age_s": None if self.age is None else self.age.total_seconds(),
            "query": self.query or None,
        }
