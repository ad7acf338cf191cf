"""What does not lie in heap pages is filled and compared by key, and is never left out in silence."""

from __future__ import annotations

import itertools
import random
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest

from expandcontract.backfill import parity
from expandcontract.backfill.fill import fill
from expandcontract.backfill.job import How
from expandcontract.core.fill import Fill
from expandcontract.core.mapping import Mapping
from expandcontract.core.pace import Pace
from expandcontract.errors import BackfillError
from expandcontract.pg.connect import parse
from tests.fix_filling import CHANGE, begin, mend

if TYPE_CHECKING:
    from expandcontract.core.shape import Work
    from expandcontract.pg.server import LocalServer

WORK = Fill("users", {"display_name": "upper(full_name)"})
PAIRED = Mapping("users", forward={"display_name": "upper(full_name)"}, reverse={"full_name": "lower(display_name)"})
PILE = "CREATE ACCESS METHOD pile TYPE TABLE HANDLER heap_tableam_handler"
PARTS = f"""
CREATE TABLE users (id int, full_name text, display_name text) PARTITION BY RANGE (id);
CREATE TABLE users_low PARTITION OF users FOR VALUES FROM (0) TO (10);
{PILE};
CREATE TABLE users_pile PARTITION OF users FOR VALUES FROM (10) TO (20) USING pile;
CREATE FOREIGN DATA WRAPPER none; CREATE SERVER far FOREIGN DATA WRAPPER none;
CREATE FOREIGN TABLE users_far PARTITION OF users FOR VALUES FROM (20) TO (30) SERVER far;
INSERT INTO users SELECT n, 'name ' || n FROM generate_series(0, 19) AS n;
"""
SAID = (
    r"filled by key, and public.users_far \(foreign table\) has no primary key, and backfill.keys names none;"
    r" public.users_pile \(pile\) has no primary key"
)
ODD = tuple(f"users (country, day)=({country}, " for country in ("a", "c3", "zz"))
PILED = """
CREATE TABLE users (country text COLLATE "C", day timestamptz, full_name text, display_name text,
    PRIMARY KEY (country, day)) USING pile;
INSERT INTO users SELECT 'c' || n % 7, timestamptz '2026-01-01' + n * interval '1 second', 'name of ' || n
FROM generate_series(1, 5000) AS n;
"""
TEMPLATE = """
CREATE TABLE users (id int, full_name text, display_name text) PARTITION BY RANGE (id);
CREATE TABLE users_near PARTITION OF users FOR VALUES FROM (0) TO (2500);
CREATE EXTENSION postgres_fdw;
CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '{host}', port '{port}', dbname '{name}');
CREATE USER MAPPING FOR CURRENT_USER SERVER far OPTIONS (user '{user}', password_required 'false');
CREATE TABLE there (id int PRIMARY KEY, full_name text, display_name text);
CREATE FOREIGN TABLE users_far (id int NOT NULL, full_name text NOT NULL, display_name text)
    SERVER far OPTIONS (table_name 'there');
ALTER TABLE users ATTACH PARTITION users_far FOR VALUES FROM (2500) TO (10000);
"""
ROWS = "INSERT INTO users SELECT n, 'name of ' || n FROM generate_series(0, 4999) AS n"
WRONG = "SELECT count(*) FROM users WHERE display_name IS DISTINCT FROM upper(full_name)"


def _filled(database: str, work: Work, how: How) -> None:
    list(fill(parse(database), CHANGE, work, how, epoch=0))


def test_all_of_it_is_named_before_the_first_batch(server: LocalServer, ledger_database: str) -> None:
    """A foreign partition and one of another access method, neither with a key: no row is filled."""
    with psycopg.connect(ledger_database, autocommit=True) as connection:
        connection.execute(PARTS)
        begin(connection, WORK)
        with pytest.raises(BackfillError, match=SAID):
            _filled(ledger_database, WORK, How())
        assert (0, 0, 0) == connection.execute(
            "SELECT count(display_name), (SELECT count(*) FROM expandcontract.segment),"
            " (SELECT count(*) FROM expandcontract.keyset) FROM users_low"
        ).fetchone()
        connection.execute("ALTER TABLE users DETACH PARTITION users_far")
        assert 20 == parity.count(parse(ledger_database), CHANGE, WORK)
        connection.execute("ALTER TABLE users ALTER COLUMN id SET NOT NULL")
        _filled(ledger_database, WORK, How(keys={"public.users_pile": ("id",)}))
        assert (20, 0) == connection.execute("SELECT count(display_name), count(*) - count(id) FROM users").fetchone()
        assert 0 == parity.count(parse(ledger_database), CHANGE, WORK)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (("nobody",), "has no column nobody, which backfill.keys names"),
        (("day",), "may have no day, which is its key"),
    ],
)
def test_a_key_that_does_not_serve_is_refused(
    server: LocalServer, ledger_database: str, keys: tuple[str, ...], said: str
) -> None:
    """One that is not there, and one that rows may lack."""
    with psycopg.connect(ledger_database, autocommit=True) as connection:
        connection.execute(f"{PILE}; CREATE TABLE users (day int, full_name text, display_name text) USING pile")
        begin(connection, WORK)
        with pytest.raises(BackfillError, match=said):
            _filled(ledger_database, WORK, How(keys={"public.users": keys}))


def test_what_needs_heap_pages_is_refused(server: LocalServer, ledger_database: str) -> None:
    """A join goes by the rows' places on their pages."""
    work = Fill("users", {"display_name": "t.name"}, join={"t": "titles"}, on="t.id = users.id")
    with psycopg.connect(ledger_database, autocommit=True) as connection:
        connection.execute(f"{PILE}; CREATE TABLE users (id int PRIMARY KEY, display_name text) USING pile")
        connection.execute("CREATE TABLE titles (id int PRIMARY KEY, name text)")
        begin(connection, work)
        with pytest.raises(BackfillError, match="cannot be filled from other tables"):
            _filled(ledger_database, work, How())


def test_filled_by_a_key_of_two_columns(server: LocalServer, ledger_database: str) -> None:
    """Every row once, by two workers, beside writes; damage is found, named by key, and mended."""
    with psycopg.connect(ledger_database, autocommit=True) as connection:
        connection.execute(f"{PILE}; {PILED}; SET datestyle = 'SQL, DMY'")
        begin(connection, PAIRED)
        _filled(ledger_database, PAIRED, How(workers=2))
        assert (0,) == connection.execute(WRONG).fetchone()
        assert (50, 5000) == connection.execute(
            "SELECT (SELECT count(*) FROM expandcontract.slice), sum(rows_filled)::int FROM expandcontract.segment"
        ).fetchone()
        connection.execute("INSERT INTO users (country, day, full_name) VALUES ('zz', now(), 'x'), ('a', now(), 'y')")
        assert 0 == parity.count(parse(ledger_database), CHANGE, PAIRED, workers=2)
        with connection.transaction():
            connection.execute("SET LOCAL session_replication_role = replica")
            connection.execute("UPDATE users SET display_name = 'odd' WHERE country IN ('a', 'c3', 'zz')")
        passes = list(mend(ledger_database, PAIRED))
        first = next(found for found in passes if found.differing)
        assert 20 == len(first.rows)
        assert all(row.startswith(ODD) for row in first.rows)
        assert (0,) == connection.execute(WRONG).fetchone()


def test_a_batch_that_fails_says_which_keys(server: LocalServer, ledger_database: str) -> None:
    """Nothing of it is written, and what came before stays; mended, it goes on from there."""
    work = Fill("users", {"number": "full_name::int"})
    with psycopg.connect(ledger_database, autocommit=True) as connection:
        connection.execute(f"{PILE}; CREATE TABLE users (id int PRIMARY KEY, full_name text, number int) USING pile")
        connection.execute(
            "INSERT INTO users SELECT n, CASE n WHEN 7777 THEN 'x' ELSE n::text END FROM generate_series(1, 9000) AS n"
        )
        begin(connection, work)
        with pytest.raises(BackfillError, match=r'at users, keys from \(4501\): invalid input syntax.*"x"'):
            _filled(ledger_database, work, How())
        assert (4500,) == connection.execute("SELECT count(number) FROM users").fetchone()
        connection.execute("UPDATE users SET full_name = '0' WHERE id = 7777")
        _filled(ledger_database, work, How())
        assert (9000,) == connection.execute("SELECT count(number) FROM users").fetchone()


def test_a_partition_on_another_server(server: LocalServer, ledger_database: str) -> None:
    """Filled and compared through its foreign table, by the key that the settings name."""
    with psycopg.connect(ledger_database, autocommit=True) as connection:
        if not connection.execute("SELECT FROM pg_available_extensions WHERE name = 'postgres_fdw'").fetchall():
            pytest.skip("this server's build has no postgres_fdw")
        at = connection.info
        connection.execute(TEMPLATE.format(host=at.host, port=at.port, name=at.dbname, user=at.user))
        connection.execute(ROWS)
        begin(connection, PAIRED)
        with pytest.raises(BackfillError, match=r"users_far \(foreign table\) has a key of text"):
            _filled(ledger_database, PAIRED, How(keys={"public.users_far": ("full_name",)}))
        _filled(ledger_database, PAIRED, How(keys={"public.users_far": ("id",)}))
        assert (0,) == connection.execute(WRONG).fetchone()
        assert 0 == parity.count(parse(ledger_database), CHANGE, PAIRED)
        connection.execute("UPDATE there SET display_name = 'odd' WHERE id = 4000")
        assert 1 == parity.count(parse(ledger_database), CHANGE, PAIRED)
        found = next(found for found in mend(ledger_database, PAIRED) if found.differing)
        assert ("users_far id=4000",) == found.rows
        assert (0,) == connection.execute(WRONG).fetchone()


def test_no_acknowledged_write_is_lost_beside_it(server: LocalServer, ledger_database: str) -> None:
    """Writers of both shapes go on meanwhile; what was acknowledged last is there, in both shapes."""
    acknowledged: dict[int, str] = {}
    over = threading.Event()

    def write(seed: int) -> None:
        chosen = random.Random(seed)  # noqa: S311 - which rows is no secret
        with psycopg.connect(ledger_database, autocommit=True) as connection:
            for number in itertools.count():
                if over.is_set():
                    return
                row = 2 * chosen.randrange(10_000) + seed  # each writer has rows of its own
                side, value = ("full_name", f"n{number}") if number % 2 else ("display_name", f"N{number}")
                connection.execute(f"UPDATE users SET {side} = %s WHERE id = %s", [value, row])
                acknowledged[row] = f"n{number}"

    with psycopg.connect(ledger_database, autocommit=True) as connection:
        connection.execute(PILE)
        connection.execute("CREATE TABLE users (id int PRIMARY KEY, full_name text, display_name text) USING pile")
        connection.execute("INSERT INTO users SELECT n, 'name of ' || n FROM generate_series(0, 19999) AS n")
        begin(connection, PAIRED)
        writers = [threading.Thread(target=write, args=(seed,)) for seed in (0, 1)]
        for writer in writers:
            writer.start()
        try:
            slow = How(workers=2, pace=Pace(batch_pages=1, target=timedelta(milliseconds=1)))
            _filled(ledger_database, PAIRED, slow)
        finally:
            over.set()
            for writer in writers:
                writer.join(timeout=60)
        kept = dict(connection.execute("SELECT id, full_name FROM users").fetchall())
        assert acknowledged
        assert [] == [row for row, value in acknowledged.items() if kept[row] != value]
        assert (0,) == connection.execute(WRONG).fetchone()
