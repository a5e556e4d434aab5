"""Counts by the hour, and the indexes by which they are kept and looked behind."""

import sqlalchemy as sa
from alembic import op

from ivr.store.tables import UtcTime

revision = "0012"
down_revision = "0011"

_WHERE = {"brand": 32, "branch": 32, "language": 35, "channel": 16, "dialled": 200}
_MEASURES = ("calls", "offered", "accepted", "sent", "delivered", "replied", "conversation", "closed", "failed")


def upgrade() -> None:
    for length, period in (("hourly", "hour"), ("daily", "day")):
        measures = [sa.Column(name, sa.Integer, nullable=False) for name in _MEASURES]
        _table(f"{length}_counts", period, [], measures)
        reason = sa.Column("reason", sa.String(32), nullable=False)
        _table(f"{length}_failures", period, [reason], [sa.Column("failed", sa.Integer, nullable=False)])
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


def _table(name: str, period: str, more_key: list[sa.Column[str]], measures: list[sa.Column[int]]) -> None:
    op.create_table(
        name,
        sa.Column(period, UtcTime, nullable=False),
        *(sa.Column(where, sa.String(length), nullable=False) for where, length in _WHERE.items()),
        *more_key,
        *measures,
        sa.PrimaryKeyConstraint(period, *_WHERE, *(column.name for column in more_key), name=f"pk_{name}"),
        sqlite_with_rowid=False,
    )


def _partial(name: str, table: str, column: str, where: str) -> None:
    op.create_index(name, table, [column], sqlite_where=sa.text(where), postgresql_where=sa.text(where))
