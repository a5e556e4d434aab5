"""The phone network: a caller, a call, and an engine that runs its TwiML as Twilio does, on the town's clock."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urljoin

import requests

from ivr import numbers
from ivr.sandbox import document
from ivr.sandbox.clock import Clock
from ivr.sandbox.document import BadDocument, Verb
from ivr.sandbox.transcript import Transcript
from ivr.sandbox.webhooks import Answer, Webhooks

# How the people at the other end of queues and numbers are: what becomes of a caller who is led to them.
AGENTS = ("free", "nobody", "full")
ANSWERED_AFTER = 20.0
TALKS = 60.0
HANG_UP = "h"  # as an item of the keys: the caller hangs up at this prompt
MAX_DOCUMENTS = 200  # a call that never ends is a fault of the flow, not a reason to run for ever


class CallerGone(Exception):
    """The caller hung up."""


@dataclass(slots=True)
class Call:
    """One call. `keys`: one item a prompt, "" for silence, "h" to hang up there; silence when they run out."""

    clock: Clock
    webhooks: Webhooks
    transcript: Transcript
    caller: str
    dialled: str
    keys: Sequence[str] = ()
    agents: str = "free"
    holds: float = 120.0  # seconds the caller waits for a person before hanging up
    call_sid: str = field(default_factory=lambda: f"CA{uuid.uuid4().hex}")
    status: str = "ringing"
    errors: list[str] = field(default_factory=list)
    _session: requests.Session | None = None
    _prompts: int = 0
    _url: str = ""

    def play(self, url: str) -> None:
        """The whole call, from dialling to its end; errors are in `errors` and in the transcript."""
        self._session = self.webhooks.session()
        self.transcript.add("call", f"{numbers.full(self.caller)} dials {numbers.full(self.dialled)}")
        try:
            answer: Answer | None = self._fetch(url, {})
            for _ in range(MAX_DOCUMENTS):
                if answer is None:
                    break
                answer = self._run(document.verbs(answer))
            else:
                raise BadDocument(f"the call does not end: {MAX_DOCUMENTS} documents")
        except BadDocument as error:
            self.errors.append(str(error))
            self.transcript.add("call", f"error {error}")
        except CallerGone:
            self.transcript.add("caller", "hangs up")
        self.status = "completed"
        self.transcript.add("call", "ends")

    def _run(self, verbs: list[Verb]) -> Answer | None:
        """Execute top down; the next document, or None at the end of the call."""
        for verb in verbs:
            if verb.tag in ("Hangup", "Reject"):
                return None
            if verb.tag == "Redirect":
                return self._redirected((verb.text or "").strip())
            if verb.tag == "Gather":
                answer = self._gather(verb)
            elif verb.tag == "Enqueue":
                answer = self._enqueue(verb)
            elif verb.tag == "Dial":
                answer = self._dial(verb)
            else:
                self._hear(verb)
                continue
            if answer is not None:
                return answer
        return None

    def _hear(self, verb: Verb) -> None:
        text = document.spoken(verb)
        if text:
            self.transcript.add("ivr", text)
        self.clock.advance(document.seconds(verb))

    def _gather(self, verb: Verb) -> Answer | None:
        self._hear(verb)
        keys = self.keys[self._prompts] if self._prompts < len(self.keys) else ""
        self._prompts += 1
        if keys == HANG_UP:
            raise CallerGone
        digits, at_once = document.collected(verb, keys)
        if keys:
            self.transcript.add("caller", f"presses {keys}")
        if not at_once:
            self.clock.advance(float(verb.get("timeout", "5")))
        if not digits and verb.get("actionOnEmptyResult") != "true":
            return None
        extra = {"Digits": digits, "FinishedOnKey": "", "msg": "Gather End"}
        return self._fetch(verb.get("action") or self._url, extra)

    def _redirected(self, url: str) -> Answer | None:
        result = document.studio_result(url)
        if result is not None:
            self.transcript.add("call", f"returns to Studio: {result}")
            return None
        if not self.webhooks.ours(urljoin(self._url, url)):
            self.transcript.add("call", f"goes on at {url}")
            return None
        return self._fetch(url, {})

    def _enqueue(self, verb: Verb) -> Answer | None:
        name = (verb.text or "").strip()
        if self.agents == "full":
            self.transcript.add("call", f"queue {name} is full")
            return self._after(verb, {"QueueResult": "queue-full", "QueueTime": "0"})
        waits = ANSWERED_AFTER if self.agents == "free" else self.holds
        self.transcript.add("call", f"waits in queue {name}")
        left = self._wait(verb, waits)
        if left is not None:
            return self._after(verb, {"QueueResult": left, "QueueTime": "0"})
        if self.agents != "free":
            self.status = "completed"
            self._after(verb, {"QueueResult": "hangup", "QueueTime": str(int(waits))})
            raise CallerGone
        self._talk()
        return self._after(verb, {"QueueResult": "bridged", "QueueTime": str(int(waits))})

    def _wait(self, verb: Verb, waits: float) -> str | None:
        """Hold music, or the queue's waitUrl again and again; "leave" when a document leaves the queue."""
        url, end = verb.get("waitUrl", ""), self.clock.now + waits
        while url and self.clock.now < end:
            position = {"QueuePosition": "1", "QueueTime": str(int(waits - (end - self.clock.now)))}
            queue = {**position, "AvgQueueTime": "60", "CurrentQueueSize": "1", "MaxQueueSize": "100"}
            before = self.clock.now
            answer: Answer | None = self._fetch(url, queue)
            while answer is not None:
                verbs = document.verbs(answer, document.IN_A_QUEUE)
                if any(found.tag == "Leave" for found in verbs):
                    self._run([found for found in verbs if found.tag in ("Say", "Play", "Pause")])
                    return "leave"
                answer = self._run(verbs)
            if self.clock.now == before:
                self.clock.advance(1.0)
        self.clock.advance(max(0.0, end - self.clock.now))
        return None

    def _talk(self) -> None:
        self.transcript.add("call", "is answered by a person")
        self.clock.advance(TALKS)

    def _dial(self, verb: Verb) -> Answer | None:
        self.transcript.add("call", f"rings {document.callee(verb)}")
        if self.agents == "free":
            self.clock.advance(ANSWERED_AFTER)
            self._talk()
            return self._after(verb, {"DialCallStatus": "completed", "DialCallDuration": str(int(TALKS))})
        if self.agents == "nobody":
            self.clock.advance(float(verb.get("timeout", "30")))
        return self._after(verb, {"DialCallStatus": "no-answer" if self.agents == "nobody" else "busy"})

    def _after(self, verb: Verb, extra: dict[str, str]) -> Answer | None:
        action = verb.get("action")
        return self._fetch(action, extra) if action else None

    def _fetch(self, url: str, extra: dict[str, str]) -> Answer:
        answer = self.webhooks.post(urljoin(self._url, url), {**self._params(), **extra}, self._session)
        self._url = answer.url
        self.status = "in-progress" if self.status == "ringing" else self.status
        self._waited(answer.seconds)
        return answer

    def _waited(self, seconds: float) -> None:
        if seconds > 1:  # a wait that a caller notices
            self.clock.advance(seconds)

    def _params(self) -> dict[str, str]:
        """What Twilio sends with every voice request; geography it does not know is there and empty."""
        params = {
            "CallSid": self.call_sid,
            "AccountSid": self.webhooks.account_sid,
            "From": self.caller,
            "To": self.dialled,
            "Caller": self.caller,
            "Called": self.dialled,
            "CallStatus": self.status,
            "Direction": "inbound",
            "ApiVersion": "2010-04-01",
        }
        if not self.caller.startswith(("sip:", "client:")):
            for who in ("From", "To", "Caller", "Called"):
                params |= {f"{who}City": "", f"{who}State": "CA", f"{who}Zip": "", f"{who}Country": "US"}
        return params
