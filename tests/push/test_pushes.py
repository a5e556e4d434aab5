"""One push, one attempt, and what came of it: the next channel when it surely did not arrive, never two when unclear."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ivr.app import create_app
from ivr.clients.failure import NeverSent, NotReached, SendError
from ivr.clients.fcm import ALL_SECONDS, SECONDS, Fcm, Push
from ivr.clients.push_service import PushService
from ivr.delivery.pushes import Pushes
from ivr.sandbox.apps import service_account
from ivr.store import consumers, known
from ivr.store.consumers import Consumer
from ivr.store.outbox import LEASE
from ivr.worker import Worker
from tests.asking import API_KEYS, ask, yes
from tests.databases import emptied
from tests.desks import brand
from tests.doors import CALLER, PUBLIC_URL, Doors, opened_doors
from tests.test_worker import at_once

KEY = service_account()
GONE = NotReached("gone", permanent=True, code=404)
NEVER, BUSY = NeverSent("no connection"), NeverSent("busy", code=429)
UNCLEAR, BROKEN = SendError("no answer", unclear=True), SendError("refused", permanent=True, code=401)


class FakeGoogle(Fcm):
    def __init__(self) -> None:
        self.sent: list[tuple[str, Push]] = []
        self.fails: list[SendError | None] = []
        self.ends: list[float] = []
        self.meanwhile: Callable[[], None] = lambda: None  # while the first one is under way

    def deadline(self) -> float:
        return 100.0 + len(self.sent)

    def send(self, token: str, push: Push, ends: float = 0.0) -> str:
        self.sent.append((token, push))
        self.ends.append(ends)
        failure = self.fails.pop(0) if self.fails else None
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        if failure:
            raise failure
        return "name"


class FakeService(PushService):
    def __init__(self) -> None:
        self.told: list[Mapping[str, Any]] = []

    def push(self, url: str, secret: str, payload: Mapping[str, Any], allow_private: bool) -> None:
        self.told.append(payload)


@pytest.fixture
def google() -> FakeGoogle:
    return FakeGoogle()


@pytest.fixture
def database_url(shared_database: str) -> str:
    return emptied(shared_database)


@pytest.fixture
def doors(database_url: str, tmp_path: Path, google: FakeGoogle) -> Iterator[Doors]:
    with app_doors(database_url, tmp_path, google) as here:
        yield here


@contextmanager
def app_doors(database_url: str, tmp_path: Path, google: FakeGoogle, *order: str) -> Iterator[Doors]:
    def with_app(data: dict[str, Any]) -> None:
        data["push"] = {"fcm": {"key_env": "ACME_FCM_KEY"}}
        data["channels"] = list(order or ("push", "sms"))

    flows = {"acme": brand(tmp_path, change=with_app)}
    with opened_doors(database_url, flows, named={"ACME_FCM_KEY": KEY}, API_KEYS=API_KEYS) as here:
        pushes = here.runtime.delivery.push
        assert isinstance(pushes, Pushes)
        delivery = replace(here.runtime.delivery, push=replace(pushes, google={"acme": google}))
        here = with_delivery(here, delivery)
        enrol(here, "d1", "d2")
        yield here


def with_delivery(here: Doors, delivery: Any) -> Doors:
    built = replace(here.runtime, delivery=delivery)
    return replace(here, runtime=built, client=create_app(built).test_client())


def enrol(here: Doors, *tokens: str, number: str = CALLER) -> None:
    rows = [Consumer("acme", number, token, "android", "", True, None) for token in tokens]
    with here.runtime.database.writes() as tx:
        consumers.write(tx, rows, here.clock())


def say_yes(here: Doors, call_sid: str = "CA" + "1" * 32) -> str:
    offer = here.voice("/voice/acme/billing", call_sid)
    return here.voice(offer.action(), call_sid, Digits="1").words


def rows(here: Doors) -> list[Any]:
    return here.rows("SELECT channel, state FROM messages WHERE kind = 'greeting' ORDER BY channel")


def works(here: Doors, seconds: float = 0) -> None:
    here.clock.pass_(seconds=seconds)
    Worker(here.runtime).round(at_once)


def test_a_push_is_one_push_however_often_yes_is_said(doors: Doors, google: FakeGoogle) -> None:
    for _ in range(3):
        assert "to our app" in say_yes(doors)
    ((token, push),) = google.sent
    assert token == "d1"
    assert push.title == "Acme Air"
    assert push.data["skill"] == "1234"
    assert rows(doors) == [("push", "sent")]
    assert doors.twilio.sent == []


def test_however_many_devices_are_gone_there_is_one_end_to_it(doors: Doors, google: FakeGoogle) -> None:
    """Or ten that answer slowly would outlast the lease, and a second process would push beside the first."""
    google.fails = [GONE, GONE]
    say_yes(doors)
    assert google.ends == [100.0, 100.0]
    assert LEASE.total_seconds() > ALL_SECONDS + SECONDS


def test_an_app_that_is_gone_is_marked_and_the_next_device_is_pushed_to(doors: Doors, google: FakeGoogle) -> None:
    google.fails = [GONE]
    say_yes(doors)
    assert [token for token, _ in google.sent] == ["d1", "d2"]
    say_yes(doors, "CA" + "2" * 32)
    assert [token for token, _ in google.sent] == ["d1", "d2", "d2"]


@pytest.mark.parametrize("failures", [[GONE, GONE], [NEVER], [BUSY], [BROKEN]], ids=["gone", "never", "busy", "broken"])
def test_what_surely_did_not_arrive_is_followed_by_a_text_at_once(
    doors: Doors, google: FakeGoogle, failures: list[SendError]
) -> None:
    google.fails = list(failures)
    say_yes(doors)
    works(doors)
    assert rows(doors) == [("push", "failed"), ("sms", "sent")]
    assert len(doors.twilio.sent) == 1


def test_what_may_have_arrived_is_pushed_again_in_its_place_and_never_texted(doors: Doors, google: FakeGoogle) -> None:
    google.fails = [UNCLEAR, NEVER, BUSY, UNCLEAR]
    say_yes(doors)
    for _ in range(6):
        works(doors, 300)
    assert {push.tag for _, push in google.sent} == {google.sent[0][1].tag}
    assert len(google.sent) == 5
    assert rows(doors) == [("push", "sent")]
    assert doors.twilio.sent == []


def test_what_is_refused_after_it_may_have_arrived_is_given_up_and_not_texted(doors: Doors, google: FakeGoogle) -> None:
    google.fails = [UNCLEAR, BROKEN]
    say_yes(doors)
    works(doors, 300)
    assert rows(doors) == [("push", "dead")]
    assert doors.twilio.sent == []


def test_an_app_that_turns_out_to_be_gone_after_a_doubt_is_followed_by_a_text(doors: Doors, google: FakeGoogle) -> None:
    google.fails = [UNCLEAR, GONE, GONE]
    say_yes(doors)
    works(doors, 300)
    works(doors)
    assert rows(doors) == [("push", "failed"), ("sms", "sent")]


def test_a_push_whose_process_died_is_repeated_not_texted(doors: Doors, google: FakeGoogle) -> None:
    google.fails = [UNCLEAR]
    say_yes(doors)
    with doors.runtime.database.writes() as tx:
        tx.exec_driver_sql("UPDATE messages SET state = 'sending', lease_until = '2026-03-02 14:22:30+00'")
    for _ in range(6):
        works(doors, 100)
    assert rows(doors) == [("push", "sent")]
    assert doors.twilio.sent == []


def test_a_push_follows_a_text_that_failed(database_url: str, tmp_path: Path, google: FakeGoogle) -> None:
    """Where it would go was asked when the caller said yes; a worker that goes on has it from the rows."""
    with app_doors(database_url, tmp_path, google, "sms", "push") as doors:
        say_yes(doors)
        assert google.sent == []
        callback = str(doors.twilio.sent[0]["callback"]).removeprefix(PUBLIC_URL)
        for _ in range(2):
            doors.post(callback, {"MessageSid": f"SM{1:032x}", "MessageStatus": "undelivered", "ErrorCode": "30006"})
            works(doors)
        assert rows(doors) == [("push", "sent"), ("sms", "failed")]
        ((token, push),) = google.sent
        assert (token, push.data["skill"], push.data["branch"]) == ("d1", "1234", "billing")


def test_a_number_that_takes_no_texts_gets_the_push_that_comes_after_them(
    database_url: str, tmp_path: Path, google: FakeGoogle
) -> None:
    with app_doors(database_url, tmp_path, google, "sms", "push") as doors:
        with doors.runtime.database.writes() as tx:
            known.learn_number(tx, CALLER, known.EVERY_SENDER, "landline", 30006, doors.clock())
        assert "to our app" in say_yes(doors)
        assert rows(doors) == [("push", "sent")]


def test_another_ivr_s_skill_and_its_id_of_the_call_are_in_the_push(doors: Doors, google: FakeGoogle) -> None:
    assert ask(doors, "deflections", yes(skill="5678")).get_json()["channel"] == "push"
    works(doors)
    ((_, push),) = google.sent
    assert (push.data["skill"], push.data["call_sid"]) == ("5678", "genesys-1")


def test_an_attempt_that_outlasts_its_lease_leads_to_no_text(doors: Doors, google: FakeGoogle) -> None:
    """Another process has pushed it by then: what the first one learns at last says nothing any more."""

    def another_process() -> None:
        for _ in range(4):
            works(doors, 41)

    google.fails, google.meanwhile = [NEVER], another_process
    say_yes(doors)
    works(doors)
    assert len(google.sent) == 2
    assert rows(doors) == [("push", "sent")]
    assert doors.twilio.sent == []


def test_the_body_for_a_push_service_of_the_brand_s_own(database_url: str, tmp_path: Path) -> None:
    def with_app(data: dict[str, Any]) -> None:
        data["push"] = {
            "webhook": {"url": "https://acme.example/push", "secret_env": "ACME_PUSH_SECRET"},
            "deep_link": "acmeair://messages",
        }
        data["channels"] = ["push", "sms"]
        data["desk"] = {"liveperson": {"campaign": "111", "engagement": "222"}}

    service, flows = FakeService(), {"acme": brand(tmp_path, change=with_app)}
    with opened_doors(database_url, flows, named={"ACME_PUSH_SECRET": "s"}) as built:
        pushes = built.runtime.delivery.push
        assert isinstance(pushes, Pushes)
        here = with_delivery(built, replace(built.runtime.delivery, push=replace(pushes, service=service)))
        enrol(here, "")
        say_yes(here)
        (told,) = service.told
        assert told.pop("deflection").isdigit()  # type: ignore[attr-defined]
        assert told == {
            "id": told["id"],
            "event": "deflection.accepted",
            "idempotency_key": told["id"],
            "caller": CALLER,
            "token": None,
            "platform": "android",
            "external_id": None,
            "brand": "acme",
            "branch": "billing",
            "call_sid": "CA" + "1" * 32,
            "skill": "1234",
            "campaign": "111",
            "engagement": "222",
            "deep_link": "acmeair://messages",
            "message": told["message"],
            "expires_at": "2026-03-02T15:22:00Z",
        }
        assert told["message"].startswith("Thank you for choosing")
