"""Every form of DDL that is measured."""

from __future__ import annotations

from expandcontract.pg.locks.forms import columns, constraints, indexes, objects, tables, types
from expandcontract.pg.locks.forms.form import Form, Kind

FORMS = (*columns.FORMS, *types.FORMS, *constraints.FORMS, *indexes.FORMS, *tables.FORMS, *objects.FORMS)

__all__ = ["FORMS", "Form", "Kind"]
