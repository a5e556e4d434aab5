"""Late answers: a timer keeps the connection and answers when it is due; no thread sleeps meanwhile."""

import heapq
import itertools
import socket
import time
from collections.abc import Callable, Iterator
from functools import partial
from threading import Condition, Thread

from flask import Response


class Timer:
    """Lets things happen later, all of them in one thread, which is there only while something is due."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._changed = Condition()
        self._runs = False

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Let `action`, which must neither wait nor fail, happen `seconds` from now."""
        with self._changed:
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._order), action))
            if not self._runs:
                self._runs = True
                Thread(target=self._run, name="late answers", daemon=True).start()
            self._changed.notify()

    def _run(self) -> None:
        while action := self._next():
            action()

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            while self._due:
                left = self._due[0][0] - time.monotonic()
                if left <= 0:
                    return heapq.heappop(self._due)[2]
                self._changed.wait(left)
            self._runs = False
            return None


class AnsweredLater(ConnectionError):
    """Ends a request without an answer. Who serves it gives its connection to `take`, and forgets it."""

    def __init__(self, timer: Timer, seconds: float, answer: bytes) -> None:
        super().__init__("answered later")
        self._timer, self._seconds, self._answer = timer, seconds, answer

    def take(self, connection: socket.socket) -> None:
        ours = socket.socket(fileno=connection.detach())
        ours.setblocking(False)  # an answer fits into the socket's buffer; a caller who is gone keeps nobody waiting
        self._timer.later(self._seconds, partial(_end, ours, self._answer))


def later(timer: Timer, seconds: float, answer: Response | None) -> Response:
    """A response that is `answer` in `seconds`, or the end of the connection then."""

    def handed_over() -> Iterator[bytes]:
        raise AnsweredLater(timer, seconds, _written(answer) if answer else b"")
        yield b""

    return Response(handed_over())


def _written(answer: Response) -> bytes:
    body = answer.get_data()
    answer.headers["Connection"] = "close"
    return f"HTTP/1.1 {answer.status}\r\n{answer.headers}".encode("latin-1") + body


def _end(connection: socket.socket, answer: bytes) -> None:
    try:
        with connection:
            connection.sendall(answer)
    except OSError:
        return  # nobody listens any more
