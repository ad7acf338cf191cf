"""A fill that reads other tables computes from locked rows: no acknowledged write is lost or passed over."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from expandcontract.backfill import joining, parity
from expandcontract.backfill.batch import batch
from expandcontract.backfill.fill import fill
from expandcontract.backfill.job import How, job
from expandcontract.backfill.statement import PAGES
from expandcontract.core.fill import Fill
from expandcontract.errors import BackfillError, UsageError
from expandcontract.ledger.segments import Segments
from expandcontract.pg.connect import connect, parse
from expandcontract.pg.expression import check_fill
from tests.acceptance.test_together import wait_until
from tests.fix_filling import CHANGE, begin, mend
from tests.fix_running import SMALL

if TYPE_CHECKING:
    from collections.abc import Callable

    from expandcontract.pg.server import LocalServer

WORK = Fill(
    "orders",
    {"country": "c.name || ' ' || orders.note", "seen": "c.id + 1"},
    join={"c": "countries"},
    on="c.id = orders.country_id",
)
COLUMNS = "(id bigint PRIMARY KEY, country_id int, note text DEFAULT 'note', country text, seen int)"
TABLES = {
    "key": f"CREATE TABLE orders {COLUMNS}",
    "no key": f"CREATE TABLE orders {COLUMNS.replace(' PRIMARY KEY', '')}",
    "parts": f"CREATE TABLE orders {COLUMNS} PARTITION BY RANGE (id);"
    "CREATE TABLE orders_low PARTITION OF orders FOR VALUES FROM (0) TO (100);"
    "CREATE TABLE orders_high PARTITION OF orders DEFAULT",
}
ROWS = 500
EVERYTHING = {"first": 0, "end": 2**31, "stripe": 0, "stripes": 1}
WRONG = (
    "SELECT o.id FROM orders AS o JOIN countries AS c ON c.id = o.country_id"
    " WHERE o.country IS DISTINCT FROM c.name || ' ' || o.note OR o.seen IS DISTINCT FROM c.id + 1"
)


class Orders:
    """Orders of ten countries, and a change that fills them."""

    def __init__(self, address: str, shape: str) -> None:
        self.address = address
        self.run("CREATE TABLE countries (id int PRIMARY KEY, name text NOT NULL)")
        self.run("INSERT INTO countries SELECT n, 'country ' || n FROM generate_series(1, 10) AS n")
        self.run(TABLES[shape])
        self.run(f"INSERT INTO orders SELECT n, 1 + n % 10 FROM generate_series(1, {ROWS}) AS n")

    def run(self, script: str) -> list[tuple[Any, ...]]:
        """Run SQL by hand."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            cursor = connection.execute(script)
            return cursor.fetchall() if cursor.description else []

    def begin(self, work: Fill = WORK) -> None:
        """Begin the change."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            begin(connection, work)

    def fill(self, work: Fill = WORK, **how: Any) -> None:
        """Fill what is left."""
        list(fill(parse(self.address), CHANGE, work, How(**how), epoch=0))

    def row(self, key: int) -> tuple[Any, ...]:
        """One order's country, and what was seen."""
        return self.run(f"SELECT country, seen FROM orders WHERE id = {key}")[0]


@pytest.fixture(params=list(TABLES))
def orders(request: pytest.FixtureRequest, ledger_database: str) -> Orders:
    """Of every kind."""
    return Orders(ledger_database, request.param)


@pytest.fixture
def plain(ledger_database: str) -> Orders:
    """With a primary key."""
    return Orders(ledger_database, "key")


def test_every_row_that_has_its_other_row_is_filled(orders: Orders) -> None:
    """By two workers in small batches; a row that is joined to nothing lacks its value and is counted."""
    orders.run("UPDATE orders SET country_id = 99 WHERE id = 7")
    orders.begin()
    orders.fill(pace=SMALL, most_pages=8, workers=2)
    assert [] == orders.run(WRONG)
    assert (None, None) == orders.row(7)
    assert 1 == parity.count(parse(orders.address), CHANGE, WORK)
    assert [(ROWS - 1,)] == orders.run("SELECT sum(rows_filled) FROM expandcontract.segment")


def test_a_comparison_repairs_from_the_other_table(orders: Orders) -> None:
    """Rows that came after the backfill are filled by the repair."""
    orders.begin()
    orders.fill()
    orders.run("INSERT INTO orders SELECT n, 1 + n % 10 FROM generate_series(1001, 2000) AS n")
    *_, last = mend(orders.address, WORK)
    assert (2, 0) == (last.number, last.differing)
    assert [] == orders.run(WRONG)


def _one_batch(orders: Orders) -> Callable[[psycopg.Connection], int]:
    """One batch over everything, as a worker does it."""
    with psycopg.connect(orders.address) as connection:
        (relation,) = connection.execute("SELECT 'orders'::regclass::oid::bigint").fetchone() or (0,)
    form = job(parse(orders.address), CHANGE, WORK, How()).forms[int(relation)]

    def run(connection: psycopg.Connection) -> int:
        return batch(
            connection, Segments(connection, CHANGE), lambda: joining.fill(connection, form, PAGES, EVERYTHING)
        )

    return run


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE countries SET name = 'renamed' WHERE id = 8", ("renamed note", 9)),
        ("UPDATE orders SET note = 'noted' WHERE id = 7", ("country 8 noted", 9)),
        ("UPDATE orders SET country_id = 3 WHERE id = 7", ("country 3 note", 4)),
        ("UPDATE orders SET country = 'own' WHERE id = 7", ("own", None)),
        ("UPDATE orders SET country = 'own', seen = 1, note = 'x' WHERE id = 7", ("own", 1)),
        (
            "UPDATE countries SET id = 18 WHERE id = 8; UPDATE orders SET country_id = 18 WHERE id = 7",
            ("country 8 note", 19),
        ),
    ],
)
def test_a_write_that_the_batch_waits_for(plain: Orders, statement: str, expected: tuple[Any, ...]) -> None:
    """A client has written either row and not committed; the batch waits, and takes what that leaves."""
    plain.begin()
    filling = _one_batch(plain)
    filled: list[int] = []
    with (
        psycopg.connect(plain.address) as writer,
        psycopg.connect(plain.address, autocommit=True) as ours,
    ):
        writer.execute(statement)
        work = threading.Thread(target=lambda: filled.append(filling(ours)), daemon=True)
        work.start()
        waits = f"SELECT wait_event_type FROM pg_stat_activity WHERE pid = {ours.info.backend_pid}"
        wait_until(lambda: plain.run(waits) == [("Lock",)])
        writer.commit()
        work.join(timeout=60)
    # where the key of a country changed, only this one of its orders went with it
    joined = ROWS - ROWS // 10 + 1 if "SET id" in statement else ROWS
    assert [joined - ("country = 'own'" in statement)] == filled
    assert expected == plain.row(7)
    assert [] == [row for row in plain.run(WRONG) if row != (7,)]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE countries SET name = 'renamed' WHERE id = 8", ("country 8 note", 9)),
        ("UPDATE orders SET note = 'noted' WHERE id = 7", ("country 8 note", 9)),
        ("UPDATE orders SET country = 'own' WHERE id = 7", ("own", 9)),
    ],
)
def test_a_write_that_waits_for_the_batch(plain: Orders, statement: str, expected: tuple[Any, ...]) -> None:
    """A client that comes once the batch has its rows waits for its end, and its write is the last."""
    plain.begin()
    form = job(parse(plain.address), CHANGE, WORK, How())
    (relation,) = form.forms
    with (
        psycopg.connect(plain.address, autocommit=True) as writer,
        psycopg.connect(plain.address) as ours,
    ):
        assert ROWS == joining.fill(ours, form.forms[relation], PAGES, EVERYTHING)
        work = threading.Thread(target=writer.execute, args=(statement,), daemon=True)
        work.start()
        waits = f"SELECT wait_event_type FROM pg_stat_activity WHERE pid = {writer.info.backend_pid}"
        wait_until(lambda: plain.run(waits) == [("Lock",)])
        ours.commit()
        work.join(timeout=60)
    assert expected == plain.row(7)
    ((name, note),) = plain.run("SELECT c.name, o.note FROM countries AS c, orders AS o WHERE c.id = 8 AND o.id = 7")
    assert ("renamed" in statement, "noted" in statement) == (name == "renamed", note == "noted")


def test_the_plain_form_would_be_stale(plain: Orders) -> None:
    """One UPDATE … FROM takes the other row from its snapshot: the interleaving above catches it."""
    plain.begin()
    form = (
        "UPDATE orders SET country = c.name || ' ' || orders.note, seen = c.id + 1 FROM countries AS c"
        " WHERE c.id = orders.country_id AND country IS NULL"
    )
    with (
        psycopg.connect(plain.address) as writer,
        psycopg.connect(plain.address, autocommit=True) as ours,
    ):
        writer.execute("UPDATE orders SET note = 'noted' WHERE id = 7")
        writer.execute("UPDATE countries SET name = 'renamed' WHERE id = 8")
        work = threading.Thread(target=ours.execute, args=(form,), daemon=True)
        work.start()
        waits = f"SELECT wait_event_type FROM pg_stat_activity WHERE pid = {ours.info.backend_pid}"
        wait_until(lambda: plain.run(waits) == [("Lock",)])
        writer.commit()
        work.join(timeout=60)
    assert ("country 8 noted", 9) == plain.row(7)
    assert (7,) in plain.run(WRONG)


def test_a_row_with_several_others(orders: Orders) -> None:
    """None of them is taken: the rows are named, by their keys where there are any, and nothing is written."""
    orders.run("CREATE TABLE names (country int, name text)")
    orders.run("INSERT INTO names VALUES (8, 'one'), (8, 'two'), (9, 'three')")
    work = Fill("orders", {"country": "n.name"}, join={"n": "names"}, on="n.country = orders.country_id")
    orders.begin(work)
    with pytest.raises(BackfillError, match=r"of orders ha(s|ve) several rows of names AS n to be filled") as told:
        orders.fill(work)
    keyed = orders.run("SELECT count(*) FROM pg_constraint WHERE contype = 'p' AND conname LIKE 'orders%'") != [(0,)]
    first = r"first: id = \d*7(; id = \d*7)*$" if keyed else r"first: ctid \(\d+,\d+\)"
    assert re.search(first, told.value.message)
    assert [(0,)] == orders.run("SELECT count(country) FROM orders WHERE country_id = 8")
    orders.run("DELETE FROM names WHERE name = 'two'")
    orders.fill(work)
    assert [("one",), ("three",)] == orders.run(
        "SELECT DISTINCT country FROM orders WHERE country IS NOT NULL ORDER BY 1"
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"join": {"c": "countriez"}}, "there is no table countriez; did you mean countries"),
        ({"join": {"c": "secrets"}}, "cannot be locked while they are read: permission denied for table secrets"),
        ({"join": {"c": "totals"}}, "totals, which a fill joins, is no table, so its rows cannot be locked"),
        ({"on": "c.id = orders.nowhere"}, "the condition of its join .* column orders.nowhere does not exist"),
        ({"on": "true); SELECT (1"}, "the condition of its join .* is not one expression"),
        ({"values": {"country": "d.name"}}, 'the expression for country .* missing FROM-clause entry for table "d"'),
        ({"where": "c.name IS NULL"}, 'its condition .* missing FROM-clause entry for table "c"'),
    ],
)
def test_what_cannot_be_joined_is_told_before_anything_is_changed(
    plain: Orders, server: LocalServer, given: dict[str, Any], said: str
) -> None:
    """A table that is not there or may not be locked, and SQL that reads what it may not."""
    plain.run(
        "CREATE TABLE secrets (id int); CREATE VIEW totals AS SELECT id FROM countries GROUP BY id;"
        "GRANT ALL ON orders, countries TO app_blue; GRANT SELECT ON secrets, totals TO app_blue;"
        "GRANT TEMPORARY ON DATABASE " + plain.run("SELECT quote_ident(current_database())")[0][0] + " TO app_blue"
    )
    values = given.pop("values", {"country": "c.id::text"})
    work = Fill("orders", values, **{"join": {"c": "countries"}, "on": "c.id = orders.country_id", **given})
    with connect(parse(plain.address), command="test") as connection:
        connection.exec_driver_sql("SET ROLE app_blue" if "secrets" in str(given) else "SELECT 1")
        with pytest.raises(UsageError, match=said):
            check_fill(connection, work)
        check_fill(connection, WORK)
