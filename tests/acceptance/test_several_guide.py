"""The guide for a release that carries several changes, command by command; and the CronJob's manifest."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from tests.fix_project import CHANGE, Inside
from tests.unit.cli.test_cli_hints import takes

if TYPE_CHECKING:
    from tests.fix_project import Project

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^ *```(console)?\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
OTHER = "users_nick_to_handle"
REFUSED = 3


def test_the_guide_is_true(project: Project) -> None:
    """Each block's commands succeed in their order; what is shown of a refusal is what is said, line by line."""
    project.ec("new", "rename-column", "users", "nick", "handle")
    inside = Inside(project.directory, project.database)
    blocks = BLOCK.findall((DOCS / "how-to" / "several-changes.md").read_text(encoding="utf-8"))
    assert 7 == len(blocks)
    for console, block in blocks:
        lines = [line.strip() for line in block.splitlines()]
        if console:
            said = inside.ec(*shlex.split(lines[0])[2:], expect=REFUSED)
            assert [] == [line for line in lines[1:] if line not in said]
            continue
        for line in lines:
            inside.ec(*shlex.split(line)[1:])
    assert ("cut_over", "cut_over") == (inside.phase(CHANGE), inside.phase(OTHER))


def test_the_manifest_of_the_cron_job() -> None:
    """It is a CronJob whose command the command line takes, of which no two run at once, and that does not retry."""
    found = yaml.safe_load((DOCS / "examples" / "run-cronjob.yaml").read_text(encoding="utf-8"))
    assert ("batch/v1", "CronJob") == (found["apiVersion"], found["kind"])
    assert "Forbid" == found["spec"]["concurrencyPolicy"]
    job = found["spec"]["jobTemplate"]["spec"]
    pod = job["template"]["spec"]
    assert (0, "Never") == (job["backoffLimit"], pod["restartPolicy"])
    (container,) = pod["containers"]
    assert "ec" == container["args"][0]
    assert "" == takes(container["args"][1:])
    assert ["EC_DATABASE"] == [variable["name"] for variable in container["env"]]
