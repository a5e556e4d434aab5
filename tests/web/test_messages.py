"""Texts: status callbacks in any order, consumers' words byte for byte, STOP and START."""

import hashlib
import io
import itertools
import json

import pytest
from twilio.request_validator import RequestValidator

from ivr.clients.failure import SendError
from tests.doors import ACCOUNT_SID, CALLER, TOKEN, Doors

ACCEPT = "/voice/acme/billing?step=answer"
SID = f"SM{1:032x}"


@pytest.fixture
def sent(doors: Doors) -> str:
    """The path of status callbacks of a greeting that Twilio took."""
    doors.voice(ACCEPT, Digits="1")
    return str(doors.twilio.sent[0]["callback"]).removeprefix("https://ivr.example.com")


def states(doors: Doors) -> list[tuple[object, ...]]:
    return doors.rows("SELECT state, provider_id, error_code FROM messages")


def status(doors: Doors, path: str, said: str, sid: str = SID, **more: str) -> int:
    return doors.post(path, {"MessageSid": sid, "MessageStatus": said, "AccountSid": ACCOUNT_SID, **more}).status_code


@pytest.mark.parametrize(
    "order", list(itertools.permutations(["queued", "sent", "delivered"])), ids=lambda o: "-".join(o)
)
def test_statuses_in_any_order_and_twice(doors: Doors, sent: str, order: tuple[str, ...]) -> None:
    for said in (*order, *order):
        assert status(doors, sent, said) == 200
    assert states(doors) == [("delivered", SID, None)]


@pytest.mark.parametrize(
    ("said", "more", "ends"),
    [
        ("undelivered", {"ErrorCode": "30006"}, ("failed", SID, 30006)),
        ("failed", {}, ("failed", SID, None)),
        ("failed", {"ErrorCode": "lots"}, ("failed", SID, None)),
        ("canceled", {}, ("failed", SID, None)),
        ("read", {}, ("delivered", SID, None)),
        ("DELIVERED", {}, ("delivered", SID, None)),
        ("huh", {}, ("sent", SID, None)),
        ("", {}, ("sent", SID, None)),
    ],
)
def test_every_status(doors: Doors, sent: str, said: str, more: dict[str, str], ends: tuple[object, ...]) -> None:
    assert status(doors, sent, said, **more) == 200
    assert states(doors) == [ends]
    status(doors, sent, "sent")
    assert states(doors) == [ends], "a state never moves back"


def test_a_callback_before_the_answer_wins(doors: Doors) -> None:
    doors.twilio.meanwhile = lambda: _delivered_meanwhile(doors)
    assert doors.voice(ACCEPT, Digits="1").words.startswith("We are texting")
    assert states(doors) == [("delivered", SID, None)]


def _delivered_meanwhile(doors: Doors) -> None:
    path = doors.twilio.sent[0]["callback"].removeprefix("https://ivr.example.com")
    assert status(doors, path, "delivered") == 200


def test_a_status_settles_what_nobody_knew(doors: Doors) -> None:
    doors.twilio.fails = [SendError("x", unclear=True)]
    doors.voice(ACCEPT, "CA5", Digits="1")
    assert states(doors) == [("unclear", None, None)]
    path = doors.twilio.sent[0]["callback"].removeprefix("https://ivr.example.com")
    status(doors, path, "sent")
    assert states(doors) == [("sent", SID, None)]


def test_a_status_of_another_text_moves_nothing(doors: Doors, sent: str) -> None:
    assert status(doors, sent, "failed", sid="SM" + "f" * 32) == 200
    assert status(doors, "/messages/status/unknown", "failed") == 200
    assert status(doors, "/messages/status/" + "x" * 500, "failed") == 200
    assert states(doors) == [("sent", SID, None)]


def test_a_failure_that_comes_later_is_remembered(doors: Doors, sent: str) -> None:
    status(doors, sent, "undelivered", ErrorCode="30006")
    doors.voice(ACCEPT, Digits="1")
    assert len(doors.twilio.sent) == 1


def test_an_opt_out_that_comes_later_is_remembered(doors: Doors, sent: str) -> None:
    status(doors, sent, "failed", ErrorCode="21610")
    assert doors.rows("SELECT number, sender, stopped, learned_from FROM opt_outs") == [
        (CALLER, "+14155550111", True, "21610")
    ]


def inbound(doors: Doors, body: str | None, sid: str = "SM9", **more: str) -> None:
    form = {"MessageSid": sid, "AccountSid": ACCOUNT_SID, "From": CALLER, "To": "+14155550111", "NumMedia": "0"}
    answer = doors.post("/messages", form | ({} if body is None else {"Body": body}) | more)
    assert (answer.status_code, answer.data) == (200, b'<?xml version="1.0" encoding="UTF-8"?><Response/>')


@pytest.mark.parametrize(
    "body", ["My bill is wrong", "", None, "x" * 1600, "naïve \U0001f468‍\U0001f469‍\U0001f467 \n two", " a "]
)
def test_a_consumer_s_words_are_kept_byte_for_byte(doors: Doors, body: str | None) -> None:
    inbound(doors, body)
    assert doors.rows("SELECT kind, state, brand, number, sender, body FROM messages") == [
        ("inbound", "due", "acme", CALLER, "+14155550111", body or "")
    ]


def test_the_same_text_twice_is_one_row(doors: Doors) -> None:
    inbound(doors, "hello")
    inbound(doors, "hello")
    assert doors.rows("SELECT count(*) FROM messages") == [(1,)]


def test_media_are_kept(doors: Doors) -> None:
    inbound(doors, "", NumMedia="2", MediaUrl0="https://x/0", MediaContentType0="image/png", MediaUrl1="https://x/1")
    (row,) = doors.rows("SELECT media FROM messages")
    media = json.loads(row[0]) if isinstance(row[0], str) else row[0]
    assert media == [{"url": "https://x/0", "type": "image/png"}, {"url": "https://x/1", "type": ""}]


def test_a_text_to_a_number_of_nobody(doors: Doors, logged: io.StringIO) -> None:
    inbound(doors, "hello", To="384387")
    assert '"event": "text_to_unknown_number"' in logged.getvalue()
    assert doors.rows("SELECT brand, sender FROM messages") == [(None, "384387")]


def test_a_text_without_a_sid_is_answered(doors: Doors) -> None:
    inbound(doors, "hello", sid="")
    assert doors.rows("SELECT count(*) FROM messages") == [(0,)]


# what is written, OptOutType, whether a text may follow
WISHES = [
    ("STOP", "", False),
    ("stop", "", False),
    (" Stop. ", "", False),
    ("unsubscribe", "", False),
    ("Arret", "STOP", False),
    ("please stop texting me", "", True),
    ("STOP it", "", True),
    ("HELP", "HELP", True),
    ("START", "", True),
]


@pytest.mark.parametrize(("body", "kind", "texted"), WISHES)
def test_stop(doors: Doors, body: str, kind: str, texted: bool) -> None:
    inbound(doors, body, **({"OptOutType": kind} if kind else {}))
    doors.voice(ACCEPT, Digits="1")
    assert len(doors.twilio.sent) == (1 if texted else 0)


def test_start_opens_again_and_an_old_stop_replayed_does_not_close(doors: Doors) -> None:
    inbound(doors, "STOP", sid="SM1")
    inbound(doors, "START", sid="SM2")
    inbound(doors, "STOP", sid="SM1")
    doors.voice(ACCEPT, Digits="1")
    assert len(doors.twilio.sent) == 1


def test_stop_is_for_one_sender(doors: Doors) -> None:
    inbound(doors, "STOP", To="+14155550121")
    doors.voice(ACCEPT, Digits="1")
    assert len(doors.twilio.sent) == 1


def test_a_text_that_cannot_be_written_is_not_taken(doors: Doors) -> None:
    with doors.runtime.database.writes() as tx:
        tx.exec_driver_sql("ALTER TABLE messages RENAME TO away")
    form = {"MessageSid": "SM9", "AccountSid": ACCOUNT_SID, "From": CALLER, "To": "+14155550111", "Body": "hello"}
    assert doors.post("/messages", form).status_code == 503
    assert doors.post(f"/messages/status/{'0' * 32}", form).status_code == 503
    with doors.runtime.database.writes() as tx:
        tx.exec_driver_sql("ALTER TABLE away RENAME TO messages")
    assert doors.post("/messages", form).status_code == 200
    assert doors.rows("SELECT body FROM messages") == [("hello",)]


# the error of a failed status, how long the next call is told so, whether an operator is
LATER = [
    ("30003", 1, False),
    ("30005", 24 * 90, False),
    ("30006", 24 * 90, False),
    ("30007", 24, False),
    ("30032", 1, True),
    ("30034", 1, True),
    ("30008", 0, False),
]


@pytest.mark.parametrize(("code", "hours", "loud"), LATER)
def test_failures_that_come_by_status(
    doors: Doors, sent: str, logged: io.StringIO, code: str, hours: int, loud: bool
) -> None:
    status(doors, sent, "undelivered", ErrorCode=code)
    assert ('"event": "twilio_configuration"' in logged.getvalue()) is loud
    if hours:
        doors.clock.pass_(hours=hours - 0.1)
        assert doors.voice(ACCEPT, Digits="1").words.startswith("We are sorry, we could not text")
        doors.clock.pass_(hours=0.2)
    assert doors.voice(ACCEPT, Digits="1").words.startswith("We are texting")


def test_a_replayed_failure_teaches_nothing_new(doors: Doors, sent: str) -> None:
    status(doors, sent, "failed", ErrorCode="21610")
    inbound(doors, "START")
    status(doors, sent, "failed", ErrorCode="21610")
    assert doors.voice(ACCEPT, Digits="1").words.startswith("We are texting")


def test_a_failure_after_the_delivery_teaches_nothing(doors: Doors, sent: str) -> None:
    status(doors, sent, "delivered")
    status(doors, sent, "undelivered", ErrorCode="30006")
    assert doors.voice(ACCEPT, Digits="1").words.startswith("We are texting")


def test_a_sid_that_another_row_holds_moves_nothing(doors: Doors, sent: str) -> None:
    doors.twilio.fails = [SendError("x", unclear=True)]
    doors.voice(ACCEPT, Digits="1", From="+14155552672")
    other = doors.twilio.sent[1]["callback"].removeprefix("https://ivr.example.com")
    assert status(doors, other, "delivered", sid=SID) == 200
    assert {row[0] for row in states(doors)} == {"sent", "unclear"}


@pytest.mark.parametrize("path", ["/messages/status/%00", "/messages/status/caf%C3%A9", "/messages/status/" + "0" * 33])
def test_an_id_that_is_none(doors: Doors, path: str) -> None:
    assert status(doors, path, "delivered") == 200


def test_a_text_to_a_messaging_service(doors: Doors) -> None:
    inbound(doors, "STOP", To="+14155550190", MessagingServiceSid="MG" + "0" * 32)
    assert doors.rows("SELECT number, sender, stopped FROM opt_outs") == [(CALLER, "+14155550190", True)]


def test_a_text_that_comes_as_json_is_read(doors: Doors) -> None:
    body = json.dumps(
        {"MessageSid": "SM9", "From": CALLER, "To": "+14155550111", "Body": "hello", "AccountSid": ACCOUNT_SID}
    )
    path = f"/messages?bodySHA256={hashlib.sha256(body.encode()).hexdigest()}"
    signature = RequestValidator(TOKEN).compute_signature(f"https://ivr.example.com{path}", {})
    answer = doors.client.post(
        path, data=body, content_type="application/json", headers={"X-Twilio-Signature": signature}
    )
    assert answer.status_code == 200
    assert doors.rows("SELECT body FROM messages") == [("hello",)]
