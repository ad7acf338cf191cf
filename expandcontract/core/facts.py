"""What was measured, handed to the gates. ``None`` everywhere means: not known, which counts as closed."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from expandcontract.core.change import ChangeState
    from expandcontract.core.color import Color, Weights
    from expandcontract.core.phase import Move
    from expandcontract.core.release import Release


class Severity(StrEnum):
    """How much a finding weighs."""

    REFUSE = "refuse"
    WARN = "warn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a check of the catalogue found.

    Attributes:
        what: The fact, with names and the measured value.
        severity: Whether it closes its gate or only warns.
        fix: What to type or do about it; empty where nothing is advised.
    """

    what: str
    severity: Severity = Severity.REFUSE
    fix: str = ""

    def __str__(self) -> str:
        return self.what


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds the mover lock.

    Attributes:
        pid: Backend process id on the database server.
        who: Command, user and host, as the holder gave them.
        since: When it took the lock, on the database's clock.
    """

    pid: int
    who: str
    since: datetime

    def __str__(self) -> str:
        return f"{self.who} (backend {self.pid}, since {self.since:%Y-%m-%d %H:%M:%S %Z})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A database session of an application role.

    Attributes:
        pid: Backend process id.
        role: Login role.
        application: Its ``application_name``.
        address: Client address, ``local`` for a socket.
        state: As in ``pg_stat_activity``.
        age: Since the session began; ``None`` where we may not see it.
    """

    pid: int
    role: str
    application: str
    address: str
    state: str
    age: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Something that keeps an old snapshot alive.

    Attributes:
        who: Session, prepared transaction, slot or standby, with its name.
        age: How old the snapshot is.
    """

    who: str
    age: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ColorHealth:
    """What the probes of a color said.

    Attributes:
        color: The color probed.
        ok: Whether it answered ready often enough in a row.
        evidence: Status and body of the last answer, or why there was none.
    """

    color: Color
    ok: bool
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the caller asked for along with the move.

    Attributes:
        move: The move asked for or about.
        release: The release to give the traffic to, with what it speaks; ``None`` where none was named.
        by_database: Whether the triggers alone shall carry the dual writes.
        together: Other changes named in the same command, which may move with the traffic.
        fence: Whether the login roles of releases that do not speak ``new`` shall be locked out for the contract.
    """

    move: Move
    release: Release | None = None
    by_database: bool = False
    together: frozenset[str] = frozenset()
    fence: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that the gates of one move look at.

    Attributes:
        now: The database's clock.
        change: The change that shall move.
        changes: All changes of the ledger, this one among them.
        asked: What the caller asked for.
        releases: What is deployed on each color, by the ledger.
        recorded: The weights as the ledger last read them back; ``None`` before the first reading.
        weights: The weights as the balancer reads now; ``None`` where it could not be read.
        traffic_error: Why it could not be read; with ``weights``: why a restart of the balancer would change them.
        origin: The weights from which a move left in flight began; ``None`` where none is.
        holder: Who else holds the mover lock; ``None`` where nobody does.
        integrity: What is missing or altered of hold, triggers and journal.
        preflight: What the preflight found.
        pair: What is wrong with the pair's two revisions.
        lint: Errors that ``ec lint`` finds in the pair's two revisions.
        earlier: Changes whose revision stands earlier in the same chain and is not applied.
        health: What the probes of each color said.
        smoke: Why the smoke test of the idle color failed; empty where it passed or none is set.
        differing: Rows on which the two shapes differ.
        unfit: Rows whose value the old shape cannot have, where the names are traded.
        unsealed: What of the seal is missing or invalid.
        snapshots: Snapshots older than the limit.
        snapshot_limit: That limit.
        sessions: Sessions of releases that do not speak ``new``, as far as they are seen.
        unseen: Why there may be more of them than are seen.
        unfenced: Why their login roles cannot be locked out.
        dependents: What else in the database depends on the old shape.
        breaking: Rows that break what a roll-back to planned puts back.
        switched: Whether a traffic switch is configured.
    """

    now: datetime
    change: ChangeState
    changes: tuple[ChangeState, ...]
    asked: Asked
    releases: Mapping[Color, Release] = field(default_factory=dict)
    recorded: Weights | None = None
    weights: Weights | None = None
    traffic_error: str = ""
    origin: Weights | None = None
    holder: Holder | None = None
    integrity: tuple[Finding, ...] | None = None
    preflight: tuple[Finding, ...] | None = None
    pair: tuple[Finding, ...] | None = None
    lint: tuple[Finding, ...] | None = None
    earlier: tuple[str, ...] | None = None
    health: Mapping[Color, ColorHealth] = field(default_factory=dict)
    smoke: str | None = None
    differing: int | None = None
    unfit: int | None = None
    unsealed: tuple[str, ...] | None = None
    snapshots: tuple[Snapshot, ...] | None = None
    snapshot_limit: timedelta | None = None
    sessions: tuple[Session, ...] | None = None
    unseen: tuple[Finding, ...] = ()
    unfenced: tuple[Finding, ...] = ()
    dependents: tuple[str, ...] | None = None
    breaking: tuple[Finding, ...] = ()
    switched: bool = True

    @property
    def live(self) -> Color | None:
        """The color with all the traffic when the move began, by the last reading, or ``None``."""
        weights = self.origin or self.weights or self.recorded
        return None if weights is None else weights.live

    def others(self) -> tuple[ChangeState, ...]:
        """All changes but this one."""
        return tuple(change for change in self.changes if change.name != self.change.name)
