"""Files at Twilio's and LivePerson's storage, fetched whole and bounded."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests

from ivr.clients.exchange import CONNECT_SECONDS, kept_session
from ivr.clients.failure import SendError

MOST_BYTES = 16 * 1024 * 1024
SECONDS = 20.0
# What a browser may show; anything else is a download.
SHOWN = ("image/png", "image/jpeg", "image/gif", "image/webp", "audio/", "video/", "application/pdf", "text/vcard")


@dataclass(frozen=True, slots=True)
class File:
    kind: str  # image/png
    content: bytes


class FileFetcher:
    """Threads share it; its connections are kept."""

    def __init__(self, connections: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._session = kept_session(connections)
        self._clock = clock

    def fetch(self, url: str, auth: tuple[str, str] | None = None) -> File:
        """GET it, redirects followed; `auth` goes to the first host alone. Raises SendError."""
        ends = self._clock() + SECONDS
        timeout = (CONNECT_SECONDS, SECONDS)
        try:
            with self._session.get(url, auth=auth, timeout=timeout, stream=True) as answer:
                if answer.status_code != 200:
                    raise SendError(f"the file's host answered {answer.status_code}", code=answer.status_code)
                return File(_kind(answer.headers.get("Content-Type", "")), self._content(answer, ends))
        except requests.RequestException as error:
            raise SendError(f"the file's host did not answer ({type(error).__name__})") from error

    def _content(self, answer: requests.Response, ends: float) -> bytes:
        found = bytearray()
        for piece in answer.iter_content(65536):
            found += piece
            if len(found) > MOST_BYTES:
                raise SendError(f"the file is larger than {MOST_BYTES:,} bytes")
            if self._clock() > ends:
                raise SendError("the file dripped")
        return bytes(found)


def of_twilio(url: str, api_url: str) -> bool:
    """Whether a media URL is Twilio's own, so that our credentials may go there."""
    host = urlsplit(url).hostname or ""
    return host == "api.twilio.com" or host.endswith(".twilio.com") or bool(api_url and url.startswith(f"{api_url}/"))


def _kind(content_type: str) -> str:
    kind = content_type.partition(";")[0].strip().lower()
    return kind if kind.startswith(SHOWN) else "application/octet-stream"
