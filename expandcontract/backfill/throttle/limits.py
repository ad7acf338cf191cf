"""What is watched, and how much of it is allowed: settled once, given to every sampler."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from expandcontract.core.throttle import Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of a backfill; with none, nothing is watched.

    Attributes:
        of: The highest allowed value of each signal that is watched, in the signal's unit.
        explicit: The signals whose limit somebody chose; what cannot be read of them stops the backfill.
        except_replicas: Names of standbys whose lag is of no concern.
        query: SQL that gives one number.
        command: Ends with 0 while all is well.
        url: Answers 2xx while all is well.
        vacuum_share: From which share of dead rows on a relation is vacuumed; ``None``: never.
    """

    of: Mapping[Signal, float] = field(default_factory=dict)
    explicit: frozenset[Signal] = frozenset()
    except_replicas: frozenset[str] = frozenset()
    query: str | None = None
    command: Sequence[str] = ()
    url: str | None = None
    vacuum_share: float | None = None
