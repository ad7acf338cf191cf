"""Lets somebody watch the statements that need locks, where they are run. A rehearsal does; otherwise nobody does.

Rules for the next editor:

1. A witness sees; it never changes what is run, in which order, or in which transaction.
2. Every place that runs DDL asks for it: :mod:`expandcontract.pg.ddl`, :mod:`expandcontract.pg.background`, and
   whatever hands a SQLAlchemy connection to a revision or a swap.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    import psycopg
    from sqlalchemy import Connection

    Look = Callable[[str], AbstractContextManager[None]]


class Witness(Protocol):
    """Watches statements as they are run."""

    def attach(self, connection: Connection) -> None:
        """Watch every statement of this connection from now on."""

    def transaction(self, connection: psycopg.Connection) -> AbstractContextManager[Look]:
        """Around one transaction of a plain connection; what it gives is put around each of its statements."""

    def outside(self, connection: psycopg.Connection, statement: str) -> AbstractContextManager[None]:
        """Around one statement that a plain connection runs in autocommit mode, in another thread."""


_WITNESS: ContextVar[Witness | None] = ContextVar("witness", default=None)


@contextmanager
def watched_by(witness: Witness) -> Iterator[None]:
    """Within the block this witness sees what this thread runs."""
    token = _WITNESS.set(witness)
    try:
        yield
    finally:
        _WITNESS.reset(token)


def attach(connection: Connection) -> None:
    """Let the witness, if there is one, watch this connection."""
    witness = _WITNESS.get()
    if witness is not None:
        witness.attach(connection)


def transaction(connection: psycopg.Connection) -> AbstractContextManager[Look]:
    """Around one transaction of a plain connection."""
    witness = _WITNESS.get()
    return nullcontext(_unseen) if witness is None else witness.transaction(connection)


def outside(connection: psycopg.Connection, statement: str) -> AbstractContextManager[None]:
    """Around one statement that runs in no transaction of ours."""
    witness = _WITNESS.get()
    return nullcontext() if witness is None else witness.outside(connection, statement)


def _unseen(_statement: str) -> AbstractContextManager[None]:
    return nullcontext()
