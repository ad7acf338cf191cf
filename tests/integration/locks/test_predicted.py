"""What is predicted from the catalogue before a statement is what the server is then seen to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import DBAPIError

from expandcontract.core.effect import Effect, differences
from expandcontract.errors import FailedError
from expandcontract.pg.locks import observe, predict
from expandcontract.pg.locks.forms import FORMS, Form, Kind
from expandcontract.pg.locks.measure import prepared

if TYPE_CHECKING:
    from sqlalchemy import Connection

CASES = [pytest.param(form, kind, id=f"{form.key}-{kind.value}") for form in FORMS for kind in Kind if kind in form.on]


@pytest.mark.parametrize(("form", "kind"), CASES)
def test_every_form(scratch: Connection, form: Form, kind: Kind) -> None:
    """Locks, rewrites, scans and the need for a transaction are foretold by name, for every form and kind of table."""
    with prepared(scratch, form, kind) as missing:
        if missing:
            pytest.skip(missing)
        (predicted,) = predict(scratch, form.statement)
        scratch.rollback()
        try:
            observed: Effect | None = observe(scratch, form.statement)
        except (DBAPIError, FailedError):
            observed = None
    if observed is None:
        assert predicted.refused
        return
    assert () == differences(predicted, observed)
    assert set(form.name.split(" + ")) <= set(predicted.form.split(" + "))
    assert (observed.transactional, False) == (predicted.transactional, predicted.assumed)
