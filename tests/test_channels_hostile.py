"""What would break the channels: a second thread beside an open one, a STOP elsewhere, keys and lists that mislead."""

import copy
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ivr.app import create_app
from ivr.clients.directory import BrandDirectory
from ivr.clients.failure import SendError
from ivr.clients.lookup import Lookup
from ivr.clients.twilio import Listed
from ivr.flow.model import Flow
from ivr.sandbox.apps import service_account
from tests.asking import API_KEYS, ask, problem, yes
from tests.channelled import BRAND, RCS, SMS, WHATSAPP, WORDS, brand_doors, flows, works
from tests.databases import emptied, new_database
from tests.doors import ACCOUNT_SID, CALLER, Doors, FakeTwilio, opened_doors
from tests.push.test_beforehand import HangingTwilio

ACCEPT = "/voice/acme/billing?step=answer"
REJOIN = "We are continuing in this thread. How can we help?"


@pytest.fixture
def database_url(shared_database: str) -> str:
    return emptied(shared_database)


@pytest.fixture
def doors(database_url: str, tmp_path: Path) -> Iterator[Doors]:
    with brand_doors(database_url, tmp_path) as here:
        yield here


def greetings(doors: Doors) -> list[tuple[str, str]]:
    return doors.rows("SELECT sender, state FROM messages WHERE kind = 'greeting' ORDER BY created_at, id DESC")


def writes(doors: Doors, to: str, body: str) -> None:
    sent_from = f"whatsapp:{CALLER}" if to.startswith("whatsapp:") else CALLER
    form = {"MessageSid": f"SM{body}", "From": sent_from, "To": to, "Body": body, "AccountSid": ACCOUNT_SID}
    assert doors.post("/messages", form).status_code == 200


def test_who_has_an_open_conversation_goes_on_there_whatever_is_preferred(database_url: str, tmp_path: Path) -> None:
    with opened_doors(database_url, flows(tmp_path), API_KEYS=API_KEYS) as doors:
        writes(doors, SMS, "Hello")
        whom = {"branch": "billing", "number": CALLER}
        found = ask(doors, "eligibility", whom).get_json()
        assert (found["recommended"], found["open_conversation"]) == ("sms", True)
        assert [each["channel"] for each in found["channels"]] == ["sms", "whatsapp", "rcs"]
        became = ask(doors, "deflections", yes()).get_json()
        assert (became["channel"], became["conversation"]["joined"]) == ("sms", True)
        works(doors)
        doors.voice(ACCEPT, Digits="1")
        assert [(sent["sender"], sent["body"]) for sent in doors.twilio.sent] == [(SMS, REJOIN), (SMS, REJOIN)]
        elsewhere = ask(doors, "deflections", yes(call_id="c-2", channel="whatsapp")).get_json()
        assert (elsewhere["channel"], elsewhere["conversation"]) == ("whatsapp", None), "who asks for it has it"


def test_a_key_that_chooses_wins_over_an_open_conversation(database_url: str, tmp_path: Path) -> None:
    with brand_doors(database_url, tmp_path, accept={"1": "sms", "2": "whatsapp"}) as doors:
        writes(doors, SMS, "Hello")
        doors.voice(ACCEPT, Digits="2")
        assert [sent["sender"] for sent in doors.twilio.sent] == [WHATSAPP]


def test_a_stop_elsewhere_after_the_yes_is_obeyed(doors: Doors) -> None:
    doors.twilio.fails = [SendError("busy")]
    doors.voice(ACCEPT, Digits="1")
    writes(doors, SMS, "STOP")
    for _ in range(3):
        works(doors, 300)
    assert len(doors.twilio.sent) == 1, "the try before the STOP"
    assert greetings(doors) == [(WHATSAPP, "failed")]


def test_who_answers_on_another_channel_reaches_the_same_agents(doors: Doors) -> None:
    doors.twilio.fails = [SendError("refused", permanent=True, code=code) for code in (63024, 63003)]
    doors.voice(ACCEPT, Digits="1")
    for _ in range(2):
        works(doors)
    assert greetings(doors)[-1] == (SMS, "sent")
    writes(doors, WHATSAPP, "Hello")
    assert doors.rows("SELECT sender, branch, skill FROM conversations") == [(WHATSAPP, "billing", "1234")]


@pytest.mark.parametrize("answered", ["", SMS, WHATSAPP])
def test_who_answered_on_another_channel_is_not_asked_again(database_url: str, tmp_path: Path, answered: str) -> None:
    follow_up = {"after": "1 hour", "text": "Do you still need us?"}
    branches = {"billing": {**BRAND["branches"]["billing"], "channels": ["sms"], "follow_up": follow_up}}
    with brand_doors(database_url, tmp_path, branches=branches) as doors:
        doors.voice(ACCEPT, Digits="1")
        if answered:
            writes(doors, answered, "Hello")
        for _ in range(3):  # it is night where they live
            works(doors, 3 * 3600)
        assert [sent["sender"] for sent in doors.twilio.sent] == [SMS] + [SMS] * (not answered)


def test_an_answer_belongs_to_the_greeting_of_its_own_channel(database_url: str, tmp_path: Path) -> None:
    other = copy.deepcopy({**BRAND["branches"]["billing"], "skill": "5678"})
    branches = {**BRAND["branches"], "bookings": {**other, "channels": ["sms"]}}
    with brand_doors(database_url, tmp_path, branches=branches) as doors:
        doors.voice(ACCEPT, "CA1", Digits="1")
        doors.clock.pass_(minutes=1)
        doors.voice("/voice/acme/bookings?step=answer", "CA2", Digits="1")
        writes(doors, WHATSAPP, "Hello")
        assert doors.rows("SELECT sender, branch, skill FROM conversations") == [(WHATSAPP, "billing", "1234")]


class ByAddress(FakeTwilio):
    """Lists a text under the very address that it went to, as Twilio writes it down; or refuses an address."""

    def __init__(self, there: dict[str, list[Listed] | SendError]) -> None:
        super().__init__()
        self.there = there

    def texts_to(self, number: str, since: datetime, deadline: float) -> list[Listed]:
        found = self.there.get(number, [])
        if isinstance(found, SendError):
            raise found
        return found


ITS_OWN = [Listed("SM" + "a" * 32, WORDS, "rcs:acme_agent", True, "delivered", None)]
# what Twilio has under rcs:+1…, how often the greeting is sent, and what is known of it at last
LISTS: list[tuple[str, list[Listed] | SendError, int, str]] = [
    ("it is there", ITS_OWN, 1, "delivered"),
    ("nothing is there", [], 2, "sent"),
    ("no such address", SendError("refused", permanent=True, code=21211), 2, "sent"),
    ("no answer", SendError("away", unclear=True), 1, "unclear"),
]


@pytest.mark.parametrize(("there", "sent", "state"), [case[1:] for case in LISTS], ids=[case[0] for case in LISTS])
def test_an_rcs_message_is_looked_for_under_its_address_there(
    database_url: str, tmp_path: Path, there: Any, sent: int, state: str
) -> None:
    twilio = ByAddress({f"rcs:{CALLER}": there})
    with brand_doors(database_url, tmp_path, twilio, channels=["rcs", "sms"]) as doors:
        twilio.fails = [SendError("no answer", unclear=True)]
        doors.voice(ACCEPT, Digits="1")
        works(doors, 61)
        works(doors, 1)
        assert greetings(doors) == [(RCS, state)]
        assert len(twilio.sent) == sent


def test_another_ivr_s_keys_choose_no_channel(database_url: str, tmp_path: Path) -> None:
    """What its callers press means what it says, when a channel fails, too."""
    brand = flows(tmp_path, accept={"1": "sms", "2": "whatsapp"}, channels=["rcs", "sms", "whatsapp"])
    with opened_doors(database_url, brand, API_KEYS=API_KEYS) as doors:
        ask(doors, "deflections", yes(consent={"prompt": "Press 2.", "key": "2"}))
        doors.twilio.fails = [SendError("refused", permanent=True, code=63003)]
        works(doors)
        works(doors)
        assert [sent["sender"] for sent in doors.twilio.sent] == [RCS, SMS]


def test_a_channel_that_the_brand_has_not_is_refused(database_url: str, tmp_path: Path) -> None:
    brand: dict[str, Flow] = dict(flows(tmp_path, channels=["sms"], sender={"sms": SMS, "rcs": {"service": RCS}}))
    with opened_doors(database_url, brand, API_KEYS=API_KEYS) as doors:
        for channel in ("push", "whatsapp"):
            answer = ask(doors, "deflections", yes(channel=channel), Idempotency_Key="k-1")
            assert problem(answer) == (422, "invalid")
            assert answer.get_json()["detail"] == f"/channel: this brand has no {channel}; it has rcs, sms"
        assert doors.rows("SELECT count(*) FROM deflections") == [(0,)]
        taken = ask(doors, "deflections", yes(channel="rcs"), Idempotency_Key="k-1")
        assert (taken.status_code, taken.get_json()["channel"]) == (201, "rcs"), "a refused request uses nothing up"


def test_an_attempt_that_outlasts_its_lease_leads_to_no_second_greeting(doors: Doors) -> None:
    """Twilio was asked meanwhile, and has taken it from another process: that it refused the first says nothing more."""

    def another_process() -> None:
        doors.twilio.meanwhile = lambda: None
        for _ in range(4):
            works(doors, 41)

    doors.twilio.fails, doors.twilio.meanwhile = (
        [None, SendError("refused", permanent=True, code=63007)],
        another_process,
    )
    doors.voice(ACCEPT, Digits="1")
    works(doors)
    assert greetings(doors) == [(WHATSAPP, "sent")]
    assert [sent["sender"] for sent in doors.twilio.sent] == [WHATSAPP, WHATSAPP]


def test_when_all_hang_the_caller_waits_for_2_5_seconds(tmp_path: Path) -> None:
    """The app's directory, then Lookup, whose host is not found, then Twilio: within the three seconds of a webhook."""
    unfound, changes = HangingTwilio(), {"push": {"fcm": {"key_env": "ACME_FCM_KEY"}}, "lookup": "yes"}
    named = {"ACME_FCM_KEY": service_account()}
    with ExitStack() as stack:
        silent = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        url = stack.enter_context(new_database("sqlite", tmp_path))
        brand = flows(tmp_path / "flows", channels=["push", "sms"], sender={"sms": SMS}, **changes)
        doors = stack.enter_context(opened_doors(url, brand, named=named))
        stack.callback(unfound.over.set)
        directory = BrandDirectory(f"postgresql://u@127.0.0.1:{silent.getsockname()[1]}/d", "SELECT :number AS token")
        own = {"acme": directory}
        beforehand = replace(doors.runtime.beforehand, directories=own, lookup=Lookup(unfound))
        built = replace(doors.runtime, beforehand=beforehand)
        doors = replace(doors, runtime=built, client=create_app(built).test_client())
        doors.twilio.meanwhile = partial(_waits, unfound.over)
        began = time.monotonic()
        heard = doors.voice(ACCEPT, Digits="1")
        waited = time.monotonic() - began
        assert heard.words.startswith("A text to the number ending in")
        assert 2.4 < waited < 3.0


def _waits(over: threading.Event) -> None:
    over.wait(20)
