"""What an operator looks at: the last calls, what waits, what was lost, the desks, and all rows of one call."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, func, literal, or_, select, text

from ivr.store.count_tables import DEAD, LOST, REFUSED
from ivr.store.tables import UtcTime, calls, conversations, deflections, messages, studio_returns

Rows = Sequence[Row[Any]]

A_DAY = timedelta(days=1)
UNFINISHED = text("messages.state IN ('due', 'sending', 'unclear')")
LOST_TEXT, REFUSED_OFFER = text(f"messages.{LOST.text}"), text(f"deflections.{REFUSED.text}")
# What is told of a text that waits or was given up: its words are not, and would make most of a long list.
WAITING = ("created_at", "brand", "kind", "towards", "state", "attempts", "error_code", "next_try", "give_up_at", "id")
_WAITING = [messages.c[name] for name in (*WAITING, "number")]
GIVEN_UP = text(f"messages.{DEAD.text}")  # as its index says it: a bound value might be any state


@dataclass(frozen=True, slots=True)
class Lost:
    """An accepted offer without a text, or a text of ours that got lost."""

    at: datetime
    brand: str | None
    branch: str | None
    number: str
    reason: str  # as in the counts
    call_sid: str | None
    message_id: str | None
    state: str  # refused, failed, dead


@dataclass(frozen=True, slots=True)
class Desk:
    brand: str
    open: int
    wanted: int  # not opened by the desk yet
    waiting: int  # texts of consumers that it does not have yet
    oldest: datetime | None  # of these
    dead: int  # given up within the last 30 days
    answered_at: datetime | None  # by an agent last, in what is open or was closed within a day


@dataclass(frozen=True, slots=True)
class Story:
    call: Row[Any]
    offers: Rows
    texts: Rows
    conversations: Rows
    returns: Rows


def last_calls(tx: Connection, most: int) -> list[tuple[Row[Any], Rows]]:
    """The newest first, each with what it was offered: branch, accepted_at, refused, and the state of its text."""
    newest = tx.execute(select(calls).order_by(calls.c.started_at.desc()).limit(most)).all()
    greeting = and_(messages.c.deflection_id == deflections.c.id, messages.c.kind == "greeting")
    offered = (
        select(deflections, messages.c.state, messages.c.error_code)
        .select_from(deflections.outerjoin(messages, greeting))
        .where(deflections.c.call_sid.in_([call.call_sid for call in newest]))
        .order_by(deflections.c.id, messages.c.created_at)
    )
    by_call: dict[str, list[Row[Any]]] = {}
    for row in tx.execute(offered):
        by_call.setdefault(row.call_sid, []).append(row)
    return [(call, by_call.get(call.call_sid, [])) for call in newest]


def lost(tx: Connection, since: datetime, until: datetime, brand: str, most: int) -> list[Lost]:
    """What has no text, the newest first, at most `most`; of one brand, or of all."""
    texts, offers = messages.c, deflections.c
    failed = (
        select(texts.created_at, texts.brand, offers.branch, texts.number, texts.error_code, texts.state)
        .add_columns(offers.call_sid, texts.id)
        .select_from(messages.outerjoin(deflections, offers.id == texts.deflection_id))
        .where(LOST_TEXT, texts.kind == "greeting", texts.created_at >= since, texts.created_at < until)
        .order_by(texts.created_at.desc())
        .limit(most)
    )
    refused = (
        select(offers.offered_at, offers.brand, offers.branch, offers.number, offers.caller, offers.refused)
        .add_columns(offers.call_sid)
        .where(REFUSED_OFFER, offers.offered_at >= since, offers.offered_at < until)
        .order_by(offers.offered_at.desc())
        .limit(most)
    )
    if brand:
        failed, refused = failed.where(texts.brand == brand), refused.where(offers.brand == brand)
    found = [
        Lost(at, whose, branch, number, _reason(code, state), sid, name, state)
        for at, whose, branch, number, code, state, sid, name in tx.execute(failed)
    ]
    found += [
        Lost(at, whose, branch, number or caller, why, sid, None, "refused")
        for at, whose, branch, number, caller, why, sid in tx.execute(refused)
    ]
    return sorted(found, key=lambda each: each.at, reverse=True)[:most]


def _reason(code: int | None, state: str) -> str:
    return str(code) if code else "given_up" if state == "dead" else "failed"


def unfinished(tx: Connection, most: int) -> Rows:
    """What waits to be sent, is being sent, or may have been; the oldest first. Each with WAITING."""
    return tx.execute(select(*_WAITING).where(UNFINISHED).order_by(messages.c.created_at).limit(most)).all()


def dead(tx: Connection, most: int) -> Rows:
    """What was given up, the newest first. Each with WAITING."""
    given_up = select(*_WAITING).where(LOST_TEXT, messages.c.state == "dead")
    return tx.execute(given_up.order_by(messages.c.created_at.desc()).limit(most)).all()


def standing(tx: Connection) -> list[tuple[str, str, int, datetime]]:
    """How many texts are unfinished or dead: state, towards, how many, and since when the oldest is."""
    columns = messages.c
    found: list[tuple[str, str, int, datetime]] = []
    for state, which in ((columns.state, UNFINISHED), (literal("dead", literal_execute=True), GIVEN_UP)):
        oldest = func.min(columns.created_at, type_=UtcTime)
        query = select(state, columns.towards, func.count(), oldest).where(which)
        rows = tx.execute(query.group_by(*([columns.state] if which is UNFINISHED else []), columns.towards))
        found += [(row[0], row[1], row[2], row[3]) for row in rows]
    return sorted(found)


def talking(tx: Connection) -> list[tuple[str, str, int]]:
    """How many conversations are not closed: brand, state, how many."""
    columns = conversations.c
    query = select(columns.brand, columns.state, func.count()).where(text("state <> 'closed'"))
    return [(row[0], row[1], row[2]) for row in tx.execute(query.group_by(columns.brand, columns.state))]


def desk(tx: Connection, brand: str, now: datetime) -> Desk:
    """How a brand's desk stands."""
    states = {state: many for whose, state, many in talking(tx) if whose == brand}
    ours = and_(messages.c.brand == brand, messages.c.towards == "desk")
    oldest = func.min(messages.c.created_at, type_=UtcTime)
    many, since = tx.execute(select(func.count(), oldest).where(UNFINISHED, ours)).one()
    given_up = select(func.count()).where(GIVEN_UP, ours)
    given_up = given_up.where(messages.c.created_at >= now - 30 * A_DAY)
    columns = conversations.c
    # Said in the words of its index: SQLite goes through all conversations otherwise.
    lately = and_(text("conversations.closed_at IS NOT NULL"), columns.closed_at >= now - A_DAY)
    answered = [
        tx.execute(select(func.max(columns.answered_at, type_=UtcTime)).where(columns.brand == brand, which)).scalar()
        for which in (text("state <> 'closed'"), lately)
    ]
    return Desk(
        brand,
        states.get("open", 0),
        states.get("wanted", 0),
        many,
        since,
        tx.execute(given_up).scalar_one(),
        max((moment for moment in answered if moment), default=None),
    )


def story(tx: Connection, call_sid: str) -> Story | None:
    """All rows of one call. None where there is no such call, nor an offer to it."""
    offers = tx.execute(select(deflections).where(deflections.c.call_sid == call_sid).order_by(deflections.c.id)).all()
    call = tx.execute(select(calls).where(calls.c.call_sid == call_sid)).first()
    if call is None and not offers:
        return None
    ids = [offer.id for offer in offers]
    talks = tx.execute(select(conversations).where(conversations.c.deflection_id.in_(ids))).all()
    theirs = or_(
        messages.c.deflection_id.in_(ids), messages.c.conversation_id.in_([conversation.id for conversation in talks])
    )
    texts = tx.execute(select(messages).where(theirs).order_by(messages.c.created_at, messages.c.id).limit(500)).all()
    returned = tx.execute(select(studio_returns).where(studio_returns.c.call_sid == call_sid)).all()
    return Story(call or offers[0], offers, texts, talks, returned)


def is_dead(tx: Connection, message_id: str) -> str | None:
    """The brand of a text that was given up."""
    this = and_(messages.c.id == message_id, messages.c.state == "dead")
    row = tx.execute(select(messages.c.brand).where(this)).first()
    return None if row is None else str(row.brand or "")
