"""The desks' doors: who gets in, what is not understood, and that nothing hostile does harm."""

import base64
import hmac
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from werkzeug.test import TestResponse

from ivr.clients.signature import SIGNATURE_HEADER, sign
from ivr.flow.load import load_directory
from ivr.sandbox.town import ROOT
from tests.databases import KINDS, new_database, sqlalchemy_url
from tests.desks import ACCOUNT, CHANGE, MESSAGE, Talking, brand, said, talking
from tests.doors import Doors, opened_doors

FLOWS = load_directory(ROOT / "flows").flows
OWN_SECRET = "correct horse battery staple"
URL = "https://desk.example.com/ivr"


@pytest.fixture(scope="module", params=KINDS)
def here(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talking]:
    directory = tmp_path_factory.mktemp("desk")
    with new_database(request.param, directory) as url, talking(sqlalchemy_url(url), FLOWS) as built:
        yield built


def test_facts_own_vector(here: Talking) -> None:
    """A signature of LivePerson's, computed elsewhere over exactly these bytes."""
    body = (
        b'{"kind":"notification","body":{"changes":[{"sequence":2,"originatorId":"agent-1","originatorMetadata":'
        b'{"id":"agent-1","role":"ASSIGNED_AGENT"},"serverTimestamp":1700000000000,"event":{"type":"ContentEvent",'
        b'"message":"Hello","contentType":"text/plain"},"conversationId":"11111111-2222-4333-8444-555555555555",'
        b'"dialogId":"11111111-2222-4333-8444-555555555555"}]},"type":"ms.MessagingEventNotification"}'
    )
    assert len(body) == 400
    headers = {"x-liveperson-account-id": ACCOUNT, "x-liveperson-signature": "sha1=kgVt1tAR+pXpBv/00CgJAag36/A="}
    assert here.doors.client.post("/desk/liveperson", data=body, headers=headers).status_code == 200


REFUSED: list[tuple[str, dict[str, str]]] = [
    ("no signature", {"x-liveperson-signature": ""}),
    ("a wrong signature", {"x-liveperson-signature": "sha1=AAAA"}),
    ("a signature of no ASCII", {"x-liveperson-signature": "sha1=\u00fc"}),
    ("another account", {"x-liveperson-account-id": "87654321"}),
    ("no account", {"x-liveperson-account-id": ""}),
]


@pytest.mark.parametrize("headers", [case[1] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_who_is_not_let_in(here: Talking, headers: dict[str, str]) -> None:
    assert here.told(MESSAGE, **headers).status_code == 403


def test_a_signature_over_other_bytes_is_refused(here: Talking) -> None:
    assert here.told(MESSAGE, secret="a guess").status_code == 403


def test_without_its_settings_nobody_gets_in(doors: Doors) -> None:
    headers = {"x-liveperson-account-id": "", "x-liveperson-signature": "sha1=AAAA"}
    assert doors.client.post("/desk/liveperson", data=b"{}", headers=headers).status_code == 403


def test_keys_for_the_records_alone_let_nobody_in(tmp_path: Path) -> None:
    """Then there is an account and no secret, and anybody could sign with none."""
    mac = base64.b64encode(hmac.digest(b"", b"{}", "sha1")).decode()
    headers = {"x-liveperson-account-id": ACCOUNT, "x-liveperson-signature": f"sha1={mac}"}
    with opened_doors(
        f"sqlite:///{tmp_path}/ivr.db",
        FLOWS,
        LIVEPERSON_ACCOUNT=ACCOUNT,
        LIVEPERSON_APP_KEY="x",
        LIVEPERSON_APP_SECRET="x",
        LIVEPERSON_ACCESS_TOKEN="x",
        LIVEPERSON_ACCESS_TOKEN_SECRET="x",
    ) as doors:
        assert doors.client.post("/desk/liveperson", data=b"{}", headers=headers).status_code == 403


def test_a_body_of_over_a_megabyte_is_refused_before_it_is_read(here: Talking) -> None:
    assert here.posted(b"x" * (1024 * 1024 + 1)).status_code == 413
    assert here.posted(b" " * (1024 * 1024 - 2) + b"{}").status_code == 200


UNREADABLE = [b"", b"[]", b"{", b"null", b'{"body":{}}', b'{"body":{"changes":{}}}', b"[" * 100_000, b"\xff\xfe"]


@pytest.mark.parametrize("body", UNREADABLE, ids=range(len(UNREADABLE)))
def test_what_cannot_be_read_is_answered_and_logged(here: Talking, logged: io.StringIO, body: bytes) -> None:
    assert here.posted(body).status_code == 200
    assert '"event": "desk_event_unreadable"' in logged.getvalue()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


def broken(event: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """The event with one key, at any depth, replaced by anything, or gone."""
    paths = list(_paths(event))
    return st.tuples(st.sampled_from(paths), json_values | st.just("<gone>")).map(lambda pick: _with(event, *pick))


def _paths(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*before, key)
        yield from _paths(inner, (*before, key))


def _with(event: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    copy = json.loads(json.dumps(event))
    parent = copy
    for step in path[:-1]:
        parent = parent[step]
    if value == "<gone>":
        del parent[path[-1]]
    else:
        parent[path[-1]] = value
    return dict(copy)


A_CHANGE = {
    "type": "UPSERT",
    "result": {
        "convId": "c-1",
        "conversationDetails": {
            "skillId": "5",
            "state": "OPEN",
            "stage": "OPEN",
            "metaDataLastUpdateTs": 5,
            "participants": [{"id": "f" * 64, "role": "CONSUMER"}],
            "dialogs": [{"dialogId": "d-1", "dialogType": "POST_SURVEY", "state": "OPEN"}],
        },
    },
}
A_FILE = said("c-1", 4, "") | {
    "event": {
        "type": "ContentEvent",
        "contentType": "hosted/file",
        "message": {"caption": "x", "relativePath": "/1", "fileType": "PNG"},
    }
}


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from([MESSAGE, CHANGE, "else"]),
    st.one_of(broken(said("c-1", 3, "x")), broken(A_CHANGE), broken(A_FILE), json_values),
    st.booleans(),
)
def test_whatever_a_signed_webhook_holds_is_answered(here: Talking, kind: str, change: Any, ours: bool) -> None:
    """Also in a conversation of ours, where everything that can be read is written."""
    if ours:
        if not here.desk.conversations:
            here.writes("begin")
            here.works()
        change = json.loads(json.dumps(change).replace("c-1", here.conversation.id))
    assert here.told(kind, change).status_code == 200


@pytest.mark.parametrize("at", [10**30, -(10**30), 1e400, "x", None], ids=str)
def test_times_and_sequences_that_no_column_holds(here: Talking, at: Any) -> None:
    if not here.desk.conversations:
        here.writes("begin")
        here.works()
    change = json.loads(json.dumps(A_CHANGE).replace("c-1", here.conversation.id))
    change["result"]["conversationDetails"]["metaDataLastUpdateTs"] = at
    assert here.told(CHANGE, change).status_code == 200
    assert here.told(MESSAGE, said(here.conversation.id, at, "x", serverTimestamp=at)).status_code == 200


@pytest.mark.parametrize("text", ["nul \0 in it", "half \ud83d of one", "x" * 100_000])
def test_words_that_a_database_cannot_keep(database_url: str, text: str) -> None:
    with talking(database_url, FLOWS) as here:
        here.writes("begin")
        here.works()
        assert here.told(MESSAGE, said(here.conversation.id, 5, text)).status_code == 200
        here.works(2)
        assert "".join(here.texted()).replace(" ", "")[:4] == text.replace(" ", "")[:4].replace("\0", "\ufffd")


def test_a_database_that_is_away_is_asked_again(database_url: str) -> None:
    with talking(database_url, FLOWS) as here:
        here.writes("begin")
        here.works()
        with here.doors.runtime.database.writes() as tx:
            tx.exec_driver_sql("ALTER TABLE conversations RENAME TO away")
        assert here.told(MESSAGE, said(here.conversation.id, 5, "x")).status_code == 503
        with here.doors.runtime.database.writes() as tx:
            tx.exec_driver_sql("ALTER TABLE away RENAME TO conversations")
        assert here.told(MESSAGE, said(here.conversation.id, 5, "x")).status_code == 200
        here.works(2)
        assert here.texted() == ["x"]


@pytest.fixture
def own(database_url: str, tmp_path: Path) -> Iterator[Doors]:
    """A brand with a desk of its own, and a conversation there."""
    desk = {"webhook": {"url": URL, "secret_env": "ACME_DESK_SECRET"}}
    flow = brand(tmp_path, change=lambda data: data.update(desk=desk))
    with opened_doors(database_url, {"acme": flow}, None, {"acme": OWN_SECRET}) as doors:
        doors.post("/messages", {"MessageSid": "SM1", "From": "+14155552671", "To": "+14155550111", "Body": "hello"})
        yield doors


def ask(doors: Doors, message: Any, brand_id: str = "acme", secret: str = OWN_SECRET) -> TestResponse:
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    headers = {SIGNATURE_HEADER: sign(secret, body, doors.clock.now)}
    return doors.client.post(f"/desk/{brand_id}", data=body, headers=headers)


def conversation(doors: Doors) -> str:
    ((found,),) = doors.rows("SELECT id FROM conversations")
    return str(found)


def test_an_answer_is_taken_once(own: Doors) -> None:
    message = {"id": "m-1", "type": "text", "conversation": conversation(own), "text": "Hello"}
    for _ in range(3):
        answer = ask(own, message)
        assert (answer.status_code, answer.json) == (200, {"id": "m-1", "state": "taken"})
    rows = own.rows("SELECT kind, state, body, number, destination FROM messages WHERE kind = 'answer'")
    assert rows == [("answer", "due", "Hello", "+14155552671", "+1(415) 555-2671")]


def test_ids_that_look_like_parts_are_ids_of_their_own(own: Doors) -> None:
    name = conversation(own)
    for number, words in (("1", "x" * 2000), ("1.1", "kept"), ("1\u00a01", "kept too")):
        own.clock.pass_(milliseconds=1)
        assert ask(own, {"id": number, "type": "text", "conversation": name, "text": words}).status_code in (200, 400)
    rows = [body for (body,) in own.rows("SELECT body FROM messages WHERE kind = 'answer' ORDER BY created_at")]
    assert [len(body) for body in rows[:2]] == [1600, 400]
    assert rows[2] == "kept"


def test_another_skill_and_an_end_are_taken_once(own: Doors) -> None:
    name = conversation(own)
    for number, skill in (("1", "5678"), ("2", "91"), ("1", "5678")):
        assert ask(own, {"id": number, "type": "skill", "conversation": name, "skill": skill}).status_code == 200
    assert own.rows("SELECT skill, state FROM conversations") == [("91", "wanted")]
    assert ask(own, {"id": "3", "type": "close", "conversation": name}).status_code == 200
    assert own.rows("SELECT state FROM conversations") == [("closed",)]


# what a desk sends, the status, and a word of the answer
NOT_TAKEN: list[tuple[str, Any, int, str]] = [
    ("no JSON", b"{", 400, "no JSON"),
    ("no object", [], 400, "no JSON object"),
    ("too deep", b"[" * 100_000, 400, "no JSON"),
    ("no id", {"type": "text"}, 400, "id is no text"),
    ("an id that is too long", {"id": "x" * 101, "type": "text"}, 400, "id is no text"),
    ("an id of half a character", b'{"id": "\\ud83d", "type": "text"}', 400, "id is no text"),
    ("another type", {"id": "1", "type": "typing", "conversation": "x"}, 400, "type is none of text, skill, close"),
    ("no conversation", {"id": "1", "type": "close"}, 400, "conversation is no text"),
    ("an unknown one", {"id": "1", "type": "close", "conversation": "0" * 32}, 404, "no such conversation"),
    ("no words", {"id": "1", "type": "text", "conversation": "OURS", "text": " "}, 400, "text is empty"),
    ("a number", {"id": "1", "type": "text", "conversation": "OURS", "text": 5}, 400, "text is no text"),
    ("no URL", {"id": "1", "type": "text", "conversation": "OURS", "media": [{"url": "x"}]}, 400, "media is no list"),
    ("media that are none", {"id": "1", "type": "text", "conversation": "OURS", "media": 7}, 400, "media is no list"),
    ("no skill", {"id": "1", "type": "skill", "conversation": "OURS"}, 400, "skill is no text"),
]


@pytest.mark.parametrize(("message", "status", "word"), [c[1:] for c in NOT_TAKEN], ids=[c[0] for c in NOT_TAKEN])
def test_what_is_not_taken(own: Doors, message: Any, status: int, word: str) -> None:
    if isinstance(message, dict) and message.get("conversation") == "OURS":
        message = message | {"conversation": conversation(own)}
    answer = ask(own, message)
    assert (answer.status_code, word in answer.text) == (status, True), answer.text
    assert own.rows("SELECT count(*) FROM messages") == [(1,)]


def test_who_is_not_let_in_to_a_brand_s_own_desk(own: Doors) -> None:
    message = {"id": "1", "type": "close", "conversation": conversation(own)}
    assert ask(own, message, secret="a guess").status_code == 403
    assert ask(own, message, brand_id="corner-bakery").status_code == 403
    assert own.client.post("/desk/acme", data=json.dumps(message)).status_code == 403
    assert ask(own, b"x" * (1024 * 1024 + 1)).status_code == 413
    body = json.dumps(message).encode()
    stale = {SIGNATURE_HEADER: sign(OWN_SECRET, body, own.clock.now)}
    own.clock.pass_(seconds=301)
    assert own.client.post("/desk/acme", data=body, headers=stale).status_code == 403
    assert own.rows("SELECT state FROM conversations") == [("wanted",)]


def test_a_conversation_of_another_brand_is_not_this_desk_s(database_url: str, own: Doors) -> None:
    with own.runtime.database.writes() as tx:
        tx.exec_driver_sql("UPDATE conversations SET brand = 'other'")
    assert ask(own, {"id": "1", "type": "close", "conversation": conversation(own)}).status_code == 404
