"""Gates about releases: which gets the traffic, whether it fits, answers, and leaves a way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.change import requires
from expandcontract.core.fit import fitting, misfits, spoken
from expandcontract.core.gate import Gate, closed, opened, unknown
from expandcontract.core.phase import Move, Phase, after
from expandcontract.core.release import Speaks

if TYPE_CHECKING:
    from expandcontract.core.facts import Facts
    from expandcontract.core.gate import Answer

WANTED = {Move.DUAL_WRITE: Speaks.DUAL, Move.CUT_OVER: Speaks.NEW}


def release_chosen(facts: Facts) -> Answer:
    """The caller named the release, or said that the triggers alone shall write both shapes."""
    asked, name = facts.asked, facts.change.name
    dual = asked.move is Move.DUAL_WRITE
    if dual and asked.by_database:
        return opened("the triggers alone write both shapes")
    if facts.change.unnoticed:
        return opened("every release fits, so none is deployed")
    if asked.release is None:
        ways = f"ec advance {name} --release VERSION" + (f", or ec advance {name} --by database" if dual else "")
        return closed("no release was named, and none is guessed", next_=ways)
    wanted = WANTED[Move.DUAL_WRITE if dual else Move.CUT_OVER]
    speaks = spoken(asked.release, facts.change, facts.changes)
    if speaks is not wanted:
        return closed(
            f"release {asked.release.version} speaks {speaks} of {name}, this move wants one that speaks {wanted}",
            measured=speaks,
            limit=wanted,
            next_=f"ec advance {name} --release VERSION",
        )
    return opened(f"release {asked.release.version} speaks {speaks}", measured=speaks, limit=wanted)


def release_fits(facts: Facts) -> Answer:
    """The release that shall get the traffic fits the schema, for every change."""
    release = facts.asked.release
    if release is None:
        return opened("the traffic stays")
    wrong = misfits(release, facts.changes)
    if wrong:
        return closed(
            f"release {release.version} does not fit: " + "; ".join(map(str, wrong)),
            measured=", ".join(f"{misfit.change}={misfit.speaks}" for misfit in wrong),
            next_="ec deploy COLOR VERSION --speaks CHANGE=" + " or ".join(sorted(wrong[0].wanted)),
        )
    return opened(f"release {release.version} fits every change")


def color_healthy(facts: Facts) -> Answer:
    """The color that shall get the traffic answers its probes, once the release is on it."""
    release = facts.asked.release
    if release is None:
        return opened("the traffic stays")
    deployed = facts.releases.get(release.color)
    if deployed is None or deployed.version != release.version:
        return opened(f"{release} is deployed first and probed before it gets any traffic")
    health = facts.health.get(release.color)
    if health is None:
        return unknown(f"{release.color} has not been probed")
    if not health.ok:
        again = f"ec deploy {release.color} {release.version}"
        return closed(f"{release.color} is not ready: {health.evidence}", next_=again)
    return opened(f"{release.color} is ready: {health.evidence}")


def smoke_test(facts: Facts) -> Answer:
    """The smoke test of the color that shall get the traffic passed."""
    if facts.smoke:
        return closed(f"the smoke test failed: {facts.smoke}", next_="mend the release, then the same command again")
    return opened("the smoke test passed" if facts.smoke == "" else "the smoke test runs before any traffic is given")


def way_back(facts: Facts) -> Answer:
    """The release that is live now stays a way back after the move."""
    if facts.change.unnoticed:
        return opened("every release fits before and after")
    live = facts.live
    release = facts.releases.get(live) if live else None
    if release is None:
        return closed(
            "no release is recorded on the live color, so there is no way back to it",
            next_="ec deploy COLOR VERSION, then ec switch COLOR",
        )
    wrong = misfits(release, facts.changes)
    if wrong:
        return closed(f"{release} would be no way back: " + "; ".join(map(str, wrong)), next_="ec status")
    if facts.asked.release is not None and facts.asked.release.color is live:
        return closed(
            f"{live} is live: deploying {facts.asked.release.version} over it would take the way back",
            next_=f"ec advance {facts.change.name} --release VERSION",
        )
    return opened(f"{release} stays the way back")


def taken(facts: Facts) -> tuple[str, ...]:
    """The other changes of which that release, live, would make untrue what is true, and that are not named too."""
    release = facts.asked.release
    return tuple(
        other.name
        for other in facts.others()
        if release is not None
        and other.name not in facts.asked.together
        and spoken(release, other, facts.changes) not in requires(other)
    )


def others_hold(facts: Facts) -> Answer:
    """What is true of the other changes stays true with that release live, or they are named in the same command."""
    release = facts.asked.release
    if release is None:
        return opened("the traffic stays")
    names = taken(facts)
    if names:
        verb = "rollback" if facts.asked.move is Move.ROLL_BACK else "advance"
        return closed(
            f"release {release.version} live would make untrue what is true of {', '.join(names)}",
            next_=f"ec {verb} {' '.join([facts.change.name, *names])}",
        )
    return opened("every other change stays where it is")


def _final(facts: Facts) -> Answer | None:
    """Why the expand itself cannot be taken back, where it cannot."""
    change = facts.change
    if after(change.phase, Move.ROLL_BACK, change.kind) is Phase.PLANNED and change.irreversible:
        return closed(f"the expand cannot be taken back: {change.irreversible}", next_=f"ec status {change.name}")
    if facts.breaking:
        what = "; ".join(found.what for found in facts.breaking)
        return closed(f"what the roll-back puts back would not hold: {what}", next_=facts.breaking[0].fix)
    return None


def roll_back_target(facts: Facts) -> Answer:
    """There is a release to go back to, or none is needed."""
    change = facts.change
    if (final := _final(facts)) is not None:
        return final
    if change.phase is Phase.EXPANDED:
        before = fitting(change, Phase.PLANNED)
        speaking = [r for r in facts.releases.values() if r.speaks.get(change.name, Speaks.OLD) not in before]
        if speaking:
            return closed(
                f"{speaking[0]} speaks {speaking[0].speaks[change.name]} of {change.name}",
                next_=f"ec deploy {speaking[0].color} VERSION",
            )
        return opened("no deployed release speaks the new shape")
    if facts.asked.release is not None:
        return opened(f"the way back is {facts.asked.release}")
    if change.phase is Phase.BACKFILLED or change.by_database or change.unnoticed:
        return opened("the traffic stays")
    return closed("the ledger knows no release to go back to", next_="ec deploy COLOR VERSION")


RELEASE_CHOSEN = Gate("release-chosen", "EC330", release_chosen)
RELEASE_FITS = Gate("release-fits", "EC331", release_fits)
COLOR_HEALTHY = Gate("color-healthy", "EC332", color_healthy)
SMOKE_TEST = Gate("smoke-test", "EC333", smoke_test)
WAY_BACK = Gate("way-back", "EC350", way_back)
ROLL_BACK_TARGET = Gate("roll-back-target", "EC370", roll_back_target)
OTHERS_HOLD = Gate("others-hold", "EC371", others_hold)
