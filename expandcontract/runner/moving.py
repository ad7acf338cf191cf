"""One intent of one or several changes: asked for, judged, saved for all at once, driven to its end, and told.

A move left in flight is resumed as a whole: whatever one command began goes on, and goes back, together.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from expandcontract.core.facts import Asked
from expandcontract.core.phase import SHIFTS, Move, Phase
from expandcontract.core.plan import implied, judge
from expandcontract.core.release import Speaks, check_version
from expandcontract.errors import FailedError, RefusedError, UsageError
from expandcontract.runner import back, drifting, forward, scaling
from expandcontract.runner.events import Event
from expandcontract.runner.observe import known, observe, read_weights, usable
from expandcontract.runner.saying import told
from expandcontract.runner.together import combined, own, resumed_as_begun, same_phase
from expandcontract.runner.traffic import release_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from expandcontract.core.change import ChangeState
    from expandcontract.core.plan import Judgement
    from expandcontract.core.release import Release
    from expandcontract.ledger import Ledger
    from expandcontract.runner.call import Call
    from expandcontract.runner.mover import Mover
    from expandcontract.runner.place import Place


def current(place: Place, m: Mover, names: Sequence[str]) -> list[ChangeState]:
    """The changes as they stand now."""
    with m.reading() as ledger:
        return [known(place, ledger, name) for name in names]


def advance(place: Place, m: Mover, names: Sequence[str], to: Phase | None, call: Call) -> Iterator[Event]:
    """Take the named changes one move on, or on to ``to``; resumes what is in flight.

    Raises:
        UsageError: Their moves are not made as one, or ``to`` does not lie ahead.
        RefusedError: A gate is closed; nothing is left to do, and somebody else moved the traffic.
    """
    moved = False
    while True:
        changes = current(place, m, names)
        flying = next((change for change in changes if change.in_flight is not None), None)
        if to is not None:
            same_phase(changes)
        moves = combined([flying] if flying else changes)
        if not moves or (to is not None and changes[0].phase is to):
            if not moved:
                with m.reading() as ledger:
                    drifting.refuse(place, ledger, changes[0])
                phases = ", ".join(f"{change.name} is {change.phase}" for change in changes)
                yield Event(kind="note", text=f"{phases}; nothing is left to do")
            return
        if to is not None and not changes[0].path(to):
            msg = f"{names[0]} is {changes[0].phase}, and {to} does not lie ahead"
            raise UsageError(msg, hint=f"ec rollback {names[0]}")
        if call.fence and to is None and Move.CONTRACT not in moves.values():
            what = ", ".join(f"{name} wants {move}" for name, move in moves.items())
            msg = f"--fence goes with contract: {what}"
            raise UsageError(msg, hint=f"ec advance {' '.join(names)}")
        if flying is not None:
            yield from resume(place, m, flying, call)
        else:
            yield from begin(place, m, changes, moves, call)
        if to is None:
            return
        moved = True


def asked_for(
    place: Place, ledger: Ledger, changes: Sequence[ChangeState], moves: Mapping[str, Move], call: Call
) -> Asked:
    """What is asked for the first of them; :func:`own` gives what is asked for each other one.

    Raises:
        UsageError: The version names no release, or a flag does not go with the move.
        ConfigError: No traffic switch is set.
    """
    first, together = changes[0], frozenset(change.name for change in changes)
    move = moves[first.name]
    if move is Move.ROLL_BACK:
        return back.asked_for(place, ledger, first, together)
    flying = first.in_flight
    if flying is not None and flying.move is move and call.release is None:
        return forward.recalled(first)[0]
    release = None
    if call.release is not None and move in SHIFTS:
        meant = {change.name: implied(moves[change.name]) or Speaks.OLD for change in changes}
        release = named(place, ledger, call.release, call.speaks, meant)
    fence = call.fence and move is Move.CONTRACT
    return Asked(move=move, release=release, by_database=call.by_database, together=together, fence=fence)


def named(
    place: Place, ledger: Ledger, version: str, speaks: Mapping[str, Speaks], meant: Mapping[str, Speaks]
) -> Release:
    """The release of that version on the color that has it or shall get it.

    Args:
        place: Where we work.
        ledger: Of the database.
        version: The release.
        speaks: What ``--speaks`` says of it.
        meant: What it speaks by being named with these moves.

    Raises:
        UsageError: It names no release.
        ConfigError: No traffic switch is set, or what is said of the release contradicts itself.
        UnknownNameError: It is said to speak a change that does not exist.
    """
    check_version(version)
    place.needed_switch()
    weights, _ = read_weights(place)
    baseline = place.project.newest_contract(place.project.applied(ledger.connection))
    return told(place, ledger, release_for(ledger, version, {}, weights, baseline), speaks, meant)


def whole(place: Place, m: Mover, change: ChangeState) -> list[ChangeState]:
    """The changes that move together with this one in flight."""
    together = forward.recalled(change)[0].together | {change.name}
    return [found for found in current(place, m, sorted(together)) if found.in_flight is not None]


def judgement(place: Place, m: Mover, change: ChangeState, asked: Asked, *, count: bool = True) -> Judgement:
    """What the gates say of the change's own part of what is asked for; writes nothing.

    Args:
        place: Where we work.
        m: Us.
        change: The change.
        asked: What is asked for, of whichever change.
        count: Compare the rows too.
    """
    mine = own(change, asked)
    with m.reading() as ledger:
        usable(place, m.connection, change, mine)
        return judge(observe(place, m.connection, ledger, change.name, mine, count=count))


def judged(place: Place, m: Mover, changes: Sequence[ChangeState], asked: Asked) -> None:
    """Make sure that every gate of every change is open, before anything is done for one of them.

    Raises:
        RefusedError: One is not; it stands in the journal.
    """
    for change in changes:
        found = judgement(place, m, change, asked)
        if not found.open:
            refuse(m, found)


def refuse(m: Mover, found: Judgement) -> None:
    """Refuse with what the gates say, in the journal too.

    Raises:
        RefusedError: Always.
    """
    with m.writing() as ledger:
        shut = [verdict.code for verdict in found.shut]
        ledger.journal("refused", found.change, {"move": found.move, "gates": shut})
    reasons = "\n".join(f"  {verdict}" for verdict in found.shut)
    msg = f"{found.move} of {found.change} is refused:\n{reasons}"
    raise RefusedError(msg, hint=found.next_command, document=found.document())


def begin(
    place: Place, m: Mover, changes: Sequence[ChangeState], moves: Mapping[str, Move], call: Call
) -> Iterator[Event]:
    """Make moves that none of the changes has begun.

    Raises:
        RefusedError: A gate of one of them is closed; nothing was begun for any.
    """
    with m.reading() as ledger:
        asked = asked_for(place, ledger, changes, moves, call)
    judged(place, m, changes, asked)
    yield from undertake(place, m, changes, asked, call)


def undertake(place: Place, m: Mover, changes: Sequence[ChangeState], asked: Asked, call: Call) -> Iterator[Event]:
    """Save the intent of all in one transaction, and drive it to its end; the gates have been asked."""
    origin = read_weights(place)[0]
    stages = tuple(call.steps or place.settings.traffic.steps)
    kept = forward.remembered(asked, origin, stages)
    with m.writing() as ledger:
        for change in changes:
            ledger.plan_change(change)
            move = own(change, asked).move
            version = asked.release.version if asked.release else None
            ledger.begin(change.name, change.phase, move, version=version, arguments=kept)
    for change in changes:
        yield Event(kind="began", text=f"{own(change, asked).move} of {change.name}", change=change.name)
    yield from forward.drive(place, m, changes, asked, origin, stages)
    yield from finished(place, m, changes)


def resume(place: Place, m: Mover, flying: ChangeState, call: Call) -> Iterator[Event]:
    """Go on with a move in flight, and with those that were begun along with it.

    Raises:
        UsageError: It was begun with something else than is asked for now.
        RefusedError: A gate has closed meanwhile.
    """
    changes = whole(place, m, flying)
    asked, origin, steps = forward.recalled(flying)
    asked = replace(asked, fence=asked.fence or (call.fence and asked.move is Move.CONTRACT))
    resumed_as_begun(flying, asked, call.release, by_database=call.by_database)
    for change in changes:
        yield Event(kind="note", text=f"resuming {own(change, asked).move} of {change.name}", change=change.name)
    judged(place, m, changes, asked)
    yield from forward.drive(place, m, changes, asked, origin, steps)
    yield from finished(place, m, changes)


def finished(place: Place, m: Mover, changes: Sequence[ChangeState]) -> Iterator[Event]:
    """Say where the changes stand now.

    Raises:
        FailedError: One is still in flight.
    """
    found = current(place, m, [change.name for change in changes])
    for change in found:
        if change.in_flight is not None:
            msg = f"{change.in_flight.move} of {change.name} did not come to its end; {change.name} is {change.phase}"
            raise FailedError(msg, hint=f"ec plan {change.name}")
        text = f"{change.name} is {change.phase}"
        if change.phase is Phase.CUT_OVER and change.window.closes_at:
            text += f"; its rollback window closes at {change.window.closes_at:%Y-%m-%d %H:%M:%S %Z}"
        yield Event(kind="finished", text=text, change=change.name, data={"phase": change.phase})
    if any(change.phase is Phase.CONTRACTED for change in found):
        with m.reading() as ledger:
            yield from tuple(scaling.offered(place, ledger))
