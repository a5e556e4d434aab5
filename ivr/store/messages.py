"""Rows about texts: how ours fared, and what consumers wrote. How ours get out is in outbox.py."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, or_, select, update

from ivr.store.database import insert
from ivr.store.tables import messages

# States only move forward: a callback may come twice, late, or before the answer it belongs to. "dead" is our own
# giving up; what Twilio says of such a text is still news.
RANK = {"due": 0, "sending": 0, "unclear": 0, "dead": 0, "sent": 1, "delivered": 2, "failed": 2}


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
    call_sid: str | None


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
        select(columns.id, columns.state, columns.number, columns.sender, columns.provider_id, columns.call_sid).where(
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


def last_brand(tx: Connection, number: str, sender: str) -> str | None:
    """The brand that last texted this number from this sender; two brands may share one."""
    ours = and_(messages.c.number == number, messages.c.sender == sender, messages.c.kind == "greeting")
    return tx.execute(select(messages.c.brand).where(ours).order_by(messages.c.created_at.desc()).limit(1)).scalar()


def is_taken(tx: Connection, provider_id: str) -> bool:
    """Whether a row holds this MessageSid already."""
    return tx.execute(select(messages.c.id).where(messages.c.provider_id == provider_id)).first() is not None
