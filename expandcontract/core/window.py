"""The rollback window: how long the way back stays open after cut-over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from expandcontract.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime

DEFAULT_LENGTH = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Window:
    """How long, and since when.

    Attributes:
        length: How long the way back is kept.
        opened_at: The last moment at which a release that does not speak ``new`` could serve traffic, on the
            database's clock; ``None`` while one still can.
    """

    length: timedelta = DEFAULT_LENGTH
    opened_at: datetime | None = None

    @property
    def closes_at(self) -> datetime | None:
        """The first moment at which the window has expired, or ``None`` while it has not opened."""
        return None if self.opened_at is None else self.opened_at + self.length

    def remaining(self, now: datetime) -> timedelta | None:
        """How long until it expires; zero once it has, ``None`` while it has not opened."""
        closes_at = self.closes_at
        return None if closes_at is None else max(closes_at - now, timedelta())

    def expired(self, now: datetime) -> bool:
        """Whether the window has opened and its whole length has passed."""
        return self.remaining(now) == timedelta()

    def resized(self, length: timedelta) -> Window:
        """The same window with another length: longer at any time, shorter only before it has opened.

        Raises:
            UsageError: ``length`` is negative, or shorter than now while the window runs.
        """
        if length < timedelta():
            msg = f"a rollback window cannot be negative, {length} was asked for"
            raise UsageError(msg)
        if self.opened_at is not None and length < self.length:
            msg = f"the rollback window has opened and is {self.length}; it can only be lengthened, not set to {length}"
            raise UsageError(msg, hint="ec window CHANGE --extend 24h")
        return replace(self, length=length)
