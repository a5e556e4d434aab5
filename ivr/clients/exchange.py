"""One HTTP request and its answer, within the time that an attempt has left."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

CONNECT_SECONDS = 3.0
READ_SECONDS = 15.0
ATTEMPT_SECONDS = 20.0  # one attempt in all, whatever it repeats included


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
    session = requests.Session()
    session.trust_env = False  # a proxy or .netrc in the environment must not reroute the brand's texts
    adapter = HTTPAdapter(pool_connections=4, pool_maxsize=connections, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def exchange(
    session: requests.Session, method: str, url: str, deadline: float, clock: Callable[[], float], **request: Any
) -> Answer:
    """Ask once, and follow no redirect. Raises requests.RequestException.

    `deadline`: on `clock`. `request`: as requests takes it.
    """
    left = deadline - clock()
    if left <= 0:
        raise requests.exceptions.ConnectTimeout("no time left for this attempt")
    request.setdefault("allow_redirects", False)
    timeout = (min(CONNECT_SECONDS, left), min(READ_SECONDS, left))
    answer = session.request(method, url, timeout=timeout, stream=True, **request)
    return Answer(answer.status_code, _body(answer, deadline, clock), answer.headers)


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


def _body(answer: requests.Response, deadline: float, clock: Callable[[], float]) -> str:
    """The body, however slowly it drips, within the attempt's time: the library bounds each read, not their sum."""
    body = b""
    for piece in answer.iter_content(8192):
        body += piece
        if clock() > deadline:
            answer.close()
            raise requests.exceptions.ReadTimeout("the answer dripped")
    return body.decode("utf-8", "replace")
