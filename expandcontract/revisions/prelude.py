"""What an expand makes before its mapping is used, and that needs no table: types, domains, functions.

The mapping's expressions may name it, so it is made, and rolled back, where they are tried before the expand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import alembic.op
from alembic.operations import Operations, ops

from expandcontract.pg.parsed import cut

if TYPE_CHECKING:
    from types import ModuleType

MADE = frozenset(
    {"create_enum_stmt", "create_domain_stmt", "create_range_stmt", "composite_type_stmt", "create_function_stmt"}
)


class _Enough(Exception):  # noqa: N818  # no error: what comes after it may need what was not made
    """The revision does something that cannot be recorded."""


def prelude(module: ModuleType) -> tuple[str, ...]:
    """The statements of ``upgrade()`` that make a type, domain or function; nothing is run.

    What stands behind the first call that needs a connection is not seen.
    """
    found: list[str] = []

    def invoke(operation: object) -> None:
        if isinstance(operation, ops.ExecuteSQLOp):
            found.extend(_made(str(operation.sqltext)))

    recorder = Operations(_Nothing(), impl=_Nothing())  # type: ignore[arg-type]  # nothing is run through it
    recorder.invoke = invoke  # type: ignore[assignment,method-assign]
    prior = getattr(alembic.op, "_proxy", None)
    recorder._install_proxy()  # noqa: SLF001  # Alembic's own way to lend ``op`` to another object
    try:
        module.upgrade()
    except _Enough:
        pass
    finally:
        recorder._remove_proxy()  # noqa: SLF001
        if prior is not None:
            prior._install_proxy()  # noqa: SLF001
    return tuple(found)


class _Nothing:
    """Stands for the database; whoever asks it anything gets no further."""

    def __getattr__(self, name: str) -> object:
        raise _Enough(name)


def _made(text: str) -> list[str]:
    return [one.text for one in cut(text.replace("\\:", ":")) if one.kind in MADE]
