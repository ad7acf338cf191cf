"""Connections to the target database. Every one carries our name, a short ``lock_timeout`` and a liveness check.

A backend whose client was killed notices within half a second (``client_connection_check_interval``), so that its
locks do not outlive it. Some poolers take none of these settings; through them only asking commands go.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import URL, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from expandcontract.errors import ConfigError, ConnectError
from expandcontract.pg import witness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

LOCK_TIMEOUT = timedelta(seconds=1)
DRIVER = "postgresql+psycopg"
LONGEST_NAME = 63
NO_OPTIONS = "unsupported startup parameter"  # a pooler, PgBouncer above all, that knows no connection options


def parse(dsn: str) -> URL:
    """Read a database URL, whatever PostgreSQL driver it names, or a libpq connection string.

    Raises:
        ConfigError: It names no PostgreSQL database. The password is never part of the message.
    """
    try:
        if "://" not in dsn:
            parts = {key: str(value) for key, value in conninfo_to_dict(dsn).items() if value is not None}
            return URL.create(
                DRIVER,
                username=parts.get("user"),
                password=parts.get("password"),
                host=parts.get("host"),
                port=int(parts["port"]) if "port" in parts else None,
                database=parts.get("dbname"),
            )
        url = make_url(dsn)
    except (ArgumentError, ValueError, psycopg.Error):
        msg = "the database address cannot be read"
        raise ConfigError(msg, hint="write postgresql://user:password@host:5432/database") from None
    if url.get_backend_name() not in {"postgresql", "postgres"}:
        msg = f"the database address names {url.get_backend_name()}, and only postgresql is known"
        raise ConfigError(msg, hint="write postgresql://user:password@host:5432/database")
    return url.set(drivername=DRIVER)


def place(url: URL) -> str:
    """Where ``url`` leads, without password: ``shop on db.internal:5432 as ec``."""
    host = (url.host or "the local socket").rsplit("@", 1)[-1]
    return (
        f"{url.database or 'the default database'} on {host}:{url.port or 5432} as {url.username or 'the default user'}"
    )


def _options(command: str, lock_timeout: timedelta) -> dict[str, str]:
    milliseconds = int(lock_timeout.total_seconds() * 1000)
    settings = {
        "lock_timeout": f"{milliseconds}ms",
        "client_connection_check_interval": "500ms",
        "idle_in_transaction_session_timeout": "10min",
        "TimeZone": "UTC",
    }
    return {
        "application_name": f"ec {command}"[:LONGEST_NAME],
        "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
    }


def engine(url: URL, *, command: str, lock_timeout: timedelta = LOCK_TIMEOUT) -> Engine:
    """An engine whose every connection is new and carries our settings.

    Args:
        url: The target database.
        command: Shown in ``application_name``.
        lock_timeout: How long one lock is waited for.
    """
    return _engine(url, _options(command, lock_timeout))


def _engine(url: URL, options: dict[str, str]) -> Engine:
    # a prepared statement would be looked for in another session where a pooler stands between
    arguments = {**options, "connect_timeout": 10, "prepare_threshold": None}
    return create_engine(url, poolclass=NullPool, connect_args=arguments)


@contextmanager
def connect(url: URL, *, command: str, lock_timeout: timedelta = LOCK_TIMEOUT) -> Iterator[Connection]:
    """A SQLAlchemy connection; the caller begins and commits.

    Behind a pooler that takes no connection options it has none of our settings: enough to ask, and
    :func:`refuse_pooled` stands before every move.

    Raises:
        ConnectError: The database cannot be reached or does not let us in.
    """
    options = _options(command, lock_timeout)
    try:
        try:
            connection = _engine(url, options).connect()
        except OperationalError as exc:
            if NO_OPTIONS not in str(exc):
                raise
            connection = _engine(url, {"application_name": options["application_name"]}).connect()
    except (OperationalError, DBAPIError) as exc:
        raise unreachable(url, exc) from None
    with connection:
        witness.attach(connection)
        yield connection


def hot(url: URL, *, command: str, autocommit: bool = True) -> psycopg.Connection:
    """A plain psycopg connection, for hot loops and for statements outside a transaction.

    Raises:
        ConnectError: The database cannot be reached or does not let us in.
    """
    options = _options(command, LOCK_TIMEOUT)
    try:
        try:
            return psycopg.connect(conninfo(url, options), autocommit=autocommit)
        except psycopg.OperationalError as exc:
            if NO_OPTIONS not in str(exc):
                raise
            bare = {"application_name": options["application_name"]}
            return psycopg.connect(conninfo(url, bare), autocommit=autocommit, prepare_threshold=None)
    except psycopg.OperationalError as exc:
        raise unreachable(url, exc) from None


def conninfo(url: URL, options: dict[str, str]) -> str:
    """As libpq takes it, with the password, where there is one; ``options`` are over the address's own."""
    parts = {
        "host": url.host,
        "port": url.port,
        "user": url.username,
        "password": url.password,
        "dbname": url.database,
        "connect_timeout": 10,
        **{key: str(value) for key, value in url.query.items()},
        **options,
    }
    return make_conninfo("", **{key: str(value) for key, value in parts.items() if value is not None})


def unreachable(url: URL, exc: Exception) -> ConnectError:
    """The error for a connection that failed, without anything that could be a password."""
    said = str(exc).lower()
    reasons = {
        "password authentication failed": "wrong password",
        "no password supplied": "a password is needed",
        "does not exist": "no such database or role",
        "refused": "connection refused: no server listens there",
        "resolve": "the host name is not known",
        "timeout": "no answer in time",
        "no pg_hba.conf entry": "the server lets this user not in from here (pg_hba.conf)",
    }
    why = next((reason for sign, reason in reasons.items() if sign in said), "the server did not let us in")
    return ConnectError(
        f"cannot connect to {place(url)}: {why}", hint="set EC_DATABASE or `database` in expandcontract.toml"
    )


def refuse_pooled(connection: Connection) -> None:
    """Make sure that the connection is one session of a primary server, not a pooler's share of many.

    A pooler gives its clients keys of its own, so that the backend that answers is not the one that was promised at
    the start; many drop connection options too. Two transactions may well meet the same backend and prove nothing.
    https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS

    Raises:
        ConnectError: Another backend answers, a setting did not arrive or did not survive a transaction, or the server
            is a standby.
    """
    promised = _promised(connection)
    arrived = connection.execute(text("SHOW client_connection_check_interval")).scalar_one() != "0"
    connection.execute(text("SELECT set_config('expandcontract.probe', 'here', false)"))
    first = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    connection.commit()
    row = connection.execute(
        text("SELECT pg_backend_pid(), current_setting('expandcontract.probe', true), pg_is_in_recovery()")
    ).one()
    connection.commit()
    where = place(connection.engine.url)
    if row[0] != first or row[1] != "here" or not arrived or promised not in {None, first}:
        msg = f"{where} is behind a pooler, which shares sessions and drops settings; a move needs a session of its own"
        raise ConnectError(msg, hint="give ec the address of the server itself, not of the pooler")
    if row[2]:
        msg = f"{where} is a standby and cannot be written"
        raise ConnectError(msg, hint="give ec the address of the primary")


def _promised(connection: Connection) -> int | None:
    """The backend that the server named when the connection was made; ``None`` where the driver does not tell."""
    info = getattr(connection.connection.driver_connection, "info", None)
    pid: int | None = getattr(info, "backend_pid", None)
    return pid
