"""The old color is ended when nothing leads back to it, and not before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fix_project import CHANGE

if TYPE_CHECKING:
    from tests.fix_project import Project

USAGE, REFUSED = 2, 3


def test_it_is_offered_when_nothing_leads_back(project: Project) -> None:
    """Refused while it has the traffic or is the way back; after the contract it is offered, and the command runs."""
    assert "deployer command cannot scale a color down" in project.ec("deploy", "green", "--scale-down", expect=USAGE)
    settings = project.directory / "expandcontract.toml"
    stop = 'command = "true"\n[deploy.options]\nscale_down = "touch stopped-{color}"\n'
    settings.write_text(settings.read_text(encoding="utf-8").replace('command = "true"\n', stop), encoding="utf-8")
    assert "blue gets 100 % of the traffic" in project.ec("deploy", "blue", "--scale-down", expect=REFUSED)
    project.to("dual_writing")
    said = project.ec("deploy", "blue", "--scale-down", expect=REFUSED)
    assert f"v1 on blue is the way back of {CHANGE}; it is not scaled down" in said
    for release in ((), ("--release", "v3")):
        project.ec("advance", CHANGE, *release)
    said = project.ec("deploy", "green", "--scale-down", expect=REFUSED)
    assert f"v2 on green is the way back of {CHANGE} until 20" in said
    assert not (project.directory / "stopped-green").exists()
    project.sql("UPDATE expandcontract.change SET window_length = interval '0'")
    said = project.ec("advance", CHANGE)
    assert "v2 on green fits no more and gets no traffic; ec deploy green --scale-down ends it" in said
    assert "v3 on blue" not in said
    project.ec("deploy", "green", "--scale-down")
    assert (project.directory / "stopped-green").exists()
    assert [("scale_down_intent",), ("scaled_down",)] == project.sql(
        "SELECT event FROM expandcontract.journal WHERE event LIKE 'scale%' ORDER BY seq"
    )
