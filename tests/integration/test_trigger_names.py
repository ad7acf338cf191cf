"""Triggers over names and types that an assignment in plpgsql could read otherwise than a query does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from expandcontract.core.mapping import Mapping, Table
from tests.fix_filling import begin

if TYPE_CHECKING:
    from tests.fix_filling import Filling


@dataclass(frozen=True, kw_only=True)
class Odd:
    """A table with an old and a new column.

    Attributes:
        table: Its name.
        old: The old column's.
        new: The new column's.
        kind: Their type.
        forward: What the new value is; default: the old one.
        reverse: What the old value is; default: the new one.
        written: What the old release writes, then what the new one writes.
        before: Run first.
    """

    table: str = "users"
    old: str = "nick"
    new: str = "handle"
    kind: str = "text"
    forward: str = ""
    reverse: str = ""
    written: tuple[str, str] = ("ann", "bob")
    before: str = "SELECT 1"

    @property
    def mapping(self) -> Mapping:
        """Of this table."""
        old, new = ('"' + name.replace('"', '""') + '"' for name in (self.old, self.new))
        sides = {self.new: self.forward or old}, {self.old: self.reverse or new}
        return Mapping(Table(schema="public", name=self.table), forward=sides[0], reverse=sides[1])


CASES = {
    "plain": Odd(),
    "words of plpgsql": Odd(table="loop", old="begin", new="while"),
    "words of SQL": Odd(table="table", old="select", new="from"),
    "the row of a trigger": Odd(table="old", old="new", new="old"),
    "a table named as the row": Odd(table="new"),
    "variables of ours": Odd(old="v_new", new="v_speaks"),
    "variables of a trigger": Odd(old="tg_op", new="found"),
    "quotes and per cent": Odd(table='us"e %', old='a"b', new="per %s :x"),
    "the table before its column": Odd(forward="upper(users.nick)", reverse="lower(users.handle)"),
    "the row as a whole": Odd(forward="to_jsonb(users) ->> 'nick'", reverse="(users).handle"),
    "a column named as the table": Odd(table="nick", forward="nick || ''", reverse="handle || ''"),
    "a domain without NULL": Odd(
        kind="word", before="CREATE DOMAIN word AS text CHECK (value IS NOT NULL AND length(value) < 9)"
    ),
    "a query": Odd(forward="(SELECT max(v) FROM (VALUES (nick)) AS t (v))", reverse="(SELECT handle)"),
    "an array": Odd(kind="text[]", written=("{a,b}", "{}")),
    "a padded one": Odd(kind="char(5)", written=("ann  ", "bob  ")),
}


def _pairs(filling: Filling, odd: Odd) -> list[tuple[object, ...]]:
    query = sql.SQL("SELECT {}::text, {}::text FROM {} ORDER BY id").format(
        *map(sql.Identifier, (odd.old, odd.new, odd.table))
    )
    with psycopg.connect(filling.database) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.parametrize("odd", CASES.values(), ids=CASES.keys())
def test_both_releases_write(filling: Filling, odd: Odd) -> None:
    """What either release inserts or updates, the other one reads, however tables and columns are called."""
    insert = "INSERT INTO {table} ({column}) VALUES ({value})"
    change = "UPDATE {table} SET {column} = {value} WHERE id = {id}"
    domain = odd.kind == "word"  # the one of which no row can lack a value
    names = {"table": sql.Identifier(odd.table)}
    kind = sql.SQL(odd.kind)
    old_written, new_written = odd.written
    with psycopg.connect(filling.database, autocommit=True) as connection:
        connection.execute(odd.before.encode())
        create = "CREATE TABLE {table} (id serial PRIMARY KEY, {old} {kind}{default}, {new} {kind}{default})"
        default = sql.SQL(" DEFAULT 'none'" if domain else "")
        parts = {"old": sql.Identifier(odd.old), "new": sql.Identifier(odd.new), "kind": kind, "default": default}
        connection.execute(sql.SQL(create).format(**names, **parts))
        begin(connection, odd.mapping)
        for column, value in ((odd.old, old_written), (odd.new, new_written)):
            connection.execute(sql.SQL(insert).format(**names, column=sql.Identifier(column), value=value))
        for number, column, value in ((1, odd.new, new_written), (2, odd.old, old_written)):
            update = sql.SQL(change).format(**names, column=sql.Identifier(column), value=value, id=number)
            connection.execute(update)
    first, second = _pairs(filling, odd)
    text = {value: value.strip() for value in odd.written}
    read = [[str(value).strip().lower() for value in row] for row in (first, second)]
    assert [[text[new_written]] * 2, [text[old_written]] * 2] == read
