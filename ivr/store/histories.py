"""What a report of containment reads: a brand's calls with what each was offered, its conversations, its texts."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, and_, or_, select

from ivr.store.api_tables import CALL_PREFIX
from ivr.store.control_tables import held_back
from ivr.store.tables import calls, conversations, deflections, messages
from ivr.traffic.occasions import Group

_AT_ONCE = 5_000  # rows


class Told(NamedTuple):
    """One call. `branch`: whose offer was heard, or would have been; "" for none."""

    caller: str  # From, as Twilio sent it
    at: datetime
    branch: str
    group: Group
    stays: bool


class Talk(NamedTuple):
    number: str
    at: datetime
    branch: str
    desk_id: str  # the desk's own name for it, and for the consumer; "" where there is none
    desk_consumer: str


class Sent(NamedTuple):
    at: datetime
    branch: str


def of_calls(tx: Connection, brand: str, since: datetime) -> Iterator[Told]:
    """Each call once; of several offers in one call the one that led to a text, else the first."""
    text = and_(
        messages.c.deflection_id == deflections.c.id,
        messages.c.kind == "greeting",
        messages.c.state.not_in(("failed", "dead")),
    )
    heard = and_(deflections.c.call_sid == calls.c.call_sid, deflections.c.brand == brand)
    held = and_(held_back.c.call_sid == calls.c.call_sid, held_back.c.brand == brand)
    asked = (
        select(
            calls.c.call_sid,
            calls.c.caller,
            calls.c.started_at,
            deflections.c.branch,
            deflections.c.accepted_at,
            deflections.c.refused,
            messages.c.id.label("text"),
            held_back.c.branch.label("held"),
        )
        .select_from(calls.outerjoin(deflections, heard).outerjoin(messages, text).outerjoin(held_back, held))
        .where(calls.c.brand == brand, calls.c.started_at >= since)
        .order_by(calls.c.started_at, calls.c.call_sid, deflections.c.id, held_back.c.branch)
        .execution_options(yield_per=_AT_ONCE)
    )
    before, told = "", None
    for sid, caller, at, branch, accepted, refused, sent, held_in in tx.execute(asked):
        group = _group(branch, accepted is not None, refused is None and sent is not None, held_in)
        # Who asked over HTTP has accepted; who declined there we never hear of, so nothing can be compared.
        of_offer: Group = "" if sid.startswith(CALL_PREFIX) else group
        one = Told(caller, at, (branch or held_in or "") if of_offer else "", of_offer, group != "texted")
        if sid != before:
            if told:
                yield told
            before, told = sid, one
        elif told and told.stays and not one.stays:
            told = one
    if told:
        yield told


def _group(branch: str | None, accepted: bool, sent: bool, held: str | None) -> Group:
    if branch is None:
        return "held" if held else ""
    if not accepted:
        return "declined"
    return "texted" if sent else "untexted"


def of_conversations(tx: Connection, brand: str) -> Iterator[Talk]:
    """All of them, however old: who returns had one before."""
    told = conversations.c
    columns = (told.number, told.started_at, told.branch, told.desk_id, told.desk_consumer)
    asked = select(*columns).where(told.brand == brand).order_by(told.started_at)
    for number, at, branch, desk_id, desk_consumer in tx.execute(asked.execution_options(yield_per=_AT_ONCE)):
        yield Talk(number, at, branch or "", desk_id or "", desk_consumer or "")


def of_other_brands(tx: Connection, brand: str) -> Iterator[str]:
    """What the desk calls the conversations of every other brand here: one account may serve several."""
    told = conversations.c
    asked = select(told.desk_id).where(told.brand != brand, told.desk_id.is_not(None))
    yield from tx.execute(asked.execution_options(yield_per=_AT_ONCE)).scalars()


def of_texts(tx: Connection, brand: str, since: datetime) -> Iterator[Sent]:
    """Texts out and in, with the branch that they came of."""
    joined = messages.outerjoin(deflections, messages.c.deflection_id == deflections.c.id).outerjoin(
        conversations, messages.c.conversation_id == conversations.c.id
    )
    texts = or_(messages.c.towards == "consumer", messages.c.kind == "inbound")
    asked = (
        select(messages.c.created_at, deflections.c.branch, conversations.c.branch)
        .select_from(joined)
        .where(messages.c.brand == brand, messages.c.created_at >= since, texts)
    )
    for at, of_offer, of_talk in tx.execute(asked.execution_options(yield_per=_AT_ONCE)):
        yield Sent(at, of_offer or of_talk or "")
