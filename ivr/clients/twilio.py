"""Twilio's REST API: send a text, and say plainly what became of it."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit, urlunsplit

import requests

# The library loads this lazily, in the first call that is accepted; we load it at start.
import twilio.rest.api.v2010.account.message  # noqa: F401
from requests.adapters import HTTPAdapter
from twilio.base.exceptions import TwilioRestException, TwilioServiceException
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from ivr.clients.failure import SendError

# Twilio's error codes, sorted by what they say something about.
BAD_NUMBER = 21211  # invalid To
OPTED_OUT = 21610
# About the number, whoever sends: invalid To, not a mobile, landline, unknown handset.
ABOUT_NUMBER = {BAD_NUMBER: "invalid", 21614: "not_mobile", 21635: "landline", 30005: "unknown", 30006: "landline"}
ABOUT_ROUTE = {21612: "unreachable"}  # about the number and the sender together
# An operator has to mend these: credentials, region permissions, the sender, the messaging service, registration.
CONFIGURATION = frozenset(
    {20003, 20005, 20006, 20404, 21408, 21603, 21606, 21608, 21659, 21660, 21661, *range(21701, 21706)}
    | {30002, 30032, 30034}
)

CONNECT_SECONDS = 3.0
READ_SECONDS = 15.0
ATTEMPT_SECONDS = 20.0  # one attempt in all, its E.164 repeat included


@dataclass(frozen=True, slots=True)
class Account:
    account_sid: str
    auth_token: str
    api_key: str = ""
    api_secret: str = ""
    api_url: str = ""  # in the place of every Twilio host: a sandbox or a proxy


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
        http = _Http(self._session, self._account.api_url, deadline - self._clock())
        origin: dict[str, Any] = {"messaging_service_sid": sender} if sender.startswith("MG") else {"from_": sender}
        try:
            message = self._client(http).messages.create(
                to=to, body=body, status_callback=callback, validity_period=validity, **origin
            )
        except (TwilioRestException, TwilioServiceException) as error:
            raise _refused(error.status, error.code, http.retry_after) from error
        except requests.exceptions.RequestException as error:
            raise _unanswered(error) from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise SendError("Twilio's answer could not be read", unclear=True) from error
        if not message.sid:
            raise SendError("Twilio's answer was empty", unclear=True)
        return str(message.sid)

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

    def __init__(self, session: requests.Session, api_url: str, seconds: float) -> None:
        super().__init__(logging.getLogger(__name__), False, None)
        self._session = session
        self._host = urlsplit(api_url)
        self._seconds = seconds
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
        if self._seconds <= 0:
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
            timeout=(min(CONNECT_SECONDS, self._seconds), min(READ_SECONDS, self._seconds)),
            allow_redirects=allow_redirects,
        )
        wait = answer.headers.get("Retry-After", "")
        self.retry_after = float(wait) if wait.isdigit() else None
        return Response(answer.status_code, answer.text, answer.headers)


def _refused(status: int | None, code: int | None, retry_after: float | None) -> SendError:
    status = status or 0
    if status == 429:  # never processed (Twilio error 20429), always safe to repeat
        return SendError("Twilio is busy (429)", code=code, retry_after=retry_after)
    if status >= 500:
        return SendError(f"Twilio failed ({status})", unclear=True, code=code, retry_after=retry_after)
    return SendError(f"Twilio refused ({status}, error {code})", permanent=True, code=code or status)


def _unanswered(error: requests.exceptions.RequestException) -> SendError:
    """Sorted by whether a request can have been written: nothing was where no connection came to be."""
    never_sent = isinstance(error, (requests.exceptions.ConnectTimeout, requests.exceptions.SSLError))
    reason = error.args[0] if error.args else None
    if isinstance(reason, MaxRetryError):
        never_sent = never_sent or isinstance(reason.reason, (NewConnectionError, ConnectTimeoutError))
    if never_sent:
        return SendError("Twilio could not be reached")
    return SendError(f"Twilio did not answer ({type(error).__name__})", unclear=True)
