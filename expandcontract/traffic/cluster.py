"""One namespace of a Kubernetes API server: get, list and JSON patch, each error told with what to type next.

Rules for the next editor:

1. Objects are changed by JSON patch alone: a merge patch replaces lists (a sidecar, a rule's filters are lost), and a
   strategic patch with a mistyped name adds a third container and is refused for custom resources (415).
2. lightkube is imported inside functions: it is an extra, and nobody who has no cluster pays for it.
3. A dropped answer says nothing about what was done: only reads are tried again, after a patch the caller reads back.

https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any
from weakref import finalize

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from expandcontract.errors import ConfigError, SwitchError, TrafficError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

TIMEOUT = 10.0  # seconds for one answer
PATIENCE = 1.0  # seconds for which a read that finds nobody is tried again
PAUSE = 0.2  # seconds between two tries
INVALID = 422
SAID = 200  # characters quoted of an answer that is no Kubernetes status

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object.

    Attributes:
        name: As in ``kind:``.
        plural: As in addresses and in RBAC rules.
        group: API group; empty for the core.
        version: Version within the group.
        module: Of ``lightkube.resources``, for what comes with Kubernetes; ``None`` for a custom resource.
    """

    name: str
    plural: str
    group: str
    version: str
    module: str | None = None

    @property
    def rule(self) -> str:
        """As ``kubectl`` wants it: ``httproutes.gateway.networking.k8s.io``."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


SERVICE = Kind("Service", "services", "", "v1", "core_v1")
POD = Kind("Pod", "pods", "", "v1", "core_v1")
SLICE = Kind("EndpointSlice", "endpointslices", "discovery.k8s.io", "v1", "discovery_v1")
DEPLOYMENT = Kind("Deployment", "deployments", "apps", "v1", "apps_v1")


class Cluster:
    """One namespace, seen with the rights of one kubeconfig or service account.

    Args:
        kubeconfig: File; ``None``: the pod's service account, else ``$KUBECONFIG``, else ``~/.kube/config``.
        context: Context of that file; ``None``: its current one.
        namespace: ``None``: the context's own.
        fails: The error to raise.
        timeout: Seconds for one answer.
        patience: Seconds for which a read is tried again while the API server is away.

    Raises:
        ConfigError: The extra ``kubernetes`` is not installed.
    """

    def __init__(
        self,
        kubeconfig: str | None = None,
        context: str | None = None,
        namespace: str | None = None,
        *,
        fails: type[TrafficError] = SwitchError,
        timeout: float = TIMEOUT,
        patience: float = PATIENCE,
    ) -> None:
        try:
            import_module("lightkube")
        except ImportError as exc:
            msg = "Kubernetes is reached through lightkube, which is not installed"
            raise ConfigError(msg, hint="pip install 'expandcontract[kubernetes]'") from exc
        self.fails = fails
        self._kubeconfig, self._context, self._namespace = kubeconfig, context, namespace
        self._timeout, self._patience = timeout, patience

    @property
    def namespace(self) -> str:
        """The namespace that is looked into."""
        return self._namespace or str(self._client.namespace)

    def get(self, kind: Kind, name: str) -> Object:
        """The object of that name.

        Raises:
            TrafficError: It is not there, may not be read, or the API server does not answer.
        """
        with self._told("get", kind, name):
            return _plain(self._patient()(self._client.get, _resource(kind), name, namespace=self.namespace))

    def list(self, kind: Kind, labels: Mapping[str, str] | None = None) -> list[Object]:
        """The objects that have all these labels.

        Raises:
            TrafficError: They may not be listed, or the API server does not answer.
        """
        with self._told("list", kind):
            return [_plain(one) for one in self._patient()(self._all, kind, dict(labels or {}) or None)]

    def _all(self, kind: Kind, labels: dict[str, str] | None) -> tuple[Any, ...]:
        return tuple(self._client.list(_resource(kind), namespace=self.namespace, labels=labels))

    def _patient(self) -> Retrying:
        import httpx2  # noqa: PLC0415  # comes with the extra

        away = retry_if_exception_type(httpx2.TransportError)
        return Retrying(retry=away, stop=stop_after_delay(self._patience), wait=wait_fixed(PAUSE), reraise=True)

    def patch(
        self, kind: Kind, found: Object, operations: Sequence[Mapping[str, Any]], *, dry_run: bool = False
    ) -> Object:
        """The object after one atomic JSON patch (RFC 6902): all of the operations, or none.

        Args:
            kind: Kind of the object.
            found: The object as it was read; its state is what the ``test`` operations hold on to.
            operations: The patch.
            dry_run: Let the API server do all but keep it.

        Raises:
            TrafficError: Somebody else changed it since it was read, it may not be patched, or is refused.
        """
        import httpx2  # noqa: PLC0415  # comes with the extra
        from lightkube.types import PatchType  # noqa: PLC0415  # the extra

        name = found["metadata"]["name"]
        with self._told("patch", kind, name):
            try:
                done = self._client.patch(
                    _resource(kind),
                    name,
                    list(operations),
                    namespace=self.namespace,
                    patch_type=PatchType.JSON,
                    dry_run=dry_run,
                )
            except httpx2.HTTPStatusError as exc:
                if exc.response.status_code == INVALID and self._moved(kind, found):
                    raise self._by_someone_else(kind, name) from exc
                raise
            return _plain(done)

    def may_patch(self, kind: Kind, name: str) -> str:
        """That the object may be patched, found out by a dry run of a patch that changes nothing anyway.

        Raises:
            TrafficError: It may not, or it is not there, or the API server does not answer.
        """
        found = self.get(kind, name)
        version = found["metadata"].get("resourceVersion")
        test = {"op": "test", "path": "/metadata/resourceVersion", "value": version}
        self.patch(kind, found, [test], dry_run=True)
        return f"{kind.name} {name} in namespace {self.namespace} may be patched"

    def look(self, kind: Kind, name: str) -> str:
        """The command that shows an object."""
        return f"kubectl -n {self.namespace} get {kind.rule} {name} -o yaml"

    def _moved(self, kind: Kind, found: Object) -> bool:
        """Whether it changed since; a failed ``test`` and an invalid value are both answered 422."""
        now = self.get(kind, found["metadata"]["name"])
        return bool(now["metadata"].get("resourceVersion") != found["metadata"].get("resourceVersion"))

    def _by_someone_else(self, kind: Kind, name: str) -> TrafficError:
        msg = f"someone else moved {kind.name} {name} between reading and writing; nothing was changed"
        return self.fails(msg, hint=f"{self.look(kind, name)}; then the same command again")

    @cached_property
    def _client(self) -> Any:
        import lightkube  # noqa: PLC0415  # the extra
        from lightkube.config.models import User  # noqa: PLC0415  # the extra

        try:
            source = self._kubeconfig
            known = lightkube.KubeConfig.from_file(source) if source else lightkube.KubeConfig.from_env()
            config = known.get(self._context)
            if config is not None and config.user is None:  # a proxy on this machine may ask for no user
                config = config._replace(user=User())
            import httpx2  # noqa: PLC0415  # comes with the extra

            client = lightkube.Client(
                config, field_manager="expandcontract", timeout=httpx2.Timeout(self._timeout), lazy=False
            )
        except Exception as exc:  # a file of the user's own: anything may be wrong with it
            msg = f"no usable kubeconfig: {exc or type(exc).__name__}"
            raise self.fails(
                msg, hint="kubectl config view; then set the options kubeconfig and context, or the variable KUBECONFIG"
            ) from exc
        finalize(self, client.close)  # its connections end with us, not whenever the collector comes by
        return client

    @contextmanager
    def _told(self, verb: str, kind: Kind, name: str = "") -> Iterator[None]:
        import httpx2  # noqa: PLC0415  # comes with the extra
        from lightkube.core.exceptions import ConfigError as Unusable  # noqa: PLC0415  # the extra

        server = self._client.config.cluster.server
        what = f"{verb} {kind.name} {name}".strip()
        try:
            yield
        except httpx2.HTTPStatusError as exc:
            raise self._refused(exc, verb, kind, name) from exc
        except httpx2.TimeoutException as exc:
            msg = f"the API server {server} did not answer within {self._timeout:g} s: {what}"
            raise self.fails(msg, hint=f"kubectl get --raw /readyz{self._unsure(verb, kind, name)}") from exc
        except (httpx2.HTTPError, httpx2.InvalidURL, Unusable, OSError, LookupError, ValueError) as exc:
            msg = f"the API server {server} cannot be reached or is none: {what}: {exc or type(exc).__name__}"
            hint = f"kubectl get --raw /readyz; then mend the kubeconfig{self._unsure(verb, kind, name)}"
            raise self.fails(msg, hint=hint) from exc

    def _unsure(self, verb: str, kind: Kind, name: str) -> str:
        return f"; whether it was done, {self.look(kind, name)} shows" if verb == "patch" else ""

    def _refused(self, exc: Any, verb: str, kind: Kind, name: str) -> TrafficError:
        code = exc.response.status_code
        status = getattr(exc, "status", None)
        said = str(status.message if status else exc.response.text)[:SAID].strip()
        place = f"-n {self.namespace}"
        if code == 409:  # noqa: PLR2004  # Conflict
            return self._by_someone_else(kind, name)
        hints = {
            401: "renew the credentials of the kubeconfig; kubectl auth whoami",
            403: f"kubectl {place} auth can-i {verb} {kind.rule}; the rule needed: docs/reference/kubernetes.md",
            404: f"kubectl {place} get {kind.rule}",
            422: f"{self.look(kind, name)}; mend what the API server names",
        }
        msg = f"the API server refused to {verb} {kind.name} {name}".rstrip() + f" ({code}): {said}"
        return self.fails(msg, hint=hints.get(code, "the same command again, once kubectl get --raw /readyz says ok"))


def _resource(kind: Kind) -> Any:
    if kind.module:
        return getattr(import_module(f"lightkube.resources.{kind.module}"), kind.name)
    from lightkube.generic_resource import create_namespaced_resource  # noqa: PLC0415  # the extra

    return create_namespaced_resource(kind.group, kind.version, kind.name, kind.plural)


def _plain(found: Any) -> Object:
    plain: Object = found.to_dict()
    return plain


def pointer(*parts: object) -> str:
    """A JSON pointer (RFC 6901); a label may hold a slash."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def open_cluster(
    options: Mapping[str, object], *, fails: type[TrafficError] = SwitchError, patience: float = PATIENCE
) -> Cluster:
    """From the settings ``kubeconfig``, ``context`` and ``namespace``, none of which is needed.

    Raises:
        ConfigError: The extra ``kubernetes`` is not installed.
    """
    kubeconfig, context, namespace = (
        None if options.get(name) is None else str(options[name]) for name in ("kubeconfig", "context", "namespace")
    )
    return Cluster(kubeconfig, context, namespace, fails=fails, patience=patience)
