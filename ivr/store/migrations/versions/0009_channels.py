"""The channel that a greeting went by, the template that carried it, and when a text was read."""

import sqlalchemy as sa
from alembic import op

from ivr.store.tables import UtcTime

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("messages", sa.Column("channel", sa.String(16)))
    op.add_column("messages", sa.Column("content", sa.JSON(none_as_null=True)))
    op.add_column("messages", sa.Column("read_at", UtcTime))
