"""Twilio's REST API: send a text, and say plainly what became of it."""

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests

# The library loads these lazily, in the first call that is accepted; we load them at start.
import twilio.rest.api.v2010.account.message
import twilio.rest.lookups.v2.phone_number  # noqa: F401
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client

from ivr.clients.exchange import ATTEMPT_SECONDS, exchange, kept_session, never_sent
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
    63003: "not_on_channel",
    63024: "not_on_channel",
}
# WhatsApp takes free words only within 24 hours of the consumer's last; a greeting that hears this has a template that
# is not approved, or not the one that was approved.
OUTSIDE_WINDOW = 63016
# An operator has to mend these: credentials, region permissions, the sender, the messaging service, registration.
CONFIGURATION = frozenset(
    {20003, 20005, 20006, 20404, 21408, 21603, 21606, 21608, 21659, 21660, 21661, *range(21701, 21706)}
    | {30002, 30032, 30034}
    | {21654, 21655, 21656, 63007}  # the content template, its variables, the channel's sender
)

# Of these, all but a region's permission are about us: asking the caller for another number would lead nowhere.
NO_NUMBER_WOULD_DO = CONFIGURATION - {21408}

LIST_PAGE = 50


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
        self._session = kept_session(connections)

    def deadline(self, seconds: float = ATTEMPT_SECONDS) -> float:
        """When an attempt that begins now must have ended, on this client's clock."""
        return self._clock() + seconds

    def send_text(
        self,
        to: str,
        sender: str,
        body: str,
        callback: str,
        validity: int,
        deadline: float,
        media: Sequence[str] = (),
        content: Mapping[str, Any] | None = None,
    ) -> str:
        """Send one text from a number, a channel's address or a messaging service; its MessageSid. Raises SendError.

        `validity`: seconds that Twilio may keep it queued (1 to 36,000). `media`: URLs of pictures that go with it;
        with one the body may be empty. `content`: {"sid": HX…, "variables": {…}}, a template in the place of the body.
        """
        what: dict[str, Any] = {"messaging_service_sid": sender} if sender.startswith("MG") else {"from_": sender}
        if content:
            what |= {"content_sid": content["sid"]}
            what |= {"content_variables": json.dumps(content["variables"])} if content["variables"] else {}
        else:
            what |= {"body": body} if body or not media else {}
        what |= {"media_url": list(media)} if media else {}
        with self.asked(deadline) as client:
            message = client.messages.create(to=to, status_callback=callback, validity_period=validity, **what)
        if not message.sid:
            raise SendError("Twilio's answer was empty", unclear=True)
        if STATES.get(str(message.status)) == "failed":  # the status callback says so too, in its time
            raise SendError(f"Twilio failed (error {message.error_code})", permanent=True, code=message.error_code)
        return str(message.sid)

    def texts_to(self, number: str, since: datetime, deadline: float) -> list[Listed]:
        """Every text to an E.164 number since a moment, the newest first; complete, or SendError.

        Asked without DateSent: texts that are still queued have none.
        """
        found = []
        with self.asked(deadline) as client:
            for message in client.messages.stream(to=number, page_size=LIST_PAGE):
                if message.date_created is not None and message.date_created < since:
                    break
                found.append(_listed(message))
        return found

    @contextmanager
    def asked(self, deadline: float) -> Iterator[Client]:
        """The library, with this account's credentials and the time until `deadline`; all it raises is a SendError."""
        http = _Http(self._session, self._account.api_url, deadline, self._clock)
        with _sorted_failures(http):
            yield self._client(http)

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
        if self._host.netloc:
            uri = urlunsplit(urlsplit(uri)._replace(scheme=self._host.scheme, netloc=self._host.netloc))
        answer = exchange(
            self._session,
            method,
            uri,
            self.ends,
            self.clock,
            params=params,
            data=data,
            headers=headers,
            auth=auth,
            allow_redirects=allow_redirects,
        )
        self.retry_after = answer.retry_after
        return Response(answer.status, answer.text, answer.headers)


@contextmanager
def _sorted_failures(http: _Http) -> Iterator[None]:
    """Whatever the library raises becomes a SendError that says what is known."""
    try:
        yield
    except (TwilioRestException, TwilioServiceException) as error:
        raise _refused(error.status, error.code, http.retry_after) from error
    except requests.exceptions.RequestException as error:
        raise _unanswered(error) from error
    except TwilioException as error:  # a page of a list that did not come; the library keeps the answer beside it
        if isinstance(error.args[-1], Response):
            raise _refused(error.args[-1].status_code, _code(error.args[-1].text), http.retry_after) from error
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


def _code(answer: str) -> int | None:
    try:
        code = json.loads(answer)["code"]
    except (ValueError, TypeError, KeyError):
        return None
    return code if isinstance(code, int) else None


def _refused(status: int | None, code: int | None, retry_after: float | None) -> SendError:
    status = status or 0
    if status == 429:  # never processed (Twilio error 20429), always safe to repeat
        return SendError("Twilio is busy (429)", code=code, retry_after=retry_after)
    if status >= 500 or status == 408:  # whoever stands before Twilio and waited too long does not know either
        return SendError(f"Twilio failed ({status})", unclear=True, code=code, retry_after=retry_after)
    if code in BUSY_SENDER:
        return SendError(f"Twilio's queue is full (error {code})", code=code, retry_after=retry_after)
    return SendError(f"Twilio refused ({status}, error {code})", permanent=True, code=code or status)


def _unanswered(error: requests.exceptions.RequestException) -> SendError:
    if never_sent(error):
        return SendError("Twilio could not be reached")
    return SendError(f"Twilio did not answer ({type(error).__name__})", unclear=True)
