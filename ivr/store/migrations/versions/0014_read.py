"""READ is a step of the counts, which are all made anew: the count has another mark from now on.

The mark before it stays for a process of the release before, which may count until it is replaced.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    for table in ("hourly_counts", "daily_counts"):
        op.add_column(table, sa.Column("read", sa.Integer, nullable=False, server_default="0"))
    read = sa.text("kind = 'greeting' AND read_at IS NOT NULL")
    op.create_index("ix_messages_read", "messages", ["read_at"], sqlite_where=read, postgresql_where=read)
