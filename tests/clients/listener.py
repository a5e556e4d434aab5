"""A listener on loopback that answers every request with the same bytes, and keeps what it was told."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread


class Listener(ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, answer: bytes, keep: bool, drips: bytes, tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.answer = answer
        self.keep = keep
        self.drips = drips
        self.tls = tls
        self.connections = 0
        self.requests: list[bytes] = []

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/"

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Connection(StreamRequestHandler):
    server: Listener

    def setup(self) -> None:
        if self.server.tls:
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self) -> None:
        super().finish()
        self.request.close()

    def handle(self) -> None:
        self.server.connections += 1
        while request := self._request():
            self.server.requests.append(request)
            try:
                self.wfile.write(self.server.answer)
                if self.server.drips:
                    self._drip()
            except OSError:  # the other side has heard enough
                return
            if not self.server.keep:
                return

    def _drip(self) -> None:
        """Twenty pieces a second, until the other side goes."""
        self.connection.settimeout(0.05)
        while True:
            self.wfile.write(self.server.drips)
            try:
                if not self.connection.recv(1):
                    return
            except TimeoutError:
                continue

    def _request(self) -> bytes:
        """The head and the body of one; nothing when the other side has gone."""
        head, length = b"", 0
        for line in self.rfile:
            head += line
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
            if line == b"\r\n":
                return head + self.rfile.read(length)
        return b""


@contextmanager
def listening(
    answer: bytes, keep: bool = True, drips: bytes = b"", tls: ssl.SSLContext | None = None
) -> Iterator[Listener]:
    """`drips`: what follows the answer again and again, slowly and without an end."""
    with Listener(answer, keep, drips, tls) as there:
        thread = Thread(target=there.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield there
        finally:
            there.shutdown()
            thread.join()
