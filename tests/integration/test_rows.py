"""Rows are made up for tables of any kind, and what cannot be made is said by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from expandcontract.core.mapping import Table
from expandcontract.errors import UsageError
from expandcontract.pg.connect import hot, parse
from expandcontract.pg.rows import Check, Demands, Key, by_script, generated

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = 300
EVERY_TYPE = """
CREATE SCHEMA "Odd %s";
CREATE TYPE "Odd %s"."mood {x}" AS ENUM ('sad', 'it''s ok', 'glad');
CREATE TYPE pair AS (a int, b text);
CREATE TYPE floats AS RANGE (subtype = float8);
CREATE DOMAIN age AS int CHECK (VALUE >= 18 AND VALUE < 130);
CREATE DOMAIN grown AS age NOT NULL;
CREATE TABLE "Odd %s"."select ""x"" y" (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, serial serial, "group" text NOT NULL UNIQUE,
    "a:b%" varchar(5) NOT NULL UNIQUE,
    fixed char(3) NOT NULL, mood "Odd %s"."mood {x}" NOT NULL, moods "Odd %s"."mood {x}"[] NOT NULL,
    p pair NOT NULL, fl floats NOT NULL,
    old age NOT NULL, older grown, num numeric(7, 2) NOT NULL UNIQUE, small smallint NOT NULL, f4 real NOT NULL,
    f8 double precision NOT NULL, money money NOT NULL, flag boolean NOT NULL, day date NOT NULL,
    at timestamptz NOT NULL,
    local timestamp(3) NOT NULL, clock time NOT NULL, clock_tz timetz NOT NULL, span interval NOT NULL,
    u uuid NOT NULL UNIQUE,
    j json NOT NULL, jb jsonb NOT NULL, raw bytea NOT NULL, ip inet NOT NULL, net cidr NOT NULL,
    mac macaddr NOT NULL, mac8 macaddr8 NOT NULL,
    ints int[] NOT NULL, grid text[][] NOT NULL, r int4range NOT NULL, tr tstzrange NOT NULL,
    dr daterange NOT NULL, nr numrange NOT NULL,
    mr int8multirange NOT NULL, bits bit(12) NOT NULL, vbits varbit(9) NOT NULL, vec tsvector NOT NULL,
    q tsquery NOT NULL, pt point NOT NULL,
    bx box NOT NULL, pa path NOT NULL, poly polygon NOT NULL, ci circle NOT NULL, ln line NOT NULL,
    ls lseg NOT NULL, lsn pg_lsn NOT NULL,
    ch "char" NOT NULL, nm name NOT NULL, o oid NOT NULL, maybe text,
    made text GENERATED ALWAYS AS (upper("group")) STORED,
    EXCLUDE USING gist (r WITH &&)
);
"""
CHECKED = """
CREATE TABLE orders (
    id int PRIMARY KEY, state text NOT NULL CHECK (state IN ('new', 'paid', 'sent')),
    code text NOT NULL CHECK (code ~ '^[A-Z]{3}$'),
    low int NOT NULL, high int NOT NULL, CHECK (low < high), percent numeric(5,
    2) NOT NULL CHECK (percent BETWEEN 0 AND 1),
    starts date NOT NULL, ends date NOT NULL,
    CHECK (starts >= '2024-02-01' AND ends < '2024-03-01' AND starts <= ends),
    email text NOT NULL CHECK (email LIKE '%@%.%'), total int GENERATED ALWAYS AS (low + high) STORED,
    CHECK (total > 5)
);
"""
REFERRED = """
CREATE TABLE country (iso char(3) PRIMARY KEY);
CREATE TABLE town (country char(3) REFERENCES country, name text, PRIMARY KEY (country, name));
CREATE TABLE person (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), boss uuid REFERENCES person, country char(3) NOT NULL,
    town text NOT NULL,
    FOREIGN KEY (country, town) REFERENCES town
);
CREATE TABLE badge (person uuid PRIMARY KEY REFERENCES person ON DELETE CASCADE, own int NOT NULL UNIQUE,
    up int NOT NULL REFERENCES badge (own));
"""
PARTED = """
CREATE TABLE log (id bigint, at timestamptz NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM ('2024-01-01 00:00+00') TO ('2024-02-01 00:00+00');
CREATE TABLE log_2 PARTITION OF log FOR VALUES FROM ('2024-02-01 00:00+00') TO ('2024-03-01 00:00+00')
    PARTITION BY HASH (id);
CREATE TABLE log_2_0 PARTITION OF log_2 FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE log_2_1 PARTITION OF log_2 FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE kind (name text NOT NULL, n int) PARTITION BY LIST (name);
CREATE TABLE kind_1 PARTITION OF kind FOR VALUES IN ('a', 'b');
CREATE TABLE kind_2 PARTITION OF kind DEFAULT;
"""


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection]:
    """To an empty scratch database."""
    with hot(parse(database), command="test") as found:
        yield found


def of(name: str, schema: str = "public") -> Table:
    """A table by name."""
    return Table(schema=schema, name=name)


def counted(connection: psycopg.Connection, query: str) -> object:
    """The one value of a query."""
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def test_every_type_has_values(connection: psycopg.Connection) -> None:
    """All rows that were asked for, whatever the types, names that need quoting, unique columns and an exclusion."""
    connection.execute(EVERY_TYPE)
    (filled,) = generated(connection, [of('select "x" y', "Odd %s")], ROWS)
    assert (ROWS, ()) == (filled.rows, filled.notes)
    nulls = counted(connection, 'SELECT count(*) FROM "Odd %s"."select ""x"" y" WHERE maybe IS NULL')
    assert 0 < int(str(nulls)) < ROWS


def test_checks_are_satisfied(connection: psycopg.Connection) -> None:
    """Lists, patterns, ranges, checks over several columns and over a generated one."""
    connection.execute(CHECKED)
    (filled,) = generated(connection, [of("orders")], ROWS)
    assert (ROWS, ()) == (filled.rows, filled.notes)
    assert 3 == counted(connection, "SELECT count(DISTINCT state) FROM orders")


def test_parents_are_filled_first(connection: psycopg.Connection) -> None:
    """Tables that are only referred to get rows too; a key that refers to its own table is NULL, or its own row."""
    connection.execute(REFERRED)
    filled = {str(item.table): item for item in generated(connection, [of("badge")], ROWS)}
    assert {"country", "town", "person", "badge"} == set(filled)
    assert ["country", "town", "person", "badge"] == list(filled)
    assert {ROWS} == {item.rows for name, item in filled.items()}
    assert ROWS == counted(connection, "SELECT count(*) FROM badge WHERE up = own")


def test_every_partition_gets_rows(connection: psycopg.Connection) -> None:
    """By range, by hash below it, by list, and the default one."""
    connection.execute(PARTED)
    filled = generated(connection, [of("log"), of("kind")], ROWS)
    assert {"log", "kind"} == {str(item.table) for item in filled}
    for leaf in ("log_1", "log_2_0", "log_2_1", "kind_1", "kind_2"):
        assert 10 < int(str(counted(connection, f"SELECT count(*) FROM {leaf}"))), leaf
    assert ROWS == counted(connection, "SELECT count(*) FROM log")


def test_triggers_of_their_own_are_run(connection: psycopg.Connection) -> None:
    """A trigger that fills a column sees every row."""
    connection.execute("CREATE TABLE t (id int PRIMARY KEY, twice int)")
    connection.execute(
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.twice := 2 * NEW.id; RETURN NEW; END';"
        "CREATE TRIGGER t BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()"
    )
    (filled,) = generated(connection, [of("t")], ROWS)
    assert (ROWS, ()) == (filled.rows, filled.notes)
    assert 0 == counted(connection, "SELECT count(*) FROM t WHERE twice IS DISTINCT FROM 2 * id")


def test_a_trigger_that_refuses_is_passed_by_and_said(connection: psycopg.Connection) -> None:
    """The rows are there, and the note has the trigger's own words."""
    connection.execute("CREATE TABLE t (id int PRIMARY KEY)")
    connection.execute(
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'not like this'; END$$;"
        "CREATE TRIGGER t BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()"
    )
    (filled,) = generated(connection, [of("t")], ROWS)
    assert (ROWS, ("filled with its triggers off: not like this",)) == (filled.rows, filled.notes)


def test_what_cannot_be_made_is_said(connection: psycopg.Connection) -> None:
    """A check that no row satisfies, a type without values, a circle without NULL, a view: each by name."""
    connection.execute(
        "CREATE TABLE never (id int PRIMARY KEY, a int CONSTRAINT impossible CHECK (a > 0 AND a < 0 OR a IS NULL), "
        "CHECK (id < 0 AND id > 0));"
        "CREATE TABLE typed (id int PRIMARY KEY, s pg_snapshot NOT NULL); CREATE VIEW seen AS SELECT 1 AS a;"
        "CREATE TABLE one (id int PRIMARY KEY, two int NOT NULL); CREATE TABLE two (id int PRIMARY KEY, "
        "one int NOT NULL REFERENCES one);"
        "ALTER TABLE one ADD FOREIGN KEY (two) REFERENCES two; CREATE TABLE few (b boolean PRIMARY KEY)"
    )
    tables = [of(name) for name in ("never", "typed", "seen", "one", "few")]
    said = {str(item.table): (item.rows, item.notes) for item in generated(connection, tables, ROWS)}
    assert (0, ("left empty, because no generated row satisfies never_id_check",)) == said["never"]
    assert (0, ("left empty, because s is of type pg_snapshot, of which no value is known",)) == said["typed"]
    assert (0, ("it is no table, so no rows were put into it",)) == said["seen"]
    assert (0, ("left empty, because two refers in a circle and may not be NULL",)) == said["one"]
    assert (2, ("no more than 2 of 300 rows differ where they must",)) == said["few"]


def test_a_change_may_ask_for_more(connection: psycopg.Connection) -> None:
    """Rules to come and mappings hold of the rows, rows that belong together do, and nothing of the rules stays."""
    connection.execute(
        "CREATE TABLE a (id int PRIMARY KEY, amount text NOT NULL, state text); CREATE TABLE b (n int PRIMARY KEY, "
        "of int NOT NULL UNIQUE)"
    )
    there_and_back = sql.SQL("(SELECT x::text = r.amount FROM (SELECT amount::numeric(9, 2) AS x) AS m)")
    demands = Demands(
        rules=((of("a"), "CHECK (state IN ('up', 'down'))"), (of("a"), "CHECK (to_come > 0)")),
        checks=((of("a"), Check(name="m", predicate=there_and_back, columns=frozenset({"amount"}), wished=True)),),
        keys=((of("b"), Key(name="k", columns=("of",), target=of("a"), target_columns=("id",))),),
    )
    filled = generated(connection, [of("b")], ROWS, demands)
    assert [("a", ROWS, ()), ("b", ROWS, ())] == [(str(item.table), item.rows, item.notes) for item in filled]
    assert 0 == counted(
        connection, "SELECT count(*) FROM a WHERE amount !~ '^[0-9]+[.][0-9][0-9]$' OR state NOT IN ('up', 'down')"
    )
    assert ROWS == counted(connection, "SELECT count(*) FROM a JOIN b ON b.of = a.id")
    assert 0 == counted(connection, "SELECT count(*) FROM pg_constraint WHERE conname LIKE 'ec_wish%'")


def test_a_script_of_the_users(connection: psycopg.Connection) -> None:
    """Its rows are counted; one that fails leaves nothing, and says why."""
    connection.execute("CREATE TABLE t (id int PRIMARY KEY)")
    with pytest.raises(
        UsageError, match='nothing of it was kept: duplicate key value violates unique constraint "t_pkey"'
    ):
        by_script(connection, "INSERT INTO t VALUES (1); INSERT INTO t VALUES (1)", [of("t")])
    (filled,) = by_script(connection, "INSERT INTO t SELECT generate_series(1, 7)", [of("t")])
    assert 7 == filled.rows
