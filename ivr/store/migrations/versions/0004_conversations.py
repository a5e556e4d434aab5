"""Conversations at a desk; texts that go to a desk or come from one; what came too early; consent on record."""

import sqlalchemy as sa
from alembic import op

from ivr.store.tables import UtcTime

revision = "0004"
down_revision = "0003"

_NOT_CLOSED = sa.text("state <> 'closed'")


def upgrade() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("brand", sa.String(32), nullable=False),
        sa.Column("desk", sa.String(16), nullable=False),
        sa.Column("number", sa.String(200), nullable=False),
        sa.Column("sender", sa.String(200), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("branch", sa.String(32)),
        sa.Column("skill", sa.String(100)),
        sa.Column("deflection_id", sa.Integer),
        sa.Column("first_message", sa.String(32)),
        sa.Column("context_line", sa.String(300), nullable=False, server_default=""),
        sa.Column("desk_consumer", sa.String(100)),
        sa.Column("desk_id", sa.String(100)),
        sa.Column("dialog", sa.String(100)),
        sa.Column("changed", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("started_at", UtcTime, nullable=False),
        sa.Column("opened_at", UtcTime),
        sa.Column("closed_at", UtcTime),
        sa.PrimaryKeyConstraint("id", name="pk_conversations"),
        sa.ForeignKeyConstraint(["deflection_id"], ["deflections.id"], name="fk_conversations_deflection_id"),
        sa.UniqueConstraint("desk_id", name="uq_conversations_desk_id"),
    )
    op.create_index(
        "uq_conversations_not_closed",
        "conversations",
        ["number", "sender", "brand"],
        unique=True,
        sqlite_where=_NOT_CLOSED,
        postgresql_where=_NOT_CLOSED,
    )
    op.create_index("ix_conversations_desk_consumer", "conversations", ["desk_consumer"])
    _events()
    _messages()
    _consent()


def _events() -> None:
    op.create_table(
        "early_events",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("desk_id", sa.String(100), nullable=False),
        sa.Column("event", sa.JSON, nullable=False),
        sa.Column("received_at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_early_events"),
    )
    op.create_index("ix_early_events_desk_id", "early_events", ["desk_id"])
    op.create_table(
        "taken_events",
        sa.Column("event", sa.String(250), nullable=False),
        sa.Column("taken_at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("event", name="pk_taken_events"),
    )


def _messages() -> None:
    # One by one: batch_alter_table would rebuild the table with all its rows.
    op.add_column("messages", sa.Column("towards", sa.String(8), nullable=False, server_default="consumer"))
    op.add_column("messages", sa.Column("conversation_id", sa.String(32)))
    op.add_column("messages", sa.Column("desk_event", sa.String(250)))
    op.add_column("messages", sa.Column("maybe_twice", sa.Boolean, nullable=False, server_default=sa.text("false")))
    if op.get_bind().dialect.name == "postgresql":  # SQLite knows no lengths
        op.alter_column("messages", "destination", type_=sa.String(200))
        op.alter_column("number_facts", "number", type_=sa.String(200))
    op.execute("UPDATE messages SET towards = 'desk' WHERE kind = 'inbound'")
    op.create_index("uq_messages_desk_event", "messages", ["desk_event"], unique=True)
    op.create_index("ix_messages_conversation_id", "messages", ["conversation_id"])


def _consent() -> None:
    op.create_table(
        "prompts",
        sa.Column("version", sa.String(16), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("first_used_at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_prompts"),
    )
    op.add_column("deflections", sa.Column("prompt_version", sa.String(16)))
