"""Rows about texts: how ours fared, and what consumers wrote. How they get out is in outbox.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, String, Update, and_, bindparam, case, exists, or_, select, update

from ivr.store import api_events
from ivr.store.database import insert
from ivr.store.outbox import gives_up
from ivr.store.tables import UtcTime, fixed, messages

# States only move forward: a callback may come twice, late, or before the answer it belongs to. "dead" is our own
# giving up; what Twilio says of such a text is still news.
RANK = {"due": 0, "sending": 0, "unclear": 0, "dead": 0, "sent": 1, "delivered": 2, "failed": 2}


# Built once: a webhook asks it of every text that comes in.
_LAST_BRAND = (
    select(messages.c.brand)
    .where(
        messages.c.number == bindparam("number"),
        messages.c.sender == bindparam("sender"),
        messages.c.towards == "consumer",
    )
    .order_by(messages.c.created_at.desc())
    .limit(1)
)

# Built once: each text to a desk ends with it.
_EVENT, _MOMENT, _OTHERS = (
    bindparam("event", type_=String),
    bindparam("moment", type_=UtcTime),
    messages.alias("others"),
)
_AT_DESK = (
    update(messages)
    .where(messages.c.id == bindparam("text", type_=String), messages.c.state.not_in(("sent", "failed")))
    .values(
        state="sent",
        updated_at=bindparam("moment", type_=UtcTime),
        lease_until=None,
        desk_event=case(
            (or_(_EVENT.is_(None), exists().where(_OTHERS.c.desk_event == _EVENT)), messages.c.desk_event), else_=_EVENT
        ),
    )
)


@dataclass(frozen=True, slots=True)
class Inbound:
    id: str
    provider_id: str  # MessageSid
    brand: str | None
    number: str
    sender: str  # our number, or the messaging service
    body: str = field(repr=False)
    media: Sequence[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Message:
    id: str
    kind: str
    state: str
    brand: str | None
    number: str
    sender: str
    provider_id: str | None
    call_sid: str | None
    conversation_id: str | None
    desk_event: str | None


@dataclass(frozen=True, slots=True)
class WithMedia:
    media: Sequence[Mapping[str, str]] | None
    conversation_id: str | None


@dataclass(frozen=True, slots=True)
class InDoubt:
    id: str
    body: str
    media: Sequence[Mapping[str, str]] | None


def write_inbound(tx: Connection, text: Inbound, now: datetime, conversation_id: str | None = None) -> bool:
    """What a consumer wrote. False when this MessageSid is here already.

    With a conversation it is to reach the desk; without one it is nobody's to send.
    """
    values: dict[str, Any] = {
        "id": text.id,
        "kind": "inbound",
        "towards": "desk",
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
    values |= _due(conversation_id, now) if conversation_id else dict.fromkeys(_DUE)
    return tx.execute(_written(tx.dialect.name), values).first() is not None


@cache
def _written(dialect: str) -> Any:
    written = insert(dialect, messages).on_conflict_do_nothing(index_elements=["provider_id"])
    return written.returning(messages.c.id)


def relay_inbound(tx: Connection, message_id: str, conversation_id: str, now: datetime) -> None:
    """What a consumer wrote is to reach a desk from now on."""
    tx.execute(update(messages).where(messages.c.id == message_id).values(_due(conversation_id, now)))


def _due(conversation_id: str, now: datetime) -> dict[str, Any]:
    due = {"state": "due", "conversation_id": conversation_id, "started_at": now, "next_try": now}
    return due | {"give_up_at": gives_up("inbound", now)}


_DUE = ("conversation_id", "started_at", "next_try", "give_up_at")


def find(tx: Connection, message_id: str) -> Message | None:
    """One text of ours to a consumer, by its id."""
    columns = (messages.c[field.name] for field in fields(Message))
    row = tx.execute(select(*columns).where(messages.c.id == message_id, messages.c.towards == "consumer")).first()
    return Message(*row) if row else None


def media(tx: Connection, message_id: str) -> WithMedia | None:
    """The files of a text, either way."""
    columns = messages.c
    row = tx.execute(select(columns.media, columns.conversation_id).where(columns.id == message_id)).first()
    return WithMedia(*row) if row else None


def in_doubt(tx: Connection, conversation_id: str) -> Sequence[InDoubt]:
    """What may be at the desk without our knowing, the oldest first."""
    columns = messages.c
    these = and_(
        columns.conversation_id == conversation_id,
        columns.towards == "desk",
        columns.kind.not_in(("receipt", "attributes")),
        or_(columns.state.in_(("sending", "unclear")), and_(columns.state == "due", columns.maybe_twice)),
    )
    listed = select(columns.id, columns.body, columns.media).where(these).order_by(columns.created_at, columns.id)
    return [InDoubt(*row) for row in tx.execute(listed)]


def at_desk(tx: Connection, message_id: str, desk_event: str | None, now: datetime) -> bool:
    """The desk has it. `desk_event`: which event it is there, of which there is one row. False when that was known."""
    return tx.execute(_AT_DESK, {"text": message_id, "event": desk_event, "moment": now}).rowcount == 1


def last_at_desk(tx: Connection, conversation_id: str, dialog: str) -> int:
    """The highest sequence in a dialog that a text of the consumer's is known to have; -1 without any."""
    events = select(messages.c.desk_event).where(
        messages.c.conversation_id == conversation_id,
        messages.c.towards == "desk",
        messages.c.desk_event.startswith(f"{dialog}:", autoescape=True),
    )
    sequences = [event.rpartition(":")[2] for event in tx.execute(events).scalars()]
    return max((int(sequence) for sequence in sequences if sequence.isdigit()), default=-1)


def is_at_desk(tx: Connection, desk_event: str) -> bool:
    """Whether a row is this event of the desk's already."""
    return tx.execute(select(messages.c.id).where(messages.c.desk_event == desk_event)).first() is not None


def move(
    tx: Connection, message_id: str, state: str, now: datetime, provider_id: str | None = None, code: int | None = None
) -> bool:
    """Move a row forward. False when it is there already, or further, or another MessageSid has it."""
    told = {"sid": provider_id} if provider_id else {}
    why = {"code": code} if code is not None else {}
    statement = _moved(state, bool(told), bool(why))
    moved = tx.execute(statement, {"text": message_id, "moment": now, **told, **why}).rowcount == 1
    if moved:
        api_events.text_changed(tx, message_id, state, now, code)
    return moved


@cache
def _moved(state: str, with_sid: bool, with_code: bool) -> Update:
    earlier = [name for name, rank in RANK.items() if rank < RANK[state]]
    guards = [messages.c.id == bindparam("text"), messages.c.state.in_(earlier)]
    values: dict[str, Any] = {"state": state, "updated_at": bindparam("moment")}
    if with_sid:
        guards.append(or_(messages.c.provider_id.is_(None), messages.c.provider_id == bindparam("sid", type_=String)))
        values["provider_id"] = bindparam("sid", type_=String)
    if with_code:
        values["error_code"] = bindparam("code")
    return update(messages).where(*guards).values(values)


def was_read(tx: Connection, message_id: str, now: datetime) -> None:
    """Its reader read it, the first time that this is told."""
    unread = and_(messages.c.id == message_id, messages.c.read_at.is_(None))
    tx.execute(update(messages).where(unread).values(read_at=now))


def learn_provider_id(tx: Connection, message_id: str, provider_id: str) -> None:
    """The MessageSid of a text whose callback came before Twilio's answer did."""
    unknown = and_(messages.c.id == message_id, messages.c.provider_id.is_(None))
    tx.execute(update(messages).where(unknown).values(provider_id=provider_id))


def last_brand(tx: Connection, number: str, sender: str) -> str | None:
    """The brand that last texted this number from this sender; two brands may share one."""
    return tx.execute(_LAST_BRAND, {"number": number, "sender": sender}).scalar()


def drop_expectations(tx: Connection, conversation_id: str, now: datetime) -> None:
    """What was to be said along a conversation and waits to be sent is not true any more."""
    waiting = and_(
        messages.c.conversation_id == conversation_id,
        messages.c.kind == fixed("expectation"),
        messages.c.state == fixed("due"),
    )
    tx.execute(update(messages).where(waiting).values(state="failed", updated_at=now))


def any_for_desk(tx: Connection, conversation_id: str) -> bool:
    """Whether something that the consumer wrote has not reached the desk yet."""
    columns = messages.c
    waiting = and_(
        columns.conversation_id == conversation_id,
        columns.kind == "inbound",
        columns.state.in_(("due", "sending", "unclear")),
    )
    return tx.execute(select(columns.id).where(waiting).limit(1)).first() is not None


def is_taken(tx: Connection, provider_id: str) -> bool:
    """Whether a row holds this MessageSid already."""
    return tx.execute(select(messages.c.id).where(messages.c.provider_id == provider_id)).first() is not None
