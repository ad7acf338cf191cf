"""The Python functions of a change: made importable here, and tried before anything is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.functions.found import check

if TYPE_CHECKING:
    from expandcontract.core.shape import Shape
    from expandcontract.runner.place import Place


def importable(place: Place, shape: Shape) -> None:
    """Make sure that every function that fills rows of the change can be called here.

    They are looked for where Python looks, and where the project's Alembic file says, if there is one.

    Raises:
        MappingError: One cannot be imported, or is none.
    """
    if any(fill.function is not None for fill in shape.fills):
        from expandcontract.revisions.importing import prepend  # noqa: PLC0415  # loads Alembic

        prepend(place.settings.alembic)
        check(shape.fills)
