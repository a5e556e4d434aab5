"""Rows about expectations: what is said along a conversation, each once, and what waits for its time.

A row without a time is said, or never will be: it stays, so that nothing is planned twice.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, exists, func, or_, select, update

from ivr.store.database import insert
from ivr.store.tables import UtcTime, conversations, deflections, expectations, messages


@dataclass(frozen=True, slots=True)
class Expectation:
    """`name`: received, late, closed, ended, at_risk of a conversation; follow_up of a deflection."""

    id: int
    name: str
    conversation_id: str | None
    deflection_id: int | None
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Greeted:
    """An accepted offer, whose greeting may get a follow-up."""

    brand: str
    branch: str
    number: str
    sender: str
    greeted_at: datetime
    state: str  # of the greeting


_COLUMNS = tuple(expectations.c[field.name] for field in fields(Expectation))
# Built once: the worker asks it in every round. In order, so that PostgreSQL reads the index: of a prepared statement's
# moment it believes that a third of the rows are before it, and would look for the first of them in the table.
_DUE = select(*_COLUMNS).where(expectations.c.due_at <= bindparam("now")).order_by(expectations.c.due_at)
_HAVE_COME = _DUE.limit(1)


def plan(
    tx: Connection, name: str, due_at: datetime, conversation_id: str | None = None, deflection: int | None = None
) -> None:
    """It is to be looked at when it is due; what was planned or said already stays as it is."""
    _write(tx, name=name, conversation_id=conversation_id, deflection_id=deflection, due_at=due_at)


def once(tx: Connection, name: str, conversation_id: str, message_id: str) -> bool:
    """Whether this is the first time that it is said in this conversation; `message_id` is the text that says it."""
    return _write(tx, name=name, conversation_id=conversation_id, message_id=message_id)


def _write(tx: Connection, **values: Any) -> bool:
    written = insert(tx.dialect.name, expectations).values(values).on_conflict_do_nothing()
    return tx.execute(written.returning(expectations.c.id)).first() is not None


def cancel(tx: Connection, conversation_id: str, names: Collection[str]) -> None:
    """What waits is not true any more."""
    these = and_(expectations.c.conversation_id == conversation_id, expectations.c.name.in_(names))
    tx.execute(update(expectations).where(these, expectations.c.due_at.is_not(None)).values(due_at=None))


def have_come(tx: Connection, now: datetime) -> bool:
    """Whether any is due."""
    return tx.execute(_HAVE_COME, {"now": now}).first() is not None


def next_at(tx: Connection) -> datetime | None:
    """When the next one is due."""
    return tx.execute(select(func.min(expectations.c.due_at, type_=UtcTime))).scalar()


def take_due(tx: Connection, now: datetime, most: int) -> Sequence[Expectation]:
    """Those that are due, the earliest first, whoever takes them in this transaction; none is taken twice."""
    locked = _DUE.limit(most).with_for_update(skip_locked=True)  # SQLite has one writer at a time
    due = [Expectation(*row) for row in tx.execute(locked, {"now": now})]
    if due:
        these = expectations.c.id.in_([each.id for each in due])
        tx.execute(update(expectations).where(these).values(due_at=None))
    return due


def put_off(tx: Connection, expectation: Expectation, due_at: datetime) -> None:
    tx.execute(update(expectations).where(expectations.c.id == expectation.id).values(due_at=due_at))


def said_by(tx: Connection, expectation: Expectation, message_id: str) -> None:
    tx.execute(update(expectations).where(expectations.c.id == expectation.id).values(message_id=message_id))


def of_message(tx: Connection, message_id: str) -> Expectation | None:
    """What a text of ours says."""
    row = tx.execute(select(*_COLUMNS).where(expectations.c.message_id == message_id)).first()
    return Expectation(*row) if row else None


def greeted(tx: Connection, deflection: int) -> Greeted | None:
    """The newest greeting of an accepted offer."""
    texts, accepted = messages.c, deflections.c
    columns = (accepted.brand, accepted.branch, texts.number, texts.sender, texts.created_at, texts.state)
    this = and_(accepted.id == deflection, texts.kind == "greeting")
    joined = messages.join(deflections, texts.deflection_id == accepted.id)
    row = tx.execute(
        select(*columns).select_from(joined).where(this).order_by(texts.created_at.desc()).limit(1)
    ).first()
    return Greeted(*row) if row else None


def anything_since(tx: Connection, greeted: Greeted) -> bool:
    """Whether the consumer wrote since, was greeted again, or has a conversation anyway, by whichever channel."""
    texts, open_ones = messages.c, conversations.c
    theirs = and_(texts.number == greeted.number, texts.brand == greeted.brand, texts.created_at > greeted.greeted_at)
    wrote = exists().where(theirs, texts.kind.in_(("inbound", "greeting")))
    talks = exists().where(
        open_ones.number == greeted.number, open_ones.brand == greeted.brand, open_ones.state != "closed"
    )
    return bool(tx.execute(select(or_(wrote, talks))).scalar())


def forget(tx: Connection, before: datetime) -> int:
    """Those of conversations that began before, when nothing can be said in them any more."""
    old = select(conversations.c.id).where(conversations.c.state == "closed", conversations.c.closed_at < before)
    return tx.execute(delete(expectations).where(expectations.c.conversation_id.in_(old))).rowcount
