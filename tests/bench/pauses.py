"""Pauses: when the machine itself was slow. A guest sees those of its host as a slow processor, and as no waiting."""

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from statistics import median

from tests.bench.load import Sent

LOOKS_EVERY = 0.004  # seconds
STEPS = 10_000  # of a look, which takes a fifth of a millisecond
SLOW = 2.5  # times as much CPU as most looks took; beside a busy server it is up to twice
# Seconds. What came in a pause still waits when it is over, and who comes then waits behind it.
CLEARS_WITHIN = 0.3


@contextmanager
def watched() -> Iterator[Callable[[], list[float]]]:
    """Look at the machine until what this yields is called: the moments (monotonic) when it was slow."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_look, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    try:
        yield lambda: _slow(ours)
    finally:
        process.kill()
        process.join()


def steady(sent: Sent, slow: Sequence[float]) -> list[float]:
    """The latencies, without those that a pause of the machine's may have made."""
    moments = [moment - sent.began for moment in slow]
    return [
        latency
        for answered, latency in zip(sent.answered, sent.latencies, strict=True)
        if not any(answered - latency - CLEARS_WITHIN < moment < answered for moment in moments)
    ]


def _slow(watching: Connection) -> list[float]:
    watching.send("enough")
    looks: list[tuple[float, float]] = watching.recv()
    usual = median(took for _, took in looks)
    return [at for at, took in looks if took > SLOW * usual]


def _look(parent: Connection) -> None:
    """By its own CPU time: waiting for a core that a server has is no pause."""
    looks = []
    while not parent.poll(LOOKS_EVERY):
        before = time.thread_time()
        sum(range(STEPS))
        looks.append((time.monotonic(), time.thread_time() - before))
    parent.recv()
    parent.send(looks)
