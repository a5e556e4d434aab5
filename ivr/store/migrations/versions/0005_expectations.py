"""Expectations: what is to be said along a conversation and when, each once; when an agent answered."""

import sqlalchemy as sa
from alembic import op

from ivr.store.tables import UtcTime

revision = "0005"
down_revision = "0004"

_WAITING = sa.text("due_at IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "expectations",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("conversation_id", sa.String(32)),
        sa.Column("deflection_id", sa.Integer),
        sa.Column("name", sa.String(16), nullable=False),
        sa.Column("due_at", UtcTime),
        sa.Column("message_id", sa.String(32)),
        sa.PrimaryKeyConstraint("id", name="pk_expectations"),
        sa.UniqueConstraint("conversation_id", "name", name="uq_expectations_conversation_id_name"),
        sa.UniqueConstraint("deflection_id", "name", name="uq_expectations_deflection_id_name"),
    )
    op.create_index(
        "ix_expectations_due_at", "expectations", ["due_at"], sqlite_where=_WAITING, postgresql_where=_WAITING
    )
    op.create_index("ix_expectations_message_id", "expectations", ["message_id"])
    op.add_column("conversations", sa.Column("answered_at", UtcTime))
