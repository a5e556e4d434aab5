"""Connections whose answers are bounded, in time and in size, whatever the other side does."""

import io
import socket
import time
import zlib
from http.client import HTTPResponse
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import ContentDecodingError, ReadTimeout
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, ReadTimeoutError

PIECE = 64 * 1024
PACKED = ("gzip", "x-gzip", "deflate")


class TooLarge(requests.exceptions.RequestException):
    """An answer was larger than it may be."""


class Session(requests.Session):
    """Follows no redirect. Threads share it; its connections are kept."""

    def __init__(self, adapter: HTTPAdapter) -> None:
        super().__init__()
        self.trust_env = False  # a proxy or .netrc in the environment must not reroute the brand's texts
        self.headers["Accept-Encoding"] = "gzip"  # no other packing is undone here, whatever libraries there are
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Told to follow none, requests still parses where one leads, and unpacks its body without a bound."""


class _InTime(io.RawIOBase):
    """What a socket receives until a moment."""

    def __init__(self, connection: socket.socket, received: io.RawIOBase, ends: float) -> None:
        self._connection = connection
        self._received = received
        self._ends = ends

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer dripped")
        self._connection.settimeout(left)
        return self._received.readinto(buffer)

    def close(self) -> None:
        self._received.close()
        super().close()


class _Answer(HTTPResponse):
    # A socket's time-out bounds each read, and an answer may drip through any number of them. All reads of one, the
    # first of its headers and the last of its body, go through this file, be it over TLS or on a kept connection:
    # here the time-out that the socket has when the answer is begun on becomes the time for all of it.
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        seconds = sock.gettimeout()
        if seconds is not None:
            self.fp = io.BufferedReader(_InTime(sock, self.fp.detach(), time.monotonic() + seconds))


class Plain(HTTPConnection):
    response_class = _Answer


class Encrypted(HTTPSConnection):
    response_class = _Answer


def bounded_adapter(
    hosts: int, connections: int, plain: type[Plain] = Plain, encrypted: type[Encrypted] = Encrypted
) -> HTTPAdapter:
    class PlainPool(HTTPConnectionPool):
        ConnectionCls = plain

    class EncryptedPool(HTTPSConnectionPool):
        ConnectionCls = encrypted

    adapter = HTTPAdapter(pool_connections=hosts, pool_maxsize=connections, max_retries=0)
    adapter.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": EncryptedPool}
    return adapter


def content(answer: requests.Response, most: int) -> bytes:
    """The body of a streamed answer, at most `most` bytes as sent and as unpacked. Raises requests.RequestException."""
    sent = bytearray()
    try:
        for piece in answer.raw.stream(PIECE, decode_content=False):
            sent += piece
            if len(sent) > most:
                raise TooLarge(f"more than {most:,} bytes")
    except ReadTimeoutError as error:
        raise ReadTimeout(error) from error
    except HTTPError as error:
        raise requests.exceptions.ConnectionError(error) from error
    packed = answer.headers.get("Content-Encoding", "").strip().lower() in PACKED
    return _unpacked(sent, most) if packed and sent else bytes(sent)


def _unpacked(sent: bytearray, most: int) -> bytes:
    # Not by urllib3, which unpacks a piece without a bound on its steps: members that are empty cost time for nothing.
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 32)  # gzip or zlib, as it begins
    try:
        found = unpacking.decompress(sent, most + 1)
    except zlib.error as error:
        raise ContentDecodingError(error) from error
    if len(found) > most:
        raise TooLarge(f"more than {most:,} bytes, unpacked")
    if not unpacking.eof or unpacking.unused_data:
        raise ContentDecodingError("half of something packed, or more than one")
    return found
