"""Every switch keeps the same contract, each before a real balancer.

A new adapter is one file in tests/switches and one line in ``RIGS``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from expandcontract.core.color import Color, Weights
from expandcontract.errors import SwitchError, UnsavedError, UsageError
from expandcontract.traffic.switch import abilities, standing
from tests.switches.aws_alb import AlbRig
from tests.switches.cluster import ClusterRig
from tests.switches.command import CommandRig
from tests.switches.envoy import EnvoyRig
from tests.switches.gateway_api import GatewayRig
from tests.switches.haproxy import HAProxyRig
from tests.switches.istio import IstioRig
from tests.switches.kubernetes_service import OverlapRig, ServiceRig
from tests.switches.memory import MemoryRig
from tests.switches.nginx import NginxRig
from tests.switches.rig import BLUE, GREEN, ProcessRig

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fix_project import Answer
    from tests.switches.rig import Rig

RIGS = {
    "memory": MemoryRig,
    "command": CommandRig,
    "envoy": EnvoyRig,
    "haproxy": HAProxyRig,
    "nginx": NginxRig,
    "kubernetes-service": ServiceRig,
    "kubernetes-service with overlap": OverlapRig,
    "gateway-api": GatewayRig,
    "istio": IstioRig,
    "aws-alb": AlbRig,
}
ALL_RIGS = [
    pytest.param(name, marks=[pytest.mark.cluster] if issubclass(rig, ClusterRig) else []) for name, rig in RIGS.items()
]
ROUTERS = [name for name, rig in RIGS.items() if issubclass(rig, ProcessRig)]
"""Those that requests go through, and that read a file when they start."""
ALL = (Weights(0, 100), Weights(0, 100), Weights(100, 0))
STAGES = (Weights(90, 10), Weights(50, 50), Weights(1, 99), *ALL)


@pytest.fixture(params=ALL_RIGS)
def rig(
    request: pytest.FixtureRequest, tmp_path: Path, colors: tuple[Answer, Answer], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Rig]:
    """A balancer that gives blue everything; green can be told by its status."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    colors[1].status(GREEN)
    ports = {color: int(answer.server.server_address[1]) for color, answer in zip(Color, colors, strict=True)}
    found = RIGS[request.param](tmp_path, ports)
    try:
        found.start()
        yield found
    finally:
        found.stop()


def test_what_was_written_is_read(rig: Rig) -> None:
    """Each stage is read back, by the writer and by another, and a write may run twice."""
    assert Weights(100, 0) == rig.switch().read()
    switch = rig.switch()
    for weights in STAGES if abilities(switch).gradual else ALL:
        switch.write(weights)
        assert weights == switch.read() == rig.switch().read()


@pytest.mark.parametrize(("blue", "green"), [(0, 0), (30, 30), (100, 100), (101, -1), (99.5, 0.5)])
def test_weights_add_up_to_a_hundred(rig: Rig, blue: int, green: int) -> None:
    """What would be an outage cannot be asked for, and the traffic stays where it was."""
    with pytest.raises(UsageError, match="add up to 100"):
        rig.switch().write(Weights(blue, green))
    assert Weights(100, 0) == rig.switch().read()


def test_one_that_does_not_answer(rig: Rig) -> None:
    """Reading and writing say what to do, and the write that could not be made is not made later either."""
    switch = rig.switch()
    rig.stop()
    for ask in (switch.read, lambda: switch.write(Weights(0, 100))):
        with pytest.raises(SwitchError) as refused:
            ask()
        assert refused.value.hint
    rig.start()
    assert Weights(100, 0) == switch.read()


def test_a_write_of_somebody_else(rig: Rig) -> None:
    """The balancer is asked each time: what another wrote since is what is read."""
    switch = rig.switch()
    switch.write(Weights(0, 100))
    assert Weights(0, 100) == switch.read()
    rig.switch().write(Weights(100, 0))
    assert Weights(100, 0) == switch.read()


def test_a_restart_remembers(rig: Rig) -> None:
    """After a restart the weights are as last written."""
    rig.switch().write(Weights(0, 100))
    rig.stop()
    rig.start()
    assert Weights(0, 100) == rig.switch().read()
    if isinstance(rig, ProcessRig):
        assert {GREEN} == rig.answers().keys()


@pytest.mark.parametrize("rig", [one for one in ALL_RIGS if one.values[0] not in ROUTERS], indirect=True)
def test_what_is_edited_is_in_force(rig: Rig) -> None:
    """Where nothing lies between the kept weights and those in force, a change by hand is read at once."""
    by_hand = Weights(30, 70) if abilities(rig.switch()).gradual else Weights(0, 100)
    rig.edit(by_hand)
    assert by_hand == rig.switch().read()


@pytest.mark.parametrize("rig", ROUTERS, indirect=True)
def test_a_file_that_is_not_in_force(rig: ProcessRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights that a restart would change are found when they are read, and the next write settles it."""
    monkeypatch.setattr("expandcontract.traffic.kept.SETTLED_WITHIN", 0.2)
    rig.edit(Weights(0, 100))
    with pytest.raises(UnsavedError, match=r"routes by blue 100 %.*says blue 0 %, green 100 %.*restart") as found:
        rig.switch().read()
    assert Weights(100, 0) == Weights(**found.value.running) == standing(rig.switch())
    assert found.value.hint is not None
    assert "ec switch blue" in found.value.hint
    assert {BLUE} == rig.answers().keys()
    rig.switch().write(Weights(100, 0))
    assert Weights(100, 0) == rig.switch().read()


@pytest.mark.parametrize("rig", ROUTERS, indirect=True)
def test_requests_go_where_the_weights_say(rig: ProcessRig) -> None:
    """Once ``write`` is back every new request is shared by the weights that ``read`` gives."""
    assert {BLUE} == rig.answers().keys()
    for weights, wanted in (
        (Weights(50, 50), {BLUE, GREEN}),
        (Weights(0, 100), {GREEN}),
        (Weights(50, 50), {BLUE, GREEN}),
        (Weights(100, 0), {BLUE}),
    ):
        rig.switch().write(weights)
        assert wanted == rig.answers().keys()
