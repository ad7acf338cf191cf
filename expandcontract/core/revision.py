"""What a revision does, as data: read from its file without a database, and judged by ``ec lint``."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.core.effect import Effect
    from expandcontract.core.mapping import Table


class Half(StrEnum):
    """Which half of a pair a revision is."""

    EXPAND = "expand"
    CONTRACT = "contract"


class Part(StrEnum):
    """Which function of a revision a statement stands in."""

    UPGRADE = "upgrade"
    SEAL = "seal"
    CUT_OVER = "cut_over"
    ROLL_BACK = "roll_back"
    DOWNGRADE = "downgrade"


class Kind(StrEnum):
    """What one action does; a statement of ``ALTER TABLE`` may hold several."""

    CREATE_TABLE = "create table"
    DROP_TABLE = "drop table"
    RENAME_TABLE = "rename table"
    ADD_COLUMN = "add column"
    DROP_COLUMN = "drop column"
    RENAME_COLUMN = "rename column"
    CHANGE_TYPE = "change type"
    SET_DEFAULT = "set default"
    DROP_DEFAULT = "drop default"
    SET_NOT_NULL = "set not null"
    DROP_NOT_NULL = "drop not null"
    ADD_CONSTRAINT = "add constraint"
    VALIDATE_CONSTRAINT = "validate constraint"
    DROP_CONSTRAINT = "drop constraint"
    CREATE_INDEX = "create index"
    DROP_INDEX = "drop index"
    REINDEX = "reindex"
    ADD_VALUE = "add enum value"
    CREATE = "create"
    DROP = "drop"
    RENAME = "rename"
    ALTER = "alter"
    RESTRICT = "restrict access"
    GRANT = "grant"
    COMMENT = "comment"
    UPDATE = "update"
    INSERT = "insert"
    MERGE = "merge"
    DELETE = "delete"
    TRUNCATE = "truncate"
    SELECT = "select"
    SETTING = "setting"
    MAINTAIN = "maintain"
    BEGIN_CHANGE = "begin_change"
    END_CHANGE = "end_change"
    ASSERT_CONTRACT = "assert_contract"
    SEAL = "seal"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing that a statement does.

    Attributes:
        kind: What it does.
        table: The table it does it to; ``None`` where it names none.
        column: The column, where it is about one.
        name: The constraint, index or other object; for a rename the new name; for a setting its value.
        columns: The columns of a key, in order.
        type: The column's new type, as written.
        old_type: The type it had, where the revision says so (``existing_type``).
        said: Which of its optional words stand there, in lower case: ``not null``, ``default``, ``concurrently``,
            ``not valid``, ``check``, ``unique``, ``foreign key``, ``primary key``, ``using index``, ``where``, ….
    """

    kind: Kind
    table: Table | None = None
    column: str | None = None
    name: str | None = None
    columns: tuple[str, ...] = ()
    type: str | None = None
    old_type: str | None = None
    said: frozenset[str] = frozenset()

    def says(self, word: str) -> bool:
        """Whether that optional word stands there."""
        return word in self.said

    def __str__(self) -> str:
        return " ".join(filter(None, (self.kind.upper(), self.target)))

    @property
    def target(self) -> str:
        """What it is about: ``users.full_name``, ``users`` or the object's name."""
        if self.table is not None:
            return f"{self.table}.{self.column}" if self.column else str(self.table)
        return self.name or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement as the revision would send it.

    Attributes:
        sql: Its text; empty for a step of the seal, which is made online by other statements.
        line: The line of the call in the revision's file; the first of several.
        part: Which function calls it.
        actions: What it does, one after the other; never empty.
        autocommit: Whether it runs outside a transaction, in an ``autocommit_block()``.
        effects: What it is predicted to do to a running database; empty where nothing is known.
    """

    sql: str
    line: int
    part: Part = Part.UPGRADE
    actions: tuple[Action, ...]
    autocommit: bool = False
    effects: tuple[Effect, ...] = ()

    @property
    def transactional(self) -> bool:
        """Whether it can run inside a transaction."""
        alone = any(action.says("concurrently") or action.says("alone") for action in self.actions)
        return not alone and all(effect.transactional for effect in self.effects)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """Where a revision's function could not be followed without a database.

    Attributes:
        part: The function.
        line: The line it had come to.
        reason: What happened there.
    """

    part: Part
    line: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignore:
    """A comment in the file that asks to pass over a finding.

    Attributes:
        line: Where it stands.
        codes: The codes that it names.
        reason: Why, in its author's words; empty where none is given.
        unknown: Those of its codes that no rule has.
        unused: Those of its codes that passed over nothing.
    """

    line: int
    codes: tuple[str, ...] = ()
    reason: str = ""
    unknown: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One revision as its file tells it.

    Attributes:
        id: Alembic's identifier.
        path: Its file, as messages shall name it.
        half: Which half of a pair it is; ``None`` for an ordinary revision.
        change: The change that it belongs to.
        statements: What its functions do, function by function in the order of :class:`Part`.
        needed: The columns that only the release that speaks ``new`` uses, by their names when a contract runs.
        irreversible: Why the change says that its expand cannot be taken back; empty where it can.
        held: Whether the change has a hold, which ``begin_change`` makes and ``end_change`` takes away.
        own: The tables that the change is about.
        source: The file's text.
        stopped: Functions that could not be followed to their end.
        ignores: The file's comments that pass over findings.
    """

    id: str
    path: str
    half: Half | None = None
    change: str | None = None
    statements: tuple[Statement, ...] = ()
    needed: frozenset[tuple[Table, str]] = frozenset()
    irreversible: str = ""
    held: bool = False
    own: frozenset[Table] = frozenset()
    source: str = field(default="", repr=False)
    stopped: tuple[Stopped, ...] = ()
    ignores: tuple[Ignore, ...] = ()

    @property
    def additive(self) -> bool:
        """Whether old releases run while it is applied and afterwards: an expand, or an ordinary revision."""
        return self.half is not Half.CONTRACT

    @property
    def live_parts(self) -> tuple[Part, ...]:
        """The functions that run, as written, while releases are live: moves and roll-backs call all of an expand's.

        A roll-back refuses the downgrade of a change that is declared irreversible.
        """
        if self.half is not Half.EXPAND:
            return (Part.UPGRADE,)
        forward = (Part.UPGRADE, Part.CUT_OVER, Part.ROLL_BACK)
        return forward if self.irreversible else (*forward, Part.DOWNGRADE)

    @property
    def created(self) -> frozenset[Table]:
        """The tables that its upgrade makes: nothing uses them yet, so that anything may be done to them."""
        made = (action for _, action in self.actions(Part.UPGRADE) if action.kind is Kind.CREATE_TABLE)
        return frozenset(action.table for action in made if action.table is not None)

    @property
    def added(self) -> frozenset[tuple[Table, str]]:
        """The columns that its upgrade adds: no old release knows them."""
        new = (action for _, action in self.actions(Part.UPGRADE) if action.kind is Kind.ADD_COLUMN)
        return frozenset((action.table, action.column) for action in new if action.table and action.column)

    def actions(self, *parts: Part) -> Iterator[tuple[Statement, Action]]:
        """Each action with its statement, in order; of all functions where none is named."""
        for statement in self.statements:
            if not parts or statement.part in parts:
                for action in statement.actions:
                    yield statement, action

    def on_live(self, *parts: Part) -> Iterator[tuple[Statement, Action]]:
        """The actions that do not concern a table which this revision itself makes."""
        created = self.created
        return ((statement, action) for statement, action in self.actions(*parts) if action.table not in created)
