"""``ec rehearse``: all the way on a database of its own, and the target is left as it was."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from expandcontract.config.load import load
from expandcontract.core.effect import Lock, LockMode
from expandcontract.errors import RefusedError, RehearsalError
from expandcontract.pg import dump
from expandcontract.runner import walk
from expandcontract.runner.rehearsal import Wanted
from expandcontract.runner.runner import Runner
from tests.fix_project import CHANGE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.core.effect import Effect
    from expandcontract.pg.server import LocalServer
    from tests.fix_project import Project

pytestmark = pytest.mark.slow
ROWS = "100"
WITHIN_S = 120.0


def state(project: Project, server: LocalServer) -> tuple[str, list[tuple[object, ...]]]:
    """All that a rehearsal could have changed: schema, rows of the ledger, rows of the tables, versions, traffic."""
    command = [server.bin / "pg_dump", "--inserts", project.database]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [line for line in done.stdout.splitlines() if "restrict" not in line]
    return "\n".join(lines), [(project.weights(),)]


def moves(document: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What was done, from where to where."""
    return [(move["move"], move["from"], move["to"]) for move in document["moves"]]


def rehearse(project: Project, name: str = CHANGE, **wanted: Any) -> dict[str, Any]:
    """A rehearsal in this process."""
    runner = Runner(load(project.directory, database=project.database), project.directory)
    return list(runner.rehearse(name, Wanted(**{"rows": 100, **wanted})))[-1].data


FORTH = [
    ("expand", "planned", "expanded"),
    ("dual-write", "expanded", "dual_writing"),
    ("backfill", "dual_writing", "backfilled"),
    ("cut-over", "backfilled", "cut_over"),
]
BACK = [
    ("roll-back", "cut_over", "backfilled"),
    ("roll-back", "backfilled", "dual_writing"),
    ("roll-back", "dual_writing", "expanded"),
    ("roll-back", "expanded", "planned"),
]


def test_a_rename_goes_all_the_way_and_the_target_stays(project: Project, server: LocalServer) -> None:
    """Forward, back, forward and contracted; every statement is as foretold; nothing of the target has changed."""
    before = state(project, server)
    document = project.document("rehearse", CHANGE, "--rows", ROWS)
    assert before == state(project, server)
    assert [*FORTH, *BACK, *FORTH, ("contract", "cut_over", "contracted")] == moves(document)
    assert (True, 0, "") == (document["ok"], document["differing"], document["irreversible"])
    assert [("users", 100, [])] == [(table["table"], table["rows"], table["notes"]) for table in document["tables"]]
    assert {"major": 18, "target_major": 18, "embedded": True, "schema_from": "pg_dump"} == document["server"]
    expand = document["moves"][0]["statements"]
    assert [{"relation": "public.users", "mode": "ACCESS EXCLUSIVE"}] == expand[0]["seen"]["locks"]
    assert expand[0]["seen"]["held_ms"] >= expand[0]["seen"]["took_ms"] > 0
    contract = document["moves"][-1]["statements"]
    assert {"ALTER TABLE users DROP COLUMN full_name"} <= {statement["sql"] for statement in contract}


def test_a_rehearsal_in_words(project: Project) -> None:
    """Each move, each statement with its locks and figures, and the last line says what came of it."""
    said = project.ec("rehearse", CHANGE, "--rows", "50")
    assert "contract: cut_over → contracted" in said
    assert "ACCESS EXCLUSIVE on public.users" in said
    assert "held up at the longest: reads " in said
    assert f"{CHANGE} was rehearsed: " in said


@pytest.mark.parametrize(
    ("recipe", "arguments", "kept"),
    [
        ("set-not-null", ("users", "nick", "--fill", "'none'"), [("contract", "cut_over", "contracted")]),
        ("change-type", ("users", "visits", "bigint"), [("contract", "cut_over", "contracted")]),
    ],
)
def test_other_recipes(
    bare: Project, recipe: str, arguments: tuple[str, ...], kept: list[tuple[str, str, str]]
) -> None:
    """A rule to come, with rows that break it until they are filled; and a type."""
    bare.sql("CREATE TABLE visit (of_user bigint REFERENCES users)")
    bare.ec("new", recipe, *arguments, "--name", "it")
    document = bare.document("rehearse", "it", "--rows", ROWS)
    assert kept == moves(document)[-1:]
    assert document["ok"]


def test_one_that_cannot_be_taken_back(bare: Project) -> None:
    """It goes back as far as it can, and what is for good is said."""
    bare.sql("CREATE TYPE mood AS ENUM ('sad'); ALTER TABLE users ADD mood mood")
    bare.ec("new", "change-enum", "mood", "--add", "glad", "--name", "it")
    document = bare.document("rehearse", "it", "--rows", ROWS)
    assert "enum" in str(document["irreversible"])
    assert {"expand"} == {move for move, _, _ in moves(document)}
    assert f"not taken back to planned: {document['irreversible']}" in bare.ec("rehearse", "it", "--rows", "5")


def test_what_was_not_foretold_fails(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan that tells of too weak a lock is found out, and both modes are named."""
    real = walk.predict

    def wrong(*arguments: Any) -> tuple[Effect, ...]:
        from dataclasses import replace  # noqa: PLC0415

        weak = (Lock(relation="public.users", mode=LockMode.SHARE),)
        return tuple(replace(e, locks=weak) if "ADD COLUMN" in e.statement else e for e in real(*arguments))

    monkeypatch.setattr(walk, "predict", wrong)
    monkeypatch.chdir(project.directory)
    with pytest.raises(RehearsalError, match=r"public\.users: SHARE was foretold, ACCESS EXCLUSIVE was taken") as error:
        rehearse(project)
    assert (2, False) == (error.value.document["differing"], error.value.document["ok"])
    assert 1 == error.value.exit_code


def test_a_move_that_fails_fails_the_rehearsal(project: Project) -> None:
    """The move, its reason and all that was seen until then are told; exit 1; the target is planned as before."""
    path = next(project.directory.glob("migrations/versions/*_expand.py"))
    source = path.read_text(encoding="utf-8")
    path.write_text(
        source.replace("    op.begin_change", '    op.execute("SELECT 1 / 0")\n    op.begin_change'), "utf-8"
    )
    document = project.document("rehearse", CHANGE, "--rows", "10", expect=1)
    error: Any = document["error"]
    assert "EC605" == error["code"]
    assert f"expand from planned failed in the rehearsal of {CHANGE}" in error["message"]
    assert "division by zero" in error["message"]
    assert [("expand", "planned", None)] == moves(document)
    assert [] == project.sql("SELECT * FROM expandcontract.change")


def test_a_change_that_has_begun_is_refused(project: Project) -> None:
    """A rehearsal begins before the expand; ``ec plan`` shows what lies ahead of one that is further."""
    project.ec("advance", CHANGE)
    said = project.ec("rehearse", CHANGE, expect=3)
    assert f"{CHANGE} is expanded on the target" in said
    assert f"next: ec plan {CHANGE}" in said


def test_beside_another_open_change(project: Project, server: LocalServer) -> None:
    """The other one stands there as on the target; a contract that comes after its is left out, and that is said."""
    project.to("cut_over")
    project.ec("new", "rename-column", "users", "nick", "handle")
    before = state(project, server)
    document = project.document("rehearse", "users_nick_to_handle", "--rows", ROWS)
    assert before == state(project, server)
    assert [*FORTH, *BACK, *FORTH] == moves(document)
    assert [f"the contract was not rehearsed: it comes after {CHANGE}, which is still to be contracted"] == document[
        "notes"
    ]


def test_on_what_is_not_there_yet(project: Project) -> None:
    """What the expand stands on, and the target lacks, is applied to the scratch database first."""
    project.ec("new", "rename-column", "users", "nick", "handle")
    document = project.document("rehearse", "users_nick_to_handle", "--rows", ROWS)
    assert f"applied on the scratch database first, because the expand stands on it: {CHANGE}" in str(document["notes"])
    assert document["ok"]


def test_rows_of_the_users_own(project: Project, tmp_path: Path) -> None:
    """``--fill`` makes the rows."""
    (tmp_path / "rows.sql").write_text("INSERT INTO users (full_name) VALUES ('Ann'), ('Bob')", encoding="utf-8")
    document = project.document("rehearse", CHANGE, "--fill", "rows.sql")
    assert 2 == document["tables"][0]["rows"]  # type: ignore[index]
    (tmp_path / "rows.sql").write_text("INSERT INTO nowhere VALUES (1)", encoding="utf-8")
    assert 'relation "nowhere" does not exist' in project.ec("rehearse", CHANGE, "--fill", "rows.sql", expect=2)


@pytest.fixture
def scratch(server: LocalServer) -> Iterator[str]:
    """The address of an empty database beside the target."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE scratch")
    yield server.dsn("scratch")
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("DROP DATABASE scratch WITH (FORCE)")


def test_on_a_scratch_database_that_is_given(project: Project, server: LocalServer, scratch: str) -> None:
    """It must be empty and not the target; what a rehearsal left there is dropped only where that is allowed."""
    before = state(project, server)
    said = project.ec("rehearse", CHANGE, "--dsn", project.database.replace("127.0.0.1", "localhost"), expect=2)
    assert "--dsn leads to the target itself" in said
    assert project.document("rehearse", CHANGE, "--rows", "50", "--dsn", scratch)["ok"]
    assert "is not empty: " in project.ec("rehearse", CHANGE, "--dsn", scratch, expect=2)
    assert project.document("rehearse", CHANGE, "--rows", "50", "--dsn", scratch, "--empty-it")["ok"]
    assert before == state(project, server)


def test_a_database_with_a_ledger_is_never_emptied(project: Project, scratch: str, server: LocalServer) -> None:
    """Whatever is allowed: changes are led there."""
    project.ec("--database", scratch, "init")
    said = project.ec("rehearse", CHANGE, "--dsn", scratch, "--empty-it", expect=2)
    assert "has a ledger that no rehearsal made" in said
    with psycopg.connect(scratch) as connection:
        assert connection.execute("SELECT to_regclass('expandcontract.change') IS NOT NULL").fetchone() == (True,)


def test_without_pg_dump_the_migrations_build_the_schema(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """As far as the target has come; it is said; another open change cannot be brought to where it stands."""
    monkeypatch.setattr(dump, "find", lambda *_: None)
    monkeypatch.chdir(project.directory)
    document = rehearse(project)
    assert ("migrations", True) == (document["server"]["schema_from"], document["ok"])
    assert "there is no pg_dump for PostgreSQL 18" in document["notes"][0]
    project.ec("advance", CHANGE)
    project.ec("new", "rename-column", "users", "nick", "handle")
    with pytest.raises(RefusedError, match=f"cannot be brought to where they stand: {CHANGE} is expanded"):
        rehearse(project, "users_nick_to_handle")


def test_an_environment_that_leads_to_the_target_is_refused(project: Project, server: LocalServer) -> None:
    """An ``env.py`` with an address of its own would run the change on the target; not a statement of it is run."""
    env = project.directory / "migrations" / "env.py"
    source = env.read_text(encoding="utf-8")
    env.write_text(source.replace("    return parse(given)", f"    return parse({project.database!r})"), "utf-8")
    before = state(project, server)
    said = project.ec("rehearse", CHANGE, "--rows", "10", expect=1)
    assert "not to the rehearsal's database; nothing was run there" in said
    assert before == state(project, server)


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder that the server's own user can reach, whoever we are."""
    with tempfile.TemporaryDirectory(prefix="ec-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_running(project: Project, temporary: Path, ending: signal.Signals) -> None:
    """However it is ended: no server and no folder of its."""
    environment = {**project.environment, "TMPDIR": str(temporary)}
    heard = signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # who runs us may ignore it, and children inherit that
    command = [sys.executable, "-m", "expandcontract", "rehearse", CHANGE]
    with subprocess.Popen(command, cwd=project.directory, env=environment, stdout=subprocess.DEVNULL) as process:
        port = wait_for(lambda: _port(temporary, process))
        process.send_signal(ending)
        process.wait(WITHIN_S)
    signal.signal(signal.SIGINT, heard)
    wait_for(lambda: not any(temporary.iterdir()))
    with pytest.raises(psycopg.OperationalError, match="refused"):
        psycopg.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres")


def _port(folder: Path, process: subprocess.Popen[bytes]) -> int:
    """Where the server of a rehearsal listens, once it does."""
    assert process.poll() is None
    found = [path.read_text(encoding="utf-8").split("\n") for path in folder.glob("ec-pg-*/data/postmaster.pid")]
    ready = [lines for lines in found if len(lines) > 7 and "ready" in lines[7]]
    return int(ready[0][3]) if ready else 0


def wait_for(condition: Any) -> Any:
    """Wait until it is true, for a minute at most; gives what it gave."""
    until = time.monotonic() + WITHIN_S
    while not (found := condition()):
        assert time.monotonic() < until
        time.sleep(0.05)
    return found
