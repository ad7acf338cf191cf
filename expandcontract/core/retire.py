"""Which release is still the way back of a change, and so may not be ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.phase import Phase

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from expandcontract.core.change import ChangeState
    from expandcontract.core.release import Release


def needed_by(release: Release, changes: Iterable[ChangeState], now: datetime) -> tuple[ChangeState, ...]:
    """The changes whose roll-back leads to ``release``; after cut-over only while the window has not expired."""
    return tuple(change for change in changes if _leads_to(change, release, now))


def _leads_to(change: ChangeState, release: Release, now: datetime) -> bool:
    if change.phase is Phase.CUT_OVER:
        before = None if change.window.expired(now) else change.before_cut_over
    elif change.phase in {Phase.DUAL_WRITING, Phase.BACKFILLED}:
        before = change.before_dual
    else:
        before = None
    return before is not None and before.version == release.version
