"""A Service whose selector names the color: one JSON patch, all of the traffic or none.

It works per connection: a client that keeps its connection stays on the old color until one of the two closes it.
https://kubernetes.io/docs/concepts/services-networking/service/
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from time import sleep
from typing import TYPE_CHECKING

from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from expandcontract.core.color import FULL, Color, Weights
from expandcontract.core.duration import in_words, parse
from expandcontract.errors import ConfigError, SwitchError, UsageError
from expandcontract.traffic.checks import attempt
from expandcontract.traffic.cluster import SERVICE, open_cluster, pointer
from expandcontract.traffic.endpoints import endpoints, pods
from expandcontract.traffic.switch import Abilities, option

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from expandcontract.traffic.checks import Check
    from expandcontract.traffic.cluster import Cluster, Object

SETTLED_WITHIN = 30.0  # seconds until the EndpointSlices must show the new color alone
PAUSE = 0.1  # seconds between two looks
NO_OVERLAP = timedelta()


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
        overlap: For how long the selector names both colors between one and the other; none: at no time.
    """

    def __init__(
        self,
        cluster: Cluster,
        service: str,
        key: str = "version",
        values: Mapping[Color, str] | None = None,
        *,
        within: float = SETTLED_WITHIN,
        overlap: timedelta = NO_OVERLAP,
    ) -> None:
        self._cluster = cluster
        self._service = service
        self._key = key
        self._values = dict(values or {color: str(color) for color in Color})
        self._within = within
        self._overlap = overlap
        warning = "clients that keep their connections stay with the color they have"
        if overlap:
            warning += f"; between one and the other both get connections for {in_words(overlap)}, by their pods"
        self.abilities = Abilities(gradual=False, per_request=False, warning=warning)

    def read(self) -> Weights:
        """All of the traffic on the color that the selector names; by ready pods, while it names both.

        Raises:
            SwitchError: The API server does not answer, or the selector names neither color.
        """
        found = self._cluster.get(SERVICE, self._service)
        return self._shared(found) if self._overlaps(found) else Weights.toward(self._color(found))

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
        between = self._overlaps(found)
        labels = self._labels(found, target)
        if between or self._color(found) is not target:
            self._need_ready(target, labels)
            if self._overlap and not between:
                found = self._name_both(found, target)
            change = {"op": "add", "path": self._path, "value": self._values[target]}  # also replaces
            self._cluster.patch(SERVICE, found, [*self._tests(found), change])
        self._await(target, lambda: self._shows(labels))

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

    @property
    def _path(self) -> str:
        return pointer("spec", "selector", self._key)

    def _labels(self, found: Object, color: Color) -> dict[str, str]:
        return {**found["spec"]["selector"], self._key: self._values[color]}

    def _tests(self, found: Object) -> list[dict[str, str]]:
        same = {"op": "test", "path": "/metadata/resourceVersion", "value": found["metadata"]["resourceVersion"]}
        value = found["spec"]["selector"].get(self._key)
        return [same] if value is None else [same, {"op": "test", "path": self._path, "value": value}]

    def _overlaps(self, found: Object) -> bool:
        """Whether it is between two colors, where we leave it for a while, and a crash leaves it for longer."""
        selector = found["spec"].get("selector")
        return bool(self._overlap and selector) and self._key not in selector

    def _shared(self, found: Object) -> Weights:
        """The share that connections are dealt out by; never all, so that it counts as under way."""
        counts = {color: len(pods(self._cluster, self._labels(found, color), ready=True)) for color in Color}
        share = FULL * counts[Color.BLUE] // (sum(counts.values()) or 1)
        return Weights.toward(Color.BLUE, min(max(share, 1), FULL - 1))

    def _name_both(self, found: Object, target: Color) -> Object:
        """Take the label out of the selector, see the target's endpoints beside the others, and stay for a while.

        Raises:
            SwitchError: Without the label it would select something else too, or the EndpointSlices do not follow.
        """
        rest = {key: value for key, value in found["spec"]["selector"].items() if key != self._key}
        own = {color: pods(self._cluster, self._labels(found, color), ready=False) for color in Color}
        strange = pods(self._cluster, rest, ready=False) - own[Color.BLUE] - own[Color.GREEN] if rest else set()
        if strange or not rest:
            also = f"would also lead to {', '.join(sorted(strange))}" if strange else "would select no pod by label"
            msg = f"without the label {self._key} Service {self._service} {also}; it was left as it is"
            hint = "give the pods of both colors a label of their own, like app, or leave traffic.options.overlap out"
            raise SwitchError(msg, hint=hint)
        change = {"op": "remove", "path": self._path}
        found = self._cluster.patch(SERVICE, found, [*self._tests(found), change])
        self._await(target, lambda: self._shows_beside(own[target]))
        sleep(self._overlap.total_seconds())
        return found

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

    def _await(self, target: Color, shows: Callable[[], None]) -> None:
        policy = Retrying(
            retry=retry_if_exception_type(_NotYetError), stop=stop_after_delay(self._within), wait=wait_fixed(PAUSE)
        )
        try:
            policy(shows)
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

    def _shows_beside(self, target: set[str]) -> None:
        if not endpoints(self._cluster, self._service) & target:
            raise _NotYetError("its EndpointSlices do not show it beside the other color")


def _span(options: Mapping[str, object]) -> timedelta:
    try:
        return parse(str(options["overlap"])) if "overlap" in options else NO_OVERLAP
    except UsageError as exc:
        msg = f"traffic.options.overlap: {exc.message}"
        raise ConfigError(msg, hint=exc.hint) from exc


def open_service(options: Mapping[str, object]) -> ServiceSwitch:
    """From settings ``service``; also ``key``, ``blue``, ``green``, ``overlap``, and those of the cluster."""
    return ServiceSwitch(
        open_cluster(options),
        option(options, "service", "kubernetes-service"),
        str(options.get("key", "version")),
        {color: str(options.get(str(color), color)) for color in Color},
        overlap=_span(options),
    )
