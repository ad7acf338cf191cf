"""The page of Kubernetes names the rights and the settings that are really needed."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from expandcontract.core.color import Color, Weights
from expandcontract.traffic.deploy import open_deployer
from expandcontract.traffic.switch import open_switch
from tests.fix_kubernetes import at_once
from tests.kubernetes_double import Api
from tests.kubernetes_page import rules, section, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SWITCHES = ("kubernetes-service", "gateway-api", "istio")


@contextmanager
def _allowed(api: Api, text: str) -> Iterator[None]:
    """Within, the user may do what the section says; on the double all of it is found to be needed."""
    api.allow(rules(text))
    yield
    if isinstance(api, Api):
        assert api.allowed == api.asked


@pytest.mark.cluster
@pytest.mark.parametrize("name", SWITCHES)
def test_the_rights_and_settings_of_a_switch(name: str, api: Api, tmp_path: Path) -> None:
    """The page's own settings make a switch that goes there and back with the page's rights, and needs all of them."""
    text = section(f"Switch `{name}`")
    traffic = settings(text)["traffic"]
    assert name == traffic["switch"]
    options = traffic["options"]
    assert isinstance(options, dict)
    if name == "istio":  # one Service over both colors
        routes = {"hosts": ["shop"], "http": [{"route": _destinations()}]}
        api.put("virtualservices", "shop", routes)
        api.put("services", "shop", {"selector": {"app": "shop"}})
        api.put("destinationrules", "shop", {"host": "shop", "subsets": _subsets()})
    switch = open_switch(name, {**options, "kubeconfig": str(api.kubeconfig(tmp_path / "kubeconfig"))})
    with _allowed(api, text):
        for weights in (Weights(0, 100), Weights(100, 0)):
            switch.write(weights)
            assert weights == switch.read()


def _destinations() -> list[dict[str, object]]:
    return [
        {"destination": {"host": "shop", "subset": color}, "weight": weight}
        for color, weight in (("blue", 100), ("green", 0))
    ]


def _subsets() -> list[dict[str, object]]:
    return [{"name": color, "labels": {"version": color}} for color in ("blue", "green")]


@pytest.mark.cluster
def test_the_rights_and_settings_of_the_deployer(api: Api, tmp_path: Path) -> None:
    """The page's own settings deploy with the page's rights, and need all of them."""
    text = section("Deployer `kubernetes`")
    deploy = settings(text)["deploy"]
    options = deploy["options"]
    assert isinstance(options, dict)
    api.on_deployment = at_once
    kubeconfig = str(api.kubeconfig(tmp_path / "kubeconfig"))
    with _allowed(api, text):
        open_deployer(str(deploy["deployer"]), (), {**options, "kubeconfig": kubeconfig}).deploy(Color.GREEN, "2")
    containers = api.get("deployments", "shop-green")["spec"]["template"]["spec"]["containers"]
    assert ["registry.example/shop:2", "envoy:1"] == [container["image"] for container in containers]


@pytest.mark.parametrize("name", SWITCHES)
def test_every_option_has_a_row(name: str) -> None:
    """What the opener reads stands in the section's table, or in the common one."""
    text = section(f"Switch `{name}`")
    rows = set(re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\| (`.*?) \|", text, re.MULTILINE))))
    expected = {
        "kubernetes-service": {"service", "key", "blue", "green", "overlap"},
        "gateway-api": {"route", "blue", "green", "leave"},
        "istio": {"virtual_service", "blue", "green", "leave"},
    }
    assert expected[name] == rows
