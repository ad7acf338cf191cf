"""A release says what it speaks: in a file, on its Deployment, or by a flag; and ``ec status`` shows what fits."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.fix_kubernetes import at_once
from tests.fix_project import CHANGE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fix_project import Answer, Project
    from tests.kubernetes_double import Api

pytestmark = pytest.mark.slow

USAGE, REFUSED = 2, 3
NAME = "expandcontract.release.toml"


def _file(project: Project, text: str) -> None:
    (project.directory / NAME).write_text(text, encoding="utf-8")


def _recorded(project: Project, color: str) -> dict[str, Any]:
    found: Any = project.document("status")["releases"]
    release: dict[str, Any] = found[color]
    return release


def test_a_file_says_what_a_release_speaks(project: Project) -> None:
    """A deployment and a move take it from there; the move's own gates hold it against what the move wants."""
    project.ec("advance", CHANGE)
    _file(project, f'[speaks]\n{CHANGE} = "dual"\n')
    project.ec("deploy", "green", "v2")
    assert {CHANGE: "dual"} == _recorded(project, "green")["speaks"]
    _file(project, f'version = "v9"\n[speaks]\n{CHANGE} = "old"\n')
    assert f"release v9 speaks old of {CHANGE}, this move wants one that speaks dual" in project.ec(
        "advance", CHANGE, "--release", "v9", expect=REFUSED
    )
    project.ec("advance", CHANGE, "--release", "v2")
    assert "dual_writing" == project.phase()


def test_the_way_back_needs_no_file(project: Project) -> None:
    """The earlier release is deployed again with what the ledger knows of it, whatever the file says of a later one."""
    project.to("dual_writing")
    _file(project, f'[speaks]\n{CHANGE} = "new"\n')
    project.ec("deploy", "blue", "v9", "--speaks", f"{CHANGE}=new")
    project.ec("rollback", CHANGE)
    assert "expanded" == project.phase()
    assert "blue=100 green=0" == project.weights()
    assert ("v1", {}) == (_recorded(project, "blue")["version"], _recorded(project, "blue")["speaks"])


def test_a_file_that_contradicts(project: Project) -> None:
    """The flag, what is known of the release, and a change or baseline that is not there: each named, nothing done."""
    project.ec("advance", CHANGE)
    before = project.sql("SELECT count(*) FROM expandcontract.journal")
    for text, arguments, said in (
        (
            f'[speaks]\n{CHANGE} = "new"\n',
            ("v2", "--speaks", f"{CHANGE}=dual"),
            f"what is spoken of {CHANGE} is told in two ways: dual by --speaks, new by",
        ),
        (f'[speaks]\n{CHANGE} = "new"\n', ("v1",), f"v1 was deployed as speaking old of {CHANGE}, and"),
        ('version = "v1"\n', ("v2",), "says what v1 speaks, and nothing says it of v2"),
        ('[speaks]\nusers_nmae = "new"\n', ("v2",), "speaks of a change that is not there: there is no change"),
        ('baseline = "0001"\n', ("v2",), "is no contract revision of this project"),
        ("version = 2\n", ("v2",), "version: Input should be a valid string"),
    ):
        _file(project, text)
        found = project.ec("deploy", "green", *arguments, expect=USAGE)
        assert said in found
        assert NAME in found
    assert before == project.sql("SELECT count(*) FROM expandcontract.journal")


def test_a_baseline_of_the_releases_own(project: Project, colors: tuple[Answer, Answer]) -> None:
    """A release that was built before the contract does not fit after it, whenever it is deployed."""
    project.settings(colors, window="1s")
    project.to("cut_over")
    project.ec("deploy", "green", "v3b", "--speaks", f"{CHANGE}=new")
    time.sleep(1.1)
    project.ec("advance", CHANGE)
    assert "contracted" == project.phase()
    contract = project.sql("SELECT contract_revision FROM expandcontract.change")[0][0]
    _file(project, f'version = "v4"\nbaseline = "{contract}"\n')
    project.ec("deploy", "green", "v4")
    assert contract == _recorded(project, "green")["baseline"]
    _file(project, f'version = "v0"\n[speaks]\n{CHANGE} = "old"\n')
    assert "can get no traffic yet" in project.ec("deploy", "green", "v0")
    change: Any = project.document("status")["changes"]
    assert {"version": "v0", "speaks": "old", "fits": False, "wanted": ["new"]} == change[0]["releases"]["green"]
    assert "green: v0 speaks old, which does not fit; contracted wants new" in project.ec("status")


def test_status_holds_each_release_against_each_phase(project: Project) -> None:
    """What each color's release speaks, and whether it fits, changes with the phase."""
    project.to("dual_writing")
    project.ec("deploy", "blue", "v3", "--speaks", f"{CHANGE}=new")
    said = project.ec("status")
    assert "blue: v3 speaks new, which does not fit; dual_writing wants old or dual" in said
    assert "green: v2 speaks dual, which fits" in said
    project.ec("advance", CHANGE)
    assert "blue: v3 speaks new, which fits" in project.ec("status")


@pytest.fixture
def clustered(project: Project, api: Api, tmp_path: Path) -> Project:
    """The project, deployed by Kubernetes: the Deployments of both colors roll out at once."""
    api.on_deployment = at_once
    kubeconfig = api.kubeconfig(tmp_path / "kubeconfig")
    settings = tmp_path / "expandcontract.toml"
    text = settings.read_text(encoding="utf-8").replace('deployer = "command"\ncommand = "true"\n', "")
    deploy = (
        'deployer = "kubernetes"\n[deploy.options]\ndeployment = "shop-{color}"\ncontainer = "app"\n'
        f'image = "registry/shop:{{version}}"\nkubeconfig = {json.dumps(str(kubeconfig))}\n'
    )
    settings.write_text(text.replace("[deploy]\n", f"[deploy]\n{deploy}"), encoding="utf-8")
    return project


def _annotate(api: Api, **said: str) -> None:
    found = api.objects["deployments"]["shop-green"]["metadata"]
    found["annotations"] = {f"expandcontract.dev/{name}": value for name, value in said.items()}


def test_a_deployment_says_what_its_release_speaks(clustered: Project, api: Api) -> None:
    """Its annotations count for the version that they name; they may not contradict the file, and none is guessed."""
    clustered.ec("advance", CHANGE)
    _annotate(api, version="v2", speaks=f"{CHANGE}=dual")
    clustered.ec("deploy", "green", "v2")
    assert {CHANGE: "dual"} == _recorded(clustered, "green")["speaks"]
    assert "Deployment shop-green says what v2 speaks, and nothing says it of v3" in clustered.ec(
        "deploy", "green", "v3", expect=USAGE
    )
    _file(clustered, f'version = "v2"\n[speaks]\n{CHANGE} = "new"\n')
    said = clustered.ec("deploy", "green", "v2", expect=USAGE)
    assert "dual by Deployment shop-green" in said
    assert NAME in said
    api.denied.add(("get", "deployments"))
    assert "nothing was begun" in clustered.ec("deploy", "green", "v2", expect=USAGE)
