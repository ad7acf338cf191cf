"""Which changes of a column's type are mere widenings, as far as a revision's file tells the old type."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from expandcontract.core.revision import Action

SIZED = re.compile(r"(varchar|character varying|numeric|decimal|varbit|bit varying)(?:\((\d+)(?:, ?(\d+))?\))?")
SAME = {"character varying": "varchar", "decimal": "numeric", "bit varying": "varbit"}


def widens(action: Action) -> bool:
    """Whether every value and every client of the old type fits the new one, and no row is written anew."""
    old, new = SIZED.fullmatch(action.old_type or ""), SIZED.fullmatch(action.type or "")
    if action.old_type == "text" and new is not None:
        return new[2] is None and SAME.get(new[1], new[1]) == "varchar" and not action.says("using")
    if action.says("using") or old is None:
        return False
    before = SAME.get(old[1], old[1])
    if new is None:
        return before == "varchar" and action.type == "text"
    if before != SAME.get(new[1], new[1]) or new[2] is None:
        return before == SAME.get(new[1], new[1])
    wider = old[2] is not None and int(new[2]) >= int(old[2])
    return wider and int(old[3] or 0) == int(new[3] or 0)
