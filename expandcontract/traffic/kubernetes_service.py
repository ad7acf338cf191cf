"""A Service whose selector names the color: one JSON patch, all of the traffic or none.

It works per connection: a client that keeps its connection stays on the old color until one of the two closes it.
https://kubernetes.io/docs/concepts/services-networking/service/
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from expandcontract.core.color import Color, Weights
from expandcontract.errors import SwitchError
from expandcontract.traffic.checks import attempt
from expandcontract.traffic.cluster import SERVICE, open_cluster, pointer
from expandcontract.traffic.endpoints import endpoints, pods
from expandcontract.traffic.switch import Abilities, option

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from expandcontract.traffic.checks import Check
    from expandcontract.traffic.cluster import Cluster, Object

SETTLED_WITHIN = 30.0  # seconds until the EndpointSlices must show the new color alone
PAUSE = 0.1  # seconds between two looks


class _NotYetError(Exception):
    """The EndpointSlices still show something else."""


class ServiceSwitch:
    """One Service, in front of the pods of both colors.

    Args:
        cluster: Where it is.
        service: Its name.
        key: The label that tells the colors apart.
        values: What the label says for each color.
        within: Seconds until the EndpointSlices must have followed.
    """

    abilities = Abilities(
        gradual=False, per_request=False, warning="clients that keep their connections stay with the color they have"
    )

    def __init__(
        self,
        cluster: Cluster,
        service: str,
        key: str = "version",
        values: Mapping[Color, str] | None = None,
        *,
        within: float = SETTLED_WITHIN,
    ) -> None:
        self._cluster = cluster
        self._service = service
        self._key = key
        self._values = dict(values or {color: str(color) for color in Color})
        self._within = within

    def read(self) -> Weights:
        """All of the traffic on the color that the selector names.

        Raises:
            SwitchError: The API server does not answer, or the selector names neither color.
        """
        return Weights.toward(self._color(self._cluster.get(SERVICE, self._service)))

    def write(self, weights: Weights) -> None:
        """Let the selector name the other color, and wait until its EndpointSlices show that color alone.

        Raises:
            SwitchError: A share was asked for, the color has no ready pod, somebody else moved the selector, or the
                EndpointSlices do not follow.
        """
        target = weights.live
        if target is None:
            msg = f"Service {self._service} gives a color all of the traffic or none, not {weights}"
            raise SwitchError(msg, hint="traffic.steps = [100]; gateway-api, istio and envoy can share it")
        found = self._cluster.get(SERVICE, self._service)
        now = self._color(found)
        labels = {**found["spec"]["selector"], self._key: self._values[target]}
        if now is not target:
            self._need_ready(target, labels)
            self._cluster.patch(SERVICE, found, self._operations(found, target))
        self._settle(target, labels)

    def checks(self) -> Iterator[Check]:
        """The Service may be patched, and pods and EndpointSlices be listed; the patch is a dry run that only tests."""
        yield attempt("", lambda: self._cluster.may_patch(SERVICE, self._service))
        for color in Color:
            yield attempt("", partial(self._pods, color))
        yield attempt("EndpointSlices may be listed", lambda: endpoints(self._cluster, self._service))

    def _pods(self, color: Color) -> str:
        selector = self._cluster.get(SERVICE, self._service)["spec"].get("selector") or {}
        labels = {**selector, self._key: self._values[color]}
        return f"{color} has {len(pods(self._cluster, labels, ready=True))} ready pods"

    def _operations(self, found: Object, target: Color) -> list[dict[str, str]]:
        path = pointer("spec", "selector", self._key)
        return [
            {"op": "test", "path": "/metadata/resourceVersion", "value": found["metadata"]["resourceVersion"]},
            {"op": "test", "path": path, "value": found["spec"]["selector"][self._key]},
            {"op": "replace", "path": path, "value": self._values[target]},
        ]

    def _color(self, found: Object) -> Color:
        value = (found["spec"].get("selector") or {}).get(self._key)
        for color, own in self._values.items():
            if value == own:
                return color
        said = "does not name" if value is None else f"says {value!r} for"
        blue, green = self._values[Color.BLUE], self._values[Color.GREEN]
        msg = f"the selector of Service {self._service} {said} the label {self._key}, which should be {blue} or {green}"
        namespace = self._cluster.namespace
        patch = f'{{"spec": {{"selector": {{"{self._key}": "{blue}"}}}}}}'
        raise SwitchError(msg, hint=f"kubectl -n {namespace} patch service {self._service} -p '{patch}'")

    def _need_ready(self, target: Color, labels: Mapping[str, str]) -> None:
        if not pods(self._cluster, labels, ready=True):
            shown = ",".join(f"{key}={value}" for key, value in labels.items())
            msg = f"{target} has no ready pod ({shown}); Service {self._service} was left as it is"
            raise SwitchError(msg, hint=f"kubectl -n {self._cluster.namespace} get pods -l {shown}")

    def _settle(self, target: Color, labels: Mapping[str, str]) -> None:
        policy = Retrying(
            retry=retry_if_exception_type(_NotYetError), stop=stop_after_delay(self._within), wait=wait_fixed(PAUSE)
        )
        try:
            policy(self._shows, labels)
        except RetryError as exc:
            why = exc.last_attempt.exception()
            msg = f"Service {self._service} names {target}, but after {self._within:g} s {why}"
            look = f"get endpointslices -l kubernetes.io/service-name={self._service}"
            raise SwitchError(msg, hint=f"kubectl -n {self._cluster.namespace} {look}") from exc

    def _shows(self, labels: Mapping[str, str]) -> None:
        shown = endpoints(self._cluster, self._service)
        if not shown:
            raise _NotYetError("its EndpointSlices show no ready endpoint")
        strange = shown - pods(self._cluster, labels, ready=False)
        if strange:
            msg = f"its EndpointSlices still show {', '.join(sorted(strange))}"
            raise _NotYetError(msg)


def open_service(options: Mapping[str, object]) -> ServiceSwitch:
    """From settings ``service``; also ``key``, ``blue``, ``green``, and those of the cluster."""
    return ServiceSwitch(
        open_cluster(options),
        option(options, "service", "kubernetes-service"),
        str(options.get("key", "version")),
        {color: str(options.get(str(color), color)) for color in Color},
    )
