"""``ec`` before real proxies whose file and whose weights in force differ: found, named, and put in step."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from expandcontract.core.color import Color, Weights
from expandcontract.errors import UnsavedError
from expandcontract.traffic.switch import standing
from tests.acceptance.test_together import wait_until
from tests.fix_project import CHANGE, Project
from tests.switches.envoy import EnvoyRig
from tests.switches.haproxy import HAProxyRig
from tests.switches.nginx import NginxRig
from tests.switches.rig import BLUE, ProcessRig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fix_project import Answer

pytestmark = pytest.mark.slow

RIGS = {"envoy": EnvoyRig, "haproxy": HAProxyRig, "nginx": NginxRig}


@pytest.fixture(params=RIGS)
def rig(request: pytest.FixtureRequest, project: Project, colors: tuple[Answer, Answer]) -> Iterator[ProcessRig]:
    """The project's balancer, with all the traffic on blue."""
    folder = project.directory / "proxy"
    folder.mkdir()
    ports = {color: int(answer.server.server_address[1]) for color, answer in zip(Color, colors, strict=True)}
    found = RIGS[request.param](folder, ports)
    _use(project, found, "0s")
    try:
        found.start()
        yield found
    finally:
        found.stop()


def _use(project: Project, rig: ProcessRig, soak: str) -> None:
    settings = project.directory / "expandcontract.toml"
    text = settings.read_text(encoding="utf-8")
    start, end = text.index("[traffic]"), text.index("[deploy]")
    options = "\n".join(f"{name} = {json.dumps(value)}" for name, value in rig.options().items())
    ours = f'[traffic]\nswitch = "{rig.name}"\nsoak = "{soak}"\nsteps = [10, 100]\n\n[traffic.options]\n{options}\n\n'
    settings.write_text(text[:start] + ours + text[end:], encoding="utf-8")


def test_a_file_changed_by_hand(project: Project, rig: ProcessRig) -> None:
    """Every look reports it, no move begins, nothing is deployed where a restart would lead; ``ec switch`` mends it."""
    rig.edit(Weights(0, 100))
    traffic = project.document("status")["traffic"]
    assert isinstance(traffic, dict)
    assert {"blue": 100, "green": 0} == traffic["weights"]
    assert "a restart would change the traffic" in traffic["error"]
    said = project.ec("advance", CHANGE, expect=3)
    assert "traffic-drift" in said
    assert "ec switch blue" in said
    assert "a restart would change the traffic" in project.ec("deploy", "green", "v2", expect=3)
    said = project.ec("switch", "blue", "--steps", "100")
    assert (rig.name == "nginx") == ("cuts idle keep-alive connections" in said)
    assert Weights(100, 0) == rig.switch().read()
    project.ec("advance", CHANGE)
    assert "expanded" == project.phase()


@pytest.mark.parametrize("way", ["advance", "rollback"])
def test_killed_between_file_and_balancer(project: Project, rig: ProcessRig, way: str) -> None:
    """A shift that ends between its two writes is gone on with or taken back, also after a restart of the proxy."""
    project.ec("advance", CHANGE)
    _use(project, rig, "2s")
    process = project.begin("advance", CHANGE, "--release", "v2")
    try:
        wait_until(lambda: _standing(rig) == Weights(90, 10))
    finally:
        process.kill()
        process.communicate()
    rig.edit(Weights(70, 30))  # what the next stage leaves when it is killed after its first write
    with pytest.raises(UnsavedError):
        rig.switch().read()
    if way == "advance":
        rig.stop()
        rig.start()
        assert Weights(70, 30) == rig.switch().read()
    _use(project, rig, "0s")
    wait_until(project.left_alone)
    project.ec(way, CHANGE, *(("--release", "v2") if way == "advance" else ()))
    assert ("dual_writing" if way == "advance" else "expanded") == project.phase()
    assert (Weights(0, 100) if way == "advance" else Weights(100, 0)) == rig.switch().read()
    assert {BLUE} == rig.answers(5).keys()  # both answer alike here: somebody does


def _standing(rig: ProcessRig) -> Weights:
    return standing(rig.switch())
