"""Every command and recipe, and the line that ``--help`` prints of it; no module is imported for that."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "init": "Attach to a project's Alembic environment and create the ledger.",
        "new": "Write the pair of revisions of a change.",
        "abandon": "Take a pair that was never expanded out of both chains.",
        "lint": "Judge revisions before they run: what each may not do to live releases.",
        "plan": "Show the moves that lie ahead of a change, without doing any.",
        "rehearse": "Take a change all the way on a throw-away database, and compare it with its plan.",
        "status": "Show where every change, release and the traffic stand.",
        "gate": "Ask whether a move may be made; exit 0 if so, 3 if not.",
        "advance": "Make the next move of a change, or resume the one in flight.",
        "run": "Take changes as far as their gates allow, for a timer to call.",
        "backfill": "Fill, prove and seal the new shape of a change.",
        "work": "Help with a backfill that is under way, from this process or machine.",
        "verify": "Count the rows on which old and new shape differ, and repair them.",
        "repair": "Put back a hold or trigger that is missing or altered.",
        "deploy": "Put a version on a color and record what it speaks.",
        "switch": "Shift the traffic to a color.",
        "rollback": "Take a change one phase back, or a move in flight to where it began.",
        "window": "Show the rollback window of a change, or lengthen it.",
        "history": "Show what happened, or verify that nobody altered it.",
        "demo": "Take one change through all phases behind a real proxy, under load.",
    }
)
"""In the order in which a change meets them; the module of ``NAME`` is ``expandcontract.cli.commands.NAME``."""

AUTO = "auto"
RECIPES: Mapping[str, str] = MappingProxyType(
    {
        "add-column": "Add a column.",
        "rename-column": "Rename a column.",
        "change-default": "Change or drop a column's default.",
        "drop-not-null": "Let a column be NULL.",
        "add-index": "Add an index.",
        "drop-index": "Drop an index.",
        "drop-constraint": "Drop a constraint.",
        "change-enum": "Add, rename or remove a value of an enum type.",
        "sql": "Write your own statements into named phases.",
        "set-not-null": "Forbid NULL in a column.",
        "add-check": "Add a CHECK.",
        "add-unique": "Add a UNIQUE constraint.",
        "add-foreign-key": "Add a foreign key.",
        "drop-column": "Drop a column.",
        "drop-table": "Drop a table.",
        "rename-table": "Rename a table.",
        "change-type": "Change a column's type.",
        "split-column": "Split a column into several.",
        "merge-columns": "Merge several columns into one.",
        "move-column": "Move columns to another table.",
        "widen-primary-key": "Give a primary key, and all that refers to it, a wider type.",
    }
)
"""The sub-commands of ``ec new``: ``A-NAME`` lives in ``cli.recipes.a_name`` and ``revisions.recipes.a_name``."""
