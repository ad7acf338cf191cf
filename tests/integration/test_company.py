"""Beside others backfill and comparison are gentle: short batches of short statements; alone they are fast."""

from __future__ import annotations

import threading
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest

from expandcontract.backfill import looking
from expandcontract.backfill.board import Board
from expandcontract.backfill.comparison import Comparison
from expandcontract.backfill.fill import fill
from expandcontract.backfill.job import How, Job
from expandcontract.backfill.parity import verify
from expandcontract.backfill.ranges import BEYOND
from expandcontract.backfill.throttle.company import Company
from expandcontract.backfill.throttle.gauge import Scope
from expandcontract.backfill.throttle.limits import Limits
from expandcontract.core.pace import Pace
from expandcontract.pg.connect import parse
from expandcontract.pg.server import QUICK, LocalServer
from tests.acceptance.test_together import wait_until
from tests.fix_filling import CHANGE, WORK

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.fix_filling import Filling


@pytest.fixture(scope="module")
def quiet(request: pytest.FixtureRequest) -> Iterator[LocalServer]:
    """A server that no other test works on: company is whoever is on the server."""
    with LocalServer.start(version=request.config.getoption("--pg"), settings=QUICK) as started:
        yield started


@contextmanager
def _looking(dsn: str) -> Iterator[tuple[Company, Board, Scope]]:
    board = Board()
    with psycopg.connect(dsn, autocommit=True, application_name="ec backfill a") as connection:
        scope = Scope(connection=connection, application="ec backfill a", relations=(), limits=Limits())
        yield Company(board), board, scope


def _looked_twice(company: Company, board: Board, scope: Scope) -> bool:
    """What is on the board once two looks have agreed."""
    for _ in range(2):
        company.look(scope)
    return board.company


def test_whoever_works_is_company(quiet: LocalServer) -> None:
    """Between two statements too; who idles is none, and a session of ec never is."""
    with _looking(quiet.dsn()) as seen, closing(psycopg.connect(quiet.dsn(), autocommit=True)) as other:
        wait_until(lambda: not _looked_twice(*seen))
        with closing(psycopg.connect(quiet.dsn(), application_name="ec advance a")) as own:
            own.execute("SELECT 1")
            assert not _looked_twice(*seen)
        other.execute("SELECT 1")
        assert _looked_twice(*seen)
        wait_until(lambda: not _looked_twice(*seen))
        other.pgconn.send_query(b"SELECT pg_sleep(60)")
        for _ in range(3):
            threading.Event().wait(0.7)
            assert _looked_twice(*seen)
        other.cancel()


def test_a_single_question_is_none(quiet: LocalServer) -> None:
    """One look that finds somebody changes nothing, and neither does one that finds nobody."""
    with _looking(quiet.dsn()) as seen, closing(psycopg.connect(quiet.dsn(), autocommit=True)) as other:
        company, board, scope = seen
        wait_until(lambda: not _looked_twice(*seen))
        for before in (False, True):
            if before:
                other.execute("SELECT 1")
                assert _looked_twice(*seen)
                threading.Event().wait(0.7)
            else:
                other.execute("SELECT 1")
            company.look(scope)
            assert before is board.company


def test_what_may_not_be_seen_counts(quiet: LocalServer) -> None:
    """An idle session of another role is company for a role that may not know that it idles."""
    with psycopg.connect(quiet.dsn(), autocommit=True) as admin:
        admin.execute("CREATE ROLE blinkered LOGIN")
    with _looking(quiet.dsn(user="blinkered")) as seen, closing(psycopg.connect(quiet.dsn(), autocommit=True)) as other:
        other.execute("SELECT 1")
        threading.Event().wait(0.7)
        assert _looked_twice(*seen)
        other.execute("GRANT pg_read_all_stats TO blinkered")
        wait_until(lambda: not _looked_twice(*seen))


def test_batches_are_short_beside_others_and_long_alone(filling: Filling, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch is cut into statements while somebody is at work; once nobody is, it is one statement and grows."""
    filling.prepare(60_000)
    asked: list[int] = []
    beside: list[bool] = []
    write, look = Job.write, Company.look

    def written(self: Job, connection: psycopg.Connection, relation: int, numbers: Mapping[str, int]) -> int:
        asked.append(numbers["end"] - numbers["first"])
        return write(self, connection, relation, numbers)

    def looked(self: Company, scope: Scope) -> None:
        look(self, scope)
        self._board.company = not beside  # whoever else works on the server of all tests

    monkeypatch.setattr(Job, "write", written)
    monkeypatch.setattr(Company, "look", looked)
    how = How(pace=Pace(window_pages=64, stripes=4, batch_pages=64), most_pages=64)
    statements = {}
    last = None
    for last in fill(parse(filling.database), CHANGE, WORK, how, epoch=0):
        statements[last.gentle] = list(asked)
        if sum(lane.batches for lane in last.lanes) > 30:
            beside.append(True)
    assert {} == filling.faults()
    assert last is not None
    assert 60_000 == last.rows_filled
    gentle = statements[True]
    assert max(gentle[20:]) < 32, "after the first batches statements are short"
    assert 64 == max(asked[-5:]), "alone a pass over a window is one statement"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_comparison_is_cut_small_beside_others_only(
    filling: Filling, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    """Whoever is there, each page is looked at once, and the same rows are counted, named and mended."""
    filling.prepare(60_000)
    filling.sql_one("UPDATE users SET display_name = upper(full_name)")
    spoil = "ALTER TABLE users DISABLE TRIGGER ALL; UPDATE users SET display_name = 'x' WHERE id % 4000 = 7"
    look, cut = Company.look, looking.parts
    beside = [True]
    seen: dict[bool, list[tuple[int, int]]] = {True: [], False: []}

    def looked(self: Company, scope: Scope) -> None:
        look(self, scope)
        self._board.company = beside[-1]  # whoever else works on the server of all tests

    def parts(*pages: int) -> Iterator[tuple[int, int]]:
        for part in cut(*pages):
            seen[beside[-1]].append(part)
            yield part

    monkeypatch.setattr(Company, "look", looked)
    monkeypatch.setattr(looking, "parts", parts)
    found = []
    for company in (True, False):
        beside.append(company)
        filling.sql_one(spoil)
        asked = Comparison(
            url=parse(filling.database), change=CHANGE, work=WORK, how=How(workers=workers), gently=True, epoch=0
        )
        shown = list(verify(asked))
        found.append((shown[-1].differing, shown[-1].rows))
        assert company is any(at.gentle for at in shown)
        mended = list(verify(replace(asked, repair=True)))
        assert 15 == max(at.repaired for at in mended)
        assert 0 == mended[-1].differing
    assert found[0] == found[1]
    assert 15 == found[0][0]
    pages = int(str(filling.sql("SELECT pg_relation_size('users') / 8192")[0][0]))
    assert len(seen[True]) > 3 * len(seen[False])
    for parts_seen in seen.values():  # each pass from the first page to past the last one, without a gap
        assert {end for _, end in parts_seen} - {BEYOND} <= {first for first, _ in parts_seen}
        assert max(first for first, _ in parts_seen) <= pages
