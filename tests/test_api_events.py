"""What becomes of a deflection is told at the URL that its request gave: signed, in order, until it is taken."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from flask import Flask, Response, request

from ivr.cli.main import main
from ivr.clients.failure import SendError
from ivr.clients.signature import SIGNATURE_HEADER, verify
from ivr.clients.webhook import WebhookDesk
from ivr.web.api_shapes import Event
from tests.asking import API_KEYS, EVERY, KEY, ask, digest, problem, yes
from tests.deployment.stand import served
from tests.desks import Talking, talking
from tests.doors import SECRET_KEY
from tests.test_conversations import FLOWS

URL = "https://hooks.example.com/ivr"


class ToLoopback(WebhookDesk):
    """Takes what goes to hooks.example.com to a receiver of the test's."""

    here = ""

    def post(
        self, url: str, secret: str, payload: Mapping[str, Any], deadline: float, allow_private: bool = False
    ) -> Mapping[str, Any]:
        return super().post(url.replace("https://hooks.example.com", self.here), secret, payload, deadline, True)


@dataclass
class Receiver:
    """Another IVR's own door. `statuses`: what it answers first."""

    key: str = KEY
    talking: Talking | None = None
    statuses: list[int] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    taken: dict[str, dict[str, Any]] = field(default_factory=dict)

    def app(self) -> Flask:
        app = Flask("another ivr", static_folder=None)

        @app.post("/ivr")
        def receive() -> Response:
            assert self.talking
            given = request.headers[SIGNATURE_HEADER]
            assert verify(digest(self.key), given, request.get_data(), self.talking.doors.clock.now)
            event = request.get_json()
            assert request.headers["Idempotency-Key"] == event["id"]
            self.asked.append(event)
            status = self.statuses.pop(0) if self.statuses else 200
            if status == 200:
                self.taken.setdefault(event["id"], event)
            return Response("", status)

        return app

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.taken.values()]


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def here(database_url: str, receiver: Receiver) -> Iterator[Talking]:
    with served(receiver.app()) as url, talking(database_url, FLOWS, API_KEYS=API_KEYS) as built:
        client = ToLoopback(2, built.doors.clock)
        client.here = url
        delivery = built.doors.runtime.delivery
        hooks = replace(delivery.hooks, client=client)
        built.worker.runtime = replace(built.doors.runtime, delivery=replace(delivery, hooks=hooks))
        receiver.talking = built
        yield built


def deflected(here: Talking, key: str = KEY, **changes: Any) -> dict[str, Any]:
    answer = ask(here.doors, "deflections", yes(webhook=URL, **changes), key)
    assert answer.status_code == 201, answer.data
    told: dict[str, Any] = json.loads(answer.data)
    return told


def status_of(here: Talking, said: str, **more: str) -> None:
    here.doors.clock.pass_(seconds=1)
    ((message, sid),) = here.doors.rows("SELECT id, provider_id FROM messages WHERE kind = 'greeting'")
    form = {"MessageSid": sid or "SMx", "MessageStatus": said, **more}
    assert here.doors.post(f"/messages/status/{message}", form).status_code == 200


def test_every_change_of_the_trip(here: Talking, receiver: Receiver) -> None:
    told = deflected(here)
    here.works(1)
    for _ in range(2):
        status_of(here, "delivered")
    here.works(1)
    here.writes("My bill is wrong")
    here.works(1)
    here.desk.close(here.conversation.id)
    here.works(1)
    here.works(1)
    assert receiver.types == ["deflection.sent", "deflection.delivered", "conversation.opened", "conversation.closed"]
    sent, _, opened, _ = receiver.taken.values()
    deflection = {
        "id": told["id"],
        "brand": "acme",
        "branch": "billing",
        "call_id": "genesys-1",
        "number": "+14155552671",
    }
    assert sent == {
        "id": sent["id"],
        "type": "deflection.sent",
        "at": "2026-03-02T14:22:01+00:00",
        "deflection": deflection,
    }
    ((conversation,),) = here.doors.rows("SELECT id FROM conversations")
    assert opened["conversation"] == conversation
    assert len(receiver.asked) == 4, "each once"
    for event in receiver.asked:
        shape = Event.model_validate_json(json.dumps(event), strict=True)
        assert set(event) <= set(Event.model_fields) and shape.id == event["id"]


def test_without_a_url_nothing_is_told(here: Talking, receiver: Receiver) -> None:
    assert ask(here.doors, "deflections", yes()).status_code == 201
    here.accepts("bookings")
    here.works(1)
    here.works(1)
    assert receiver.asked == []
    assert here.doors.rows("SELECT count(*) FROM messages WHERE towards = 'webhook'") == [(0,)]


def test_a_failure_and_its_code(here: Talking, receiver: Receiver) -> None:
    deflected(here)
    here.works(1)
    status_of(here, "undelivered", ErrorCode="30006")
    here.works(1)
    assert receiver.types == ["deflection.sent", "deflection.failed"]
    assert list(receiver.taken.values())[1]["error_code"] == 30006


def test_given_up_and_tried_again(here: Talking, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    here.doors.twilio.fails = [SendError("busy", code=20429)] * 100
    deflected(here)
    for _ in range(20):
        here.works(200)
    here.works(1)
    assert receiver.types == ["deflection.expired"]
    here.doors.twilio.fails = []
    ((message,),) = here.doors.rows("SELECT id FROM messages WHERE kind = 'greeting'")
    url = here.doors.runtime.settings.database_url
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("SECRET_KEY", SECRET_KEY)
    main(["worker", "--requeue", message])
    ((type_,),) = here.doors.rows("SELECT body FROM messages WHERE kind = 'event' AND state = 'due'")
    assert json.loads(type_)["type"] == "deflection.pending"


# what the receiver answers first, and how it ends
ANSWERS = [
    ("failing for a while", [503, 500, 429, 408], "sent"),
    ("the secret mended", [403, 401, 404], "sent"),
    ("moved", [301, 302], "sent"),
    ("it has it already", [409], "sent"),
    ("not as it likes it", [422], "dead"),
    ("gone", [410], "dead"),
]


@pytest.mark.parametrize(("statuses", "ends"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS])
def test_what_the_receiver_answers(here: Talking, receiver: Receiver, statuses: list[int], ends: str) -> None:
    receiver.statuses = list(statuses)
    deflected(here)
    here.works(1)
    status_of(here, "delivered")
    for _ in range(20):
        here.works(15)
    assert here.states("event") == [ends, "sent"]
    assert receiver.types == (
        ["deflection.sent", "deflection.delivered"] if len(statuses) > 1 else ["deflection.delivered"]
    )
    first = receiver.asked[: len(statuses) + (ends == "sent" and statuses != [409])]
    assert len({json.dumps(event) for event in first}) == 1, "a repeat is the same, and what follows waits"


def test_an_event_whose_process_died_is_told_again(here: Talking, receiver: Receiver) -> None:
    deflected(here)
    here.works(1)
    with here.doors.runtime.database.writes() as tx:
        tx.exec_driver_sql("UPDATE messages SET state = 'sending', next_try = NULL WHERE kind = 'event'")
        lease = "2026-03-02 14:22:05.000000"
        tx.exec_driver_sql(f"UPDATE messages SET lease_until = '{lease}' WHERE kind = 'event'")
    here.works(60)
    here.works(60)
    here.works(1)
    assert here.states("event") == ["sent"]
    assert len(receiver.taken) == 1


def test_the_key_that_asked_signs(here: Talking, receiver: Receiver) -> None:
    receiver.key = EVERY
    deflected(here, EVERY, brand="acme")
    here.works(1)
    here.works(1)
    assert receiver.types == ["deflection.sent"]


def test_with_its_key_withdrawn_it_waits_for_a_person(here: Talking, receiver: Receiver) -> None:
    deflected(here)
    delivery = here.worker.runtime.delivery
    without = replace(delivery, hooks=replace(delivery.hooks, secrets={}))
    here.worker.runtime = replace(here.worker.runtime, delivery=without)
    here.works(1)
    here.works(1)
    assert here.states("event") == ["dead"]
    assert receiver.asked == []


@pytest.mark.parametrize("url", [
    "http://127.0.0.1/", "http://localhost:8000/", "https://10.0.0.1/x", "http://169.254.169.254/latest/meta-data",
    "http://[::1]/", "http://0x7f000001/", "https://printer/", "https://db.internal/", "ftp://example.com/", "https://",
    "https://example.com/ a", "https://user@10.0.0.1/", "https://example.com:99999/", "https://[/", "https://a b/",
])  # fmt: skip
def test_urls_that_lead_inside_or_nowhere(here: Talking, url: str) -> None:
    assert problem(ask(here.doors, "deflections", yes(webhook=url))) == (422, "invalid")
    assert here.doors.rows("SELECT count(*) FROM deflections") == [(0,)]


def test_an_inside_address_is_not_called_whatever_the_url_said(database_url: str) -> None:
    asked: list[str] = []
    inside = Flask("inside", static_folder=None)

    @inside.post("/ivr")
    def receive() -> str:
        asked.append("asked")
        return ""

    with served(inside) as url, talking(database_url, FLOWS, API_KEYS=API_KEYS) as here:
        deflected(here)
        with here.doors.runtime.database.writes() as tx:
            tx.exec_driver_sql(f"UPDATE api_deflections SET webhook = '{url}/ivr'")
        here.works(1)
        here.works(1)
        assert here.states("event") == ["dead"]
        assert asked == []
