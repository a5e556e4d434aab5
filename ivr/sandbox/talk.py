"""The talk after a call: the consumer writes, the agent answers, each when the other's words are there."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ivr.flow import identify
from ivr.flow.model import Flow, LivePersonDesk
from ivr.sandbox.ahead import Ahead
from ivr.sandbox.carrier import Carrier
from ivr.sandbox.clock import Clock
from ivr.sandbox.conversations import Conversation
from ivr.sandbox.desk import Desk
from ivr.sandbox.scene import Scene

SETTLES_WITHIN = 0.5  # real seconds: a text may be answered by a question, and more than one thing comes of an answer
ARRIVES_WITHIN = 20.0  # real seconds: what Twilio or the desk was too busy for, say


class Tally:
    """Counts what arrives, and lets others wait for the next."""

    def __init__(self) -> None:
        self.count = 0
        self._changed = threading.Condition()

    def add(self) -> None:
        with self._changed:
            self.count += 1
            self._changed.notify_all()

    def wait_beyond(self, count: int, seconds: float = ARRIVES_WITHIN) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self.count > count, seconds)


@dataclass(slots=True)
class Talk:
    """`tell`: a line of the transcript, who and what."""

    carrier: Carrier
    desk: Desk
    tell: Callable[[str, str], None]
    at_desk: Tally = field(default_factory=Tally)  # texts that the desk has
    on_handset: Tally = field(default_factory=Tally)  # texts that a handset shows
    anywhere: Tally = field(default_factory=Tally)  # of these two, where a text may be answered by a question

    def play(self, flow: Flow, scene: Scene, consumer: str, clock: Clock, ahead: Ahead) -> None:
        def later(seconds: float) -> None:
            clock.advance(seconds)
            ahead.pass_(seconds)

        for turn in range(max(len(scene.texts), len(scene.answers))):
            if turn < len(scene.texts):
                later(9)
                self._write(flow, consumer, scene.texts[turn])
            if turn < len(scene.answers):
                later(30)
                self._answer(scene.answers[turn])

    def _write(self, flow: Flow, consumer: str, body: str) -> None:
        asked = [flow.identify, *(branch.identify for branch in flow.branches.values())]
        self.tell("consumer", identify.shown(asked, body))
        before, anywhere = self.at_desk.count, self.anywhere.count
        status = self.carrier.write(consumer, self.carrier.answers_to(consumer) or flow.sender.address, body)
        if status != 200:
            self.tell("call", f"error: the text was answered with {status}")
        elif isinstance(flow.desk, LivePersonDesk) and any(asked):
            self.anywhere.wait_beyond(anywhere)
            while self.anywhere.wait_beyond(self.anywhere.count, SETTLES_WITHIN):
                pass
        elif isinstance(flow.desk, LivePersonDesk):
            self.at_desk.wait_beyond(before)

    def _answer(self, body: str) -> None:
        """The agent of the newest conversation answers; the text travels in real time."""
        opened = [found for found in self.desk.conversations if found.state == "OPEN"]
        if not opened:
            self.tell("call", "error: there is no conversation to answer in")
            return
        self.tell("agent", body)
        before = self.on_handset.count
        self.desk.say(opened[-1].id, body)
        self.on_handset.wait_beyond(before)

    def opened(self, conversation: Conversation) -> None:
        skill = "any skill" if conversation.skill == "-1" else f"skill {conversation.skill}"
        self.tell("desk", f"opens a conversation, {skill}")

    def published(self, _conversation: Conversation, text: str) -> None:
        if text.startswith("[") and text.endswith("]"):  # a line that nobody wrote
            self.tell("desk", text)
        self.at_desk.add()
        self.anywhere.add()

    def received(self, body: str) -> None:
        self.tell("text", body)
        self.on_handset.add()
        self.anywhere.add()


def wait(clock: Clock, unfinished: Callable[[], int], within: float) -> None:
    """Let time pass, for the server and in the town, while something waits for its next attempt."""
    give_up = time.monotonic() + within
    while unfinished() and time.monotonic() < give_up:
        time.sleep(0.1)
        clock.advance(0.1)
