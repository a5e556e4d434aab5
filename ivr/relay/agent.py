"""What a desk tells: an agent's words become texts, our own words come back as an echo, conversations change."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from ivr import numbers
from ivr.clients import liveperson_events
from ivr.clients.liveperson_events import AUTOMATIC, CONSUMER, SPEAKERS, Changed, Event, Said
from ivr.file_links import FileLinks
from ivr.flow import desk
from ivr.flow.model import Flow
from ivr.relay import expectations, identify
from ivr.store import conversations, known, messages, outbox, outgoing
from ivr.store.conversations import Conversation
from ivr.store.messages import Message
from ivr.store.outgoing import Outgoing

# LivePerson keeps the order, most of the time: an event that overtook another waits so long for it.
HOLD_BACK = timedelta(seconds=1)
A_DAY = timedelta(days=1)
PART = "\x1f"  # between an event and the number of its part: no desk's id holds it


@dataclass(frozen=True, slots=True)
class Listener:
    """What it takes to hear a desk."""

    flows: Mapping[str, Flow]
    files: FileLinks
    new_id: Callable[[], str]
    now: Callable[[], datetime]


def heard(tx: Connection, raw: Mapping[str, Any], here: Listener) -> str:
    """One change of LivePerson's; what came of it, in a word for the log.

    What is nobody's we know is dropped, unless it may be a conversation's whose id we are about to learn.
    """
    event = liveperson_events.event(raw)
    if event is None:
        return "ignored"
    conversation = _whose(tx, event, here)
    if conversation is None and isinstance(event, Said):
        waiting = conversations.waiting_for_id(tx, "liveperson")
        conversation = conversations.of_desk(tx, event.conversation)  # it may have been learned meanwhile
        if conversation is None and waiting:
            return "kept" if conversations.keep_early(tx, event.conversation, raw, here.now()) else "too many"
    return _took(tx, conversation, event, here) if conversation else "foreign"


def _whose(tx: Connection, event: Event, here: Listener) -> Conversation | None:
    """The conversation of an event; a change tells whose it is even when its id is new to us."""
    known_one = conversations.of_desk(tx, event.conversation)
    if known_one or isinstance(event, Said) or not event.consumer or event.state == "closed":
        return known_one
    waiting = conversations.waiting_for_id(tx, "liveperson", event.consumer)
    if waiting is None:
        return conversations.of_desk(tx, event.conversation)
    learn_id(tx, waiting, event.conversation, here)
    return waiting


def learn_id(tx: Connection, conversation: Conversation, desk_id: str, here: Listener) -> None:
    """The desk's id of a conversation: what waited for it goes on, and what was said in it before is heard."""
    if not conversations.opened(tx, conversation.id, desk_id, here.now()):
        return
    outbox.hurry(tx, conversation.id, here.now())
    for raw in conversations.take_early(tx, desk_id):
        early = liveperson_events.event(raw)
        if early:
            _took(tx, conversation, early, here)


def learn_opened(tx: Connection, conversation: Conversation, desk_id: str, here: Listener) -> None:
    """The desk has just opened it, so whatever else was taken for it meanwhile is not open any more.

    A webhook that the one before was opened may come after that one was found closed, and look like its reopening.
    """
    there = conversations.find(tx, conversation.id)
    if there is not None and there.desk_id and there.desk_id != desk_id and not conversations.of_desk(tx, desk_id):
        now = conversations.of_consumer(tx, there.brand, there.number, there.sender)
        conversation = now or there
        if now is None:
            conversations.reopen(tx, there.id, here.now())
        conversations.expect_id(tx, conversation.id)
    learn_id(tx, conversation, desk_id, here)


def _took(tx: Connection, conversation: Conversation, event: Event, here: Listener) -> str:
    if isinstance(event, Changed):
        return _changed(tx, conversation, event, here)
    if event.dialog != event.conversation and conversation.dialog is None and conversation.state != "closed":
        conversations.set_dialog(tx, conversation.id, event.dialog)  # a survey, before the change that tells of it
    if event.role == CONSUMER:
        return _echo(tx, conversation, event, here)
    if event.role not in SPEAKERS:
        return "ignored"
    if not _answered(tx, conversation, event, here):
        return "replay"
    if event.role not in AUTOMATIC:
        identify.agent_spoke(tx, here.flows.get(conversation.brand), conversation)
        if event.dialog == event.conversation:
            expectations.answered(tx, conversation, here.now())
    return "answer"


def _changed(tx: Connection, conversation: Conversation, event: Changed, here: Listener) -> str:
    values: dict[str, Any] = {"dialog": event.survey}
    if event.skill:
        values["skill"] = event.skill
    if not conversations.moved(tx, conversation.id, event.at, values):
        return "older"
    if event.state == "closed":
        ended(tx, conversation, here)
        return "closed"
    if conversation.state == "closed":
        return _reopened(tx, conversation, here)
    return "changed"


def ended(tx: Connection, conversation: Conversation, here: Listener) -> None:
    """The desk closed it."""
    if conversations.close(tx, conversation.id, here.now()):
        flow = here.flows.get(conversation.brand)
        expectations.ended(tx, flow, conversation, here.new_id, here.now())


def _reopened(tx: Connection, conversation: Conversation, here: Listener) -> str:
    """Agents may take a closed one up again; a text that waits for a new one then goes there."""
    now = conversations.of_consumer(tx, conversation.brand, conversation.number, conversation.sender)
    if now is None:
        conversations.reopen(tx, conversation.id, here.now())
    elif now.desk_id is None and conversation.desk_id:
        conversations.give_desk_id(tx, conversation.id)
        learn_id(tx, now, conversation.desk_id, here)
    return "reopened"


def _echo(tx: Connection, conversation: Conversation, event: Said, here: Listener) -> str:
    """Our own words come back: what nobody knew of them is known."""
    if messages.is_at_desk(tx, event.event):
        return "echo"
    doubtful = next(
        (
            one
            for one in messages.in_doubt(tx, conversation.id)
            if published(conversation, one.id, one.body, one.media, here.files).rstrip() == event.text.rstrip()
        ),
        None,
    )
    # An echo of before the last one that is known belongs to a text that was repeated since.
    if doubtful is None or event.sequence < messages.last_at_desk(tx, conversation.id, event.dialog):
        return "echo"
    messages.at_desk(tx, doubtful.id, event.event, here.now())
    outbox.ring(tx)
    return "settled"


def published(conversation: Conversation, message_id: str, body: str, media: Any, files: FileLinks) -> str:
    """What the desk gets of a text: the first one of a conversation carries the line for the agent."""
    line = conversation.context_line if conversation.first_message == message_id else ""
    listed = [(piece.get("type", ""), files.url(message_id, place)) for place, piece in enumerate(media or ())]
    return desk.published(body, line, listed)


def _answered(tx: Connection, conversation: Conversation, event: Said, here: Listener) -> bool:
    """An agent's words in their place among the others. False for a replay."""
    at = event.at if event.at and event.at < here.now() + A_DAY else here.now()
    at += timedelta(microseconds=event.sequence % 100 * 10)  # LivePerson counts milliseconds; its parts come between
    media = [{"path": event.file, "type": event.file_type}] if event.file else []
    return write_answer(tx, conversation, Answer(event.text.rstrip(), media, event.event, at, HOLD_BACK), here)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an agent wrote. `event`: what it is at the desk; `at`: its place among the others."""

    text: str
    media: Sequence[Mapping[str, str]]
    event: str
    at: datetime
    hold_back: timedelta = timedelta()


def write_answer(tx: Connection, conversation: Conversation, answer: Answer, here: Listener) -> bool:
    """As many texts as the words take, the files with the first. False for a replay."""
    flow, number = here.flows.get(conversation.brand), numbers.read(conversation.number)
    number_format, now = flow.sender.number_format if flow else "full", here.now()
    to = known.destination(tx, number, conversation.sender, number_format, now) if number else conversation.number
    pieces: list[tuple[str, Sequence[Mapping[str, str]]]] = [(words, ()) for words in desk.parts(answer.text)]
    if answer.media and conversation.number.startswith("+1") and pieces:
        pieces[0] = pieces[0][0], answer.media
    elif answer.media:  # their links are a text of their own, which is as long as it is
        pieces.append(("", answer.media))
    new = False
    for place, (words, media) in enumerate(pieces):
        text = Outgoing(
            here.new_id(),
            "answer",
            conversation.brand,
            conversation.number,
            conversation.sender,
            words,
            destination=to,
            conversation=conversation.id,
            media=media,
            desk_event=f"{answer.event}{PART}{place}" if place else answer.event,
        )
        new |= outgoing.write(tx, text, now, answer.at + timedelta(microseconds=min(place, 9)), answer.hold_back)
    return new


def arrived(tx: Connection, message: Message, read: bool, new_id: str, now: datetime) -> None:
    """An agent's text is on the handset, or was read: LivePerson shows agents so."""
    conversation = conversations.find(tx, message.conversation_id or "") if message.kind == "answer" else None
    if conversation is None or conversation.state != "open" or conversation.desk != "liveperson":
        return
    dialog, _, sequence = (message.desk_event or "").rpartition(":")
    if dialog != conversation.desk_id or conversation.dialog or not sequence.isdigit():
        return  # a survey takes no receipts; the first of several pieces speaks for all
    status = "READ" if read else "ACCEPT"
    told = Outgoing(
        new_id,
        "receipt",
        conversation.brand,
        conversation.number,
        conversation.sender,
        f"{status} {sequence}",
        conversation=conversation.id,
        desk_event=f"{message.desk_event}{PART}{status}",
    )
    outgoing.write(tx, told, now)
