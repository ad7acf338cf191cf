"""Who would answer: ready pods by label, ready endpoints by Service. Kubernetes takes a selector that selects nobody.

https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.traffic.cluster import POD, SLICE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from expandcontract.traffic.cluster import Cluster, Object


def pods(cluster: Cluster, labels: Mapping[str, str], *, ready: bool) -> set[str]:
    """Names of the pods with these labels.

    Args:
        cluster: Where.
        labels: All of them must be there.
        ready: Only those that take traffic: Ready, and not about to end.

    Raises:
        TrafficError: Pods may not be listed, or the API server does not answer.
    """
    return {pod["metadata"]["name"] for pod in cluster.list(POD, labels) if not ready or _is_ready(pod)}


def _is_ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions") or []
    ready = any(found["type"] == "Ready" and found["status"] == "True" for found in conditions)
    return ready and not pod["metadata"].get("deletionTimestamp")


def endpoints(cluster: Cluster, service: str) -> set[str]:
    """Names of what answers for a Service now: pods, or addresses where the endpoint is no pod.

    Raises:
        TrafficError: EndpointSlices may not be listed, or the API server does not answer.
    """
    return {
        (one.get("targetRef") or {}).get("name") or one["addresses"][0]
        for found in cluster.list(SLICE, {"kubernetes.io/service-name": service})
        for one in found.get("endpoints") or []
        if (one.get("conditions") or {}).get("ready") is not False  # unset means ready
    }
