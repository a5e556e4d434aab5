"""The outbox: when a text is tried next, who holds it, when it is given up; and work by the clock."""

import sqlalchemy as sa
from alembic import op

from ivr.store.tables import UtcTime

revision = "0002"
down_revision = "0001"

_UNFINISHED = sa.text("state IN ('due', 'sending', 'unclear')")


def upgrade() -> None:
    with op.batch_alter_table("messages") as messages:
        messages.add_column(sa.Column("destination", sa.String(20)))
        messages.add_column(sa.Column("attempts", sa.Integer, nullable=False, server_default="0"))
        messages.add_column(sa.Column("started_at", UtcTime))
        messages.add_column(sa.Column("next_try", UtcTime))
        messages.add_column(sa.Column("lease_until", UtcTime))
        messages.add_column(sa.Column("give_up_at", UtcTime))
    op.execute(
        "UPDATE messages SET destination = number, attempts = 1, started_at = created_at, lease_until = created_at "
        "WHERE kind = 'greeting'"
    )
    op.create_index(
        "ix_messages_unfinished",
        "messages",
        ["number", "sender"],
        sqlite_where=_UNFINISHED,
        postgresql_where=_UNFINISHED,
    )
    op.create_table(
        "schedule",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("next_run", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_schedule"),
    )
