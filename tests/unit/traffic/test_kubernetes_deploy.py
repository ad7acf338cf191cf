"""The deployer sets one image of one container, and believes the rollout only when it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from expandcontract.core.color import Color
from expandcontract.core.release import Speaks
from expandcontract.errors import ConfigError, DeployError
from expandcontract.traffic.cluster import Cluster
from expandcontract.traffic.deploy import open_deployer
from expandcontract.traffic.kubernetes_deploy import KubernetesDeployer
from expandcontract.traffic.rollout import rollout

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.kubernetes_double import Api

OLD = {"replicas": 2, "updatedReplicas": 0, "availableReplicas": 2}
AVAILABLE = {"type": "Available", "status": "True"}
GAVE_UP = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "has timed out"}
STAGES: tuple[dict[str, Any], ...] = (
    {"replicas": 3, "updatedReplicas": 1, "availableReplicas": 2},
    {"replicas": 3, "updatedReplicas": 2, "availableReplicas": 2},
    {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 1},
    {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2},
)


def _controller(*stages: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    """Goes one stage further at each reading after a change, and stays at the last."""
    left = list(stages)

    def step(found: dict[str, Any]) -> None:
        if found["metadata"]["generation"] > 1:
            stage = left.pop(0) if len(left) > 1 else left[0]
            found["status"] = {"observedGeneration": found["metadata"]["generation"], **stage}
        else:
            found["status"] = {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}

    return step


@pytest.fixture
def deployer(api: Api, tmp_path: Path) -> KubernetesDeployer:
    """Of ``shop-blue`` and ``shop-green``."""
    cluster = Cluster(str(api.kubeconfig(tmp_path / "kubeconfig")), fails=DeployError)
    image = "registry/shop:{version}"
    return KubernetesDeployer(cluster, "shop-{color}", "app", image, longest=0.5, pause=0.01)


def _images(api: Api, name: str = "shop-green") -> dict[str, str]:
    containers = api.objects["deployments"][name]["spec"]["template"]["spec"]["containers"]
    return {container["name"]: container["image"] for container in containers}


def test_one_image_of_one_color(api: Api, deployer: KubernetesDeployer) -> None:
    """The sidecar and the other color stay; the patch is one JSON patch that tests the container's name."""
    api.on_deployment = _controller(*STAGES)
    deployer.deploy(Color.GREEN, "2")
    assert {"app": "registry/shop:2", "proxy": "envoy:1"} == _images(api)
    assert {"app": "registry/shop:1", "proxy": "envoy:1"} == _images(api, "shop-blue")
    ((kind, operations),) = api.patched
    assert "application/json-patch+json" == kind
    assert {"op": "test", "path": "/spec/template/spec/containers/0/name", "value": "app"} in operations


def test_the_same_version_again(api: Api, deployer: KubernetesDeployer) -> None:
    """Nothing is patched, and a rollout that is under way is awaited."""
    api.on_deployment = _controller(*STAGES)
    deployer.deploy(Color.GREEN, "2")
    deployer.deploy(Color.GREEN, "2")
    assert 1 == len(api.patched)


def test_a_mistyped_container(api: Api, deployer: KubernetesDeployer, tmp_path: Path) -> None:
    """No third container is made; the nearest name is offered."""
    cluster = Cluster(str(tmp_path / "kubeconfig"), fails=DeployError)
    with pytest.raises(DeployError, match=r"no container 'ap', only app, proxy; did you mean app\?"):
        KubernetesDeployer(cluster, "shop-{color}", "ap", "registry/shop:{version}").deploy(Color.GREEN, "2")
    assert [] == api.patched


@pytest.mark.parametrize(
    ("spec", "said", "typed"),
    [({"paused": True}, "is paused", "rollout resume"), ({"replicas": 0}, "is scaled to 0", "scale deployment")],
)
def test_a_deployment_that_would_not_roll(
    spec: dict[str, Any], said: str, typed: str, api: Api, deployer: KubernetesDeployer
) -> None:
    """One that is paused or has no pods is refused before anything is changed."""
    api.objects["deployments"]["shop-green"]["spec"].update(spec)
    with pytest.raises(DeployError, match=said) as refused:
        deployer.deploy(Color.GREEN, "2")
    assert refused.value.hint is not None
    assert typed in refused.value.hint
    assert [] == api.patched


def test_an_image_that_never_runs(api: Api, deployer: KubernetesDeployer) -> None:
    """The Deployment's own deadline ends it, though its old pods are still available."""
    api.on_deployment = _controller({**OLD, "conditions": [AVAILABLE]}, {**OLD, "conditions": [AVAILABLE, GAVE_UP]})
    with pytest.raises(DeployError, match=r"did not get registry/shop:2 running: .*deadline passed: has timed out"):
        deployer.deploy(Color.GREEN, "2")


def test_a_rollout_that_never_ends(api: Api, deployer: KubernetesDeployer) -> None:
    """It is waited for so long and no longer, and says how far it came."""
    api.on_deployment = _controller(STAGES[2])
    with pytest.raises(DeployError, match=r"not rolled out within 0.5 s: 1 of 2 new pods are available") as refused:
        deployer.deploy(Color.GREEN, "2")
    assert refused.value.hint is not None
    assert "kubectl -n prod describe deployment/shop-green" in refused.value.hint


def test_somebody_else_deploys(api: Api, deployer: KubernetesDeployer) -> None:
    """Neither before our patch nor during our rollout is another image taken for ours."""

    def other(version: str) -> None:
        spec = api.get("deployments", "shop-green")["spec"]
        spec["template"]["spec"]["containers"][0]["image"] = f"registry/shop:{version}"
        api.put("deployments", "shop-green", spec, status={})

    api.before_patch = lambda: other("3")
    with pytest.raises(DeployError, match="someone else moved Deployment shop-green"):
        deployer.deploy(Color.GREEN, "2")
    assert "registry/shop:3" == _images(api)["app"]

    def meddle(found: dict[str, Any]) -> None:
        if _images(api)["app"] == "registry/shop:2":
            found["spec"]["template"]["spec"]["containers"][0]["image"] = "registry/shop:4"

    api.on_deployment = meddle
    with pytest.raises(DeployError, match=r"someone else set Deployment shop-green to registry/shop:4"):
        deployer.deploy(Color.GREEN, "2")


def test_a_right_that_is_missing(api: Api, deployer: KubernetesDeployer) -> None:
    """It fails as a deployment does, and names the right."""
    api.denied = {("patch", "deployments")}
    with pytest.raises(DeployError, match=r"refused to patch Deployment shop-green \(403\)") as refused:
        deployer.deploy(Color.GREEN, "2")
    assert refused.value.hint is not None
    assert "can-i patch deployments.apps" in refused.value.hint


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ({}, "has not been seen"),
        ({"observedGeneration": 2, **STAGES[0]}, "1 of 2 pods are new"),
        ({"observedGeneration": 2, **STAGES[1]}, "1 old pods have not yet ended"),
        ({"observedGeneration": 2, **STAGES[2]}, "1 of 2 new pods are available"),
        ({"observedGeneration": 2, **STAGES[3]}, "2 of 2 pods are new and available"),
        ({"observedGeneration": 1, **STAGES[3], "conditions": [GAVE_UP]}, "has not been seen"),
        ({"observedGeneration": 2, **OLD, "conditions": [AVAILABLE, GAVE_UP]}, "has timed out"),
    ],
)
def test_kubectls_own_algorithm(status: dict[str, Any], said: str) -> None:
    """Seen, updated, ended, available: in that order; an old failure does not count against a new change."""
    seen = rollout({"metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": status})
    assert said in seen.evidence
    assert ("new and available" in said, "timed out" in said) == (seen.done, seen.failed)


def test_from_settings(api: Api, tmp_path: Path) -> None:
    """All three names are needed, and colors and versions must tell apart."""
    good = {"deployment": "shop-{color}", "container": "app", "image": "registry/shop:{version}"}
    for wrong in ({"deployment": "shop"}, {"image": "registry/shop:latest"}, {"container": ""}):
        with pytest.raises(ConfigError, match=rf"deploy\.options\.{next(iter(wrong))}"):
            open_deployer("kubernetes", (), {**good, **wrong})
    api.on_deployment = _controller(STAGES[3])
    kubeconfig = {"kubeconfig": str(api.kubeconfig(tmp_path / "kubeconfig"))}
    open_deployer("kubernetes", (), {**good, **kubeconfig}).deploy(Color.GREEN, "2")
    assert "registry/shop:2" == _images(api)["app"]


def _annotate(api: Api, **annotations: str) -> None:
    found = api.objects["deployments"]["shop-green"]["metadata"]
    found["annotations"] = {f"expandcontract.dev/{name}": value for name, value in annotations.items()}


def test_annotations_say_what_a_release_speaks(api: Api, deployer: KubernetesDeployer) -> None:
    """Those of the color's own Deployment; without any nothing is said."""
    assert deployer.declared(Color.GREEN) is None
    _annotate(api, version="v2", speaks="users_name=new,orders_total=old", baseline="c1")
    found = deployer.declared(Color.GREEN)
    assert found is not None
    assert "Deployment shop-green" == found.source
    assert ("v2", "c1") == (found.version, found.baseline)
    assert {"users_name": Speaks.NEW, "orders_total": Speaks.OLD} == found.speaks
    assert deployer.declared(Color.BLUE) is None
    _annotate(api, version="v2")
    found = deployer.declared(Color.GREEN)
    assert found is not None
    assert {} == found.speaks


def test_annotations_that_cannot_be_used(api: Api, deployer: KubernetesDeployer) -> None:
    """Without a version they may be those of an earlier release; the command that adds it is said."""
    _annotate(api, speaks="users_name=new")
    with pytest.raises(ConfigError, match=r"expandcontract\.dev/speaks and does not say of which version") as refused:
        deployer.declared(Color.GREEN)
    assert "kubectl -n prod annotate deployment/shop-green expandcontract.dev/version=VERSION" == refused.value.hint
    _annotate(api, version="v2", speaks="users_name")
    with pytest.raises(ConfigError, match=r"the annotation expandcontract\.dev/speaks of Deployment shop-green says"):
        deployer.declared(Color.GREEN)
