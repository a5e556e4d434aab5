"""Numbers that callers key in; and the questions that are asked about a call and a number, each by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_KEYED_IN = sa.text("keyed_in")


def upgrade() -> None:
    # One by one: batch_alter_table would rebuild the table, which the trigger on `calls` does not survive.
    op.add_column("deflections", sa.Column("entered", sa.String(20)))
    op.add_column("deflections", sa.Column("keyed_in", sa.Boolean, nullable=False, server_default=sa.text("false")))
    op.add_column("deflections", sa.Column("keyed_by", sa.String(200)))
    op.create_index(
        "ix_deflections_keyed_in", "deflections", ["keyed_by"], sqlite_where=_KEYED_IN, postgresql_where=_KEYED_IN
    )
    op.create_index("ix_messages_deflection_id", "messages", ["deflection_id"])
    op.create_index("ix_messages_number", "messages", ["number", "created_at"])
