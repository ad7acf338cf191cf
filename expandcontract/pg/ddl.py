"""The one place that runs what needs locks: look first, ask briefly, step back, and say who is in the way.

Rules for the next editor:

1. Every statement that locks a table somebody uses is run by :func:`perform`, whole transactions by whole transactions;
   concurrent index builds, which queue nobody, by :mod:`expandcontract.pg.build`.
2. Nothing is attempted that is known to fail: a doomed attempt makes the application wait and gains nothing.
3. No attempt is without limit, the last one least of all. When the budget is spent the move pauses.
4. Nobody is ended unless the user said so, and then only a session that sleeps in its transaction.
5. What happens is yielded, and what is about to be done to others is yielded before it is done.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg

from expandcontract.core.attempt import LADDER, Pause, Seen, Stop, after_failure, next_step
from expandcontract.core.duration import in_words
from expandcontract.errors import FailedError, LockTimeoutError
from expandcontract.pg import blockers, witness
from expandcontract.pg.attempt import Attempt, Doomed
from expandcontract.pg.connect import hot
from expandcontract.pg.retry import RETRIED, sqlstate
from expandcontract.pg.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterator

    from psycopg import sql
    from sqlalchemy import URL

    from expandcontract.core.attempt import Patience
    from expandcontract.core.blocker import Blocker
    from expandcontract.core.conflict import Claim

STOPPED = "57014"  # query_canceled: by statement_timeout, among others
TELL_EVERY = timedelta(seconds=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A lock is waited for.

    Attributes:
        what: What shall be done with it.
        blockers: Who has it.
        attempt: The attempt that failed, or that will come when they have gone.
        elapsed: Since the first look.
        budget: When the waiting ends.
        doing: How far a long statement has come meanwhile; empty where none runs.
    """

    what: str
    blockers: tuple[Blocker, ...]
    attempt: int
    elapsed: timedelta
    budget: timedelta
    doing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """A session is about to be ended, as the user asked; ``done`` says afterwards whether it was."""

    what: str
    blocker: Blocker
    done: bool | None = None


Notice = Waiting | Ending


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What shall be done under locks.

    Attributes:
        what: In words, for messages: ``constraint users_age_check``.
        claims: The locks it will ask for, as far as they are known; others are learned from attempts that fail.
        run: Does it in one transaction, under the attempt's limits; may be called any number of times.
    """

    what: str
    claims: tuple[Claim, ...]
    run: Callable[[Attempt], None]


def statements(url: URL, command: str, *composed: sql.SQL | sql.Composed) -> Callable[[Attempt], None]:
    """For :attr:`Work.run`: these statements in one transaction on a connection of their own."""

    def run(attempt: Attempt) -> None:
        with (
            hot(url, command=command) as connection,
            witness.transaction(connection) as look,
            connection.transaction(),
        ):
            attempt.pid = connection.info.backend_pid
            attempt.begin()
            for statement in composed:
                text = statement.as_string(connection)
                connection.execute(attempt.settings(text, local=True))
                with look(text):
                    connection.execute(statement)

    return run


def perform(url: URL, work: Work, patience: Patience) -> Iterator[Notice]:
    """Do the work as soon as its locks are free.

    Args:
        url: The target database.
        work: May be attempted any number of times.
        patience: The limits.

    Yields:
        What is waited for, when it begins, changes, or has lasted for a while; and sessions that are ended.

    Raises:
        LockTimeoutError: The budget is spent; whoever is in the way is named.
        FailedError: A statement outran its limit without waiting for a lock: it reads or rewrites rows.
    """
    with hot(url, command="locks") as eye:
        yield from _Request(eye, work, patience).run()


class _Request:
    """One work on its way through looks and attempts."""

    def __init__(self, eye: psycopg.Connection, work: Work, patience: Patience) -> None:
        self.eye, self.work, self.patience = eye, work, patience
        self.claims = set(work.claims)
        self.attempt, self.looks = 1, 0
        self.blockers: tuple[Blocker, ...] = ()
        self.deadlock_timeout = blockers.deadlock_timeout(eye)
        self.began = time.monotonic()
        self.told: tuple[float, object] = (float("-inf"), None)

    @property
    def elapsed(self) -> timedelta:
        return timedelta(seconds=time.monotonic() - self.began)

    def run(self) -> Iterator[Notice]:
        while True:
            found = blockers.holders(self.eye, self.claims, LADDER[0])
            self.blockers = found or self.blockers
            step = next_step(self._seen(found))
            if isinstance(step, (Pause, Stop)):
                self.looks += 1
                if (yield from end_idle(self.eye, self.work.what, found, self.patience)):
                    continue
                yield from self._away(step, found)
                continue
            failure = self._try(Attempt(self.attempt, step.lock_timeout, self.patience))
            if failure is None:
                return
            if not (yield from end_idle(self.eye, self.work.what, self.blockers, self.patience)):
                yield from self._away(after_failure(self._seen(())), self.blockers)
            self.attempt += 1
            self.looks = 0

    def _seen(self, found: Collection[Blocker]) -> Seen:
        lasting = [blocker.lasting for blocker in found if not blocker.yields]
        return Seen(
            attempt=self.attempt,
            looks=self.looks,
            oldest=max((age for age in lasting if age is not None), default=None),
            yields=any(blocker.yields for blocker in found),
            elapsed=self.elapsed,
            budget=self.patience.budget,
            deadlock_timeout=self.deadlock_timeout,
            chance=random.random(),  # noqa: S311  # jitter keeps no secret
        )

    def _try(self, attempt: Attempt) -> BaseException | None:
        """Attempt it; the error where its locks were not had, and anything else raised on."""
        watch = Watch(self.eye, attempt)
        try:
            with watch:
                self.work.run(attempt)
        except Doomed as exc:
            self.blockers = exc.blockers
            return exc
        except Exception as exc:
            state = sqlstate(exc)
            if state == STOPPED and not watch.waited:
                raise self._outran(exc) from exc
            if state not in {*RETRIED, STOPPED}:
                raise
            self.claims |= watch.claims
            self.blockers = watch.blockers or self.blockers
            return exc
        return None

    def _away(self, step: Pause | Stop, found: tuple[Blocker, ...]) -> Iterator[Notice]:
        if isinstance(step, Stop):
            raise self._timed_out()
        now, who = time.monotonic(), (self.attempt, tuple(blocker.pid or blocker.application for blocker in found))
        if who != self.told[1] or now - self.told[0] >= TELL_EVERY.total_seconds():
            self.told = (now, who)
            yield Waiting(
                what=self.work.what,
                blockers=found,
                attempt=self.attempt,
                elapsed=self.elapsed,
                budget=self.patience.budget,
            )
        time.sleep(step.length.total_seconds())

    def _outran(self, exc: BaseException) -> FailedError:
        limit = in_words(self.patience.statement)
        said = str(getattr(exc, "orig", None) or exc).splitlines()[0]
        if "user request" in said:
            msg = f"{self.work.what} was cancelled by somebody, and nothing of it was kept: {said}"
            return FailedError(msg, hint=self.patience.command or "run the same command again")
        msg = (
            f"{self.work.what} was stopped, and nothing of it was kept: {said}. A statement that only changes the "
            f"catalogue needs no {limit}; this one reads or rewrites rows while it stops everybody else"
        )
        return FailedError(
            msg, hint="split it so that rows are read or written without the lock, or raise lock.statement"
        )

    def _timed_out(self) -> LockTimeoutError:
        tried = self.attempt - 1
        return timed_out(self.work.what, self.blockers, self.patience, self.elapsed, tried)


def end_idle(
    connection: psycopg.Connection, what: str, found: Collection[Blocker], patience: Patience
) -> Generator[Notice, None, bool]:
    """End the blockers that the user allowed to be ended; each is yielded before and after. Gives whether any was.

    Raises:
        FailedError: We may not end sessions of that role.
    """
    ended = False
    for blocker in found:
        if not (patience.terminate_idle and blocker.may_end(patience.roles)):
            continue
        yield Ending(what=what, blocker=blocker)
        try:
            done = blockers.end_idle(connection, blocker, patience.roles)
        except psycopg.errors.InsufficientPrivilege as exc:
            msg = f"backend {blocker.pid} of {blocker.role} cannot be ended: {str(exc).splitlines()[0]}"
            raise FailedError(msg, hint=f"GRANT pg_signal_backend TO {connection.info.user}") from exc
        yield Ending(what=what, blocker=blocker, done=done)
        ended = ended or done
    return ended


def timed_out(
    what: str, found: Collection[Blocker], patience: Patience, elapsed: timedelta, attempts: int
) -> LockTimeoutError:
    """The error for a lock, or a quiet moment, that was not had in time."""
    tries = f"after {attempts} attempts" if attempts else "without an attempt, because each would have been in vain"
    lines = [f"{what}: its lock was not had within {in_words(elapsed)}, {tries}; nothing of it was kept."]
    lines += [f"  in the way: {blocker.told(patience.roles)}" for blocker in found]
    if not found:
        lines.append("  who was in the way has gone, or may not be seen by this role (pg_read_all_stats shows all)")
    advice = next(iter(found)).advice(patience.roles, patience.command) if found else patience.command
    return LockTimeoutError(
        "\n".join(lines),
        hint=advice or "run the same command again",
        document={"blockers": [blocker.document(patience.roles) for blocker in found]},
    )
