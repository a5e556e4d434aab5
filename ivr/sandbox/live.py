"""The phone in the browser and the desk beside it: what a person does there, done in the town."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from threading import Lock, Thread
from typing import Any, Protocol

from ivr import numbers
from ivr.flow import identify
from ivr.flow.model import Flow
from ivr.sandbox import phones
from ivr.sandbox.ahead import Ahead
from ivr.sandbox.carrier import HANDSETS, Carrier
from ivr.sandbox.conversations import Conversation
from ivr.sandbox.desk import Desk
from ivr.sandbox.drafts import Drafts
from ivr.sandbox.live_call import Line, LiveCall, OnTheLine
from ivr.sandbox.live_clock import LiveClock
from ivr.sandbox.news import News
from ivr.sandbox.phones import PHONES
from ivr.sandbox.rest import Weather
from ivr.sandbox.scene import TownError
from ivr.sandbox.talk import Talk
from ivr.sandbox.transcript import Event, Transcript
from ivr.sandbox.webhooks import Webhooks

WAITS_FOR_EVER = 24 * 3600.0  # a caller who holds the line until they hang up
THINKS = 4.0  # seconds, of the agent who answers by themselves
ANSWERS = ("Hello, this is Sam. I am looking at it.", "That is done. Is there anything else?", "You are welcome.")
LONGEST_TEXT = 1600
_NOTE = re.compile(r"\[[^]]*\](?:\s|$)")


class Place(Protocol):
    """What of the town the phone is played in."""

    flows: Mapping[str, Flow]
    webhooks: Webhooks
    carrier: Carrier
    transcript: Transcript
    desk: Desk
    talk: Talk
    ahead: Ahead
    weather: Weather
    busy: Lock


class LivePhone:
    """One phone, one desk; every page that is open shows the same ones."""

    def __init__(self, place: Place, drafts: Drafts) -> None:
        self.place, self.drafts, self.news = place, drafts, News()
        self.answers_itself = True
        self._clock: LiveClock | None = None
        self._line: Line | None = None
        self._transcript: Transcript | None = None
        self._phone, self._to = PHONES["mobile"], ""  # where the last text arrived
        self._lock = Lock()
        desk, carrier = place.desk, place.carrier
        self._opened, self._published, self._received = desk.opened, desk.published, carrier.received
        desk.opened, desk.published, carrier.received = self._on_opened, self._on_published, self._on_received

    def stop(self) -> None:
        if self._line:
            self._line.hang_up()
        if self._clock:
            self._clock.stop()

    # What the person does.

    def dial(self, brand: str, number: str, phone: str, twilio: str, agents: str, desk: str) -> None:
        """Begin a call, with the brand's file as it is written now."""
        if phone not in PHONES or twilio not in phones.TWILIO or agents not in phones.AGENTS or desk not in phones.DESK:
            raise TownError("No such choice; load the page again.")
        if not self.place.busy.acquire(blocking=False):
            raise TownError("A call is on already.")
        line = self._line = Line(self._live(), self.news.tell)
        if self._phone != PHONES[phone]:
            self._phone, self._to = PHONES[phone], ""
        self.news.tell("state", {"is": "dialling", "brand": brand, "number": number})
        call = partial(self._call, line, brand, number, agents, (twilio, desk))
        Thread(target=call, name="live call", daemon=True).start()

    def line(self) -> Line:
        """The one of the call that is on; of none, TownError."""
        if self._line is None:
            raise TownError("No call is on.")
        return self._line

    def heard(self, prompt: int) -> None:
        """A prompt is over; of a call that is over too, nothing."""
        if self._line:
            self._line.heard(prompt)

    def hurry(self, seconds: float) -> None:
        """Let time pass, for everybody."""
        self._live().hurry(seconds)

    def text(self, brand: str, body: str) -> None:
        """The consumer writes to the brand, from the number that it texted last."""
        flow, body = self._flow(brand), body.strip()[:LONGEST_TEXT]
        number = numbers.read(self._to or self._phone.number)
        if number is None or not (self._to or HANDSETS[self._phone.handset].shows()):
            raise TownError("From this phone one cannot text. Choose a mobile.")
        self._set_the_scene()
        self.news.tell("text", {"from": "me", "brand": brand, "body": body})
        asked = [flow.identify, *(branch.identify for branch in flow.branches.values())]
        self.place.transcript.add("consumer", identify.shown(asked, body))
        status = self.place.carrier.write(number.e164, flow.sender.address, body)
        if status != 200:
            raise TownError(f"The server did not take the text: {status or 'it did not answer'}.")

    def answer(self, conversation: str, body: str) -> None:
        """The agent writes."""
        self._in(conversation)
        self.place.transcript.add("agent", body)
        self.place.desk.say(conversation, body[:LONGEST_TEXT])
        self._tell_conversation(self._in(conversation))

    def close(self, conversation: str) -> None:
        self.place.desk.close(conversation)
        self.place.transcript.add("desk", "closes the conversation")
        self._tell_conversation(self.place.desk.conversation(conversation))

    def now(self) -> datetime:
        return self.place.ahead()

    # What happens.

    def _live(self) -> LiveClock:
        with self._lock:
            if self._clock is None:
                self._clock = LiveClock(self.place.ahead.pass_)
            return self._clock

    def _set_the_scene(self) -> None:
        """The town's clock and eyes are the phone's, whatever was played before."""
        here, clock = self.place, self._live()
        here.carrier.clock = here.desk.clock = clock
        here.transcript = self._transcript = Transcript(clock, self._tell_event)
        own = numbers.read(self._phone.number)
        here.carrier.handset, here.carrier.owner = HANDSETS[self._phone.handset], own.e164 if own else None
        here.carrier.callbacks, here.carrier.strict = "prompt", False

    def _call(self, line: Line, brand: str, number: str, agents: str, days: tuple[str, str]) -> None:
        try:
            self._use_drafts()
            flow = self._flow(brand)
            self.place.weather.set(days[0])
            self.place.desk.set_days(days[1])
            self._set_the_scene()
            self.news.tell("state", {"is": "talking"})
            self._made(line, flow, number, agents).play(_url(flow, number))
        except TownError as error:
            self.news.tell("fault", {"what": str(error)})
        finally:
            self._line = None
            self.place.busy.release()
            self.news.tell("state", {"is": "idle"})

    def _use_drafts(self) -> None:
        if self.drafts.use():
            self.place.flows = self.drafts.flows
            self.news.tell("flows", {})

    def _made(self, line: Line, flow: Flow, number: str, agents: str) -> LiveCall:
        here = self.place
        dialled = number if number in flow.numbers else next(iter(flow.numbers), flow.sender.address)
        call = LiveCall(
            OnTheLine(line),
            here.webhooks,
            here.transcript,
            caller=self._phone.number,
            dialled=dialled,
            agents=agents,
            holds=WAITS_FOR_EVER,
        )
        call.line = line
        return call

    def _flow(self, brand: str) -> Flow:
        flow = self.drafts.flows.get(brand)
        if flow is None:
            raise TownError(f"{brand[:40]}: no such brand; there are: {', '.join(self.drafts.flows) or 'none'}")
        return flow

    def _in(self, conversation: str) -> Conversation:
        found = self.place.desk.conversation(conversation)
        if found.state == "CLOSE":
            raise TownError("This conversation is closed.")
        return found

    # What is told.

    def _tell_event(self, event: Event) -> None:
        self.news.tell("line", {"at": int(event.seconds), "who": event.who, "what": event.what})

    def _is_played_here(self) -> bool:
        """Not by a script, whose people have phones of their own."""
        return self.place.transcript is self._transcript

    def _on_opened(self, conversation: Conversation) -> None:
        self._opened(conversation)
        if self._is_played_here():
            self._tell_conversation(conversation)

    def _on_published(self, conversation: Conversation, text: str) -> None:
        self._published(conversation, text)
        if not self._is_played_here():
            return
        self._tell_conversation(conversation)
        if self._clock and self.answers_itself and _NOTE.sub("", text, count=1).strip():
            self._clock.later(THINKS, partial(self._answer_itself, conversation, len(conversation.texts)))

    def _on_received(self, body: str) -> None:
        self._received(body)
        if not self._is_played_here():
            return
        text = next(found for found in reversed(self.place.carrier.texts) if found["body"] == body)
        self._to = text["to"]
        sender = text["from"] or text["messaging_service_sid"]
        brand = next((flow.id for flow in self.drafts.flows.values() if flow.sender.address == sender), "")
        self.news.tell("text", {"from": "brand", "brand": brand, "body": body, "to": numbers.full(text["to"])})

    def _answer_itself(self, conversation: Conversation, texts: int) -> None:
        """Unless a person did, or the consumer wrote more."""
        if self.answers_itself and conversation.state == "OPEN" and len(conversation.texts) == texts:
            said = sum(role == "ASSIGNED_AGENT" for _, role, _ in conversation.texts)
            self.answer(conversation.id, ANSWERS[min(said, len(ANSWERS) - 1)])

    def _tell_conversation(self, conversation: Conversation) -> None:
        self.news.tell("conversation", _shown(conversation))


def _shown(conversation: Conversation) -> dict[str, Any]:
    """As the agent sees it; a text of the consumer's in brackets is a line that nobody wrote."""
    told = conversation.profile.get("authenticatedData", {}).get("lp_sdes", [])
    info: dict[str, Any] = next((sde["info"] for sde in told if sde["type"] == "ctmrinfo"), {})
    personal: dict[str, Any] = next((sde["personal"] for sde in told if sde["type"] == "personal"), {})
    contact = (personal.get("contacts") or [{}])[0]
    facts = {
        "Brand": info.get("accountName"),
        "Branch": info.get("companyBranch"),
        "Skill": "any" if conversation.skill == "-1" else conversation.skill,
        "Phone": contact.get("phone"),
        "Call": info.get("socialId", "")[:10],
    }
    return {
        "id": conversation.id,
        "state": conversation.state,
        "facts": [[name, value] for name, value in facts.items() if value],
        "texts": [said for _, role, text in conversation.texts for said in _said(role, text)],
    }


def _said(role: str, text: str) -> Iterator[dict[str, str]]:
    """A text of the consumer's may begin with the line in brackets that tells where they come from."""
    note = _NOTE.match(text) if role == "CONSUMER" else None
    if note:
        yield {"who": "note", "text": note[0].strip()}
    if words := text[note.end() if note else 0 :].strip():
        yield {"who": "consumer" if role == "CONSUMER" else "agent", "text": words}


def _url(flow: Flow, number: str) -> str:
    if number.startswith("branch:"):
        return f"/voice/{flow.id}/{number.removeprefix('branch:')}"
    return "/voice" if number in flow.numbers else f"/voice/{flow.id}"
