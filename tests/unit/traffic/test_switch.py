"""Every switch keeps the same contract: weights written are weights read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from expandcontract.core.color import Weights
from expandcontract.errors import ConfigError, SwitchError
from expandcontract.traffic.command import CommandSwitch
from expandcontract.traffic.memory import MemorySwitch
from expandcontract.traffic.switch import open_switch, stages

if TYPE_CHECKING:
    from pathlib import Path

    from expandcontract.traffic.switch import TrafficSwitch
    from tests.fix_kubernetes import Api

STAGES = (Weights(90, 10), Weights(50, 50), Weights(0, 100), Weights(0, 100), Weights(100, 0))


def _command(directory: Path) -> CommandSwitch:
    kept = directory / "weights"
    kept.write_text("blue=100 green=0\n", encoding="utf-8")
    return CommandSwitch(
        ("cat", str(kept)), ("sh", "-c", f'echo \'{{{{"blue": {{blue}}, "green": {{green}}}}}}\' > {kept}')
    )


KUBERNETES = {
    "kubernetes-service": {"service": "shop"},
    "gateway-api": {"route": "shop", "blue": "shop-blue", "green": "shop-green"},
    "istio": {"virtual_service": "shop", "blue": "shop-any/blue", "green": "shop-any/green"},
}


@pytest.fixture(params=["memory", "command", *KUBERNETES])
def switch(request: pytest.FixtureRequest, tmp_path: Path) -> TrafficSwitch:
    """One of the switches; Envoy stands behind the demo."""
    if request.param in KUBERNETES:
        api: Api = request.getfixturevalue("api")
        kubeconfig = str(api.kubeconfig(tmp_path / "kubeconfig"))
        return open_switch(request.param, {**KUBERNETES[request.param], "kubeconfig": kubeconfig})
    return MemorySwitch() if request.param == "memory" else _command(tmp_path)


def test_what_was_written_is_read(switch: TrafficSwitch) -> None:
    """Each stage is read back, and a write may run twice; what knows no shares refuses them and stays as it is."""
    for weights in STAGES:
        if weights.live is None and stages(switch, (50, 100)) == (100,):
            before = switch.read()
            with pytest.raises(SwitchError, match="all of the traffic or none"):
                switch.write(weights)
            assert before == switch.read()
            continue
        switch.write(weights)
        assert weights == switch.read()


@pytest.mark.parametrize("said", ["nothing", "blue=90", '{"blue": "x", "green": 1}', "blue=60 green=60"])
def test_a_command_that_prints_no_weights(said: str) -> None:
    """Whatever is not two weights that make a hundred is refused."""
    with pytest.raises(SwitchError, match="instead of weights"):
        CommandSwitch(("echo", said), ("true",)).read()


def test_a_command_that_fails() -> None:
    """Its last line is quoted; one that does not exist is named."""
    with pytest.raises(SwitchError, match="no such pool"):
        CommandSwitch(("true",), ("sh", "-c", "echo no such pool >&2; exit 3")).write(Weights(0, 100))
    with pytest.raises(SwitchError, match="could not be run"):
        CommandSwitch(("no-such-command-of-ours",), ("true",)).read()


def test_an_unknown_switch() -> None:
    """The nearest that exists is named, and so is a setting that is missing."""
    with pytest.raises(ConfigError, match="did you mean envoy"):
        open_switch("envoi", {})
    with pytest.raises(ConfigError, match=r"traffic\.options\.read"):
        open_switch("command", {})
