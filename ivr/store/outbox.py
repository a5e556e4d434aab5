"""The outbox: what is to be sent, is being sent, or may have been, to consumers and to desks. Rows are the queue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    Row,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate

from ivr.store.tables import UtcTime, fixed, messages

CHANNEL = "ivr_outbox"
LEASE = timedelta(seconds=40)  # twice the longest attempt: a lease that runs out means a dead process
# How long what is unclear may be settled by a status callback, or by the desk's echo, alone.
ASK_AFTER = {"consumer": timedelta(seconds=60), "desk": timedelta(seconds=20)}
# A greeting's promise is stale then, and a receipt is old; what people wrote is tried for days.
GIVE_UP_AFTER = dict.fromkeys(("greeting", "expectation", "receipt"), timedelta(hours=1))
GIVE_UP_AFTER["question"] = timedelta(minutes=10)
RELAYED_FOR = timedelta(hours=72)
UNCLEAR_LONGER = timedelta(hours=1)

ASK_AFTER_LEASE = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=11)  # nothing here is put off for longer

UNFINISHED = ("due", "sending", "unclear")


@dataclass(frozen=True, slots=True)
class Text:
    """What waits for its attempt, or is in it."""

    id: str
    kind: str
    towards: str  # consumer, desk, webhook
    brand: str
    number: str  # the consumer, E.164 or a channel address
    destination: str | None  # To, as Twilio is asked first
    sender: str
    body: str
    media: Sequence[Mapping[str, str]] | None
    attempts: int
    started_at: datetime
    created_at: datetime
    give_up_at: datetime
    call_sid: str | None
    conversation_id: str | None
    deflection_id: int | None = None
    channel: str | None = None  # of a greeting: push, whatsapp, rcs, sms
    content: Mapping[str, Any] | None = None  # {"sid": …, "variables": …}: the template that is sent instead of `body`


COLUMNS = tuple(messages.c[field.name] for field in fields(Text))
_NOW, _LEASE_ENDS = bindparam("moment", type_=UtcTime), bindparam("lease", type_=UtcTime)


def _unfinished(table: FromClause) -> ColumnElement[bool]:
    """In every question, in the words of the partial index: SQLite uses it for no others, and for no parameters."""
    return table.c.state.in_([fixed(state) for state in UNFINISHED])


def _past(moment: ColumnElement[datetime]) -> ColumnElement[bool]:
    """Past, or so far ahead that only a clock which jumped back since can have written it; see `_moments`."""
    return or_(moment <= _NOW, moment > bindparam("longest_wait", type_=UtcTime))


def _moments(now: datetime) -> dict[str, datetime]:
    return {"moment": now, "longest_wait": now + LONGEST_WAIT}


def _is_due() -> ColumnElement[bool]:
    """Due, and nothing of the same consumer and sender the same way is in an attempt, unclear, or due before it.

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
        other.c.towards == messages.c.towards,
        # A desk is one brand's; what Twilio has of one sender it has of all.
        or_(messages.c.towards == fixed("consumer"), other.c.brand == messages.c.brand),
        _unfinished(other),
        other.c.id != messages.c.id,
        or_(other.c.state.in_((fixed("sending"), fixed("unclear"))), before),
    )
    due = and_(_unfinished(messages), messages.c.state == fixed("due"), _past(messages.c.next_try))
    return and_(due, messages.c.give_up_at > _NOW, ~blocked)


def _claimed(waiting: Select[Any], **values: Any) -> ReturningUpdate[Any]:
    """Take what waits and tell it, in one statement: SQLite's write lock is held for that long.

    PostgreSQL's workers step past one another's rows; SQLite has one writer at a time.
    """
    found = waiting.limit(bindparam("most", type_=Integer)).with_for_update(skip_locked=True, of=messages).cte("found")
    taken = update(messages).where(messages.c.id.in_(select(found.c.id))).values(**values)
    return taken.returning(*COLUMNS)


# Built once: the worker asks them in each of a hundred rounds a second. The looks go in the index's order: PostgreSQL
# may else look for the first of many unfinished ones in the table, and go on so when there is none.
_BY_INDEX = (messages.c.number, messages.c.sender)
_DUE = (
    select(messages.c.id)
    .where(_unfinished(messages), messages.c.state == fixed("due"), _past(messages.c.next_try))
    .order_by(*_BY_INDEX)
    .limit(1)
)
_OVERDUE = (
    select(messages.c.id)
    .where(
        _unfinished(messages),
        or_(
            and_(messages.c.state == fixed("sending"), _past(messages.c.lease_until)),
            and_(messages.c.state == fixed("unclear"), _past(messages.c.next_try)),
            and_(messages.c.state == fixed("due"), messages.c.give_up_at <= _NOW),
        ),
    )
    .order_by(*_BY_INDEX)
    .limit(1)
)
_CLAIM = _claimed(
    select(messages.c.id).where(_is_due()).order_by(messages.c.next_try),
    state="sending",
    attempts=messages.c.attempts + 1,
    started_at=_NOW,
    lease_until=_LEASE_ENDS,
    updated_at=_NOW,
)
_CLAIM_UNCLEAR = _claimed(
    select(messages.c.id).where(
        _unfinished(messages), messages.c.state == fixed("unclear"), _past(messages.c.next_try)
    ),
    next_try=_LEASE_ENDS,
)

# Built once: every yes asks it.
_UNFINISHED_OF_CONSUMER = (
    select(messages.c.id)
    .where(*(messages.c[name] == bindparam(name) for name in ("number", "sender", "towards")), _unfinished(messages))
    .limit(1)
)


def has_due(tx: Connection, now: datetime) -> bool:
    """Whether a text may be sent now: a look that takes no lock, for the many rounds in which none may."""
    return tx.execute(_DUE, _moments(now)).first() is not None


def has_overdue(tx: Connection, now: datetime) -> bool:
    """Whether a lease ran out, what is unclear is to be asked about, or somebody's time is over."""
    return tx.execute(_OVERDUE, _moments(now)).first() is not None


def claim(tx: Connection, now: datetime, most: int) -> list[Text]:
    """Take what is due, at most `most`, under a lease; nobody else has it until that runs out."""
    taken = tx.execute(_CLAIM, {**_moments(now), "most": most, "lease": now + LEASE})
    return _texts(taken.all())


def expire(tx: Connection, now: datetime) -> int:
    """A lease that runs out makes its text unclear, not due: its process may have died after the request was written.

    Twilio is asked about it only when an attempt that began this very moment would be over: a lease also runs out when
    the clock jumps, with its attempt still under way.
    """
    gone = and_(_unfinished(messages), messages.c.state == fixed("sending"), _past(messages.c.lease_until))
    unclear = {"state": "unclear", "next_try": now + ASK_AFTER_LEASE, "lease_until": None, "updated_at": now}
    return tx.execute(update(messages).where(gone).values(unclear), _moments(now)).rowcount


def claim_unclear(tx: Connection, now: datetime, most: int) -> list[Text]:
    """Unclear texts that nothing settled in time; each is asked about by one worker, again after a lease."""
    return _texts(tx.execute(_CLAIM_UNCLEAR, {**_moments(now), "most": most, "lease": now + LEASE}).all())


def unclear(tx: Connection, text: Text, now: datetime) -> bool:
    """Nobody knows whether the other side has it: a callback or an echo may settle it, else it is asked about."""
    next_try = now + ASK_AFTER[text.towards]
    return _of_this_attempt(tx, text, now, state="unclear", next_try=next_try, lease_until=None)


def again(tx: Connection, text: Text, now: datetime, wait: timedelta) -> bool:
    """The other side is known not to have it: due again after `wait`."""
    ring(tx)
    return _of_this_attempt(tx, text, now, state="due", next_try=now + wait, lease_until=None)


def again_unknowing(tx: Connection, text: Text, now: datetime) -> bool:
    """Nobody can be asked whether the other side has it: due again, and marked as maybe there twice."""
    ring(tx)
    return _of_this_attempt(tx, text, now, state="due", next_try=now, lease_until=None, maybe_twice=True)


def hurry(tx: Connection, conversation_id: str, now: datetime) -> None:
    """What waited for this conversation to be there waits no more."""
    waiting = and_(messages.c.conversation_id == conversation_id, messages.c.state == "due")
    tx.execute(update(messages).where(waiting, messages.c.towards == "desk").values(next_try=now))
    ring(tx)


def ask_again(tx: Connection, text: Text, now: datetime, wait: timedelta) -> bool:
    """The other side did not say whether it has it."""
    return _of_this_attempt(tx, text, now, state="unclear", next_try=now + wait, lease_until=None)


def give_up(tx: Connection, now: datetime) -> list[str]:
    """Due texts whose time is over are dead: visible, and a person's to requeue. What is true no longer is nobody's."""
    over = and_(_unfinished(messages), messages.c.state == fixed("due"), messages.c.give_up_at <= now)
    state = case((messages.c.kind.in_(("expectation", "question")), "failed"), else_="dead")
    over_now = update(messages).where(over).values(state=state, updated_at=now)
    return [row.id for row in tx.execute(over_now.returning(messages.c.id, messages.c.state)) if row.state == "dead"]


def dead(tx: Connection, text: Text, code: int | None, now: datetime) -> bool:
    """The other side refuses it for good: visible, and a person's to requeue."""
    ring(tx)  # what waited behind it does no more
    return _of_this_attempt(tx, text, now, state="dead", error_code=code, lease_until=None)


def requeue(tx: Connection, message_id: str, now: datetime) -> bool:
    """A dead text is due again, with its whole time before it. False when there is no such dead text."""
    dead = and_(messages.c.id == message_id, messages.c.state == "dead")
    kind = tx.execute(select(messages.c.kind).where(dead)).scalar()
    if kind is None:
        return False
    values = {"state": "due", "next_try": now, "give_up_at": gives_up(kind, now), "updated_at": now}
    ring(tx)
    return tx.execute(update(messages).where(dead).values(values)).rowcount == 1


def waiting(tx: Connection) -> Sequence[Row[Any]]:
    """What is unfinished or dead: id, kind, towards, state, number, attempts, error_code, next_try, give_up_at."""
    columns = ("id", "kind", "towards", "state", "number", "attempts", "error_code", "next_try", "give_up_at")
    listed = select(*(messages.c[name] for name in columns)).where(messages.c.state.in_((*UNFINISHED, "dead")))
    return tx.execute(listed.order_by(messages.c.created_at)).all()


def ring(tx: Connection) -> None:
    """Wake the workers of every process when this transaction is committed."""
    if tx.dialect.name == "postgresql":
        tx.execute(select(func.pg_notify(CHANNEL, "")))


def has_unfinished(tx: Connection, number: str, sender: str, towards: str) -> bool:
    whose = {"number": number, "sender": sender, "towards": towards}
    return tx.execute(_UNFINISHED_OF_CONSUMER, whose).first() is not None


def gives_up(kind: str, now: datetime) -> datetime:
    return now + GIVE_UP_AFTER.get(kind, RELAYED_FOR)


def is_held(tx: Connection, text: Text) -> bool:
    """Whether this very attempt still holds its text, which nobody else takes until the transaction ends."""
    held = select(messages.c.id).where(_held(text)).with_for_update()
    return tx.execute(held).first() is not None


def _of_this_attempt(tx: Connection, text: Text, now: datetime, **values: Any) -> bool:
    """Change a text that this very attempt still holds; a later attempt, or a callback, knows better."""
    return tx.execute(update(messages).where(_held(text)).values(updated_at=now, **values)).rowcount == 1


def _held(text: Text) -> ColumnElement[bool]:
    held = messages.c.state.in_((fixed("sending"), fixed("unclear")))
    return and_(messages.c.id == text.id, messages.c.attempts == text.attempts, held)


def _texts(rows: Sequence[Row[Any]]) -> list[Text]:
    return [Text(**row._mapping) for row in rows]
