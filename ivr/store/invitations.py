"""Rows about deflections that another IVR asked for: what it said, what became of them, which answers it had."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, delete, or_, select, update

from ivr.store.api_tables import CALL_PREFIX, api_answers, api_deflections
from ivr.store.calls import Call, this_deflection
from ivr.store.database import insert
from ivr.store.tables import calls, conversations, deflections, messages

ANSWERS_KEPT = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class Invitation:
    """What another IVR said beside the call itself."""

    id: str
    brand: str
    api_key: str  # the beginning of its SHA-256
    skill: str | None = None
    attributes: Mapping[str, str] | None = None
    webhook: str | None = None


@dataclass(frozen=True, slots=True)
class Became:
    """A deflection as it stands: what was asked, its text, its conversation."""

    id: str
    brand: str
    branch: str
    call_sid: str
    number: str | None
    skill: str | None
    asked_at: datetime
    refused: str | None  # why there is no text
    state: str | None  # of its text
    code: int | None  # Twilio's error
    changed_at: datetime | None
    conversation: str | None
    conversation_state: str | None
    conversation_skill: str | None
    joined: str | None  # the conversation was open before
    channel: str | None  # of its text

    @property
    def call_id(self) -> str:
        return self.call_sid.removeprefix(CALL_PREFIX)


@dataclass(frozen=True, slots=True)
class Answer:
    request: str  # SHA-256 of what was asked
    status: int
    answer: str


def call_came_in(tx: Connection, call: Call, called_at: datetime) -> None:
    """The call, as its IVR tells of it; a replay leaves the first row as it is."""
    values = {
        "call_sid": call.call_sid,
        "brand": call.brand,
        "entry": call.entry,
        "offered": call.entry,
        "caller": call.caller,
        "dialled": call.dialled,
        "started_at": called_at,
    }
    tx.execute(insert(tx.dialect.name, calls).values(values).on_conflict_do_nothing())


def begin(tx: Connection, new: Invitation, deflection: int, now: datetime) -> None:
    values = {field.name: getattr(new, field.name) for field in fields(Invitation)}
    values |= {"attributes": dict(new.attributes or {}), "deflection_id": deflection, "asked_at": now}
    tx.execute(api_deflections.insert().values(values))


def joined(tx: Connection, invitation: str, conversation: str) -> None:
    """It goes on in a conversation that was open."""
    this = api_deflections.c.id == invitation
    tx.execute(update(api_deflections).where(this).values(conversation_id=conversation))


def find(tx: Connection, invitation: str) -> Became | None:
    row = tx.execute(_became().where(api_deflections.c.id == invitation)).first()
    return Became(*row) if row else None


def of_call(tx: Connection, call: Call, branch: str) -> Became | None:
    """By the call and the branch, of which there is one."""
    row = tx.execute(_became().where(this_deflection(call, branch))).first()
    return Became(*row) if row else None


def listed(
    tx: Connection, brand: str, branch: str | None, before: tuple[datetime, str] | None, most: int
) -> list[Became]:
    """A brand's, the newest first; `before`: the moment and the id of the last one that was seen."""
    columns = api_deflections.c
    query = _became().where(columns.brand == brand)
    if branch:
        query = query.where(deflections.c.branch == branch)
    if before:
        at, seen = before
        query = query.where(or_(columns.asked_at < at, and_(columns.asked_at == at, columns.id < seen)))
    rows = tx.execute(query.order_by(columns.asked_at.desc(), columns.id.desc()).limit(most))
    return [Became(*row) for row in rows]


def _became() -> Select[Any]:
    asked, told, text = api_deflections.c, conversations.alias("told"), messages.c
    theirs = or_(conversations.c.deflection_id == deflections.c.id, conversations.c.id == asked.conversation_id)
    newest = select(conversations.c.id).where(theirs).order_by(conversations.c.started_at.desc(), conversations.c.id)
    # Of several channels' the one that has not failed, else the last.
    each = messages.alias("each")
    order = (case((each.c.state == "failed", 1), else_=0), each.c.created_at.desc(), each.c.id)
    of_it = and_(each.c.deflection_id == deflections.c.id, each.c.kind == "greeting")
    one = select(each.c.id).where(of_it).order_by(*order).limit(1).correlate(deflections).scalar_subquery()
    greeting: ColumnElement[bool] = text.id == one
    return select(
        asked.id,
        asked.brand,
        deflections.c.branch,
        deflections.c.call_sid,
        deflections.c.number,
        asked.skill,
        asked.asked_at,
        deflections.c.refused,
        text.state,
        text.error_code,
        text.updated_at,
        told.c.id,
        told.c.state,
        told.c.skill,
        asked.conversation_id,
        text.channel,
    ).select_from(
        api_deflections.join(deflections, deflections.c.id == asked.deflection_id)
        .outerjoin(messages, greeting)
        .outerjoin(told, told.c.id == newest.limit(1).correlate(deflections, api_deflections).scalar_subquery())
    )


def reserve_answer(tx: Connection, api_key: str, name: str, request: str, now: datetime) -> Answer | None:
    """What an Idempotency-Key was answered within 48 hours; None the first time, and then it is this request's.

    Who asks twice at once waits here for the first to be done.
    """
    this = and_(api_answers.c.api_key == api_key, api_answers.c.name == name)
    tx.execute(delete(api_answers).where(this, api_answers.c.answered_at <= now - ANSWERS_KEPT))
    values = {"api_key": api_key, "name": name, "request": request, "status": 0, "answer": "", "answered_at": now}
    written = insert(tx.dialect.name, api_answers).values(values).on_conflict_do_nothing()
    if tx.execute(written.returning(api_answers.c.name)).first():
        return None
    found = tx.execute(select(api_answers.c.request, api_answers.c.status, api_answers.c.answer).where(this)).one()
    return Answer(*found)


def keep_answer(tx: Connection, api_key: str, name: str, status: int, answer: str) -> None:
    this = and_(api_answers.c.api_key == api_key, api_answers.c.name == name)
    tx.execute(update(api_answers).where(this).values(status=status, answer=answer))


def forget_answers(tx: Connection, now: datetime) -> None:
    tx.execute(delete(api_answers).where(api_answers.c.answered_at <= now - ANSWERS_KEPT))
