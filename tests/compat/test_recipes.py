"""Every recipe: forward, back and forward again under an old and a new client; then as if it had never been phased."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from expandcontract.cli.table import RECIPES
from expandcontract.core.phase import Phase
from expandcontract.errors import RefusedError
from tests.compat.drive import Case, Drive

if TYPE_CHECKING:
    from expandcontract.pg.server import LocalServer
    from tests.fix_project import Project

pytestmark = pytest.mark.slow
CASES: list[Case] = [
    case
    for path in sorted((Path(__file__).parent / "cases").glob("*.py"))
    if path.stem != "__init__"
    for case in import_module(f"tests.compat.cases.{path.stem}").CASES
]


def test_every_recipe_has_a_case() -> None:
    """No recipe is left out."""
    assert set(RECIPES) <= {case.recipe for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_forward_back_forward(case: Case, empty: Project, server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """No statement of a fitting release fails; back is where it began; the end is what a fresh upgrade gives."""
    monkeypatch.chdir(empty.directory)
    drive = Drive(case, empty, server)
    drive.prepare()
    before = drive.dump()
    drive.forward()
    if case.irreversible:
        drive.back(to=Phase.EXPANDED)
        drive.free()
        with pytest.raises(RefusedError, match=case.irreversible):
            drive.do("rollback", [case.name])
    else:
        drive.back()
        assert before == drive.dump()
    drive.forward()
    if not drive.state().ended:
        drive.contract()
    assert drive.state().ended
    assert [] == drive.failed
    assert drive.fresh() == drive.dump()
    if case.models:
        drive.check_models()
    assert [] == empty.sql("SELECT * FROM expandcontract.integrity()")
