"""``--fence``: before a contract the login role of the old release is locked out, and its sessions are ended.

The intent, with whether the role could log in before, stands in the journal before anything is done; what stands there
is undone by the roll-back of that contract, and by the next deployment on the role's color.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from expandcontract.core.facts import Asked, Facts
from expandcontract.core.gates.data import SESSIONS
from expandcontract.core.phase import Move
from expandcontract.core.plan import ask
from expandcontract.errors import RefusedError
from expandcontract.pg import census
from expandcontract.pg.connect import connect
from expandcontract.pg.fence import end_sessions, may_login, set_login
from expandcontract.runner.events import Event
from expandcontract.runner.leaving import leaving, with_sessions
from expandcontract.runner.observe import merged

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from expandcontract.core.change import ChangeState
    from expandcontract.core.facts import Session
    from expandcontract.runner.mover import Mover
    from expandcontract.runner.place import Place

BUDGET_S, AGAIN_S = 30, 0.1
"""How long a role's sessions are looked for and ended, and how often."""


def lock_out(place: Place, mover: Mover, changes: Sequence[ChangeState], asked: Asked) -> Iterator[Event]:
    """Lock out the roles of releases that do not speak ``new``, end their sessions, and ask the gate anew.

    May run twice.

    Raises:
        FailedError: A right was taken from us meanwhile.
        RefusedError: Sessions are left all the same; the contract stays in flight, with the roles locked out.
    """
    with mover.reading() as ledger:
        releases, known = ledger.releases(), merged(place, ledger)
    for change in changes:
        for role in leaving(place, change, releases, known).roles:
            yield from _lock_out(place, mover, change.name, role)
    for change in changes:
        _asked_anew(place, mover, change, asked)


def _lock_out(place: Place, mover: Mover, change: str, role: str) -> Iterator[Event]:
    with mover.writing() as ledger:
        if role not in {fence.role for fence in ledger.fences()}:
            could = bool(may_login(mover.connection, role))
            ledger.journal("fence_intent", change, {"role": role, "could_login": could})
    yield Event(kind="intent", text=f"locking out {role}", change=change, data={"role": role})
    with mover.writing():
        set_login(mover.connection, role, allowed=False)
    with mover.reading():
        found = census.sessions(mover.connection, [role])
    with mover.writing() as ledger:
        ledger.journal("sessions_to_end", change, {"role": role, "sessions": [_document(session) for session in found]})
    for session in found:
        text = f"ending backend {session.pid} of {role}, {session.application or 'without a name'}"
        yield Event(kind="intent", text=f"{text}, from {session.address}", change=change, data=_document(session))
    ended = _end(place, role)
    with mover.writing() as ledger:
        ledger.journal("fenced", change, {"role": role, "ended": ended})
    counted = f"{ended} of its sessions {'was' if ended == 1 else 'were'} ended"
    text = f"{role} can no longer log in, and {counted}; its next deployment lets it in again"
    yield Event(kind="note", text=text, change=change, data={"role": role, "ended": ended})


def _end(place: Place, role: str) -> int:
    """End sessions until none is seen any more; one that was let in just before the lock may show late."""
    ended: set[int] = set()

    def left() -> tuple[Session, ...]:
        with connection.begin():
            ended.update(end_sessions(connection, role))
        with connection.begin():
            return census.sessions(connection, [role])

    again = Retrying(
        retry=retry_if_result(bool),
        stop=stop_after_delay(BUDGET_S),
        wait=wait_fixed(AGAIN_S),
        retry_error_callback=lambda _: None,
    )
    with connect(place.url, command="fence") as connection:
        again(left)
    return len(ended)


def _document(session: Session) -> dict[str, object]:
    return {
        "pid": session.pid,
        "role": session.role,
        "application": session.application,
        "address": session.address,
        "age_s": None if session.age is None else session.age.total_seconds(),
    }


def _asked_anew(place: Place, mover: Mover, change: ChangeState, asked: Asked) -> None:
    with mover.reading() as ledger:
        bare = Facts(
            now=ledger.now(),
            change=change,
            changes=merged(place, ledger),
            asked=Asked(move=Move.CONTRACT, together=asked.together),
            releases=ledger.releases(),
        )
        judgement = ask((SESSIONS,), with_sessions(place, mover.connection, bare))
    if not judgement.open:
        reasons = "\n".join(f"  {verdict}" for verdict in judgement.shut)
        msg = f"contract of {change.name} is refused, and its fence stands:\n{reasons}"
        hint = f"ec rollback {change.name}, which undoes the fence, or ec advance {change.name} once more"
        raise RefusedError(msg, hint=hint)


def lift(mover: Mover, *, role: str | None = None, changes: Collection[str] = ()) -> Iterator[Event]:
    """Let in again what a fence locked out: one role, or all that contracts of these changes did. May run twice.

    Raises:
        FailedError: We may no longer alter the role; with the statement that a superuser types.
    """
    with mover.reading() as ledger:
        found = [fence for fence in ledger.fences() if fence.role == role or fence.change in changes]
    for fence in found:
        with mover.writing() as ledger:
            if fence.could_login:
                set_login(mover.connection, fence.role, allowed=True)
            ledger.journal("unfenced", fence.change, {"role": fence.role, "could_login": fence.could_login})
        if fence.could_login:
            yield Event(kind="step", text=f"{fence.role} can log in again", change=fence.change)
