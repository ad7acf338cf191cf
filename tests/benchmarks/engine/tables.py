"""The tables that are filled."""

from __future__ import annotations

from dataclasses import dataclass

COLUMNS = "full_name text NOT NULL, email text NOT NULL, score int NOT NULL, display_name text"
VALUES = "'name of ' || n, 'user' || n || '@example.org', n % 1000"
INDEXES = "CREATE INDEX ON users (email); CREATE INDEX ON users (score);"


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table ``users`` whose ``display_name`` is to be filled from ``full_name``.

    Attributes:
        name: Of the case.
        rows: How many.
        setup: What makes it.
        analysed: Whether PostgreSQL knows its statistics.
        key: Its primary key.
    """

    name: str
    rows: int
    setup: str
    analysed: bool = True
    key: str = "id"


def numbered(name: str, rows: int, *, analysed: bool = True) -> Table:
    """A ``bigint`` key and three indexes."""
    setup = f"""CREATE TABLE users (id bigint PRIMARY KEY, {COLUMNS});
INSERT INTO users SELECT n, {VALUES}, NULL FROM generate_series(1, {rows}) AS n; {INDEXES}"""
    return Table(name=name, rows=rows, setup=setup, analysed=analysed)


def by_uuid(rows: int) -> Table:
    """A random key, so that neighbours in the index are far apart in the table."""
    setup = f"""CREATE TABLE users (id uuid PRIMARY KEY, {COLUMNS});
INSERT INTO users SELECT gen_random_uuid(), {VALUES}, NULL FROM generate_series(1, {rows}) AS n; {INDEXES}"""
    return Table(name="uuid", rows=rows, setup=setup)


def partitioned(rows: int) -> Table:
    """Eight partitions by hash."""
    parts = "".join(
        f"CREATE TABLE users_{n} PARTITION OF users FOR VALUES WITH (MODULUS 8, REMAINDER {n});" for n in range(8)
    )
    setup = f"""CREATE TABLE users (id bigint PRIMARY KEY, {COLUMNS}) PARTITION BY HASH (id); {parts}
INSERT INTO users SELECT n, {VALUES}, NULL FROM generate_series(1, {rows}) AS n; {INDEXES}"""
    return Table(name="partitioned", rows=rows, setup=setup)


def wide(rows: int) -> Table:
    """Rows of some 700 bytes in the heap, and a value of 4 kB beside it in TOAST."""
    setup = f"""CREATE TABLE users (id bigint PRIMARY KEY, {COLUMNS}, notes text, page text);
ALTER TABLE users ALTER page SET STORAGE EXTERNAL;
INSERT INTO users SELECT n, {VALUES}, NULL, repeat(md5(n::text), 20), repeat(md5(n::text), 128)
FROM generate_series(1, {rows}) AS n; {INDEXES}"""
    return Table(name="wide", rows=rows, setup=setup)


MAIN = "three_indexes"
