"""The control group: who heard no offer, so that reports can tell what the offer does."""

from sqlalchemy import Column, String, Table

from ivr.store.tables import UtcTime, metadata

# A call that would have heard the offer of a branch; `deflections` has no row of it.
held_back = Table(
    "held_back",
    metadata,
    Column("call_sid", String(64), primary_key=True),
    Column("brand", String(32), primary_key=True),
    Column("branch", String(32), primary_key=True),
    Column("caller", String(200), nullable=False),  # From, as Twilio sent it
    Column("held_at", UtcTime, nullable=False),
)
