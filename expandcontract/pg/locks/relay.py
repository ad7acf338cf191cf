"""What a statement does that runs in no transaction of ours: it is stopped at each of its steps and looked at there.

``CREATE INDEX CONCURRENTLY`` and its kin keep their locks over several transactions and drop them at the end, so they
must be looked at while they run, and sampling would be luck. They wait, step by step, for every transaction that
was there before. One of ours is: it holds a lock on all tables that makes any stronger request wait, and be seen. It is
let go only after the next has begun, so that no step passes unseen.
https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING

from psycopg import sql
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from expandcontract.core.effect import Effect, LockMode
from expandcontract.errors import FailedError
from expandcontract.pg.locks.watch import QUERIES, Moment, Relation, locks_of, told, work

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection, Engine

POLL = 0.002  # seconds
WITHIN = 120.0
FIRST, LATER = "SHARE UPDATE EXCLUSIVE", "ROW EXCLUSIVE"


@dataclass
class _Runner:
    """Runs the statement in a thread and a session of its own."""

    engine: Engine
    statement: str
    settings: Mapping[str, str]
    ready: Event = field(default_factory=Event)
    done: Event = field(default_factory=Event)
    pid: int = 0
    error: Exception | None = None

    def __post_init__(self) -> None:
        Thread(target=self._run, daemon=True).start()
        self.ready.wait(WITHIN)

    def _run(self) -> None:
        try:
            with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as session:
                for name, value in {"lock_timeout": "0", **self.settings}.items():
                    session.execute(text("SELECT set_config(:name, :value, false)"), {"name": name, "value": value})
                self.pid = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
                self.ready.set()
                session.exec_driver_sql(self.statement.replace("%", "%%"))
                session.execute(text("SELECT pg_stat_force_next_flush()"))
        except Exception as exc:  # noqa: BLE001  # raised again by the thread that waits for this one
            self.error = exc
        finally:
            self.ready.set()
            self.done.set()


def observe_outside(connection: Connection, statement: str) -> Effect:
    """Run a statement that cannot run in a transaction, and tell what it did. It has been done afterwards.

    It runs in a session of its own with this connection's ``search_path`` and ``TimeZone``. All tables are locked in
    ROW EXCLUSIVE mode meanwhile: only for a scratch database.

    Args:
        connection: To the scratch database; it must not hold locks itself.
        statement: One statement.

    Raises:
        FailedError: It failed, or did not end in time.
    """
    names = ("search_path", "TimeZone")
    settings = {
        name: str(connection.execute(text("SELECT current_setting(:name)"), {"name": name}).scalar_one())
        for name in names
    }
    connection.rollback()  # its snapshot would be waited for
    with looking(connection.engine) as look:
        steps = Steps(connection.engine, look)
        runner = _Runner(connection.engine, statement, settings)
        steps.follow(runner.pid, runner.done, statement)
        if runner.error is not None:
            msg = f"{statement}: {runner.error}"
            raise FailedError(msg, hint="run it by hand on the scratch database") from runner.error
        return steps.effect(statement)


def looking(engine: Engine) -> Connection:
    """A session that looks on: each of its queries sees what is committed then."""
    return engine.connect().execution_options(isolation_level="AUTOCOMMIT")


class Steps:
    """Stops a statement at each of its steps and looks at its locks there. Made before the statement begins.

    Args:
        engine: To the scratch database.
        look: A session of its own.
    """

    def __init__(self, engine: Engine, look: Connection) -> None:
        self._engine, self._look = engine, look
        self._before = outside_moment(look)
        self._taken: set[tuple[int, LockMode]] = set()
        self._holder = _hold(engine, self._before, FIRST)

    def follow(self, pid: int, done: Event, statement: str) -> None:
        """Look on until ``done``.

        Args:
            pid: The backend that runs the statement.
            done: Set once it has ended.
            statement: For the error.

        Raises:
            FailedError: It did not end in time.
        """
        until = monotonic() + WITHIN
        try:
            while not done.wait(POLL):
                if monotonic() > until:
                    msg = f"{statement}: did not end within {WITHIN:.0f} s"
                    raise FailedError(msg, hint="SELECT * FROM pg_stat_activity on the scratch database")
                if self._holder is not None and not _waits_for(self._look, pid, _pid(self._holder)):
                    continue
                self._taken |= locks_of(self._look, pid)
                following = _hold(self._engine, self._before, LATER)
                self.release()
                self._holder = following
        finally:
            self.release()

    def release(self) -> None:
        """Stand in nobody's way any more."""
        if self._holder is not None:
            self._holder.close()
        self._holder = None

    def effect(self, statement: str) -> Effect:
        """What the statement has done; its session has told its statistics."""
        rewrites, scans = work(self._before, outside_moment(self._look))
        return Effect(
            statement=statement,
            form="observed",
            locks=told(self._before, self._taken),
            rewrites=rewrites,
            scans=scans,
            transactional=False,
        )


def _pid(holder: Connection) -> int:
    return int(holder.info["pid"])


def _hold(engine: Engine, before: Moment, lock: str) -> Connection | None:
    """A session with a snapshot and a lock on every table, or ``None`` where the statement stands in its way."""
    tables = [relation for relation in before.relations.values() if relation.kind in "rp"]
    holder = engine.connect().execution_options(isolation_level="REPEATABLE READ")
    try:
        holder.info["pid"] = holder.execute(text("SELECT pg_backend_pid()")).scalar_one()
        for relation in tables:
            name = sql.Identifier(*_parts(holder, relation))
            mode = sql.SQL("LOCK TABLE ONLY {} IN " + lock + " MODE NOWAIT").format(name)
            holder.exec_driver_sql(mode.as_string().replace("%", "%%"))
            # planning opens the indexes, which LOCK does not
            holder.exec_driver_sql(sql.SQL("SELECT FROM {} LIMIT 0").format(name).as_string().replace("%", "%%"))
    except DBAPIError:
        holder.close()
        return None
    return holder


def _parts(holder: Connection, relation: Relation) -> tuple[str, str]:
    row = holder.execute(
        text(QUERIES["parts"]),
        {"oid": relation.oid},
    ).one()
    return str(row[0]), str(row[1])


def _waits_for(look: Connection, pid: int, holder: int) -> bool:
    return bool(
        look.execute(text("SELECT :holder = ANY (pg_blocking_pids(:pid))"), {"holder": holder, "pid": pid}).scalar_one()
    )


def outside_moment(look: Connection) -> Moment:
    """As every session sees it: ``scans`` is the sum over all sessions, complete once they have flushed."""
    rows = look.execute(text(QUERIES["relations_outside"])).mappings()
    return Moment({row["oid"]: Relation(**row) for row in rows}, frozenset(), {})
