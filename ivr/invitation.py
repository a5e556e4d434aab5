"""The rule: another IVR says that its caller said yes. Written as a yes of our own calls is. Only writes rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ivr import deflection, numbers
from ivr.deflection import Attempted
from ivr.flow import offered
from ivr.flow.model import Branch, Flow
from ivr.numbers import Number
from ivr.relay import channels
from ivr.store import calls, consent, entries, invitations
from ivr.store.calls import Call
from ivr.store.invitations import Became, Invitation


@dataclass(frozen=True, slots=True)
class Asked:
    """What another IVR tells of a caller who said yes."""

    number: str  # where the text is to go, as it was written
    prompt: str  # what the caller heard
    key: str  # what the caller pressed, if anything
    called_at: datetime


@dataclass(frozen=True, slots=True)
class Eligible:
    """Whether a number could be texted now. `why_not`: a word of `flow/refusals.py`."""

    why_not: str | None
    channels: Mapping[str, str | None]  # each of the branch's, and why it does not reach them
    conversation: bool  # one is open, which a text would join


def eligible(tx: Connection, flow: Flow, branch: Branch, number: str, attempt: Attempted) -> Eligible:
    read = numbers.read(number)
    reach = attempt.reach
    taken, why_not = channels.first(tx, flow, branch, read, "", reach)
    if read and not why_not and not _own(read, attempt.call):
        why_not = deflection.misused(tx, attempt, _who(attempt.call), read.e164)
    by: dict[str, str | None] = {
        channel: channels.why_not(tx, flow, branch, read, channel, reach) or why_not
        for channel in channels.preferred(tx, flow, branch, read, "")
    }
    joins = read is not None and taken is not None and channels.conversation(tx, flow, read, taken) is not None
    return Eligible(why_not, by, joins)


def invite(
    tx: Connection, flow: Flow, branch: Branch, asked: Asked, new: Invitation, attempt: Attempted
) -> tuple[Became, bool]:
    """The deflection of this call and branch, and whether it is new: the first yes writes its text, none after it."""
    call, now = attempt.call, attempt.now
    invitations.call_came_in(tx, call, asked.called_at)
    written = calls.accept(tx, call, branch.name, asked.key, now)
    if written is not None:
        consent.record(tx, written, asked.prompt, now)
        invitations.begin(tx, new, written, now)
        _text(tx, flow, branch, asked.number, written, new, attempt)
    became = invitations.of_call(tx, call, branch.name)
    assert became is not None  # every such call came in here, with its row
    return became, written is not None


def _text(
    tx: Connection, flow: Flow, branch: Branch, wanted: str, written: int, new: Invitation, attempt: Attempted
) -> None:
    number = numbers.read(wanted)
    own = number is None or _own(number, attempt.call)
    if number and not own:
        _keyed_in(tx, attempt.call, branch, number)
    here = offered.entered(branch, attempt.now)
    branch = here if isinstance(here, Branch) else branch
    channel, refused = channels.first(tx, flow, branch, number, "", attempt.reach)
    if number and not own and not refused:
        refused = deflection.misused(tx, attempt, _who(attempt.call), number.e164)
    calls.destination(tx, written, number.e164 if number else None, refused)
    if refused or channel is None or number is None:
        return
    accepted = deflection.written(tx, flow, branch, written, number, attempt, channel)
    if accepted.joined:
        invitations.joined(tx, new.id, accepted.joined)


def _keyed_in(tx: Connection, call: Call, branch: Branch, number: Number) -> None:
    """It counts as one that a caller of ours keyed in and confirmed."""
    caller = _who(call)
    entries.enter(tx, call, branch.name, number.e164)
    entries.confirm(tx, call, branch.name, number.e164, caller)
    entries.one_at_a_time(tx, caller, number.e164)


def _own(number: Number, call: Call) -> bool:
    return numbers.read(call.caller) == number


def _who(call: Call) -> str:
    # Of a withheld caller only this call is known.
    return numbers.caller_key(call.caller) or f"call {call.call_sid}"
