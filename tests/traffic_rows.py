"""Calls and what came of them, written as rows, at random; and a recount of the rows that knows no SQL."""

import random
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from ivr.store import messages as store
from ivr.store.count_tables import count_marks, daily_counts, daily_failures, hourly_counts, hourly_failures
from ivr.store.tables import calls, conversations, deflections, messages

LANGUAGES = {"acme": "en-US", "bakery": "fr-FR"}
SENDERS = {
    "sms": "+14155550111",
    None: "+14155550111",
    "whatsapp": "whatsapp:+14155550111",
    "push": "push",
    "rcs": "MG1",
}
TELL = ("whatsapp", "rcs")  # that a text was read
STOPS = frozenset({"STOP", "END"})
TABLES = (
    hourly_counts,
    hourly_failures,
    daily_counts,
    daily_failures,
    count_marks,
    conversations,
    messages,
    deflections,
    calls,
)


def clear(tx: Connection) -> None:
    for table in TABLES:
        tx.execute(delete(table))


def write_calls(tx: Connection, chance: random.Random, begin: datetime, many: int, first: int = 0) -> None:
    """Calls of two brands within three hours, most of them offered a text, some of those in two branches."""
    for number in range(first, first + many):
        at = begin + timedelta(seconds=chance.randrange(3 * 3600))
        brand, caller = chance.choice(["acme", "bakery"]), f"+1415555{chance.randrange(2000, 2006)}"
        sid, dialled = f"CA{number:032x}", chance.choice(["+14155550100", "+14155550101"])
        if chance.random() < 0.95:  # a call whose beginning could not be written still is offered something
            row = {"call_sid": sid, "brand": brand, "entry": "menu", "caller": caller, "dialled": dialled}
            tx.execute(insert(calls).values(row | {"started_at": at}))
        for branch in chance.sample(["billing", "bookings"], chance.choice([0, 1, 1, 2])):
            at += timedelta(seconds=chance.randrange(1, 900))
            _offer(tx, chance, number, {"call_sid": sid, "branch": branch, "brand": brand, "caller": caller}, at)


def _offer(tx: Connection, chance: random.Random, number: int, offer: dict[str, Any], at: datetime) -> None:
    yes = chance.random() < 0.7
    refused = chance.choice([None, None, None, "no_number", "region"]) if yes else None
    row = offer | {"offered_at": at, "accepted_at": at if yes else None, "refused": refused}
    deflection = tx.execute(insert(deflections).values(row).returning(deflections.c.id)).scalar_one()
    if not yes:
        return
    states = chance.choice([["failed"], ["failed", "sent"], []] if refused else [["sent"], ["delivered"], ["dead"]])
    if refused and states == ["failed", "sent"]:
        states = ["failed"]
    for place, state in enumerate(states):
        _greeting(tx, chance, f"g{deflection}-{place}", deflection, offer, state, at + timedelta(seconds=place))


def _greeting(
    tx: Connection,
    chance: random.Random,
    name: str,
    deflection: int,
    offer: dict[str, Any],
    state: str,
    at: datetime,
) -> None:
    channel = tuple(SENDERS)[(deflection + int(name[-1])) % len(SENDERS)]
    row = {
        "id": name,
        "kind": "greeting",
        "channel": channel,
        "state": state,
        "brand": offer["brand"],
        "deflection_id": deflection,
        "number": offer["caller"],
        "sender": SENDERS[channel],
        "body": "Hello",
        "provider_id": f"SM{name}" if state in ("sent", "delivered") or chance.random() < 0.5 else None,
        "error_code": chance.choice([None, 30005]) if state in ("failed", "dead") else None,
        "created_at": at,
        "updated_at": at,
        "read_at": at if state in ("delivered", "failed") and chance.random() < 0.5 else None,
    }
    tx.execute(insert(messages).values(row))


def happen(tx: Connection, chance: random.Random, now: datetime, name: str) -> None:
    """One thing that comes late: a status, a reader, a reply, a conversation opened or closed."""
    greetings = tx.execute(select(messages).where(messages.c.kind == "greeting").order_by(messages.c.id)).all()
    if not greetings:
        return
    one = chance.choice(greetings)
    what = chance.choice(["status", "read", "reply", "reply", "open", "close"])
    if what == "status":
        state = chance.choice(["delivered", "failed"])
        changed = {"state": state, "updated_at": now, "error_code": 30003 if state == "failed" else None}
        tx.execute(update(messages).where(messages.c.id == one.id, messages.c.state == "sent").values(changed))
    elif what == "read":
        store.move(tx, one.id, "delivered", now)
        store.was_read(tx, one.id, now)
    elif what == "reply":
        row = {"id": name, "kind": "inbound", "state": "received", "towards": "desk", "number": one.number}
        sender = SENDERS["sms"] if one.sender == "push" or now.minute % 2 else one.sender  # they answer as they like
        row |= {"sender": sender, "body": chance.choice(["My bill", " stop ", "End"]), "brand": one.brand}
        tx.execute(insert(messages).values(row | {"created_at": now, "updated_at": now}))
    elif what == "open":
        row = {"id": name, "brand": one.brand, "desk": "webhook", "number": name, "sender": one.sender}
        row |= {"state": "open", "deflection_id": one.deflection_id, "started_at": now, "opened_at": now}
        tx.execute(insert(conversations).values(row))
    else:
        these = tx.execute(select(conversations.c.id).where(conversations.c.state == "open")).scalars().all()
        if these:
            this = conversations.c.id == chance.choice(sorted(these))
            tx.execute(update(conversations).where(this).values(state="closed", closed_at=now))


def recounted(tx: Connection) -> tuple[dict[Any, dict[str, int]], dict[Any, int]]:
    """Counts and failures, by hour and dimensions, from all rows, one after the other."""
    called = {row.call_sid: row for row in tx.execute(select(calls))}
    offers = sorted(tx.execute(select(deflections)).all(), key=lambda row: (row.offered_at, row.id))
    texts, talks = tx.execute(select(messages)).all(), tx.execute(select(conversations)).all()
    counts: dict[Any, Counter[str]] = {}
    failures: Counter[Any] = Counter()

    def at(moment: datetime, brand: str, branch: str, dialled: str, channel: str = "") -> Any:
        hour = moment.replace(minute=0, second=0, microsecond=0)
        return (hour, brand, branch, LANGUAGES.get(brand, ""), channel, dialled)

    for call in called.values():
        heard = [offer.branch for offer in offers if (offer.call_sid, offer.brand) == (call.call_sid, call.brand)]
        branch = heard[0] if heard else ""
        counts.setdefault(at(call.started_at, call.brand, branch, call.dialled), Counter())["calls"] += 1
    for offer in offers:
        dialled = called[offer.call_sid].dialled if offer.call_sid in called else ""
        where = (offer.offered_at, offer.brand, offer.branch, dialled)
        counts.setdefault(at(*where), Counter())["offered"] += 1
        if offer.accepted_at is None:
            continue
        mine = [text for text in texts if text.deflection_id == offer.id and text.kind == "greeting"]
        key = at(*where, _channel(mine))
        here = counts.setdefault(key, Counter())
        here.update(_became(mine, texts, [talk for talk in talks if talk.deflection_id == offer.id]))
        reason = _reason(offer, mine)
        if reason:
            here["failed"] += 1
            failures[(*key, reason)] += 1
    return {key: +count for key, count in counts.items()}, dict(failures)


def _became(mine: list[Any], texts: Any, talks: list[Any]) -> Counter[str]:
    opened = [talk for talk in talks if talk.opened_at]
    happened = {
        "accepted": True,
        "sent": any(text.provider_id or text.state in ("sent", "delivered") for text in mine),
        "delivered": any(text.state == "delivered" for text in mine),
        "read": any(text.state == "delivered" and text.read_at and text.channel in TELL for text in mine),
        "replied": any(_answered(text, texts) for text in mine),
        "conversation": bool(opened),
        "closed": any(talk.state == "closed" for talk in opened),
    }
    return Counter(name for name, true in happened.items() if true)


def _channel(mine: list[Any]) -> str:
    """Of the greeting that did not fail, of the last one where all did."""
    if not mine:
        return ""
    stands = [text for text in mine if text.state not in ("failed", "dead")]
    one = max(stands or mine, key=lambda text: (text.created_at, text.id))
    return one.channel or "sms"


def _answered(greeting: Any, texts: Any) -> bool:
    """Whether a text of the consumer's, by any channel, found this greeting as the brand's last that did not fail."""
    for text in texts:
        if text.kind != "inbound" or text.body.strip().upper() in STOPS:
            continue
        before = [
            other
            for other in texts
            if other.kind == "greeting"
            and other.state not in ("failed", "dead")
            and (other.number, other.brand) == (text.number, text.brand)
            and other.created_at < text.created_at
        ]
        if before and greeting in [one for one in before if one.created_at == max(b.created_at for b in before)]:
            return True
    return False


def _reason(offer: Any, mine: list[Any]) -> str:
    if offer.accepted_at is None or any(text.state not in ("failed", "dead") for text in mine):
        return ""
    if offer.refused:
        return str(offer.refused)
    if not mine:
        return ""
    last = max(mine, key=lambda text: (text.created_at, text.id))
    if last.error_code:
        return str(last.error_code)
    return "given_up" if last.state == "dead" else "failed"
