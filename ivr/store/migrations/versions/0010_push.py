"""Whom a brand's app reaches, what was pushed, which apps are gone, and what kind of line a number is."""

import sqlalchemy as sa
from alembic import op

from ivr.store.tables import UtcTime

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "consumers",
        sa.Column("brand", sa.String(32), nullable=False),
        sa.Column("number", sa.String(20), nullable=False),
        sa.Column("token", sa.String(1000), nullable=False),
        sa.Column("platform", sa.String(16), nullable=False),
        sa.Column("external_id", sa.String(200), nullable=False),
        sa.Column("enrolled", sa.Boolean, nullable=False),
        sa.Column("last_active", UtcTime),
        sa.Column("imported_at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("brand", "number", "token", name="pk_consumers"),
    )
    op.create_table(
        "gone_tokens",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("gone_at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_gone_tokens"),
    )
    op.create_table(
        "pushes",
        sa.Column("message_id", sa.String(32), nullable=False),
        sa.Column("devices", sa.JSON, nullable=False),
        sa.Column("context", sa.JSON, nullable=False),
        sa.Column("may_be_there", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("written_at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("message_id", name="pk_pushes"),
    )
    op.create_index("ix_pushes_written_at", "pushes", ["written_at"])
    op.create_table(
        "line_types",
        sa.Column("number", sa.String(20), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("asked_at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_line_types"),
    )
    op.create_index("ix_line_types_asked_at", "line_types", ["asked_at"])
