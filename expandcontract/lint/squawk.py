"""Runs squawk over the SQL of revisions, and says where in the revision's file it found something.

squawk sees one script and cannot know which drop is the planned one: :data:`OFF` and :data:`OFF_IN` say which of its
rules do not apply, and why. A rule of squawk that is not named there is on, also one that a later squawk brings.
https://squawkhq.com/docs/rules
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from expandcontract.core.revision import Half, Part
from expandcontract.lint.finding import Finding, Severity
from expandcontract.lint.judge import SQUAWK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from expandcontract.core.revision import Revision, Statement

OLDEST = "14.0"  # what holds on the oldest supported PostgreSQL holds on all
PATIENCE_S = 60
MISSING = "squawk is not installed, its rules did not run: pip install 'expandcontract[squawk]'"
WHY = "squawk's own rule; its page tells more: https://squawkhq.com/docs/"

_TYPES = "a choice of type is the team's; a pair carries over the type that the column has"
_GUARD = "ec and the guard in env.py set the timeouts on each connection"
_TRANSACTION = "Alembic begins and ends the transaction"
_INTENDED = "intended: it stands in a contract, which window and gates hold back until nobody uses what it drops"

OFF: Mapping[str, str] = MappingProxyType(
    {
        "prefer-bigint-over-int": _TYPES,
        "prefer-bigint-over-smallint": _TYPES,
        "prefer-identity": _TYPES,
        "prefer-text-field": _TYPES,
        "prefer-timestamp-tz": _TYPES,
        "ban-char-field": _TYPES,
        "prefer-robust-stmts": "IF NOT EXISTS hides what is half done and takes the lock all the same",
        "require-lock-timeout": _GUARD,
        "require-statement-timeout": _GUARD,
        "require-timeout-settings": _GUARD,
        "transaction-nesting": _TRANSACTION,
        "ban-uncommitted-transaction": _TRANSACTION,
        "ban-drop-not-null": "it loosens: every release that is live may go on as before",
        "ban-add-column": "adding is what an expand is for; a contract that adds is EC210's",
        "ban-add-enum-value": "adding is what an expand is for; a contract that adds is EC210's",
        "ban-set-default": "later rows alone get it, and no old release minds",
        "renaming-table": "EC202 and EC210 judge it, and know the view that takes the old name",
        "renaming-column": "EC202 and EC210 judge it",
        "changing-column-type": "EC203, EC210 and EC220 judge it, and know a mere widening",
        "ban-drop-constraint": "it loosens: every release that is live may go on as before",
    }
)
OFF_IN: Mapping[Half, Mapping[str, str]] = MappingProxyType(
    {
        Half.EXPAND: MappingProxyType({}),
        Half.CONTRACT: MappingProxyType(
            {
                f"ban-drop-{what}": _INTENDED
                for what in (
                    "column", "table", "view", "function", "type", "schema", "sequence", "domain", "index", "trigger",
                    "policy", "extension", "default", "generated-expression",
                )
            }
            | {"ban-revoke": _INTENDED, "ban-truncate-cascade": _INTENDED}
        ),
    }
)  # fmt: skip


def find() -> str | None:
    """Where squawk is: beside this Python, else on the path; ``None`` where it is not installed."""
    beside = shutil.which("squawk", path=str(Path(sys.executable).parent))
    return beside or shutil.which("squawk")


def squawk(revisions: Sequence[Revision], program: str | None) -> tuple[dict[str, list[Finding]] | None, str]:
    """What squawk says of the revisions' upgrades.

    Args:
        revisions: What to judge.
        program: Its place; ``None`` where it is not installed.

    Returns:
        The findings by revision, and an empty note; or ``None`` and a note that says why it did not run.
    """
    if program is None:
        return None, MISSING
    found: dict[str, list[Finding]] = {revision.id: [] for revision in revisions}
    scripts = {revision.id: _script(revision) for revision in revisions}
    by_id = {revision.id: revision for revision in revisions if scripts[revision.id][0]}
    if not by_id:
        return found, ""
    try:
        violations = _run(program, {name: scripts[name][0] for name in by_id})
    except (OSError, ValueError, KeyError, TypeError, subprocess.SubprocessError) as exc:
        return None, f"squawk failed, its rules did not run: {str(exc).splitlines()[0]}"
    for name, violation in violations:
        told = _finding(by_id[name], scripts[name][1], violation)
        if told is not None and told not in found[name]:
            found[name].append(told)
    return found, ""


def _script(revision: Revision) -> tuple[str, list[tuple[int, Statement]]]:
    """The upgrade as one script, and the line, from 0, at which each statement begins."""
    lines: list[str] = []
    places = []
    inside = False
    for statement in revision.statements:
        if statement.part is not Part.UPGRADE or not statement.sql:
            continue
        if statement.autocommit is inside:
            lines += ["COMMIT;" if inside else "BEGIN;", ""]
            inside = not inside
        places.append((len(lines), statement))
        # on a line of its own, since a comment may end the statement
        lines += [*statement.sql.splitlines(), ";", ""]
    text = "\n".join([*lines, "COMMIT;", ""] if inside else [*lines, ""])
    return (text if places else "", places)


def _run(program: str, scripts: Mapping[str, str]) -> list[tuple[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="ec-lint-") as folder:
        names = {}
        for number, (revision, text) in enumerate(scripts.items()):
            path = Path(folder) / f"{number}.sql"
            path.write_text(text, encoding="utf-8")
            names[path.name] = revision
        config = Path(folder) / "squawk.toml"  # so that no other configuration is looked for
        config.write_text("", encoding="utf-8")
        command = [program, "--config", str(config), "--reporter", "json", "--pg-version", OLDEST, *sorted(names)]
        done = subprocess.run(  # noqa: S603  # our own arguments
            command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
    if done.returncode not in {0, 1}:
        msg = (done.stderr or done.stdout or f"exit code {done.returncode}").strip()
        raise ValueError(msg)
    return [(names[Path(found["file"]).name], found) for found in json.loads(done.stdout or "[]")]


def _finding(revision: Revision, places: list[tuple[int, Statement]], found: Mapping[str, Any]) -> Finding | None:
    rule = str(found["rule_name"])
    half = Half.EXPAND if revision.additive else Half.CONTRACT
    if rule in OFF or rule in OFF_IN[half]:
        return None
    statement = next((one for line, one in reversed(places) if line <= int(found["line"])), places[0][1])
    if any(action.table in revision.created for action in statement.actions):
        return None
    return Finding(
        path=revision.path,
        line=statement.line,
        code=SQUAWK + rule,
        name=rule,
        # its parser may lag behind PostgreSQL, and its rules behind this pair's intent: ours are what closes a gate
        severity=Severity.WARNING,
        revision=revision.id,
        change=revision.change,
        what=str(found["message"]).rstrip("."),
        why=WHY + rule,
        fix=str(found.get("help") or "see the rule's page").rstrip("."),
    )
