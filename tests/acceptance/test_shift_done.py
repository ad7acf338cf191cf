"""A shift ends once the color that lost the traffic is at nothing; until then it says who is at work there."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.acceptance.test_roles import begun, granted
from tests.acceptance.test_together import wait_until
from tests.fix_project import CHANGE, Project

if TYPE_CHECKING:
    import subprocess

    from expandcontract.pg.server import LocalServer

pytestmark = pytest.mark.slow

TAKEN_BACK = 5
DUAL = ("advance", CHANGE, "--release", "v2", "--steps", "100")


def of_blue(project: Project, server: LocalServer, **more: object) -> psycopg.Connection:
    """A session of the release on blue."""
    name = project.database.rsplit("/", 1)[1]
    dsn = server.dsn(name, user="app_blue")
    return psycopg.connect(dsn, autocommit=True, application_name="shop@blue", **more)  # type: ignore[arg-type]


def until(process: subprocess.Popen[str], words: str) -> str:
    """The first line with these words."""
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        if words in line:
            return line
    raise AssertionError("".join(seen))


def test_who_goes_on_is_named(project: Project, server: LocalServer) -> None:
    """A worker of the old release keeps the shift from its end; once it only idles the move ends by itself."""
    project.ec("advance", CHANGE)
    with of_blue(project, server) as worker:
        worker.execute("BEGIN")
        worker.execute("SELECT 1")
        process = project.begin(*DUAL)
        wait_until(lambda: project.weights() == "blue=0 green=100" or process.poll() is not None)
        wait_until(lambda: project.sql("SELECT 1 FROM expandcontract.traffic WHERE green = 100"))
        worker.execute("COMMIT")
        worker.execute("BEGIN")
        worker.execute("SELECT 2")
        line = until(process, "blue is still at work")
        backend = f"backend {worker.info.backend_pid} from 127.0.0.1/32 (shop@blue)"
        assert f"app_blue goes on beginning transactions: {backend}; ec switch abort takes the traffic back" in line
        assert "expanded" == project.phase()
        worker.execute("COMMIT")
        said, _ = process.communicate(timeout=120)
        assert 0 == process.returncode, said
    assert "dual_writing" == project.phase()


def test_it_can_be_aborted_then(project: Project, server: LocalServer) -> None:
    """Who does not want to wait for a worker that never stops takes the traffic back."""
    project.ec("advance", CHANGE)
    stopped = threading.Event()

    def work() -> None:
        with of_blue(project, server) as worker:
            while not stopped.wait(0.05):
                worker.execute("SELECT 1")

    thread = threading.Thread(target=work)
    thread.start()
    try:
        process = project.begin(*DUAL)
        assert "app_blue goes on beginning transactions" in until(process, "blue is still at work")
        project.ec("switch", "abort")
        said, _ = process.communicate(timeout=120)
        assert TAKEN_BACK == process.returncode, said
    finally:
        stopped.set()
        thread.join()
    assert "blue=100 green=0" == project.weights()
    assert "expanded" == project.phase()


def test_what_is_hidden_is_not_nothing(owned: Project, server: LocalServer) -> None:
    """Without the grant a busy color would look drained: it is asked for by name, and the same command goes on."""
    granted(owned, server)
    begun(owned)
    owner = f"owner_of_{owned.database.rsplit('/', 1)[1]}"
    with psycopg.connect(server.dsn(), autocommit=True) as superuser:
        superuser.execute(f"REVOKE pg_read_all_stats FROM {owner}")
        with of_blue(owned, server) as worker:
            worker.execute("SELECT 1")
            process = owned.begin(*DUAL)
            line = until(process, "blue is still at work")
            grant = f"GRANT pg_read_all_stats TO {owner}"
            assert f"the transactions of 1 sessions of app_blue are hidden; as a superuser: {grant}" in line
            superuser.execute(grant)
            said, _ = process.communicate(timeout=120)
            assert 0 == process.returncode, said
    assert "dual_writing" == owned.phase()
