"""The users service in two colors behind a real proxy, with ``ec`` as a process that can be killed."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from expandcontract.core.color import Color
from expandcontract.core.fit import FITS
from expandcontract.core.phase import Kind, Phase
from expandcontract.core.release import Speaks
from expandcontract.demo import deploy
from expandcontract.demo.app import RELEASES
from expandcontract.pg.server import free_port
from tests.acceptance.test_together import wait_until
from tests.fix_project import CHANGE, Project
from tests.switches.envoy import EnvoyRig
from tests.switches.haproxy import HAProxyRig
from tests.switches.nginx import NginxRig
from tests.switches.rig import BLUE

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from expandcontract.pg.server import LocalServer
    from tests.clients import Answered
    from tests.switches.rig import ProcessRig

SETTINGS = """\
[colors.blue]
role = "app_blue"
url = "http://127.0.0.1:{blue}"

[colors.green]
role = "app_green"
url = "http://127.0.0.1:{green}"

[traffic]
switch = "{switch}"
steps = [10, 50, 100]
soak = "{soak}"
options = {{ {options} }}

[deploy]
deployer = "command"
command = [{python}, "-m", "expandcontract.demo.deploy", "{{color}}", "{{version}}"]

[probe]
in_a_row = 1
"""
RIGS = {"envoy": EnvoyRig, "haproxy": HAProxyRig, "nginx": NginxRig}


class _Any:
    """A proxy that counts as up once anything answers: the colors are deployed later."""

    def ask(self) -> int:
        """200 for any answer at all."""
        return BLUE if super().ask() else 0  # type: ignore[misc]


@dataclass
class Shop(Project):
    """The project, the proxy before it, and the folder with the ids of what runs."""

    rig: ProcessRig
    runs: Path

    @property
    def environment(self) -> dict[str, str]:
        """With what the deploy command needs."""
        return {**super().environment, deploy.PLAN: str(self.runs)}

    def soak(self, soak: str) -> None:
        """Write its settings, with stages of that length."""
        options = ", ".join(f"{name} = {json.dumps(value)}" for name, value in self.rig.options().items())
        blue, green = (self.rig.colors[color] for color in Color)
        python = json.dumps(sys.executable)
        values = {"switch": self.rig.name, "soak": soak, "options": options, "python": python}
        text = SETTINGS.format(blue=blue, green=green, **values)
        (self.directory / "expandcontract.toml").write_text(text, encoding="utf-8")

    def given(self) -> dict[str, int]:
        """The weights as the ledger last read them."""
        blue, green = self.sql("SELECT blue, green FROM expandcontract.traffic")[0]
        return {"blue": int(str(blue)), "green": int(str(green))}

    def killed(self, color: str, percent: int, *arguments: str) -> None:
        """Run ``ec`` and kill it once that color has that much of the traffic."""
        process = self.begin(*arguments)
        wait_until(lambda: process.poll() is not None or self.given()[color] == percent)
        assert process.poll() is None, process.stdout.read() if process.stdout else ""
        self.kill(process)

    def kill(self, process: subprocess.Popen[str]) -> None:
        """End it with SIGKILL, and wait until the database has noticed."""
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
        wait_until(self.left_alone)

    def journal(self, event: str) -> list[tuple[float, dict[str, Any]]]:
        """Time and detail of every entry of that kind, first to last."""
        rows = self.sql(
            f"SELECT extract(epoch FROM at), detail FROM expandcontract.journal WHERE event = '{event}' ORDER BY seq"
        )
        return [(float(str(at)), detail) for at, detail in rows]  # type: ignore[misc]

    def misplaced(self, answers: list[Answered]) -> list[str]:
        """The answers of a release that did not fit the schema, or was not on that color, while they were given."""
        phases = sorted(
            [
                (0.0, Phase.PLANNED),
                *((at, Phase.EXPANDED) for at, _ in self.journal("expand_applied")),
                *((at, Phase(detail["to"])) for at, detail in self.journal("finished")),
                *((at, Phase.CONTRACTED) for at, _ in self.journal("contract_applied")),
            ]
        )
        there = {
            color: [(at, detail["version"]) for at, detail in self.journal("deployed") if detail["color"] == color]
            for color in map(str, Color)
        }
        wrong = []
        for answer in answers:
            fitting = set().union(*(FITS[Kind.MAPPED][phase] for phase in _within(phases, answer)))
            speaks = Speaks(RELEASES[answer.release])
            if speaks not in fitting:
                wrong.append(f"{answer} speaks {speaks}, which did not fit")
            if answer.release not in _within(there[answer.color], answer):
                wrong.append(f"{answer}: the ledger has another release there")
        return wrong


def _within(history: list[tuple[float, Any]], answer: Answered) -> list[Any]:
    """What was so at some time between request and answer."""
    ends = [at for at, _ in history[1:]] + [float("inf")]
    return [what for (at, what), end in zip(history, ends, strict=True) if at <= answer.done and answer.sent <= end]


@pytest.fixture
def shop(request: pytest.FixtureRequest, tmp_path: Path, database: str, server: LocalServer) -> Iterator[Shop]:
    """Release v1 live on blue behind the proxy that the test names, and the pair of the rename written."""
    runs = tmp_path / "run"
    runs.mkdir()
    ports = {color: free_port() for color in Color}
    name = database.rsplit("/", 1)[1]
    plans = {color: {"port": ports[color], "database": server.dsn(name, f"app_{color}")} for color in Color}
    (runs / "colors.json").write_text(json.dumps(plans), encoding="utf-8")
    kind = RIGS[request.param]
    rig = type(kind.__name__, (_Any, kind), {})(runs, ports)
    built = Shop(tmp_path, database, rig, runs)
    built.soak("0.3s")
    rig.start()
    try:
        built.ec("init")
        built.first()
        built.ec("deploy", "blue", "v1")
        built.ec("switch", "blue", "--steps", "100")
        built.ec("new", "rename-column", "users", "full_name", "display_name")
        yield built
    finally:
        for color in Color:
            deploy.stop(runs, color)
        rig.stop()


__all__ = ["CHANGE", "Shop", "shop"]
