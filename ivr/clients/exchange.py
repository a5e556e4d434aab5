"""One HTTP request and its answer, within the time that an attempt has left."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import requests
from urllib3 import Timeout
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from ivr.clients.bounded import Session, bounded_adapter, content

CONNECT_SECONDS = 3.0
READ_SECONDS = 15.0  # the whole answer
ATTEMPT_SECONDS = 20.0  # one attempt in all, whatever it repeats included
MOST_BYTES = 4 * 1024 * 1024  # Twilio's thousand numbers on a page take 1.5 MB; texts and LivePerson's are far smaller


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    text: str
    headers: Mapping[str, str]

    @property
    def retry_after(self) -> float | None:
        """The seconds that the other side asks us to wait; a date is not read."""
        wait = self.headers.get("Retry-After", "")
        return float(wait) if wait.isascii() and wait.isdigit() else None


def kept_session(connections: int) -> requests.Session:
    """A session for one client, its connections kept; threads share it."""
    return Session(bounded_adapter(4, connections))


def exchange(
    session: requests.Session,
    method: str,
    url: str,
    deadline: float,
    clock: Callable[[], float],
    most: int = MOST_BYTES,
    **request: Any,
) -> Answer:
    """Ask once, and follow no redirect. Raises requests.RequestException.

    `deadline`: on `clock`. `most`: bytes of the body. `request`: as requests takes it.
    """
    request.setdefault("allow_redirects", False)
    request["timeout"] = within(deadline - clock())
    with session.request(method, url, stream=True, **request) as answer:
        return Answer(answer.status_code, content(answer, most).decode("utf-8", "replace"), answer.headers)


def within(left: float, read: float = READ_SECONDS) -> Timeout:
    """The time-outs of a request that has so many seconds left, connecting and sending included."""
    if left <= 0:
        raise requests.exceptions.ConnectTimeout("no time left for this attempt")
    return Timeout(connect=CONNECT_SECONDS, read=read, total=left)


def never_sent(error: requests.exceptions.RequestException) -> bool:
    """Whether no request can have been written: nothing was where no connection came to be."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    reason = error.args[0] if error.args else None
    if not isinstance(reason, MaxRetryError):
        return False
    # A TLS fault may come after the request was written; a certificate that is not theirs comes before.
    return isinstance(reason.reason, (NewConnectionError, ConnectTimeoutError)) or (
        "CERTIFICATE_VERIFY_FAILED" in str(reason.reason)
    )
