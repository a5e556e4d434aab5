"""Where LivePerson's services are, and the two tokens that every request carries: the app's and the consumer's."""

import base64
import json
import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from ivr.clients.failure import SendError
from ivr.clients.liveperson_wire import LOGIN, LOOK_UP, Kind, Reply, Unreachable, Wire, refusal, unreadable

APP_JWT_REFUSED = 40102
HOSTS_KEPT = timedelta(days=1)  # LivePerson's own bound
APP_JWT_LIVES = timedelta(hours=1)  # where its payload does not say
RENEWED_EARLY = timedelta(minutes=5)
CONSUMERS_KEPT = 10_000

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*(?::(\d{{1,5}}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Connector:
    """The connector's installation at LivePerson."""

    account: str
    client_id: str
    client_secret: str = field(repr=False)
    api_url: str = "https://api.liveperson.net"  # where discovery starts; its scheme is the discovered hosts' too


class Hosts:
    """Which host answers for a service of this account, asked once a day."""

    def __init__(self, connector: Connector, wire: Wire, now: Callable[[], datetime]) -> None:
        self._connector, self._wire, self._now = connector, wire, now
        self._known: dict[str, tuple[str, datetime]] = {}

    def url(self, service: str, path: str, deadline: float) -> str:
        """The address of `path` at a service (its name is case sensitive). Raises SendError."""
        known = self._known.get(service)
        if known is None or not timedelta(0) <= self._now() - known[1] < HOSTS_KEPT:
            known = self._known[service] = self._asked(service, deadline), self._now()
        return f"{urlsplit(self._connector.api_url).scheme}://{known[0]}{path}"

    def ask(self, kind: Kind, service: str, path: str, deadline: float, **request: Any) -> Reply:
        """POST to a service; `request` as Wire.ask takes it. A host that cannot be reached is looked up anew next."""
        url = self.url(service, path, deadline)
        try:
            return self._wire.ask(kind, "POST", url, deadline, **request)
        except Unreachable:
            self._known.pop(service, None)
            raise

    def _asked(self, service: str, deadline: float) -> str:
        account = self._connector.account
        url = f"{self._connector.api_url}/api/account/{account}/service/{service}/baseURI.json"
        reply = self._wire.ask(LOOK_UP, "GET", url, deadline, params={"version": "1.0"})
        if reply.refused:
            raise refusal(reply, "check LIVEPERSON_ACCOUNT and LIVEPERSON_API_URL")
        host = reply.elements[0].get("baseURI")
        found = _HOST.fullmatch(host) if isinstance(host, str) else None
        if found is None or len(found[0]) > 253 or int(found[1] or 443) > 65535:
            raise unreadable(LOOK_UP)
        return found[0]


class Tokens:
    """The AppJWT, renewed before it ends, and the ConsumerJWS of the consumers that wrote last. Threads share it."""

    def __init__(self, connector: Connector, hosts: Hosts, wire: Wire, now: Callable[[], datetime]) -> None:
        self._connector, self._hosts, self._wire, self._now = connector, hosts, wire, now
        self._app: tuple[str, datetime] | None = None  # and when it is to be renewed
        self._login = Lock()
        self._consumers: OrderedDict[str, str] = OrderedDict()
        self._consumers_lock = Lock()

    def app(self, deadline: float) -> str:
        """The AppJWT; one thread at a time fetches it, the others wait for that. Raises SendError."""
        if token := self._valid():
            return token
        if not self._login.acquire(timeout=max(0.0, deadline - self._wire.clock())):
            raise SendError("LivePerson's login took too long")
        try:
            return self._valid() or self._logged_in(deadline)
        finally:
            self._login.release()

    def forget_app(self, refused: str) -> None:
        """Drop the AppJWT that was refused, unless another took its place meanwhile."""
        held = self._app
        if held is not None and held[0] == refused:
            self._app = None

    def consumer(self, ext_consumer_id: str, deadline: float) -> str:
        """The ConsumerJWS of one of our consumers. Raises SendError."""
        with self._consumers_lock:
            if token := self._consumers.get(ext_consumer_id):
                self._consumers.move_to_end(ext_consumer_id)
                return token
        token = self._registered(ext_consumer_id, deadline)
        with self._consumers_lock:
            self._consumers[ext_consumer_id] = token
            self._consumers.move_to_end(ext_consumer_id)
            if len(self._consumers) > CONSUMERS_KEPT:
                self._consumers.popitem(last=False)
        return token

    def forget_consumer(self, ext_consumer_id: str, refused: str) -> None:
        with self._consumers_lock:
            if self._consumers.get(ext_consumer_id) == refused:
                del self._consumers[ext_consumer_id]

    def _valid(self) -> str | None:
        held = self._app
        return held[0] if held is not None and self._now() < held[1] else None

    def _logged_in(self, deadline: float) -> str:
        connector = self._connector
        reply = self._hosts.ask(
            LOGIN,
            "sentinel",
            f"/sentinel/api/account/{connector.account}/app/token",
            deadline,
            params={"v": "1.0", "grant_type": "client_credentials"},
            data={"client_id": connector.client_id, "client_secret": connector.client_secret},
        )
        if reply.refused:
            raise refusal(reply, "check LIVEPERSON_ACCOUNT, LIVEPERSON_CLIENT_ID and LIVEPERSON_CLIENT_SECRET")
        token = _token(reply, "access_token")
        self._app = token, self._renewal(token)
        return token

    def _renewal(self, token: str) -> datetime:
        """Five minutes before the token's own end."""
        ends = payload(token).get("exp")
        try:
            moment = datetime.fromtimestamp(float(ends), UTC)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError, OSError):
            moment = self._now() + APP_JWT_LIVES
        return moment - RENEWED_EARLY

    def _registered(self, ext_consumer_id: str, deadline: float) -> str:
        """Ask for the consumer's token; once more with a new AppJWT where the one we had is not taken."""
        reply, app = self._asked(ext_consumer_id, deadline)
        if reply.error_code == APP_JWT_REFUSED:
            self.forget_app(app)
            reply, _ = self._asked(ext_consumer_id, deadline)
        if reply.refused:
            raise refusal(reply)
        return _token(reply, "token")

    def _asked(self, ext_consumer_id: str, deadline: float) -> tuple[Reply, str]:
        app = self.app(deadline)
        reply = self._hosts.ask(
            LOGIN,
            "idp",
            f"/api/account/{self._connector.account}/consumer",
            deadline,
            params={"v": "1.0"},
            headers={"Authorization": app},
            json={"ext_consumer_id": ext_consumer_id},
        )
        return reply, app


def payload(token: str) -> dict[str, Any]:
    """What a signed token says of itself, its signature unread; empty when it cannot be read."""
    part = token.partition(".")[2].partition(".")[0]
    try:
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _token(reply: Reply, name: str) -> str:
    token = reply.elements[0].get(name)
    if not isinstance(token, str) or not re.fullmatch(r"[!-~]+", token):
        raise unreadable(LOGIN)
    return token
