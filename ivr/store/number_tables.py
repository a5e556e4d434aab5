"""The tables of what is known about numbers and senders."""

from sqlalchemy import Boolean, Column, Integer, String, Table

from ivr.store.tables import UtcTime, metadata

number_facts = Table(
    "number_facts",
    metadata,
    Column("number", String(200), primary_key=True),
    Column("sender", String(200), primary_key=True),  # "" when it holds for every sender
    Column("reason", String(32), nullable=False),  # why texts do not reach it
    Column("code", Integer, nullable=False),  # Twilio's error that said so
    Column("learned_at", UtcTime, nullable=False),
)

opt_outs = Table(
    "opt_outs",
    metadata,
    Column("number", String(200), primary_key=True),
    Column("sender", String(200), primary_key=True),
    Column("stopped", Boolean, nullable=False),
    Column("learned_from", String(16), nullable=False),  # text, or the error 21610
    Column("changed_at", UtcTime, nullable=False),
)

sender_facts = Table(
    "sender_facts",
    metadata,
    Column("sender", String(200), primary_key=True),
    Column("e164_since", UtcTime, nullable=False),  # Twilio answered 21211 to the full format, and took E.164
)
