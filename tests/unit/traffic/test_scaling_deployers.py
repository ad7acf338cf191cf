"""Ending a color: no pods, or the user's own command; waited for until it is true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from expandcontract.core.color import Color
from expandcontract.errors import ConfigError, DeployError
from expandcontract.traffic.cluster import Cluster
from expandcontract.traffic.deploy import ScalesDown, ScalingCommandDeployer, open_deployer
from expandcontract.traffic.kubernetes_deploy import KubernetesDeployer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kubernetes_double import Api


@pytest.fixture
def deployer(api: Api, tmp_path: Path) -> KubernetesDeployer:
    """Of ``shop-blue`` and ``shop-green``."""
    cluster = Cluster(str(api.kubeconfig(tmp_path / "kubeconfig")), fails=DeployError)
    return KubernetesDeployer(cluster, "shop-{color}", "app", "registry/shop:{version}", longest=0.3, pause=0.01)


def _controller(*left: int) -> Any:
    """Sees each change at once; of the old pods so many are there at each reading."""
    counts = list(left)

    def step(found: dict[str, Any]) -> None:
        there = counts.pop(0) if len(counts) > 1 else counts[0]
        found["status"] = {"observedGeneration": found["metadata"]["generation"], "replicas": there}

    return step


def test_no_pods_are_left(api: Api, deployer: KubernetesDeployer) -> None:
    """One number changes, of one Deployment, and is kept beside it; a second time is nothing."""
    api.on_deployment = _controller(2, 2, 2, 1, 0)
    deployer.scale_down(Color.GREEN)
    assert 0 == api.objects["deployments"]["shop-green"]["spec"]["replicas"]
    assert 0 == api.objects["deployments"]["shop-green"]["status"]["replicas"]
    assert 2 == api.objects["deployments"]["shop-blue"]["spec"]["replicas"]
    deployer.scale_down(Color.GREEN)
    ((_, operations),) = api.patched
    kept = "/metadata/annotations/expandcontract.dev~1replicas"
    paths = [one["path"] for one in operations if one["path"] != "/metadata/annotations"]
    assert ["/metadata/resourceVersion", kept, "/spec/replicas"] == paths
    assert {("get", "deployments"), ("patch", "deployments")} == api.asked


def test_the_next_release_gets_as_many_pods(api: Api, deployer: KubernetesDeployer) -> None:
    """As there were before, with its image in one patch, also where that is the same; the note of them goes."""

    def step(found: dict[str, Any]) -> None:
        pods = found["spec"]["replicas"]
        counts = dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas"), pods)
        found["status"] = {"observedGeneration": found["metadata"]["generation"], **counts}

    api.on_deployment = step

    def green() -> dict[str, Any]:
        found: dict[str, Any] = api.objects["deployments"]["shop-green"]
        return found

    for version in ("1", "2"):
        deployer.scale_down(Color.GREEN)
        assert "2" == green()["metadata"]["annotations"]["expandcontract.dev/replicas"]
        api.patched.clear()
        deployer.deploy(Color.GREEN, version)
        assert 1 == len(api.patched)
        assert 2 == green()["spec"]["replicas"]
        assert "expandcontract.dev/replicas" not in green()["metadata"]["annotations"]


def test_pods_that_do_not_end(api: Api, deployer: KubernetesDeployer) -> None:
    """After the time allowed it says how many there are, and how to look."""
    api.on_deployment = _controller(2)
    with pytest.raises(DeployError, match=r"shop-green did not end within 0\.3 s: 2 pods are there") as refused:
        deployer.scale_down(Color.GREEN)
    assert "kubectl -n prod describe deployment/shop-green" in str(refused.value.hint)


def test_a_controller_that_has_not_looked(api: Api, deployer: KubernetesDeployer) -> None:
    """What its status says is of before the change; it is not believed."""
    with pytest.raises(DeployError, match="some pods are there"):
        deployer.scale_down(Color.GREEN)


def test_somebody_else_scales_it_up(api: Api, deployer: KubernetesDeployer) -> None:
    """It is said, and not fought."""

    def step(found: dict[str, Any]) -> None:
        if found["spec"]["replicas"] == 0:
            found["spec"]["replicas"] = 3

    api.on_deployment = step
    with pytest.raises(DeployError, match="someone else scaled Deployment shop-green to 3"):
        deployer.scale_down(Color.GREEN)


def test_a_command_of_the_users_own(tmp_path: Path) -> None:
    """It gets the color, its failure is quoted; a deployer without one offers nothing."""
    said = tmp_path / "said"
    for given in (f"sh -c 'echo {{color}} $EC_COLOR > {said}'", ["sh", "-c", f"echo {{color}} $EC_COLOR > {said}"]):
        deployer = open_deployer("command", ["true"], {"scale_down": given})
        assert isinstance(deployer, ScalingCommandDeployer)
        deployer.deploy(Color.GREEN, "v2")
        assert not said.exists()
        deployer.scale_down(Color.GREEN)
        assert "green green\n" == said.read_text(encoding="utf-8")
        said.unlink()
    failing = open_deployer("command", ["true"], {"scale_down": "sh -c 'echo no such color >&2; exit 3'"})
    assert isinstance(failing, ScalesDown)
    with pytest.raises(DeployError, match="scaling green down ended with 3: no such color"):
        failing.scale_down(Color.GREEN)
    assert not isinstance(open_deployer("command", ["true"], {}), ScalesDown)
    assert not isinstance(open_deployer("external", (), {}), ScalesDown)


@pytest.mark.parametrize(("given", "said"), [("'open", "is no command"), ("", "is empty"), ([], "is empty")])
def test_a_command_that_is_none(given: object, said: str) -> None:
    """It is refused before anything is run."""
    with pytest.raises(ConfigError, match=rf"deploy\.options\.scale_down {said}"):
        open_deployer("command", ["true"], {"scale_down": given})
