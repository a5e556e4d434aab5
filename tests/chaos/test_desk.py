"""SIGKILL of web and worker while consumers and agents talk: nothing lost, nothing doubled that an echo could settle."""

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import text

from ivr.sandbox.conversations import Conversation
from tests.chaos.fleet import Fleet, fleet
from tests.databases import KINDS, new_database
from tests.doors import ACCOUNT_SID

KILLS = int(os.environ.get("CHAOS_KILLS", "50"))
CONSUMERS = 30
SETTLES_WITHIN = 200.0  # a lease, the wait for an echo, once more for what was killed twice, and slack

pytestmark = pytest.mark.skipif(not Path("/proc").exists(), reason="no /proc: a fleet's processes cannot be told apart")


@dataclass
class Talk:
    """Consumers who write one text after the other, and agents who answer each of them."""

    here: Fleet
    numbers: list[str]
    wrote: dict[str, list[str]] = field(default_factory=dict)
    locks: dict[str, threading.Lock] = field(default_factory=dict)
    agents: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(4))

    def __post_init__(self) -> None:
        self.wrote = {number: [] for number in self.numbers}
        self.locks = {number: threading.Lock() for number in self.numbers}
        self.here.desk.published = lambda conversation, words: self._answer(conversation, words)

    def _answer(self, conversation: Conversation, words: str) -> None:
        self.agents.submit(self.here.desk.say, conversation.id, f"re: {words}")

    def write(self, number: str) -> None:
        """Twilio asks again until it is answered, with the same MessageSid."""
        with self.locks[number]:
            body = f"{number} {len(self.wrote[number])}"
            form = {
                "MessageSid": f"SM{number[1:]}x{len(self.wrote[number])}", "AccountSid": ACCOUNT_SID,
                "From": number, "To": "+14155550111", "Body": body,
            }  # fmt: skip
            for _ in range(100):
                if self.here.webhooks.post("/messages", form).status == 200:
                    self.wrote[number].append(body)
                    return
                threading.Event().wait(0.1)
            raise AssertionError("nobody answered Twilio")

    def published(self) -> dict[str, list[str]]:
        """What the desk has of each consumer, in its order."""
        found: dict[str, list[str]] = {number: [] for number in self.numbers}
        for conversation in self.here.desk.conversations:
            for _, role, words in conversation.texts:
                if role == "CONSUMER":
                    found[words.partition(" ")[0]].append(words)
        return found

    def received(self) -> dict[str, list[str]]:
        """What each handset got, in its order."""
        found: dict[str, list[str]] = {number: [] for number in self.numbers}
        for sent in self.here.carrier.texts:
            found[str(sent["to"])].append(str(sent["body"]))
        return found

    def count(self, marked: set[str]) -> tuple[list[str], list[str], list[str]]:
        """What is not at the desk or not answered; what the desk has twice; which answers a handset has twice.

        `marked`: what was sent again without knowing, and may be there twice where the desk told nothing back.
        """
        there = Counter(body for bodies in self.published().values() for body in bodies)
        shown = Counter(body for bodies in self.received().values() for body in bodies)
        wrote = [body for bodies in self.wrote.values() for body in bodies]
        lost = [body for body in wrote if not there[body]] + [body for body in there if not shown[f"re: {body}"]]
        doubled = [body for body, count in there.items() if count > 1]
        shown_twice = [body for body, count in shown.items() if count > there[body.removeprefix("re: ")]]
        assert set(doubled) <= marked, "a text is never sent again unmarked"
        return lost, doubled, shown_twice

    def in_order(self) -> None:
        """Each consumer's texts at the desk, and on the handset the agents' answers."""
        published, received = self.published(), self.received()
        for number, wrote in self.wrote.items():
            assert published[number] == wrote
            said = [
                words
                for conversation in self.here.desk.conversations
                for _, role, words in conversation.texts
                if role == "ASSIGNED_AGENT" and f" {number} " in words
            ]
            assert received[number] == said


@contextmanager
def time_passes(here: Fleet) -> Iterator[None]:
    """LivePerson's own retries wait by the town's clock."""
    over = threading.Event()

    def tick() -> None:
        while not over.wait(0.2):
            here.desk.clock.advance(0.2)

    ticking = threading.Thread(target=tick)
    ticking.start()
    try:
        yield
    finally:
        over.set()
        ticking.join()


# LivePerson's days, one a request; "late" answers when nobody listens any more, and every webhook comes twice.
FAULTS = "busy,up,busy-bare,error,up,gateway,cut,expired,up,stranger,late,drop,up,empty,slow,drop,up,late,up"


@pytest.mark.parametrize("kind", KINDS)
def test_every_fault_of_the_desk(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Real processes, real time: texts and answers arrive once, in order, however the desk is."""
    separate = {"WORKER": "separate"} if kind == "postgresql" else {}
    with (
        new_database(kind, tmp_path) as url,
        fleet(url, tmp_path, WEB_CONCURRENCY="2", LOG_LEVEL="warning", **separate) as here,
        time_passes(here),
    ):
        here.web()
        if separate:
            here.start("ivr", "worker")
        talk = Talk(here, [here.number() for _ in range(8)])
        here.desk.webhooks = "doubled"
        here.desk.set_days(FAULTS)
        for _ in range(3):
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(talk.write, talk.numbers))
        _settle(here, talk)
        with here.database.reads() as tx:
            marked = set(tx.execute(text("SELECT body FROM messages WHERE maybe_twice")).scalars())
        took = max(exchange["seconds"] for exchange in here.webhooks.exchanges if exchange["url"].endswith("/messages"))
    lost, doubled, shown_twice = talk.count(marked)
    with capsys.disabled():
        print(f"\nevery fault of the desk: written {sum(map(len, talk.wrote.values()))}, lost {len(lost)}, "
              f"doubled {len(doubled)}, shown twice {len(shown_twice)}; a text was answered within {took:.2f} s")  # fmt: skip
    assert (lost, doubled, shown_twice) == ([], [], [])
    talk.in_order()


@pytest.mark.parametrize("kind", KINDS)
def test_killed_while_they_talk(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    separate = {"WORKER": "separate"} if kind == "postgresql" else {}
    with (
        new_database(kind, tmp_path) as url,
        fleet(url, tmp_path, WEB_CONCURRENCY="2", LOG_LEVEL="warning", **separate) as here,
        time_passes(here),
    ):
        talk = Talk(here, [here.number() for _ in range(CONSUMERS)])
        _kill(here, talk, bool(separate))
        _settle(here, talk)
        with here.database.reads() as tx:
            marked = set(tx.execute(text("SELECT body FROM messages WHERE maybe_twice")).scalars())
    lost, doubled, shown_twice = talk.count(marked)
    written = sum(map(len, talk.wrote.values()))
    with capsys.disabled():
        print(f"\n{KILLS} kills while they talk: written {written}, lost {len(lost)}, doubled {len(doubled)}, "
              f"shown twice {len(shown_twice)}")  # fmt: skip
    assert (lost, doubled, shown_twice) == ([], [], []), "its echo settles what the desk has"
    assert written > KILLS
    talk.in_order()


def _kill(here: Fleet, talk: Talk, separate: bool) -> None:
    chance, over = random.Random(7), threading.Event()
    master = here.web()
    worker = here.start("ivr", "worker") if separate else None

    def writers(seed: int) -> None:
        whose = random.Random(seed)
        while not over.is_set():
            talk.write(whose.choice(talk.numbers))

    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(writers, seed) for seed in range(4)]
        for kill in range(KILLS):
            threading.Event().wait(chance.uniform(0.1, 0.5))
            if worker and kill % 2 == 0:
                here.kill(worker.pid)
                worker.wait()
                worker = here.start("ivr", "worker")
            elif children := here.children(master):
                here.kill(chance.choice(children))
        over.set()
        for writer in writing:
            writer.result()


def _settle(here: Fleet, talk: Talk) -> None:
    """Until every text is at the desk and every answer on its handset."""
    give_up = time.monotonic() + SETTLES_WITHIN
    unfinished = text(
        "SELECT count(*) FROM messages WHERE state IN ('due', 'sending', 'unclear') AND kind <> 'receipt'"
    )
    while time.monotonic() < give_up:
        with here.database.reads() as tx:
            left = tx.execute(unfinished).scalar()
        answered = sum(len(found) for found in talk.received().values())
        if not left and answered >= sum(len(found) for found in talk.wrote.values()):
            break
        threading.Event().wait(0.5)
    talk.agents.shutdown()
    here.desk.flush()
