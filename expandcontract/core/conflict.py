"""Which table-level locks exclude which.

https://www.postgresql.org/docs/current/explicit-locking.html#TABLE-LOCK-COMPATIBILITY
"""

from __future__ import annotations

from dataclasses import dataclass

from expandcontract.core.effect import LockMode

_M = LockMode
_WITH: dict[LockMode, LockMode] = {  # each mode, and the weakest mode that it excludes
    _M.ACCESS_SHARE: _M.ACCESS_EXCLUSIVE,
    _M.ROW_SHARE: _M.EXCLUSIVE,
    _M.ROW_EXCLUSIVE: _M.SHARE,
    _M.SHARE_UPDATE_EXCLUSIVE: _M.SHARE_UPDATE_EXCLUSIVE,
    _M.SHARE: _M.ROW_EXCLUSIVE,
    _M.SHARE_ROW_EXCLUSIVE: _M.ROW_EXCLUSIVE,
    _M.EXCLUSIVE: _M.ROW_SHARE,
    _M.ACCESS_EXCLUSIVE: _M.ACCESS_SHARE,
}


@dataclass(frozen=True, slots=True)
class Claim:
    """A lock that is going to be asked for.

    Attributes:
        relation: The table's name as SQL writes it, quoted where it must be.
        mode: How it will be locked; its partitions are locked alike.
    """

    relation: str
    mode: LockMode


def conflicting(mode: LockMode) -> tuple[LockMode, ...]:
    """The modes that cannot be held by another while ``mode`` is, weakest first."""
    return tuple(other for other in LockMode if other >= _WITH[mode] and not _friends(mode, other))


def _friends(mode: LockMode, other: LockMode) -> bool:
    # SHARE is the one mode that goes with itself and not with a weaker one
    return mode is other is LockMode.SHARE


def catalogue_name(mode: LockMode) -> str:
    """The mode as ``pg_locks`` writes it: ``ShareRowExclusiveLock``."""
    return "".join(word.capitalize() for word in mode.name.split("_")) + "Lock"


def from_catalogue(name: str) -> LockMode | None:
    """The mode that ``pg_locks`` writes so; ``None`` for a lock that no table has."""
    return next((mode for mode in LockMode if catalogue_name(mode) == name), None)
