"""Through Kubernetes: set the image, roll out, get ready, switch, go back; on a real API server where one is named."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from expandcontract.core.color import Color, Weights
from expandcontract.errors import DeployError, SwitchError
from expandcontract.traffic.cluster import DEPLOYMENT, SERVICE, Cluster
from expandcontract.traffic.kubernetes_deploy import KubernetesDeployer
from expandcontract.traffic.kubernetes_service import ServiceSwitch
from tests.fix_kubernetes import at_once
from tests.fix_project import CHANGE
from tests.kubernetes_double import BROKEN

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fix_project import Answer, Project
    from tests.kubernetes_double import Api

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

FAILED = 5
SETTINGS = """\
[window]
length = "24h"

[colors.blue]
role = "app_blue"
url = "{blue}"

[colors.green]
role = "app_green"
url = "{green}"

[traffic]
switch = "kubernetes-service"
soak = "0s"
steps = [100]

[traffic.options]
service = "shop"
kubeconfig = {kubeconfig}

[deploy]
deployer = "kubernetes"

[deploy.options]
deployment = "shop-{{color}}"
container = "app"
image = "registry/shop:{{version}}"
kubeconfig = {kubeconfig}

[probe]
in_a_row = 1
budget = "1s"
"""


@pytest.fixture
def clustered(empty: Project, api: Api, colors: tuple[Answer, Answer], tmp_path: Path) -> Project:
    """A project whose releases and traffic are in one namespace; v1 is live on blue."""
    api.on_deployment = at_once
    kubeconfig = json.dumps(str(api.kubeconfig(tmp_path / "kubeconfig")))
    text = SETTINGS.format(blue=colors[0].url, green=colors[1].url, kubeconfig=kubeconfig)
    (tmp_path / "expandcontract.toml").write_text(text, encoding="utf-8")
    empty.ec("init")
    empty.first()
    empty.ec("deploy", "blue", "1")
    empty.ec("switch", "blue", "--steps", "100")
    empty.ec("new", "rename-column", "users", "full_name", "display_name")
    return empty


@pytest.fixture
def deployer(api: Api, tmp_path: Path) -> KubernetesDeployer:
    """Of ``shop-blue`` and ``shop-green``."""
    api.on_deployment = at_once
    cluster = Cluster(str(api.kubeconfig(tmp_path / "kubeconfig")), fails=DeployError)
    return KubernetesDeployer(cluster, "shop-{color}", "app", "registry/shop:{version}", longest=60, pause=0.1)


def _containers(api: Api, color: str) -> list[tuple[str, str]]:
    spec = api.get("deployments", f"shop-{color}")["spec"]["template"]["spec"]
    return [(one["name"], one["image"]) for one in spec["containers"]]


def _live(api: Api) -> str:
    return str(api.get("services", "shop")["spec"]["selector"]["version"])


def test_there_and_back(clustered: Project, api: Api) -> None:
    """Image, rollout, readiness, switch, and all the way back: the Service and the Deployments say so, not we."""
    clustered.ec("advance", CHANGE)
    clustered.ec("advance", CHANGE, "--release", "2")
    assert "dual_writing" == clustered.phase()
    assert "green" == _live(api)
    assert [("app", "registry/shop:2"), ("proxy", "envoy:1")] == _containers(api, "green")
    assert [("app", "registry/shop:1"), ("proxy", "envoy:1")] == _containers(api, "blue")
    clustered.ec("advance", CHANGE)
    clustered.ec("advance", CHANGE, "--release", "3")
    assert ("cut_over", "blue") == (clustered.phase(), _live(api))
    assert [("app", "registry/shop:3"), ("proxy", "envoy:1")] == _containers(api, "blue")
    clustered.ec("rollback", CHANGE)
    assert ("backfilled", "green") == (clustered.phase(), _live(api))
    assert "green" in clustered.ec("status")


def test_a_release_that_never_runs(clustered: Project, api: Api) -> None:
    """The move fails, the traffic stays, and the next move goes ahead with an image that does run."""
    clustered.ec("advance", CHANGE)
    for color in Color:
        api.merge("deployments", f"shop-{color}", {"spec": {"progressDeadlineSeconds": 2}})
    said = clustered.ec("advance", CHANGE, "--release", f"2{BROKEN}", expect=FAILED)
    assert "did not get registry/shop:2" in said
    assert ("expanded", "blue") == (clustered.phase(), _live(api))
    clustered.ec("advance", CHANGE, "--release", "2")
    assert ("dual_writing", "green") == (clustered.phase(), _live(api))


def test_a_color_without_pods(api: Api, deployer: KubernetesDeployer, tmp_path: Path) -> None:
    """Scaled down it gets no traffic, and the next release gets its pods back."""
    for name in ("shop-green-1", "shop-green-2"):  # beside those of the Deployment
        api.remove("pods", name)
    deployer.scale_down(Color.GREEN)
    switch = ServiceSwitch(Cluster(str(tmp_path / "kubeconfig")), "shop")
    with pytest.raises(SwitchError, match="green has no ready pod"):
        switch.write(Weights(0, 100))
    deployer.deploy(Color.GREEN, "2")
    found = api.get("deployments", "shop-green")
    assert 2 == found["spec"]["replicas"]
    assert "expandcontract.dev/replicas" not in (found["metadata"].get("annotations") or {})


def test_somebody_else_moves_it(api: Api, cluster: Cluster) -> None:
    """Of two who read the same, the second is told; with and without the version of what was read."""
    read = cluster.get(SERVICE, "shop")
    api.put("services", "shop", {"selector": {"app": "shop", "version": "green"}})
    change = {"op": "replace", "path": "/spec/selector/version", "value": "blue"}
    for path, value in (
        ("/metadata/resourceVersion", read["metadata"]["resourceVersion"]),
        ("/spec/selector/version", "blue"),
    ):
        with pytest.raises(SwitchError, match="someone else moved Service shop between reading and writing"):
            cluster.patch(SERVICE, read, [{"op": "test", "path": path, "value": value}, change])
    assert "green" == _live(api)


def test_rights_that_are_missing(api: Api, cluster: Cluster, deployer: KubernetesDeployer) -> None:
    """Each is named with verb and kind."""
    api.allow([{"apiGroups": ["", "apps"], "resources": ["services", "deployments"], "verbs": ["get"]}])
    found = cluster.get(SERVICE, "shop")
    with pytest.raises(SwitchError, match=r"refused to patch Service shop \(403\): services .* is forbidden"):
        cluster.patch(SERVICE, found, [{"op": "test", "path": "/spec", "value": {}}])
    with pytest.raises(DeployError, match=r"refused to patch Deployment shop-green \(403\)") as refused:
        deployer.deploy(Color.GREEN, "2")
    assert "auth can-i patch deployments.apps" in str(refused.value.hint)


def test_what_the_api_server_refuses(api: Api, cluster: Cluster) -> None:
    """An invalid value is no move of somebody else; its reason is quoted."""
    found = cluster.get(DEPLOYMENT, "shop-green")
    with pytest.raises(SwitchError, match=r"refused to patch Deployment shop-green \(422\)"):
        cluster.patch(DEPLOYMENT, found, [{"op": "test", "path": "/spec/nothing", "value": 1}])
    assert found["spec"]["template"] == cluster.get(DEPLOYMENT, "shop-green")["spec"]["template"]


def test_what_a_deployment_says(api: Api, deployer: KubernetesDeployer) -> None:
    """Annotations are read as they stand on the server."""
    said: dict[str, Any] = {"version": "v2", "speaks": f"{CHANGE}=dual", "baseline": "c1"}
    assert deployer.declared(Color.GREEN) is None
    annotations = {f"expandcontract.dev/{name}": value for name, value in said.items()}
    api.merge("deployments", "shop-green", {"metadata": {"annotations": annotations}})
    found = deployer.declared(Color.GREEN)
    assert found is not None
    assert ("v2", "c1") == (found.version, found.baseline)
    assert deployer.declared(Color.BLUE) is None
