"""Pauses: when the machine itself was slow. A virtual machine that waits for its host may not know; its CPU seems slow."""

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

from tests.bench.figures import BenchFailed, percentile
from tests.bench.load import Sent

LOOKS_EVERY = 0.004  # seconds
STEPS = 10_000  # of a look, which takes a fifth of a millisecond
SLOW = 2.5  # times as much CPU as a look usually takes; beside a busy server it is up to twice
# Seconds. A pause has begun before it is seen, what came in it still waits when it is over, and who comes then behind.
BEFORE, AFTER = 0.03, 0.3


@dataclass(frozen=True, slots=True)
class Look:
    began: float  # monotonic
    ended: float
    took: float  # seconds of CPU


@contextmanager
def watched() -> Iterator[Callable[[], list[Look]]]:
    """Look at the machine until what this yields is called."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_look, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    try:
        yield lambda: _looks(ours)
    finally:
        process.kill()
        process.join()


def usual(looks: Sequence[Look]) -> float:
    """What a look takes on this machine when it is left alone: of many runs, so that a slow one is seen as slow."""
    return percentile([look.took for look in looks], 25)


def steady(sent: Sent, looks: Sequence[Look], usually: float) -> list[float]:
    """The latencies of what was due at no pause of the machine's, nor shortly after one."""
    slow = [look for look in looks if look.took > SLOW * usually]
    pauses = [(look.began - BEFORE - sent.began, look.ended + AFTER - sent.began) for look in slow]
    return [
        latency
        for answered, latency in zip(sent.answered, sent.latencies, strict=True)
        if not any(begins < answered - latency < ends for begins, ends in pauses)
    ]


def _looks(watching: Connection) -> list[Look]:
    try:
        watching.send("enough")
        looks: list[Look] = watching.recv()
    except (EOFError, OSError):
        raise BenchFailed("What watches the machine died.") from None
    return looks


def _look(parent: Connection) -> None:
    """By its own CPU time: waiting for a core that a server has is no pause."""
    looks = []
    while not parent.poll(LOOKS_EVERY):
        began, before = time.monotonic(), time.thread_time()
        sum(range(STEPS))
        took = time.thread_time() - before
        looks.append(Look(began, time.monotonic(), took))
    parent.recv()
    parent.send(looks)
