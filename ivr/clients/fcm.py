"""Google's FCM HTTP v1: one push to one device; iOS is reached through APNs, by the same request."""

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import google.auth.exceptions
from google.auth import transport
from google.oauth2 import service_account
from requests.exceptions import RequestException

from ivr.clients.exchange import Answer, exchange, kept_session, never_sent
from ivr.clients.failure import NeverSent, NotReached, SendError

HOST = "https://fcm.googleapis.com"
SCOPES = ("https://www.googleapis.com/auth/firebase.messaging",)
SECONDS = 4.0  # one attempt, a new access token included
ALL_SECONDS = 12.0  # every device of one consumer, well within the lease of their push
# FCM's error codes (REST v1, FcmError) that say the app is not there: uninstalled, or another project's token.
GONE = frozenset({"UNREGISTERED", "SENDER_ID_MISMATCH"})


class BadKey(Exception):
    """What should be a service account's key is none. The message is half a sentence, and has nothing of the key."""


@dataclass(frozen=True, slots=True)
class Push:
    """What one device shows, and what its app is told. `tag`: a repeat replaces the push that has the same."""

    tag: str
    title: str
    body: str = field(repr=False)
    data: Mapping[str, str]
    now: datetime
    expires_at: datetime

    def message(self, token: str) -> dict[str, Any]:
        """The request's body, as FCM's reference has it (projects.messages)."""
        left = max(0, int((self.expires_at - self.now).total_seconds()))
        return {
            "message": {
                "token": token,
                "notification": {"title": self.title, "body": self.body},
                "data": dict(self.data),
                "android": {
                    "collapse_key": self.tag,
                    "priority": "HIGH",
                    "ttl": f"{left}s",
                    "notification": {"tag": self.tag},
                },
                "apns": {
                    "headers": {
                        "apns-collapse-id": self.tag,
                        "apns-expiration": str(int(self.expires_at.timestamp())),
                        "apns-priority": "10",
                    },
                    "payload": {"aps": {"sound": "default"}},
                },
            }
        }


class Fcm:
    """One brand's project. Threads share it; its connections and its access token are kept.

    `api_url`: in the place of Google's hosts, for sending and for tokens: a sandbox or a proxy.
    """

    def __init__(
        self, key: str, connections: int, api_url: str = "", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock, self._host = clock, api_url or HOST
        self._session = kept_session(connections)
        try:
            info = json.loads(key)
            self._project = str(info["project_id"])
            if api_url:
                info = {**info, "token_uri": _at(api_url, str(info["token_uri"]))}
            self._credentials = service_account.Credentials.from_service_account_info(info, scopes=list(SCOPES))
        except (ValueError, KeyError, TypeError, AttributeError, google.auth.exceptions.GoogleAuthError):
            raise BadKey("is no service account's key; put in the whole JSON file that Firebase made") from None

    def deadline(self) -> float:
        """When the last of a consumer's devices must have been pushed to, of which the first is pushed to now."""
        return self._clock() + ALL_SECONDS

    def check(self) -> str:
        """The project, for which Google gives an access token. Raises NeverSent."""
        self._access_token(self.deadline())
        return self._project

    def send(self, token: str, push: Push, ends: float = math.inf) -> str:
        """The message's name at Google. Raises NotReached for an app that is gone, NeverSent, and SendError."""
        deadline = min(self._clock() + SECONDS, ends)
        headers = {
            "Authorization": f"Bearer {self._access_token(deadline)}",
            "Content-Type": "application/json; charset=utf-8",
        }
        body = json.dumps(push.message(token), ensure_ascii=False).encode("utf-8", "replace")
        url = f"{self._host}/v1/projects/{self._project}/messages:send"
        try:
            answer = exchange(self._session, "POST", url, deadline, self._clock, data=body, headers=headers)
        except RequestException as error:
            if never_sent(error):
                raise NeverSent("FCM could not be reached") from error
            raise SendError(f"FCM did not answer ({type(error).__name__})", unclear=True) from error
        if answer.status != 200:
            raise _refused(answer)
        return str(_read(answer.text).get("name", ""))

    def _access_token(self, deadline: float) -> str:
        if not self._credentials.valid:
            try:
                self._credentials.refresh(_Asking(self, deadline))
            except (google.auth.exceptions.GoogleAuthError, ValueError) as error:
                raise NeverSent("Google gave no access token; check the service account's key") from error
        return str(self._credentials.token)

    def ask(self, method: str, url: str, deadline: float, body: Any, headers: Any) -> Answer:
        return exchange(self._session, method, url, deadline, self._clock, data=body, headers=headers)


class _Asking(transport.Request):
    """Google's library asks with our session, in the time that the attempt has left."""

    def __init__(self, fcm: Fcm, deadline: float) -> None:
        self._fcm, self._deadline = fcm, deadline

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: Any = None,
        headers: Any = None,
        timeout: Any = None,
        **_more: Any,
    ) -> "_Answered":
        try:
            return _Answered(self._fcm.ask(method, url, self._deadline, body, headers))
        except RequestException as error:
            raise google.auth.exceptions.TransportError("no answer") from error


class _Answered(transport.Response):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    @property
    def status(self) -> int:
        return self._answer.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._answer.headers

    @property
    def data(self) -> bytes:
        return self._answer.text.encode()


def _refused(answer: Answer) -> SendError:
    status, code = answer.status, _error_code(answer.text)
    if code in GONE:  # a 404 without it is of a project that is not there, or of whoever stands between
        return NotReached(f"FCM says that the app is gone ({code})", permanent=True, code=status)
    if status == 400 and _about_token(answer.text):
        return NotReached("FCM says that this is no token", permanent=True, code=status)
    if status == 429:  # never processed
        return NeverSent("FCM is busy (429)", code=status, retry_after=answer.retry_after)
    if status >= 500:
        return SendError(f"FCM failed ({status})", unclear=True, code=status, retry_after=answer.retry_after)
    return SendError(f"FCM refused ({status}, {code or 'no code'})", permanent=True, code=status)


def _error_code(text: str) -> str:
    """Of the details that are FCM's own; the status of the answer says less."""
    details = _error(text).get("details")
    for detail in details if isinstance(details, list) else []:
        if isinstance(detail, dict) and str(detail.get("@type", "")).endswith("FcmError"):
            return str(detail.get("errorCode", ""))[:40]
    return ""


def _about_token(text: str) -> bool:
    return "registration token" in str(_error(text).get("message", "")).lower()


def _error(text: str) -> Mapping[str, Any]:
    error = _read(text).get("error")
    return error if isinstance(error, dict) else {}


def _read(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _at(api_url: str, uri: str) -> str:
    host = urlsplit(api_url)
    return urlunsplit(urlsplit(uri)._replace(scheme=host.scheme, netloc=host.netloc))
