"""Rows about conversations at a desk: which one a consumer has, what the desk calls it, and when it ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, exists, func, select, true, update

from ivr.store import api_events, identities
from ivr.store.api_tables import CALL_PREFIX, api_deflections
from ivr.store.database import insert
from ivr.store.tables import UtcTime, calls, conversations, deflections, early_events, fixed, messages, taken_events

EARLY_KEPT = timedelta(hours=1)
MOST_EARLY = 5_000  # rows
TAKEN_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Conversation:
    id: str
    brand: str
    desk: str
    number: str
    sender: str
    state: str  # wanted, open, closed
    branch: str | None
    skill: str | None
    deflection_id: int | None
    first_message: str | None
    context_line: str
    desk_consumer: str | None
    desk_id: str | None
    dialog: str | None
    started_at: datetime
    answered_at: datetime | None = None  # when an agent did last


_COLUMNS = tuple(conversations.c[field.name] for field in fields(Conversation))


# Built once: a webhook asks it of every text that comes in, and the worker before each goes to the desk.
_OF_CONSUMER = select(*_COLUMNS).where(
    conversations.c.number == bindparam("number"),
    conversations.c.sender == bindparam("sender"),
    conversations.c.brand == bindparam("brand"),
    conversations.c.state != fixed("closed"),
)
_BY_ID = select(*_COLUMNS).where(conversations.c.id == bindparam("conversation"))


@dataclass(frozen=True, slots=True)
class Call:
    sid: str
    at: datetime
    attributes: Mapping[str, str]  # what another IVR knows


@dataclass(frozen=True, slots=True)
class LastDeflection:
    """The last offer of a brand's that a consumer accepted and was texted for."""

    id: int
    branch: str
    texted_at: datetime
    called_at: datetime
    call_sid: str
    skill: str | None  # in the place of the branch's, where another IVR wants that
    attributes: Mapping[str, str]  # what it knows


def of_consumer(tx: Connection, brand: str, number: str, sender: str) -> Conversation | None:
    """The one that is not closed."""
    row = tx.execute(_OF_CONSUMER, {"brand": brand, "number": number, "sender": sender}).first()
    return Conversation(*row) if row else None


def find(tx: Connection, conversation_id: str) -> Conversation | None:
    row = tx.execute(_BY_ID, {"conversation": conversation_id}).first()
    return Conversation(*row) if row else None


def of_desk(tx: Connection, desk_id: str) -> Conversation | None:
    """By the desk's own id; its row is locked, so that the desk's events are taken one after the other."""
    return _one(tx, conversations.c.desk_id == desk_id, lock=True)


def waiting_for_id(tx: Connection, desk: str, desk_consumer: str | None = None) -> Conversation | None:
    """One that is being opened, whose id we have not learned; of one consumer if that is known.

    The rows are locked: whoever learns an id at this moment waits, and sees what is written meanwhile.
    """
    columns = conversations.c
    being_opened = and_(columns.state == "wanted", columns.desk == desk, columns.desk_id.is_(None))
    whose = columns.desk_consumer.is_not(None) if desk_consumer is None else columns.desk_consumer == desk_consumer
    query = select(*_COLUMNS).where(being_opened, whose).order_by(columns.id).with_for_update(read=True)
    row = tx.execute(query).first()
    return Conversation(*row) if row else None


def _one(tx: Connection, which: ColumnElement[bool], lock: bool = False) -> Conversation | None:
    query = select(*_COLUMNS).where(which).limit(1)
    row = tx.execute(query.with_for_update() if lock else query).first()
    return Conversation(*row) if row else None


def last_deflection(tx: Connection, brand: str, number: str, sender: str | None) -> LastDeflection | None:
    """`sender`: by which its greeting came; None for whichever."""
    texts, accepted = messages.c, deflections.c
    joined = messages.join(deflections, accepted.id == texts.deflection_id).outerjoin(
        calls, calls.c.call_sid == accepted.call_sid
    )
    joined = joined.outerjoin(api_deflections, api_deflections.c.deflection_id == accepted.id)
    asked = api_deflections.c
    row = tx.execute(
        select(
            accepted.id,
            accepted.branch,
            texts.created_at,
            calls.c.started_at,
            accepted.call_sid,
            asked.skill,
            asked.attributes,
        )
        .select_from(joined)
        .where(
            texts.number == number,
            true() if sender is None else texts.sender == sender,
            texts.brand == brand,
            texts.kind == "greeting",
            texts.state.not_in(("failed", "dead")),
        )
        .order_by(texts.created_at.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    return LastDeflection(row[0], row[1], row[2], row[3] or row[2], row[4], row[5], row[6] or {})


def call(tx: Connection, deflection_id: int | None) -> Call | None:
    """The call that a deflection came of."""
    joined = deflections.outerjoin(calls, calls.c.call_sid == deflections.c.call_sid)
    joined = joined.outerjoin(api_deflections, api_deflections.c.deflection_id == deflections.c.id)
    at = func.coalesce(calls.c.started_at, deflections.c.offered_at, type_=UtcTime)
    row = tx.execute(
        select(deflections.c.call_sid, at, api_deflections.c.attributes)
        .select_from(joined)
        .where(deflections.c.id == deflection_id)
    ).first()
    return Call(row[0].removeprefix(CALL_PREFIX), row[1], row[2] or {}) if row else None


def begin(tx: Connection, new: Conversation) -> Conversation:
    """Write it, unless another text of the consumer's began one at this moment; the one that is there then."""
    values: dict[str, Any] = {field.name: getattr(new, field.name) for field in fields(Conversation)}
    written = insert(tx.dialect.name, conversations).values(values).on_conflict_do_nothing()
    if tx.execute(written.returning(conversations.c.id)).first():
        api_events.conversation_changed(tx, new.id, "opened", new.started_at)
    return of_consumer(tx, new.brand, new.number, new.sender) or new


def learn_consumer(tx: Connection, conversation_id: str, desk_consumer: str) -> None:
    """The desk's id of the consumer: before a conversation is asked for, or nobody could tell whose its events are."""
    this = conversations.c.id == conversation_id
    tx.execute(update(conversations).where(this).values(desk_consumer=desk_consumer))


def opened(tx: Connection, conversation_id: str, desk_id: str | None, now: datetime) -> bool:
    """The desk has it. False when that was known already."""
    this = and_(conversations.c.id == conversation_id, conversations.c.state == "wanted")
    values = {"state": "open", "desk_id": desk_id, "opened_at": now}
    return tx.execute(update(conversations).where(this).values(values)).rowcount == 1


def close(tx: Connection, conversation_id: str, now: datetime) -> bool:
    """False when it was closed already."""
    this = and_(conversations.c.id == conversation_id, conversations.c.state != "closed")
    closed = tx.execute(update(conversations).where(this).values(state="closed", closed_at=now)).rowcount == 1
    if closed:
        api_events.conversation_changed(tx, conversation_id, "closed", now)
    identities.forget(tx, conversation_id)  # after the row that everybody locks first
    return closed


def answered(tx: Connection, conversation_id: str, now: datetime) -> None:
    tx.execute(update(conversations).where(conversations.c.id == conversation_id).values(answered_at=now))


def reopen(tx: Connection, conversation_id: str, now: datetime) -> None:
    this = conversations.c.id == conversation_id
    tx.execute(update(conversations).where(this).values(state="open", closed_at=None))
    api_events.conversation_changed(tx, conversation_id, "opened", now)


def give_desk_id(tx: Connection, conversation_id: str) -> None:
    """Another row is this conversation of the desk's from now on."""
    tx.execute(update(conversations).where(conversations.c.id == conversation_id).values(desk_id=None))


def expect_id(tx: Connection, conversation_id: str) -> None:
    """What was taken for the desk's id of it was not."""
    this = conversations.c.id == conversation_id
    tx.execute(update(conversations).where(this).values(state="wanted", desk_id=None, dialog=None))


def last_closed(tx: Connection, of: Conversation) -> Conversation | None:
    """The one before, whose id the desk may still go by."""
    columns = conversations.c
    theirs = and_(columns.number == of.number, columns.sender == of.sender, columns.brand == of.brand)
    before = and_(theirs, columns.state == "closed", columns.desk_id.is_not(None), columns.desk == of.desk)
    row = tx.execute(select(*_COLUMNS).where(before).order_by(columns.started_at.desc()).limit(1)).first()
    return Conversation(*row) if row else None


def close_abandoned(tx: Connection, now: datetime) -> None:
    """Those that no desk ever opened, and for which nothing waits any more: nobody's events are kept for them."""
    texts, columns = messages.c, conversations.c
    waits = exists().where(
        texts.conversation_id == columns.id, texts.towards == "desk", texts.state.in_(("due", "sending", "unclear"))
    )
    abandoned = and_(columns.state == "wanted", ~waits)
    closed = update(conversations).where(abandoned).values(state="closed", closed_at=now)
    for conversation_id in tx.execute(closed.returning(columns.id)).scalars().all():
        api_events.conversation_changed(tx, conversation_id, "closed", now)


def moved(tx: Connection, conversation_id: str, changed: int, values: Mapping[str, Any]) -> bool:
    """A change that the desk tells of: `changed` is its clock, and an older one than was told already says nothing."""
    this = and_(conversations.c.id == conversation_id, conversations.c.changed < changed)
    return tx.execute(update(conversations).where(this).values(changed=changed, **values)).rowcount == 1


def set_dialog(tx: Connection, conversation_id: str, dialog: str | None) -> None:
    tx.execute(update(conversations).where(conversations.c.id == conversation_id).values(dialog=dialog))


def move_texts(tx: Connection, old: str, new: str) -> None:
    """What the old conversation took no more goes to the new one."""
    waiting = and_(
        messages.c.conversation_id == old,
        messages.c.towards == "desk",
        messages.c.state.in_(("due", "sending", "unclear")),
    )
    tx.execute(update(messages).where(waiting).values(conversation_id=new))


def keep_early(tx: Connection, desk_id: str, event: Mapping[str, Any], now: datetime) -> bool:
    """False when so many are kept that the account's other conversations must be meant."""
    if tx.execute(select(func.count()).select_from(early_events)).scalar_one() >= MOST_EARLY:
        return False
    tx.execute(early_events.insert().values(desk_id=desk_id, event=dict(event), received_at=now))
    return True


def take_early(tx: Connection, desk_id: str) -> Sequence[Mapping[str, Any]]:
    """What was said in this conversation before its id was known, as it came."""
    this = early_events.c.desk_id == desk_id
    kept = tx.execute(select(early_events.c.event).where(this).order_by(early_events.c.id)).scalars().all()
    if kept:
        tx.execute(delete(early_events).where(this))
    return kept


def take(tx: Connection, event: str, now: datetime) -> bool:
    """Whether what a desk told by this id is new."""
    taken = insert(tx.dialect.name, taken_events).values(event=event, taken_at=now).on_conflict_do_nothing()
    return tx.execute(taken.returning(taken_events.c.event)).first() is not None


def set_skill(tx: Connection, conversation_id: str, skill: str) -> None:
    tx.execute(update(conversations).where(conversations.c.id == conversation_id).values(skill=skill))


def forget_events(tx: Connection, now: datetime) -> None:
    """What came early and was nobody's we know, after an hour; what was taken, when nobody repeats it any more."""
    tx.execute(delete(early_events).where(early_events.c.received_at <= now - EARLY_KEPT))
    tx.execute(delete(taken_events).where(taken_events.c.taken_at <= now - TAKEN_KEPT))
