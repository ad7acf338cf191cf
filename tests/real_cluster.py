"""A real API server behind the surface of the double: what holds on the one must hold on the other.

It is named by ``--cluster KUBECONFIG``, has Kubernetes' own controllers and the custom resources of the Gateway API and
of Istio, and needs no node: pods are made ready here, as a kubelet would.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

import yaml
from lightkube import ApiError, Client, KubeConfig
from lightkube.generic_resource import create_namespaced_resource
from lightkube.models.authentication_v1 import TokenRequestSpec
from lightkube.models.authorization_v1 import ResourceAttributes, SubjectAccessReviewSpec
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.models.rbac_v1 import RoleRef, Subject
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.authorization_v1 import SubjectAccessReview
from lightkube.resources.core_v1 import Namespace, Node, Pod, PodStatus, Service, ServiceAccount, ServiceAccountToken
from lightkube.resources.discovery_v1 import EndpointSlice
from lightkube.resources.rbac_authorization_v1 import Role, RoleBinding
from lightkube.types import PatchType

from expandcontract.pg.server import free_port
from expandcontract.traffic.rollout import rollout
from tests.kubernetes_double import BROKEN, SERVICE_NAME
from tests.switches.rig import BLUE, ProcessRig, program

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

KINDS: dict[str, Any] = {
    "services": Service,
    "pods": Pod,
    "endpointslices": EndpointSlice,
    "deployments": Deployment,
    "httproutes": create_namespaced_resource("gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes"),
    "virtualservices": create_namespaced_resource("networking.istio.io", "v1", "VirtualService", "virtualservices"),
    "destinationrules": create_namespaced_resource("networking.istio.io", "v1", "DestinationRule", "destinationrules"),
}
USER = "ec"
NODE = "expandcontract-test"
UNREADY = "expandcontract.test/unready"
PAUSE = 0.05  # seconds between two looks of our kubelet
WITHIN = 60.0  # seconds until the API server and its controllers have followed
OPENED: list[RealCluster] = []
"""To be closed when the test ends."""


class RealCluster:
    """One namespace of a real API server, which ends with it, and a user there that may what it is allowed.

    Args:
        kubeconfig: Of an administrator.
        directory: For the files of the relay that can be stopped.
    """

    def __init__(self, kubeconfig: Path, directory: Path) -> None:
        self.namespace = f"ec-{uuid4().hex[:8]}"
        self._admin = kubeconfig
        self._config = KubeConfig.from_file(kubeconfig).get()
        self.client = Client(self._config, namespace=self.namespace)
        self._relay = _Relay(directory, self._config.cluster.server)
        self._closing = threading.Event()
        self._kubelet = threading.Thread(target=self._run_pods, daemon=True)
        self._rules: Sequence[Mapping[str, Any]] = ()
        OPENED.append(self)
        self.on_deployment: Callable[[dict[str, Any]], object] = lambda _deployment: None  # it has a controller

    def start(self) -> None:
        """Let the user reach it; the first time, make the namespace and the user."""
        if not self._kubelet.is_alive():
            self.client.create(Namespace(metadata=ObjectMeta(name=self.namespace)))
            with suppress(ApiError):  # another test has made it
                self.client.create(Node(metadata=ObjectMeta(name=NODE)))
            self.client.create(ServiceAccount(metadata=ObjectMeta(name=USER)))
            self._kubelet.start()
        if self._relay.process is None:
            self._relay.start()

    def stop(self) -> None:
        """Let the user reach it no more."""
        self._relay.stop()
        self._relay.process = None

    def close(self) -> None:
        """End the namespace with all that is in it."""
        self.stop()
        self.client.delete(Namespace, self.namespace)
        time.sleep(2 * PAUSE)
        self._closing.set()
        self._kubelet.join()
        for pod in self.client.list(Pod):
            self._end(pod.metadata.name)
        self.client.close()

    def kubeconfig(self, path: Path) -> Path:
        """A kubeconfig of the user, written to ``path``."""
        request = ServiceAccountToken(metadata=ObjectMeta(), spec=TokenRequestSpec(audiences=[]))
        token = self.client.create(request, USER).status.token
        document = yaml.safe_load(self._admin.read_text(encoding="utf-8"))
        known = {entry["name"]: entry["cluster"] for entry in document["clusters"]}
        at = {**known[self._config.context.cluster], "server": f"https://127.0.0.1:{self._relay.listen}"}
        context = {"cluster": "here", "user": USER, "namespace": self.namespace}
        document = {
            "current-context": "here",
            "clusters": [{"name": "here", "cluster": at}],
            "users": [{"name": USER, "user": {"token": token}}],
            "contexts": [{"name": "here", "context": context}],
        }
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    def allow(self, rules: Sequence[Mapping[str, Any]]) -> None:
        """Let the user do this, and nothing else; returns once the API server knows."""
        before, self._rules = self._rules, rules
        role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "rules": list(rules)}
        named = Role.from_dict({**role, "metadata": {"name": USER, "namespace": self.namespace}})
        self.client.apply(named, field_manager="test", force=True)
        with suppress(ApiError):  # bound since the first time
            whom = Subject(kind="ServiceAccount", name=USER, namespace=self.namespace)
            ref = RoleRef(apiGroup="rbac.authorization.k8s.io", kind="Role", name=USER)
            self.client.create(RoleBinding(metadata=ObjectMeta(name=USER), roleRef=ref, subjects=[whom]))
        wanted = _rights(rules)
        for right in wanted | _rights(before):
            self._wait_for(right, allowed=right in wanted)

    def _wait_for(self, right: tuple[str, str, str], *, allowed: bool) -> None:
        group, plural, verb = right
        what = ResourceAttributes(group=group, resource=plural, verb=verb, namespace=self.namespace)
        user = f"system:serviceaccount:{self.namespace}:{USER}"
        asked = SubjectAccessReview(
            metadata=ObjectMeta(), spec=SubjectAccessReviewSpec(user=user, resourceAttributes=what)
        )
        until = time.monotonic() + WITHIN
        while self.client.create(asked).status.allowed is not allowed:
            assert time.monotonic() < until, f"{right} is not as it was set"
            time.sleep(PAUSE)

    def settle(self) -> None:
        """Return once every Deployment is rolled out, and every Service leads to pods."""
        until = time.monotonic() + WITHIN
        while not (self._rolled_out() and self._led()):
            assert time.monotonic() < until, "the cluster's controllers do not follow; does it run them?"
            time.sleep(PAUSE)

    def _rolled_out(self) -> bool:
        return all(rollout(one.to_dict()).done for one in self.client.list(Deployment))

    def _led(self) -> bool:
        ready: dict[str, int] = {one.metadata.name: 0 for one in self.client.list(Service)}
        for found in self.client.list(EndpointSlice):
            ready[found.metadata.labels[SERVICE_NAME]] += sum(
                bool(one.conditions.ready) for one in found.endpoints or []
            )
        return all(ready.values())

    def put(self, plural: str, name: str, spec: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Make or change an object, as somebody else would."""
        kind = KINDS[plural]
        try:
            self.client.get(kind, name)
        except ApiError as exc:
            if exc.status.code != 404:
                raise
        else:
            self.merge(plural, name, {"spec": spec})
            return self.get(plural, name)
        if plural == "services":
            spec = {"ports": [{"port": 80}], **spec}
        if plural == "deployments":
            pod = spec["template"]
            spec = {**spec, "template": {**pod, "spec": {**pod["spec"], "nodeName": NODE}}}
        metadata = {"name": name, "namespace": self.namespace, "labels": more.get("labels", {})}
        document = {"metadata": {**metadata, "annotations": more.get("annotations", {})}, "spec": spec}
        return dict(self.client.create(kind.from_dict(document)).to_dict())

    def merge(self, plural: str, name: str, document: dict[str, Any]) -> None:
        """Change part of an object, as somebody else would."""
        self.client.patch(KINDS[plural], name, document, patch_type=PatchType.MERGE)

    def remove(self, plural: str, name: str) -> None:
        """End an object, as somebody else would; returns once it is gone."""
        self.client.delete(KINDS[plural], name, grace_period=0)

    def pod(self, name: str, labels: dict[str, str], *, ready: bool = True) -> None:
        """A pod with these labels."""
        containers = [{"name": "app", "image": "registry/shop:1"}]
        annotations = {} if ready else {UNREADY: "true"}
        self.put("pods", name, {"containers": containers, "nodeName": NODE}, labels=labels, annotations=annotations)

    def get(self, plural: str, name: str) -> dict[str, Any]:
        """One object."""
        return dict(self.client.get(KINDS[plural], name).to_dict())

    def list(self, plural: str, labels: dict[str, str]) -> list[dict[str, Any]]:
        """The objects with these labels."""
        return [dict(one.to_dict()) for one in self.client.list(KINDS[plural], labels=dict(labels))]

    def _run_pods(self) -> None:
        """Make pods ready, and end those that are deleted."""
        number = 0
        while not self._closing.wait(PAUSE):
            for pod in self.client.list(Pod):
                if pod.metadata.deletionTimestamp:
                    self._end(pod.metadata.name)
                elif _can_run(pod):
                    number += 1
                    self._runs(pod.metadata.name, f"10.9.{number // 250}.{number % 250 + 1}")

    def _runs(self, name: str, address: str) -> None:
        conditions = [{"type": kind, "status": "True"} for kind in ("Ready", "ContainersReady")]
        status = {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}], "conditions": conditions}
        with suppress(ApiError):  # it has just been deleted
            self.client.patch(PodStatus, name, {"status": status}, patch_type=PatchType.STRATEGIC)

    def _end(self, name: str) -> None:
        with suppress(ApiError):  # it has ended
            self.client.delete(Pod, name, grace_period=0)


class _Relay(ProcessRig):
    """What the user reaches the API server through, so that it can go away."""

    name = "relay"
    config: ClassVar[str] = """\
defaults
  mode tcp
  timeout connect 5s
  timeout client 1m
  timeout server 1m
listen relay
  bind 127.0.0.1:{listen}
  server api {server}
"""

    def __init__(self, directory: Path, server: str) -> None:
        super().__init__(directory, {})
        self._program, self._server = program("haproxy"), server.removeprefix("https://").rstrip("/")
        self.listen = free_port()

    def command(self) -> tuple[str, ...]:
        """In the foreground, so that it is our child."""
        path = self.directory / "relay.cfg"
        path.write_text(self.config.format(listen=self.listen, server=self._server), encoding="utf-8")
        return (self._program, "-db", "-f", str(path))

    def options(self) -> dict[str, object]:
        """It is no switch."""
        return {}

    def ask(self) -> int:
        """Whether it takes connections."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.listen), timeout=5):
            return BLUE
        return 0


def _can_run(pod: Pod) -> bool:
    started = pod.status is not None and pod.status.podIP
    unready = UNREADY in (pod.metadata.annotations or {})
    return not started and not unready and not any(one.image.endswith(BROKEN) for one in pod.spec.containers)


def _rights(rules: Sequence[Mapping[str, Any]]) -> set[tuple[str, str, str]]:
    """Group, plural and verb of each."""
    return {
        (group, plural, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for plural in rule["resources"]
        for verb in rule["verbs"]
    }
