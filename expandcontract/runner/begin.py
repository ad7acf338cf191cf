"""What ``ec init`` does: the project's files, the ledger, and the rights that are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.ledger import install
from expandcontract.pg import roles
from expandcontract.pg.connect import connect, refuse_pooled
from expandcontract.revisions.attach import attach
from expandcontract.runner.events import Event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.runner.place import Place


def begin(place: Place, *, development: bool) -> Iterator[Event]:
    """Attach to the project's Alembic environment, create or upgrade the ledger, name missing grants; may run again.

    Raises:
        ConfigError: The environment cannot be attached to.
        ConnectError: The database cannot be reached, or we may not create the ledger in it.
    """
    done = attach(place.directory, place.settings.alembic)
    for path in done.created:
        yield Event(kind="step", text=f"wrote {path}")
    yield Event(kind="step" if done.guarded else "note", text="env.py has the guard" if done.guarded else done.advice)
    with connect(place.url, command="init") as connection:
        refuse_pooled(connection)
        with connection.begin():
            roles.may_install(connection)
            changed = install(connection, development=development)
        named = {color.role for color in place.settings.colors.values() if color.role is not None}
        grants = roles.missing_grants(connection, named)
    for grant in grants:
        yield Event(kind="note", text=f"{grant}; as a superuser: {grant.fix}", data={"grant": grant.fix})
    text = "the ledger is installed" if changed else "the ledger is up to date"
    yield Event(kind="finished", text=text + ("; pairs run straight through here" if development else ""))
