"""The outbox: texts of ours that are to be sent, are being sent, or may have been. Rows are the queue."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Row,
    Select,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    update,
)

from ivr.store.tables import messages

CHANNEL = "ivr_outbox"
LEASE = timedelta(seconds=40)  # twice the longest attempt: a lease that runs out means a dead process
ASK_AFTER = timedelta(seconds=60)  # how long an unclear text may be settled by a status callback alone
GIVE_UP_AFTER = timedelta(hours=1)  # a greeting's promise is stale then

ASK_AFTER_LEASE = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=11)  # nothing here is put off for longer

UNFINISHED = ("due", "sending", "unclear")


@dataclass(frozen=True, slots=True)
class Text:
    """A text of ours that waits for its attempt, or is in it."""

    id: str
    brand: str
    number: str  # E.164
    destination: str  # To, as Twilio is asked first
    sender: str
    body: str
    attempts: int
    started_at: datetime
    give_up_at: datetime
    call_sid: str | None


@dataclass(frozen=True, slots=True)
class Greeting:
    """A greeting to be written."""

    id: str
    call_sid: str
    deflection: int
    brand: str
    number: str
    destination: str
    sender: str
    body: str


_COLUMNS = (
    messages.c.id,
    messages.c.brand,
    messages.c.number,
    messages.c.destination,
    messages.c.sender,
    messages.c.body,
    messages.c.attempts,
    messages.c.started_at,
    messages.c.give_up_at,
    messages.c.call_sid,
)


def write_greeting(tx: Connection, greeting: Greeting, now: datetime, at_once: bool) -> Text | None:
    """Write a greeting. `at_once`: whoever commits this sends it, under a lease, and gets it back to do so.

    It waits for the worker all the same while an earlier text of ours to this number is unfinished.
    """
    at_once = at_once and not _has_unfinished(tx, greeting.number, greeting.sender)
    values: dict[str, Any] = {
        "id": greeting.id,
        "kind": "greeting",
        "state": "sending" if at_once else "due",
        "brand": greeting.brand,
        "deflection_id": greeting.deflection,
        "call_sid": greeting.call_sid,
        "number": greeting.number,
        "destination": greeting.destination,
        "sender": greeting.sender,
        "body": greeting.body,
        "created_at": now,
        "updated_at": now,
        "attempts": 1 if at_once else 0,
        "started_at": now,
        "next_try": now,
        "lease_until": now + LEASE if at_once else None,
        "give_up_at": now + GIVE_UP_AFTER,
    }
    written = tx.execute(messages.insert().values(values).returning(*_COLUMNS)).one()
    if at_once:
        return Text(*written)
    ring(tx)
    return None


def has_work(tx: Connection, now: datetime) -> bool:
    """Whether anything is to be done now: a look that takes no lock, for the many rounds in which nothing is."""
    moment = or_(_past(messages.c.next_try, now), _past(messages.c.lease_until, now), messages.c.give_up_at <= now)
    look = select(messages.c.id).where(_unfinished(messages), moment).limit(1)
    return tx.execute(look).first() is not None


def claim(tx: Connection, now: datetime, most: int) -> list[Text]:
    """Take what is due, at most `most`, under a lease; nobody else has it until that runs out."""
    waiting = _locked(tx, select(messages.c.id).where(_is_due(now)).order_by(messages.c.next_try).limit(most))
    ids = tx.execute(waiting).scalars().all()
    if not ids:
        return []
    taken = (
        update(messages)
        .where(messages.c.id.in_(ids), messages.c.state == "due")
        .values(
            state="sending",
            attempts=messages.c.attempts + 1,
            started_at=now,
            lease_until=now + LEASE,
            updated_at=now,
        )
    )
    return _texts(tx.execute(taken.returning(*_COLUMNS)).all())


def expire(tx: Connection, now: datetime) -> int:
    """A lease that runs out makes its text unclear, not due: its process may have died after the request was written.

    Twilio is asked about it only when an attempt that began this very moment would be over: a lease also runs out when
    the clock jumps, with its attempt still under way.
    """
    gone = and_(_unfinished(messages), messages.c.state == "sending", _past(messages.c.lease_until, now))
    unclear = {"state": "unclear", "next_try": now + ASK_AFTER_LEASE, "lease_until": None, "updated_at": now}
    return tx.execute(update(messages).where(gone).values(unclear)).rowcount


def claim_unclear(tx: Connection, now: datetime, most: int) -> list[Text]:
    """Unclear texts that nothing settled in time; each is asked about by one worker, again after a lease."""
    waiting = and_(_unfinished(messages), messages.c.state == "unclear", _past(messages.c.next_try, now))
    ids = tx.execute(_locked(tx, select(messages.c.id).where(waiting).limit(most))).scalars().all()
    if not ids:
        return []
    taken = update(messages).where(messages.c.id.in_(ids), messages.c.state == "unclear")
    return _texts(tx.execute(taken.values(next_try=now + LEASE).returning(*_COLUMNS)).all())


def unclear(tx: Connection, text: Text, now: datetime) -> bool:
    """Nobody knows whether the other side has it: a callback may settle it, or the question a minute later."""
    return _of_this_attempt(tx, text, now, state="unclear", next_try=now + ASK_AFTER, lease_until=None)


def again(tx: Connection, text: Text, now: datetime, wait: timedelta) -> bool:
    """The other side is known not to have it: due again after `wait`."""
    ring(tx)
    return _of_this_attempt(tx, text, now, state="due", next_try=now + wait, lease_until=None)


def ask_again(tx: Connection, text: Text, now: datetime, wait: timedelta) -> bool:
    """The other side did not say whether it has it."""
    return _of_this_attempt(tx, text, now, state="unclear", next_try=now + wait, lease_until=None)


def give_up(tx: Connection, now: datetime) -> list[str]:
    """Due texts whose time is over are dead: visible, and a person's to requeue."""
    over = and_(_unfinished(messages), messages.c.state == "due", messages.c.give_up_at <= now)
    dead = update(messages).where(over).values(state="dead", updated_at=now)
    return list(tx.execute(dead.returning(messages.c.id)).scalars())


def requeue(tx: Connection, message_id: str, now: datetime) -> bool:
    """A dead text is due again, with its whole time before it. False when there is no such dead text."""
    dead = and_(messages.c.id == message_id, messages.c.state == "dead")
    values = {"state": "due", "next_try": now, "give_up_at": now + GIVE_UP_AFTER, "updated_at": now}
    ring(tx)
    return tx.execute(update(messages).where(dead).values(values)).rowcount == 1


def waiting(tx: Connection) -> Sequence[Row[Any]]:
    """What is unfinished or dead: id, state, number, attempts, error_code, next_try, give_up_at."""
    columns = ("id", "state", "number", "attempts", "error_code", "next_try", "give_up_at")
    listed = select(*(messages.c[name] for name in columns)).where(messages.c.state.in_((*UNFINISHED, "dead")))
    return tx.execute(listed.order_by(messages.c.created_at)).all()


def ring(tx: Connection) -> None:
    """Wake the workers of every process when this transaction is committed."""
    if tx.dialect.name == "postgresql":
        tx.execute(select(func.pg_notify(CHANNEL, "")))


def _unfinished(table: FromClause) -> ColumnElement[bool]:
    """In every question, in the words of the partial index: SQLite uses it for no others, and for no parameters."""
    return table.c.state.in_(bindparam("unfinished", UNFINISHED, expanding=True, literal_execute=True))


def _past(moment: ColumnElement[datetime], now: datetime) -> ColumnElement[bool]:
    """Past, or so far ahead that only a clock which jumped back since can have written it."""
    return or_(moment <= now, moment > now + LONGEST_WAIT)


def _is_due(now: datetime) -> ColumnElement[bool]:
    """Due, and no text to the same number by the same sender is in an attempt, unclear, or due before it.

    Two texts of the same words, one of them unclear, could not be told apart in Twilio's list.
    """
    other = messages.alias("other")
    before = or_(
        other.c.created_at < messages.c.created_at,
        and_(other.c.created_at == messages.c.created_at, other.c.id < messages.c.id),
    )
    blocked = exists().where(
        other.c.number == messages.c.number,
        other.c.sender == messages.c.sender,
        _unfinished(other),
        other.c.id != messages.c.id,
        or_(other.c.state.in_(("sending", "unclear")), before),
    )
    return and_(
        _unfinished(messages),
        messages.c.state == "due",
        _past(messages.c.next_try, now),
        messages.c.give_up_at > now,
        ~blocked,
    )


def _has_unfinished(tx: Connection, number: str, sender: str) -> bool:
    same = and_(messages.c.number == number, messages.c.sender == sender, _unfinished(messages))
    return tx.execute(select(messages.c.id).where(same).limit(1)).first() is not None


def _locked(tx: Connection, query: Select[Any]) -> Select[Any]:
    """PostgreSQL's workers step past one another's rows; SQLite has one writer at a time."""
    return query.with_for_update(skip_locked=True, of=messages) if tx.dialect.name == "postgresql" else query


def _of_this_attempt(tx: Connection, text: Text, now: datetime, **values: Any) -> bool:
    """Change a text that this very attempt still holds; a later attempt, or a callback, knows better."""
    this = and_(
        messages.c.id == text.id,
        messages.c.attempts == text.attempts,
        messages.c.state.in_(("sending", "unclear")),
    )
    return tx.execute(update(messages).where(this).values(updated_at=now, **values)).rowcount == 1


def _texts(rows: Sequence[Row[Any]]) -> list[Text]:
    return [Text(**row._mapping) for row in rows]
