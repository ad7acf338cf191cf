"""``ec``: flags in, one call of the runner, its answer shown, an exit code. No rule of the product lives here."""
