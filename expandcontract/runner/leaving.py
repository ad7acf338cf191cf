"""Who is to be gone before a contract: the login roles of releases that do not speak ``new``, and their sessions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from expandcontract.core.color import Color
from expandcontract.core.facts import Finding
from expandcontract.core.fit import spoken
from expandcontract.core.release import Speaks
from expandcontract.pg import census, roles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from expandcontract.core.change import ChangeState
    from expandcontract.core.facts import Facts
    from expandcontract.core.release import Release
    from expandcontract.runner.place import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """Who is to be gone.

    Attributes:
        roles: Login roles that only releases have which do not speak ``new``, or of which no release is recorded.
        untold: Releases whose sessions cannot be told from others.
    """

    roles: tuple[str, ...] = ()
    untold: tuple[Finding, ...] = ()


def leaving(
    place: Place, change: ChangeState, releases: Mapping[Color, Release], changes: Sequence[ChangeState]
) -> Leaving:
    """Who is to be gone before the old shape of ``change`` can go."""
    if change.unnoticed:
        return Leaving()
    stay = [c for c, release in releases.items() if spoken(release, change, changes) is Speaks.NEW]
    staying = {place.settings.color(color).role for color in stay}
    gone: list[str] = []
    untold: list[Finding] = []
    for color in (color for color in Color if color not in stay):
        role, release = place.settings.color(color).role, releases.get(color)
        if role is not None and role not in staying:
            gone.append(role)
        elif release is not None:
            untold.append(_untold(release, role))
    return Leaving(roles=tuple(sorted(gone)), untold=tuple(untold))


def _untold(release: Release, role: str | None) -> Finding:
    fix = f"ec deploy {release.color} VERSION"
    if role is None:
        what = f"colors.{release.color}.role is not set, so the sessions of {release} cannot be told from others"
        return Finding(what=what, fix=f"set it in expandcontract.toml, or {fix}")
    what = f"{role} is the login role of both colors, so the sessions of {release} cannot be told from the others"
    return Finding(what=what, fix=f"give each color a login role of its own, or {fix}")


def with_sessions(place: Place, connection: Connection, facts: Facts) -> Facts:
    """The facts with the sessions that are left, and where a fence is asked for, what speaks against that."""
    found = leaving(place, facts.change, facts.releases, facts.changes)
    return replace(
        facts,
        sessions=census.sessions(connection, found.roles),
        unseen=(*found.untold, *census.unseen(connection, found.roles)),
        unfenced=(*found.untold, *roles.unfenced(connection, found.roles)) if facts.asked.fence else (),
    )
