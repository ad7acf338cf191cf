"""A Python function of a project fills a column, from the pair to the process that helps."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.test_repository import TOP, _blocks, _run
from tests.acceptance.test_together import wait_until

if TYPE_CHECKING:
    from tests.fix_project import Project

CHANGE = "users_greeting"
EXPRESSION = re.compile(r"change = Change\(\n? *\"users_greeting\".*?\n?\)\n", re.DOTALL)
WRONG = "SELECT count(*) FROM users WHERE greeting IS DISTINCT FROM 'Dear ' || initcap(full_name)"
GATED = """
import time
from pathlib import Path


def normalise(rows):
    while not Path("go").exists():
        Path("entered").touch()
        time.sleep(0.01)
    return [{"greeting": f"Dear {row['full_name'].title()}"} for row in rows]
"""
SMALL = "\n[backfill]\nwindow_pages = 1\nmost_pages = 1\n"
JOINED = """Fill(
    "users",
    {"greeting": "g.word || ' ' || users.full_name"},
    join={"g": "greetings"},
    on="g.id = users.id % 2",
)"""


def _python(page: str) -> list[str]:
    """The Python blocks of a page."""
    text = (TOP / "docs" / page).read_text(encoding="utf-8")
    found = re.findall(r"^( *)```python\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE)
    return [re.sub(rf"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]


def _write(project: Project, function: str | None, declared: str) -> None:
    """The function in its module, and the pair with its declaration."""
    if function is not None:
        (project.directory / "shop").mkdir(exist_ok=True)
        (project.directory / "shop" / "backfills.py").write_text(function, encoding="utf-8")
    (file,) = (project.directory / "migrations" / "versions").glob("*greeting_expand.py")
    source, replaced = EXPRESSION.subn(lambda _: declared, file.read_text(encoding="utf-8"))
    assert 1 == replaced
    file.write_text(source, encoding="utf-8")


@pytest.fixture
def greeting(bare: Project) -> Project:
    """A project with the pair of the guide and its function."""
    new, _, _ = _blocks("how-to/fill-with-python.md")
    _run(bare, new)
    _write(bare, *_python("how-to/fill-with-python.md"))
    return bare


def test_as_the_guide_tells_it(bare: Project) -> None:
    """Every command and both blocks of code of the guide: all rows are filled."""
    new, look, lead = _blocks("how-to/fill-with-python.md")
    _run(bare, new)
    _write(bare, *_python("how-to/fill-with-python.md"))
    _run(bare, look)
    _run(bare, lead)
    assert "backfilled" == bare.phase(CHANGE)
    assert [(0,)] == bare.sql(WRONG)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("import nowhere\n", "there is no module nowhere"),
        ("def normalize(rows): ...\n", "shop.backfills has no such function"),
        ("def normalise(rows) ...\n", "SyntaxError"),
    ],
)
def test_a_function_that_cannot_be_called_is_told_before_anything_is_changed(
    greeting: Project, function: str, said: str
) -> None:
    """The gate of the expand is closed and the move is refused; the table is as it was."""
    (greeting.directory / "shop" / "backfills.py").write_text(function, encoding="utf-8")
    assert said in " ".join(greeting.ec("gate", CHANGE, "expand", expect=3).split())
    assert said in " ".join(greeting.ec("advance", CHANGE, expect=2).split())
    assert [] == greeting.sql("SELECT 1 FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname = 'greeting'")


def test_a_row_that_it_fails_on(greeting: Project) -> None:
    """Exit 1 with its code, the row and what to do; mended, the same command goes on."""
    greeting.ec("advance", CHANGE)
    greeting.sql("ALTER TABLE users ALTER full_name DROP NOT NULL; UPDATE users SET full_name = NULL WHERE id = 4321")
    found = greeting.document("backfill", CHANGE, expect=1)["error"]
    assert isinstance(found, dict)
    assert "EC606" == found["code"]
    assert "raised AttributeError: 'NoneType' object has no attribute 'title'" in found["message"]
    assert "at id = 4321 of users" in found["message"].replace("at row ", "at ")
    assert "full_name NULL" in found["message"]
    greeting.sql("UPDATE users SET full_name = 'mended' WHERE id = 4321")
    greeting.ec("backfill", CHANGE)
    assert [(0,)] == greeting.sql(WRONG)


def test_a_helper_needs_the_function(greeting: Project, tmp_path: Path) -> None:
    """``ec work`` elsewhere says that it cannot import it; where it can, it fills what the other is not at."""
    settings = greeting.directory / "expandcontract.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + SMALL, encoding="utf-8")
    greeting.ec("advance", CHANGE)
    (greeting.directory / "shop" / "backfills.py").write_text(GATED, encoding="utf-8")
    elsewhere = replace(greeting, directory=tmp_path / "elsewhere")
    elsewhere.directory.mkdir()
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "expandcontract", "backfill", CHANGE, "--workers", "1"],
            cwd=greeting.directory,
            env=greeting.environment,
            text=True,
        )
    ]
    try:
        wait_until((greeting.directory / "entered").exists)
        said = " ".join(elsewhere.ec("work", CHANGE, expect=2).split())
        assert "the function shop.backfills:normalise cannot be imported: there is no module shop" in said
        (elsewhere.directory / "go").touch()
        processes.append(
            subprocess.Popen(
                [Path(sys.executable).with_name("ec"), "work", CHANGE],  # as its users do
                cwd=elsewhere.directory,
                env={**elsewhere.environment, "PYTHONPATH": str(greeting.directory)},
                text=True,
            )
        )
        wait_until(lambda: greeting.sql("SELECT sum(rows_filled) > 1000 FROM expandcontract.segment") == [(True,)])
        (greeting.directory / "go").touch()
        assert [0, 0] == [process.wait(timeout=60) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert [(0,)] == greeting.sql(WRONG)


def _straight(project: Project) -> None:
    project.sql("DROP SCHEMA expandcontract CASCADE")
    project.ec("init", "--development")


def test_on_a_development_database(greeting: Project) -> None:
    """``alembic upgrade`` fills with the function too, and one that fails takes the revision back."""
    _straight(greeting)
    module = greeting.directory / "shop" / "backfills.py"
    good = module.read_text(encoding="utf-8")
    module.write_text(good.replace("return", "[1 // (row['id'] - 7) for row in rows]\n    return"), encoding="utf-8")
    said = greeting.run("alembic", "upgrade", "heads", expect=1)
    assert "shop.backfills:normalise raised ZeroDivisionError: integer division or modulo by zero" in said
    assert "at row id = 7 of users, read as id int, full_name str" in said
    module.write_text(good, encoding="utf-8")
    greeting.run("alembic", "upgrade", "heads")
    assert [(0,)] == greeting.sql(WRONG)


def test_a_join_on_a_development_database_and_on_the_phased_way(greeting: Project) -> None:
    """Both end the same; a row with several others is refused on either."""
    greeting.sql("CREATE TABLE greetings (id int, word text); INSERT INTO greetings VALUES (0, 'Hello'), (1, '100 %')")
    _write(greeting, None, f'change = Change("{CHANGE}", fill={JOINED})\n')
    greeting.ec("advance", CHANGE)
    greeting.sql("INSERT INTO greetings VALUES (1, 'twice')")
    found = greeting.document("backfill", CHANGE, expect=1)["error"]
    assert isinstance(found, dict)
    assert (
        "of users have several rows of greetings AS g to be filled from, where g.id = users.id % 2" in found["message"]
    )
    greeting.sql("DELETE FROM greetings WHERE word = 'twice'")
    greeting.ec("backfill", CHANGE)
    filled = greeting.sql("SELECT id, greeting FROM users ORDER BY id")
    assert (1, "100 % User 1") == filled[0]
    assert (2, "Hello User 2") == filled[1]
    greeting.sql("ALTER TABLE users DROP greeting CASCADE; DELETE FROM alembic_version WHERE version_num <> '0001'")
    greeting.sql("INSERT INTO alembic_version SELECT '0001' WHERE NOT EXISTS (SELECT FROM alembic_version)")
    _straight(greeting)
    greeting.sql("INSERT INTO greetings VALUES (1, 'twice')")
    said = greeting.run("alembic", "upgrade", "heads", expect=1)
    assert "have several rows of greetings AS g to be filled from" in said
    greeting.sql("DELETE FROM greetings WHERE word = 'twice'")
    greeting.run("alembic", "upgrade", "heads")
    assert filled == greeting.sql("SELECT id, greeting FROM users ORDER BY id")


def test_a_rehearsal_calls_it(greeting: Project) -> None:
    """On the throw-away copy, with rows that are made up."""
    greeting.ec("rehearse", CHANGE)
    assert [] == greeting.sql("SELECT 1 FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname = 'greeting'")


def test_the_guide_names_commands() -> None:
    """So that the test above runs what it should."""
    assert ["ec", "new", "add-column"] == shlex.split(next(_blocks("how-to/fill-with-python.md"))[0])[:3]
