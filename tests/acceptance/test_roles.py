"""An owner who is no superuser: which grants are missing, and what a color's login role is told to speak."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psycopg

from tests.fix_project import CHANGE, Project

if TYPE_CHECKING:
    from expandcontract.pg.server import LocalServer

USAGE = 2


def _owner(project: Project) -> str:
    return f"owner_of_{project.database.rsplit('/', 1)[1]}"


def _grants(said: str) -> list[str]:
    return re.findall(r"as a superuser: (.*)", said)


def begun(project: Project) -> None:
    """Bring a change to expanded, with v1 live on blue."""
    project.first()
    project.ec("deploy", "blue", "v1")
    project.ec("switch", "blue", "--steps", "100")
    project.ec("new", "rename-column", "users", "full_name", "display_name")
    project.ec("advance", CHANGE)


def granted(project: Project, server: LocalServer) -> None:
    """Grant what ``ec init`` says is missing."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        for grant in _grants(project.ec("init")):
            connection.execute(grant)


def _spoken(project: Project, server: LocalServer, role: str) -> str | None:
    name = project.database.rsplit("/", 1)[1]
    with psycopg.connect(server.dsn(name, user=role)) as connection:
        return _of(connection)


def _of(connection: psycopg.Connection) -> str | None:
    row = connection.execute("SELECT current_setting('expandcontract.speaks', true)").fetchone()
    return row[0] if row else None


def test_init_prints_the_grants_that_are_missing(owned: Project, server: LocalServer) -> None:
    """Exactly those, each as typed; once they are given, none."""
    owner = _owner(owned)
    expected = [
        f"ALTER ROLE {owner} CREATEROLE",
        f"GRANT pg_read_all_stats TO {owner}",
        f"GRANT SET ON PARAMETER expandcontract.speaks TO {owner}",
        f"GRANT app_blue TO {owner} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE",
        f"GRANT app_green TO {owner} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE",
    ]
    assert expected == _grants(owned.ec("init"))
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(expected[2])
        connection.execute(expected[3])
    assert [expected[0], expected[1], expected[4]] == _grants(owned.ec("init"))
    granted(owned, server)
    assert [] == _grants(owned.ec("init"))
    settings = owned.directory / "expandcontract.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("app_green", "App Green"), encoding="utf-8")
    assert ['CREATE ROLE "App Green" LOGIN'] == _grants(owned.ec("init"))


def test_no_right_to_create_the_ledger_or_to_read_it(owned: Project, server: LocalServer) -> None:
    """One line with the grant, exit 2; another role's ledger is named as such by every command."""
    name = owned.database.rsplit("/", 1)[1]
    other = Project(owned.directory, server.dsn(name, user="app_blue"))
    said = other.ec("init", expect=USAGE)
    assert f"GRANT CREATE ON DATABASE {name} TO app_blue" in said
    owned.ec("init")
    assert f"GRANT {_owner(owned)} TO app_blue" in other.ec("init", expect=USAGE)
    assert "belongs to another role, and app_blue may not read it" in other.ec("status", expect=USAGE)


def test_without_the_grants_the_move_goes_on(owned: Project, server: LocalServer) -> None:
    """The note says that the role was not told, and what decides then; told later, without another deployment."""
    owned.ec("init")
    begun(owned)
    said = owned.ec("advance", CHANGE, "--release", "v2")
    assert "role app_green was not told what v2 speaks (permission denied" in said
    assert "what changed decides alone" in said
    assert ("dual_writing", "blue=0 green=100") == (owned.phase(), owned.weights())
    assert None is _spoken(owned, server, "app_green")
    granted(owned, server)
    assert "was not told" not in owned.ec("deploy", "green", "v2")
    assert f"{CHANGE}=dual" == _spoken(owned, server, "app_green")
    assert [(1,)] == owned.sql(
        "SELECT count(*) FROM expandcontract.journal WHERE event = 'deployed' AND detail ->> 'version' = 'v2'"
    )


def test_a_role_says_what_its_release_speaks(owned: Project, server: LocalServer) -> None:
    """New sessions have it, open ones keep what they had, and a roll-back that deploys the old release puts it back."""
    owned.ec("init")
    granted(owned, server)
    begun(owned)
    name = owned.database.rsplit("/", 1)[1]
    with psycopg.connect(server.dsn(name, user="app_green"), autocommit=True) as open_before:
        owned.ec("advance", CHANGE, "--release", "v2")
        assert (None, f"{CHANGE}=dual") == (_of(open_before), _spoken(owned, server, "app_green"))
        open_before.execute("DISCARD ALL")
        assert None is _of(open_before)
    owned.ec("advance", CHANGE)
    assert "" == _spoken(owned, server, "app_blue")
    with psycopg.connect(server.dsn(name, user="app_blue"), autocommit=True) as old_pod:
        owned.ec("advance", CHANGE, "--release", "v3")
        assert ("", f"{CHANGE}=new") == (_of(old_pod), _spoken(owned, server, "app_blue"))
        owned.ec("rollback", CHANGE)
        assert f"{CHANGE}=dual" == _spoken(owned, server, "app_green")
        owned.ec("rollback", CHANGE)
        owned.ec("rollback", CHANGE)
        assert ("expanded", "blue=100 green=0") == (owned.phase(), owned.weights())
        assert "" == _spoken(owned, server, "app_blue")
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        elsewhere = connection.execute(
            "SELECT count(*) FROM pg_db_role_setting AS s JOIN pg_roles AS r ON r.oid = s.setrole"
            " WHERE r.rolname IN ('app_blue', 'app_green') AND s.setdatabase = 0"
        ).fetchone()
    assert (0,) == elsewhere
