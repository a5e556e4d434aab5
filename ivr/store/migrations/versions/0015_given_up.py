"""What was given up is counted from an index of its own, however much that is."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    dead = sa.text("state = 'dead'")
    columns = ["towards", "brand", "created_at"]
    op.create_index("ix_messages_dead", "messages", columns, sqlite_where=dead, postgresql_where=dead)
