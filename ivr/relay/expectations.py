"""What a consumer can expect is said along the way: each thing once, and only while it is true. Only writes rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from ivr import log, numbers
from ivr.flow import desk, promise, quiet
from ivr.flow.hours import next_midnight
from ivr.flow.model import PUSH, WHATSAPP, Branch, Flow
from ivr.flow.words import Words
from ivr.relay.notes import BEHIND, note
from ivr.store import conversations, expectations, known, messages, outgoing
from ivr.store.conversations import Conversation
from ivr.store.expectations import Expectation, Greeted
from ivr.store.outbox import Text
from ivr.store.outgoing import Outgoing

WAITING = ("late", "at_risk")
AN_ANSWER_LASTS = timedelta(minutes=15)  # an agent who answered so lately is there, whatever the hours say
TRIED_LATER = timedelta(minutes=1)
LONGEST_WAIT = timedelta(days=2)  # of a follow-up: for the morning, or for a worker that was away

NewId = Callable[[], str]


def began(tx: Connection, flow: Flow, conversation: Conversation, new_id: NewId, now: datetime) -> None:
    """The first text of a conversation: the consumer hears by when, and what is to be kept is planned."""
    branch = _branch(flow, conversation)
    promised = promise.due(branch, now)
    name = "received" if promise.is_open(flow, branch, now) else "closed"
    _say(tx, flow, conversation, name, new_id(), now, until=promised)
    if promised is None or branch is None:
        return
    if branch.expect.late:
        expectations.plan(tx, "late", promised, conversation.id)
    if branch.warn_before is not None:
        warned = max(now, promised - timedelta(seconds=branch.warn_before))
        expectations.plan(tx, "at_risk", warned, conversation.id)


def wrote(tx: Connection, flow: Flow, conversation: Conversation, new_id: NewId, now: datetime) -> None:
    """A further text: out of hours it is said, once, that nobody is there, unless somebody is."""
    answered = conversation.answered_at
    if answered and now - answered < AN_ANSWER_LASTS:
        return
    if not promise.is_open(flow, _branch(flow, conversation), now):
        _say(tx, flow, conversation, "closed", new_id(), now)


def answered(tx: Connection, conversation: Conversation, now: datetime) -> None:
    """An agent's answer keeps the promise: what waited for it is not said."""
    conversations.answered(tx, conversation.id, now)
    if conversation.state != "closed":  # the last words may come after the end, which is true as before
        _not_any_more(tx, conversation, now)


def ended(tx: Connection, flow: Flow | None, conversation: Conversation, new_id: NewId, now: datetime) -> None:
    """The desk closed it: nothing is late any more, and the consumer hears that it has ended, if it has."""
    _not_any_more(tx, conversation, now)
    # A text that the desk does not have yet opens a new one: for the consumer it goes on.
    if flow and not messages.any_for_desk(tx, conversation.id):
        _say(tx, flow, conversation, "ended", new_id(), now)


def _not_any_more(tx: Connection, conversation: Conversation, now: datetime) -> None:
    expectations.cancel(tx, conversation.id, WAITING)
    messages.drop_expectations(tx, conversation.id, now)


def greeted(tx: Connection, branch: Branch, deflection: int, now: datetime) -> None:
    """A greeting goes out; if nobody answers it, one more text may follow."""
    if branch.follow_up:
        expectations.plan(tx, "follow_up", now + timedelta(seconds=branch.follow_up.after), deflection=deflection)


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise that agents are warned of: for the log, when this is committed. `event`: promise_late, _at_risk."""

    event: str
    conversation: str
    brand: str
    promised_at: datetime


def come(
    tx: Connection, flows: Mapping[str, Flow], new_id: NewId, now: datetime, most: int
) -> tuple[int, list[Broken]]:
    """What is due is said, if it is true: how many were due, and the promises among them."""
    broken, all_due = [], expectations.take_due(tx, now, most)
    late = {due.conversation_id for due in all_due if due.name == "late"}
    for due in all_due:
        if due.name == "at_risk" and due.conversation_id in late:  # after an outage: it is broken already
            continue
        try:
            with tx.begin_nested():
                broken.append(_come(tx, flows, due, new_id, now))
        except SQLAlchemyError:  # the database's day is bad, not this one
            raise
        except Exception as error:  # one that cannot be said must not keep all others, and every text, from going out
            log.error("expectation_failed", error, conversation=due.conversation_id, expectation=due.name)
    return len(all_due), [each for each in broken if each]


def _come(tx: Connection, flows: Mapping[str, Flow], due: Expectation, new_id: NewId, now: datetime) -> Broken | None:
    if due.deflection_id is None:
        return _of_conversation(tx, flows, due, new_id, now)
    _follow_up(tx, flows, due, new_id(), now)
    return None


def still_true(tx: Connection, text: Text, flows: Mapping[str, Flow], now: datetime) -> bool:
    """Whether a text that waited to be sent still says what is so."""
    said = expectations.of_message(tx, text.id)
    if said is None:
        return False
    if said.deflection_id is not None:
        greeting = expectations.greeted(tx, said.deflection_id)
        flow = flows.get(text.brand)
        by_night = flow is None or quiet.is_quiet(_zones(text.number, flow), now)
        return greeting is not None and not by_night and not expectations.anything_since(tx, greeting)
    conversation = conversations.find(tx, said.conversation_id or "")
    flow = flows.get(text.brand)
    if conversation is None or flow is None or conversation.desk != flow.relays_to:  # a deploy took the desk away
        return False
    if said.name == "ended":  # who has written since is in a new one
        theirs = conversations.of_consumer(tx, conversation.brand, conversation.number, conversation.sender)
        return conversation.state == "closed" and theirs is None
    answered_at = conversation.answered_at
    # That it is closed is news to who wrote after the last answer, too.
    unsaid = answered_at is None or (said.name == "closed" and answered_at < text.created_at)
    return unsaid and conversation.state != "closed"


def _of_conversation(
    tx: Connection, flows: Mapping[str, Flow], due: Expectation, new_id: NewId, now: datetime
) -> Broken | None:
    """A promise that is at risk or broken: agents read so, and the consumer hears of a broken one."""
    conversation = conversations.find(tx, due.conversation_id or "")
    flow = flows.get(conversation.brand) if conversation else None
    if conversation is None or flow is None or conversation.state == "closed" or conversation.answered_at:
        return None
    if conversation.desk != flow.relays_to:  # a deploy took the desk away
        return None
    # What was promised stays so, whatever a deploy promises now.
    promised = due.due_at if due.name == "late" else promise.due(_branch(flow, conversation), conversation.started_at)
    if promised is None:  # a deploy took it back
        return None
    if known.opted_out(tx, conversation.number, conversation.sender):  # no answer would arrive, nor would our text
        return None
    if due.name == "late":
        told = _say(tx, flow, conversation, "late", new_id(), now, of=due)
        words = desk.late(promised, flow.timezone, told)
    else:
        words = desk.at_risk(promised, flow.timezone)
    note(tx, conversation, new_id(), words, now)
    event = "promise_late" if due.name == "late" else "promise_at_risk"
    return Broken(event, conversation.id, flow.id, promised)


def _follow_up(tx: Connection, flows: Mapping[str, Flow], due: Expectation, message_id: str, now: datetime) -> None:
    greeting = expectations.greeted(tx, due.deflection_id or 0)
    flow = flows.get(greeting.brand) if greeting else None
    branch = flow.branches.get(greeting.branch) if flow and greeting else None
    if greeting is None or flow is None or branch is None or branch.follow_up is None:
        return
    if expectations.anything_since(tx, greeting) or greeting.state in ("failed", "dead"):
        return
    if greeting.sender.startswith(WHATSAPP) or greeting.sender == PUSH:  # neither takes free words from us there
        return
    if now - greeting.greeted_at > timedelta(seconds=branch.follow_up.after) + LONGEST_WAIT:
        return
    zones = _zones(greeting.number, flow)
    allowed = quiet.allowed(zones, now)
    if allowed is None:
        return
    if allowed > now or greeting.state not in ("sent", "delivered"):
        expectations.put_off(tx, due, max(allowed, now + TRIED_LATER))
        return
    words = branch.follow_up.text.spoken({"caller": _full(greeting.number), **promise.values(flow, branch, now, now)})
    text = _text(tx, flow, greeting, message_id, words, now, quiet.ends(zones, now))
    outgoing.write(tx, text, now)
    expectations.said_by(tx, due, message_id)


def _say(
    tx: Connection,
    flow: Flow,
    conversation: Conversation,
    name: str,
    message_id: str,
    now: datetime,
    until: datetime | None = None,
    of: Expectation | None = None,
) -> bool:
    """Write the text by this name, if there is one and this conversation has not had it."""
    branch = _branch(flow, conversation)
    words: Words | None = getattr(branch.expect if branch else flow.expect, name)
    if words is None:
        return False
    if of is not None:
        expectations.said_by(tx, of, message_id)
    elif not expectations.once(tx, name, conversation.id, message_id):
        return False
    # Who writes when it is closed waits from the opening on, whatever was promised in this conversation before.
    wrote_at = now if name == "closed" else conversation.started_at

    def said_at(moment: datetime) -> str:
        values = promise.values(flow, branch, wrote_at, moment)
        return words.spoken({"caller": _full(conversation.number), **values})

    body, midnight = said_at(now), next_midnight(now, flow.timezone)
    hours = promise.hours_of(flow, branch)
    ends = [until, hours.opens(now) if hours and name == "closed" else None]
    ends.append(None if said_at(midnight) == body else midnight)  # "tomorrow" is today then
    until = min((end for end in ends if end), default=None)
    outgoing.write(tx, _text(tx, flow, conversation, message_id, body, now, until), now, now + BEHIND)
    return True


def _text(
    tx: Connection,
    flow: Flow,
    to: Conversation | Greeted,
    message_id: str,
    body: str,
    now: datetime,
    until: datetime | None,
) -> Outgoing:
    number = numbers.read(to.number)
    number_format = flow.sender.number_format
    destination = known.destination(tx, number, to.sender, number_format, now) if number else to.number
    conversation = to.id if isinstance(to, Conversation) else None
    return Outgoing(
        message_id,
        "expectation",
        flow.id,
        to.number,
        to.sender,
        body,
        destination=destination,
        conversation=conversation,
        until=until,
    )


def _branch(flow: Flow, conversation: Conversation) -> Branch | None:
    return flow.branches.get(conversation.branch) if conversation.branch else None


def _zones(number: str, flow: Flow) -> Sequence[str]:
    """Where the consumer may be; nothing known of it, where the brand is."""
    return numbers.zones(number) or (flow.timezone,)


def _full(number: str) -> str:
    read = numbers.read(number)
    return read.full if read else number
