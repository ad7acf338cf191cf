"""The switches of Kubernetes keep the contract of all switches: weights written are weights read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from expandcontract.core.color import Weights
from expandcontract.errors import SwitchError
from expandcontract.traffic.switch import abilities, open_switch

if TYPE_CHECKING:
    from pathlib import Path

    from expandcontract.traffic.switch import TrafficSwitch
    from tests.kubernetes_double import Api

STAGES = (Weights(90, 10), Weights(50, 50), Weights(0, 100), Weights(0, 100), Weights(100, 0))
OPTIONS = {
    "kubernetes-service": {"service": "shop"},
    "gateway-api": {"route": "shop", "blue": "shop-blue", "green": "shop-green"},
    "istio": {"virtual_service": "shop", "blue": "shop-any/blue", "green": "shop-any/green"},
}


@pytest.fixture(params=OPTIONS)
def switch(request: pytest.FixtureRequest, api: Api, tmp_path: Path) -> TrafficSwitch:
    """One of them, before the double."""
    kubeconfig = str(api.kubeconfig(tmp_path / "kubeconfig"))
    return open_switch(request.param, {**OPTIONS[request.param], "kubeconfig": kubeconfig})


def test_what_was_written_is_read(switch: TrafficSwitch) -> None:
    """Each stage is read back, and a write may run twice; what knows no shares refuses them and stays as it is."""
    for weights in STAGES:
        if weights.live is None and not abilities(switch).gradual:
            before = switch.read()
            with pytest.raises(SwitchError, match="all of the traffic or none"):
                switch.write(weights)
            assert before == switch.read()
            continue
        switch.write(weights)
        assert weights == switch.read()
