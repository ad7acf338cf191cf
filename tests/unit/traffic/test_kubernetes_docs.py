"""The page of Kubernetes names the rights and the settings that are really needed."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from expandcontract.core.color import Color, Weights
from expandcontract.traffic.deploy import open_deployer
from expandcontract.traffic.switch import open_switch

if TYPE_CHECKING:
    from tests.fix_kubernetes import Api

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "kubernetes.md").read_text(encoding="utf-8")
SWITCHES = ("kubernetes-service", "gateway-api", "istio")


def _section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def _settings(section: str) -> dict[str, dict[str, object]]:
    found = re.search(r"```toml\n(.*?)```", section, re.DOTALL)
    assert found is not None
    return tomllib.loads(found[1])


def _rights(section: str) -> set[tuple[str, str]]:
    found = re.search(r"```yaml\n(rules:.*?)```", section, re.DOTALL)
    assert found is not None
    rules = yaml.safe_load(found[1])["rules"]
    return {(verb, plural) for rule in rules for plural in rule["resources"] for verb in rule["verbs"]}


@pytest.mark.parametrize("name", SWITCHES)
def test_the_rights_and_settings_of_a_switch(name: str, api: Api, tmp_path: Path) -> None:
    """The page's own settings make a switch that goes there and back with the page's rights, and needs all of them."""
    section = _section(f"Switch `{name}`")
    traffic = _settings(section)["traffic"]
    assert name == traffic["switch"]
    options = traffic["options"]
    assert isinstance(options, dict)
    if name == "istio":  # one Service over both colors
        text = {"hosts": ["shop"], "http": [{"route": _destinations()}]}
        api.put("virtualservices", "shop", text)
        api.put("services", "shop", {"selector": {"app": "shop"}})
        api.put("destinationrules", "shop", {"host": "shop", "subsets": _subsets()})
    switch = open_switch(name, {**options, "kubeconfig": str(api.kubeconfig(tmp_path / "kubeconfig"))})
    for weights in (Weights(0, 100), Weights(100, 0)):
        switch.write(weights)
        assert weights == switch.read()
    assert _rights(section) == api.asked


def _destinations() -> list[dict[str, object]]:
    return [
        {"destination": {"host": "shop", "subset": color}, "weight": weight}
        for color, weight in (("blue", 100), ("green", 0))
    ]


def _subsets() -> list[dict[str, object]]:
    return [{"name": color, "labels": {"version": color}} for color in ("blue", "green")]


def test_the_rights_and_settings_of_the_deployer(api: Api, tmp_path: Path) -> None:
    """The page's own settings deploy with the page's rights, and need all of them."""
    section = _section("Deployer `kubernetes`")
    deploy = _settings(section)["deploy"]
    options = deploy["options"]
    assert isinstance(options, dict)

    def at_once(found: dict[str, dict[str, object]]) -> None:
        counts = dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas"), 2)
        found["status"] = {"observedGeneration": found["metadata"]["generation"], **counts}

    api.on_deployment = at_once
    kubeconfig = str(api.kubeconfig(tmp_path / "kubeconfig"))
    open_deployer(str(deploy["deployer"]), (), {**options, "kubeconfig": kubeconfig}).deploy(Color.GREEN, "2")
    containers = api.get("deployments", "shop-green")["spec"]["template"]["spec"]["containers"]
    assert ["registry.example/shop:2", "envoy:1"] == [container["image"] for container in containers]
    assert _rights(section) == api.asked


@pytest.mark.parametrize("name", SWITCHES)
def test_every_option_has_a_row(name: str) -> None:
    """What the opener reads stands in the section's table, or in the common one."""
    section = _section(f"Switch `{name}`")
    rows = set(re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\| (`.*?) \|", section, re.MULTILINE))))
    expected = {
        "kubernetes-service": {"service", "key", "blue", "green", "overlap"},
        "gateway-api": {"route", "blue", "green", "leave"},
        "istio": {"virtual_service", "blue", "green", "leave"},
    }
    assert expected[name] == rows
