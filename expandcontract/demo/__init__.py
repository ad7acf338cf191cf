"""``ec demo``: one change through all five phases, behind a real proxy and under load, with the product's own commands."""
