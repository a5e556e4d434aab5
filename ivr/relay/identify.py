"""Who a consumer is: asked along a conversation, answers kept for the desk alone, a person always reached."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from ivr import numbers
from ivr.flow import identify
from ivr.flow.identify import ANSWERED, Identify, Open, Question, Taken
from ivr.flow.model import Flow
from ivr.relay.wishes import wish
from ivr.store import identities, known, outgoing
from ivr.store.conversations import Conversation
from ivr.store.identities import Asking
from ivr.store.messages import Inbound
from ivr.store.outgoing import Kind, Outgoing

# What came of the asking is said after the text, and after what else is said about that.
BEHIND = timedelta(microseconds=2)

NewId = Callable[[], str]


@dataclass(frozen=True, slots=True)
class Heard:
    """A text that came while a question waited, and what it is taken for."""

    taken: Taken
    asking: Asking
    question: Question
    asks: Identify = field(repr=False)

    @property
    def is_relayed(self) -> bool:
        """Answers and skips are no words for an agent."""
        return self.taken.kind not in ("answer", "skip", "enough")

    def written(self, text: Inbound) -> Inbound:
        """The text as it is kept: of an answer, that there was one."""
        if self.taken.kind != "answer":
            return text
        return replace(text, body="" if text.media else ANSWERED)


def asks(flow: Flow, conversation: Conversation) -> Identify | None:
    branch = flow.branches.get(conversation.branch) if conversation.branch else None
    return branch.identify if branch else flow.identify


def begin(tx: Connection, flow: Flow, conversation: Conversation, body: str, new_id: NewId, now: datetime) -> None:
    """Ask the first question of a new conversation; when it is asked before the desk, that waits for the answers.

    `body`: what the consumer wrote; who asks for a person at once is not asked.
    """
    asked = asks(flow, conversation)
    if asked is None or identify.wants_person(body) or known.opted_out(tx, conversation.number, conversation.sender):
        return
    if not identities.begin(tx, conversation.id, asked.questions[0].attribute, now):
        return  # another text of the consumer's began it at this moment
    _text(tx, flow, conversation, asked.opening, new_id, now)
    if asked.when == "before":
        identities.hold(tx, conversation.first_message, identify.held_until(asked, now, now))


def heard(
    tx: Connection, flow: Flow, conversation: Conversation, text: Inbound, opt_out_type: str, now: datetime
) -> Heard | None:
    """What a text is, to the question that waits; None where none does. Nothing is written yet."""
    asked = asks(flow, conversation)
    asking = identities.asking(tx, conversation.id) if asked else None
    question = asked.question(asking.attribute) if asked and asking else None
    if asked is None or asking is None or question is None:  # a deploy may have taken the question away
        return None
    opened = Open(question, asking.asked_at, asking.tries)
    return Heard(identify.taken(opened, text.body, wish(text.body, opt_out_type), now), asking, question, asked)


def took(tx: Connection, flow: Flow, conversation: Conversation, it: Heard, new_id: NewId, now: datetime) -> None:
    """Go on with what a text was taken for."""
    if it.taken.kind in ("answer", "skip"):
        given = {**it.asking.answers}
        if it.taken.kind == "answer":
            given[it.question.attribute] = it.taken.value
        _answered(tx, flow, conversation, it, given, new_id, now)
    elif it.taken.kind == "again":
        identities.again(tx, conversation.id, now)
        _text(tx, flow, conversation, it.question.retry, new_id, now)
        _hold(tx, conversation, it, now)
    elif it.taken.kind in ("end", "enough"):
        identities.end(tx, conversation.id)
        _reach(tx, conversation, it, it.asking.answers, new_id, now)


def agent_spoke(tx: Connection, flow: Flow | None, conversation: Conversation) -> None:
    """A person is there: nothing more is asked by us."""
    if flow and asks(flow, conversation):
        identities.end(tx, conversation.id)


def _answered(
    tx: Connection,
    flow: Flow,
    conversation: Conversation,
    it: Heard,
    given: dict[str, str],
    new_id: NewId,
    now: datetime,
) -> None:
    following = it.asks.after(it.question.attribute)
    identities.next_question(tx, conversation.id, following.attribute if following else None, given, now)
    if following is None:
        _reach(tx, conversation, it, given, new_id, now)
        if it.asks.thanks:
            _text(tx, flow, conversation, it.asks.thanks, new_id, now)
        return
    _text(tx, flow, conversation, following.ask, new_id, now)
    if not _hold(tx, conversation, it, now) and it.taken.kind == "answer":
        _to_desk(tx, conversation, "attributes", "", new_id, now)


def _hold(tx: Connection, conversation: Conversation, it: Heard, now: datetime) -> bool:
    """The desk waits on, where it still does: whether it does."""
    until = identify.held_until(it.asks, it.asking.began_at, now)
    return it.asks.when == "before" and identities.hold(tx, conversation.first_message, until)


def _reach(
    tx: Connection, conversation: Conversation, it: Heard, given: Collection[str], new_id: NewId, now: datetime
) -> None:
    """The desk is not kept waiting any more; it gets the answers with the first text, or where that is there, now."""
    released = identities.release(tx, conversation.first_message, now)
    if not released and it.taken.kind == "answer":
        _to_desk(tx, conversation, "attributes", "", new_id, now)
    _to_desk(tx, conversation, "note", identify.outcome(it.asks, given), new_id, now)


def _text(tx: Connection, flow: Flow, to: Conversation, words: str, new_id: NewId, now: datetime) -> None:
    number = numbers.read(to.number)
    number_format = flow.sender.number_format
    destination = known.destination(tx, number, to.sender, number_format, now) if number else to.number
    text = Outgoing(
        new_id(), "question", to.brand, to.number, to.sender, words, destination=destination, conversation=to.id
    )
    outgoing.write(tx, text, now)


def _to_desk(tx: Connection, of: Conversation, kind: Kind, words: str, new_id: NewId, now: datetime) -> None:
    told = Outgoing(new_id(), kind, of.brand, of.number, of.sender, words, conversation=of.id)
    outgoing.write(tx, told, now, now + BEHIND if kind == "note" else now)
