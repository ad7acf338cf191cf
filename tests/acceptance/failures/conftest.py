"""Each test's own copy of a change that is expanded, behind two commands or a real balancer."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from expandcontract.core.color import Color
from tests.failing import Case
from tests.fix_postgres import clone
from tests.fix_project import CHANGE, Project
from tests.services import Service
from tests.switches.envoy import EnvoyRig
from tests.switches.haproxy import HAProxyRig

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from expandcontract.pg.server import LocalServer
    from tests.switches.rig import ProcessRig


@pytest.fixture
def colors(tmp_path: Path) -> Iterator[tuple[Service, Service]]:
    """Blue and green, both well; what is deployed on them stands in the project's folder."""
    services = (Service("blue", tmp_path), Service("green", tmp_path))
    yield services
    for service in services:
        service.close()


@pytest.fixture
def green(colors: tuple[Service, Service]) -> Service:
    """The color that is given traffic."""
    return colors[1]


@pytest.fixture(scope="module")
def expanded(server: LocalServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project with v1 live on blue and a change that is expanded; each test gets a copy of it."""
    directory = tmp_path_factory.mktemp("expanded")
    services = (Service("blue", directory), Service("green", directory))
    with clone(server, "template1") as database:
        project = Project(directory, database)
        (directory / "weights").write_text("blue=100 green=0\n", encoding="utf-8")
        Case(project, services).settings()
        project.ec("init")
        project.first()
        project.ec("deploy", "blue", "v1")
        project.ec("switch", "blue", "--steps", "100")
        project.ec("new", "rename-column", "users", "full_name", "display_name")
        project.ec("advance", CHANGE)
        yield project
    for service in services:
        service.close()


@pytest.fixture
def case(expanded: Project, server: LocalServer, tmp_path: Path, colors: tuple[Service, Service]) -> Iterator[Case]:
    """A copy of that project; the balancer is a file."""
    shutil.copytree(expanded.directory, tmp_path, dirs_exist_ok=True)
    with clone(server, expanded.database.rpartition("/")[2]) as database:
        found = Case(Project(tmp_path, database), colors)
        found.settings()
        yield found


@pytest.fixture(params=[EnvoyRig, HAProxyRig], ids=lambda rig: rig.name)
def rig(request: pytest.FixtureRequest, case: Case) -> Iterator[ProcessRig]:
    """The same before a real balancer."""
    folder = case.project.directory / "proxy"
    folder.mkdir()
    ports = {color: service.port for color, service in zip(Color, case.colors, strict=True)}
    found = request.param(folder, ports)
    try:
        found.start()
        yield found
    finally:
        found.stop()
