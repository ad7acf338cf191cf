"""Names that PostgreSQL would give."""

from __future__ import annotations

import pytest

from expandcontract.core.naming import default_name, fits


@pytest.mark.parametrize(
    ("table", "columns", "label", "expected"),
    [
        ("users", ["nick"], "not_null", "users_nick_not_null"),
        ("users", ["a", "b"], "key", "users_a_b_key"),
        ("t" * 63, ["c" * 63], "fkey", f"{'t' * 29}_{'c' * 28}_fkey"),
        ("t" * 63, ["c"], "key", f"{'t' * 57}_c_key"),
        ("ü" * 31, ["c" * 30], "key", f"{'ü' * 14}_{'c' * 29}_key"),
    ],
)
def test_names_are_shortened_as_postgres_does(table: str, columns: list[str], label: str, expected: str) -> None:
    """The longer part gives way, by bytes, and no character is cut in two; the label stays whole."""
    assert expected == default_name(table, columns, label)
    assert fits(expected)


def test_what_fits() -> None:
    """Bytes count, not characters; an empty name is none."""
    assert [True, False, False] == [fits(name) for name in ("x" * 63, "ü" * 32, "")]
