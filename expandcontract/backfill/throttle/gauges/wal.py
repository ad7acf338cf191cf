"""How fast the whole server writes WAL."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from expandcontract.core.throttle import Reading, Sample, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.backfill.throttle.gauge import Scope

AVERAGED = 5
"""Over how many looks: two seconds."""


class Wal:
    """The rate over the last two seconds, ours and everybody else's together."""

    signals = (Signal.WAL_BYTES_PER_S,)

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque(maxlen=AVERAGED)

    def read(self, scope: Scope) -> Iterator[Reading]:
        """The rate since the oldest sample; 0 at the first look."""
        self._samples.append(Sample(at_s=time.monotonic(), position=scope.ask("written")[0]["position"]))
        first, last = self._samples[0], self._samples[-1]
        elapsed = last.at_s - first.at_s
        rate = (last.position - first.position) / elapsed if elapsed > 0 else 0.0
        yield scope.reading(Signal.WAL_BYTES_PER_S, rate)
