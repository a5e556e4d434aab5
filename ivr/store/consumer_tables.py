"""The tables of whom a brand's app reaches, what was pushed to them, and what kind of line a number is."""

from sqlalchemy import JSON, Boolean, Column, Index, String, Table, false

from ivr.store.tables import UtcTime, metadata

# The embedded directory: a row for each device of a consumer's, or one without a token.
consumers = Table(
    "consumers",
    metadata,
    Column("brand", String(32), primary_key=True),
    Column("number", String(20), primary_key=True),  # E.164
    Column("token", String(1000), primary_key=True),  # of the app on one device; "" where the brand pushes itself
    Column("platform", String(16), nullable=False),  # android, ios, or ""
    Column("external_id", String(200), nullable=False),  # who they are at the brand, or ""
    Column("enrolled", Boolean, nullable=False),
    Column("last_active", UtcTime),
    Column("imported_at", UtcTime, nullable=False),
)

# Apps that are gone from their device, whichever directory still has their tokens.
gone_tokens = Table(
    "gone_tokens",
    metadata,
    Column("digest", String(64), primary_key=True),  # SHA-256 of the token
    Column("gone_at", UtcTime, nullable=False),
)

# What a push is made of, decided when the caller said yes and the same in every repeat.
pushes = Table(
    "pushes",
    metadata,
    Column("message_id", String(32), primary_key=True),
    Column("devices", JSON, nullable=False),  # [{"token": …, "platform": …, "external_id": …}], tried in this order
    Column("context", JSON, nullable=False),  # skill, campaign, engagement …
    Column("may_be_there", Boolean, nullable=False, server_default=false()),  # an attempt ended in doubt
    Column("written_at", UtcTime, nullable=False),
)
Index("ix_pushes_written_at", pushes.c.written_at)

line_types = Table(
    "line_types",
    metadata,
    Column("number", String(20), primary_key=True),  # E.164
    Column("kind", String(16), nullable=False),  # as Twilio names it; "" while it is asked, or when it did not say
    Column("asked_at", UtcTime, nullable=False),
)
Index("ix_line_types_asked_at", line_types.c.asked_at)
