"""Another IVR's door: what it asked for, what it was answered; what it knows fits into the line for the agent."""

import sqlalchemy as sa
from alembic import op

from ivr.store.tables import UtcTime

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "api_deflections",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("deflection_id", sa.Integer, nullable=False),
        sa.Column("brand", sa.String(32), nullable=False),
        sa.Column("skill", sa.String(100)),
        sa.Column("attributes", sa.JSON, nullable=False),
        sa.Column("conversation_id", sa.String(32)),
        sa.Column("webhook", sa.String(2000)),
        sa.Column("api_key", sa.String(16), nullable=False),
        sa.Column("asked_at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_api_deflections"),
        sa.ForeignKeyConstraint(["deflection_id"], ["deflections.id"], name="fk_api_deflections_deflection_id"),
        sa.UniqueConstraint("deflection_id", name="uq_api_deflections_deflection_id"),
    )
    op.create_index("ix_api_deflections_brand", "api_deflections", ["brand", "asked_at", "id"])
    op.create_index("ix_api_deflections_conversation_id", "api_deflections", ["conversation_id"])
    op.create_table(
        "api_answers",
        sa.Column("api_key", sa.String(16), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("request", sa.String(64), nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("answered_at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("api_key", "name", name="pk_api_answers"),
    )
    op.create_index("ix_api_answers_answered_at", "api_answers", ["answered_at"])
    op.create_index("ix_conversations_deflection_id", "conversations", ["deflection_id"])
    if op.get_bind().dialect.name == "postgresql":  # SQLite knows no lengths
        op.alter_column("conversations", "context_line", type_=sa.String(1000))
