"""Who consumers say they are, while their conversation is open."""

import sqlalchemy as sa
from alembic import op

from ivr.store.tables import UtcTime

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "identities",
        sa.Column("conversation_id", sa.String(32), nullable=False),
        sa.Column("attribute", sa.String(32)),
        sa.Column("asked_at", UtcTime, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
        sa.Column("answers", sa.JSON, nullable=False),
        sa.Column("began_at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", name="pk_identities"),
    )
    op.create_index("ix_identities_began_at", "identities", ["began_at"])
