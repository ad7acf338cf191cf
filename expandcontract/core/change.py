"""A change: one expand/contract pair and its way through the phases."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from expandcontract.core.phase import Phase
from expandcontract.core.release import Speaks
from expandcontract.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from expandcontract.core.color import Color
    from expandcontract.core.mapping import Mapping
    from expandcontract.core.phase import Move
    from expandcontract.core.window import Window

LONGEST_NAME = 50
NAME = re.compile(r"[a-z][a-z0-9_]*")


def check_name(name: str) -> str:
    """``name`` itself, where it may name a change.

    Raises:
        UsageError: It is not snake_case, or longer than 50 bytes (the hold's name must fit in 63).
    """
    if not NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        msg = f"{name!r} cannot name a change: use snake_case of at most {LONGEST_NAME} characters"
        raise UsageError(msg, hint="for example: users_display_name")
    return name


@dataclass(frozen=True, slots=True)
class Change:
    """What a pair declares; stands as ``change = Change(…)`` in the expand revision.

    Args:
        name: In snake_case, unique in the project: ``users_display_name``.
        mapping: How old and new columns give each other; ``None`` for a purely additive change.

    Raises:
        UsageError: The name cannot name a change.
    """

    name: str
    mapping: Mapping | None = None

    def __post_init__(self) -> None:
        check_name(self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class InFlight:
    """A move that has begun and not ended.

    Attributes:
        move: What was begun.
        since: When, on the database's clock.
        version: The release that the move deploys, where it deploys one.
        arguments: What else the move was called with, JSON-ready; a resumed move uses these.
    """

    move: Move
    since: datetime
    version: str | None = None
    arguments: dict[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """A version on a color, as a way back remembers it."""

    color: Color
    version: str

    def __str__(self) -> str:
        return f"{self.version} on {self.color}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeState:
    """One change as the ledger has it.

    Attributes:
        name: The change.
        phase: What is true; while a move is in flight, the phase that it left.
        in_flight: The move under way, if any.
        mapping: As recorded by the expand; before that, as the pair declares it.
        window: The rollback window, with the moment it opened.
        by_database: Whether the triggers alone carry the dual writes (``--by database``).
        expand_revision: Identifier of the expand revision.
        contract_revision: Identifier of the contract revision; ``None`` for an additive change.
        before_dual: What was live before the dual-write shift.
        before_cut_over: What was live before the cut-over shift.
        contracted_at: When the old shape went; orders the contracts.
        straight: Whether the pair ran straight through on an empty or development database.
    """

    name: str
    phase: Phase = Phase.PLANNED
    in_flight: InFlight | None = None
    mapping: Mapping | None = None
    window: Window
    by_database: bool = False
    expand_revision: str | None = None
    contract_revision: str | None = None
    before_dual: Deployed | None = None
    before_cut_over: Deployed | None = None
    contracted_at: datetime | None = None
    straight: bool = False

    @property
    def additive(self) -> bool:
        """Whether the change has no contract half and ends at ``expanded``."""
        return self.mapping is None and self.contract_revision is None

    @property
    def ended(self) -> bool:
        """Whether no move leads on from here."""
        return self.phase is Phase.CONTRACTED or (self.additive and self.phase is Phase.EXPANDED)

    @property
    def open(self) -> bool:
        """Whether both shapes exist."""
        return self.phase not in {Phase.PLANNED, Phase.CONTRACTED}


def requires(change: ChangeState) -> frozenset[Speaks]:
    """What the live release must speak for the change's phase to be true."""
    if change.additive or change.phase in {Phase.PLANNED, Phase.EXPANDED}:
        return frozenset(Speaks)
    if change.phase in {Phase.CUT_OVER, Phase.CONTRACTED}:
        return frozenset({Speaks.NEW})
    return frozenset(Speaks) if change.by_database else frozenset({Speaks.DUAL, Speaks.NEW})
