"""The simulated REST API answers as Twilio's does; its shape is held to Twilio's own description."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from ivr.sandbox.carrier import HANDSETS, Carrier
from ivr.sandbox.clock import Clock
from ivr.sandbox.rest import Weather, messages_api
from ivr.sandbox.webhooks import Webhooks

ACCOUNT, TOKEN = "AC" + "0" * 32, "token"
URL = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
TEXT = {"To": "+1(415) 555-2671", "From": "+14155550111", "Body": "Hello"}


class Town:
    def __init__(self) -> None:
        self.weather = Weather()
        self.shown: list[str] = []
        self.carrier = Carrier(
            Clock(), Webhooks("http://127.0.0.1:9", "http://127.0.0.1:9", ACCOUNT, TOKEN), self.shown.append
        )
        app = Flask("rest")
        app.register_blueprint(messages_api(self.carrier, self.weather, ACCOUNT, TOKEN))
        self.client: FlaskClient = app.test_client()

    def create(self, **changes: str) -> tuple[int, dict[str, object]]:
        answer = self.client.post(URL, data=TEXT | changes, auth=(ACCOUNT, TOKEN))
        return answer.status_code, answer.get_json(silent=True) or {}


@pytest.fixture
def town() -> Iterator[Town]:
    yield Town()


def test_create_list_and_fetch(town: Town) -> None:
    status, text = town.create()
    assert status == 201
    assert (text["to"], text["status"], text["body"], text["num_segments"]) == ("+14155552671", "queued", "Hello", "1")
    listed = town.client.get(URL, query_string={"To": "(415) 555-2671"}, auth=(ACCOUNT, TOKEN)).get_json()
    assert listed["messages"] == []
    listed = town.client.get(URL, query_string={"To": "+1(415) 555-2671"}, auth=(ACCOUNT, TOKEN)).get_json()
    assert [found["sid"] for found in listed["messages"]] == [text["sid"]]
    one = town.client.get(URL.replace(".json", f"/{text['sid']}.json"), auth=(ACCOUNT, TOKEN))
    assert one.get_json() == text
    assert town.shown == ["Hello"]


def test_a_messaging_service_chooses_the_sender_later(town: Town) -> None:
    status, text = town.create(From="", MessagingServiceSid="MG" + "0" * 32)
    assert (status, text["status"], text["num_segments"]) == (201, "accepted", "0")


ERRORS = [
    ("no To", {"To": ""}, 21604),
    ("no From", {"From": ""}, 21603),
    ("no Body", {"Body": ""}, 21602),
    ("no number", {"To": "4155"}, 21211),
    ("magic: invalid", {"To": "+15005550001"}, 21211),
    ("magic: no route", {"To": "+15005550002"}, 21612),
    ("magic: region", {"To": "+15005550003"}, 21408),
    ("magic: opted out", {"To": "+15005550004"}, 21610),
    ("magic: not a mobile", {"To": "+15005550009"}, 21614),
    ("magic: sender not capable", {"From": "+15005550007"}, 21606),
    ("magic: queue full", {"From": "+15005550008"}, 21611),
]


@pytest.mark.parametrize(("changes", "code"), [case[1:] for case in ERRORS], ids=[case[0] for case in ERRORS])
def test_errors(town: Town, changes: dict[str, str], code: int) -> None:
    status, error = town.create(**changes)
    assert (status, error["code"], error["status"]) == (400, code, 400)
    assert error["more_info"] == f"https://www.twilio.com/docs/errors/{code}"
    assert town.shown == []


def test_strict_destinations(town: Town) -> None:
    town.carrier.strict = True
    status, error = town.create()
    assert (status, error["message"]) == (400, "Invalid 'To' Phone Number: +1(415) 555-2671")
    assert town.create(To="+14155552671")[0] == 201


def test_credentials(town: Town) -> None:
    answer = town.client.post(URL, data=TEXT, auth=(ACCOUNT, "wrong"))
    assert (answer.status_code, answer.get_json()["code"]) == (401, 20003)
    assert town.client.get(URL).status_code == 401


DAYS = [
    ("busy", 429, "2"),
    ("error", 500, None),
    ("gateway", 503, None),
    ("busy-bare", 429, None),
    ("refusing", 401, None),
    ("empty", 200, None),
]


@pytest.mark.parametrize(("day", "status", "retry_after"), DAYS)
def test_bad_days(town: Town, day: str, status: int, retry_after: str | None) -> None:
    town.weather.set(day)
    answer = town.client.post(URL, data=TEXT, auth=(ACCOUNT, TOKEN))
    assert (answer.status_code, answer.headers.get("Retry-After")) == (status, retry_after)
    assert len(town.carrier.texts) == (1 if day == "empty" else 0)


@pytest.mark.parametrize(
    ("kind", "shows"), [("mobile", True), ("off", False), ("landline-late", False), ("unreachable", False)]
)
def test_handsets(town: Town, kind: str, shows: bool) -> None:
    town.carrier.handset = HANDSETS[kind]
    assert town.create()[0] == 201
    assert bool(town.shown) is shows


def test_days_follow_one_another(town: Town) -> None:
    town.weather.set("busy,error,up")
    assert [town.create()[0] for _ in range(4)] == [429, 500, 201, 201]


def test_what_twilio_makes_of_the_words(town: Town) -> None:
    town.weather.set("trial,smart")
    assert town.create()[1]["body"] == "Sent from your Twilio trial account - Hello"
    assert town.create(Body="It’s “here”…")[1]["body"] == 'It\'s "here"...'


def test_a_list_that_lags(town: Town) -> None:
    town.carrier.lag = 10.0
    town.create()
    town.carrier.lag = 0.0
    town.create(Body="second")
    listed = town.client.get(URL, auth=(ACCOUNT, TOKEN)).get_json()
    assert [text["body"] for text in listed["messages"]] == ["second"]


@pytest.mark.parametrize(("how", "count"), [("prompt", 2), ("lost", 0), ("doubled", 4), ("shuffled", 2), ("late", 2)])
def test_callbacks(town: Town, how: str, count: int) -> None:
    town.carrier.callbacks = how
    town.create(StatusCallback="http://127.0.0.1:9/messages/status/1")
    town.carrier.clock.advance(60)
    assert len(town.carrier.webhooks.exchanges) == (0 if how == "late" else count)
    town.carrier.clock.advance(3600)
    assert len(town.carrier.webhooks.exchanges) == count
