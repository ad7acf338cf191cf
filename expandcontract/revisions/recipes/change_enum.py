"""``change-enum``: other values of an enum type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.revisions.recipes import enum_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from expandcontract.revisions.render import Draft


def draft(  # each is a flag of the command
    connection: Connection,
    type: str,  # noqa: A002  # as the command has it
    *,
    rename: Sequence[str] = (),
    remove: Sequence[str] = (),
    instead: str | None = None,
    type_name: str | None = None,
    to: Sequence[str] = (),
    name: str | None = None,
) -> Draft:
    """The pair; see :func:`expandcontract.revisions.recipes.enum_values.draft`."""
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
