"""The tables of what was counted: a row an hour for each brand, branch, language, channel and dialled number."""

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, String, Table, text

from ivr.store.tables import UtcTime, calls, conversations, deflections, messages, metadata

DIMENSIONS = ("brand", "branch", "language", "channel", "dialled")
MEASURES = ("calls", "offered", "accepted", "sent", "delivered", "read", "replied", "conversation", "closed", "failed")
READ_IN = ("whatsapp", "rcs")  # the channels of which Twilio says that a text was read; of others nobody knows


def _where() -> list[Column[str]]:
    lengths = {"brand": 32, "branch": 32, "language": 35, "channel": 16, "dialled": 200}
    return [Column(name, String(lengths[name]), nullable=False) for name in DIMENSIONS]


def _measure(name: str) -> Column[int]:
    """`read` came later than the others: whoever of a release before it still counts leaves it out."""
    return Column(name, Integer, nullable=False, server_default="0" if name == "read" else None)


def _counts(name: str, period: str) -> Table:
    return Table(
        name,
        metadata,
        Column(period, UtcTime, nullable=False),  # its beginning, in UTC
        *_where(),
        *(_measure(name) for name in MEASURES),
        PrimaryKeyConstraint(period, *DIMENSIONS, name=f"pk_{name}"),
        sqlite_with_rowid=False,  # the rows lie in the order they are read in
    )


def _failures(name: str, period: str) -> Table:
    return Table(
        name,
        metadata,
        Column(period, UtcTime, nullable=False),
        *_where(),
        Column("reason", String(32), nullable=False),  # why no text was tried, Twilio's error code, given_up
        Column("failed", Integer, nullable=False),
        PrimaryKeyConstraint(period, *DIMENSIONS, "reason", name=f"pk_{name}"),
        sqlite_with_rowid=False,
    )


# Everything that came of a call is counted in the hour of the call, and of an offer in the hour of the offer, however
# late it happened: so a rate is of those it could happen to. Days are the sums of their hours, for who asks for a year.
hourly_counts, daily_counts = _counts("hourly_counts", "hour"), _counts("daily_counts", "day")
hourly_failures, daily_failures = _failures("hourly_failures", "hour"), _failures("daily_failures", "day")

# Up to when the rows were looked through.
count_marks = Table(
    "count_marks",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("upto", UtcTime, nullable=False),
)

# What the counting looks for.
Index("ix_calls_started_at", calls.c.started_at)
Index("ix_deflections_offered_at", deflections.c.offered_at)
for _name in ("opened_at", "closed_at"):
    Index(
        f"ix_conversations_{_name}",
        conversations.c[_name],
        sqlite_where=text(f"{_name} IS NOT NULL"),
        postgresql_where=text(f"{_name} IS NOT NULL"),
    )
# What may have changed an offer's counts long after it. A greeting on its first way out is not among them, so that a
# caller who accepts waits for no index; the last hours are counted again anyway.
CAME_LATE = text(
    "kind = 'inbound' OR (kind = 'greeting' AND (state IN ('delivered', 'failed', 'dead') OR attempts > 1))"
)
Index("ix_messages_came_late", messages.c.updated_at, sqlite_where=CAME_LATE, postgresql_where=CAME_LATE)
READ = text("kind = 'greeting' AND read_at IS NOT NULL")
Index("ix_messages_read", messages.c.read_at, sqlite_where=READ, postgresql_where=READ)

# What an operator looks for: the few that went wrong, among all.
LOST = text("state IN ('failed', 'dead')")
Index("ix_messages_lost", messages.c.created_at, sqlite_where=LOST, postgresql_where=LOST)
# What was given up, and whose it is: told at every look without reading one of the texts.
DEAD = text("state = 'dead'")
Index(
    "ix_messages_dead",
    messages.c.towards,
    messages.c.brand,
    messages.c.created_at,
    sqlite_where=DEAD,
    postgresql_where=DEAD,
)
REFUSED = text("refused IS NOT NULL")
Index("ix_deflections_refused", deflections.c.offered_at, sqlite_where=REFUSED, postgresql_where=REFUSED)
