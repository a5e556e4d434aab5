"""Counts by the hour, and the indexes by which they are kept and looked behind."""

import sqlalchemy as sa
from alembic import op

from ivr.store.tables import UtcTime

revision = "0012"
down_revision = "0008"

_WHERE = {"brand": 32, "branch": 32, "language": 35, "channel": 16, "dialled": 200}
_MEASURES = ("calls", "offered", "accepted", "sent", "delivered", "replied", "conversation", "closed", "failed")


def upgrade() -> None:
    op.create_table(
        "hourly_counts",
        sa.Column("hour", UtcTime, nullable=False),
        *(sa.Column(name, sa.String(length), nullable=False) for name, length in _WHERE.items()),
        *(sa.Column(name, sa.Integer, nullable=False) for name in _MEASURES),
        sa.PrimaryKeyConstraint("hour", *_WHERE, name="pk_hourly_counts"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "hourly_failures",
        sa.Column("hour", UtcTime, nullable=False),
        *(sa.Column(name, sa.String(length), nullable=False) for name, length in _WHERE.items()),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("hour", *_WHERE, "reason", name="pk_hourly_failures"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "count_marks",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("upto", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_count_marks"),
    )
    op.create_index("ix_calls_started_at", "calls", ["started_at"])
    op.create_index("ix_deflections_offered_at", "deflections", ["offered_at"])
    _partial("ix_conversations_opened_at", "conversations", "opened_at", "opened_at IS NOT NULL")
    _partial("ix_conversations_closed_at", "conversations", "closed_at", "closed_at IS NOT NULL")
    _partial("ix_messages_counted", "messages", "updated_at", "kind IN ('greeting', 'inbound')")
    _partial("ix_messages_lost", "messages", "created_at", "state IN ('failed', 'dead')")
    _partial("ix_deflections_refused", "deflections", "offered_at", "refused IS NOT NULL")


def _partial(name: str, table: str, column: str, where: str) -> None:
    op.create_index(name, table, [column], sqlite_where=sa.text(where), postgresql_where=sa.text(where))
