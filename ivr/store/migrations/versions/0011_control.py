"""The control group of a branch's `share`."""

import sqlalchemy as sa
from alembic import op

from ivr.store.tables import UtcTime

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "held_back",
        sa.Column("call_sid", sa.String(64), nullable=False),
        sa.Column("brand", sa.String(32), nullable=False),
        sa.Column("branch", sa.String(32), nullable=False),
        sa.Column("caller", sa.String(200), nullable=False),
        sa.Column("held_at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("call_sid", "brand", "branch", name="pk_held_back"),
    )
