"""users."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "3b6f0c2d9a41"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table that the worked example changes."""
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("email", sa.Text(), nullable=False, unique=True),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("users")
