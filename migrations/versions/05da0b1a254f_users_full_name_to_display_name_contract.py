"""rename users.full_name to display_name (contract)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "05da0b1a254f"
down_revision = "3b6f0c2d9a41"
branch_labels = ("contract",)
depends_on = "9bc8fbda9750"

change = "users_full_name_to_display_name"


def upgrade() -> None:
    """Drop the old shape."""
    op.assert_contract(change)  # refused until the rollback window has expired
    op.end_change(change)  # triggers, then hold
    op.drop_column("users", "full_name")


def downgrade() -> None:
    """Bring the old column back, where nothing was ever live."""
    op.add_column("users", sa.Column("full_name", sa.Text()))
    op.execute("UPDATE public.users SET full_name = display_name")
    op.alter_column("users", "full_name", nullable=False)
