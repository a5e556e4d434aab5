"""The application in one process: signed requests in, TwiML out, Twilio and the clock in the test's hands."""

import itertools
import random
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import text
from twilio.request_validator import RequestValidator
from werkzeug.test import TestResponse

from ivr import config, runtime
from ivr.app import create_app
from ivr.clients.failure import SendError
from ivr.clients.twilio import Listed, Twilio
from ivr.flow.model import Flow

PUBLIC_URL = "https://ivr.example.com"
ACCOUNT_SID = "AC" + "0f" * 16
TOKEN = "a-token-for-tests"
SECRET_KEY = "a-secret-key-for-tests-that-is-long"
CALLER = "+14155552671"


class FakeTwilio(Twilio):
    """Stands where the client stands: answers with a MessageSid, or fails as the test says."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.fails: list[SendError | None] = []
        self.listed: list[Listed] | SendError = []
        self.meanwhile: Callable[[], None] = lambda: None

    def deadline(self, seconds: float = 20.0) -> float:
        return seconds

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
        asked = {"to": to, "sender": sender, "body": body, "callback": callback, "validity": validity}
        asked |= {"content": content} if content else {}
        self.sent.append(asked | ({"media": list(media)} if media else {}))
        self.meanwhile()
        failure = self.fails.pop(0) if self.fails else None
        if failure:
            raise failure
        return f"SM{len(self.sent):032x}"

    def texts_to(self, number: str, since: datetime, deadline: float) -> list[Listed]:
        if isinstance(self.listed, SendError):
            raise self.listed
        return self.listed


@dataclass
class Moment:
    """A clock that stands still until the test moves it."""

    now: datetime = datetime(2026, 3, 2, 14, 22, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **time: float) -> None:
        self.now += timedelta(**time)


@dataclass
class Doors:
    client: FlaskClient
    runtime: runtime.Runtime
    twilio: FakeTwilio
    clock: Moment
    calls: int = field(default=0)

    def post(
        self, path: str, form: Mapping[str, str | Sequence[str]], sign: bool = True, **kwargs: Any
    ) -> TestResponse:
        """A form as Twilio posts it; signed over the public URL unless told otherwise."""
        headers = dict(kwargs.pop("headers", {}))
        if sign:
            url = PUBLIC_URL + path
            params = _Multi({name: [value] if isinstance(value, str) else list(value) for name, value in form.items()})
            headers.setdefault("X-Twilio-Signature", RequestValidator(TOKEN).compute_signature(url, params))
        return self.client.post(path, data=dict(form), headers=headers, **kwargs)

    def voice(self, path: str, call_sid: str = "", **params: str | Sequence[str]) -> "Heard":
        """A voice webhook of a call; what the caller hears of it."""
        if not call_sid:
            self.calls += 1
        form: dict[str, str | Sequence[str]] = {
            "CallSid": call_sid or f"CA{self.calls:032x}",
            "AccountSid": ACCOUNT_SID,
            "From": CALLER,
            "To": "+14155550100",
            "CallStatus": "in-progress",
            "Direction": "inbound",
            "ApiVersion": "2010-04-01",
        }
        return Heard(self.post(path, form | params))

    def rows(self, sql: str, **values: Any) -> list[Any]:
        with self.runtime.database.reads() as tx:
            return [tuple(row) for row in tx.execute(text(sql), values)]


@dataclass
class Heard:
    """A TwiML answer."""

    response: TestResponse

    @property
    def verbs(self) -> list[ElementTree.Element]:
        assert self.response.status_code == 200, self.response.status
        return list(ElementTree.fromstring(self.response.data))

    @property
    def names(self) -> list[str]:
        return [verb.tag for verb in self.verbs]

    @property
    def words(self) -> str:
        return " ".join("".join(verb.itertext()) for verb in self.verbs if verb.tag in ("Say", "Gather"))

    def action(self, tag: str = "Gather") -> str:
        """Where the first verb of this name goes on."""
        verb = next(verb for verb in self.verbs if verb.tag == tag)
        return verb.get("action") or (verb.text or "").strip()


class _Multi(dict[str, list[str]]):
    def getlist(self, name: str) -> list[str]:
        return self[name]


@contextmanager
def opened_doors(
    database_url: str,
    flows: Mapping[str, Flow],
    twilio: FakeTwilio | None = None,
    secrets: Mapping[str, str] | None = None,
    first_id: int = 10**6,
    named: Mapping[str, str] | None = None,
    **settings: str,
) -> Iterator[Doors]:
    environ = {
        "PUBLIC_URL": PUBLIC_URL,
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "DATABASE_URL": database_url,
        "SECRET_KEY": SECRET_KEY,
        **settings,
    }
    clock, twilio = Moment(), twilio or FakeTwilio()
    ids = itertools.count(first_id, -1)  # falling: an id tells nothing of the order
    built = runtime.build(
        config.read(environ), flows, secrets or {}, clock, lambda: f"{next(ids):032x}", random.Random(5), named or {}
    )
    texts = replace(built.delivery.texts, twilio=twilio)
    built = replace(built, delivery=replace(built.delivery, texts=texts))
    try:
        yield Doors(create_app(built).test_client(), built, twilio, clock)
    finally:
        built.attempts.finish()
        built.database.close()
