"""The rule: the caller said yes; may we text them, where to, and with which words. Only writes rows."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ivr import numbers
from ivr.clients.twilio import NO_NUMBER_WOULD_DO
from ivr.flow.desk import called_again
from ivr.flow.engine import Text as Known
from ivr.flow.model import Branch, Channel, Flow, Recording
from ivr.flow.pushed import pushed
from ivr.relay import channels, expectations
from ivr.relay.channels import Greeting, Reach
from ivr.relay.notes import note
from ivr.store import calls, consent, entries, greetings, outgoing, pushes
from ivr.store.calls import Call
from ivr.store.outbox import Text
from ivr.store.pushes import Push

# A caller may key in so many different numbers a day.
KEYED_IN_A_DAY = 3

_STATES: dict[str, Known] = {
    "due": "pending",
    "sending": "pending",
    "unclear": "pending",
    "sent": "sent",
    "delivered": "delivered",
    "failed": "refused",
    "dead": "refused",
}
# Why no text was tried, where that says something else than "not to this number".
_REFUSALS: dict[str, Known] = {
    "no_number": "needed",
    "other_number": "needed",
    "too_many": "unable",
    "unregistered": "unable",
}


@dataclass(frozen=True, slots=True)
class Accepted:
    """What an accepted offer led to."""

    message_id: str | None = None  # the greeting's row
    to_send: Text | None = None  # the same greeting, when it is ours to send at once
    refused: str | None = None  # why there is no greeting: no_number, region, opted_out, not_mobile …
    again: bool = False  # this offer was accepted before; its text is what it is
    keyed: str = ""  # E.164, where the greeting goes, if the caller keyed that in
    joined: str | None = None  # the open conversation that goes on
    channel: Channel = "sms"  # by which the greeting goes


@dataclass(frozen=True, slots=True)
class Attempted:
    """Who wants to send a greeting, and how."""

    call: Call
    message_id: str
    note_id: str  # of what the agent is told, if there is one already
    at_once: bool  # whoever commits this can send it right away; else it waits for the worker
    now: datetime
    ours: Collection[str]  # E.164: numbers that brands are dialled on and send from, which no text may go to
    words: str = ""  # in the place of the greeting, where another IVR wants others
    told: str = ""  # what the agent of an open conversation is told beside: what another IVR knows
    devices: Sequence[Mapping[str, str]] = ()  # where a push would go, if the consumer is known to use the brand's app
    chosen: Channel | None = None  # by another IVR; the first that reaches them unless said
    skill: str | None = None  # in the place of the branch's, where another IVR wants that

    @property
    def reach(self) -> Reach:
        return Reach(self.now, self.ours, "app" if self.devices else "", self.chosen)


def accept(tx: Connection, flow: Flow, branch: Branch, key: str, attempt: Attempted) -> Accepted:
    """The first yes to this offer writes its greeting; every further one finds it written."""
    deflection = calls.accept(tx, attempt.call, branch.name, key, attempt.now)
    if deflection is None:
        return Accepted(again=True)
    consent.record(tx, deflection, _heard(flow, branch), attempt.now)
    number = numbers.read(attempt.call.caller)
    if key == branch.other_number != branch.accept:
        calls.destination(tx, deflection, None, "other_number")
        return Accepted(refused="other_number")
    channel, refused = channels.first(tx, flow, branch, number, key, attempt.reach)
    calls.destination(tx, deflection, number.e164 if number else None, refused)
    if channel is None or number is None:
        return Accepted(refused=refused)
    return written(tx, flow, branch, deflection, number, attempt, channel)


def confirm(tx: Connection, flow: Flow, branch: Branch, e164: str, attempt: Attempted) -> Accepted:
    """The first time that a keyed-in number is said to be right writes its greeting, within bounds against misuse."""
    # Of a withheld caller only this call is known.
    caller = numbers.caller_key(attempt.call.caller) or f"call {attempt.call.call_sid}"
    deflection = entries.confirm(tx, attempt.call, branch.name, e164, caller)
    if deflection is None:
        return Accepted(again=True)
    number = numbers.read(e164)
    entries.one_at_a_time(tx, caller, e164)
    if number is None or entries.was_tried(tx, deflection, e164):
        return Accepted(again=True)
    key = greetings.accepted_key(tx, deflection)
    channel, refused = channels.first(tx, flow, branch, number, key, attempt.reach)
    refused = refused or misused(tx, attempt, caller, e164)
    if refused or channel is None:
        calls.destination(tx, deflection, e164, refused)
        return Accepted(refused=refused, keyed=e164)
    return written(tx, flow, branch, deflection, number, attempt, channel)


def _heard(flow: Flow, branch: Branch) -> str:
    """The offer's words as the file has them, as consent to them is put on record."""
    closed = flow.branches[branch.name].closed if branch.until is not None else None
    offer = (closed or branch).offer
    return f"recording: {offer.url}" if isinstance(offer, Recording) else offer.source or offer.text


@dataclass(frozen=True, slots=True)
class Fared:
    """What became of the text of an accepted offer. `number`: where it goes, if that was keyed in."""

    text: Known
    number: str = ""
    channel: str = "sms"


def text(tx: Connection, call: Call, branch: str) -> Fared:
    found = calls.text_state(tx, call, branch)
    if found is None:
        return Fared("unknown")
    if found.state == "failed" and found.code in NO_NUMBER_WOULD_DO:
        return Fared("unable", found.keyed, found.channel)
    if found.state:
        return Fared(_STATES[found.state], found.keyed, found.channel)
    return Fared(refusal(found.refused) if found.refused else "unknown", found.keyed)


def refusal(reason: str) -> Known:
    """What a caller may be told of the reason why no text was tried."""
    return _REFUSALS.get(reason, "refused")


def misused(tx: Connection, attempt: Attempted, caller: str, number: str) -> str | None:
    """Whoever keys in numbers may not text strangers through us."""
    if entries.had_its_text(tx, number, attempt.now):
        return "had_its_text"
    own = numbers.read(attempt.call.caller)
    others = entries.others_today(tx, caller, own.e164 if own else "", number, attempt.now)
    return "too_many" if others >= KEYED_IN_A_DAY else None


def written(
    tx: Connection,
    flow: Flow,
    branch: Branch,
    deflection: int,
    number: numbers.Number,
    attempt: Attempted,
    channel: Channel,
) -> Accepted:
    """The greeting's row by the channel that reaches them, or the text that goes on in an open conversation."""
    joined = _joined(tx, flow, branch, number, channel, attempt)
    if joined is None:
        expectations.greeted(tx, branch, deflection, attempt.now)
    usual = flow.text("rejoin") if joined else flow.greeting(branch, number.full, attempt.message_id)
    greeting = Greeting(attempt.message_id, deflection, attempt.call.at_twilio, attempt.words or usual)
    row = channels.outgoing_by(tx, flow, branch, channel, number, greeting, attempt.reach)
    to_send = outgoing.write_at_once(tx, row, attempt.now, attempt.at_once)
    if attempt.devices:  # kept beside another channel's, too: a push may follow it
        context = pushed(flow, branch, deflection, attempt.call.own_id, attempt.skill)
        pushes.write(tx, attempt.message_id, Push(attempt.devices, context), attempt.now)
    own = numbers.read(attempt.call.caller)
    keyed = "" if own == number else number.e164
    return Accepted(attempt.message_id, to_send, keyed=keyed, joined=joined, channel=channel)


def _joined(
    tx: Connection, flow: Flow, branch: Branch, number: numbers.Number, channel: Channel, attempt: Attempted
) -> str | None:
    """Who has an open conversation goes on in it, and its agent is told; its id."""
    conversation = channels.conversation(tx, flow, number, channel)
    if conversation is None:
        return None
    words = called_again(branch.name, attempt.now, flow.timezone)
    words = f"{words}\n{attempt.told}" if attempt.told else words
    note(tx, conversation, attempt.note_id, words, attempt.now)
    return conversation.id
