"""How fast and how kind the backfill is, beside what else fills a column: ``python -m tests.benchmarks.engine``."""
