"""Everything is counted anew, by channel; and a text on its first way out pays for no index of the counts."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_LATE = "kind = 'inbound' OR (kind = 'greeting' AND (state IN ('delivered', 'failed', 'dead') OR attempts > 1))"


def upgrade() -> None:
    op.drop_index("ix_messages_counted", "messages")
    late = sa.text(_LATE)
    op.create_index("ix_messages_came_late", "messages", ["updated_at"], sqlite_where=late, postgresql_where=late)
    op.execute("DELETE FROM count_marks WHERE name = 'counts'")
