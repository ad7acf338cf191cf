"""The readiness of a release as the guide tells it: its very code blocks, asked in each phase of a change."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from starlette.testclient import TestClient

from expandcontract.core.phase import ORDER
from tests.fix_project import CHANGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "readiness.md"
BLOCK = re.compile(r"^( *)```python\n *# (\S+)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)


@pytest.fixture
def shop(ledger_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The guide's files on the path, and the address that the application gets: its own role's."""
    for indent, name, source in BLOCK.findall(GUIDE.read_text(encoding="utf-8")):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(re.sub(rf"^{indent}", "", source, flags=re.MULTILINE), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("DATABASE", ledger_database.replace("postgres@", "app_green@"))
    monkeypatch.setenv("COLOR", "green")
    monkeypatch.setenv("VERSION", "v3")
    yield ledger_database
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
        del sys.modules[name]


@pytest.fixture(params=["starlette", "flask"])
def ask(request: pytest.FixtureRequest, shop: str) -> Iterator[Callable[[str], tuple[int, dict[str, Any]]]]:
    """GET of a path."""
    if request.param == "flask":
        wsgi = import_module("shop.wsgi")

        client = wsgi.app.test_client()

        def flask(path: str) -> tuple[int, dict[str, Any]]:
            answer = client.get(path)
            return answer.status_code, answer.json

        yield flask
        wsgi.pool.close()
        return
    asgi = import_module("shop.asgi")

    with TestClient(asgi.app) as opened:

        def starlette(path: str) -> tuple[int, dict[str, Any]]:
            answer = opened.get(path)
            return answer.status_code, answer.json()

        yield starlette


def test_ready_in_a_range_of_phases(shop: str, ask: Callable[[str], tuple[int, dict[str, Any]]]) -> None:
    """The release that speaks ``new`` is ready from backfilled on, proves who it is, and says what does not fit."""
    who = {"color": "green", "version": "v3"}
    assert (200, who) == ask("/health")
    assert (503, {**who, "ready": False, "unfit": {CHANGE: "planned"}}) == ask("/ready")
    with psycopg.connect(shop, autocommit=True) as owner:
        owner.execute("INSERT INTO expandcontract.change (name) VALUES (%s)", (CHANGE,))
        for phase in ORDER:
            owner.execute("UPDATE expandcontract.change SET phase = %s", (phase,))
            fits = phase in {"backfilled", "cut_over", "contracted"}
            unfit = {} if fits else {CHANGE: str(phase)}
            assert (200 if fits else 503, {**who, "ready": fits, "unfit": unfit}) == ask("/ready")


def test_not_ready_without_the_ledger(shop: str, ask: Callable[[str], tuple[int, dict[str, Any]]]) -> None:
    """What goes wrong on the way is an answer, too."""
    with psycopg.connect(shop, autocommit=True) as owner:
        owner.execute("DROP SCHEMA expandcontract CASCADE")
    status, said = ask("/ready")
    assert (503, False, "InvalidSchemaName") == (status, said["ready"], said["why"])
