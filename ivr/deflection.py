"""The rule: the caller said yes; may we text them, where to, and with which words. Only writes rows."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ivr import numbers
from ivr.flow.model import Branch, Flow
from ivr.store import calls, known, outbox
from ivr.store.calls import Call
from ivr.store.outbox import Greeting, Text


@dataclass(frozen=True, slots=True)
class Accepted:
    """What an accepted offer led to."""

    message_id: str | None = None  # the greeting's row
    to_send: Text | None = None  # the same greeting, when it is ours to send at once
    refused: str | None = None  # why there is no greeting: withheld, region, opted_out, not_mobile …
    again: bool = False  # this offer was accepted before; its text is what it is


def accept(
    tx: Connection, flow: Flow, branch: Branch, call: Call, key: str, message_id: str, at_once: bool, now: datetime
) -> Accepted:
    """The first yes to this offer writes its greeting; every further one finds it written.

    `at_once`: whoever commits this can send it right away; else it waits for the worker.
    """
    deflection = calls.accept(tx, call, branch.name, key, now)
    if deflection is None:
        return Accepted(again=True)
    number = numbers.read(call.caller)
    refused = _why_not(tx, flow, branch, number, now)
    calls.destination(tx, deflection, number.e164 if number else None, refused)
    if refused or number is None:
        return Accepted(refused=refused)
    body = branch.greeting.spoken({"caller": number.full})
    to = _destination(tx, flow, number, now)
    greeting = Greeting(message_id, call.call_sid, deflection, flow.id, number.e164, to, flow.sender.address, body)
    return Accepted(message_id, outbox.write_greeting(tx, greeting, now, at_once))


def _why_not(tx: Connection, flow: Flow, branch: Branch, number: numbers.Number | None, now: datetime) -> str | None:
    why = numbers.why_not_texted(number, branch.regions)
    if why or number is None:
        return why
    if known.opted_out(tx, number.e164, flow.sender.address):
        return "opted_out"
    return known.cannot_be_texted(tx, number.e164, flow.sender.address, now)


def _destination(tx: Connection, flow: Flow, number: numbers.Number, now: datetime) -> str:
    """The number as Twilio is asked first: in full format, unless the file or an answer of 21211 says E.164."""
    if flow.sender.number_format == "e164" or known.wants_e164(tx, flow.sender.address, now):
        return number.e164
    return number.full
