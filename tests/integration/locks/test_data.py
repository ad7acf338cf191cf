"""The lock table that ships is what this server does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from expandcontract.pg.locks.forms import FORMS, Form
from expandcontract.pg.locks.measure import measure
from expandcontract.pg.locks.table import data

if TYPE_CHECKING:
    from sqlalchemy import Connection


@pytest.mark.parametrize("form", [pytest.param(form, id=form.key) for form in FORMS])
def test_measured_again(scratch: Connection, form: Form, request: pytest.FixtureRequest) -> None:
    """Each form, measured again on the session's server, does what the shipped data say; `make locks` renews them."""
    shipped = data(request.config.getoption("--pg"))["forms"]
    assert shipped[form.key] == json.loads(json.dumps(measure(scratch, [form])[form.key]))
