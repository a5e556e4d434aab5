"""The tables of another IVR's door: what it asked for, and what it was answered."""

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table, Text

from ivr.store.tables import UtcTime, metadata

CALL_PREFIX = "api:"  # another IVR's id of a call is never mistaken for Twilio's

# What a deflection has beside its own row when another IVR asked for it.
api_deflections = Table(
    "api_deflections",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("deflection_id", Integer, ForeignKey("deflections.id"), nullable=False, unique=True),
    Column("brand", String(32), nullable=False),
    Column("skill", String(100)),  # in the place of the branch's
    Column("attributes", JSON, nullable=False),  # what the agent may know
    Column("conversation_id", String(32)),  # the open one that it joined
    Column("webhook", String(2000)),  # where changes are told
    Column("api_key", String(16), nullable=False),  # who asked: the beginning of the key's SHA-256
    Column("asked_at", UtcTime, nullable=False),
)
Index("ix_api_deflections_brand", api_deflections.c.brand, api_deflections.c.asked_at, api_deflections.c.id)
Index("ix_api_deflections_conversation_id", api_deflections.c.conversation_id)

# The answer to each Idempotency-Key, word for word.
api_answers = Table(
    "api_answers",
    metadata,
    Column("api_key", String(16), primary_key=True),
    Column("name", String(255), primary_key=True),
    Column("request", String(64), nullable=False),  # SHA-256 of what was asked
    Column("status", Integer, nullable=False),
    Column("answer", Text, nullable=False),
    Column("answered_at", UtcTime, nullable=False),
)
Index("ix_api_answers_answered_at", api_answers.c.answered_at)
