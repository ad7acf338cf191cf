"""How far standbys are behind, in time and in bytes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from expandcontract.core.throttle import Reading, Sample, Signal, Unknown, behind_s

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.backfill.throttle.gauge import Scope

KEPT_S = 60.0


class Replicas:
    """Compares what a standby has replayed with where the primary was, by samples of its own.

    ``replay_lag`` of the server is missing, or stays what it was, where replay is paused. It is asked only for a
    standby that was behind before the first sample.
    https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-REPLICATION-VIEW
    """

    signals = (Signal.REPLICA_LAG, Signal.REPLICA_LAG_BYTES)

    def __init__(self) -> None:
        self._samples: list[Sample] = []

    def read(self, scope: Scope) -> Iterator[Reading | Unknown]:
        """The standby that is furthest behind, of those that are not excepted by name."""
        position = scope.ask("written")[0]["position"]
        self._keep(Sample(at_s=time.monotonic(), position=position), scope.limits.of.get(Signal.REPLICA_LAG, 0.0))
        found = [row for row in scope.ask("replicas") if row["name"] not in scope.limits.except_replicas]
        seen = [row for row in found if row["replayed"] is not None]
        for signal in self.signals:
            if signal not in scope.limits.of:
                continue
            if any(row["hidden"] for row in found):
                yield scope.hidden(signal, "how far standbys are")
                continue
            worst, who = 0.0, ""
            for row in seen:
                behind = self._behind_s(row) if signal is Signal.REPLICA_LAG else max(0, position - row["replayed"])
                if behind > worst:
                    worst, who = float(behind), f"{row['name']} at {row['address']}"
            yield scope.reading(signal, worst, who)

    def _keep(self, sample: Sample, limit_s: float) -> None:
        self._samples.append(sample)
        oldest = sample.at_s - max(KEPT_S, 2 * limit_s)
        while self._samples[0].at_s < oldest:
            del self._samples[0]

    def _behind_s(self, row: dict[str, float]) -> float:
        own = behind_s(self._samples, int(row["replayed"]))
        told = row["told_s"] if row["replayed"] < self._samples[0].position else None
        return max(own, told or 0.0)
