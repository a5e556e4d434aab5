"""Rows about texts: the greeting that goes out, how it fared, and what consumers wrote."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, or_, select, update

from ivr.store.database import insert
from ivr.store.tables import messages

# States only move forward: a callback may come twice, late, or before the answer it belongs to.
RANK = {"sending": 0, "sent": 1, "delivered": 2, "failed": 2}


@dataclass(frozen=True, slots=True)
class Greeting:
    id: str
    deflection: int
    brand: str
    number: str  # E.164
    to: str  # the destination as Twilio is asked first: full format, or E.164 where the sender is known to need it
    sender: str
    body: str


@dataclass(frozen=True, slots=True)
class Inbound:
    id: str
    provider_id: str  # MessageSid
    brand: str | None
    number: str
    sender: str  # our number, or the messaging service
    body: str
    media: Sequence[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Message:
    id: str
    state: str
    number: str
    sender: str
    provider_id: str | None


def write_greeting(tx: Connection, greeting: Greeting, now: datetime) -> None:
    """A greeting that is about to be sent by whoever commits this."""
    values = {
        "id": greeting.id,
        "kind": "greeting",
        "state": "sending",
        "brand": greeting.brand,
        "deflection_id": greeting.deflection,
        "number": greeting.number,
        "sender": greeting.sender,
        "body": greeting.body,
        "created_at": now,
        "updated_at": now,
    }
    tx.execute(messages.insert().values(values))


def write_inbound(tx: Connection, text: Inbound, now: datetime) -> bool:
    """What a consumer wrote. False when this MessageSid is here already."""
    values: dict[str, Any] = {
        "id": text.id,
        "kind": "inbound",
        "state": "received",
        "brand": text.brand,
        "number": text.number,
        "sender": text.sender,
        "body": text.body,
        "media": list(text.media) or None,
        "provider_id": text.provider_id,
        "created_at": now,
        "updated_at": now,
    }
    written = insert(tx.dialect.name, messages).values(values).on_conflict_do_nothing(index_elements=["provider_id"])
    return tx.execute(written.returning(messages.c.id)).first() is not None


def find(tx: Connection, message_id: str) -> Message | None:
    """One text of ours by its id."""
    columns = messages.c
    row = tx.execute(
        select(columns.id, columns.state, columns.number, columns.sender, columns.provider_id).where(
            columns.id == message_id, columns.kind == "greeting"
        )
    ).first()
    return Message(*row) if row else None


def move(
    tx: Connection, message_id: str, state: str, now: datetime, provider_id: str | None = None, code: int | None = None
) -> bool:
    """Move a text of ours forward. False when it is there already, or further, or another MessageSid has it."""
    earlier = [name for name, rank in RANK.items() if rank < RANK[state]]
    guards = [messages.c.id == message_id, messages.c.kind == "greeting", messages.c.state.in_(earlier)]
    values: dict[str, Any] = {"state": state, "updated_at": now}
    if provider_id:
        guards.append(or_(messages.c.provider_id.is_(None), messages.c.provider_id == provider_id))
        values["provider_id"] = provider_id
    if code is not None:
        values["error_code"] = code
    return tx.execute(update(messages).where(and_(*guards)).values(values)).rowcount == 1


def learn_provider_id(tx: Connection, message_id: str, provider_id: str) -> None:
    """The MessageSid of a text whose callback came before Twilio's answer did."""
    unknown = and_(messages.c.id == message_id, messages.c.provider_id.is_(None))
    tx.execute(update(messages).where(unknown).values(provider_id=provider_id))
