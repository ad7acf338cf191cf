"""Sessions of the old release keep the contract's gate closed; ``--fence`` locks its role out and ends them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from tests.acceptance.test_roles import granted
from tests.acceptance.test_together import wait_until
from tests.fix_pooler import pooler
from tests.fix_project import CHANGE, Inside, Project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from expandcontract.pg.server import LocalServer

pytestmark = pytest.mark.slow

USAGE, REFUSED = 2, 3
GREEN: dict[str, Any] = {"application_name": "shop@green", "connect_timeout": 5}
CAN_LOGIN = "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'app_green'"
EVENTS = "SELECT event FROM expandcontract.journal WHERE event LIKE '%fence%' ORDER BY seq"


@pytest.fixture
def empty(empty: Project) -> Inside:
    """The empty project, its ``ec`` in this process."""
    return Inside(empty.directory, empty.database)


@pytest.fixture(autouse=True)
def let_in(server: LocalServer) -> Iterator[None]:
    """The role of all tests can log in afterwards."""
    yield
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("ALTER ROLE app_green LOGIN")


def _over(project: Project) -> Project:
    """Cut over, with the window behind it: v3 live on blue, v2, which speaks dual, on green."""
    project.to("cut_over")
    project.sql("UPDATE expandcontract.change SET window_length = interval '0'")
    return project


@contextmanager
def pooled(project: Project, server: LocalServer) -> Iterator[int]:
    """A pool of the release on green, idle, that tries again and again for what it lost; gives its sessions."""
    name = project.database.rsplit("/", 1)[1]
    with ConnectionPool(server.dsn(name, user="app_green"), kwargs=GREEN, min_size=2, open=False) as pool:
        pool.open(wait=True)
        with pool.connection() as connection:
            connection.execute("SELECT 1")
        yield 2


@contextmanager
def bounced(project: Project, server: LocalServer) -> Iterator[int]:
    """Two clients of PgBouncer from the release on green, and the one session that it keeps for them."""
    with pooler(server.port) as between:
        address = between.address(project.database, "app_green")
        with psycopg.connect(address, autocommit=True, **GREEN) as one, psycopg.connect(address, **GREEN) as other:
            other.execute("SELECT 1")
            other.rollback()
            one.execute("SELECT 1")
            yield 1


@pytest.mark.parametrize("idle", [pooled, bounced])
def test_a_pooled_idle_session(
    project: Project, server: LocalServer, idle: Callable[[Project, LocalServer], AbstractContextManager[int]]
) -> None:
    """It lets the switch be done and keeps the gate closed; fenced off it ends, and may come with a deployment."""
    project.to("backfilled")
    with idle(project, server) as sessions:
        project.ec("advance", CHANGE, "--release", "v3")
        assert ("cut_over", "blue=100 green=0") == (project.phase(), project.weights())
        project.sql("UPDATE expandcontract.change SET window_length = interval '0'")
        said = project.ec("advance", CHANGE, expect=REFUSED)
        assert "EC362 sessions" in said
        assert "app_green, shop@green, from 127.0.0.1, connected for" in said
        assert f"ec advance {CHANGE} --fence" in said
        said = project.ec("advance", CHANGE, "--fence")
        assert "of app_green, shop@green, from 127.0.0.1" in said
        ended = "2 of its sessions were ended" if sessions > 1 else "1 of its sessions was ended"
        assert f"app_green can no longer log in, and {ended}; its next deployment lets it in again" in said
        assert ("contracted", [(False,)]) == (project.phase(), project.sql(CAN_LOGIN))
        assert [] == project.sql("SELECT 1 FROM pg_stat_activity WHERE usename = 'app_green'")
        with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
            psycopg.connect(server.dsn(user="app_green"))
        assert [("fence_intent",), ("fenced",)] == project.sql(EVENTS)
        assert [(sessions,)] == project.sql(
            "SELECT jsonb_array_length(detail -> 'sessions') FROM expandcontract.journal"
            " WHERE event = 'sessions_to_end'"
        )
        assert f"locked out for the contract of {CHANGE}: app_green" in project.ec("status")
        assert "app_green can log in again" in project.ec("deploy", "green", "v3")
        assert [] == project.document("status")["fences"]
        assert [(True,)] == project.sql(CAN_LOGIN)
    assert "can log in again" not in project.ec("deploy", "green", "v4")


def test_a_role_that_could_not_log_in_is_left_so(project: Project) -> None:
    """What was NOLOGIN before the fence stays so after it."""
    _over(project)
    project.sql("ALTER ROLE app_green NOLOGIN")
    project.ec("advance", CHANGE, "--fence")
    project.ec("deploy", "green", "v3")
    assert ([(False,)], [("fence_intent",), ("fenced",), ("unfenced",)]) == (
        project.sql(CAN_LOGIN),
        project.sql(EVENTS),
    )


@pytest.mark.parametrize("way", ["back", "on"])
def test_killed_behind_the_fence(project: Project, way: str) -> None:
    """Taken back, the role can log in again and the change is cut over; gone on with, the contract is made."""
    _over(project)
    with psycopg.connect(project.database) as blocker:
        blocker.execute("LOCK TABLE users IN ROW SHARE MODE")
        process = project.begin("advance", CHANGE, "--fence")
        wait_until(lambda: project.sql("SELECT 1 FROM expandcontract.journal WHERE event = 'fenced'"))
        assert [(False,)] == project.sql(CAN_LOGIN)
        process.kill()
        process.communicate()
    wait_until(project.left_alone)
    if way == "on":
        project.ec("advance", CHANGE)
        assert ("contracted", [(False,)]) == (project.phase(), project.sql(CAN_LOGIN))
        assert [("fence_intent",), ("fenced",), ("fenced",)] == project.sql(EVENTS)
        return
    assert "app_green can log in again" in project.ec("rollback", CHANGE)
    assert ("cut_over", [(True,)]) == (project.phase(), project.sql(CAN_LOGIN))
    project.ec("advance", CHANGE, "--fence")
    assert "contracted" == project.phase()


def test_without_the_rights_nothing_is_begun(owned: Project, server: LocalServer) -> None:
    """The statement of each that is missing is shown; without seeing other roles' sessions the gate is unknown."""
    owned.ec("init")
    owned.first()
    owned.ec("deploy", "blue", "v1")
    owned.ec("switch", "blue", "--steps", "100")
    owned.ec("new", "rename-column", "users", "full_name", "display_name")
    _over(owned)
    owner = f"owner_of_{owned.database.rsplit('/', 1)[1]}"
    said = owned.ec("advance", CHANGE, expect=REFUSED)
    assert "EC362 sessions" in said
    assert "may not see what sessions of app_green do, and a busy color would look drained" in said
    assert f"next: as a superuser: GRANT pg_read_all_stats TO {owner}" in said
    said = owned.ec("advance", CHANGE, "--fence", expect=REFUSED)
    for what in (f"{owner} may not alter roles", f"{owner} may not end sessions of other roles"):
        assert what in said
    assert f"next: as a superuser: ALTER ROLE {owner} CREATEROLE" in said
    granted(owned, server)
    said = owned.ec("advance", CHANGE, "--fence", expect=REFUSED)
    assert f"next: as a superuser: GRANT pg_signal_backend TO {owner}" in said
    assert [(True,)] == owned.sql(CAN_LOGIN)
    assert [] == owned.sql("SELECT 1 FROM expandcontract.change WHERE move IS NOT NULL")
    assert [] == owned.sql(EVENTS)
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(f"GRANT pg_signal_backend TO {owner}")
    with pooled(owned, server):
        owned.ec("advance", CHANGE, "--fence")
        assert ("contracted", [(False,)]) == (owned.phase(), owned.sql(CAN_LOGIN))


def test_a_role_of_both_colors_is_never_fenced(project: Project) -> None:
    """It is named, and its sessions cannot be told apart, so the gate is unknown until both colors are new."""
    settings = project.directory / "expandcontract.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("app_green", "app_blue"), encoding="utf-8")
    _over(project)
    for flags in ((), ("--fence",)):
        said = project.ec("advance", CHANGE, *flags, expect=REFUSED)
        assert "app_blue is the login role of both colors, so the sessions of v2 on green cannot be told" in said
    assert [(True,)] == project.sql("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'app_blue'")
    project.ec("deploy", "green", "v3")
    project.ec("advance", CHANGE)
    assert "contracted" == project.phase()


def test_a_role_at_work_elsewhere_is_not_fenced(project: Project, server: LocalServer) -> None:
    """Locked out here it would be locked out of the other database too, which is named."""
    _over(project)
    with psycopg.connect(server.dsn("postgres", user="app_green")):
        said = project.ec("advance", CHANGE, "--fence", expect=REFUSED)
    assert "app_green is at work in the database postgres too, and would be locked out there" in said
    assert ("cut_over", [(True,)]) == (project.phase(), project.sql(CAN_LOGIN))


def test_a_fence_goes_with_the_contract(project: Project) -> None:
    """At any other move the flag is wrong usage, and nothing is done."""
    said = project.ec("advance", CHANGE, "--fence", expect=USAGE)
    assert f"--fence goes with contract: {CHANGE} wants expand" in said
    assert "planned" == project.document("status")["changes"][0]["phase"]  # type: ignore[index]
