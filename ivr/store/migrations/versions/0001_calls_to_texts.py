"""Calls, what they were offered, the texts that came of it, and what is known about numbers."""

import sqlalchemy as sa
from alembic import op

from ivr.store.tables import UtcTime

revision = "0001"
down_revision = None

# On SQLite a statement is a lock taken, a commit written and a thread switched: a call that enters at an offer has one.
# A later migration that rebuilds `calls` (batch_alter_table) has to create this again.
_OFFER_AT_ENTRY = """
CREATE TRIGGER calls_offered AFTER INSERT ON calls WHEN NEW.offered IS NOT NULL BEGIN
    INSERT INTO deflections (call_sid, branch, brand, caller, offered_at)
    VALUES (NEW.call_sid, NEW.offered, NEW.brand, NEW.caller, NEW.started_at) ON CONFLICT DO NOTHING;
END
"""


def upgrade() -> None:
    op.create_table(
        "calls",
        sa.Column("call_sid", sa.String(64), nullable=False),
        sa.Column("brand", sa.String(32), nullable=False),
        sa.Column("entry", sa.String(32), nullable=False),
        sa.Column("offered", sa.String(32)),
        sa.Column("caller", sa.String(200), nullable=False),
        sa.Column("dialled", sa.String(200), nullable=False),
        sa.Column("studio_flow", sa.String(34)),
        sa.Column("studio_execution", sa.String(34)),
        sa.Column("started_at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("call_sid", name="pk_calls"),
    )
    op.create_table(
        "deflections",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("call_sid", sa.String(64), nullable=False),
        sa.Column("branch", sa.String(32), nullable=False),
        sa.Column("brand", sa.String(32), nullable=False),
        sa.Column("caller", sa.String(200), nullable=False),
        sa.Column("offered_at", UtcTime, nullable=False),
        sa.Column("accepted_at", UtcTime),
        sa.Column("accepted_key", sa.String(1)),
        sa.Column("number", sa.String(20)),
        sa.Column("refused", sa.String(32)),
        sa.PrimaryKeyConstraint("id", name="pk_deflections"),
        sa.UniqueConstraint("call_sid", "brand", "branch", name="uq_deflections_call_sid_brand_branch"),
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(_OFFER_AT_ENTRY)
    _messages()
    _facts()


def _messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("brand", sa.String(32)),
        sa.Column("deflection_id", sa.Integer),
        sa.Column("call_sid", sa.String(64)),
        sa.Column("number", sa.String(200), nullable=False),
        sa.Column("sender", sa.String(200), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("media", sa.JSON),
        sa.Column("provider_id", sa.String(64)),
        sa.Column("error_code", sa.Integer),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("updated_at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_messages"),
        sa.ForeignKeyConstraint(["deflection_id"], ["deflections.id"], name="fk_messages_deflection_id"),
        sa.UniqueConstraint("provider_id", name="uq_messages_provider_id"),
    )
    one_greeting = sa.text("kind = 'greeting' AND state <> 'failed'")
    op.create_index(
        "uq_messages_greeting",
        "messages",
        ["deflection_id"],
        unique=True,
        sqlite_where=one_greeting,
        postgresql_where=one_greeting,
    )


def _facts() -> None:
    op.create_table(
        "number_facts",
        sa.Column("number", sa.String(20), nullable=False),
        sa.Column("sender", sa.String(200), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("code", sa.Integer, nullable=False),
        sa.Column("learned_at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("number", "sender", name="pk_number_facts"),
    )
    op.create_table(
        "opt_outs",
        sa.Column("number", sa.String(200), nullable=False),
        sa.Column("sender", sa.String(200), nullable=False),
        sa.Column("stopped", sa.Boolean, nullable=False),
        sa.Column("learned_from", sa.String(16), nullable=False),
        sa.Column("changed_at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("number", "sender", name="pk_opt_outs"),
    )
    op.create_table(
        "sender_facts",
        sa.Column("sender", sa.String(200), nullable=False),
        sa.Column("e164_since", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("sender", name="pk_sender_facts"),
    )
