"""A backfill stops while somebody else would suffer, and goes on by itself afterwards."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import psycopg
import pytest

from expandcontract.backfill.board import Board
from expandcontract.core.throttle import Reading, Signal
from expandcontract.errors import BackfillError
from expandcontract.ledger import throttling
from tests.acceptance.test_together import wait_until
from tests.fix_filling import CHANGE
from tests.fix_running import HALVES, limited, running
from tests.sessions import ours

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from expandcontract.pg.server import LocalServer
    from tests.fix_filling import Filling

COUNTED = "SELECT times, seconds > 0, last_value > last_limit FROM expandcontract.throttle WHERE signal = '{}'"
IN_A_BATCH = f"SELECT 1 {ours('backfill')} AND wait_event = 'PgSleep'"
SLOW = """
CREATE TABLE slow (seconds float);
INSERT INTO slow VALUES (2);
CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_sleep(seconds) FROM slow; RETURN NULL; END $$;
CREATE TRIGGER dawdle AFTER UPDATE ON users FOR EACH STATEMENT EXECUTE FUNCTION dawdle();
"""


def test_a_replica_that_stops_replaying_stops_the_backfill(filling: Filling, standby: LocalServer) -> None:
    """While a standby is further behind than the limit nothing is filled; once it has replayed, all of it is."""
    filling.prepare(60_000)
    with (
        psycopg.connect(standby.dsn(), autocommit=True) as replica,
        running(filling.database, limited(Signal.REPLICA_LAG, 1.0)) as backfill,
    ):
        backfill.until(lambda it: it.rows > 0)
        replica.execute("SELECT pg_wal_replay_pause()")
        backfill.until(lambda it: Signal.REPLICA_LAG in it.waits_for)
        wait_until(lambda: not filling.sql("SELECT 1 FROM expandcontract.segment WHERE worker IS NOT NULL"))
        before = filling.sql(
            "SELECT sum(rows_filled), min(last_at) FROM expandcontract.segment, expandcontract.throttle"
        )
        seen_again = f"SELECT 1 FROM expandcontract.throttle WHERE last_at > '{before[0][1]}'::timestamptz + '1 s'"
        wait_until(lambda: filling.sql(seen_again))
        assert [(before[0][0],)] == filling.sql("SELECT sum(rows_filled) FROM expandcontract.segment")
        replica.execute("SELECT pg_wal_replay_resume()")
        assert backfill.finish().rows_filled == 60_000
    assert {} == filling.faults()
    assert backfill.seen[Signal.REPLICA_LAG].endswith(", limit 1 s (walreceiver at 127.0.0.1)")
    assert [(1, True, True)] == filling.sql(COUNTED.format(Signal.REPLICA_LAG))


def test_a_replica_excepted_by_name_stops_nothing(filling: Filling, standby: LocalServer) -> None:
    """A standby that is behind on purpose is left out by its name, in bytes as in time."""
    filling.prepare(3000)
    with psycopg.connect(standby.dsn(), autocommit=True) as replica:
        replica.execute("SELECT pg_wal_replay_pause()")
        limits = limited(Signal.REPLICA_LAG_BYTES, 0, except_replicas=frozenset({"walreceiver"}))
        with running(filling.database, limits) as backfill:
            backfill.finish()
        with running(filling.database, limited(Signal.REPLICA_LAG_BYTES, 0)) as backfill:
            backfill.until(lambda it: Signal.REPLICA_LAG_BYTES in it.seen)
        replica.execute("SELECT pg_wal_replay_resume()")


@pytest.mark.parametrize(
    "statement",
    ["LOCK TABLE users IN ACCESS EXCLUSIVE MODE", "UPDATE users SET full_name = 'b' WHERE id < 50"],
    ids=["table", "row"],
)
def test_a_session_that_waits_on_us_stops_the_backfill(filling: Filling, statement: str) -> None:
    """Whoever waits behind a batch, for the table or a row, is seen and named; once he has his turn it goes on."""
    filling.prepare(2000)
    filling.sql_one(SLOW)
    with (
        psycopg.connect(filling.database) as client,
        running(filling.database, limited(Signal.WAITING_SESSIONS, 0), pace=HALVES) as backfill,
    ):
        pid = client.info.backend_pid
        wait_until(lambda: filling.sql(IN_A_BATCH))
        client.execute(statement)  # returns once the batch is over
        backfill.until(lambda it: Signal.WAITING_SESSIONS in it.seen)
        client.rollback()
        assert backfill.finish().rows_filled == 2000
    assert backfill.seen[Signal.WAITING_SESSIONS].startswith(
        f"sessions waiting on the backfill 1, limit 0 (session {pid} of postgres"
    )
    assert {} == filling.faults()
    assert 1 == len(filling.sql(COUNTED.format(Signal.WAITING_SESSIONS)))


def test_who_comes_near_a_limit_is_slower(filling: Filling, monkeypatch: pytest.MonkeyPatch) -> None:
    """At 95 % of a limit every batch is followed by a rest of three times what it took."""
    filling.prepare(3000)
    batches: list[float] = []
    rests: list[float] = []
    tell, rest = Board.tell, Board.rest

    def told(board: Board, worker: str, *, rows: int, seconds: float, pages: int) -> None:
        batches.append(seconds)
        tell(board, worker, rows=rows, seconds=seconds, pages=pages)

    def rested(board: Board, seconds: float) -> None:
        if threading.current_thread().name == "backfill 0":
            rests.append(seconds)
        rest(board, seconds)

    monkeypatch.setattr(Board, "tell", told)
    monkeypatch.setattr(Board, "rest", rested)
    with running(filling.database, limited(Signal.QUERY, 10, query="SELECT 9.5")) as backfill:
        assert backfill.finish().rows_filled == 3000
    assert pytest.approx([3 * seconds for seconds in batches]) == rests
    assert {} == backfill.seen


def test_a_breach_is_counted_once_by_all_processes(filling: Filling) -> None:
    """Whoever sees a breach adds the time since anybody saw it; seen again after a while it is another one."""
    filling.prepare(1)
    reading = Reading(signal=Signal.REPLICA_LAG, value=7, limit=5, detail="replica1")
    counted = "SELECT times, seconds BETWEEN 2 AND 3, last_value, last_detail FROM expandcontract.throttle"
    with (
        psycopg.connect(filling.database, autocommit=True) as one,
        psycopg.connect(filling.database, autocommit=True) as other,
    ):
        throttling.record(one, CHANGE, reading)
        filling.sql_one("UPDATE expandcontract.throttle SET last_at = last_at - interval '2 s'")
        throttling.record(other, CHANGE, reading)
        assert [(1, True, 7.0, "replica1")] == filling.sql(counted)
        filling.sql_one("UPDATE expandcontract.throttle SET last_at = last_at - interval '1 min'")
        throttling.record(one, CHANGE, reading)
        assert [(2, True, 7.0, "replica1")] == filling.sql(counted)


@pytest.fixture
def address() -> Iterator[tuple[str, list[int]]]:
    """An HTTP server that answers with the last status of the list."""
    statuses = [503]

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(statuses[-1])
            self.end_headers()
            self.wfile.write(b"queue is long")

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Answer) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}/", statuses
        httpd.shutdown()
        thread.join()


@pytest.fixture
def users_signal(
    request: pytest.FixtureRequest, filling: Filling, tmp_path: Path, address: tuple[str, list[int]]
) -> tuple[Signal, dict[str, object], str, Callable[[], object]]:
    """A signal of the user's own in breach: what it is, how it is set, what is said, and how it ends."""
    flag = tmp_path / "busy"
    flag.touch()
    url, statuses = address
    cases: dict[Signal, tuple[dict[str, object], str, Callable[[], object]]] = {
        Signal.QUERY: (
            {"query": "SELECT count(*) FROM busy WHERE 'a%' <> ''"},
            "result of backfill.throttle.query 1, limit 0",
            lambda: filling.sql_one("DELETE FROM busy"),
        ),
        Signal.COMMAND: (
            {"command": ("sh", "-c", f"test ! -e {flag} || {{ echo well; echo too busy; exit 3; }}")},
            "backfill.throttle.command: ended with 3: too busy",
            flag.unlink,
        ),
        Signal.URL: ({"url": url}, "backfill.throttle.url: 503 queue is long", lambda: statuses.append(204)),
    }
    return request.param, *cases[request.param]


@pytest.mark.parametrize("users_signal", [Signal.QUERY, Signal.COMMAND, Signal.URL], indirect=True)
def test_the_users_own_signals(
    filling: Filling, users_signal: tuple[Signal, dict[str, object], str, Callable[[], object]]
) -> None:
    """A breach that was there before is seen before the first row is filled, and told; it ends by itself."""
    signal, given, said, end = users_signal
    filling.prepare(3000)
    filling.sql_one("CREATE TABLE busy (id int); INSERT INTO busy VALUES (1)")
    with running(filling.database, limited(signal, 0, **given)) as backfill:
        backfill.until(lambda it: signal in it.waits_for)
        assert backfill.rows == 0
        assert said == backfill.seen[signal]
        end()
        assert backfill.finish().rows_filled == 3000
    assert {} == filling.faults()


@pytest.mark.parametrize(
    ("signal", "given", "said"),
    [
        (Signal.QUERY, {"query": "SELECT 1 FROM nowhere"}, 'relation "nowhere" does not exist'),
        (Signal.QUERY, {"query": "DELETE FROM users"}, "read-only transaction"),
        (Signal.QUERY, {"query": "SELECT 'a'"}, "gives 'a', which is no number"),
        (Signal.COMMAND, {"command": ("/nowhere",)}, "cannot be started: No such file"),
    ],
    ids=["no such table", "writes", "no number", "no such command"],
)
def test_a_signal_that_cannot_work_is_an_error(
    filling: Filling, signal: Signal, given: dict[str, object], said: str
) -> None:
    """What will not do however often it is asked ends the backfill before a row is filled, and names the setting."""
    filling.prepare(100)
    with (
        pytest.raises(BackfillError, match=said) as caught,
        running(filling.database, limited(signal, 0, **given)) as backfill,
    ):
        backfill.finish()
    assert f"mend backfill.throttle.{signal}, then run the same command again" == caught.value.hint
    assert [(0,)] == filling.sql("SELECT count(*) FROM written")


def test_a_sampler_that_lost_its_connection_makes_another(filling: Filling) -> None:
    """Its session ended by somebody, the watch begins again and the backfill comes to its end."""
    filling.prepare(30_000)
    ended = f"SELECT count(pg_terminate_backend(pid)) {ours('backfill')} AND query LIKE '%pg_stat_activity%'"
    with running(filling.database, limited(Signal.WAITING_SESSIONS, 0)) as backfill:
        wait_until(lambda: filling.sql(ended)[0][0])
        backfill.until(lambda it: it.rows > 10_000)
        wait_until(lambda: filling.sql(ended)[0][0])
        assert backfill.finish().rows_filled == 30_000
    assert {} == filling.faults()
