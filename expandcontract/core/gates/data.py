"""Gates about rows, snapshots and the end of the old shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.duration import in_words
from expandcontract.core.fit import spoken
from expandcontract.core.gate import Gate, closed, opened, unknown
from expandcontract.core.phase import Kind, Move
from expandcontract.core.release import Speaks

if TYPE_CHECKING:
    from expandcontract.core.facts import Facts, Session
    from expandcontract.core.gate import Answer

SHOWN = 5


def snapshots(facts: Facts) -> Answer:
    """No snapshot is so old that the backfill would double the table."""
    limit = facts.snapshot_limit
    if facts.snapshots is None or limit is None:
        return unknown("the oldest snapshot could not be read")
    old = [snapshot for snapshot in facts.snapshots if snapshot.age > limit]
    if old:
        return closed(
            "old snapshots keep dead rows: " + ", ".join(f"{s.who} ({in_words(s.age)})" for s in old[:SHOWN]),
            measured=in_words(max(s.age for s in old)),
            limit=in_words(limit),
            next_="end these sessions, then the same command again",
        )
    return opened("no snapshot is older than the limit", limit=in_words(limit))


def parity(facts: Facts) -> Answer:
    """The two shapes agree on every row, counted now."""
    name = facts.change.name
    work = facts.change.shape.work
    if not work and facts.change.kind is not Kind.TIGHTENED:
        return opened("the change maps no column")
    if facts.differing is None:
        return unknown("the rows have not been compared", next_=f"ec verify {name}")
    fine, wrong = _agreement(facts)
    mended = _mended_later(facts)
    if facts.differing and mended:
        return opened(f"{facts.differing} rows {wrong}; {mended}", measured=str(facts.differing))
    if facts.differing:
        return closed(
            f"{facts.differing} rows {wrong}",
            measured=str(facts.differing),
            limit="0",
            next_=f"ec verify {name}",
        )
    return opened(fine, measured="0", limit="0")


def _agreement(facts: Facts) -> tuple[str, str]:
    """What is said where no row is wrong, and of those that are."""
    if moved := facts.change.shape.transfers:
        tables = ", ".join(str(transfer.table) for transfer in moved)
        return (
            "old and new shape agree on every row",
            f"differ between the old and the new shape, or have a value and no row of {tables} to hold it",
        )
    if facts.change.shape.mappings:
        return "old and new shape agree on every row", "differ between the old and the new shape"
    if facts.change.kind is Kind.TIGHTENED:
        return "every row keeps the coming rule", "break the coming rule"
    return "every row has its value", "lack a value"


def _mended_later(facts: Facts) -> str:
    """Who mends the rows that break a coming rule, where that may wait; empty where it may not.

    The release that is live until the cut-over may write more of them at any time, and no rule forbids it yet.
    """
    if facts.change.kind is not Kind.TIGHTENED:
        return ""
    if facts.change.shape.fills:
        return "the contract mends them before it makes the rule"
    return "they must be mended before the contract" if facts.asked.move is Move.CUT_OVER else ""


def seal(facts: Facts) -> Answer:
    """Every index and constraint of the seal is there and valid."""
    if facts.unsealed is None:
        return unknown("the seal could not be read")
    if facts.unsealed:
        return closed(
            "not sealed: " + ", ".join(facts.unsealed),
            measured=f"{len(facts.unsealed)} missing",
            limit="0",
            next_=f"ec rollback {facts.change.name}, then ec advance {facts.change.name}",
        )
    return opened("every index and constraint of the seal is valid")


def fits_back(facts: Facts) -> Answer:
    """No row has a value that the old columns cannot have, where they and the new ones traded names."""
    name = facts.change.name
    if not facts.change.traded:
        return opened("the names are as they were")
    if facts.unfit is None:
        return unknown("the rows have not been counted", next_=f"ec verify {name}")
    if facts.unfit:
        columns = " or ".join(f"{m.table}.{new}" for m in facts.change.shape.mappings for new in m.new)
        return closed(
            f"{facts.unfit} rows have a value of {columns} that the old type cannot have, and going back would lose it",
            measured=str(facts.unfit),
            limit="0",
            next_=f"ec verify {name}",
        )
    return opened("every value fits the old type", measured="0", limit="0")


def window(facts: Facts) -> Answer:
    """The rollback window has expired, on the database's clock."""
    found = facts.change.window
    remaining = found.remaining(facts.now)
    if remaining is None:
        return closed(
            "the rollback window has not opened: a release that does not speak new can still serve",
            limit=in_words(found.length),
            next_=f"ec status {facts.change.name}",
        )
    measured = in_words(facts.now - found.opened_at) if found.opened_at else ""
    if remaining:
        return closed(
            f"the rollback window closes at {found.closes_at:%Y-%m-%d %H:%M:%S %Z}, in {in_words(remaining)}",
            measured=measured,
            limit=in_words(found.length),
            opens_at=found.closes_at,
            next_=f"ec gate {facts.change.name} contract --wait {in_words(remaining)}",
        )
    return opened("the rollback window has expired", measured=measured, limit=in_words(found.length))


def releases_speak_new(facts: Facts) -> Answer:
    """Every color that gets traffic speaks ``new``; the other cannot be switched to once the old shape is gone."""
    if facts.change.unnoticed:
        return opened("every release fits, whatever it speaks")
    if not facts.switched and not facts.releases:
        return closed("no release is recorded", next_="ec deploy COLOR VERSION")
    weights = facts.weights or facts.recorded
    if weights is None:
        return unknown("the traffic is not known", next_="ec status")
    for color, release in facts.releases.items():
        speaks = spoken(release, facts.change, facts.changes)
        if weights.of(color) and speaks is not Speaks.NEW:
            return closed(
                f"{release} gets {weights.of(color)} % of the traffic and speaks {speaks}",
                measured=speaks,
                limit=Speaks.NEW,
                next_=f"ec rollback {facts.change.name}",
            )
    if not any(weights.of(color) for color in facts.releases):
        return closed("no release is recorded on the live color", next_="ec deploy COLOR VERSION")
    return opened("every release with traffic speaks new")


def sessions(facts: Facts) -> Answer:
    """No session of a release that does not speak ``new`` is left; with a fence, none will be."""
    if facts.sessions is None:
        return unknown("the sessions could not be counted")
    if facts.asked.fence:
        return _fenced(facts, facts.sessions)
    name, found = facts.change.name, facts.sessions
    if found:
        some = "; ".join(map(_told, found[:SHOWN])) + (f"; and {len(found) - SHOWN} more" if found[SHOWN:] else "")
        return closed(
            f"sessions of a release that does not speak new: {some}",
            measured=str(len(found)),
            limit="0",
            next_=f"stop that release, or end its sessions: ec advance {name} --fence",
        )
    if facts.unseen:
        return unknown("; ".join(map(str, facts.unseen)), next_=facts.unseen[0].fix)
    return opened("no session of an older release is left", measured="0", limit="0")


def _fenced(facts: Facts, found: tuple[Session, ...]) -> Answer:
    if facts.unfenced:
        return closed(
            "the old release cannot be fenced off: " + "; ".join(map(str, facts.unfenced)), next_=facts.unfenced[0].fix
        )
    return opened("its login role is locked out first, and its sessions are ended", measured=str(len(found)), limit="0")


def _told(session: Session) -> str:
    age = f", connected for {in_words(session.age)}" if session.age is not None else ""
    application = session.application or "without a name"
    return f"{session.role}, {application}, from {session.address}{age}, {session.state} (backend {session.pid})"


def dependents(facts: Facts) -> Answer:
    """Nothing else in the database depends on the old shape."""
    if facts.dependents is None:
        return unknown("the dependents could not be read")
    if facts.dependents:
        return closed(
            "these depend on the old shape: " + ", ".join(facts.dependents),
            measured=str(len(facts.dependents)),
            limit="0",
            next_="change or drop them in an expand revision",
        )
    return opened("nothing else depends on the old shape")


SNAPSHOTS = Gate("snapshots", "EC340", snapshots)
PARITY = Gate("parity", "EC341", parity)
FITS_BACK = Gate("fits-back", "EC372", fits_back)
SEAL = Gate("seal", "EC342", seal)
WINDOW = Gate("window", "EC360", window)
RELEASES_SPEAK_NEW = Gate("releases-speak-new", "EC361", releases_speak_new)
SESSIONS = Gate("sessions", "EC362", sessions)
DEPENDENTS = Gate("dependents", "EC364", dependents)
