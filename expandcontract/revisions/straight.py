"""What a pair needs where it runs straight through: filling, seal and swap, each in the revision's own transaction.

Only on a database that was empty when the command began, or one for development: nothing is running, so nothing is
made online.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from expandcontract.revisions import seal
from expandcontract.revisions.computing import filled
from expandcontract.revisions.operations import call
from expandcontract.revisions.project import EXPAND, half_of
from expandcontract.revisions.swapping import BACK, FORWARD, READY

if TYPE_CHECKING:
    from types import ModuleType

    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy import Connection


def is_straight(connection: Connection) -> bool:
    """Whether pairs run straight through here."""
    return bool(connection.execute(text("SELECT expandcontract.is_straight()")).scalar_one())


def _traded(connection: Connection, name: str) -> bool | None:
    """Whether the names are traded; ``None`` where the change has none to trade."""
    query = text(
        "SELECT expandcontract.names_are_traded(name) FROM expandcontract.change"
        " WHERE name = :name AND kind = 'swapped'"
    )
    found: bool | None = connection.execute(query, {"name": name}).scalar_one_or_none()
    return found


def applied(ctx: MigrationContext, connection: Connection, module: ModuleType, half: tuple[str, str]) -> None:
    """After the upgrade of a half: its rows are filled and its seal made."""
    if not is_straight(connection):
        return
    if half[1] == EXPAND:
        call(ctx, "fill_straight", half[0])
        filled(connection, module.change.shape)
    _seal(connection, module, "seal")


def before_contract(operations: Operations, name: str) -> None:
    """Before a contract drops anything: the names are traded, as a cut-over would have done."""
    ctx = operations.migration_context
    if ctx.as_sql or ctx.connection is None or not is_straight(ctx.connection):
        return
    if _traded(ctx.connection, name) is False:
        getattr(_expand(ctx, name), FORWARD)()
        call(operations, "swap", name)


def contract_reverted(ctx: MigrationContext, connection: Connection, name: str) -> None:
    """After the downgrade of a contract: the old shape has its names again, as before any cut-over."""
    if not _traded(connection, name):
        return
    module = _expand(ctx, name)
    _seal(connection, module, READY)
    getattr(module, BACK)()
    call(ctx, "swap", name)
    _seal(connection, module, "seal")


def _expand(ctx: MigrationContext, name: str) -> Any:
    environment = ctx.environment_context
    assert environment is not None  # noqa: S101  # revisions run in one
    for script in environment.script.walk_revisions():
        if half_of(script) == (name, EXPAND):
            return script.module
    raise AssertionError(name)  # the ledger knows it from that very file


def _seal(connection: Connection, module: ModuleType, function: str) -> None:
    for item in seal.record(module, function):
        if seal.valid(connection, item):
            continue
        for statement in seal.plain(item):
            connection.exec_driver_sql(statement.replace("%", "%%"))
