"""Which channel takes a greeting: the first that reaches this consumer, and the next when that one has failed."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from ivr.flow import offered
from ivr.flow.model import PUSH, Branch, Channel, Flow
from ivr.numbers import Number, read, why_not_texted
from ivr.store import conversations, greetings, known, line_types, outgoing, pushes
from ivr.store.conversations import Conversation
from ivr.store.greetings import Failed
from ivr.store.outgoing import Outgoing

# A greeting that comes later than so after the yes is not expected any more.
NEXT_WITHIN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Reach:
    """What decides who can be reached, beside the rows."""

    now: datetime
    ours: Collection[str] = ()  # E.164: numbers that no text may go to
    push_to: str = ""  # where a push would go: the consumer uses the brand's app; "": nobody knows of one
    chosen: Channel | None = None  # by another IVR
    tried: Collection[str] = field(default_factory=frozenset)  # channels that failed


def in_order(branch: Branch, key: str) -> tuple[Channel, ...]:
    """The channels of a yes: the one that its key chose, then the others as the file prefers them."""
    chosen = branch.choices.get(key)
    return tuple(dict.fromkeys((chosen, *branch.channels) if chosen else branch.channels))


def preferred(
    tx: Connection, flow: Flow, branch: Branch, number: Number | None, key: str, chosen: Channel | None = None
) -> tuple[Channel, ...]:
    """The same as they are tried for this consumer: what was chosen, then where they have an open conversation, which
    goes on there rather than beside a second one, then the others."""
    order = in_order(branch, key)
    wanted = [channel for channel in (chosen, branch.choices.get(key)) if channel]
    if number and len(order) > 1:
        wanted += [channel for channel in order if conversation(tx, flow, number, channel)]
    return tuple(dict.fromkeys((*wanted, *order)))


def conversation(tx: Connection, flow: Flow, number: Number, channel: Channel) -> Conversation | None:
    """The one that this consumer has open with the brand's desk by a channel."""
    sender = flow.sender.by(channel)
    found = conversations.of_consumer(tx, flow.id, number.e164, sender) if sender else None
    return found if found and found.desk == flow.relays_to else None


def first(
    tx: Connection, flow: Flow, branch: Branch, number: Number | None, key: str, reach: Reach
) -> tuple[Channel | None, str | None]:
    """The first channel that reaches this consumer; or None, and why the last one does not."""
    why: str | None = None
    for channel in preferred(tx, flow, branch, number, key, reach.chosen):
        if channel not in reach.tried:
            why = why_not(tx, flow, branch, number, channel, reach)
            if why is None:
                return channel, None
    return None, why


def why_not(
    tx: Connection, flow: Flow, branch: Branch, number: Number | None, channel: Channel, reach: Reach
) -> str | None:
    """Why a channel does not reach this consumer, in a word of `flow/refusals.py`, or None."""
    if channel == "push":
        return None if reach.push_to else "not_enrolled"
    why = why_not_texted(number, branch.regions)
    if why or number is None:
        return why
    if number.e164 in reach.ours:
        return "ours"
    # Who said STOP to one of a brand's senders did not mean: write to me from another.
    if any(known.opted_out(tx, number.e164, address) for address in flow.sender.addresses):
        return "opted_out"
    sender = flow.sender.by(channel)
    if sender is None:  # a deploy took it away
        return "no_route"
    kind = line_types.why_not(tx, number.e164, reach.now) if flow.lookup and channel != "whatsapp" else None
    # What texts taught of a number says nothing of WhatsApp, which landlines may have.
    return kind or known.cannot_be_texted(tx, number.e164, sender, reach.now, of_every_sender=channel != "whatsapp")


@dataclass(frozen=True, slots=True)
class Greeting:
    """Whose greeting, for which yes."""

    id: str
    deflection: int
    call_sid: str | None
    words: str


def outgoing_by(
    tx: Connection, flow: Flow, branch: Branch, channel: Channel, number: Number, greeting: Greeting, reach: Reach
) -> Outgoing:
    """The row of a greeting as its channel carries it."""
    sender, content, destination = flow.sender.by(channel) or PUSH, None, number.e164
    if channel == "push":
        destination = reach.push_to
    elif channel == "whatsapp" and flow.sender.whatsapp:
        values = {name: words.spoken({"caller": number.full}) for name, words in branch.variables.items()}
        content = {"sid": flow.sender.whatsapp.template, "variables": values}
    elif channel == "sms":
        destination = known.destination(tx, number, sender, flow.sender.number_format, reach.now)
    return Outgoing(
        greeting.id,
        "greeting",
        flow.id,
        number.e164,
        sender,
        greeting.words,
        destination=destination,
        call_sid=greeting.call_sid,
        deflection=greeting.deflection,
        channel=channel,
        content=content,
    )


def fell(
    tx: Connection, message_id: str, flows: Mapping[str, Flow], new_id: Callable[[], str], now: datetime
) -> str | None:
    """A greeting is known to have failed, in this transaction: the next channel's is written; its id.

    None where nothing follows: no channel is left that reaches them, the yes is ten minutes old, or another greeting
    of this yes is under way. Call it only when the row is `failed`, never when nobody knows.
    """
    failed = greetings.failed(tx, message_id)
    flow = flows.get(failed.brand) if failed else None
    branch = flow.branches.get(failed.branch) if flow and failed else None
    if failed is None or flow is None or branch is None or now - failed.accepted_at > NEXT_WITHIN:
        return None
    number, pushed = read(failed.number), pushes.find(tx, message_id)
    reach = Reach(now, push_to="app" if pushed and pushed.devices else "", tried=failed.channels)
    channel, _ = first(tx, flow, branch, number, failed.key, reach)
    if channel is None or number is None:
        return None
    name = new_id()
    words = _words(tx, flow, branch, channel, number, failed, name, now)
    greeting = Greeting(name, failed.deflection, failed.call_sid, words)
    outgoing.write(tx, outgoing_by(tx, flow, branch, channel, number, greeting, reach), now)
    if pushed:  # whose turn may come later
        pushes.write(tx, greeting.id, pushed, now)
    return greeting.id


def _words(
    tx: Connection,
    flow: Flow,
    branch: Branch,
    channel: Channel,
    number: Number,
    failed: Failed,
    name: str,
    now: datetime,
) -> str:
    """The words that failed, which the caller was promised; that a thread goes on is true of one thread alone."""
    if conversation(tx, flow, number, channel):
        return flow.text("rejoin")
    if failed.body != flow.text("rejoin"):
        return failed.body
    here = offered.entered(branch, now)
    return flow.greeting(here if isinstance(here, Branch) else branch, number.full, name)
