"""One call's whole story: what happened, in order, numbers and words only for whoever asked for them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ivr import numbers
from ivr.funnel.reasons import reason
from ivr.store.watch import Story

_KINDS = {
    "greeting": "We text the greeting",
    "answer": "An agent writes",
    "notice": "We answer by ourselves",
    "expectation": "We say what happens next",
    "question": "We ask who they are",
    "inbound": "The consumer writes",
    "note": "The agent is told",
    "receipt": "The desk is told that an answer arrived",
    "attributes": "The desk is told who they are",
}
_STATES = {
    "due": "waits to be sent",
    "sending": "is being sent",
    "unclear": "may have been sent; it is being asked",
    "sent": "sent",
    "delivered": "delivered",
    "failed": "failed",
    "dead": "given up",
    "received": "written down",
}


@dataclass(frozen=True, slots=True)
class Event:
    at: datetime
    what: str
    more: str = ""
    words: str = ""  # of people; "" where nobody asked for them
    bad: bool = False


def timeline(story: Story, shown: bool) -> list[Event]:
    """In order of time. `shown`: whole numbers, and what was written."""
    number: Callable[[str], str] = numbers.full if shown else numbers.masked
    events = [*_call(story, number), *_texts(story, number, shown), *_conversations(story)]
    return sorted(events, key=lambda event: event.at)


def _call(story: Story, number: Callable[[str], str]) -> Iterator[Event]:
    call = story.call
    if hasattr(call, "started_at"):
        where = f"{number(call.caller)} dials {numbers.full(call.dialled)}; {call.brand}, enters at {call.entry}"
        yield Event(call.started_at, "The call comes in", where)
    for offer in story.offers:
        yield Event(offer.offered_at, "The offer is heard", f"branch {offer.branch}")
        if offer.accepted_at is None:
            continue
        keyed = f"key {offer.accepted_key}" if offer.accepted_key else ""
        yield Event(offer.accepted_at, "The offer is accepted", keyed)
        if offer.keyed_in and offer.number:
            yield Event(offer.accepted_at, "The caller keys in a number", number(offer.number))
        if offer.refused:
            yield Event(offer.accepted_at, "No text is sent", f"{offer.refused}: {reason(offer.refused)}", bad=True)
    for back in story.returns:
        yield Event(back.returned_at, "The call goes back to Studio", f"{back.result}, {back.reason}")


def _texts(story: Story, number: Callable[[str], str], shown: bool) -> Iterator[Event]:
    for text in story.texts:
        lost = text.state in ("failed", "dead")
        more = [f"{_STATES.get(text.state, text.state)} {text.updated_at:%H:%M:%S}"]
        if text.read_at:
            more.append(f"read {text.read_at:%H:%M:%S}")
        if text.kind == "greeting":
            more.insert(0, f"to {number(text.number)}")
        if text.attempts > 1:
            more.append(f"{text.attempts} attempts")
        if text.error_code:
            more.append(f"error {text.error_code}: {reason(str(text.error_code))}")
        words = text.body if shown else ""
        yield Event(text.created_at, _KINDS.get(text.kind, text.kind), ", ".join(more), words, lost)


def _conversations(story: Story) -> Iterator[Event]:
    for one in story.conversations:
        skill = f"skill {one.skill}" if one.skill else ""
        yield from (
            Event(at, what, more)
            for at, what, more in (
                (one.opened_at, "The desk opens a conversation", skill),
                (one.answered_at, "An agent has answered last", ""),
                (one.closed_at, "The conversation is closed", ""),
            )
            if at
        )


def as_rows(events: list[Event]) -> Iterator[list[Any]]:
    yield ["at", "what", "more", "words"]
    for event in events:
        yield [event.at, event.what, event.more, event.words]
