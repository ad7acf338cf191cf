"""A change: one expand/contract pair and its way through the phases."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from expandcontract.core.fill import Fill
from expandcontract.core.mapping import Table
from expandcontract.core.phase import ROUTES, Kind, Phase, after, forward, path
from expandcontract.core.release import Speaks
from expandcontract.core.shape import Hold, Shape
from expandcontract.errors import PairError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from expandcontract.core.color import Color
    from expandcontract.core.mapping import Mapping
    from expandcontract.core.phase import Move
    from expandcontract.core.transfer import Transfer
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


@dataclass(frozen=True, slots=True, init=False)
class Change:
    """What a pair declares; stands as ``change = Change(…)`` in the expand revision.

    Args:
        name: In snake_case, unique in the project: ``users_display_name``.
        mapping: How old and new columns give each other, one a table.
        fill: Values for rows that lack them, one a table.
        transfer: Columns that move to another table.
        removes: Columns that the contract drops without anything in their place.
        touches: Tables that the halves alter without any of that.
        keeps: What must stay as it is while the change is open, and that it does not drop.
        kind: Default: ``mapped`` with a mapping or transfer, ``filled`` with a fill, ``removed`` with what is
            removed, else
            ``additive``.
        irreversible: Why the expand cannot be taken back; empty where it can.

    Raises:
        UsageError: The name cannot name a change.
        PairError: The kind does not go with what is declared.
        MappingError: One table has two mappings or fills.
    """

    name: str
    kind: Kind
    shape: Shape
    irreversible: str

    def __init__(  # noqa: PLR0913  # one argument for each thing that a pair can declare
        self,
        name: str,
        *,
        mapping: Mapping | Sequence[Mapping] = (),
        fill: Fill | Sequence[Fill] = (),
        transfer: Transfer | Sequence[Transfer] = (),
        removes: Hold | Sequence[Hold] = (),
        touches: str | Sequence[str] = (),
        keeps: Hold | Sequence[Hold] = (),
        kind: Kind | str | None = None,
        irreversible: str = "",
    ) -> None:
        mappings = tuple(mapping) if isinstance(mapping, list | tuple) else (mapping,)
        fills = (fill,) if isinstance(fill, Fill) else tuple(fill)
        transfers = tuple(transfer) if isinstance(transfer, list | tuple) else (transfer,)
        places = tuple(map(Table.parse, [touches] if isinstance(touches, str) else touches))
        shape = Shape(
            mappings=mappings,
            fills=fills,
            transfers=transfers,
            removes=_holds(removes),
            keeps=_holds(keeps),
            touches=places,
        )
        object.__setattr__(self, "name", check_name(name))
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "kind", Kind(kind) if kind is not None else implied(shape))
        object.__setattr__(self, "irreversible", irreversible)
        wrong = _unfit(self.kind, shape)
        if wrong:
            msg = f"change {name} is {self.kind} and {wrong}"
            raise PairError(msg, hint="leave out kind=…, or declare what that kind needs")


def _holds(given: Hold | Sequence[Hold]) -> tuple[Hold, ...]:
    return (given,) if isinstance(given, Hold) else tuple(given)


def implied(shape: Shape) -> Kind:
    """The kind of a change that declares this and names none."""
    if shape.mappings or shape.transfers:
        return Kind.MAPPED
    if shape.fills:
        return Kind.FILLED
    return Kind.REMOVED if shape.removes else Kind.ADDITIVE


def _unfit(kind: Kind, shape: Shape) -> str:
    """What the kind wants and the shape lacks, or has and must not have; empty where they go together."""
    mapped = bool(shape.mappings or shape.transfers)
    if (kind in {Kind.MAPPED, Kind.SWAPPED}) != mapped:
        return "has a mapping" if mapped else "has no mapping"
    if kind is Kind.SWAPPED and shape.transfers:
        return "has columns that move to another table, whose names cannot be traded"
    if kind is Kind.SWAPPED and any(len(mapping.old) != len(mapping.new) for mapping in shape.mappings):
        return "has a mapping whose old and new columns do not pair off to trade names"
    return ""


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
        kind: What sort of change it is.
        shape: As recorded by the expand; before that, as the pair declares it.
        window: The rollback window, with the moment it opened.
        by_database: Whether the triggers alone carry the dual writes (``--by database``).
        expand_revision: Identifier of the expand revision.
        contract_revision: Identifier of the contract revision; ``None`` for an additive change.
        before_dual: What was live before the dual-write shift.
        before_cut_over: What was live before the cut-over shift.
        contracted_at: When the old shape went; orders the contracts.
        straight: Whether the pair ran straight through on an empty or development database.
        irreversible: Why the expand cannot be taken back, as the pair declares it; empty where it can.
    """

    name: str
    phase: Phase = Phase.PLANNED
    in_flight: InFlight | None = None
    kind: Kind = Kind.MAPPED
    shape: Shape = field(default_factory=Shape)
    window: Window
    by_database: bool = False
    expand_revision: str | None = None
    contract_revision: str | None = None
    before_dual: Deployed | None = None
    before_cut_over: Deployed | None = None
    contracted_at: datetime | None = None
    straight: bool = False
    irreversible: str = ""

    @property
    def ended(self) -> bool:
        """Whether no move leads on from here."""
        return forward(self.phase, self.kind) is None

    @property
    def open(self) -> bool:
        """Whether both shapes exist."""
        return self.phase not in {Phase.PLANNED, Phase.CONTRACTED}

    @property
    def contracts(self) -> bool:
        """Whether the change has a contract half."""
        return Phase.CONTRACTED in ROUTES[self.kind]

    @property
    def traded(self) -> bool:
        """Whether the new columns have the old ones' names now."""
        return self.kind is Kind.SWAPPED and self.phase is Phase.CUT_OVER

    @property
    def unnoticed(self) -> bool:
        """Whether no release need notice it: whatever runs keeps running, and its cut-over deploys nothing."""
        return self.kind in {Kind.SWAPPED, Kind.FILLED, Kind.ADDITIVE}

    def after(self, move: Move) -> Phase:
        """The phase that ``move`` leads to from here.

        Raises:
            UsageError: There is no such move.
        """
        found = after(self.phase, move, self.kind)
        if found is None:
            msg = f"{self.name} is {self.phase}, and no {move} leads on from there"
            raise UsageError(msg, hint=f"ec status {self.name}")
        return found

    def path(self, end: Phase) -> tuple[Move, ...]:
        """The forward moves from here to ``end``; empty where it is not ahead."""
        return path(self.phase, end, self.kind)


def requires(change: ChangeState, phase: Phase | None = None) -> frozenset[Speaks]:
    """What the live release must speak for the change's phase to be true; with ``phase``, for that one to be."""
    phase = phase or change.phase
    if change.unnoticed or phase in {Phase.PLANNED, Phase.EXPANDED}:
        return frozenset(Speaks)
    if phase in {Phase.CUT_OVER, Phase.CONTRACTED}:
        return frozenset({Speaks.NEW})
    vacuous = Phase.DUAL_WRITING not in ROUTES[change.kind]
    return frozenset(Speaks) if change.by_database or vacuous else frozenset({Speaks.DUAL, Speaks.NEW})
