"""Connections to the target database. Every one carries our name, a short ``lock_timeout`` and a liveness check.

A backend whose client was killed notices within half a second (``client_connection_check_interval``), so that its
locks do not outlive it.
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

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

LOCK_TIMEOUT = timedelta(seconds=1)
DRIVER = "postgresql+psycopg"
LONGEST_NAME = 63


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
    return create_engine(
        url, poolclass=NullPool, connect_args={**_options(command, lock_timeout), "connect_timeout": 10}
    )


@contextmanager
def connect(url: URL, *, command: str, lock_timeout: timedelta = LOCK_TIMEOUT) -> Iterator[Connection]:
    """A SQLAlchemy connection; the caller begins and commits.

    Raises:
        ConnectError: The database cannot be reached or does not let us in.
    """
    try:
        connection = engine(url, command=command, lock_timeout=lock_timeout).connect()
    except (OperationalError, DBAPIError) as exc:
        raise unreachable(url, exc) from None
    with connection:
        yield connection


def hot(url: URL, *, command: str, autocommit: bool = True) -> psycopg.Connection:
    """A plain psycopg connection, for hot loops and for statements outside a transaction.

    Raises:
        ConnectError: The database cannot be reached or does not let us in.
    """
    try:
        return psycopg.connect(_conninfo(url, command), autocommit=autocommit)
    except psycopg.OperationalError as exc:
        raise unreachable(url, exc) from None


def _conninfo(url: URL, command: str) -> str:
    parts = {
        "host": url.host,
        "port": url.port,
        "user": url.username,
        "password": url.password,
        "dbname": url.database,
        "connect_timeout": 10,
        **{key: str(value) for key, value in url.query.items()},
        **_options(command, LOCK_TIMEOUT),
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

    Raises:
        ConnectError: A setting or the backend did not survive a transaction, or the server is a standby.
    """
    connection.execute(text("SELECT set_config('expandcontract.probe', 'here', false)"))
    first = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    connection.commit()
    row = connection.execute(
        text("SELECT pg_backend_pid(), current_setting('expandcontract.probe', true), pg_is_in_recovery()")
    ).one()
    connection.commit()
    where = place(connection.engine.url)
    if row[0] != first or row[1] != "here":
        msg = f"{where} is behind a pooler that changes sessions between transactions; a move needs one session"
        raise ConnectError(msg, hint="give ec the address of the server itself, not of the pooler")
    if row[2]:
        msg = f"{where} is a standby and cannot be written"
        raise ConnectError(msg, hint="give ec the address of the primary")
