"""Load: a process of its own that sends webhooks over kept connections, closed-loop or on a schedule."""

import gc
import multiprocessing
import socket
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from threading import Lock, Thread
from urllib.parse import urlsplit

from tests.bench import connections, webhooks
from tests.bench.figures import BenchFailed

PATIENCE = 30.0  # seconds for one answer


@dataclass(frozen=True, slots=True)
class Load:
    url: str
    calls: range  # each with a CallSid of its own, see webhooks.form
    connections: int = 8
    interval: float = 0.0  # seconds between arrivals; 0: closed-loop, each connection sends when it was answered
    ramp: float = 0.0  # closed-loop: seconds over which the connections begin
    seconds: float = 60.0  # nothing is sent after so many
    path: str = webhooks.OFFER
    says: str = webhooks.OFFERED  # every answer is a 200 with this in it
    more: Mapping[str, str] = field(default_factory=dict)  # parameters beside the call's own
    consumers: int = 0  # texts instead of calls, of so many consumers
    workers: tuple[int, ...] = ()  # the server's, each of which is to have as many of the connections


@dataclass(frozen=True, slots=True)
class Sent:
    """One entry an answer: when it came (seconds from the start), and how long after it was due to be sent."""

    answered: list[float]
    latencies: list[float]
    documents: frozenset[bytes]
    began: float  # monotonic, the same clock in all processes of a machine

    @property
    def rate(self) -> float:
        return len(self.answered) / max(self.answered)

    def rate_between(self, since: float, until: float) -> float:
        return sum(since <= at < until for at in self.answered) / (until - since)


def send(load: Load) -> Sent:
    with prepared(load) as start:
        return start()


def measured(load: Load, cpu: Callable[[], float]) -> tuple[Sent, float]:
    """What was sent, and the seconds of `cpu` that each call of it took."""
    with prepared(load) as start:
        before = cpu()
        sent = start()
        return sent, (cpu() - before) / len(sent.answered)


@contextmanager
def prepared(load: Load) -> Iterator[Callable[[], Sent]]:
    """A generator with every request signed and every connection open; calling what this yields starts it."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_generate, args=(load, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        _received(ours)
        yield lambda: _run(ours)
    finally:
        process.kill()
        process.join()


def _run(generator: Connection) -> Sent:
    generator.send("go")
    sent = _received(generator)
    assert isinstance(sent, Sent)
    return sent


def _received(generator: Connection) -> object:
    try:
        got: object = generator.recv()
    except EOFError:
        raise BenchFailed("A load generator died.") from None
    if isinstance(got, str):
        raise BenchFailed(got)
    return got


def _generate(load: Load, parent: Connection) -> None:
    try:
        run = _Run(load)
        parent.send(None)
        parent.recv()
        parent.send(run.sent())
    except BaseException:
        parent.send(traceback.format_exc())


class _Run:
    """A thread a connection; each takes the next request when it is free, and waits until that one is due."""

    def __init__(self, load: Load) -> None:
        self._load = load
        forms = (
            webhooks.text(call, load.consumers) if load.consumers else webhooks.form(call, load.more)
            for call in load.calls
        )
        self._requests = [webhooks.request(load.url, load.path, form) for form in forms]
        self._next = iter(enumerate(self._requests))
        self._lock = Lock()
        self._results: list[tuple[float, float, bytes]] = []
        self._failure: str | None = None
        self._began = 0.0
        address = urlsplit(load.url)
        where = (str(address.hostname), int(address.port or 80))
        self._sockets = (
            connections.spread(where, load.connections, load.workers, PATIENCE)
            if load.workers
            else connections.opened(where, load.connections, PATIENCE)
        )
        gc.freeze()  # a collection is a pause that no caller would see
        gc.disable()

    def sent(self) -> Sent:
        threads = [Thread(target=self._guarded, args=each, daemon=True) for each in enumerate(self._sockets)]
        self._began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._failure:
            raise BenchFailed(self._failure)
        answered, latencies, documents = zip(*self._results, strict=True)
        return Sent(list(answered), list(latencies), frozenset(documents), self._began)

    def _guarded(self, number: int, connection: socket.socket) -> None:
        try:
            self._talk(number, connection)
        except Exception:
            self._failure = traceback.format_exc()

    def _talk(self, number: int, connection: socket.socket) -> None:
        load = self._load
        time.sleep(load.ramp * number / load.connections)
        while self._failure is None:
            with self._lock:
                index, request = next(self._next, (-1, b""))
            if index < 0 or time.monotonic() - self._began > load.seconds:
                return
            due = self._due(index)
            connection.sendall(request)
            document = answer(connection, load.says)
            now = time.monotonic()
            self._results.append((now - self._began, now - due, document))

    def _due(self, index: int) -> float:
        now = time.monotonic()
        if not self._load.interval:
            return now
        due = self._began + index * self._load.interval
        if due > now:
            time.sleep(due - now)
        return due


def answer(connection: socket.socket, says: str) -> bytes:
    got = b""
    while True:
        head, end, body = got.partition(b"\r\n\r\n")
        if end and len(body) >= _length(head):
            break
        more = connection.recv(65536)
        if not more:
            raise BenchFailed(f"The server closed the connection after {got[:500]!r}.")
        got += more
    if not head.startswith(b"HTTP/1.1 200 ") or says.encode() not in body:
        raise BenchFailed(f"Not the answer that was expected ({says!r}): {got[:2000]!r}")
    return body


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise BenchFailed(f"An answer without a Content-Length: {head[:500]!r}")
