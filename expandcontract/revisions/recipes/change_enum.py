"""``change-enum``: other values of an enum type; which change it is, says the flag."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.errors import UsageError
from expandcontract.revisions.recipes import enum_added, enum_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from expandcontract.revisions.render import Draft


def draft(  # noqa: PLR0913  # each is a flag of the command
    connection: Connection,
    type: str,  # noqa: A002  # as the command has it
    *,
    add: str | None = None,
    before: str | None = None,
    after: str | None = None,
    rename: Sequence[str] = (),
    remove: Sequence[str] = (),
    instead: str | None = None,
    type_name: str | None = None,
    to: Sequence[str] = (),
    name: str | None = None,
) -> Draft:
    """The change of an enum type.

    Args:
        connection: To a database that has the type.
        type: ``type`` or ``schema.type``.
        add: A value to add; PostgreSQL cannot take it out again.
        before: The value that an added one sorts before.
        after: The value that it sorts after; default: it sorts last.
        rename: ``old=new``, each a value's new name.
        remove: Values that go.
        instead: What rows get that have a removed value.
        type_name: Of the new type, where values are renamed or removed.
        to: ``column=new`` or ``table.column=new``, the new columns' names.
        name: The change's name.

    Raises:
        UnknownNameError: There is no such type or value.
        UsageError: Nothing is asked for, or what cannot go together.
        MappingError: A value or a use of the type stands in the way.
    """
    if add is not None:
        if rename or remove:
            msg = "a value is added at once, and renaming or removing takes a new type: that is two changes"
            raise UsageError(msg, hint=f"ec new change-enum {type} --add {add}, and the rest afterwards")
        return enum_added.draft(connection, type, add, before=before, after=after, name=name)
    if not rename and not remove:
        msg = "say what shall change"
        raise UsageError(msg, hint=f"ec new change-enum {type} --add VALUE, --rename OLD=NEW or --remove VALUE")
    return enum_values.draft(
        connection,
        type,
        rename=rename,
        remove=remove,
        instead=instead,
        type_name=type_name,
        to=to,
        name=name,
    )
