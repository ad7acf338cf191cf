"""One file a sub-command of ``ec new``: it parses, calls the runner once, and shows what was written."""
