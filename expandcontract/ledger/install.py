"""Creates the ledger, or brings an older one to the present version. Nothing else writes DDL in its schema."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from sqlalchemy import text

from expandcontract.errors import ConnectError, LedgerMissingError

if TYPE_CHECKING:
    from sqlalchemy import Connection

VERSION = 6
FUNCTIONS = ("triggers", "transfers", "functions", "swapping", "integrity")
"""Made anew at every installation and upgrade, in this order."""


def installed_version(connection: Connection) -> int | None:
    """The version of the ledger in this database, or ``None`` where there is none."""
    present = connection.execute(text("SELECT to_regclass('expandcontract.installation') IS NOT NULL")).scalar_one()
    if not present:
        return None
    readable = text("SELECT has_table_privilege('expandcontract.installation', 'SELECT')")
    if not connection.execute(readable).scalar_one():
        url = connection.engine.url
        msg = f"the ledger in {url.database} belongs to another role, and {url.username} may not read it"
        raise ConnectError(msg, hint="run ec as the role that ran ec init, or have that role granted to you")
    return int(connection.execute(text("SELECT version FROM expandcontract.installation")).scalar_one())


def install(
    connection: Connection, *, development: bool = False, fresh: bool = False, only_migrations: int | None = None
) -> bool:
    """Create or upgrade the ledger; the caller owns the transaction. May run any number of times.

    Args:
        connection: To the target database, as a role that may create a schema.
        development: Mark the database as one where pairs run straight through.
        fresh: Whether the caller found the database empty; pairs run straight through for this very session.
        only_migrations: Build through the migrations, up to this version, as an old installation did; for tests.

    Returns:
        Whether anything was created or upgraded.

    Raises:
        LedgerMissingError: The ledger was written by a newer release of this tool.
    """
    version = installed_version(connection)
    target = only_migrations or VERSION
    if version is not None and version > VERSION:
        msg = f"the ledger has version {version}, this ec knows versions up to {VERSION}"
        raise LedgerMissingError(msg, hint="pip install --upgrade expandcontract")
    if version is None and only_migrations is None:
        _run(connection, "schema.sql")
    else:
        for number in range((version or 0) + 1, target + 1):
            _run(connection, f"migrations/{number:04d}.sql")
    if target == VERSION:
        for part in FUNCTIONS:
            _run(connection, f"{part}.sql")
    if version is None:
        connection.execute(
            text("INSERT INTO expandcontract.installation (version) VALUES (:version)"), {"version": target}
        )
    connection.execute(text("UPDATE expandcontract.installation SET version = :version"), {"version": target})
    if development:
        _mark_development(connection)
    if fresh:
        connection.execute(text("UPDATE expandcontract.installation SET fresh = expandcontract.backend()"))
    return version != target


def _mark_development(connection: Connection) -> None:
    deployed = connection.execute(text("SELECT count(*) FROM expandcontract.release")).scalar_one()
    if deployed:
        msg = f"this database serves {deployed} recorded releases and cannot be marked as one for development"
        raise LedgerMissingError(msg, hint="ec status")
    connection.execute(text("UPDATE expandcontract.installation SET development = true"))


def _run(connection: Connection, name: str) -> None:
    script = files("expandcontract.ledger").joinpath("sql", *name.split("/")).read_text(encoding="utf-8")
    connection.exec_driver_sql(script.replace("%", "%%"))
