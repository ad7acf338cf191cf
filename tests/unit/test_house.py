"""The house keeps its own rules: light imports, small files, a docstring on everything public."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import expandcontract

PACKAGE = Path(expandcontract.__file__).parent
LARGEST = 400  # lines


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("expandcontract.core.plan", ("alembic", "sqlalchemy", "psycopg", "pydantic", "rich", "typer", "httpx")),
        (
            "expandcontract.revisions.plugin",
            ("pydantic", "rich", "typer", "httpx", "kubernetes", "boto3", "uvicorn", "postgast"),
        ),
        (
            "expandcontract.cli.main",
            ("alembic", "psycopg", "pydantic_settings", "kubernetes", "boto3", "uvicorn", "postgast"),
        ),
        ("expandcontract.revisions.guard", ("pydantic", "rich", "typer", "httpx", "postgast")),
        ("expandcontract.ready", ("alembic", "sqlalchemy", "psycopg", "pydantic", "rich", "typer", "postgast")),
        ("expandcontract.pg.locks", ("alembic", "postgast", "google.protobuf")),
        ("expandcontract.traffic.aws_alb, expandcontract.traffic.istio", ("boto3", "botocore", "lightkube", "httpx2")),
    ],
)
def test_imports_are_light(module: str, heavy: tuple[str, ...]) -> None:
    """Importing the core, the plugin or the command line loads nothing heavy."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    assert [] == sorted(set(heavy) & set(done.stdout.split()))


def test_files_are_small() -> None:
    """No file has outgrown its room."""
    large = {path.name: count for path in PACKAGE.rglob("*.py") if (count := path.read_text().count("\n")) > LARGEST}
    assert {} == large
