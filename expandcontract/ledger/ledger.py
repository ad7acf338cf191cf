"""What happened, as the target database has it. The caller owns the transaction; no method begins or commits.

A transition is a conditional UPDATE: no row back means that somebody else moved first, and raises.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from expandcontract.core.change import ChangeState, Deployed, InFlight
from expandcontract.core.color import Color, Weights
from expandcontract.core.phase import Kind, Move, Phase
from expandcontract.core.release import Release, Speaks
from expandcontract.core.shape import Shape
from expandcontract.core.window import DEFAULT_LENGTH, Window
from expandcontract.errors import BusyError, FencedError, LedgerMissingError, UnknownNameError
from expandcontract.ledger.install import VERSION, installed_version
from expandcontract.ledger.queries import load

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta
    from uuid import UUID

    from sqlalchemy import Connection, CursorResult

QUERIES = load("expandcontract.ledger", "queries.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """The ledger's one row about itself.

    Attributes:
        id: Tells this database's ledger from every other.
        version: Of the ledger's schema.
        development: Whether pairs run straight through.
        epoch: How many movers have begun; fences one that lost its lock.
        holder_pid: Backend of the last mover.
        holder: Who it was.
        held_since: When it began.
    """

    id: UUID
    version: int
    development: bool
    epoch: int
    holder_pid: int | None
    holder: str | None
    held_since: datetime | None


class Ledger:
    """The ledger behind one connection.

    Args:
        connection: A SQLAlchemy connection to the target database, whatever its driver.
        window: The rollback window's length where a change has none of its own.

    Raises:
        LedgerMissingError: There is no ledger, or one of another version.
    """

    def __init__(self, connection: Connection, *, window: timedelta = DEFAULT_LENGTH) -> None:
        self._connection = connection
        self._window = window
        version = installed_version(connection)
        if version != VERSION:
            found = "has no ledger" if version is None else f"has a ledger of version {version}, not {VERSION}"
            msg = f"the database {connection.engine.url.database} {found}"
            raise LedgerMissingError(msg, hint="ec init")

    @property
    def connection(self) -> Connection:
        """The connection behind it."""
        return self._connection

    def _run(self, query: str, /, **values: object) -> CursorResult[Any]:
        return self._connection.execute(text(QUERIES[query]), values)

    def installation(self) -> Installation:
        """What the ledger says of itself."""
        return Installation(**self._run("installation").mappings().one())

    def now(self) -> datetime:
        """The database's clock; the only one that counts."""
        moment: datetime = self._run("now").scalar_one()
        return moment

    def changes(self) -> tuple[ChangeState, ...]:
        """Every change the ledger knows, in the order planned."""
        return tuple(self._state(row) for row in self._run("changes").mappings())

    def change(self, name: str) -> ChangeState:
        """One change.

        Raises:
            UnknownNameError: There is none of that name; the nearest is named.
        """
        known = {change.name: change for change in self.changes()}
        if name not in known:
            near = get_close_matches(name, known, n=1)
            msg = f"there is no change {name!r}" + (f"; did you mean {near[0]}?" if near else "")
            raise UnknownNameError(msg, hint="ec status")
        return known[name]

    def _state(self, row: Any) -> ChangeState:
        in_flight = None
        if row["move"] is not None:
            in_flight = InFlight(
                move=Move(row["move"]),
                since=row["move_since"],
                version=row["move_version"],
                arguments=row["move_arguments"],
            )
        return ChangeState(
            name=row["name"],
            phase=Phase(row["phase"]),
            in_flight=in_flight,
            kind=Kind(row["kind"]),
            shape=Shape.from_document(row["shape"]) if row["shape"] else Shape(),
            window=Window(
                self._window if row["window_length"] is None else row["window_length"], row["window_opened_at"]
            ),
            by_database=row["by_database"],
            expand_revision=row["expand_revision"],
            contract_revision=row["contract_revision"],
            before_dual=_deployed(row["before_dual"]),
            before_cut_over=_deployed(row["before_cut_over"]),
            contracted_at=row["contracted_at"],
            straight=row["straight"],
        )

    def plan_change(self, change: ChangeState) -> None:
        """Record a pair that has not begun, or what its files now say of it."""
        self._run("plan_change", name=change.name, kind=change.kind, shape=json.dumps(change.shape.document()))
        self._run("set_contract_revision", name=change.name, revision=change.contract_revision)

    def begin(
        self,
        name: str,
        phase: Phase,
        move: Move,
        *,
        version: str | None = None,
        arguments: dict[str, object] | None = None,
    ) -> None:
        """Save that ``move`` begins from ``phase``, before anything is done.

        Raises:
            BusyError: The change is elsewhere or another move is in flight: somebody else was first.
        """
        self._guarded(
            "begin", name=name, phase=phase, move=move, version=version, arguments=json.dumps(arguments or {})
        )
        self.journal("began", name, {"move": move, "from": phase, "version": version, "arguments": arguments or {}})

    def finish(self, name: str, phase: Phase, move: Move, to: Phase) -> None:
        """Save that ``move`` has led from ``phase`` to ``to``.

        Raises:
            BusyError: The change is no longer in that move.
        """
        self._guarded("finish", name=name, phase=phase, move=move, to=to)
        self.journal("finished", name, {"move": move, "from": phase, "to": to})

    def take_back(self, name: str, move: Move, why: str = "") -> None:
        """Save that an unfinished ``move`` was undone, and why; the change stands where it began.

        Raises:
            BusyError: The change is no longer in that move.
        """
        self._guarded("take_back", name=name, move=move)
        self.journal("taken_back", name, {"move": move, "why": why} if why else {"move": move})

    def _guarded(self, query: str, /, *, name: str, **values: object) -> None:
        self._run("durable")
        if self._run(query, name=name, **values).rowcount != 1:
            msg = f"{name} was moved by somebody else in between"
            raise BusyError(msg, hint=f"ec status {name}")

    def set_by_database(self, name: str, *, value: bool) -> None:
        """Record whether the triggers alone carry the dual writes."""
        self._run("set_by_database", name=name, value=value)

    def set_before(self, name: str, move: Move, release: Release | None) -> None:
        """Record which release was live before the dual-write or cut-over shift: the way back."""
        value = None if release is None else json.dumps({"color": release.color, "version": release.version})
        query = "set_before_dual" if move is Move.DUAL_WRITE else "set_before_cut_over"
        self._run(query, name=name, value=value)

    def open_window(self, name: str) -> None:
        """Start the rollback window now, or start it anew."""
        self._run("open_window", name=name, length=self._window)
        self.journal("window_opened", name)

    def close_window(self, name: str) -> None:
        """Forget the window: a release that does not speak ``new`` can serve again."""
        self._run("close_window", name=name)
        self.journal("window_reset", name)

    def set_window(self, name: str, length: timedelta) -> None:
        """Give the window another length.

        Raises:
            BusyError: It has opened and is longer already.
        """
        self._guarded("set_window", name=name, length=length)
        self.journal("window_set", name, {"seconds": length.total_seconds()})

    def forget_segments(self, name: str) -> None:
        """Drop the backfill's positions, what was asked of it and what held it back; the next one begins anew."""
        self._run("forget_segments", name=name)

    def backfill(self, name: str) -> dict[str, Any] | None:
        """When the backfill began and what was asked of it since; ``None`` where none has begun."""
        row = self._run("backfill", name=name).mappings().one_or_none()
        return None if row is None else dict(row)

    def throttled(self, name: str) -> list[dict[str, Any]]:
        """What has held the backfill back, the latest first; ``now`` where it still does."""
        return [dict(row) for row in self._run("throttled", name=name).mappings()]

    def samples(self, name: str) -> list[dict[str, Any]]:
        """How the backfill has gone, oldest first."""
        return [dict(row) for row in self._run("samples", name=name).mappings()]

    def latest_sample(self, name: str) -> dict[str, Any] | None:
        """How far the backfill was when it was last looked at, and how large the heap was at first."""
        row = self._run("latest_sample", name=name).mappings().one_or_none()
        return None if row is None else dict(row)

    def workers(self, name: str) -> dict[str, int]:
        """Who fills now, by name, each with how many segments."""
        return {row["worker"]: row["segments"] for row in self._run("workers", name=name).mappings()}

    def pause(self, name: str, by: str, why: str | None) -> bool:
        """Let a running backfill wait; says whether there is one. Needs no mover lock."""
        return self._steered("pause", name, {"by": by, "why": why})

    def resume(self, name: str, by: str) -> bool:
        """Let a paused backfill go on; says whether there is one. Needs no mover lock."""
        return self._steered("resume", name, {"by": by})

    def set_pace(self, name: str, by: str, *, workers: int | None, target: timedelta | None) -> bool:
        """Give a running backfill other sizes; says whether there is one. Needs no mover lock.

        Args:
            name: The change.
            by: Who asks.
            workers: Of each process; 0: as each was configured; ``None``: unchanged.
            target: How long a batch should take; zero: as configured; ``None``: unchanged.
        """
        values = {
            "new_workers": workers is not None,
            "workers": workers or None,
            "new_target": target is not None,
            "target": target or None,
        }
        asked: dict[str, object] = {
            "by": by,
            "workers": workers,
            "target_ms": None if target is None else round(target.total_seconds() * 1000),
        }
        return self._steered("set_pace", name, asked, **values)

    def _steered(self, query: str, name: str, detail: dict[str, object], **values: object) -> bool:
        self._run("durable")
        given = values or detail
        if self._run(query, name=name, **given).rowcount != 1:
            return False
        self.journal(f"backfill_{query}", name, detail)
        return True

    def rows_filled(self, name: str) -> int:
        """Rows that the backfill of this change has filled so far."""
        return int(self._run("rows_filled", name=name).scalar_one())

    def conflicts(self, name: str) -> int:
        """Writes that gave both shapes and disagreed; the spoken side won."""
        return int(self._run("conflicts", name=name).scalar_one())

    def releases(self) -> dict[Color, Release]:
        """What is deployed on each color."""
        return {
            Color(row.color): Release(
                color=Color(row.color),
                version=row.version,
                baseline=row.baseline,
                speaks={name: Speaks(value) for name, value in row.speaks.items()},
                deployed_at=row.deployed_at,
            )
            for row in self._run("releases")
        }

    def version(self, name: str) -> tuple[str | None, dict[str, Speaks]] | None:
        """Baseline and speech of a version deployed before, or ``None``."""
        row = self._run("version", name=name).one_or_none()
        return None if row is None else (row.baseline, {key: Speaks(value) for key, value in row.speaks.items()})

    def record_release(self, release: Release, role: str | None, changes: Sequence[str] = ()) -> None:
        """Record what is deployed on a color from now on, and for which changes."""
        speaks = json.dumps(dict(release.speaks))
        self._run("record_version", name=release.version, baseline=release.baseline, speaks=speaks)
        self._run(
            "record_release",
            color=release.color,
            version=release.version,
            role=role,
            baseline=release.baseline,
            speaks=speaks,
        )
        told = {"color": release.color, "version": release.version, "speaks": dict(release.speaks)}
        self.journal("deployed", None, {**told, "changes": list(changes)})

    def weights(self) -> Weights | None:
        """The weights as last read back, or ``None`` before the first reading."""
        row = self._run("weights").one_or_none()
        return None if row is None else Weights(row.blue, row.green)

    def weights_read_at(self) -> datetime | None:
        """When the weights were last read back, on the database's clock; ``None`` before the first reading."""
        moment: datetime | None = self._run("weights_read_at").scalar_one_or_none()
        return moment

    def record_weights(self, weights: Weights, changes: Sequence[str] = ()) -> None:
        """Record the weights that the balancer reads back, and for which changes they were written."""
        self._run("record_weights", **weights.document())
        self.journal("traffic_read", None, {**weights.document(), "changes": list(changes)})

    def journal(self, event: str, change: str | None = None, detail: dict[str, object] | None = None) -> None:
        """Append to the journal, durable with this transaction's commit."""
        self._run("journal", change=change, event=event, detail=json.dumps(detail or {}))

    def history(self, change: str | None = None) -> list[dict[str, object]]:
        """The journal from first to last, of one change, with what was done for it, or of all."""
        return [dict(row) for row in self._run("history", change=change).mappings()]

    def verify_history(self) -> dict[str, object]:
        """Recompute the chain of hashes: ``broken`` is the first entry that does not hold, or ``None``."""
        return dict(self._run("verify_history").mappings().one())

    def claim(self, who: str) -> int:
        """Begin as mover: a new epoch, with our name as its holder. Only under the mover lock."""
        return int(self._run("claim", who=who).scalar_one())

    def check_epoch(self, epoch: int) -> None:
        """Hold the epoch for this transaction.

        Raises:
            FencedError: Another mover has begun since.
        """
        if self._run("check_epoch", epoch=epoch).one_or_none() is None:
            msg = "another mover has begun since this one took the lock; nothing more is written"
            raise FencedError(msg, hint="ec status")

    def integrity(self) -> tuple[tuple[str, str], ...]:
        """What is missing or altered of holds and triggers, as (change, what)."""
        return tuple((row.change, row.what) for row in self._run("integrity"))

    def reattach(self, name: str) -> None:
        """Make hold and triggers of a change anew from its recorded shape. Takes SHARE ROW EXCLUSIVE on its tables."""
        self._run("reattach", name=name)


def _deployed(value: dict[str, str] | None) -> Deployed | None:
    return None if value is None else Deployed(color=Color(value["color"]), version=value["version"])
