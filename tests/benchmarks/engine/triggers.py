"""What the triggers cost those who write: each kind of statement with ours, with none, and with the peers' two."""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from tests.benchmarks.engine.tables import numbered

if TYPE_CHECKING:
    from tests.benchmarks.engine.ground import Ground
    from tests.benchmarks.engine.tables import Table

BULK = {
    "bulk UPDATE of a mapped column": "UPDATE users SET full_name = full_name || 'x'",
    "bulk INSERT": "INSERT INTO users (id, full_name, email, score)"
    " SELECT id + 100000000, full_name, email, score FROM users",
    "bulk UPDATE of another column": "UPDATE users SET score = score + 1",
}
SINGLE = "single-row transactions"
SCRIPT = """\\set id random(1, {rows})
UPDATE users SET full_name = 'name ' || :id WHERE id = :id;
"""
SINGLE_S, TURNS = 2, 6
TWO = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_path text := (SELECT current_setting('search_path'));
BEGIN
    IF v_path = '{other}' THEN
        RETURN NEW;
    END IF;
    PERFORM set_config('search_path', 'public', true);
    NEW.{to} := NEW.{source};
    PERFORM set_config('search_path', v_path, true);
    RETURN NEW;
END $$;
CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON users FOR EACH ROW EXECUTE FUNCTION {name}();
"""
PEERS = TWO.format(name="up", other="public_new", to="display_name", source="full_name") + TWO.format(
    name="down", other="public, pg_catalog", to="full_name", source="full_name"
)
"""Two functions for every row, each asking and setting search_path, as the peers make them."""
WAYS = ("none", "ours", "peers")
OURS = """SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger
WHERE tgrelid = 'users'::regclass AND NOT tgisinternal ORDER BY tgname"""


def filled(rows: int) -> Table:
    """As a table is for most of a change's life: every row has its new value."""
    table = numbered("written", rows)
    return replace(table, setup=table.setup.replace(", NULL FROM", ", 'name of ' || n FROM"))


def cost(ground: Ground, table: Table, *, times: int) -> dict[str, dict[str, float]]:
    """How much longer each kind of statement takes than without triggers; medians of runs in turn.

    Returns:
        Of each kind, the ratio by ``ours`` and ``peers``.
    """
    took: dict[str, dict[str, list[float]]] = {kind: {way: [] for way in WAYS} for kind in (*BULK, SINGLE)}
    for _ in range(times):
        for kind, statement in BULK.items():
            for way in WAYS:
                took[kind][way].append(_bulk(ground, table, way, statement))
        for way, of in _single(ground, table).items():
            took[SINGLE][way] += of
    return {kind: {way: median(of[way]) / median(of["none"]) for way in ("ours", "peers")} for kind, of in took.items()}


def _bulk(ground: Ground, table: Table, way: str, statement: str) -> float:
    with ground.copy(table, synced=way == "ours") as dsn, psycopg.connect(dsn, autocommit=True) as connection:
        if way == "peers":
            connection.execute(PEERS)
        began = time.monotonic()
        connection.execute(statement.encode())
        return time.monotonic() - began


def _single(ground: Ground, table: Table) -> dict[str, list[float]]:
    """Milliseconds a transaction by one client, each way on the same table in short turns: a disk has its moods."""
    took: dict[str, list[float]] = {way: [] for way in WAYS}
    with ground.copy(table, synced=True) as dsn, psycopg.connect(dsn, autocommit=True) as connection:
        ours = [(str(name), str(made)) for name, made in connection.execute(OURS)]
        for _ in range(TURNS):
            for way in WAYS:
                for name, _ in ours:
                    connection.execute(sql.SQL("DROP TRIGGER IF EXISTS {} ON users").format(sql.Identifier(name)))
                connection.execute("DROP FUNCTION IF EXISTS up, down CASCADE")
                made = {"ours": "; ".join(made for _, made in ours), "peers": PEERS}.get(way)
                if made is not None:
                    connection.execute(made.encode())
                took[way].append(_latency(ground, dsn, table))
    return took


def _latency(ground: Ground, dsn: str, table: Table) -> float:
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "script.sql")
        script.write_text(SCRIPT.format(rows=table.rows), encoding="utf-8")
        program = ground.server.bin / "pgbench"
        command = [program, "-n", "-c", "1", "-T", str(SINGLE_S), "-f", script, dsn]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"latency average = ([0-9.]+) ms", said)
    assert found is not None
    return float(found[1])
