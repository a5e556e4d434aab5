"""Scripts become TwiML: the bytes that Twilio reads."""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from twilio.twiml import TwiML
from twilio.twiml.voice_response import Dial as DialVerb
from twilio.twiml.voice_response import Gather, Say, VoiceResponse

from ivr import numbers
from ivr.flow import engine
from ivr.flow.model import Branch, Flow, Menu, Recording, Spoken, ToSip
from ivr.flow.script import (
    Dial,
    Enqueue,
    GoOut,
    GoTo,
    HangUp,
    Listen,
    ReturnToStudio,
    Script,
    Speak,
    Step,
    Verb,
    Wait,
)
from ivr.flow.words import DIGITS_CLOSE, DIGITS_OPEN, PHRASES, Words, digit_by_digit

EMPTY = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'
NOBODY = PHRASES["nobody"]
NOT_IN_SERVICE = "We are sorry, this number is not in service."

_DIGITS = re.compile(f"{DIGITS_OPEN}([^{DIGITS_CLOSE}]*){DIGITS_CLOSE}")


@dataclass(frozen=True, slots=True)
class Caller:
    """What a document may need to know of the call."""

    address: str = ""  # From, as Twilio sent it
    caller_id: str = ""  # for Dial, where the caller's own address cannot be shown (SIP, client)
    account_sid: str = ""
    studio_flow: str = ""  # FW…, when a Studio flow sent the caller
    studio_execution: str = ""
    studio_visit: int = 0  # how often this call went back already
    secret: str = field(default="", repr=False)  # this call's own

    def mark(self, number: str) -> str:
        """What stands for a keyed-in number in our callbacks, where nobody can read it."""
        return hmac.new(self.secret.encode(), number.encode(), "sha256").hexdigest()[:8]

    @property
    def plain(self) -> bool:
        """Nothing in a document depends on this caller but the words that name them."""
        return not (self.caller_id or self.studio_flow)

    def words(self, accept: str, about: str) -> Mapping[str, str]:
        """The template values that only a call knows. `about`: the number in question, where it is not the caller's."""
        own = numbers.read(self.address)
        number = numbers.read(about) if about else own
        return {
            "caller": own.full if own else "your number",
            "ending": digit_by_digit(number.ending) if number else "",
            "number": digit_by_digit(number.dialled_at_home) if number else "",
            "accept": accept,
        }


def document(flow: Flow, script: Script, caller: Caller) -> bytes:
    response = VoiceResponse()
    for verb in script:
        _write(response, flow, verb, caller)
    return _bytes(response)


def sentence(text: str) -> bytes:
    """One neutral sentence and a hang-up, for a call that no brand owns."""
    response = VoiceResponse()
    response.say(text)
    response.hangup()
    return _bytes(response)


def back_to_studio(caller: Caller, result: str, reason: str) -> bytes:
    response = VoiceResponse()
    _studio(response, caller, ReturnToStudio(result, reason))
    return _bytes(response)


def ready_made(flow: Flow) -> dict[str, bytes]:
    """The first document of every menu and branch that says the same to every plain caller."""
    documents = {}
    places: list[Menu | Branch] = [*flow.menus.values(), *flow.branches.values()]
    for place in places:
        script = engine.enter(flow, place, engine.Heard()).script
        if not any(_depends_on_the_call(verb) for verb in script):
            documents[place.name] = document(flow, script, Caller())
    return documents


def _depends_on_the_call(verb: Verb) -> bool:
    spoken = verb.spoken if isinstance(verb, Speak) else verb.prompt if isinstance(verb, Listen) else None
    return isinstance(spoken, Words) and spoken.source is not None


def _bytes(response: TwiML) -> bytes:
    return str(response).encode("utf-8")


def _write(response: VoiceResponse, flow: Flow, verb: Verb, caller: Caller) -> None:
    match verb:
        case Speak(spoken, number):
            _speak(response, flow, spoken, caller.words("", number))
        case Listen():
            _listen(response, flow, verb, caller)
        case Wait(seconds):
            response.pause(length=seconds)
        case Enqueue(queue, then):
            response.enqueue(queue, action=_url(flow, then, caller), method="POST")
        case Dial(to, then):
            _dial(response, to.address if isinstance(to, ToSip) else to.number, _url(flow, then, caller), caller)
        case GoTo(step):
            response.redirect(_url(flow, step, caller), method="POST")
        case GoOut(url):
            response.redirect(url, method="POST")
        case ReturnToStudio():
            _studio(response, caller, verb)
        case HangUp():
            response.hangup()


def _listen(response: VoiceResponse, flow: Flow, verb: Listen, caller: Caller) -> None:
    # For one key, finish_on_key "": # and * are keys like any other, not the end of an empty input.
    ends = {"finish_on_key": "#"} if verb.digits else {"num_digits": 1, "finish_on_key": ""}
    gather = Gather(
        input="dtmf", timeout=verb.wait, **ends, action=_url(flow, verb.then, caller, verb.number), method="POST"
    )
    branch = flow.branches.get(verb.then.place)
    words = caller.words(branch.accept if branch else "", verb.number)
    if verb.number and (isinstance(verb.prompt, Recording) or words["number"] not in verb.prompt.spoken(words)):
        _speak(gather, flow, Words(words["number"]), words)  # a brand's own phrase that leaves it out
    _speak(gather, flow, verb.prompt, words)
    response.append(gather)


def _dial(response: VoiceResponse, to: str, action: str, caller: Caller) -> None:
    dial = DialVerb(action=action, method="POST", caller_id=caller.caller_id or None)
    if to.startswith("sip"):
        dial.sip(to)
    else:
        dial.number(to)
    response.append(dial)


def _speak(parent: VoiceResponse | Gather, flow: Flow, spoken: Spoken, of_the_call: Mapping[str, str]) -> None:
    if isinstance(spoken, Recording):
        parent.play(spoken.url)
        return
    text = spoken.spoken(of_the_call)
    say = Say(None, voice=flow.voice, language=flow.language)
    if flow.voice and "." in flow.voice:  # Polly and Google read SSML; man and woman read it aloud
        _digits_as_ssml(say, text)
    else:
        say.value = _DIGITS.sub(lambda match: " ".join(match[1]), text)
    parent.append(say)


def _digits_as_ssml(say: Say, text: str) -> None:
    for index, part in enumerate(_DIGITS.split(text)):
        if index % 2:
            say.say_as(part, interpret_as="digits")
        elif part:
            say.append(part)


def _url(flow: Flow, step: Step, caller: Caller, number: str = "") -> str:
    """The callback of a step: plain ASCII, relative to our own host, with Studio's ids carried along.

    `number`: the one that the key there is about.
    """
    query: dict[str, str | int] = {}
    if step.name:
        query["step"] = step.name
    if step.attempt > 1:
        query["try"] = step.attempt
    if step.role == "fallback":
        query["role"] = step.role
    if step.until is not None:
        query["closed"] = step.until
    if step.channel != "sms":
        query["by"] = step.channel
    if number:
        query["about"] = caller.mark(number)
    if caller.studio_flow:
        query["flow"] = caller.studio_flow
        if caller.studio_execution:
            query["exec"] = caller.studio_execution
        if caller.studio_visit:
            query["visit"] = caller.studio_visit
    path = f"/voice/{flow.id}/{step.place}"
    return f"{path}?{urlencode(query)}" if query else path


def _studio(response: VoiceResponse, caller: Caller, back: ReturnToStudio) -> None:
    # Studio takes a call back by this URL alone; what stands in the query becomes {{widgets.NAME.result}}.
    values = {"result": back.result, "reason": back.reason, "ref": back.ref}
    query = {"FlowEvent": "return", **{name: value for name, value in values.items() if value}}
    flow_url = f"https://webhooks.twilio.com/v1/Accounts/{caller.account_sid}/Flows/{caller.studio_flow}"
    response.redirect(f"{flow_url}?{urlencode(query)}", method="POST")
