"""HTTPRoute and VirtualService: both weights by one patch, and nothing else of the object is lost."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from expandcontract.core.color import Weights
from expandcontract.errors import SwitchError
from expandcontract.traffic import gateway_api, istio
from expandcontract.traffic.switch import open_switch
from expandcontract.traffic.weighted_routes import leave

if TYPE_CHECKING:
    from pathlib import Path

    from expandcontract.traffic.cluster import Cluster
    from expandcontract.traffic.weighted_routes import RouteSwitch
    from tests.kubernetes_double import Api

PLURALS = {"gateway-api": "httproutes", "istio": "virtualservices"}


@pytest.fixture(params=["gateway-api", "istio"])
def form(request: pytest.FixtureRequest) -> str:
    """Which of the two."""
    return str(request.param)


def _switch(form: str, cluster: Cluster, **more: Any) -> RouteSwitch:
    if form == "gateway-api":
        return gateway_api.route_switch(cluster, "shop", "shop-blue", "shop-green", within=0.3, **more)
    return istio.route_switch(cluster, "shop", "shop-any/blue", "shop-any/green", **more)


def _lists(form: str, spec: dict[str, Any]) -> list[list[dict[str, Any]]]:
    rules = spec["rules" if form == "gateway-api" else "http"]
    return [rule["backendRefs" if form == "gateway-api" else "route"] for rule in rules]


def test_only_weights_change(form: str, api: Api, cluster: Cluster) -> None:
    """Filters, timeouts, matches, ports and headers stay; every rule is changed, by one JSON patch."""
    before = api.get(PLURALS[form], "shop")["spec"]
    _switch(form, cluster).write(Weights(75, 25))
    after = api.get(PLURALS[form], "shop")["spec"]
    for backends in _lists(form, after):
        assert [75, 25] == [backend["weight"] for backend in backends]
    for spec in (before, after):
        for backends in _lists(form, spec):
            for backend in backends:
                backend.pop("weight", None)
    assert before == after
    assert ["application/json-patch+json"] == [kind for kind, _ in api.patched]


def test_the_same_again_writes_nothing(form: str, api: Api, cluster: Cluster) -> None:
    """A write may run twice."""
    for _ in range(2):
        _switch(form, cluster).write(Weights(10, 90))
    assert 1 == len(api.patched)


def _moved(form: str, api: Api, change: str) -> dict[str, Any]:
    spec = api.get(PLURALS[form], "shop")["spec"]
    (first, *_) = _lists(form, spec)
    if change == "weight":
        first[0]["weight"], first[1]["weight"] = 40, 60
    else:
        first.insert(0, {**deepcopy(first[0]), "name": "third", "destination": {"host": "third"}})
    return spec


@pytest.mark.parametrize("change", ["weight", "third backend"])
def test_somebody_else_moves_it(form: str, change: str, api: Api, cluster: Cluster) -> None:
    """A change between our reading and our patch is never overwritten, nor hits the wrong backend."""
    moved = _moved(form, api, change)
    api.before_patch = lambda: api.put(PLURALS[form], "shop", moved)
    with pytest.raises(SwitchError, match=r"someone else moved .* between reading and writing"):
        _switch(form, cluster).write(Weights(50, 50))
    assert moved == api.get(PLURALS[form], "shop")["spec"]


def test_a_third_backend_is_named(form: str, api: Api, cluster: Cluster) -> None:
    """Neither read nor written: the shares of two would not be the traffic's."""
    api.put(PLURALS[form], "shop", _moved(form, api, "third backend"))
    for act in (_switch(form, cluster).read, lambda: _switch(form, cluster).write(Weights(50, 50))):
        with pytest.raises(SwitchError, match=r"0 of .* shop leads to third besides blue and green"):
            act()
    assert [] == api.patched


def test_a_rule_that_leads_to_one_color(form: str, api: Api, cluster: Cluster) -> None:
    """It would be left behind, so it is refused, unless it is named as one to leave alone."""
    spec = api.get(PLURALS[form], "shop")["spec"]
    rules = spec["rules" if form == "gateway-api" else "http"]
    rules.append({**deepcopy(rules[0]), "name": "preview"})
    del _lists(form, spec)[-1][0]
    api.put(PLURALS[form], "shop", spec)
    with pytest.raises(SwitchError, match=r"where each of .* is needed once") as refused:
        _switch(form, cluster).write(Weights(0, 100))
    assert refused.value.hint is not None
    assert "traffic.options.leave" in refused.value.hint
    switch = _switch(form, cluster, left=("preview",))
    switch.write(Weights(0, 100))
    assert Weights(0, 100) == switch.read()
    assert rules[-1] == api.get(PLURALS[form], "shop")["spec"]["rules" if form == "gateway-api" else "http"][-1]


def test_rules_that_differ(api: Api, cluster: Cluster) -> None:
    """Two rules with different shares are shown, not averaged."""
    api.put("httproutes", "shop", _moved("gateway-api", api, "weight"))
    with pytest.raises(SwitchError, match="differ: rule 0: blue 40 %, green 60 %; rule 1: blue 100 %, green 0 %"):
        _switch("gateway-api", cluster).read()


@pytest.mark.parametrize(
    ("blue", "green", "said"), [(0, 0, "nobody gets traffic"), (1, 2, "no whole per cent"), (3, 1, "blue 75 %")]
)
def test_weights_are_shares(blue: int, green: int, said: str, api: Api, cluster: Cluster) -> None:
    """What counts is the share of the sum; 0 to 0, which the API server takes, is an outage."""
    spec = api.get("virtualservices", "shop")["spec"]
    (backends,) = _lists("istio", spec)
    backends[0]["weight"], backends[1]["weight"] = blue, green
    api.put("virtualservices", "shop", spec)
    try:
        found = str(_switch("istio", cluster).read())
    except SwitchError as exc:
        found = exc.message
    assert said in found


def test_a_weight_left_out(api: Api, cluster: Cluster) -> None:
    """It is 1 in an HTTPRoute, so that two without one share the traffic."""
    spec = api.get("httproutes", "shop")["spec"]
    for backends in _lists("gateway-api", spec):
        for backend in backends:
            del backend["weight"]
    api.put("httproutes", "shop", spec)
    switch = _switch("gateway-api", cluster)
    assert Weights(50, 50) == switch.read()
    switch.write(Weights(90, 10))
    assert Weights(90, 10) == switch.read()


def test_no_rule_of_ours(form: str, api: Api, cluster: Cluster) -> None:
    """An object that leads elsewhere is not ours, and says what was looked for."""
    api.put(PLURALS[form], "shop", {})
    with pytest.raises(SwitchError, match=r"no rule of .* leads to shop-"):
        _switch(form, cluster).read()


def test_a_color_without_ready_endpoints(form: str, api: Api, cluster: Cluster) -> None:
    """It gets no traffic; what has it may keep or lose it."""
    for name in ("shop-green-1", "shop-green-2"):
        api.pod(name, {"app": "shop", "version": "green"}, ready=False)
    with pytest.raises(SwitchError, match=r"green cannot take traffic: .* has no ready"):
        _switch(form, cluster).write(Weights(90, 10))
    assert [] == api.patched
    _switch(form, cluster).write(Weights(100, 0))


def test_a_subset_that_does_not_exist(api: Api, cluster: Cluster) -> None:
    """Istio would answer 503; the DestinationRule is looked at first."""
    api.put("destinationrules", "shop", {"host": "shop-any", "subsets": [{"name": "blue", "labels": {}}]})
    with pytest.raises(SwitchError, match="no DestinationRule has the subset green of shop-any"):
        _switch("istio", cluster).write(Weights(90, 10))


def test_destinations_by_host(api: Api, cluster: Cluster) -> None:
    """Without subsets each color has a Service; TCP routes are moved as well."""
    routes = [{"destination": {"host": f"shop-{color}.prod.svc.cluster.local"}} for color in ("blue", "green")]
    api.put("virtualservices", "shop", {"tcp": [{"route": [{**routes[0], "weight": 100}, routes[1]]}]})
    hosts = [route["destination"]["host"] for route in routes]
    switch = istio.route_switch(cluster, "shop", *hosts)
    switch.write(Weights(0, 100))
    assert Weights(0, 100) == switch.read()
    for name in ("shop-blue-1", "shop-blue-2"):
        del api.objects["pods"][name]
    with pytest.raises(SwitchError, match="blue cannot take traffic: Service shop-blue has no ready endpoint"):
        switch.write(Weights(100, 0))


def test_an_api_server_that_accepts_and_does_nothing(form: str, api: Api, cluster: Cluster) -> None:
    """The weights are read back, so it does not pass."""
    api.ignores_patches = True
    with pytest.raises(SwitchError, match="was given blue 0 %, green 100 % and reads blue 100 %, green 0 %"):
        _switch(form, cluster).write(Weights(0, 100))


def _gateway(api: Api, status: str, seen: int, kind: str = "Accepted") -> None:
    condition = {"type": kind, "status": status, "observedGeneration": seen, "reason": "Why", "message": "so"}
    found = api.objects["httproutes"]["shop"]
    found["status"] = {"parents": [{"parentRef": {"name": "edge"}, "conditions": [condition]}]}


def test_a_gateway_that_does_not_look(api: Api, cluster: Cluster) -> None:
    """A gateway that has seen an older state only is waited for, so long and no longer."""
    _gateway(api, "True", seen=1)
    with pytest.raises(SwitchError, match=r"after 0.3 s gateway edge has not yet looked at HTTPRoute shop"):
        _switch("gateway-api", cluster).write(Weights(50, 50))


@pytest.mark.parametrize("kind", ["Accepted", "ResolvedRefs"])
def test_a_gateway_that_refuses(kind: str, api: Api, cluster: Cluster) -> None:
    """Its reason is quoted."""
    _gateway(api, "False", seen=2, kind=kind)
    with pytest.raises(SwitchError, match=rf"gateway edge does not take HTTPRoute shop: {kind} is false, Why: so"):
        _switch("gateway-api", cluster).write(Weights(50, 50))


def test_a_gateway_that_takes_it(api: Api, cluster: Cluster) -> None:
    """Once it has looked at this state, the write is done."""
    _gateway(api, "True", seen=2)
    switch = _switch("gateway-api", cluster)
    switch.write(Weights(50, 50))
    assert Weights(50, 50) == switch.read()


def test_from_settings(form: str, api: Api, tmp_path: Path) -> None:
    """The settings' names lead to the same switch."""
    kubeconfig = {"kubeconfig": str(api.kubeconfig(tmp_path / "kubeconfig")), "leave": "preview, other"}
    own = {
        "gateway-api": {"route": "shop", "blue": "shop-blue", "green": "shop-green"},
        "istio": {"virtual_service": "shop", "blue": "shop-any/blue", "green": "shop-any/green"},
    }
    assert Weights(100, 0) == open_switch(form, {**kubeconfig, **own[form]}).read()
    assert ("preview", "other") == leave(kubeconfig)
    assert ("preview",) == leave({"leave": ["preview"]})
