"""``sql``: a developer's own statements in named phases, with what the phases ask of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from expandcontract.core.change import Change, check_name
from expandcontract.core.mapping import Table
from expandcontract.core.phase import Kind
from expandcontract.errors import MappingError, UsageError
from expandcontract.pg import catalog, parsed
from expandcontract.pg.locks.parse import runs_outside
from expandcontract.revisions.recipes import standing
from expandcontract.revisions.render import Draft, Half, rendered, statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from expandcontract.pg.parsed import Statement

ALONE = {"alter_enum_stmt", "vacuum_stmt"}
"""Cannot run in a transaction that goes on, and may run twice or can be made so."""
NEVER = {
    "transaction_stmt": "begins or ends a transaction; each half has one of its own",
    "createdb_stmt": "makes a database, which is no part of a schema",
    "dropdb_stmt": "drops a database, which is no part of a schema",
    "create_table_space_stmt": "makes a tablespace, which is no part of a schema",
    "drop_table_space_stmt": "drops a tablespace, which is no part of a schema",
    "alter_system_stmt": "changes the server, not the schema",
    "copy_stmt": "copies rows, which a migration has no stream for",
}
NO_DOWNGRADE = "no --downgrade was given"
NO_UNDO = "no --undo-contract was given"
UNCHECKED = "what these statements lock, scan and rewrite is yours to know: ec plan shows them, ec lint judges them"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """The statements of each phase, none where the phase was not named."""

    expand: tuple[Statement, ...]
    seal: tuple[Statement, ...]
    contract: tuple[Statement, ...]
    downgrade: tuple[Statement, ...]
    undo: tuple[Statement, ...]


def draft(  # one a flag
    connection: Connection,
    *,
    name: str,
    expand: str | None = None,
    seal: str | None = None,
    contract: str | None = None,
    downgrade: str | None = None,
    undo_contract: str | None = None,
    touches: Sequence[str] = (),
) -> Draft:
    """The change that runs a developer's own statements.

    Args:
        connection: To the database; only read.
        name: The change's name.
        expand: Statements of the expand, which no running release may notice.
        seal: ``CREATE INDEX`` and constraints, made online once the expand is there.
        contract: Statements of the contract, once only releases run that do without what they remove.
        downgrade: Takes the expand back.
        undo_contract: Takes the contract back, on development databases.
        touches: Tables that the statements alter; looked at before each move.

    Returns:
        ``additive``; with a seal ``filled``; with a contract ``removed``.

    Raises:
        UnknownNameError: There is no such table.
        UsageError: No phase is named, or phases that do not go together.
        MappingError: A statement does not parse, or cannot run where it is asked to.
    """
    change = check_name(name)
    given = _given(expand, seal, contract, downgrade, undo_contract)
    places = [Table.parse(table) for table in touches]
    for place in places:
        catalog.table_oid(connection, place)
    kind = Kind.REMOVED if given.contract else Kind.FILLED if given.seal else Kind.ADDITIVE
    final = bool(given.expand) and not given.downgrade
    declared = Change(
        change,
        touches=[place.spelled for place in places],
        kind=kind,
        irreversible=NO_DOWNGRADE if final else "",
    )
    notes = [UNCHECKED, *([f"it cannot be taken back: {NO_DOWNGRADE}"] if final else [])]
    return Draft(change=declared, expand=_expand(change, given), contract=_contract(change, given), notes=tuple(notes))


def _given(
    expand: str | None, seal: str | None, contract: str | None, downgrade: str | None, undo: str | None
) -> _Given:
    if not (expand or seal or contract):
        msg = "no phase has a statement"
        raise UsageError(msg, hint="give --expand, --seal or --contract, each SQL or @file")
    if seal and contract:
        msg = "a change that drops something at its contract has no seal"
        raise UsageError(msg, hint="make two: one with --expand and --seal, one with --contract")
    for flag, needed, text, other in (
        ("--downgrade", "--expand", downgrade, expand),
        ("--undo-contract", "--contract", undo, contract),
    ):
        if text and not other:
            msg = f"{flag} takes back what {needed} does, and that is not given"
            raise UsageError(msg, hint=f"give {needed} too")
    texts = {"expand": expand, "seal": seal, "contract": contract, "downgrade": downgrade, "undo": undo}
    read = {phase: parsed.statements(text, f"--{phase}") if text else () for phase, text in texts.items()}
    for phase, found in read.items():
        for one in found:
            _check(phase, one)
    return _Given(**read)


def _check(phase: str, one: Statement) -> None:
    flag = "--undo-contract" if phase == "undo" else f"--{phase}"
    if why := NEVER.get(one.kind):
        msg = f"{flag}: {_brief(one)} {why}"
        raise MappingError(msg, hint="leave it out")
    if phase == "seal":
        if one.kind != "index_stmt":
            msg = f"--seal: {_brief(one)} makes no index, and a seal is made online, one index at a time"
            raise MappingError(msg, hint="constraints: ec new add-check, add-foreign-key; others: --expand")
        return
    if (runs_outside(one) or one.kind in ALONE) and not (one.kind in ALONE and phase == "expand"):
        msg = f"{flag}: {_brief(one)} cannot run in the transaction that this phase is"
        raise MappingError(msg, hint=_elsewhere(one, phase))


def _elsewhere(one: Statement, phase: str) -> str:
    if one.kind == "index_stmt":
        return "put the index into --seal" if phase == "expand" else "write it without CONCURRENTLY"
    if one.kind in ALONE:
        return "put it into --expand of a change of its own"
    return "see ec new drop-index" if one.kind == "drop_stmt" else "run it by hand; it is no part of a pair"


def _brief(one: Statement) -> str:
    words = " ".join(one.text.split())
    return words if len(words) <= 60 else f"{words[:57]}…"  # noqa: PLR2004  # of a line


def _expand(change: str, given: _Given) -> Half:
    return Half(
        summary=f"{change} (expand)" if given.contract else change,
        upgrade=[*map(_line, given.expand), "op.begin_change(change)"],
        seal=[_sealed(one) for one in given.seal],
        downgrade=["op.end_change(change)", *map(_unsealed, given.seal), *map(_line, given.downgrade)],
    )


def _contract(change: str, given: _Given) -> Half | None:
    if not given.contract:
        return None
    return Half(
        summary=f"{change} (contract)",
        upgrade=[
            "op.assert_contract(change)  # refused until the rollback window has expired",
            "op.end_change(change)",
            *map(_line, given.contract),
        ],
        # a contract without undo refuses to be taken back, by the file that we write
        downgrade=[*map(_line, given.undo)] or [f"raise NotImplementedError({rendered(NO_UNDO)})"],
    )


def _line(one: Statement) -> str:
    line = f"op.execute({statement(one.text)})"
    if one.kind not in ALONE:
        return line
    return f"with op.get_context().autocommit_block():\n    {line}"


def _table(one: Statement) -> Table:
    found = one.tree.relation
    return Table(schema=found.schemaname or "public", name=found.relname)


def _unsealed(one: Statement) -> str:
    return standing.drop_index(one.tree.idxname, _table(one))


def _sealed(one: Statement) -> str:
    tree = one.tree
    if not tree.idxname:
        msg = f"--seal: {_brief(one)} gives its index no name"
        raise MappingError(msg, hint="name it, so that it is found again")
    definition = parsed.spelled(one).split(" USING ", 1)[1]
    unique = ", unique=True" if tree.unique else ""
    return f"op.seal_index({rendered(tree.idxname)}, {rendered(_table(one).spelled)}, {rendered(definition)}{unique})"
