"""Rows of simulated traffic, in the real tables, under a brand's id that no brand can have.

Nothing of them is ever sent or relayed: no flow has the id, no text is in a state that a worker takes, and the numbers
are fictional (555-01xx).
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, delete, insert

from ivr.store.control_tables import held_back
from ivr.store.count_tables import READ_IN, daily_counts, daily_failures, hourly_counts, hourly_failures
from ivr.store.tables import calls, conversations, deflections, messages
from ivr.traffic.world import Simulated

MARK = "~simulated"  # a brand's id has no tilde
LONGEST = 32 - len(MARK)  # characters of a brand's id that can be marked
_SENDER = "simulated"
_WORDS = "(simulated)"
_NOT_MOBILE = 30006
_HAVE = {"push": 0.25, "whatsapp": 0.4, "rcs": 0.5}  # of consumers, a channel that is not the branch's last
_READ = 0.7  # of those who do not answer

Rows = list[dict[str, Any]]


def marked(brand: str) -> str:
    return f"{brand}{MARK}"


def is_marked(brand: str) -> bool:
    return brand.endswith(MARK)


@dataclass(frozen=True, slots=True)
class Chapter:
    """A stretch of simulated calls, and what they are written with: the same rows for the same chance."""

    brand: str  # marked
    run: str  # begins the ids of calls
    dialled: str
    first: int
    calls: Sequence[Simulated]
    chance: random.Random
    channels: Mapping[str, Sequence[str]] = field(default_factory=dict)  # of a branch, in its order; texts unless said


def write(tx: Connection, chapter: Chapter) -> None:
    """The rows of these calls."""
    told = [(f"sim:{chapter.run}:{chapter.first + place}", call) for place, call in enumerate(chapter.calls)]
    _insert(tx, calls, [_call(chapter, sid, call) for sid, call in told])
    _insert(tx, held_back, [_held(chapter, sid, call) for sid, call in told if call.group == "held"])
    offered = [(sid, call) for sid, call in told if call.group not in ("", "held")]
    if not offered:
        return
    rows = [_deflection(chapter, sid, call) for sid, call in offered]
    written = tx.execute(insert(deflections).returning(deflections.c.call_sid, deflections.c.id), rows)
    ids = {row.call_sid: row.id for row in written}
    accepted = [(ids[sid], sid, call) for sid, call in offered if call.group in ("texted", "untexted")]
    talks = [_Talk(chapter, deflection, sid, call) for deflection, sid, call in accepted]
    _insert(tx, messages, [talk.greeting() for talk in talks])
    talks = [talk for talk in talks if talk.call.replied]
    _insert(tx, conversations, [talk.conversation() for talk in talks])
    _insert(tx, messages, [row for talk in talks for row in talk.texts()])


def _insert(tx: Connection, table: Table, rows: Rows) -> None:
    if rows:
        tx.execute(insert(table), rows)


def _call(chapter: Chapter, sid: str, call: Simulated) -> dict[str, Any]:
    return {
        "call_sid": sid,
        "brand": chapter.brand,
        "entry": "menu",
        "offered": None,  # which would have SQLite's trigger write the offer, too
        "caller": call.caller,
        "dialled": chapter.dialled,
        "started_at": call.at,
    }


def _held(chapter: Chapter, sid: str, call: Simulated) -> dict[str, Any]:
    at = call.at + timedelta(seconds=20)
    return {"call_sid": sid, "brand": chapter.brand, "branch": call.branch, "caller": call.caller, "held_at": at}


def _deflection(chapter: Chapter, sid: str, call: Simulated) -> dict[str, Any]:
    accepted = call.group in ("texted", "untexted")
    return {
        "call_sid": sid,
        "branch": call.branch,
        "brand": chapter.brand,
        "caller": call.caller,
        "offered_at": call.at + timedelta(seconds=20),
        "accepted_at": call.at + timedelta(seconds=30) if accepted else None,
        "accepted_key": "1" if accepted else None,
        "number": call.caller if accepted else None,
    }


class _Talk:
    """What came of an accepted offer."""

    def __init__(self, chapter: Chapter, deflection: int, sid: str, call: Simulated) -> None:
        self.call, self._chapter, self._deflection, self._sid = call, chapter, deflection, sid
        self._id = self._new()
        self._greeted = call.at + timedelta(seconds=31)
        self._wrote = self._greeted + timedelta(seconds=20 + chapter.chance.expovariate(1 / 240))

    def _new(self) -> str:
        return f"{self._chapter.chance.getrandbits(128):032x}"

    def _text(self, kind: str, state: str, at: datetime) -> dict[str, Any]:
        return {
            "id": self._new(),
            "kind": kind,
            "state": state,
            "brand": self._chapter.brand,
            "deflection_id": self._deflection if kind == "greeting" else None,
            "call_sid": self._sid if kind == "greeting" else None,
            "number": self.call.caller,
            "sender": _SENDER,
            "body": _WORDS,
            "error_code": _NOT_MOBILE if state == "failed" else None,
            "created_at": at,
            "updated_at": at + timedelta(seconds=4),
            "conversation_id": None if kind == "greeting" else self._id,
        }

    def greeting(self) -> dict[str, Any]:
        state = "failed" if self.call.group == "untexted" else "delivered"
        row, channel = self._text("greeting", state, self._greeted), self._channel()
        return row | {
            "channel": channel,
            "read_at": self._read() if state == "delivered" and channel in READ_IN else None,
        }

    def _channel(self) -> str:
        """The first of the branch's that the consumer has; who has none of them gets the last."""
        *first, last = self._chapter.channels.get(self.call.branch) or ("sms",)
        return next((one for one in first if self._chapter.chance.random() < _HAVE.get(one, 1.0)), last)

    def _read(self) -> datetime | None:
        """Who answers has read it, within the time that it took."""
        if self.call.replied:
            return self._greeted + (self._wrote - self._greeted) / 2
        if self._chapter.chance.random() < _READ:
            return self._greeted + timedelta(seconds=10 + self._chapter.chance.expovariate(1 / 1800))
        return None

    def conversation(self) -> dict[str, Any]:
        answered = self._wrote + timedelta(seconds=60 + self._chapter.chance.expovariate(1 / 300))
        return {
            "id": self._id,
            "brand": self._chapter.brand,
            "desk": _SENDER,
            "number": self.call.caller,
            "sender": _SENDER,
            "state": "closed",
            "branch": self.call.branch,
            "deflection_id": self._deflection,
            "started_at": self._wrote,
            "opened_at": self._wrote,
            "answered_at": answered,
            "closed_at": answered + timedelta(minutes=15),
        }

    def texts(self) -> Iterable[dict[str, Any]]:
        yield self._text("inbound", "received", self._wrote)
        yield self._text("answer", "delivered", self._wrote + timedelta(seconds=90))


def remove(tx: Connection, brand: str) -> None:
    """Take away a marked brand's rows and what was counted of them, and nobody else's."""
    assert is_marked(brand)  # a real brand's rows are never taken away
    counted = (hourly_counts, hourly_failures, daily_counts, daily_failures)
    for table in (messages, conversations, deflections, held_back, calls, *counted):
        tx.execute(delete(table).where(table.c.brand == brand))
