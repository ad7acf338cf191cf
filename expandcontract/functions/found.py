"""Finds a function of the project by its name."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from expandcontract.errors import MappingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from expandcontract.core.fill import Fill


def find(name: str) -> Callable[[list[dict[str, Any]]], Any]:
    """The function that ``package.module:function`` names; its module is imported.

    Raises:
        MappingError: The module cannot be imported, or has no such function.
    """
    module, _, path = name.partition(":")
    try:
        found: Any = import_module(module)
    except ModuleNotFoundError as exc:
        msg = f"the function {name} cannot be imported: there is no module {exc.name}"
        raise MappingError(msg, hint=f"python -c 'import {module}' must work here; PYTHONPATH leads to it") from exc
    except (Exception, SystemExit) as exc:
        msg = f"the function {name} cannot be imported: {type(exc).__name__}: {exc}"
        raise MappingError(msg, hint=f"mend {module}") from exc
    for part in path.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        what = "no such function" if found is None else f"a {type(found).__name__}, which cannot be called"
        msg = f"the function {name} cannot be used: {module} has {what}"
        raise MappingError(msg, hint=f"write it in {module}, or name another in the revision")
    return found  # type: ignore[no-any-return]


def check(fills: Iterable[Fill]) -> None:
    """Make sure that every function of these fills can be called here.

    Raises:
        MappingError: One cannot be imported, or is none.
    """
    for fill in fills:
        if fill.function is not None:
            find(fill.function)
