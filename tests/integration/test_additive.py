"""What is added, loosened and dropped: refused with the reason before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from expandcontract.errors import UsageError
from expandcontract.pg.connect import connect, parse
from expandcontract.revisions.recipes import draft
from tests.fix_postgres import clone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

TABLES = """
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TYPE pair AS (a int, b int);
CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, nick text,
    twice int GENERATED ALWAYS AS (1) STORED
);
CREATE TABLE child () INHERITS (users);
ALTER TABLE child ADD COLUMN mine int;
CREATE TABLE typed OF pair;
CREATE TABLE parts (id int, at int) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (100);
CREATE TABLE odd (id int DEFAULT 1, at int NOT NULL) PARTITION BY RANGE (id);
CREATE TABLE odd_1 PARTITION OF odd FOR VALUES FROM (0) TO (100);
ALTER TABLE odd_1 ALTER id SET DEFAULT 2;
CREATE TABLE named (at int NOT NULL, token int NOT NULL, dull int DEFAULT 1);
CREATE UNIQUE INDEX replica ON named (token);
ALTER TABLE named REPLICA IDENTITY USING INDEX replica;
CREATE TABLE team (id int PRIMARY KEY, code text UNIQUE);
CREATE UNIQUE INDEX team_code ON team (code);
CREATE TABLE member (
    team int CONSTRAINT of_team REFERENCES team, code text REFERENCES team (code), at int CHECK (at > 0)
);
CREATE TABLE junior (CONSTRAINT member_at_check CHECK (at > 0)) INHERITS (member);
CREATE TABLE listed (id int PRIMARY KEY, a text);
CREATE VIEW grouped AS SELECT id, a FROM listed GROUP BY id;
CREATE INDEX parts_id ON parts (id);
CREATE TABLE parent (at int NOT NULL);
CREATE TABLE below () INHERITS (parent);
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE INDEX by_nick ON users (nick);
INSERT INTO users (name, nick) VALUES ('one', 'x'), ('two', NULL);
"""
ADD = {"table": "users", "column": "c"}


@pytest.fixture(scope="module")
def connection(server: Any) -> Iterator[Connection]:
    """To a database with the tables above."""
    with clone(server, "template1") as address:
        with psycopg.connect(address, autocommit=True) as raw:
            raw.execute(TABLES)
        with connect(parse(address), command="test") as found:
            yield found


@pytest.mark.parametrize(
    ("recipe", "arguments", "said"),
    [
        ("add-column", {**ADD, "type": "int", "table": "usrs"}, "there is no table usrs; did you mean users"),
        ("add-column", {**ADD, "type": "int", "table": "parts_1"}, "parts_1 is a partition of parts"),
        ("add-column", {**ADD, "type": "int", "table": "child"}, "child is a child of users"),
        ("add-column", {**ADD, "type": "int", "table": "typed"}, "typed is a table of a composite type"),
        ("add-column", {**ADD, "type": "int", "column": "nick"}, "users has a column 'nick' already"),
        ("add-column", {**ADD, "type": "int", "column": "mine"}, "child has a column 'mine' already"),
        ("add-column", {**ADD, "type": "int", "column": "xmin"}, "'xmin' is the name of a system column"),
        ("add-column", {**ADD, "type": "int", "column": "ä" * 32}, "is longer than PostgreSQL's 63 bytes"),
        ("add-column", {**ADD, "type": "int", "column": ""}, "a name is empty"),
        ("add-column", {**ADD, "type": "integr"}, 'type "integr" does not exist'),
        ("add-column", {**ADD, "type": "int NOT NULL"}, "says more than a type"),
        ("add-column", {**ADD, "type": "int, d int"}, "says more than a type"),
        ("add-column", {**ADD, "type": "int GENERATED ALWAYS AS IDENTITY"}, "says more than a type"),
        ("add-column", {**ADD, "type": "positive"}, "a column of type positive would rewrite the table"),
        ("add-column", {**ADD, "type": "int", "default": "'x'"}, "invalid input syntax for type integer"),
        ("add-column", {**ADD, "type": "int", "default": "1 +"}, "--default .* does not parse"),
        (
            "add-column",
            {**ADD, "type": "int", "default": "1), ADD COLUMN d int DEFAULT (2"},
            "--default .* does not parse",
        ),
        ("add-column", {**ADD, "type": "int", "default": "1), (2"}, "--default .* is not one expression"),
        ("add-column", {**ADD, "type": "int", "default": "(SELECT 1)"}, "cannot use subquery in DEFAULT"),
        ("add-column", {**ADD, "type": "text", "default": "name"}, "cannot use column reference in DEFAULT"),
        ("add-column", {**ADD, "type": "int", "not_null": True}, "shall be NOT NULL and has no default"),
        ("add-column", {**ADD, "type": "int", "not_null": True, "default": "NULL"}, "the default NULL is NULL"),
        (
            "add-column",
            {**ADD, "type": "text", "fill": "lower(name)"},
            "reads other columns, and there is no --default",
        ),
        (
            "add-column",
            {**ADD, "type": "text", "fill": "nick", "default": "''"},
            r"is NULL for rows .* by ctid: \(0,2\)",
        ),
        ("add-column", {**ADD, "type": "int", "fill": "name", "default": "1"}, "is of type integer but expression is"),
        ("add-column", {**ADD, "type": "int", "fill": "name::int", "default": "1"}, 'invalid input syntax .* "one"'),
        ("add-column", {**ADD, "type": "text", "fill": "nme", "default": "1"}, 'column "nme" does not exist'),
        ("add-column", {**ADD, "type": "serial", "default": "1"}, "is a serial, whose sequence is its default"),
        ("add-index", {"table": "users", "columns": ("nick",), "unique": True}, "a unique index is a rule"),
        ("add-index", {"table": "users"}, "wants a column or an --expression"),
        ("add-index", {"table": "users", "columns": ("nik",)}, "has no column 'nik'; did you mean nick"),
        ("add-index", {"table": "users", "columns": ("name",), "include": ("nik",)}, "has no column 'nik'"),
        ("add-index", {"table": "users", "columns": ("nick",)}, "users has that index already: by_nick"),
        ("add-index", {"table": "users", "columns": ("name",), "index": "by_nick"}, "has a relation 'by_nick' already"),
        ("add-index", {"table": "users", "columns": ("name",), "index": "x" * 64}, "longer than PostgreSQL's 63 bytes"),
        (
            "add-index",
            {"table": "users", "columns": ("name",), "method": "tree"},
            'access method "tree" does not exist',
        ),
        ("add-index", {"table": "users", "expression": ("lower(nik)",)}, 'column "nik" does not exist'),
        ("add-index", {"table": "users", "expression": ("now()",)}, "must be marked IMMUTABLE"),
        ("add-index", {"table": "users", "expression": ("nick, name",)}, "is not one part of a key"),
        ("add-index", {"table": "users", "expression": ("nick +",)}, "does not parse"),
        ("add-index", {"table": "users", "expression": ("nick); DROP TABLE users; SELECT (1",)}, "is not one part"),
        ("add-index", {"table": "users", "columns": ("name",), "where": "1); DROP TABLE users; --"}, "does not parse"),
        ("add-index", {"table": "users", "columns": ("name",), "where": "name"}, "must be type boolean"),
        ("drop-index", {"index": "by_nik"}, "there is no index by_nik; did you mean by_nick"),
        ("drop-index", {"index": "users_pkey"}, "is the index of constraint users_pkey"),
        ("drop-index", {"index": "parts_1_id_idx"}, "is a part of the partitioned index parts_id"),
        ("drop-index", {"index": "replica"}, "replica is the replica identity of named"),
        ("drop-constraint", {"table": "users", "constraint": "users_pky"}, "did you mean users_pkey"),
        (
            "drop-constraint",
            {"table": "team", "constraint": "team_pkey"},
            "foreign key of_team of member needs team_pkey",
        ),
        ("drop-constraint", {"table": "listed", "constraint": "listed_pkey"}, "rule _RETURN on view grouped needs"),
        ("drop-constraint", {"table": "junior", "constraint": "member_at_check"}, "junior is a child of member"),
        (
            "add-column",
            {"table": "parent", "column": "c", "type": "uuid", "default": "gen_random_uuid()"},
            "inherit from",
        ),
        ("drop-not-null", {"table": "parent", "column": "at", "fill": "1"}, "other tables inherit from parent"),
        ("change-enum", {"type": "mood"}, "say what shall change"),
        ("change-enum", {"type": "mod", "add": "x"}, "there is no enum type mod; did you mean mood"),
        ("change-enum", {"type": "pair", "add": "x"}, "there is no enum type pair"),
        ("change-enum", {"type": "mood", "add": "sad"}, "mood has the value 'sad' already"),
        ("change-enum", {"type": "mood", "add": ""}, "it has 0 bytes, 1 to 63 are needed"),
        ("change-enum", {"type": "mood", "add": "ä" * 32}, "it has 64 bytes, 1 to 63 are needed"),
        ("change-enum", {"type": "mood", "add": "x", "after": "bad"}, "mood has no value 'bad'; it has sad, glad"),
        ("change-enum", {"type": "mood", "add": "x", "after": "sad", "before": "glad"}, "a value has one place"),
        ("sql", {"name": "x"}, "no phase has a statement"),
        ("sql", {"name": "X y", "expand": "SELECT 1"}, "cannot name a change"),
        ("sql", {"name": "x", "expand": "SELEC 1"}, "--expand does not parse"),
        ("sql", {"name": "x", "expand": "-- nothing"}, "--expand holds no statement"),
        ("sql", {"name": "x", "expand": "SELECT 1", "touches": ("usrs",)}, "there is no table usrs"),
        ("sql", {"name": "x", "expand": "SELECT 1; COMMIT"}, "--expand: COMMIT begins or ends a transaction"),
        ("sql", {"name": "x", "expand": "COPY users FROM STDIN"}, "copies rows"),
        (
            "sql",
            {"name": "x", "expand": "CREATE INDEX CONCURRENTLY i ON users (nick)"},
            "cannot run in the transaction",
        ),
        ("sql", {"name": "x", "contract": "DROP INDEX CONCURRENTLY by_nick"}, "cannot run in the transaction"),
        ("sql", {"name": "x", "expand": "REINDEX INDEX CONCURRENTLY by_nick"}, "cannot run in the transaction"),
        ("sql", {"name": "x", "contract": "ALTER TABLE parts DETACH PARTITION parts_1 CONCURRENTLY"}, "cannot run in"),
        ("sql", {"name": "x", "expand": "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p"}, "cannot run in"),
        ("sql", {"name": "x", "contract": "VACUUM users"}, "cannot run in the transaction"),
        ("sql", {"name": "x", "expand": "SELECT 1", "seal": "SELECT 2"}, "--seal: SELECT 2 makes no index"),
        ("sql", {"name": "x", "seal": "CREATE INDEX ON users (nick)"}, "gives its index no name"),
        ("sql", {"name": "x", "seal": "CREATE INDEX i ON users (id)", "contract": "SELECT 1"}, "has no seal"),
        ("sql", {"name": "x", "contract": "SELECT 1", "downgrade": "SELECT 1"}, "takes back what --expand does"),
        ("sql", {"name": "x", "expand": "SELECT 1", "undo_contract": "SELECT 1"}, "takes back what --contract does"),
        ("change-default", {"table": "users", "column": "nick"}, "give either a default or --drop"),
        ("change-default", {"table": "users", "column": "nick", "default": "1", "drop": True}, "give either a default"),
        ("change-default", {"table": "users", "column": "nick", "drop": True}, "users.nick has no default"),
        ("change-default", {"table": "users", "column": "name", "default": "NULL"}, "is NOT NULL, and NULL is NULL"),
        ("change-default", {"table": "users", "column": "nick", "default": "name"}, "cannot use column reference"),
        ("change-default", {"table": "named", "column": "dull", "default": "'x'"}, "invalid input syntax for type int"),
        ("change-default", {"table": "users", "column": "id", "default": "1"}, "gives itself its value"),
        ("change-default", {"table": "users", "column": "twice", "default": "1"}, "gives itself its value"),
        ("change-default", {"table": "odd", "column": "id", "drop": True}, "odd_1 has the default 2 for id"),
        ("drop-not-null", {"table": "users", "column": "nick"}, "users.nick may be NULL already"),
        ("drop-not-null", {"table": "users", "column": "nam"}, "has no column 'nam'; did you mean name"),
        ("drop-not-null", {"table": "users", "column": "id"}, "users.id is an identity"),
        ("drop-not-null", {"table": "named", "column": "token"}, "index replica is the replica identity"),
        ("drop-not-null", {"table": "users", "column": "name", "fill": "nick"}, "is NULL for rows of users"),
        ("drop-not-null", {"table": "odd_1", "column": "at"}, "odd_1 is a partition of odd"),
        ("add-column", {**ADD, "type": "serial", "column": "id", "table": "parts"}, "has a column 'id' already"),
    ],
)
def test_refused_before_anything_is_written(
    connection: Connection, recipe: str, arguments: dict[str, Any], said: str
) -> None:
    """What cannot be carried is named, with what to do instead; the database is left as it was."""
    before = connection.exec_driver_sql("SELECT count(*), max(oid) FROM pg_class").one()
    with pytest.raises(UsageError, match=said) as refusal:
        draft(connection, recipe, **arguments)
    assert refusal.value.hint
    assert before == connection.exec_driver_sql("SELECT count(*), max(oid) FROM pg_class").one()
    connection.rollback()
