"""Load: a process of its own that sends webhooks over kept connections, closed-loop or on a schedule."""

import gc
import multiprocessing
import select
import socket
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
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


@dataclass(slots=True)
class _Line:
    connection: socket.socket
    free_since: float
    due: float = 0.0
    got: bytes = b""


class _Run:
    """One thread, which waits for what comes first: an answer, or the moment when the next request is due.

    With a thread for each connection the generator took half as much CPU as the server, of the same two cores.
    """

    def __init__(self, load: Load) -> None:
        self._load = load
        forms = (
            webhooks.text(call, load.consumers) if load.consumers else webhooks.form(call, load.more)
            for call in load.calls
        )
        self._requests = [webhooks.request(load.url, load.path, form) for form in forms]
        self._next = 0
        self._results: list[tuple[float, float, bytes]] = []
        self._began = 0.0
        address = urlsplit(load.url)
        where = (str(address.hostname), int(address.port or 80))
        self._sockets = (
            connections.spread(where, load.connections, load.workers, PATIENCE)
            if load.workers
            else connections.opened(where, load.connections, PATIENCE)
        )
        self._free: deque[_Line] = deque()
        self._asked: dict[socket.socket, _Line] = {}
        gc.freeze()  # a collection is a pause that no caller would see
        gc.disable()

    def sent(self) -> Sent:
        began = self._began = time.monotonic()
        step = self._load.ramp / self._load.connections
        self._free.extend(_Line(each, began + number * step) for number, each in enumerate(self._sockets))
        while self._next < len(self._requests) or self._asked:
            self._receive(self._send_what_is_due())
        answered, latencies, documents = zip(*self._results, strict=True)
        return Sent(list(answered), list(latencies), frozenset(documents))

    def _send_what_is_due(self) -> float:
        """How long to wait for an answer, in seconds: until the next request is due."""
        while self._free and self._next < len(self._requests):
            now = time.monotonic()
            if now - self._began > self._load.seconds:
                self._next = len(self._requests)
                break
            line = self._free[0]
            interval = self._load.interval
            line.due = self._began + self._next * interval if interval else line.free_since
            if line.due > now:
                return line.due - now
            self._asked[line.connection] = self._free.popleft()
            line.connection.sendall(self._requests[self._next])
            self._next += 1
        return PATIENCE

    def _receive(self, wait: float) -> None:
        # Not epoll, which waits for whole milliseconds.
        ready, _, _ = select.select(self._asked, (), (), wait)
        if not ready and wait == PATIENCE and self._asked:
            raise BenchFailed(f"No answer came within {PATIENCE:.0f} s.")
        for connection in ready:
            line = self._asked[connection]
            line.got += _more(connection, line.got)
            document = _document(line.got, self._load.says)
            if document is not None:
                del self._asked[connection]
                now = time.monotonic()
                self._results.append((now - self._began, now - line.due, document))
                line.got, line.free_since = b"", now
                self._free.append(line)


def answer(connection: socket.socket, says: str) -> bytes:
    got = b""
    while (document := _document(got, says)) is None:
        got += _more(connection, got)
    return document


def _more(connection: socket.socket, got: bytes) -> bytes:
    more = connection.recv(65536)
    if not more:
        raise BenchFailed(f"The server closed the connection after {got[:500]!r}.")
    return more


def _document(got: bytes, says: str) -> bytes | None:
    """None while it is not whole."""
    head, end, body = got.partition(b"\r\n\r\n")
    if not end or len(body) < _length(head):
        return None
    if not head.startswith(b"HTTP/1.1 200 ") or says.encode() not in body:
        raise BenchFailed(f"Not the answer that was expected ({says!r}): {got[:2000]!r}")
    return body


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise BenchFailed(f"An answer without a Content-Length: {head[:500]!r}")
