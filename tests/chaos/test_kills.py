"""SIGKILL at any moment of an accept: every accepted offer is one text, none lost, none doubled."""

import os
import random
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.chaos.fleet import Fleet, fleet
from tests.databases import KINDS, new_database

KILLS = int(os.environ.get("CHAOS_KILLS", "50"))
# A killed process's lease, the wait for a callback, the question, and slack.
SETTLES_WITHIN = 150.0

pytestmark = pytest.mark.skipif(not Path("/proc").exists(), reason="no /proc: a fleet's processes cannot be told apart")


@pytest.fixture(params=KINDS)
def here(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fleet]:
    """Two web processes; on PostgreSQL a worker process beside them, on SQLite the worker in each of them."""
    separate = {"WORKER": "separate"} if request.param == "postgresql" else {}
    with (
        new_database(request.param, tmp_path) as url,
        fleet(url, tmp_path, WEB_CONCURRENCY="2", LOG_LEVEL="warning", **separate) as built,
    ):
        yield built


def separate(here: Fleet) -> bool:
    return here.environ.get("WORKER") == "separate"


def test_killed_at_random_moments(here: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    chance, over = random.Random(3), threading.Event()
    master = here.web()
    worker = here.start("ivr", "worker") if separate(here) else None

    def callers(say_yes: Callable[[], object]) -> None:
        while not over.is_set():
            say_yes()

    with ThreadPoolExecutor(4) as pool:
        for say_yes in (here.accept, here.accept, here.deflect, here.deflect):
            pool.submit(callers, say_yes)
        for kill in range(KILLS):
            threading.Event().wait(chance.uniform(0.1, 0.5))
            if worker and kill % 4 == 0:
                here.kill(worker.pid)
                worker.wait()
                worker = here.start("ivr", "worker")
            elif children := here.children(master):
                here.kill(chance.choice(children))
        over.set()
    count = here.settle(SETTLES_WITHIN)
    with capsys.disabled():
        print(f"\n{KILLS} kills at random moments: {count}")
    assert (count.lost, count.doubled) == (0, 0)
    assert count.accepted > KILLS
    assert len(here.answered) > KILLS / 2, "another IVR's callers were among them"


def test_killed_at_each_named_point(here: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    """After the commit; at Twilio and not taken; taken and not answered; answered; answered and not to be recorded."""
    master = here.web()
    if separate(here):
        here.start("ivr", "worker")
    killed = [_killed_after_the_commit(here, master) for _ in range(3)]

    def kill_all() -> None:
        here.before = here.after = lambda: None
        for pid in here.children(master):
            here.kill(pid)
            killed.append(pid)

    class Cut(Exception):
        """The connection ends without an answer."""

    def before_it_was_taken() -> None:
        kill_all()
        raise Cut

    def taken() -> None:
        here.after = up_again_and_kill
        here.weather.set("drop")

    def up_again_and_kill() -> None:
        here.weather.set("up")
        kill_all()

    for _ in range(3):
        here.before = before_it_was_taken
        here.accept()
        here.before = taken
        here.accept()
        here.before = lambda: None
        here.after = kill_all
        here.accept()
        with _nothing_can_be_recorded(here):
            here.after = kill_all
            here.accept()
    count = here.settle(SETTLES_WITHIN)
    with capsys.disabled():
        print(f"\n15 kills at named points, {len(killed)} processes: {count}")
    assert (count.lost, count.doubled) == (0, 0)
    assert (count.accepted, count.texts) == (15, 15)


def _killed_after_the_commit(here: Fleet, master: subprocess.Popen[bytes]) -> int:
    """The process dies between the commit of the yes and the connection of the attempt: no byte has left it."""
    number, written = here.number(), text("SELECT state, attempts FROM messages WHERE number = :number")
    with ThreadPoolExecutor(1) as caller, here.connections_hang():
        accepted = caller.submit(here.accept, number)
        pid = here.connecting(master)
        with here.database.reads() as tx:
            assert tx.execute(written, {"number": number}).all() == [("sending", 1)], "it is committed"
        here.kill(pid)
        assert accepted.result() == 200, "Twilio asks once more, and is answered"
        with here.database.reads() as tx:
            assert tx.execute(written, {"number": number}).all() == [("sending", 1)], "which begins no second attempt"
    return pid


@contextmanager
def _nothing_can_be_recorded(here: Fleet) -> Iterator[None]:
    """The rows are locked from the request's arrival at Twilio; the process is killed when it has the answer."""
    with ExitStack() as lock:

        def take_the_lock() -> None:
            here.before = lambda: None
            tx = lock.enter_context(here.database.writes())
            if tx.dialect.name == "postgresql":
                tx.exec_driver_sql("LOCK TABLE messages IN EXCLUSIVE MODE")

        here.before = take_the_lock
        yield
