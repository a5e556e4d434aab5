"""Returns of calls to the Studio flow that sent them."""

import sqlalchemy as sa
from alembic import op

from ivr.store.tables import UtcTime

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "studio_returns",
        sa.Column("call_sid", sa.String(64), nullable=False),
        sa.Column("visit", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("ref", sa.String(32), nullable=False),
        sa.Column("result", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("returned_at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("call_sid", "visit", name="pk_studio_returns"),
        sa.UniqueConstraint("ref", name="uq_studio_returns_ref"),
    )
