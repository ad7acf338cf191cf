"""What the page of Kubernetes shows: settings, and the rules of a Role."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

PAGE = (Path(__file__).parents[1] / "docs" / "reference" / "kubernetes.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The text below a heading."""
    return PAGE.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def settings(text: str) -> dict[str, dict[str, Any]]:
    """The settings that a section shows first."""
    found = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return tomllib.loads(found[1])


def rules(text: str) -> list[dict[str, Any]]:
    """The rules that a section, or the whole page, shows."""
    shown = re.findall(r"```yaml\nrules:\n(.*?)```", text, re.DOTALL)
    return [rule for part in shown for rule in yaml.safe_load(part)]
