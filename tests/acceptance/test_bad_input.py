"""Bad input gets one clear line, exit 2, and nothing changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.fix_project import CHANGE, Project

if TYPE_CHECKING:
    from pathlib import Path

    from expandcontract.pg.server import LocalServer

SECRET = "hunter2-very-secret"  # noqa: S105 - it must not be printed
USAGE, FAILED = 2, 5


def _files(directory: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(directory.rglob("*.py"))}


def _refused(project: Project, *arguments: str, said: str, expect: int = USAGE) -> str:
    before = _files(project.directory)
    found = project.ec(*arguments, expect=expect)
    assert said in found
    assert "Traceback" not in found
    assert before == _files(project.directory)
    return found


def test_no_database_and_wrong_password(bare: Project, server: LocalServer) -> None:
    """The place is named, the password never is, not even one with an @ that spills into the host."""
    for url, said in (
        (f"postgresql://ann:{SECRET}@127.0.0.1:1/shop", "connection refused"),
        (f"postgresql://ann:{SECRET}@127.0.0.1:{server.port}/nowhere", "no such database or role"),
        (f"postgresql://ann:x@{SECRET}@127.0.0.1:{server.port}/shop", "cannot connect to shop"),
        (f"mysql://ann:{SECRET}@127.0.0.1/shop", "only postgresql is known"),
    ):
        found = _refused(Project(bare.directory, url), "status", said=said)
        assert SECRET not in found
        assert SECRET not in Project(bare.directory, url).ec("--debug", "status", expect=USAGE)


def test_a_database_without_the_ledger(bare: Project, server: LocalServer) -> None:
    """It is named, with what to type."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS unledgered")
        connection.execute("CREATE DATABASE unledgered")
    found = _refused(Project(bare.directory, server.dsn("unledgered")), "status", said="has no ledger")
    assert "ec init" in found


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("advance", "users_full_name_to_displayname"), f"did you mean {CHANGE}?"),
        (("status", "nothing_like_it"), "there is no change 'nothing_like_it'"),
        (("new", "rename-column", "user", "full_name", "x"), "there is no table user; did you mean users?"),
        (("new", "rename-column", "users", "fullname", "x"), "did you mean full_name?"),
        (("new", "rename-column", "users", "nick", "visits"), "has a column 'visits' already"),
        (("new", "rename-column", "users", "id", "key"), "id is in the primary key users_pkey"),
        (("switch", "red"), "red"),
        (("window", CHANGE, "--extend", "soon"), "soon"),
        (("advnce", CHANGE), "advance"),
    ],
)
def test_unknown_names(project: Project, arguments: tuple[str, ...], said: str) -> None:
    """Unknown changes, tables, columns, colors and commands are refused with the nearest that exists."""
    _refused(project, *arguments, said=said)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("full_name ||", "syntax error"),
        ("full_name || random()::text", "it is volatile"),
        ("full_nam", 'column "full_nam" does not exist'),
        ("(SELECT max(nick) FROM public.users)", "cannot use subquery"),
    ],
)
def test_mappings_that_cannot_be_used(project: Project, expression: str, said: str) -> None:
    """An expression that does not parse, is volatile or reads elsewhere closes the pair gate; nothing is expanded."""
    file = next((project.directory / "migrations" / "versions").glob("*expand.py"))
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text.replace('{"display_name": "full_name"}', f'{{"display_name": "{expression}"}}'), encoding="utf-8"
    )
    _refused(project, "advance", CHANGE, said=said)
    assert [] == project.sql("SELECT 1 FROM information_schema.columns WHERE column_name = 'display_name'")


def test_a_missing_half(project: Project) -> None:
    """A pair without its contract, or without its expand, is named."""
    versions = project.directory / "migrations" / "versions"
    contract = next(versions.glob("*contract.py"))
    text = contract.read_text(encoding="utf-8")
    contract.unlink()
    _refused(project, "advance", CHANGE, said=f"the pair of {CHANGE} has no contract half")
    contract.write_text(text.replace("depends_on = ", "depends_on = None  # "), encoding="utf-8")
    next(versions.glob("*expand.py")).unlink()
    _refused(project, "advance", CHANGE, said=f"names change '{CHANGE}', and no expand declares it")


def test_settings_that_do_not_exist(project: Project) -> None:
    """An unknown key is named with the nearest that does exist."""
    settings = project.directory / "expandcontract.toml"
    settings.write_text(
        settings.read_text(encoding="utf-8").replace("[window]\nlength", "[window]\nlenght"), encoding="utf-8"
    )
    _refused(project, "status", said="window.length")


def test_an_unreachable_proxy(project: Project) -> None:
    """A proxy that does not answer is named; nothing is begun."""
    settings = project.directory / "expandcontract.toml"
    text = settings.read_text(encoding="utf-8")
    start, end = text.index("[traffic]"), text.index("[deploy]")
    envoy = '[traffic]\nswitch = "envoy"\n[traffic.options]\nroutes = "r.json"\nadmin = "http://127.0.0.1:1"\n\n'
    settings.write_text(text[:start] + envoy + text[end:], encoding="utf-8")
    found = _refused(project, "advance", CHANGE, said="Envoy does not answer at http://127.0.0.1:1")
    assert "EC108" in found
    assert [] == project.sql("SELECT 1 FROM expandcontract.change WHERE move IS NOT NULL")
