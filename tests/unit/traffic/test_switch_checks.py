"""What ``ec switch --check`` finds out of a Kubernetes switch, and of one that can only be read. Nothing is changed."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

import pytest

from expandcontract.traffic import gateway_api, istio
from expandcontract.traffic.checks import look
from expandcontract.traffic.kubernetes_service import ServiceSwitch
from expandcontract.traffic.memory import MemorySwitch

if TYPE_CHECKING:
    from expandcontract.traffic.cluster import Cluster
    from expandcontract.traffic.switch import TrafficSwitch
    from tests.kubernetes_double import Api

PLURALS = {"service": "services", "gateway": "httproutes", "istio": "virtualservices"}


def _switch(kind: str, cluster: Cluster) -> TrafficSwitch:
    if kind == "service":
        return ServiceSwitch(cluster, "shop")
    if kind == "gateway":
        return gateway_api.route_switch(cluster, "shop", "shop-blue", "shop-green")
    return istio.route_switch(cluster, "shop", "shop-any/blue", "shop-any/green")


@pytest.mark.parametrize("kind", PLURALS)
def test_a_switch_that_is_set_up(kind: str, api: Api, cluster: Cluster) -> None:
    """Every finding is good, the last one is what the balancer reads, and no object was touched."""
    before = deepcopy(api.objects)
    found = look(_switch(kind, cluster))
    assert [] == [check for check in found if not check.ok]
    assert "may be patched" in found[0].what
    assert "the balancer gives blue 100 %, green 0 %" == found[-1].what
    assert before == api.objects
    assert ("patch", PLURALS[kind]) in api.asked


@pytest.mark.parametrize("kind", PLURALS)
def test_a_right_that_is_missing(kind: str, api: Api, cluster: Cluster) -> None:
    """The dry run is refused as the patch would be; the finding has the command that shows the right."""
    api.denied.add(("patch", PLURALS[kind]))
    (wrong,) = [check for check in look(_switch(kind, cluster)) if not check.ok]
    assert "403" in wrong.what
    assert "auth can-i patch" in wrong.fix


def test_pods_that_may_not_be_listed(api: Api, cluster: Cluster) -> None:
    """Each finding that needs them says so; the others are made all the same."""
    api.denied.add(("list", "pods"))
    wrong = [check.what for check in look(_switch("service", cluster)) if not check.ok]
    assert 2 == len(wrong)
    assert "cannot list resource" in wrong[0]


def test_one_that_can_only_be_read() -> None:
    """Where the adapter knows no more, its reading is the one finding."""
    switch = MemorySwitch()
    (found,) = look(switch)
    assert {"what": "the balancer gives blue 100 %, green 0 %", "ok": True, "fix": None} == found.document()
    switch.reachable = False
    (found,) = look(switch)
    assert ("the memory switch was told not to answer", False) == (found.what, found.ok)
    assert "set its reachable to True" == found.fix
