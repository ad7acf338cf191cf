"""A Python function fills rows: each once, whatever kind of table and value."""

from __future__ import annotations

import psycopg

from expandcontract.backfill import parity
from expandcontract.backfill.fill import fill
from expandcontract.backfill.job import How
from expandcontract.core.fill import Fill
from expandcontract.pg.connect import parse
from tests.fix_filling import CHANGE, begin, mend
from tests.fix_running import SMALL
from tests.function_fills import RESULT, ROWS, WHOLE, Table, of


def test_every_row_is_filled_once(table: Table) -> None:
    """In small batches by two workers, each with a process of its own; on any kind of table."""
    table.run(
        "CREATE TABLE written (id bigint); CREATE FUNCTION count_write() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN INSERT INTO written VALUES (NEW.id); RETURN NULL; END';"
        "CREATE TRIGGER counted AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION count_write()"
    )
    table.fill(of("shout"), pace=SMALL, most_pages=8, workers=2)
    assert [(ROWS,)] == table.run(RESULT)
    assert [(ROWS, ROWS)] == table.run("SELECT count(*), count(DISTINCT id) FROM written")
    assert [(ROWS, True)] == table.run(
        "SELECT sum(rows_filled), bool_and(done_at IS NOT NULL) FROM expandcontract.segment"
    )


def test_values_of_every_sort_arrive(ledger_database: str) -> None:
    """JSON, arrays, numbers, times, bytes, fixed-width text and enums, under names that need quoting."""
    columns = "j jsonb, a text[], n numeric(9,3), t timestamptz, b bytea, c char(4), o boolean, m mood"
    with psycopg.connect(ledger_database, autocommit=True) as connection:
        connection.execute("CREATE TYPE mood AS ENUM ('sad', 'glad')")
        connection.execute(
            f'CREATE TABLE "odd %s" ({columns}, j2 jsonb, a2 text[], n2 numeric(9,3), t2 timestamptz, b2 bytea,'
            " c2 char(4), o2 boolean, m2 mood)"
        )
        connection.execute(
            """INSERT INTO "odd %s"
            VALUES ('{"x": [1]}', '{"a b",NULL}', 2.5, '2024-02-03 04:05+00', '\\x01', 'z', true, 'sad')"""
        )
        reads, writes = list("jantbcom"), [f"{name}2" for name in "jantbcom"]
        work = Fill(
            '"odd %s"', function="tests.backfills:turned", reads=reads, writes=writes, where='"odd %s".o2 IS NULL'
        )
        begin(connection, work)
        list(fill(parse(ledger_database), CHANGE, work, How(pace=WHOLE), epoch=0))
        row = connection.execute('SELECT j2::text, a2, n2::text, t2, b2, c2, o2, m2 FROM "odd %s"').fetchone()
        assert row is not None
    assert ('{"n": [1, null], "was": {"x": [1]}}', ["a b", None, 'it\'s "é"'], "5.000") == row[:3]
    assert 2000 == row[3].year
    assert (b"\x01\x00\xff", "ab  ", False, "glad") == row[4:]


def test_a_row_that_is_left_lacks_its_value(users: Table) -> None:
    """``None`` writes nothing; the comparison counts these rows, unless the condition leaves them out."""
    users.fill(of("every_other"))
    assert [(ROWS // 2,)] == users.run(RESULT)
    address = parse(users.address)
    assert ROWS // 2 == parity.count(address, CHANGE, of("every_other"))
    assert 0 == parity.count(address, CHANGE, of("every_other", where="display_name IS NULL AND id % 2 = 0"))


def test_a_comparison_repairs_with_the_function(table: Table) -> None:
    """Rows that came after the backfill, in pages beyond those that it knew, are filled by the repair."""
    table.fill(of("shout"))
    table.run("INSERT INTO users SELECT n, 'late ' || n FROM generate_series(1001, 3000) AS n")
    *_, last = mend(table.address, of("shout"))
    assert (2, 0) == (last.number, last.differing)
    assert [(ROWS + 2000,)] == table.run(RESULT)
