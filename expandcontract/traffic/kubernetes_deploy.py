"""Puts a version on a color: the image of one container of the color's Deployment, and its rollout awaited.

https://kubernetes.io/docs/concepts/workloads/controllers/deployment/
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from expandcontract.core.declaration import Declaration, speech
from expandcontract.errors import ConfigError, DeployError
from expandcontract.traffic.cluster import DEPLOYMENT, open_cluster, pointer
from expandcontract.traffic.rollout import rollout

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from expandcontract.core.color import Color
    from expandcontract.traffic.cluster import Cluster, Object

LONGEST = 1800.0  # seconds; a rollout that advances renews the Deployment's own deadline without end
PAUSE = 1.0  # seconds between two looks
SPEAKS, BASELINE, OF, PODS = (f"expandcontract.dev/{word}" for word in ("speaks", "baseline", "version", "replicas"))
PATIENCE = 30.0  # seconds that the API server may be away during a rollout, as while it is itself upgraded


class _NotYetError(Exception):
    """The rollout is under way."""


class KubernetesDeployer:
    """Sets the image of one container, and waits for the rollout.

    Args:
        cluster: Where the Deployments are.
        deployment: Name of a color's Deployment, with ``{color}`` to be filled in.
        container: Name of the container that runs the release; the others are left alone.
        image: The image, with ``{version}`` (and ``{color}``) to be filled in.
        longest: Seconds that a rollout is waited for.
        pause: Seconds between two looks.
    """

    def __init__(
        self,
        cluster: Cluster,
        deployment: str,
        container: str,
        image: str,
        *,
        longest: float = LONGEST,
        pause: float = PAUSE,
    ) -> None:
        self._cluster, self._deployment, self._container, self._image = cluster, deployment, container, image
        self._longest, self._pause = longest, pause

    def deploy(self, color: Color, version: str) -> None:
        """Set the image unless it is set, and return once all pods are new and available. May run twice.

        A Deployment that :meth:`scale_down` left without pods gets as many as it had.

        Raises:
            DeployError: There is no such Deployment or container, it is paused or has no pods, the API server
                refuses, or the rollout fails or does not end.
        """
        name, image = (_filled(text, color, version) for text in (self._deployment, self._image))
        found = self._cluster.get(DEPLOYMENT, name)
        pods = _had(found)
        self._need_rolling(name, found["spec"], pods)
        operations = [*_given_back(pods), *self._operations(name, found, image)]
        if operations:
            self._cluster.patch(DEPLOYMENT, found, operations)
        self._await(name, image)

    def scale_down(self, color: Color) -> None:
        """Set the color's Deployment to no pods, and return once none is left. May run twice.

        How many it had stays with it, for the next deployment.

        Raises:
            DeployError: There is no such Deployment, the API server refuses, or pods do not end.
        """
        name = self._deployment.replace("{color}", color)
        found = self._cluster.get(DEPLOYMENT, name)
        if found["spec"].get("replicas") != 0:
            same = {"op": "test", "path": "/metadata/resourceVersion", "value": found["metadata"]["resourceVersion"]}
            none = {"op": "add", "path": "/spec/replicas", "value": 0}  # add: it may be unset
            self._cluster.patch(DEPLOYMENT, found, [same, *_kept(found), none])
        self._wait(f"the pods of Deployment {name} did not end", name, lambda: self._gone(name))

    def _gone(self, name: str) -> None:
        found = self._cluster.get(DEPLOYMENT, name)
        if found["spec"].get("replicas") != 0:
            msg = f"someone else scaled Deployment {name} to {found['spec'].get('replicas')}"
            raise DeployError(msg, hint=self._inspect(name))
        status = found.get("status") or {}
        seen = status.get("observedGeneration", 0) >= found["metadata"].get("generation", 0)
        if not seen or status.get("replicas"):
            msg = f"{status.get('replicas') or 'some'} pods are there"
            raise _NotYetError(msg)

    def declared(self, color: Color) -> Declaration | None:
        """What the annotations of the color's Deployment say of the release there.

        Raises:
            DeployError: The API server does not answer, or refuses.
            ConfigError: They do not say of which version, or not in the form that they should have.
        """
        name = self._deployment.replace("{color}", color)
        found = _annotations(self._cluster.get(DEPLOYMENT, name))
        said = {key: found[key] for key in (SPEAKS, BASELINE, OF) if key in found}
        if not said:
            return None
        source = f"Deployment {name}"
        if OF not in said:  # an object outlives the release that it was annotated for
            msg = f"{source} has the annotation {next(iter(said))} and does not say of which version"
            hint = f"kubectl -n {self._cluster.namespace} annotate deployment/{name} {OF}=VERSION"
            raise ConfigError(msg, hint=hint)
        speaks = speech(said.get(SPEAKS, ""), f"the annotation {SPEAKS} of {source}")
        return Declaration(source=source, version=said[OF], baseline=said.get(BASELINE), speaks=speaks)

    def _need_rolling(self, name: str, spec: Mapping[str, Any], pods: int) -> None:
        kubectl = f"kubectl -n {self._cluster.namespace}"
        if spec.get("paused"):
            msg = f"Deployment {name} is paused, so nothing would be rolled out"
            raise DeployError(msg, hint=f"{kubectl} rollout resume deployment/{name}")
        if spec.get("replicas") == 0 and not pods:
            msg = f"Deployment {name} is scaled to 0, so no pod would run the release"
            raise DeployError(
                msg, hint=f"{kubectl} scale deployment/{name} --replicas=N, as many as the live color has"
            )

    def _operations(self, name: str, found: Object, image: str) -> list[dict[str, Any]]:
        """The patch; empty where the image is set already.

        Raises:
            DeployError: No container has that name.
        """
        containers = found["spec"]["template"]["spec"]["containers"]
        for index, container in enumerate(containers):
            if container["name"] != self._container:
                continue
            if container.get("image") == image:
                return []
            path = pointer("spec", "template", "spec", "containers", index)
            return [
                {"op": "test", "path": f"{path}/name", "value": self._container},
                {"op": "test", "path": f"{path}/image", "value": container["image"]},
                {"op": "replace", "path": f"{path}/image", "value": image},
            ]
        raise self._no_container(name, [container["name"] for container in containers])

    def _no_container(self, name: str, there: Sequence[str]) -> DeployError:
        near = get_close_matches(self._container, there, n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        msg = f"Deployment {name} has no container {self._container!r}, only {', '.join(there)}{meant}"
        return DeployError(msg, hint=f"set deploy.options.container to one of {', '.join(there)}")

    def _await(self, name: str, image: str) -> None:
        self._wait(f"Deployment {name} was not rolled out", name, lambda: self._look(name, image))

    def _wait(self, failed: str, name: str, look: Callable[[], None]) -> None:
        policy = Retrying(
            retry=retry_if_exception_type(_NotYetError),
            stop=stop_after_delay(self._longest),
            wait=wait_fixed(self._pause),
        )
        try:
            policy(look)
        except RetryError as exc:
            seen = exc.last_attempt.exception()
            msg = f"{failed} within {self._longest:g} s: {seen}"
            raise DeployError(msg, hint=self._inspect(name)) from exc

    def _look(self, name: str, image: str) -> None:
        found = self._cluster.get(DEPLOYMENT, name)
        images = {one["name"]: one.get("image") for one in found["spec"]["template"]["spec"]["containers"]}
        if images.get(self._container) != image:
            msg = f"someone else set Deployment {name} to {images.get(self._container)} while {image} was rolled out"
            raise DeployError(msg, hint=self._inspect(name))
        seen = rollout(found)
        if seen.failed:
            msg = f"Deployment {name} did not get {image} running: {seen.evidence}"
            raise DeployError(msg, hint=self._inspect(name))
        if not seen.done:
            raise _NotYetError(seen.evidence)

    def _inspect(self, name: str) -> str:
        kubectl = f"kubectl -n {self._cluster.namespace}"
        return f"{kubectl} describe deployment/{name}; {kubectl} logs deployment/{name} -c {self._container}"


def _annotations(found: Object) -> dict[str, str]:
    annotations: dict[str, str] = found["metadata"].get("annotations") or {}
    return annotations


def _kept(found: Object) -> list[dict[str, Any]]:
    """The part of a patch that keeps with a Deployment how many pods it has."""
    path, value = pointer("metadata", "annotations", PODS), str(found["spec"].get("replicas", 1))
    there = [] if _annotations(found) else [{"op": "add", "path": "/metadata/annotations", "value": {}}]
    return [*there, {"op": "add", "path": path, "value": value}]


def _had(found: Object) -> int:
    """How many pods a Deployment without any had before it was scaled down here; 0: not known."""
    kept = _annotations(found).get(PODS, "")
    return int(kept) if found["spec"].get("replicas") == 0 and kept.isdecimal() else 0


def _given_back(pods: int) -> list[dict[str, Any]]:
    """The part of a patch that gives a Deployment its pods back; none where it has some."""
    if not pods:
        return []
    path = pointer("metadata", "annotations", PODS)
    return [
        {"op": "test", "path": "/spec/replicas", "value": 0},
        {"op": "test", "path": path, "value": str(pods)},
        {"op": "replace", "path": "/spec/replicas", "value": pods},
        {"op": "remove", "path": path},
    ]


def _filled(text: str, color: Color, version: str) -> str:
    return text.replace("{color}", color).replace("{version}", version)


def open_kubernetes(options: Mapping[str, object]) -> KubernetesDeployer:
    """From settings ``deployment``, ``container`` and ``image``, and those of the cluster.

    Raises:
        ConfigError: One is missing, or both colors or all versions would be the same.
    """
    found = {}
    for name, part in (("deployment", "{color}"), ("container", ""), ("image", "{version}")):
        found[name] = str(options.get(name, ""))
        if not found[name] or part not in found[name]:
            msg = f"deployer kubernetes needs the setting deploy.options.{name}" + (
                f" with {part} in it" if part else ""
            )
            example = 'deployment = "shop-{color}", container = "app", image = "registry.example/shop:{version}"'
            raise ConfigError(msg, hint=example)
    cluster = open_cluster(options, fails=DeployError, patience=PATIENCE)
    return KubernetesDeployer(cluster, found["deployment"], found["container"], found["image"])
