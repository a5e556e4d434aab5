"""Twilio's REST API: send a text, and say plainly what became of it."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlsplit, urlunsplit

import requests

# The library loads this lazily, in the first call that is accepted; we load it at start.
import twilio.rest.api.v2010.account.message  # noqa: F401
from requests.adapters import HTTPAdapter
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from ivr.clients.failure import SendError

# Twilio's error codes, sorted by what they say something about.
BAD_NUMBER = 21211  # invalid To
OPTED_OUT = 21610
BUSY_SENDER = frozenset({21611})  # the sender's queue at Twilio is full; never taken
# About the number, whoever sends: invalid To, not a mobile, landline, unknown handset.
ABOUT_NUMBER = {BAD_NUMBER: "invalid", 21614: "not_mobile", 21635: "landline", 30005: "unknown", 30006: "landline"}
# About the number and the sender together: no route, switched off, blocked, filtered, the sender not registered.
ABOUT_ROUTE = {
    21612: "no_route",
    30003: "unreachable",
    30004: "blocked",
    30007: "filtered",
    30032: "unregistered",
    30034: "unregistered",
}
# An operator has to mend these: credentials, region permissions, the sender, the messaging service, registration.
CONFIGURATION = frozenset(
    {20003, 20005, 20006, 20404, 21408, 21603, 21606, 21608, 21659, 21660, 21661, *range(21701, 21706)}
    | {30002, 30032, 30034}
)

CONNECT_SECONDS = 3.0
READ_SECONDS = 15.0
LIST_PAGE = 50
ATTEMPT_SECONDS = 20.0  # one attempt in all, its E.164 repeat included


@dataclass(frozen=True, slots=True)
class Account:
    account_sid: str
    auth_token: str
    api_key: str = ""
    api_secret: str = ""
    api_url: str = ""  # in the place of every Twilio host: a sandbox or a proxy


# Twilio's message status, as far as we tell states apart. One that is not here moves nothing.
STATES = {
    "accepted": "sent",
    "scheduled": "sent",
    "queued": "sent",
    "sending": "sent",
    "sent": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "failed": "failed",
    "undelivered": "failed",
    "canceled": "failed",
}


@dataclass(frozen=True, slots=True)
class Listed:
    """A text in Twilio's list."""

    sid: str
    body: str
    sender: str
    outbound: bool
    state: str  # sent, delivered, failed
    code: int | None


class Twilio:
    """One account's REST API. Threads share it; its connections are kept."""

    def __init__(self, account: Account, connections: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._account = account
        self._clock = clock
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy or .netrc in the environment must not reroute the brand's texts
        adapter = HTTPAdapter(pool_connections=4, pool_maxsize=connections, max_retries=0)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def deadline(self) -> float:
        """When an attempt that begins now must have ended, on this client's clock."""
        return self._clock() + ATTEMPT_SECONDS

    def send_text(self, to: str, sender: str, body: str, callback: str, validity: int, deadline: float) -> str:
        """Send one text from a number or a messaging service; its MessageSid. Raises SendError.

        `validity`: seconds that Twilio may keep it queued (1 to 36,000).
        """
        http = self._http(deadline)
        origin: dict[str, Any] = {"messaging_service_sid": sender} if sender.startswith("MG") else {"from_": sender}
        with _sorted_failures(http):
            message = self._client(http).messages.create(
                to=to, body=body, status_callback=callback, validity_period=validity, **origin
            )
        if not message.sid:
            raise SendError("Twilio's answer was empty", unclear=True)
        return str(message.sid)

    def texts_to(self, number: str, since: datetime, deadline: float) -> list[Listed]:
        """Every text to an E.164 number since a moment, the newest first; complete, or SendError.

        Asked without DateSent: texts that are still queued have none.
        """
        http = self._http(deadline)
        found = []
        with _sorted_failures(http):
            for message in self._client(http).messages.stream(to=number, page_size=LIST_PAGE):
                if message.date_created is not None and message.date_created < since:
                    break
                found.append(_listed(message))
        return found

    def _http(self, deadline: float) -> "_Http":
        return _Http(self._session, self._account.api_url, deadline, self._clock)

    def _client(self, http: HttpClient) -> Client:
        account = self._account
        return Client(
            account.api_key or account.account_sid,
            account.api_secret or account.auth_token,
            account.account_sid,
            http_client=http,
            environment={"TWILIO_REGION": ""},  # or the library reroutes us by TWILIO_EDGE and TWILIO_REGION
        )


class _Http(HttpClient):  # type: ignore[misc]  # the library has no types
    """One attempt's HTTP: the time it has left (the library sets none), another host if asked, Retry-After kept."""

    def __init__(self, session: requests.Session, api_url: str, deadline: float, clock: Callable[[], float]) -> None:
        super().__init__(logging.getLogger(__name__), False, None)
        self._session = session
        self._host = urlsplit(api_url)
        self.ends = deadline
        self.clock = clock
        self.retry_after: float | None = None

    def request(
        self,
        method: str,
        uri: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        left = self.ends - self.clock()
        if left <= 0:
            raise requests.exceptions.ConnectTimeout("no time left for this attempt")
        if self._host.netloc:
            uri = urlunsplit(urlsplit(uri)._replace(scheme=self._host.scheme, netloc=self._host.netloc))
        answer = self._session.request(
            method,
            uri,
            params=cast(Any, params),
            data=data,
            headers=headers,
            auth=auth,
            timeout=(min(CONNECT_SECONDS, left), min(READ_SECONDS, left)),
            allow_redirects=allow_redirects,
            stream=True,
        )
        answer_text = self._read(answer)
        wait = answer.headers.get("Retry-After", "")
        self.retry_after = float(wait) if wait.isdigit() else None
        return Response(answer.status_code, answer_text, answer.headers)

    def _read(self, answer: requests.Response) -> str:
        """The body, however slowly it drips, within the attempt's time: the library bounds each read, not their sum."""
        body = b""
        for piece in answer.iter_content(8192):
            body += piece
            if self.clock() > self.ends:
                answer.close()
                raise requests.exceptions.ReadTimeout("the answer dripped")
        return body.decode("utf-8", "replace")


@contextmanager
def _sorted_failures(http: _Http) -> Iterator[None]:
    """Whatever the library raises becomes a SendError that says what is known."""
    try:
        yield
    except (TwilioRestException, TwilioServiceException) as error:
        raise _refused(error.status, error.code, http.retry_after) from error
    except requests.exceptions.RequestException as error:
        raise _unanswered(error) from error
    except TwilioException as error:  # a further page of a list that did not come
        raise SendError("Twilio's list broke off", unclear=True) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise SendError("Twilio's answer could not be read", unclear=True) from error


def _listed(message: Any) -> Listed:
    return Listed(
        sid=message.sid,
        body=message.body or "",
        sender=message.from_ or "",
        outbound=str(message.direction).startswith("outbound"),
        state=STATES.get(str(message.status), "sent"),
        code=message.error_code,
    )


def _refused(status: int | None, code: int | None, retry_after: float | None) -> SendError:
    status = status or 0
    if status == 429:  # never processed (Twilio error 20429), always safe to repeat
        return SendError("Twilio is busy (429)", code=code, retry_after=retry_after)
    if status >= 500:
        return SendError(f"Twilio failed ({status})", unclear=True, code=code, retry_after=retry_after)
    if code in BUSY_SENDER:
        return SendError(f"Twilio's queue is full (error {code})", code=code, retry_after=retry_after)
    return SendError(f"Twilio refused ({status}, error {code})", permanent=True, code=code or status)


def _unanswered(error: requests.exceptions.RequestException) -> SendError:
    """Sorted by whether a request can have been written: nothing was where no connection came to be."""
    never_sent = isinstance(error, requests.exceptions.ConnectTimeout)
    reason = error.args[0] if error.args else None
    if isinstance(reason, MaxRetryError):
        never_sent = never_sent or isinstance(reason.reason, (NewConnectionError, ConnectTimeoutError))
        # A TLS fault may come after the request was written; a certificate that is not theirs comes before.
        never_sent = never_sent or "CERTIFICATE_VERIFY_FAILED" in str(reason.reason)
    if never_sent:
        return SendError("Twilio could not be reached")
    return SendError(f"Twilio did not answer ({type(error).__name__})", unclear=True)
