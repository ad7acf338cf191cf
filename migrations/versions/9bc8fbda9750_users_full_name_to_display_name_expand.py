"""rename users.full_name to display_name (expand)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from expandcontract import Change, Mapping

revision = "9bc8fbda9750"
down_revision = "3b6f0c2d9a41"
branch_labels = ("expand",)
depends_on = None

change = Change(
    "users_full_name_to_display_name",
    mapping=Mapping(
        "users",
        forward={"display_name": "full_name"},
        reverse={"full_name": "display_name"},
    ),
)


def upgrade() -> None:
    """Add the new shape beside the old one."""
    op.add_column("users", sa.Column("display_name", sa.Text()))
    op.begin_change(change)  # hold and two-way triggers


def seal() -> None:
    """What the new shape needs once it is full; may run twice."""
    op.seal_not_null("users", "display_name")


def downgrade() -> None:
    """Take the new shape away."""
    op.end_change(change)
    op.drop_column("users", "display_name")
