"""An API server of Kubernetes on loopback, which answers as the real one was measured to, errors most of all.

What it enforces: 409 on a stale resourceVersion, 422 on a failed JSON ``test`` and on a negative weight, 415 on a
strategic patch of a custom resource, merge patches that replace lists, strategic patches that add a container of an
unknown name, a selector that selects nobody, 403 by verb and kind, 401, and answers that never come.
"""

from __future__ import annotations

import json
import threading
from copy import deepcopy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from tests.json_patches import TestFailedError, apply_json, apply_merge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

NAMESPACE = "prod"
BROKEN = ":broken"
"""How the name of an image ends that no node can run."""
TOKEN = "let-me-in"  # noqa: S105  # of the double
ANY = "0"
"""As a resourceVersion, of whatever version."""
SERVICE_NAME = "kubernetes.io/service-name"
KINDS = {
    "services": "Service",
    "pods": "Pod",
    "endpointslices": "EndpointSlice",
    "deployments": "Deployment",
    "httproutes": "HTTPRoute",
    "virtualservices": "VirtualService",
    "destinationrules": "DestinationRule",
}
REASONS = {401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 409: "Conflict", 422: "Invalid"}


class RefusedError(Exception):
    """Answered with this code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Api(ThreadingHTTPServer):
    """The objects of one namespace, and what is to go wrong.

    Attributes:
        namespace: Its name.
        objects: By plural and name.
        denied: Verb and plural that RBAC does not allow.
        allowed: Verb and plural, and no others, that it does; ``None``: all.
        silent: Verb and plural that are never answered.
        before_patch: Run once before the next patch is applied: somebody else.
        ignores_patches: Patches are answered well and not applied.
        frozen: What the EndpointSlices go on showing, whatever the selector says.
        on_deployment: The Deployment's controller: run before each time that a Deployment is read.
        patched: Content type and body of each patch.
        asked: Verb and plural of everything that was asked.
        drops: How many of the next reads are broken off without an answer.
        body: Answered to everything, as HTML, where set.
    """

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Answer)
        self.objects: dict[str, dict[str, dict[str, Any]]] = {plural: {} for plural in KINDS}
        self.namespace = NAMESPACE
        self.denied: set[tuple[str, str]] = set()
        self.allowed: set[tuple[str, str]] | None = None
        self.silent: set[tuple[str, str]] = set()
        self.before_patch: Callable[[], object] | None = None
        self.ignores_patches = False
        self.frozen: set[str] | None = None
        self.on_deployment: Callable[[dict[str, Any]], object] = lambda _deployment: None
        self.patched: list[tuple[str, Any]] = []
        self.asked: set[tuple[str, str]] = set()
        self.drops = 0
        self.body: str | None = None
        self.closing = threading.Event()
        self._version = 0
        self._lock = threading.RLock()
        self._serving = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def start(self) -> None:
        """Answer on loopback."""
        self._serving.start()

    def stop(self) -> None:
        """Answer no more, and end what hangs."""
        self.closing.set()
        self.shutdown()
        self._serving.join()
        self.server_close()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def kubeconfig(self, path: Path, *, token: str = TOKEN) -> Path:
        """A kubeconfig that leads here, written to ``path``."""
        path.write_text(
            json.dumps(
                {
                    "current-context": "here",
                    "clusters": [{"name": "here", "cluster": {"server": self.url}}],
                    "users": [{"name": "ec", "user": {"token": token}}],
                    "contexts": [
                        {"name": "here", "context": {"cluster": "here", "user": "ec", "namespace": NAMESPACE}}
                    ],
                }
            ),
            encoding="utf-8",
        )
        return path

    def allow(self, shown: Sequence[Mapping[str, Any]]) -> None:
        """Let the user do what these rules of a Role say, and nothing else."""
        self.allowed = {(verb, plural) for rule in shown for plural in rule["resources"] for verb in rule["verbs"]}

    def put(self, plural: str, name: str, spec: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Make or replace an object, as somebody else would."""
        with self._lock:
            before = self.objects[plural].get(name, {}).get("metadata", {})
            metadata = {"name": name, "namespace": NAMESPACE, "labels": more.pop("labels", {})}
            found = {"metadata": {**metadata, "generation": before.get("generation", 0)}, "spec": spec, **more}
            return self._store(plural, found, generation=1)

    def merge(self, plural: str, name: str, document: dict[str, Any]) -> None:
        """Change part of an object, as somebody else would."""
        with self._lock:
            self._store(plural, dict(apply_merge(self.objects[plural][name], document)), generation=1)

    def remove(self, plural: str, name: str) -> None:
        """End an object, as somebody else would."""
        with self._lock:
            del self.objects[plural][name]

    def pod(self, name: str, labels: dict[str, str], *, ready: bool = True) -> None:
        """A pod with these labels."""
        status = {"conditions": [{"type": "Ready", "status": "True" if ready else "False"}]}
        self.put("pods", name, {"containers": []}, labels=labels, status=status)

    def _store(self, plural: str, found: dict[str, Any], *, generation: int = 0) -> dict[str, Any]:
        self._version += 1
        found["metadata"]["resourceVersion"] = str(self._version)
        found["metadata"]["generation"] += generation
        self.objects[plural][found["metadata"]["name"]] = found
        return found

    def get(self, plural: str, name: str) -> dict[str, Any]:
        """One object.

        Raises:
            RefusedError: 404.
        """
        with self._lock:
            if name not in self.objects[plural]:
                raise RefusedError(404, f'{plural} "{name}" not found')
            found = self.objects[plural][name]
            if plural == "deployments":
                self.on_deployment(found)
            return deepcopy(found)

    def list(self, plural: str, labels: dict[str, str]) -> list[dict[str, Any]]:
        """The objects with these labels; EndpointSlices are made from Services and pods."""
        with self._lock:
            found = list(self.objects[plural].values()) if plural != "endpointslices" else self._slices()
            return [one for one in found if labels.items() <= one["metadata"]["labels"].items()]

    def _slices(self) -> list[dict[str, Any]]:
        return [self._slice(service) for service in self.objects["services"].values()]

    def _slice(self, service: dict[str, Any]) -> dict[str, Any]:
        selector, name = service["spec"].get("selector", {}), service["metadata"]["name"]
        chosen = {
            pod["metadata"]["name"]: pod["status"]["conditions"][0]["status"] == "True"
            for pod in self.objects["pods"].values()
            if selector and selector.items() <= pod["metadata"]["labels"].items()
        }
        shown = chosen if self.frozen is None else dict.fromkeys(self.frozen, True)
        endpoints = [
            {"addresses": ["10.0.0.1"], "conditions": {"ready": ready}, "targetRef": {"kind": "Pod", "name": pod}}
            for pod, ready in shown.items()
        ]
        metadata = {"name": f"{name}-x", "namespace": NAMESPACE, "labels": {SERVICE_NAME: name}}
        return {"metadata": metadata, "addressType": "IPv4", "endpoints": endpoints}

    def patch(self, plural: str, name: str, kind: str, patch: Any, *, dry: bool = False) -> dict[str, Any]:
        """The object after a patch, which a dry run does not keep.

        Raises:
            RefusedError: 404, 409, 415 or 422.
        """
        somebody, self.before_patch = self.before_patch, None
        if somebody:
            somebody()
        with self._lock:
            found = self.get(plural, name)
            changed = _patched(plural, found, kind, patch)
            if changed["metadata"].get("resourceVersion") not in {ANY, found["metadata"]["resourceVersion"]}:
                raise RefusedError(
                    409, f'Operation cannot be fulfilled on {plural} "{name}": the object has been modified'
                )
            if '"weight": -' in json.dumps(changed):
                raise RefusedError(422, "spec.weight: Invalid value: should be greater than or equal to 0")
            if dry:
                return changed
            self.patched.append((kind, patch))
            if changed == found or self.ignores_patches:
                return found
            return deepcopy(self._store(plural, changed, generation=1))


def _patched(plural: str, found: dict[str, Any], kind: str, patch: Any) -> dict[str, Any]:
    custom = plural in {"httproutes", "virtualservices", "destinationrules"}
    match kind:
        case "application/json-patch+json":
            try:
                changed: dict[str, Any] = apply_json(found, patch)
            except TestFailedError as exc:
                message = "the server rejected our request due to an error in our request"
                raise RefusedError(422, message) from exc
            return changed
        case "application/merge-patch+json":
            return dict(apply_merge(found, patch))
        case "application/strategic-merge-patch+json" if not custom:
            return dict(apply_merge(found, patch, strategic=True))
    raise RefusedError(415, f"the body of the request was in an unknown format: {kind}")


class _Answer(BaseHTTPRequestHandler):
    server: Api
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one packet, or each answer waits 40 ms for an acknowledgement

    def do_GET(self) -> None:
        self._answer("get")

    def do_PATCH(self) -> None:
        self._answer("patch")

    def _answer(self, verb: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = urlsplit(self.path)
        _, _, after = parts.path.partition(f"/namespaces/{NAMESPACE}/")
        plural, _, name = after.partition("/")
        verb = verb if name else "list"
        self.server.asked.add((verb, plural))
        if (verb, plural) in self.server.silent:
            self.server.closing.wait(30)
            return
        if verb != "patch" and self.server.drops:
            self.server.drops -= 1
            self.close_connection = True
            return
        try:
            self._admit(verb, plural, name)
            self._say(200, self._found(verb, plural, name, parts.query, body))
        except RefusedError as exc:
            reason = REASONS.get(exc.code, "Unknown")
            status = {"kind": "Status", "apiVersion": "v1", "status": "Failure"}
            self._say(exc.code, {**status, "message": exc.message, "reason": reason, "code": exc.code})

    def _admit(self, verb: str, plural: str, name: str) -> None:
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise RefusedError(401, "Unauthorized")
        if plural not in KINDS:
            raise RefusedError(404, "the server could not find the requested resource")
        unlisted = self.server.allowed is not None and (verb, plural) not in self.server.allowed
        if unlisted or (verb, plural) in self.server.denied:
            what = f'{plural} "{name}"' if name else plural
            raise RefusedError(403, f'{what} is forbidden: User "ec" cannot {verb} resource "{plural}"')

    def _found(self, verb: str, plural: str, name: str, query: str, body: bytes) -> dict[str, Any]:
        if verb == "list":
            selector = parse_qs(query).get("labelSelector", [""])[0]
            labels = dict(part.split("=", 1) for part in selector.split(",") if part)
            return {"kind": f"{KINDS[plural]}List", "metadata": {}, "items": self.server.list(plural, labels)}
        if verb == "patch":
            dry = "dryRun=All" in query
            return self.server.patch(plural, name, self.headers["Content-Type"], json.loads(body), dry=dry)
        return self.server.get(plural, name)

    def _say(self, code: int, document: Any) -> None:
        html = self.server.body
        said = (json.dumps(document) if html is None else html).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json" if html is None else "text/html")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the signature of http.server
        """Nothing: tests are silent."""
