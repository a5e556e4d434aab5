"""The trips: a call becomes a text, over real HTTP, against the server as a process of its own."""

import http.client
import random
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import requests
from sqlalchemy import text
from twilio.request_validator import RequestValidator

from ivr import numbers
from ivr.cli.main import main
from ivr.sandbox.scene import Scene
from ivr.sandbox.town import API_KEY, Town
from ivr.store.database import opened_once
from tests.desks import brand

MENU = "Thank you for calling Acme Air. For billing, press 1. For bookings, press 2."
OFFER = "Instead of waiting on the line, you can also connect with us by text message."
WRONG = "Sorry, that key is not in use here."
SENT = "We are texting the number ending in"
ON_ITS_WAY = "A text to the number ending in"
CANNOT = "We are sorry, we could not text this number."
NOT_ARRIVED = "If nothing has arrived, press 1 to wait for a person."
ASK = "Please enter the mobile number that we may text"
READ_BACK = "You entered 415555267"
NO_NUMBER = "Sorry, that is no number that we can text."
GOODBYE = "Thank you. Goodbye."
NOBODY = "We are sorry, nobody can take your call right now."

_callers = iter(random.Random(7).sample(range(2000, 9999), 5000))


def caller() -> str:
    """A caller nobody has seen before, so that no scene knows of another."""
    return f"+1415555{next(_callers):04d}"


def asked_for(here: Town, *callers: str) -> list[str]:
    """Every destination that was asked for, of these callers: another scene's text may still be on its way."""
    forms = {to for number in callers for to in (number, numbers.full(number))}
    return [form["To"] for form in here.carrier.asked if form["To"] in forms]


# name, scene, what the caller hears in order (beginnings), what happens to the call at the end, texts shown
SCENES = [
    ("accepted", {"keys": "1,1"}, [MENU, OFFER, SENT, GOODBYE], "", 1),
    ("declined by silence", {"keys": "1"}, [MENU, OFFER], "is answered by a person", 0),
    ("silent from the start", {"keys": ""}, [MENU, MENU], "waits in queue front", 0),
    (
        "wrong keys, then the right ones",
        {"keys": "9,1,9,1"},
        [MENU, WRONG, MENU, OFFER, WRONG, OFFER, SENT, GOODBYE],
        "",
        1,
    ),
    ("wrong keys only", {"keys": "1,9,9"}, [MENU, OFFER, WRONG, OFFER], "waits in queue billing", 0),
    ("pound and star are wrong keys", {"keys": "1,#,*"}, [MENU, OFFER, WRONG, OFFER], "waits in queue billing", 0),
    (
        "a landline",
        {"keys": "1,1", "handset": "landline"},
        [MENU, OFFER, CANNOT, ASK, ASK],
        "waits in queue billing",
        0,
    ),
    (
        "a landline, and a mobile beside it",
        {"keys": "1,1,4155552672#,1", "handset": "landline"},
        [MENU, OFFER, CANNOT, ASK, READ_BACK, SENT, GOODBYE],
        "",
        1,
    ),
    (
        "a landline known later",
        {"keys": "1,1", "handset": "landline-late"},
        [MENU, OFFER, SENT, CANNOT, ASK, ASK],
        "waits in queue",
        0,
    ),
    ("a phone that is off", {"keys": "1,1", "handset": "off"}, [MENU, OFFER, SENT, NOT_ARRIVED, GOODBYE], "", 0),
    (
        "off, and a person wanted",
        {"keys": "1,1,1", "handset": "off"},
        [MENU, OFFER, SENT, NOT_ARRIVED],
        "is answered",
        0,
    ),
    (
        "opted out",
        {"keys": "1,1", "handset": "opted-out"},
        [MENU, OFFER, CANNOT, ASK, ASK],
        "waits in queue billing",
        0,
    ),
    ("abroad", {"keys": "1,1", "handset": "abroad"}, [MENU, OFFER, CANNOT, ASK, ASK], "waits in queue billing", 0),
    ("Twilio slow", {"keys": "1,1", "twilio": "slow"}, [MENU, OFFER, ON_ITS_WAY, GOODBYE], "", 1),
    ("Twilio busy", {"keys": "1,1", "twilio": "busy"}, [MENU, OFFER, ON_ITS_WAY, NOT_ARRIVED, GOODBYE], "", 0),
    ("Twilio refusing", {"keys": "1,1", "twilio": "refusing"}, [MENU, OFFER, CANNOT], "waits in queue billing", 0),
    ("Twilio failing", {"keys": "1,1", "twilio": "error"}, [MENU, OFFER, ON_ITS_WAY, NOT_ARRIVED, GOODBYE], "", 0),
    ("a gateway failing", {"keys": "1,1", "twilio": "gateway"}, [MENU, OFFER, ON_ITS_WAY, NOT_ARRIVED, GOODBYE], "", 0),
    ("taken, never answered", {"keys": "1,1", "twilio": "drop"}, [MENU, OFFER, ON_ITS_WAY, GOODBYE], "", 1),
    ("an empty 200", {"keys": "1,1", "twilio": "empty"}, [MENU, OFFER, ON_ITS_WAY, GOODBYE], "", 1),
    ("queue full", {"keys": "1", "agents": "full"}, [MENU, OFFER, NOBODY], "queue billing is full", 0),
    ("nobody answers", {"keys": "2", "agents": "nobody"}, [MENU, "Press 1 and we will text you", NOBODY], "rings", 0),
    ("straight into a branch", {"keys": "1", "branch": "billing"}, [OFFER, SENT, GOODBYE], "", 1),
    ("a number that leads to a branch", {"keys": "1", "dialled": "+14155550101"}, [OFFER, SENT, GOODBYE], "", 1),
    ("hangs up in the offer", {"keys": "1,h"}, [MENU, OFFER], "", 0),
    ("withheld", {"keys": "1,1", "caller": "anonymous"}, [MENU, OFFER, ASK, ASK], "waits in queue billing", 0),
    ("a SIP phone", {"keys": "2,1", "caller": "sip:ann@example.com"}, [MENU, "Press 1", ASK, ASK], "rings", 0),
    (
        "withheld, mistyped, started over",
        {"keys": "1,1,415#,9*4155552673,1", "caller": "anonymous"},
        [MENU, OFFER, ASK, NO_NUMBER, ASK, READ_BACK, SENT, GOODBYE],
        "",
        1,
    ),
    (
        "withheld, it was wrong twice, and then silent",
        {"keys": "1,1,4155552674#,2,4155552675#,2", "caller": "anonymous"},
        [MENU, OFFER, ASK, READ_BACK, ASK, READ_BACK, ASK],
        "waits in queue billing",
        0,
    ),
    (
        "withheld, hangs up when it is read back",
        {"keys": "1,1,4155552676#,h", "caller": "anonymous"},
        [MENU, OFFER, ASK, READ_BACK],
        "",
        0,
    ),
    ("a number of nobody", {"dialled": "+14155550999"}, ["We are sorry, this number is not in service."], "", 0),
]


@pytest.fixture(autouse=True)
def nothing_waits(here: Town) -> None:
    """What a scene with a failing Twilio left to the worker does not arrive in the next."""
    with opened_once(here.database_url) as database, database.writes() as tx:
        tx.execute(text("UPDATE messages SET state = 'failed' WHERE state IN ('due', 'unclear')"))


@pytest.mark.parametrize(
    ("changes", "heard", "goes", "texts"), [case[1:] for case in SCENES], ids=[case[0] for case in SCENES]
)
def test_a_call(here: Town, changes: dict[str, str], heard: list[str], goes: str, texts: int) -> None:
    keys = changes.get("keys", "").split(",")
    scene = Scene(brand="acme", **{"caller": caller(), **changes, "keys": keys})  # type: ignore[arg-type]
    call, transcript = here.play(scene)
    _let_nothing_wait(here)
    said = transcript.said("ivr")
    assert call.errors == []
    assert len(said) == len(heard), transcript
    for words, beginning in zip(said, heard, strict=True):
        assert words.startswith(beginning), transcript
    assert any(goes in event for event in transcript.said("call")), transcript
    assert len(transcript.said("text")) == texts, transcript
    assert transcript.said("call")[-1] == "ends"


def _let_nothing_wait(here: Town) -> None:
    """A text that Twilio did not take would arrive in the middle of another scene."""
    with opened_once(here.database_url) as database, database.writes() as tx:
        tx.execute(text("UPDATE messages SET state = 'dead' WHERE state IN ('due', 'unclear')"))


def test_the_destination_is_the_full_format(here: Town) -> None:
    number = caller()
    here.play(Scene(brand="acme", caller=number, keys=("1", "1")))
    (asked,) = [form for form in here.carrier.asked if numbers.full(number) == form["To"]]
    assert re.fullmatch(r"\+1\(415\) 555-\d{4}", asked["To"])
    assert asked["From"] == "+14155550111"
    assert asked["Body"].startswith("Thank you for choosing to connect with Acme Air by text.")
    assert "within 10 minutes" in asked["Body"]
    assert asked["ValidityPeriod"] == "3600"
    assert "/messages/status/" in asked["StatusCallback"]


def test_a_twilio_that_wants_e164_is_asked_once_more_and_remembered(here: Town) -> None:
    first, second = caller(), caller()
    try:
        _, transcript = here.play(Scene(brand="acme", caller=first, keys=("1", "1"), twilio="strict"))
        assert len(transcript.said("text")) == 1
        here.play(Scene(brand="acme", caller=second, keys=("1", "1"), twilio="strict"))
    finally:
        with opened_once(here.database_url) as database, database.writes() as tx:
            tx.execute(text("DELETE FROM sender_facts"))
    assert asked_for(here, first, second) == [numbers.full(first), first, second]


def test_rows_tell_the_trip(here: Town) -> None:
    number = caller()
    call, _ = here.play(Scene(brand="acme", caller=number, keys=("1", "1"), texts=("My bill is wrong",)))
    with opened_once(here.database_url) as database, database.reads() as tx:
        sid = {"sid": call.call_sid}
        entry = tx.execute(text("SELECT brand, entry, caller, dialled FROM calls WHERE call_sid = :sid"), sid).all()
        offer = tx.execute(
            text("SELECT branch, accepted_key, number, refused FROM deflections WHERE call_sid = :sid"), sid
        ).all()
        texts = tx.execute(
            text("SELECT kind, state, number, sender, body FROM messages WHERE number = :n ORDER BY created_at"),
            {"n": number},
        ).all()
    assert entry == [("acme", "menu", number, "+14155550100")]
    assert offer == [("billing", "1", number, None)]
    assert [row[:4] for row in texts] == [
        ("greeting", "delivered", number, "+14155550111"),
        ("inbound", "sent", number, "+14155550111"),
    ]
    assert texts[1][4] == "My bill is wrong"


def test_the_same_key_a_hundred_times_sends_one_text(here: Town) -> None:
    number = caller()
    call, _ = here.play(Scene(brand="acme", branch="bookings", caller=number, keys=("1",)))
    (accept,) = [
        made
        for made in here.webhooks.exchanges
        if made["params"].get("Digits") == "1"
        and "step=answer" in made["url"]
        and made["params"]["CallSid"] == call.call_sid
    ]
    with ThreadPoolExecutor(20) as pool:
        replays = list(pool.map(lambda _: here.webhooks.post(accept["url"], accept["params"]), range(100)))
    assert {replay.status for replay in replays} == {200}
    assert len(asked_for(here, number)) == 1


def test_parallel_first_presses_send_one_text(here: Town) -> None:
    number = caller()
    params = {
        "CallSid": f"CA{number[1:]:0>32}",
        "AccountSid": here.webhooks.account_sid,
        "From": number,
        "To": "+14155550100",
    }
    with ThreadPoolExecutor(20) as pool:
        url = "/voice/acme/billing?step=answer"
        answers = list(pool.map(lambda _: here.webhooks.post(url, {**params, "Digits": "1"}), range(40)))
    assert {answer.status for answer in answers} == {200}
    assert len(asked_for(here, number)) == 1
    heard = [answer.body.decode() for answer in answers]
    assert all(SENT in body or ON_ITS_WAY in body for body in heard)


def test_stop_is_obeyed_from_the_first_day(here: Town) -> None:
    scene = Scene(brand="acme", caller=caller(), keys=("1", "1"))
    _, first = here.play(replace(scene, texts=("Stop",)))
    asked = len(asked_for(here, scene.caller))
    _, second = here.play(scene)
    assert len(first.said("text")) == 1
    assert CANNOT in second.said("ivr")
    assert len(asked_for(here, scene.caller)) == asked, f"a text was tried after STOP\n{first}\n{second}"
    _, third = here.play(replace(scene, keys=("1",), texts=("start",)))
    _, fourth = here.play(scene)
    assert len(fourth.said("text")) == 1, third


def test_what_twilio_said_of_a_number_is_remembered(here: Town) -> None:
    scene = Scene(brand="acme", caller=caller(), keys=("1", "1"))
    here.play(replace(scene, handset="landline"))
    asked = len(asked_for(here, scene.caller))
    _, again = here.play(scene)
    assert CANNOT in again.said("ivr")
    assert len(asked_for(here, scene.caller)) == asked


@pytest.mark.parametrize("how", ["shuffled", "doubled", "late"])
def test_callbacks_end_where_ordered_ones_do(here: Town, how: str) -> None:
    number = caller()
    here.play(Scene(brand="acme", caller=number, keys=("1", "1"), callbacks=how))
    with opened_once(here.database_url) as database, database.reads() as tx:
        state = tx.execute(text("SELECT state FROM messages WHERE number = :n"), {"n": number}).scalar()
    assert state == "delivered"


def test_a_text_that_never_comes_is_waited_for_so_long_and_no_longer(here: Town) -> None:
    class Endless:
        asked = 0

        def unfinished(self) -> int:
            self.asked += 1
            return self.asked

        def next_at(self) -> None:
            return None

    waiting = Endless()
    scene = Scene(brand="acme", caller=caller(), texts=("Hello?",))
    _, transcript = here.play(scene, waiting=waiting, within=0.5)
    assert 1 < waiting.asked <= 13
    assert transcript.said("consumer") == ["Hello?"]


def test_the_log_shows_no_number_and_no_words(here: Town) -> None:
    number = caller()
    here.play(Scene(brand="acme", caller=number, keys=("1", "1"), texts=("a secret of mine",)))
    logged = here.log.read_text()
    assert '"event": "text_sent"' in logged
    assert number[-7:] not in logged
    assert numbers.full(number)[-8:] not in logged
    assert "a secret of mine" not in logged


@pytest.mark.parametrize("path", ["/voice/acme/billing?x=%28415%29", "/voice/acme/caf%C3%A9?n=K%C3%B6ln"])
def test_the_signature_is_over_the_bytes_that_were_sent(here: Town, path: str) -> None:
    form = {"CallSid": "CA1", "AccountSid": here.webhooks.account_sid, "From": caller(), "To": "+14155550100"}
    signature = RequestValidator(here.webhooks.auth_token).compute_signature(here.webhooks.public_url + path, form)
    connection = http.client.HTTPConnection(urlsplit(here.webhooks.app_url).netloc)
    headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", path, urlencode(form), headers)
    response = connection.getresponse()
    response.read()
    connection.close()
    assert response.status == 200


def test_another_ivr_s_caller_is_texted_once(here: Town) -> None:
    """Sixteen times at once, over real HTTP."""
    number, before = caller(), here.talk.on_handset.count
    consent = {"prompt": "Press 1 and we will text you.", "key": "1"}
    body = {"brand": "acme", "branch": "billing", "number": number, "call_id": number, "consent": consent}
    body |= {"skill": "5678"}
    headers = {"Authorization": f"Bearer {API_KEY}", "Idempotency-Key": number}
    url = f"{here.webhooks.app_url}/api/v1/deflections"
    with ThreadPoolExecutor(16) as pool:
        asked = [pool.submit(requests.post, url, json=body, headers=headers, timeout=20) for _ in range(16)]
    answers = {(answer.result().status_code, answer.result().content) for answer in asked}
    assert {status for status, _ in answers} == {201}
    assert len(answers) == 1
    assert here.talk.on_handset.wait_beyond(before)
    before = here.talk.at_desk.count
    assert here.carrier.write(number, "+14155550111", "My bill is wrong") == 200
    assert here.talk.at_desk.wait_beyond(before)
    assert here.desk.conversations[-1].skill == "5678"
    _let_nothing_wait(here)
    assert len(asked_for(here, number)) == 1


def test_half_sent_bodies_do_not_hold_the_server(here: Town) -> None:
    held = [_half_sent(here, "/voice", "Content-Length: 100") for _ in range(40)]
    answers = [connection.recv(100) for connection in held]
    for connection in held:
        connection.close()
    assert {answer.split(b" ")[1] for answer in answers} == {b"408"}
    assert requests.get(f"{here.webhooks.app_url}/healthz", timeout=10).text == "ok\n"


DRIPPING = [
    ("/messages", "Content-Length: 1000", b"408"),
    ("/messages", "Content-Length: 1000000", b"413"),
    ("/desk/liveperson", "Content-Length: 1000000", b"408"),
    ("/desk/liveperson", "Transfer-Encoding: chunked", b"408"),
    ("/api/v1/deflections", "Content-Length: 1000", b"408"),
    ("/api/v1/deflections", "Content-Length: 1000000", b"413"),
    ("/api/v1/deflections", "Transfer-Encoding: chunked", b"408"),
    ("/healthz", "Content-Length: 1000", b"405"),
    ("/nowhere", "Transfer-Encoding: chunked", b"404"),
]


def test_bodies_that_drip_do_not_hold_the_server(here: Town) -> None:
    """Eight of each are more than there are threads."""
    with ThreadPoolExecutor(72) as pool:
        dripping = [(pool.submit(_drip, here, *case[:2]), case[2]) for case in DRIPPING for _ in range(8)]
        assert requests.get(f"{here.webhooks.app_url}/healthz", timeout=10).text == "ok\n"
        for answer, status in dripping:
            assert answer.result().split(b" ")[1] == status
    assert requests.get(f"{here.webhooks.app_url}/healthz", timeout=1).text == "ok\n"


def _half_sent(here: Town, path: str, length: str) -> socket.socket:
    address = urlsplit(here.webhooks.app_url)
    connection = socket.create_connection((address.hostname, address.port), timeout=20)
    kind = "Content-Type: application/x-www-form-urlencoded"
    connection.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\n{length}\r\n{kind}\r\n\r\n1".encode())
    return connection


def _drip(here: Town, path: str, length: str) -> bytes:
    """What is answered by the time the server hangs up, a piece of the body sent every fifth of a second."""
    piece, answer = b"1\r\nx\r\n" if "chunked" in length else b"x", b""
    with _half_sent(here, path, length) as connection:
        connection.settimeout(0.2)
        if "chunked" in length:
            connection.sendall(b"\r\nx\r\n")
        for _ in range(100):
            try:
                connection.sendall(piece)
                heard = connection.recv(1000)
                answer += heard
                if not heard:
                    return answer
            except TimeoutError:
                continue
            except (BrokenPipeError, ConnectionResetError):
                return answer
    raise AssertionError("the server did not hang up")


def test_what_is_sent_later_is_told_with_its_time(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The whole day of a conversation that nobody answers, by the command."""

    def change(data: dict[str, Any]) -> None:
        data["hours"] = "Mon-Fri 08:00-20:00"
        data["warn_before"] = "2 minutes"
        data["expect"] = {"closed": "We answer {{ opens }}.", "late": "It takes longer."}

    brand(tmp_path, change=change)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FLOWS_DIR", str(tmp_path))
        assert main(["call", "acme", "billing", "--press", "1", "--at", "Fri 22:30", "--text", "My bill is wrong"]) == 0
    lines = [line.split(maxsplit=2)[1:] for line in capfd.readouterr().out.splitlines()]
    after = lines[lines.index(["consumer", "My bill is wrong"]) + 1 :]
    assert sorted(after[:2]) == [["desk", "opens a conversation, skill 1234"], ["text", "We answer on Monday at 8 AM."]]
    assert after[2][0] == "call"
    assert after[2][1] == "it is Mon 08:08"
    assert after[3][1].startswith("[Nobody has answered yet, and an answer was promised by 08:10")
    assert after[4] == ["call", "it is Mon 08:10"]
    assert sorted(line[0] for line in after[5:]) == ["desk", "text"]
    assert ["text", "It takes longer."] in after
