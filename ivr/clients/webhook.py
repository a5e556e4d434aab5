"""A desk of one's own: what consumers write goes to its URL as signed JSON."""

import json
import socket
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any

from requests import Session
from requests.adapters import HTTPAdapter
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema, RequestException
from urllib3.connection import HTTPConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationValueError,
    NameResolutionError,
    NewConnectionError,
)
from urllib3.util.connection import create_connection

from ivr.clients.bounded import Encrypted, Plain, bounded_adapter
from ivr.clients.exchange import ATTEMPT_SECONDS, Answer, exchange, kept_session, never_sent
from ivr.clients.failure import ConversationClosed, NeverSent, SendError
from ivr.clients.signature import SIGNATURE_HEADER, sign
from ivr.private import is_private

HAS_IT = 409
CLOSED = 410
AGAIN = frozenset({408, 429})
SET_UP_WRONG = frozenset({401, 403, 404, 405})  # somebody mends the URL or the secret, and what waited arrives
NO_URL = (InvalidURL, MissingSchema, InvalidSchema, LocationValueError, UnicodeError)  # the last is a name's
DESKS = 32  # hosts whose connections are kept
ADDRESSES = 3  # of one name, each with the whole time for connecting: a name with a hundred must not hold a thread


class WebhookDesk:
    """Every brand's own desk. Threads share it; its connections are kept.

    `private`: whether an address may not be called unless the brand allows it.
    """

    def __init__(
        self,
        connections: int,
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
        private: Callable[[str], bool] = is_private,
    ) -> None:
        self._now = now
        self._clock = clock
        # Two sessions: a kept connection into a private network is never one brand's because it was another's.
        self._anywhere = _session(connections)
        self._outside = _session(connections)
        for scheme in ("https://", "http://"):
            self._outside.mount(scheme, _outward(connections, private))

    def deadline(self, seconds: float = ATTEMPT_SECONDS) -> float:
        """When an attempt that begins now must have ended, on this client's clock."""
        return self._clock() + seconds

    def post(
        self, url: str, secret: str, payload: Mapping[str, Any], deadline: float, allow_private: bool = False
    ) -> Mapping[str, Any]:
        """Send one payload; the JSON object that the desk answers, {} when it answers none. Raises SendError.

        Nothing here is unclear: when an answer was lost, the repeat has the same id, and the desk takes an id once.
        """
        body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": str(payload["id"]),
            SIGNATURE_HEADER: sign(secret, body, self._now()),
        }
        answer = self._answer(self._anywhere if allow_private else self._outside, url, body, headers, deadline)
        if answer.status == HAS_IT:
            return {}
        if not 200 <= answer.status < 300:
            raise _refused(answer)
        return _object(answer.text)

    def _answer(self, session: Session, url: str, body: bytes, headers: dict[str, str], deadline: float) -> Answer:
        if self._clock() >= deadline:
            raise NeverSent("There was no time left to ask the desk")
        try:
            return exchange(session, "POST", url, deadline, self._clock, data=body, headers=headers)
        except NO_URL as error:
            raise SendError("The desk's URL cannot be used", permanent=True) from error
        except (RequestException, HTTPError) as error:
            if isinstance(error, RequestException) and never_sent(error):
                raise NeverSent("The desk could not be reached") from error
            raise SendError(f"The desk did not answer ({type(error).__name__})") from error


def _session(connections: int) -> Session:
    session = kept_session(connections)
    # One consumer's cookie must not ride on another's request.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    return session


def _refused(answer: Answer) -> SendError:
    status = answer.status
    if status in AGAIN or status >= 500:
        what = "is busy" if status == 429 else "failed"
        return SendError(f"The desk {what} ({status})", code=status, retry_after=answer.retry_after)
    if status == CLOSED:
        return ConversationClosed(f"The desk has closed the conversation ({status})", permanent=True, code=status)
    if status in SET_UP_WRONG:
        return SendError(f"The desk refused ({status}); check its URL and the secret that both sides have", code=status)
    if 300 <= status < 400:
        return SendError(f"The desk's URL leads elsewhere ({status}), which is not followed; mend it", code=status)
    return SendError(f"The desk refused ({status})", permanent=True, code=status)


def _object(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _outward(connections: int, private: Callable[[str], bool]) -> HTTPAdapter:
    """An adapter all of whose connections end at public addresses."""

    class PlainOutward(Plain):
        def _new_conn(self) -> socket.socket:
            return _connected(self, private)

    class EncryptedOutward(Encrypted):
        def _new_conn(self) -> socket.socket:
            return _connected(self, private)

    return bounded_adapter(DESKS, connections, PlainOutward, EncryptedOutward)


def _connected(connection: HTTPConnection, private: Callable[[str], bool]) -> socket.socket:
    """As urllib3 connects, but to the very addresses that were judged: the name is not asked for a second time."""
    failure: Exception | None = None
    for address in _public_addresses(connection, private):
        try:
            return _connected_to(address, connection, private)
        except TimeoutError as error:
            failure = ConnectTimeoutError(connection, f"connecting took too long: {error}")
        except OSError as error:
            failure = NewConnectionError(connection, f"no connection: {error}")
    raise failure or NewConnectionError(connection, "the name has no address")


def _public_addresses(connection: HTTPConnection, private: Callable[[str], bool]) -> list[str]:
    try:
        # Not `host`, which lacks a dot at the end: without it the resolver may look in domains of its own.
        found = socket.getaddrinfo(connection._dns_host, connection.port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise NameResolutionError(connection.host, connection, error) from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    public = [address for address in addresses if not private(address)]
    if addresses and not public:
        raise _leads_inside()
    return public[:ADDRESSES]


def _connected_to(address: str, connection: HTTPConnection, private: Callable[[str], bool]) -> socket.socket:
    """A socket to an address; who is at its other end is judged too, before a byte is written."""
    made = create_connection(
        (address, connection.port), connection.timeout, connection.source_address, connection.socket_options
    )
    try:
        if private(str(made.getpeername()[0])):
            raise _leads_inside()
    except BaseException:
        made.close()
        raise
    return made


def _leads_inside() -> SendError:
    return SendError("The desk's URL leads into a private network; set allow_private if it should", permanent=True)
