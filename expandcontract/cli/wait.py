"""Asking a gate again until it opens."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from expandcontract.core.plan import Judgement

SHORTEST = timedelta(seconds=1)
LONGEST = timedelta(seconds=15)


def pause(judgement: Judgement, left: timedelta) -> timedelta | None:
    """How long to wait before asking again; ``None`` where that is of no use.

    Args:
        judgement: The last answer; its times are all on the database's clock.
        left: What is left of the caller's patience.
    """
    if judgement.open or left <= timedelta():
        return None
    ahead = LONGEST
    if judgement.opens_at is not None:
        ahead = judgement.opens_at - judgement.now
        if ahead > left:
            return None
    return min(max(ahead, SHORTEST), LONGEST, left)


def until_open(
    ask: Callable[[], Judgement],
    budget: timedelta | None,
    *,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Judgement:
    """The first answer that is open, or the last one before ``budget`` has passed.

    Args:
        ask: Judges anew.
        budget: How long to go on asking; ``None`` asks once.
        sleep: Waits that many seconds.
        clock: Seconds that only ever grow.
    """
    end = clock() + (budget or timedelta()).total_seconds()
    while True:
        judgement = ask()
        again = pause(judgement, timedelta(seconds=end - clock()))
        if again is None:
            return judgement
        sleep(again.total_seconds())
