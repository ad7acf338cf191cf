"""What is typed wrong, twice or half changes nothing, and the answer says what to type."""

from __future__ import annotations

from tests.acceptance.test_together import wait_until
from tests.fix_project import CHANGE, Project

USAGE = 2


def test_named_twice(project: Project) -> None:
    """A change named twice is one change."""
    project.ec("advance", CHANGE, CHANGE)
    assert "expanded" == project.phase()
    project.ec("rollback", CHANGE, CHANGE)
    assert "planned" == project.phase()


def test_a_release_without_a_name(project: Project) -> None:
    """An empty version, as an unset variable of a pipeline gives it, is refused before anything is begun."""
    project.ec("advance", CHANGE)
    for command in (("advance", CHANGE, "--release", ""), ("deploy", "green", ""), ("deploy", "green", "v 2")):
        assert "names no release" in project.ec(*command, expect=USAGE)
    assert "names no release" in project.ec("gate", CHANGE, "dual-write", "--release", "", expect=USAGE)
    assert [("expanded", None)] == project.sql("SELECT phase, move FROM expandcontract.change")


def test_a_move_is_resumed_as_it_was_begun(project: Project, colors: object) -> None:
    """With another release named, or the triggers instead of one, it is refused: nobody shall think that v9 is live."""
    project.ec("advance", CHANGE)
    project.settings(colors, soak="30s")  # type: ignore[arg-type]
    process = project.begin("advance", CHANGE, "--release", "v2")
    wait_until(lambda: project.weights() == "blue=90 green=10")
    process.kill()
    process.communicate()
    project.settings(colors)  # type: ignore[arg-type]
    wait_until(project.left_alone)
    assert f"next: ec advance {CHANGE}, or ec rollback {CHANGE}\n" in project.ec("status")
    for flags in (("--release", "v9"), ("--by", "database")):
        said = project.ec("advance", CHANGE, *flags, expect=USAGE)
        assert f"dual-write of {CHANGE} is in flight with --release v2" in said
    assert "blue=90 green=10" == project.weights()
    project.ec("advance", CHANGE, "--release", "v2")
    assert ("dual_writing", "blue=0 green=100") == (project.phase(), project.weights())


def test_from_another_folder(project: Project) -> None:
    """With --config a project is worked on as from within, relative paths of its commands and of Alembic included."""
    ini = project.directory / "alembic.ini"
    ini.write_text(ini.read_text(encoding="utf-8").replace("%(here)s/", ""), encoding="utf-8")
    (elsewhere := project.directory / "elsewhere").mkdir()
    outside = Project(elsewhere, project.database)
    outside.ec("--config", "..", "advance", CHANGE)
    outside.ec("-c", str(project.directory / "expandcontract.toml"), "advance", CHANGE, "--release", "v2")
    assert ("dual_writing", "blue=0 green=100") == (project.phase(), project.weights())
