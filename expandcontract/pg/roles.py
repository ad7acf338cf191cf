"""The login role of each color: what it is told to speak, and which rights are missing for that.

Rights are found out by asking the server, as whoever asks; nothing is tried that could fail half way.
https://www.postgresql.org/docs/current/sql-alterrole.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from expandcontract.core.facts import Finding, Severity
from expandcontract.errors import ConnectError
from expandcontract.pg.queries import load

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

QUERIES = load("expandcontract.pg", "roles.sql")
ALWAYS = ("roles_missing", "roles_createrole", "statistics")
SINCE = {150000: ("roles_parameter_15",), 160000: ("roles_admin_16",)}


def missing_grants(connection: Connection, roles: Collection[str]) -> tuple[Finding, ...]:
    """Which rights we lack to serve these login roles, each with the statement that a superuser types.

    Takes no lock beyond ACCESS SHARE on catalogues.

    Args:
        connection: To the target database, as the role that runs ``ec``.
        roles: The login roles of the colors; with none only what concerns ourselves is looked at.
    """
    number = int(connection.execute(text("SHOW server_version_num")).scalar_one())
    asked = [*ALWAYS, *(name for since, names in SINCE.items() if number >= since for name in names)]
    found = []
    for name in asked:
        if name.startswith("roles_") and not roles:
            continue
        values = {"roles": sorted(roles)} if ":roles" in QUERIES[name] else {}
        rows = connection.execute(text(QUERIES[name]), values).mappings()
        found += [Finding(what=row["what"], severity=Severity.WARN, fix=row["fix"]) for row in rows]
    return tuple(found)


def sees_transactions(connection: Connection) -> str:
    """The grant that is missing to see the transactions of other roles; empty where none is."""
    row = connection.execute(text(QUERIES["statistics"])).mappings().one_or_none()
    return "" if row is None else str(row["fix"])


def may_install(connection: Connection) -> None:
    """Make sure that we may create the ledger, or alter the one that is there.

    Raises:
        ConnectError: With the grant that is missing.
    """
    fix = connection.execute(text(QUERIES["create"])).scalars().first()
    if fix is not None:
        url = connection.engine.url
        msg = f"{url.username} may not create or upgrade the ledger in {url.database}"
        raise ConnectError(msg, hint=f"as a superuser: {fix}")


def tell(connection: Connection, role: str, speaks: str) -> str:
    """Put what a release speaks on its login role, in this database; sessions that are open keep what they have.

    May run any number of times; the caller owns the transaction, which stays usable where this is refused.

    Args:
        connection: To the target database.
        role: The login role of a color.
        speaks: ``users_x=new,orders_y=old``; an empty string says nothing.

    Returns:
        Why it could not be done, in PostgreSQL's words; empty where it was.
    """
    if connection.execute(text(QUERIES["spoken"]), {"role": role}).scalars().first() == speaks:
        return ""
    database = connection.execute(text("SELECT current_database()")).scalar_one()
    statement = sql.SQL("ALTER ROLE {} IN DATABASE {} SET expandcontract.speaks = {}").format(
        sql.Identifier(role), sql.Identifier(database), sql.Literal(speaks)
    )
    savepoint = connection.begin_nested()
    try:
        connection.exec_driver_sql(statement.as_string().replace("%", "%%"))
    except DBAPIError as exc:
        savepoint.rollback()
        return str(exc.orig).splitlines()[0]
    savepoint.commit()
    return ""
