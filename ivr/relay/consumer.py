"""What a consumer's text does: it is written, STOP is obeyed, and the conversation it belongs to takes it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from ivr.flow import desk, promise
from ivr.flow.model import PUSH, Branch, Flow
from ivr.relay import expectations, identify
from ivr.relay.notes import note
from ivr.relay.wishes import Wish, may_want_to_stop, wish
from ivr.store import conversations, known, messages, outbox, outgoing
from ivr.store.conversations import Conversation, LastDeflection
from ivr.store.messages import Inbound
from ivr.store.outbox import Text
from ivr.store.outgoing import Outgoing


@dataclass(frozen=True, slots=True)
class Received:
    """What came of a text. `new`: false for a replay, which changes nothing."""

    new: bool
    wish: Wish | None = None
    conversation: Conversation | None = None


def received(
    tx: Connection,
    text: Inbound,
    dialled: str,
    opt_out_type: str,
    flow: Flow | None,
    new_id: Callable[[], str],
    now: datetime,
) -> Received:
    """Write a text and what it wishes, and let the desk have it where there is one.

    `dialled`: the number that was written to; with a messaging service a STOP holds for both.
    """
    has_desk = flow is not None and flow.relays_to is not None
    conversation = conversations.of_consumer(tx, flow.id, text.number, text.sender) if flow and has_desk else None
    heard = identify.heard(tx, flow, conversation, text, opt_out_type, now) if flow and conversation else None
    written, relayed = (heard.written(text), heard.is_relayed or text.media) if heard else (text, True)
    if not messages.write_inbound(tx, written, now, conversation.id if conversation and relayed else None):
        return Received(new=False)
    wished, keyword = _wished(tx, text, dialled, opt_out_type, now)
    if flow and wished and not opt_out_type and not dialled.startswith("+"):
        _answer_for_short_code(tx, text, wished, flow, new_id(), now)
    if flow and has_desk and not conversation and not keyword:
        conversation = begin(tx, flow, text.number, text.sender, text.id, new_id, now)
        messages.relay_inbound(tx, text.id, conversation.id, now)
        identify.begin(tx, flow, conversation, text.body, new_id, now)
    elif conversation and flow and relayed:
        expectations.wrote(tx, flow, conversation, new_id, now)
    if conversation:
        outbox.ring(tx)
        _explain(tx, conversation, text, wished, new_id, now)
    if flow and conversation and heard:
        identify.took(tx, flow, conversation, heard, new_id, now)
    return Received(True, wished, conversation)


def _wished(tx: Connection, text: Inbound, dialled: str, opt_out_type: str, now: datetime) -> tuple[Wish | None, bool]:
    """What a text wishes, obeyed; and whether it is a keyword that was dealt with, which begins no conversation.

    YES of somebody who never stopped is a word like others, and so is HELP where a person may answer it.
    """
    wished = wish(text.body, opt_out_type)
    if wished == "start" and not opt_out_type and not known.opted_out(tx, text.number, text.sender):
        return None, text.body.strip().upper() != "YES"
    if wished in ("stop", "start"):
        for sender in {dialled, text.sender}:
            known.set_opt_out(tx, text.number, sender, wished == "stop", "text", now)
    return wished, bool(wished) and (wished != "help" or bool(opt_out_type) or not dialled.startswith("+"))


def _explain(
    tx: Connection,
    conversation: Conversation,
    text: Inbound,
    wished: Wish | None,
    new_id: Callable[[], str],
    now: datetime,
) -> None:
    """What agents should know of a text beside its words."""
    if wished in ("stop", "start"):
        note(tx, conversation, new_id(), desk.OPTED_OUT if wished == "stop" else desk.OPTED_IN, now)
    elif not wished and may_want_to_stop(text.body):
        note(tx, conversation, new_id(), desk.MAY_WANT_TO_STOP, now)


def begin(
    tx: Connection,
    flow: Flow,
    number: str,
    sender: str,
    first_message: str,
    new_id: Callable[[], str],
    now: datetime,
) -> Conversation:
    """A conversation with the last deflection's skill while replies still belong to it, else with the brand's.

    What the consumer can expect of it is said; of one that another text began at this moment, it was.
    """
    last = _answered(tx, flow, number, sender, now)
    branch = flow.branches.get(last.branch) if last else None
    new = Conversation(
        id=new_id(),
        brand=flow.id,
        desk=flow.relays_to or "",
        number=number,
        sender=sender,
        state="wanted",
        branch=last.branch if last else None,
        skill=(last.skill if last else None) or _skill(flow, branch),
        deflection_id=last.id if last else None,
        first_message=first_message,
        context_line=_context_line(flow, branch, last, now) if flow.context_line and last else "",
        desk_consumer=None,
        desk_id=None,
        dialog=None,
        started_at=now,
    )
    begun = conversations.begin(tx, new)
    if begun.id == new.id:
        expectations.began(tx, flow, begun, new_id, now)
    return begun


def _answered(tx: Connection, flow: Flow, number: str, sender: str, now: datetime) -> LastDeflection | None:
    """The deflection whose greeting this answers: the last by the same channel, else by whichever they were greeted."""
    for by in (sender, None):
        last = conversations.last_deflection(tx, flow.id, number, by)
        if last and now - last.texted_at <= timedelta(seconds=flow.reply_window):
            return last
    return None


def _context_line(flow: Flow, branch: Branch | None, last: LastDeflection, now: datetime) -> str:
    """Where the conversation comes from, and what another IVR knows of its caller."""
    line = desk.context_line(branch, last.called_at, promise.due(branch, now), flow.timezone) if branch else ""
    return f"{line}\n{desk.known_elsewhere(last.attributes)}".strip() if last.attributes else line


def _skill(flow: Flow, branch: Branch | None) -> str | None:
    return branch.skill if branch else flow.skill


def _answer_for_short_code(tx: Connection, text: Inbound, wished: Wish, flow: Flow, new_id: str, now: datetime) -> None:
    """Twilio answers keywords on long codes itself; on a short code without Advanced Opt-Out that is ours to do."""
    if wished == "start":
        return
    words = flow.text("stopped" if wished == "stop" else "help")
    answer = Outgoing(new_id, "notice", flow.id, text.number, text.sender, words, destination=text.number)
    outgoing.write(tx, answer, now)


def still_wanted(
    tx: Connection, waiting: Sequence[Text], flows: Mapping[str, Flow], new_id: Callable[[], str], now: datetime
) -> list[Text]:
    """What is still to be sent. Failed, for good: what its consumer wants no more (STOP), and what is not true now."""
    wanted = []
    for text in waiting:
        if text.towards == "consumer" and text.kind != "notice" and _stopped(tx, text, flows):
            messages.move(tx, text.id, "failed", now)
            tell_of_failure(tx, text.kind, text.conversation_id, new_id, None, now)
        elif text.kind == "expectation" and not expectations.still_true(tx, text, flows, now):
            messages.move(tx, text.id, "failed", now)
        else:
            wanted.append(text)
    return wanted


def _stopped(tx: Connection, text: Text, flows: Mapping[str, Flow]) -> bool:
    """Who said STOP to whichever sender of the brand's wants no greeting and nothing after it; a push is no text."""
    flow, unasked = flows.get(text.brand), text.kind in ("greeting", "expectation") and text.conversation_id is None
    others = flow.sender.addresses if flow and unasked and text.sender != PUSH else ()
    return any(known.opted_out(tx, text.number, sender) for sender in dict.fromkeys((text.sender, *others)))


def tell_of_failure(
    tx: Connection,
    kind: str,
    conversation_id: str | None,
    new_id: Callable[[], str],
    code: int | None,
    now: datetime,
) -> None:
    """An agent whose answer is known not to have arrived hears of it, while the conversation is open."""
    if kind != "answer" or conversation_id is None:
        return
    conversation = conversations.find(tx, conversation_id)
    if conversation and conversation.state == "open":
        note(tx, conversation, new_id(), desk.not_delivered(code), now)
