"""Locks that the runner waits for: what it will ask for, what the user allows, and what it tells meanwhile."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from psycopg import sql

from expandcontract.core.attempt import Patience
from expandcontract.core.conflict import Claim
from expandcontract.core.duration import in_words
from expandcontract.core.effect import LockMode
from expandcontract.pg import blockers
from expandcontract.pg.connect import hot
from expandcontract.pg.ddl import Ending, Notice, Waiting, Work, perform
from expandcontract.pg.standby import behind
from expandcontract.runner.events import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from expandcontract.config.settings import Settings
    from expandcontract.core.change import ChangeState
    from expandcontract.core.shape import Hold
    from expandcontract.pg.attempt import Attempt
    from expandcontract.runner.mover import Mover
    from expandcontract.runner.place import Place


def patience(settings: Settings, command: str, *, terminate_idle: bool = False) -> Patience:
    """What the settings and the command line allow.

    Args:
        settings: The settings.
        command: What was typed, without ``--terminate-idle``.
        terminate_idle: Whether that flag was given.
    """
    colors = {found.role: str(color) for color, found in settings.colors.items() if found.role}
    return Patience(
        budget=settings.lock.budget,
        statement=settings.lock.statement,
        build=settings.lock.build,
        snapshot=settings.lock.snapshot,
        roles=colors,
        terminate_idle=terminate_idle,
        command=command,
    )


def claims(place: Place, change: ChangeState, *, removed: Iterable[Hold] = ()) -> tuple[Claim, ...]:
    """The locks that a revision of the change asks for, as far as its shape tells.

    Args:
        place: Where we work.
        change: The change.
        removed: The columns that it drops; foreign keys over them lock the tables at their other ends.
    """
    gone = {hold.table: list(hold.columns) for hold in removed}
    names: list[str] = []
    with hot(place.url, command="locks") as connection:
        for table in change.shape.tables:
            relation = sql.Identifier(table.schema, table.name).as_string()
            names += [relation, *blockers.partners(connection, relation, gone.get(table, []))]
    return tuple(Claim(name, LockMode.ACCESS_EXCLUSIVE) for name in dict.fromkeys(names))


def waited(
    mover: Mover, change: str, notices: Iterable[str | Notice], done: Callable[[str], Event] | None = None
) -> Iterator[Event]:
    """The notices as events; a session that is to be ended stands in the journal before it is.

    Args:
        mover: Us.
        change: The change's name.
        notices: What is waited for; texts among them say what was done.
        done: The event for such a text.
    """
    for notice in notices:
        if isinstance(notice, str):
            if done is not None:
                yield done(notice)
        elif isinstance(notice, Waiting):
            yield _waiting(notice, change, mover.patience)
        else:
            yield from _ending(mover, notice, change)


def _waiting(notice: Waiting, change: str, allowed: Patience) -> Event:
    text = f"waiting for {notice.what}" if notice.blockers else notice.what
    if notice.blockers:
        text += "; in the way: " + "; ".join(found.told(allowed.roles) for found in notice.blockers)
    elif not notice.doing:
        text = f"{notice.what}: the lock was not had; trying again"
    if notice.doing:
        text += f" ({notice.doing})"
    else:
        text += f" (attempt {notice.attempt}, for {in_words(notice.elapsed)} of {in_words(notice.budget)})"
    data: dict[str, object] = {
        "attempt": notice.attempt,
        "elapsed_s": notice.elapsed.total_seconds(),
        "budget_s": notice.budget.total_seconds(),
        "doing": notice.doing or None,
        "blockers": [found.document(allowed.roles) for found in notice.blockers],
    }
    return Event(kind="waiting", text=text, change=change, data=data)


def _ending(mover: Mover, notice: Ending, change: str) -> Iterator[Event]:
    roles = mover.patience.roles
    document = notice.blocker.document(roles)
    with mover.writing() as ledger:
        event = "session_to_end" if notice.done is None else "session_ended" if notice.done else "session_left"
        ledger.journal(event, change, document)
    who = notice.blocker.told(roles)
    if notice.done is None:
        yield Event(kind="intent", text=f"ending {who}", change=change, data=document)
    elif notice.done:
        yield Event(kind="note", text=f"ended backend {notice.blocker.pid} of {notice.blocker.role}", change=change)
    else:
        yield Event(kind="note", text=f"backend {notice.blocker.pid} had gone on by itself; it was left", change=change)


def under_locks(
    place: Place, mover: Mover, change: ChangeState, what: str, run: Callable[[Attempt], None]
) -> Iterator[Event]:
    """Do something of our own on the change's table, under SHARE ROW EXCLUSIVE."""
    found = tuple(replace(claim, mode=LockMode.SHARE_ROW_EXCLUSIVE) for claim in claims(place, change))
    work = Work(what=what, claims=found, run=run)
    yield from waited(mover, change.name, perform(place.url, work, mover.patience))


def replayed(place: Place, change: str) -> Iterator[Event]:
    """Say which standbys have not yet replayed what was just done: readers there can stand behind it."""
    with hot(place.url, command="standbys") as connection:
        for found in behind(connection):
            yield Event(kind="note", text=found, change=change)
