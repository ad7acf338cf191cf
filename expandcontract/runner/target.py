"""What a rehearsal reads from the target beforehand; of its rows only how many there are, by the statistics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql
from sqlalchemy import text

from expandcontract.core.phase import Phase
from expandcontract.errors import RefusedError
from expandcontract.ledger import Ledger, installed_version
from expandcontract.pg import scratch
from expandcontract.pg.connect import connect
from expandcontract.revisions.probe import probe
from expandcontract.runner.observe import declared, merged

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection

    from expandcontract.core.change import ChangeState
    from expandcontract.core.color import Weights
    from expandcontract.core.mapping import Table
    from expandcontract.runner.place import Place


@dataclass(frozen=True, slots=True)
class Kept:
    """A ledger's version, and how far its numbers for functions have come."""

    version: int
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The target, read only.

    Attributes:
        url: Where it is.
        major: Its version.
        change: The change, which is planned.
        others: The other changes that are under way there.
        ledger: What of its ledger is not copied as it is; ``None`` where it has none.
        heads: Alembic's.
        versions: The table in which these stand; ``None`` where there is none.
        roles: Of its cluster.
        weights: The traffic, as its ledger has it.
        rows: The tables of the change that are there, with about how many rows; ``None`` where that is not known.
    """

    url: URL
    major: int
    change: ChangeState
    others: tuple[ChangeState, ...]
    ledger: Kept | None
    heads: tuple[str, ...]
    versions: Table | None
    roles: frozenset[str]
    weights: Weights | None
    rows: dict[Table, int | None]


def read(place: Place, name: str) -> Target:
    """Read it.

    Raises:
        RefusedError: The change has left ``planned`` there.
        UnknownNameError: No pair declares it.
    """
    pair = place.project.pair(name)
    said = probe(place.project.config)
    with connect(place.url, command="rehearse") as connection:
        kept = _kept(connection)
        ledger = Ledger(connection, window=place.settings.window.length)
        known = {change.name: change for change in merged(place, ledger)} if kept else {}
        change = known.get(name) or declared(place, pair)
        _refuse_begun(change)
        versions = scratch.table(connection, said.version_table_schema, said.version_table)
        return Target(
            url=place.url,
            major=scratch.major(connection),
            change=change,
            others=tuple(c for c in known.values() if c.phase is not Phase.PLANNED and not c.ended),
            ledger=kept,
            heads=_heads(connection, versions),
            versions=versions,
            roles=scratch.roles(connection),
            weights=ledger.weights() if kept else None,
            rows={
                table: scratch.rough_rows(connection, table)
                for table in change.shape.tables
                if scratch.exists(connection, table)
            },
        )


def _kept(connection: Connection) -> Kept | None:
    version = installed_version(connection)
    if version is None:
        return None
    last = connection.execute(text("SELECT last_value FROM expandcontract.generation")).scalar_one()
    return Kept(version, int(last))


def _refuse_begun(change: ChangeState) -> None:
    if change.phase is Phase.PLANNED and change.in_flight is None:
        return
    stands = f"is {change.phase}" if change.in_flight is None else f"has a move in flight from {change.phase}"
    msg = f"{change.name} {stands} on the target; a rehearsal goes all the way and begins before the expand"
    raise RefusedError(msg, hint=f"ec plan {change.name}, which shows what lies ahead")


def _heads(connection: Connection, versions: Table | None) -> tuple[str, ...]:
    if versions is None:
        return ()
    query = sql.SQL("SELECT version_num FROM {}").format(sql.Identifier(versions.schema, versions.name))
    return tuple(connection.execute(text(query.as_string().replace(":", "\\:"))).scalars())
