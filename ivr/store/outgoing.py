"""What goes into the outbox: a row for everything that is to reach a consumer or a desk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection

from ivr.store.database import insert
from ivr.store.outbox import COLUMNS, LEASE, Text, gives_up, has_unfinished, ring
from ivr.store.tables import messages

LATEST = datetime.max.replace(tzinfo=UTC)

Kind = Literal["greeting", "answer", "notice", "expectation", "question", "note", "receipt", "attributes"]
TOWARDS: Mapping[Kind, str] = {
    "greeting": "consumer",
    "answer": "consumer",  # what an agent wrote
    "notice": "consumer",  # what nobody wrote: an answer to HELP
    "expectation": "consumer",  # what happens next, and when
    "question": "consumer",  # who they are
    "note": "desk",  # what an agent should know
    "receipt": "desk",  # that an answer has arrived
    "attributes": "desk",  # that the consumer said who they are
}


# Built once: every yes writes one.
_WRITTEN = messages.insert()
_LEASED = messages.insert().returning(*COLUMNS)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What is to be written. `number` and `sender` as in messages."""

    id: str
    kind: Kind
    brand: str
    number: str
    sender: str
    body: str
    destination: str | None = None  # To, as Twilio is asked first
    call_sid: str | None = None
    deflection: int | None = None
    conversation: str | None = None
    media: Sequence[Mapping[str, str]] = ()
    desk_event: str | None = None  # what it is at the desk, of which there is one row
    channel: str | None = None  # of a greeting
    content: Mapping[str, Any] | None = None  # the template that is sent instead of `body`
    until: datetime | None = None  # when it is true no longer, where that is sooner than its kind is given up


def write(
    tx: Connection, out: Outgoing, now: datetime, at: datetime | None = None, hold_back: timedelta = timedelta()
) -> bool:
    """Leave it to the worker. False when this event of the desk's has its row already.

    `at`: when it was written, which is its place among the others; `hold_back`: how long earlier ones may still come.
    """
    values = _values(out, "due", at or now, now) | {"next_try": now + hold_back}
    written = insert(tx.dialect.name, messages).values(values).on_conflict_do_nothing(index_elements=["desk_event"])
    if tx.execute(written.returning(messages.c.id)).first() is None:
        return False
    ring(tx)
    return True


def write_at_once(tx: Connection, out: Outgoing, now: datetime, may: bool) -> Text | None:
    """Whoever commits this sends it, under a lease, and gets it back to do so, if it `may`.

    It waits for the worker all the same while an earlier one to this consumer is unfinished.
    """
    if not may or has_unfinished(tx, out.number, out.sender, TOWARDS[out.kind]):
        tx.execute(_WRITTEN, _values(out, "due", now, now))
        ring(tx)
        return None
    leased = {"attempts": 1, "lease_until": now + LEASE}
    return Text(*tx.execute(_LEASED, _values(out, "sending", now, now) | leased).one())


def _values(out: Outgoing, state: str, at: datetime, now: datetime) -> dict[str, Any]:
    return {
        "id": out.id,
        "kind": out.kind,
        "towards": TOWARDS[out.kind],
        "state": state,
        "brand": out.brand,
        "deflection_id": out.deflection,
        "call_sid": out.call_sid,
        "conversation_id": out.conversation,
        "number": out.number,
        "sender": out.sender,
        "destination": out.destination,
        "body": out.body,
        "media": [dict(piece) for piece in out.media] or None,
        "desk_event": out.desk_event,
        "channel": out.channel,
        "content": dict(out.content) if out.content else None,
        "created_at": at,
        "updated_at": now,
        "started_at": now,
        "next_try": now,
        "give_up_at": min(gives_up(out.kind, now), out.until or LATEST),
    }
