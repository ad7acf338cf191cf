"""Files of a new Alembic environment, written by ``ec init``."""
