"""Within the window nothing gets at the old shape: not plain Alembic, not its scripts, not a hand on psql."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.fix_project import CHANGE, Project

if TYPE_CHECKING:
    from expandcontract.pg.server import LocalServer

FAILED = 255
REFUSED = 3


@pytest.fixture
def cut_over(project: Project) -> Project:
    """The project with its change cut over, a day from the end of the window."""
    project.to("cut_over")
    return project


def _dump(server: LocalServer, project: Project) -> str:
    command = [server.bin / "pg_dump", "--schema-only", "--restrict-key=x", project.database]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        command.remove("--restrict-key=x")
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize(
    "arguments", [("upgrade", "heads"), ("upgrade", "contract@head"), ("downgrade", "expand@-1"), ("downgrade", "0001")]
)
def test_plain_alembic(cut_over: Project, server: LocalServer, arguments: tuple[str, ...]) -> None:
    """Plain Alembic is refused before any revision runs, in one line that says why and what to type."""
    before = _dump(server, cut_over)
    said = cut_over.run("alembic", *arguments, expect=FAILED)
    assert f"of {CHANGE} is refused" in said
    assert "Type: ec " in said
    assert before == _dump(server, cut_over)
    assert cut_over.phase() == "cut_over"


def test_a_script_fed_to_psql(cut_over: Project, server: LocalServer) -> None:
    """The contract's SQL refuses by itself: its first statement is the assertion, and nothing of it stays."""
    expand = cut_over.sql("SELECT expand_revision FROM expandcontract.change")[0][0]
    script = cut_over.run("alembic", "upgrade", f"{expand}:contract@head", "--sql")
    script = script[script.index("BEGIN;") : script.index("COMMIT;") + len("COMMIT;")]
    before = _dump(server, cut_over)
    done = subprocess.run(
        [server.bin / "psql", "-v", "ON_ERROR_STOP=1", cut_over.database],
        input=script,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "its rollback window closes at" in done.stderr
    assert before == _dump(server, cut_over)


def test_a_stamp_moves_no_phase(cut_over: Project) -> None:
    """After a stamp the change is where it was, and ec refuses as before."""
    cut_over.run("alembic", "stamp", "heads")
    assert cut_over.phase() == "cut_over"
    assert "EC360" in cut_over.ec("advance", CHANGE, expect=REFUSED)
    assert [(1,)] == cut_over.sql(
        "SELECT 1 FROM information_schema.columns WHERE table_name = 'users' AND column_name = 'full_name'"
    )


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE users DROP COLUMN full_name",
        "ALTER TABLE users DROP COLUMN display_name",
        "DROP TABLE users",
        "ALTER TABLE users ALTER COLUMN full_name TYPE varchar(10)",
        "ALTER TABLE users ALTER COLUMN display_name TYPE varchar(10)",
    ],
)
def test_by_hand(cut_over: Project, server: LocalServer, statement: str) -> None:
    """PostgreSQL itself refuses, and names the hold."""
    before = _dump(server, cut_over)
    with pytest.raises(psycopg.Error, match=f"hold_{CHANGE}"):
        cut_over.sql(statement)
    assert before == _dump(server, cut_over)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (f"DROP VIEW expandcontract.hold_{CHANGE}", "is missing"),
        ("ALTER TABLE users DISABLE TRIGGER zz_expandcontract_update", "is disabled"),
        ("DROP TRIGGER zz_expandcontract_insert ON users", "is missing"),
        (
            (
                "CREATE TRIGGER zzz BEFORE UPDATE ON users FOR EACH ROW "
                "EXECUTE FUNCTION suppress_redundant_updates_trigger()"
            ),
            "zzz",
        ),
    ],
)
def test_damage_closes_every_gate(cut_over: Project, damage: str, said: str) -> None:
    """A hold or trigger gone or altered closes the gates and says so; ec repairs it and compares every row anew."""
    cut_over.sql(damage)
    for move in ("contract", "roll-back"):
        gates = cut_over.document("gate", CHANGE, move, expect=REFUSED)["gates"]
        shut = {gate["gate"]: gate["reason"] for gate in gates if gate["state"] != "open"}  # type: ignore[attr-defined]
        assert said in shut["ledger-intact"]
    assert f"ec repair {CHANGE}" in cut_over.ec("advance", CHANGE, expect=REFUSED)
    if "zzz" in damage:
        return
    cut_over.sql("SET session_replication_role = replica; UPDATE users SET full_name = 'astray' WHERE id = 7")
    assert "1 rows differ" in cut_over.ec("repair", CHANGE)
    gates = cut_over.document("gate", CHANGE, "contract", expect=REFUSED)["gates"]
    states = {gate["gate"]: gate["state"] for gate in gates}  # type: ignore[attr-defined]
    assert ("open", "closed") == (states["ledger-intact"], states["parity"])


def test_the_journal_only_grows(cut_over: Project) -> None:
    """UPDATE, DELETE and TRUNCATE are refused; a superuser's change behind the trigger's back breaks the chain."""
    for statement in (
        "UPDATE expandcontract.journal SET actor = ''",
        "DELETE FROM expandcontract.journal",
        "TRUNCATE expandcontract.journal",
    ):
        with pytest.raises(psycopg.Error, match="the journal of expandcontract only grows"):
            cut_over.sql(statement)
    cut_over.ec("history", "--verify")
    cut_over.sql("SET session_replication_role = replica; UPDATE expandcontract.journal SET actor = 'x' WHERE seq = 3")
    assert "altered at entry 3" in cut_over.ec("history", "--verify", expect=1)
    assert "EC311" in cut_over.ec("advance", CHANGE, expect=REFUSED)
