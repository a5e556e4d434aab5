"""Stories: what happens in a call, as the server's engine tells it and as the runner of a definition does."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from ivr import numbers
from ivr.flow import engine
from ivr.flow.engine import Heard
from ivr.flow.model import Flow, Recording, Spoken, ToSip
from ivr.flow.script import Dial, Enqueue, GoOut, GoTo, HangUp, Listen, Script, Speak, Step
from ivr.flow.twiml import Caller
from ivr.flow.words import DIGITS_CLOSE, DIGITS_OPEN
from ivr.studio.run import Agents, Run

CALLER = "+14155552671"
Story = list[tuple[str, str]]
MOST = 60  # events; menus may lead in circles
TEXT = Heard(text="sent")


def _words(flow: Flow, spoken: Spoken, accept: str = "") -> str:
    if isinstance(spoken, Recording):
        return f"(plays {spoken.url})"
    said = spoken.spoken(Caller(CALLER).words(accept, ""))
    return said.replace(DIGITS_OPEN, "").replace(DIGITS_CLOSE, "").replace(numbers.full(CALLER), CALLER)


class ByTheServer:
    """Every text is taken by Twilio, and what becomes of it is not known."""

    def __init__(self, flow: Flow, keys: Sequence[str], agents: Agents) -> None:
        self.flow, self.keys, self.agents, self.story = flow, list(keys), agents, Story()

    def tell(self, place: str) -> Story:
        script: Script | None = self.at(Step(place), Heard())
        while script and len(self.story) < MOST:
            script = self.run(script)
        return [(who, " ".join(what.split())) for who, what in self.story]

    def at(self, step: Step, heard: Heard) -> Script:
        answer = engine.answer(self.flow, step, heard)
        if answer.accepts:
            self.story.append(("text", _words(self.flow, answer.accepts.greeting)))
            return engine.texted(self.flow, answer.accepts, 0, TEXT)
        return answer.script

    def run(self, script: Script) -> Script | None:
        for verb in script:
            match verb:
                case Speak(spoken):
                    self.story.append(("ivr", _words(self.flow, spoken)))
                case Listen():
                    branch = self.flow.branches.get(verb.then.place)
                    self.story.append(("ivr", _words(self.flow, verb.prompt, branch.accept if branch else "")))
                    if key := self.keys.pop(0) if self.keys else "":
                        self.story.append(("caller", f"presses {key}"))
                        return self.at(verb.then, Heard(key, key, text=TEXT.text))
                case GoTo(step):
                    return self.at(step, TEXT)
                case Enqueue(queue, then):
                    return self.queue(queue, then)
                case Dial(to, then):
                    address = to.address if isinstance(to, ToSip) else to.number
                    self.story.append(("call", f"rings {numbers.full(address)}"))
                    return self.person(then, {"nobody": "no-answer", "full": "busy"}.get(self.agents, ""))
                case GoOut(url):
                    self.story.append(("call", f"goes on at {url}"))
                    return None
                case HangUp():
                    return None
        return None

    def queue(self, queue: str, then: Step) -> Script | None:
        if self.agents == "full":
            self.story.append(("call", f"queue {queue} is full"))
            return self.at(then, Heard(result="queue-full"))
        self.story.append(("call", f"waits in queue {queue}"))
        if self.agents == "nobody":
            self.story.append(("caller", "hangs up"))
            return None
        return self.person(then, "")

    def person(self, then: Step, failed: str) -> Script | None:
        if failed:
            return self.at(then, Heard(result=failed))
        self.story.append(("call", "is answered by a person"))
        return None


def by_studio(definition: Any, keys: Sequence[str], agents: Agents) -> Story:
    told = Story()
    Run(
        definition,
        datetime(2026, 3, 2, 14, 22, tzinfo=UTC),
        lambda who, what: told.append((who, " ".join(what.split()))),
        lambda _seconds: None,
        keys=keys,
        agents=agents,
    ).play()
    return told[1:-1]


def comparable(story: Story) -> Story:
    """As far as is compared: a caller who is sent to a URL of the brand's is heard of no more."""
    cut = next((at for at, (_, what) in enumerate(story) if what.startswith("goes on at ")), MOST)
    return [(who, what.split(": return")[0]) for who, what in islice(story, min(cut + 1, MOST))]
