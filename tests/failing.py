"""A change that is expanded, with v1 live on blue: what is to go wrong with it, and what is seen of that."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from expandcontract.ledger import Ledger
from expandcontract.pg.connect import connect, parse
from tests.fix_project import CHANGE, Project

if TYPE_CHECKING:
    from datetime import timedelta

    from tests.services import Service
    from tests.switches.rig import ProcessRig

TRAFFIC = 5
REFUSED = 3
SETTINGS = """\
[colors.blue]
url = "{blue}"

[colors.green]
url = "{green}"

[traffic]
switch = "{switch}"
steps = [10, 25, 50, 100]
soak = "{soak}"
back_within = "{back_within}"

[traffic.options]
{options}

[deploy]
deployer = "command"
command = ["sh", "-c", "echo {{version}} > {{color}}.version"]

[probe]
color_in = "/color"
version_in = "/version"
in_a_row = 1
budget = "1s"

[guard]
interval = "200ms"
{more}
"""
ERRORS = """
[guard.metrics.errors]
source = "http"
url = "{url}/stats"
value = "/error_rate"
requests = "/requests"
minimum = 5
ratio_to_live = 1.5
ignore_below = 0.05
"""
READ = "cat weights"
WRITE = ["sh", "-c", "test ! -e down || exit 9; echo blue={blue} green={green} > weights"]


class Case:
    """A project whose change is expanded, with v1 live on blue.

    Attributes:
        project: The project.
    """

    def __init__(self, project: Project, colors: tuple[Service, Service]) -> None:
        self.project = project
        self.colors = colors

    def settings(
        self,
        more: str = "",
        *,
        rig: ProcessRig | None = None,
        soak: str = "1s",
        options: dict[str, object] | None = None,
        back_within: str = "30s",
    ) -> None:
        """Write them; without a rig two commands and a file stand for the balancer."""
        given = rig.options() if rig else {"read": READ, "write": WRITE, **(options or {})}
        text = SETTINGS.format(
            blue=self.colors[0].url,
            green=self.colors[1].url,
            switch=rig.name if rig else "command",
            soak=soak,
            back_within=back_within,
            options="\n".join(f"{name} = {json.dumps(value)}" for name, value in given.items()),
            more=more,
        )
        (self.project.directory / "expandcontract.toml").write_text(text, encoding="utf-8")

    def fails(self, expect: int = TRAFFIC) -> str:
        """Advance, and see it fail with the traffic back where it was and nothing in flight."""
        said = self.project.ec("advance", CHANGE, "--release", "v2", expect=expect)
        assert "expanded" == self.project.phase()
        assert [(None,)] == self.project.sql("SELECT move FROM expandcontract.change")
        return said

    def succeeds(self) -> None:
        """The same command again leads on."""
        self.project.ec("advance", CHANGE, "--release", "v2")
        assert "dual_writing" == self.project.phase()

    def story(self) -> list[dict[str, Any]]:
        """What the journal says of the change since its dual-write began for the first time."""
        with connect(parse(self.project.database), command="test") as connection:
            entries: list[dict[str, Any]] = Ledger(connection).history(CHANGE)
        moves = [entry["detail"].get("move") if entry["event"] == "began" else None for entry in entries]
        return entries[moves.index("dual-write") :]

    def events(self) -> list[str]:
        """Only what happened."""
        return [entry["event"] for entry in self.story()]

    def told(self, event: str) -> dict[str, Any]:
        """What the last entry of that kind says."""
        detail: dict[str, Any] = [entry for entry in self.story() if entry["event"] == event][-1]["detail"]
        return detail


def seconds(first: dict[str, Any], second: dict[str, Any]) -> float:
    """Between two entries of the journal."""
    took: timedelta = second["at"] - first["at"]
    return took.total_seconds()
