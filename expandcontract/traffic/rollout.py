"""Whether a Deployment's rollout is done: kubectl's own algorithm, on what the API server says.

``Available`` alone would not do: with a broken image the old pods stay, and so does that condition.
https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

UNSET = 1  # replicas of a Deployment that does not say


@dataclass(frozen=True, slots=True)
class Rollout:
    """How far it is.

    Attributes:
        done: All pods are of the new template, and available.
        failed: The Deployment gave up: its progress deadline passed.
        evidence: What was seen, in words.
    """

    done: bool
    failed: bool
    evidence: str


def rollout(deployment: Mapping[str, Any]) -> Rollout:
    """How far the rollout of this Deployment is, as ``kubectl rollout status`` tells it."""
    status = deployment.get("status") or {}
    if deployment["metadata"].get("generation", 0) > status.get("observedGeneration", 0):
        return _waits("the change has not been seen by the Deployment's controller")
    for condition in status.get("conditions") or []:
        if condition["type"] == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded":
            return Rollout(
                done=False, failed=True, evidence=f"its progress deadline passed: {condition.get('message')}"
            )
    wanted = deployment["spec"].get("replicas", UNSET)
    updated, there = status.get("updatedReplicas", 0), status.get("replicas", 0)
    available = status.get("availableReplicas", 0)
    if updated < wanted:
        return _waits(f"{updated} of {wanted} pods are new")
    if there > updated:
        return _waits(f"{there - updated} old pods have not yet ended")
    if available < updated:
        return _waits(f"{available} of {updated} new pods are available")
    return Rollout(done=True, failed=False, evidence=f"{available} of {wanted} pods are new and available")


def _waits(evidence: str) -> Rollout:
    return Rollout(done=False, failed=False, evidence=evidence)
