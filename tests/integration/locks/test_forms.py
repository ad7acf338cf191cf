"""Every form of DDL: this server does what the shipped table says, and what was predicted from the catalogue before."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from expandcontract.core.effect import differences
from expandcontract.pg.locks import predict
from expandcontract.pg.locks.forms import FORMS, Form, Kind
from expandcontract.pg.locks.measure import by_role, prepared, seen
from expandcontract.pg.locks.table import data

if TYPE_CHECKING:
    from sqlalchemy import Connection

CASES = [pytest.param(form, kind, id=f"{form.key}-{kind.value}") for form in FORMS for kind in Kind if kind in form.on]


@pytest.mark.parametrize(("form", "kind"), CASES)
def test_every_form(scratch: Connection, form: Form, kind: Kind, request: pytest.FixtureRequest) -> None:
    """Locks, rewrites, scans, refusals and the need for a transaction are as shipped, and foretold by name.

    Where the shipped table is wrong, ``make locks`` renews it.
    """
    shipped = data(request.config.getoption("--pg"))["forms"][form.key][kind.value]
    with prepared(scratch, form, kind) as missing:
        if missing:
            assert {"refused": missing} == shipped
            return
        (predicted,) = predict(scratch, form.statement)
        scratch.rollback()
        observed = seen(scratch, form)
    assert shipped == json.loads(json.dumps(by_role(observed)))
    if observed.refused:
        assert predicted.refused
        return
    assert () == differences(predicted, observed)
    assert set(form.name.split(" + ")) <= set(predicted.form.split(" + "))
    assert (observed.transactional, False) == (predicted.transactional, predicted.assumed)
