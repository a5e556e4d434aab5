"""Files at Twilio's and LivePerson's storage, fetched whole and bounded."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError

from ivr.clients.bounded import TooLarge, content
from ivr.clients.exchange import kept_session, within
from ivr.clients.failure import SendError

MOST_BYTES = 16 * 1024 * 1024
SECONDS = 20.0
HOSTS = 5  # one after another, as redirects lead
# What a browser may show; anything else is a download.
SHOWN = ("image/png", "image/jpeg", "image/gif", "image/webp", "audio/", "video/", "application/pdf", "text/vcard")


@dataclass(frozen=True, slots=True)
class File:
    kind: str  # image/png
    content: bytes


class FileFetcher:
    """Threads share it; its connections are kept."""

    def __init__(
        self,
        connections: int,
        clock: Callable[[], float] = time.monotonic,
        seconds: float = SECONDS,
        most: int = MOST_BYTES,
    ) -> None:
        self._session = kept_session(connections)
        self._clock = clock
        self._seconds = seconds
        self._most = most

    def fetch(self, url: str, auth: tuple[str, str] | None = None) -> File:
        """GET it, redirects followed; `auth` goes to the first host alone. Raises SendError."""
        try:
            with self._answer(url, auth) as answer:
                if answer.status_code != 200:
                    raise SendError(f"the file's host answered {answer.status_code}", code=answer.status_code)
                return File(_kind(answer.headers.get("Content-Type", "")), content(answer, self._most))
        except TooLarge as error:
            raise SendError(f"the file is larger than {self._most:,} bytes") from error
        except (requests.RequestException, HTTPError, ValueError) as error:  # the last two: a redirect to no URL
            raise SendError(f"the file's host did not answer ({type(error).__name__})") from error

    def _answer(self, url: str, auth: tuple[str, str] | None) -> requests.Response:
        """The first that is no redirect. Followed here: requests would read their bodies without a bound."""
        ends = self._clock() + self._seconds
        for _ in range(HOSTS):
            request: dict[str, Any] = {"auth": auth, "timeout": within(ends - self._clock(), self._seconds)}
            answer = self._session.get(url, stream=True, allow_redirects=False, **request)
            if not answer.is_redirect:
                return answer
            answer.close()
            there = urljoin(url, answer.headers["Location"])
            if self._session.should_strip_auth(url, there):  # type: ignore[no-untyped-call]
                auth = None
            url = there
        raise requests.exceptions.TooManyRedirects("redirects without an end")


def of_twilio(url: str, api_url: str) -> bool:
    """Whether a media URL is Twilio's own, so that our credentials may go there."""
    host = urlsplit(url).hostname or ""
    return host == "api.twilio.com" or host.endswith(".twilio.com") or bool(api_url and url.startswith(f"{api_url}/"))


def _kind(content_type: str) -> str:
    kind = content_type.partition(";")[0].strip().lower()
    return kind if kind.startswith(SHOWN) else "application/octet-stream"
