"""Rows about who a consumer is: which question waits for its answer, and the answers while the conversation lasts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, delete, func, select, update

from ivr.store import outbox
from ivr.store.database import insert
from ivr.store.tables import conversations, identities, messages

KEPT = timedelta(days=7)  # of a conversation that no desk ever closes


@dataclass(frozen=True, slots=True)
class Asking:
    attribute: str  # of the question that waits for its answer
    asked_at: datetime
    tries: int
    answers: Mapping[str, str] = field(repr=False)
    began_at: datetime


def begin(tx: Connection, conversation_id: str, attribute: str, now: datetime) -> bool:
    """The first question of a conversation. False when it was asked already."""
    values = {"conversation_id": conversation_id, "attribute": attribute, "asked_at": now, "answers": {}}
    written = insert(tx.dialect.name, identities).values(values | {"began_at": now}).on_conflict_do_nothing()
    return tx.execute(written.returning(identities.c.attribute)).first() is not None


def asking(tx: Connection, conversation_id: str) -> Asking | None:
    """While a question waits; its row is locked, so that texts are taken one after the other."""
    columns = identities.c
    these = (columns.attribute, columns.asked_at, columns.tries, columns.answers, columns.began_at)
    open_one = and_(columns.conversation_id == conversation_id, columns.attribute.is_not(None))
    row = tx.execute(select(*these).where(open_one).with_for_update()).first()
    return Asking(*row) if row else None


def answers(tx: Connection, conversation_id: str) -> Mapping[str, str]:
    found = tx.execute(select(identities.c.answers).where(identities.c.conversation_id == conversation_id)).scalar()
    return found or {}


def again(tx: Connection, conversation_id: str, now: datetime) -> None:
    """The same question once more."""
    this = identities.c.conversation_id == conversation_id
    tx.execute(update(identities).where(this).values(tries=identities.c.tries + 1, asked_at=now))


def next_question(
    tx: Connection, conversation_id: str, attribute: str | None, given: Mapping[str, str], now: datetime
) -> None:
    """The answers so far, and what is asked now; None: nothing any more."""
    this = identities.c.conversation_id == conversation_id
    values = {"attribute": attribute, "asked_at": now, "tries": 0, "answers": dict(given)}
    tx.execute(update(identities).where(this).values(values))


def end(tx: Connection, conversation_id: str) -> bool:
    """Nothing is asked any more, and a question that is not under way is not sent. False when nothing was asked."""
    open_one = and_(identities.c.conversation_id == conversation_id, identities.c.attribute.is_not(None))
    if tx.execute(update(identities).where(open_one).values(attribute=None)).rowcount == 0:
        return False
    unsent = and_(messages.c.conversation_id == conversation_id, messages.c.kind == "question")
    tx.execute(update(messages).where(unsent, messages.c.state == "due").values(state="failed"))
    return True


def hold(tx: Connection, first_message: str | None, until: datetime) -> bool:
    """The desk gets the first text, and what is behind it, at `until`. False when it is under way already."""
    return _due_at(tx, first_message, until)


def release(tx: Connection, first_message: str | None, now: datetime) -> bool:
    """The desk gets the first text now. False when it is under way already."""
    outbox.ring(tx)
    return _due_at(tx, first_message, now)


def _due_at(tx: Connection, first_message: str | None, at: datetime) -> bool:
    untried = and_(messages.c.state == "due", messages.c.attempts == 0, messages.c.kind == "inbound")
    this = and_(messages.c.id == first_message, untried)
    return tx.execute(update(messages).where(this).values(next_try=at)).rowcount == 1


def forget(tx: Connection, conversation_id: str) -> None:
    tx.execute(delete(identities).where(identities.c.conversation_id == conversation_id))


def forget_old(tx: Connection, now: datetime) -> None:
    """What a conversation that is over left behind, however it ended, or one that never ends."""
    if tx.execute(select(func.count()).select_from(identities)).scalar_one() == 0:
        return
    open_ones = select(conversations.c.id).where(conversations.c.state != "closed")
    over = identities.c.conversation_id.not_in(open_ones)
    tx.execute(delete(identities).where(over | (identities.c.began_at <= now - KEPT)))
