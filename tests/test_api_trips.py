"""Another IVR's caller says yes: one text, and the reply becomes a conversation with what that IVR knows."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ivr.clients.failure import SendError
from tests.asking import API_KEYS, EVERY, PROMPT, ask, problem, yes
from tests.desks import SENDER, Talking, brand, talking
from tests.doors import CALLER, opened_doors
from tests.test_conversations import FLOWS
from tests.test_own_desk import SECRET, OwnDesk, _served
from tests.test_worker import GREETING


@pytest.fixture
def here(database_url: str) -> Iterator[Talking]:
    with talking(database_url, FLOWS, API_KEYS=API_KEYS) as built:
        yield built


def deflected(here: Talking, **changes: Any) -> dict[str, Any]:
    answer = ask(here.doors, "deflections", yes(**changes))
    assert answer.status_code == 201, answer.data
    told: dict[str, Any] = json.loads(answer.data)
    return told


def status(here: Talking, name: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(ask(here.doors, f"deflections/{name}").data)
    return told


def test_the_trip(here: Talking) -> None:
    told = deflected(here, called_at="2026-03-02T14:20:00Z", dialled="+1 800 555 0100")
    name = told.pop("id")
    assert told == {
        "brand": "acme",
        "branch": "billing",
        "call_id": "genesys-1",
        "channel": "sms",
        "number": CALLER,
        "state": "pending",
        "reasons": [],
        "error_code": None,
        "skill": "1234",
        "conversation": None,
        "accepted_at": "2026-03-02T14:22:00Z",
        "changed_at": "2026-03-02T14:22:00Z",
    }
    here.works()
    (sent,) = here.doors.twilio.sent
    assert (sent["to"], sent["sender"], sent["body"]) == ("+1(415) 555-2671", SENDER, GREETING)
    assert status(here, name)["state"] == "sent"
    here.writes("My bill is wrong")
    here.works()
    assert here.at_desk() == ["[IVR deflection, billing, called 09:20 EST, reply promised by 09:32]\nMy bill is wrong"]
    assert here.conversation.skill == "1234"
    conversation = status(here, name)["conversation"]
    assert (conversation["state"], conversation["skill"], conversation["joined"]) == ("open", "1234", False)
    here.answers("Hello, I am looking at it.")
    assert here.texted()[1:] == ["Hello, I am looking at it."]
    here.desk.close(here.conversation.id)
    here.works()
    assert status(here, name)["conversation"]["state"] == "closed"


def test_consent_is_on_record_as_from_a_call(here: Talking) -> None:
    deflected(here, caller="+1 415 555 0199")
    rows = here.doors.rows(
        "SELECT call_sid, d.brand, branch, number, keyed_in, accepted_key, p.text FROM deflections d "
        "JOIN prompts p ON p.version = prompt_version"
    )
    assert [(*row[:4], bool(row[4]), *row[5:]) for row in rows] == [
        ("api:genesys-1", "acme", "billing", CALLER, True, "1", PROMPT)
    ]


def test_overrides_and_what_the_other_ivr_knows(here: Talking) -> None:
    attributes = {"customer_id": "C-17", "first_name": "Ann", "last_name": "Lee", "order": "4711"}
    told = deflected(
        here, skill="5678", message="Hi, Acme. Reply STOP to opt out.", channel="sms", attributes=attributes
    )
    assert told["skill"] == "5678"
    here.writes("Where is it?")
    here.works()
    assert here.texted() == ["Hi, Acme. Reply STOP to opt out."]
    assert here.conversation.skill == "5678"
    assert here.at_desk() == [
        "[IVR deflection, billing, called 09:22 EST, reply promised by 09:32]\n"
        "[customer_id: C-17; first_name: Ann; last_name: Lee; order: 4711]\nWhere is it?"
    ]
    info, personal = here.conversation.profile["authenticatedData"]["lp_sdes"]
    assert info["info"] == {
        "customerId": "C-17",
        "ctype": "ivr-deflection",
        "socialId": "genesys-1",
        "companyBranch": "billing",
        "accountName": "Acme Air",
    }
    assert personal["personal"] == {"firstname": "Ann", "lastname": "Lee", "contacts": [{"phone": "+1(415) 555-2671"}]}


def test_an_open_conversation_is_joined(here: Talking) -> None:
    deflected(here)
    here.writes("My bill is wrong")
    here.works()
    told = deflected(here, call_id="genesys-2", branch="bookings", attributes={"order": "4711"})
    here.works(1)
    assert here.texted()[1:] == ["We are continuing in this thread. How can we help?"]
    assert len(here.desk.conversations) == 1
    assert here.at_desk()[1:] == ["[The consumer called again, branch bookings, 09:22 EST]\n[order: 4711]"]
    assert told["conversation"]["joined"]
    found = ask(here.doors, "eligibility", {"branch": "billing", "number": CALLER})
    assert json.loads(found.data)["open_conversation"] is True


def test_the_brand_s_own_desk_gets_the_attributes(database_url: str, tmp_path: Path) -> None:
    with _served(OwnDesk()) as (desk, url):
        webhook = {"url": f"{url}/ivr", "secret_env": "ACME_DESK_SECRET", "allow_private": "yes"}
        flow = brand(tmp_path, change=lambda data: data.update(desk={"webhook": webhook}))
        with opened_doors(database_url, {"acme": flow}, None, {"acme": SECRET}, API_KEYS=API_KEYS) as doors:
            desk.doors = doors
            ask(doors, "deflections", yes(skill="5678", attributes={"order": "4711"}))
            desk.works()
            desk.writes("Where is it?", "SMa")
            desk.works()
    (message,) = desk.asked
    assert message["conversation"]["skill"] == "5678"
    assert message["context"] == {
        "call_sid": "genesys-1",
        "called_at": "2026-03-02T14:22:00Z",
        "promise": "10 minutes",
        "attributes": {"order": "4711"},
    }


def test_the_same_call_and_branch_is_one_text(here: Talking) -> None:
    first = deflected(here)
    for _ in range(3):
        here.works()
        again = ask(here.doors, "deflections", yes(message="Other words"))
        assert (again.status_code, json.loads(again.data)["id"]) == (200, first["id"])
    assert len(here.doors.twilio.sent) == 1
    elsewhere = ask(here.doors, "deflections", yes(number="+1 415 555 2672"))
    assert problem(elsewhere) == (409, "conflict")
    assert deflected(here, branch="bookings")["id"] != first["id"], "another branch is another offer"


@pytest.mark.parametrize("headers", [{}, {"Idempotency_Key": "k-1"}], ids=["by the call", "by its key"])
def test_many_at_once_are_one_text(here: Talking, headers: dict[str, str]) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(here.doors, "deflections", yes(), **headers), range(16)))
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len({json.loads(answer.data)["id"] for answer in answers}) == 1
    here.works()
    assert len(here.doors.twilio.sent) == 1


def test_a_twilio_that_may_have_it_is_asked_before_it_is_sent_again(here: Talking) -> None:
    here.doors.twilio.fails = [SendError("no answer", unclear=True)]
    name = deflected(here)["id"]
    here.works()
    assert status(here, name)["state"] == "pending"
    ask(here.doors, "deflections", yes())
    here.works(61)
    assert [row for row in here.doors.rows("SELECT count(*) FROM messages")] == [(1,)]
    here.works(1)
    assert len(here.doors.twilio.sent) == 2, "Twilio's list has it not, so it is sent again"
    assert status(here, name)["state"] == "sent"


def test_out_of_hours_the_greeting_is_that_of_closed(database_url: str, tmp_path: Path) -> None:
    def closed(data: dict[str, Any]) -> None:
        data["branches"]["billing"]["hours"] = "Mon-Fri 10:00-20:00"
        data["branches"]["billing"]["closed"] = {
            "greeting": "{{ brand }}: we answer {{ opens }}. Reply STOP to opt out."
        }

    with talking(database_url, {"acme": brand(tmp_path, change=closed)}, API_KEYS=API_KEYS) as here:
        deflected(here)
        here.works()
        assert here.texted() == ["Acme Air: we answer at 10 AM. Reply STOP to opt out."]
        found = ask(here.doors, "eligibility", {"branch": "billing", "number": CALLER}, key=EVERY)
        assert json.loads(found.data)["open"] is False


def test_a_stop_is_obeyed(here: Talking) -> None:
    name = deflected(here)["id"]
    here.works()
    here.writes("STOP")
    refused = ask(here.doors, "deflections", yes(call_id="genesys-2"))
    assert problem(refused) == (422, "not-eligible")
    told = json.loads(refused.data)["deflection"]
    assert (told["state"], told["reasons"][0]["reason"]) == ("refused", "opted_out")
    assert status(here, told["id"])["state"] == "refused"
    here.works()
    assert len(here.doors.twilio.sent) == 1
    assert status(here, name)["state"] == "sent"
