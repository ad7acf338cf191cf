"""``ec demo``: one change through all five phases, behind a real proxy, with the product's own commands."""
