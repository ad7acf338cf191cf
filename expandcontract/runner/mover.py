"""The one mover: a lock on its own connection, an epoch, and a fenced transaction for everything it writes."""

from __future__ import annotations

import getpass
import os
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from expandcontract.core.attempt import Patience
from expandcontract.core.facts import Holder
from expandcontract.errors import BusyError
from expandcontract.ledger import Ledger
from expandcontract.pg.connect import connect, refuse_pooled
from expandcontract.pg.lock import mover_pid, release_mover_lock, try_mover_lock
from expandcontract.revisions.guard import RunnerMark

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from sqlalchemy import URL, Connection


@dataclass(frozen=True, slots=True)
class Mover:
    """Holds the mover lock for as long as it lives.

    Attributes:
        connection: The connection that holds the lock.
        ledger: The ledger behind it.
        epoch: Ours; every writing transaction checks that it is still the newest.
        mark: How Alembic's guard knows us.
        patience: How long, and how, locks are waited for.
    """

    connection: Connection
    ledger: Ledger
    epoch: int
    mark: RunnerMark
    patience: Patience

    @contextmanager
    def writing(self) -> Iterator[Ledger]:
        """One fenced transaction.

        Raises:
            FencedError: Another mover has begun since.
        """
        with self.connection.begin():
            self.ledger.check_epoch(self.epoch)
            yield self.ledger

    @contextmanager
    def reading(self) -> Iterator[Ledger]:
        """One transaction that writes nothing."""
        with self.connection.begin() as transaction:
            yield self.ledger
            transaction.rollback()

    def fence(self) -> None:
        """Raise where another mover has begun since."""
        with self.writing():
            pass


def who(command: str) -> str:
    """How this process names itself to others."""
    return f"ec {command}, process {os.getpid()} of {getpass.getuser()} on {socket.gethostname()}"


def holder(connection: Connection, ledger: Ledger) -> Holder | None:
    """Who else holds the mover lock, or ``None``."""
    pid = mover_pid(connection)
    if pid is None:
        return None
    found = ledger.installation()
    if found.holder_pid == pid and found.holder and found.held_since:
        return Holder(pid=pid, who=found.holder, since=found.held_since)
    return Holder(pid=pid, who="a plain alembic command", since=ledger.now())


@contextmanager
def mover(url: URL, command: str, window: timedelta, patience: Patience | None = None) -> Iterator[Mover]:
    """Become the mover, or say at once who is.

    Raises:
        BusyError: Somebody else moves this database.
        ConnectError: The connection is pooled, or leads to a standby.
        LedgerMissingError: There is no ledger.
    """
    with connect(url, command=command) as connection:
        refuse_pooled(connection)
        ledger = Ledger(connection, window=window)
        if not try_mover_lock(connection):
            other = holder(connection, ledger)
            msg = f"{other or 'another mover'} moves this database; nothing was changed"
            raise BusyError(msg, hint="ec status --watch")
        installation = ledger.installation()
        epoch = ledger.claim(who(command))
        connection.commit()
        try:
            yield Mover(connection, ledger, epoch, RunnerMark(installation.id, epoch), patience or Patience())
        finally:
            _release(connection)


def _release(connection: Connection) -> None:
    try:
        connection.rollback()
        release_mover_lock(connection)
        connection.commit()
    except DBAPIError:
        connection.invalidate()  # the lock went with the session
