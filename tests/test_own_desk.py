"""A desk of one's own: what it gets and what it answers, over real HTTP on loopback."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, request
from werkzeug.serving import make_server

from ivr.clients.signature import SIGNATURE_HEADER, sign, verify
from ivr.runtime import CannotStart, prepare
from ivr.worker import Worker
from tests.desks import SENDER, brand
from tests.doors import ACCOUNT_SID, CALLER, SECRET_KEY, Doors, opened_doors
from tests.test_worker import at_once

SECRET = "correct horse battery staple"


@dataclass
class OwnDesk:
    """Takes each id once, as docs/desk.md asks; `statuses`: what it answers first."""

    doors: Doors | None = None
    statuses: list[int] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    taken: dict[str, dict[str, Any]] = field(default_factory=dict)

    def app(self) -> Flask:
        app = Flask("own desk", static_folder=None)

        @app.post("/ivr")
        def receive() -> Response:
            assert self.doors
            body = request.get_data()
            assert verify(SECRET, request.headers[SIGNATURE_HEADER], body, self.doors.clock.now)
            message = json.loads(body)
            assert request.headers["Idempotency-Key"] == message["id"]
            self.asked.append(message)
            status = self.statuses.pop(0) if self.statuses else 200
            if status == 200:
                self.taken.setdefault(message["id"], message)
            return Response("{}", status)

        return app

    def works(self, seconds: float = 0.0) -> None:
        assert self.doors
        self.doors.clock.pass_(seconds=seconds)
        for _ in range(6):
            Worker(self.doors.runtime).round(at_once)

    def writes(self, body: str, sid: str, **more: str) -> None:
        assert self.doors
        self.doors.clock.pass_(milliseconds=1)
        form = {"MessageSid": sid, "AccountSid": ACCOUNT_SID, "From": CALLER, "To": SENDER, "Body": body, **more}
        assert self.doors.post("/messages", form).status_code == 200

    def says(self, **message: Any) -> int:
        assert self.doors
        body = json.dumps(message).encode()
        headers = {SIGNATURE_HEADER: sign(SECRET, body, self.doors.clock.now)}
        return self.doors.client.post("/desk/acme", data=body, headers=headers).status_code


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[OwnDesk]:
    with _served(OwnDesk()) as (here, url):
        webhook = {"url": f"{url}/ivr", "secret_env": "ACME_DESK_SECRET", "allow_private": "yes"}
        flow = brand(tmp_path, change=lambda data: data.update(desk={"webhook": webhook}))
        with opened_doors(database_url, {"acme": flow}, None, {"acme": SECRET}) as doors:
            here.doors = doors
            yield here


@contextmanager
def _served(desk: OwnDesk) -> Iterator[tuple[OwnDesk, str]]:
    server = make_server("127.0.0.1", 0, desk.app(), threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield desk, f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_trip(desk: OwnDesk) -> None:
    assert desk.doors
    desk.doors.voice("/voice/acme/billing?step=answer", Digits="1")
    media = {"NumMedia": "1", "MediaUrl0": "https://api.twilio.com/m/1", "MediaContentType0": "image/jpeg"}
    desk.writes("My bill is wrong", "SMa", **media)
    desk.works()
    (message,) = desk.asked
    ((conversation, message_id),) = desk.doors.rows("SELECT conversation_id, id FROM messages WHERE kind = 'inbound'")
    (picture,) = message.pop("media")
    assert picture["type"] == "image/jpeg"
    assert picture["url"].startswith(f"https://ivr.example.com/files/{message_id}/0/")
    assert message == {
        "id": message_id,
        "type": "text",
        "at": "2026-03-02T14:22:00Z",
        "conversation": {
            "id": conversation,
            "brand": "acme",
            "branch": "billing",
            "skill": "1234",
            "opened_at": "2026-03-02T14:22:00Z",
        },
        "consumer": {"number": "+1(415) 555-2671", "address": "+14155552671"},
        "text": "My bill is wrong",
        "context": {
            "call_sid": "CA00000000000000000000000000000001",
            "called_at": "2026-03-02T14:22:00Z",
            "promise": "10 minutes",
        },
    }
    urls = [{"url": "https://desk.example.com/1.jpg"}]
    assert desk.says(id="m-1", type="text", conversation=conversation, text="Hello", media=urls) == 200
    desk.works(1)
    sent = desk.doors.twilio.sent[-1]
    assert (sent["to"], sent["body"], sent["media"]) == (
        "+1(415) 555-2671",
        "Hello",
        ["https://desk.example.com/1.jpg"],
    )


# what the desk answers first, and how it ends
ANSWERS = [
    ("failing for a while", [503, 500, 429, 408], "sent"),
    ("the secret mended", [403, 403], "sent"),
    ("it has it already", [409], "sent"),
    ("not as it likes it", [422], "dead"),
]


@pytest.mark.parametrize(("statuses", "ends"), [c[1:] for c in ANSWERS], ids=[c[0] for c in ANSWERS])
def test_what_the_desk_answers(desk: OwnDesk, statuses: list[int], ends: str) -> None:
    assert desk.doors
    desk.statuses = list(statuses)
    desk.writes("one", "SMa")
    desk.writes("two", "SMb")
    for _ in range(20):
        desk.works(15)
    states = desk.doors.rows("SELECT state FROM messages ORDER BY created_at, id")
    assert [state for (state,) in states] == [ends, "sent"]
    assert len({message["id"] for message in desk.asked}) == 2, "a repeat has the same id"
    words = [message["text"] for message in desk.taken.values()]
    assert words == (["one", "two"] if ends == "sent" and statuses != [409] else ["two"])


def test_a_conversation_that_the_desk_closed_is_begun_anew(desk: OwnDesk) -> None:
    assert desk.doors
    desk.writes("one", "SMa")
    desk.works()
    desk.statuses = [410]
    desk.writes("two", "SMb")
    desk.works()
    first, refused, second = desk.asked
    assert first["conversation"]["id"] == refused["conversation"]["id"] != second["conversation"]["id"]
    assert (second["text"], second["id"]) == ("two", refused["id"])


def test_notes_and_the_end(desk: OwnDesk) -> None:
    assert desk.doors
    desk.writes("one", "SMa")
    desk.works()
    desk.writes("STOP", "SMb")
    desk.works()
    assert [(message["type"], message["text"]) for message in desk.asked[1:]] == [
        ("text", "STOP"),
        ("note", "[The consumer opted out of texts (STOP): answers do not reach them any more.]"),
    ]
    conversation = desk.asked[0]["conversation"]["id"]
    assert desk.says(id="m-1", type="close", conversation=conversation) == 200
    desk.writes("START", "SMc")
    desk.writes("again", "SMd")
    desk.works()
    assert desk.asked[-1]["text"] == "again"
    assert desk.asked[-1]["conversation"]["id"] != conversation


def test_a_desk_without_its_secret_keeps_the_server_from_starting(tmp_path: Path) -> None:
    webhook = {"url": "https://desk.example.com", "secret_env": "ACME_DESK_SECRET"}
    brand(tmp_path, change=lambda data: data.update(desk={"webhook": webhook}))
    environ = {"FLOWS_DIR": str(tmp_path), "DATABASE_URL": f"sqlite:///{tmp_path}/ivr.db", "SECRET_KEY": SECRET_KEY}
    (tmp_path / "acme.yaml").write_text((tmp_path / "acme.yaml").read_text())
    with pytest.raises(CannotStart) as raised:
        prepare(environ)
    assert str(raised.value) == (
        "ACME_DESK_SECRET is not set, which acme's desk is signed with; set it to the secret you share."
    )
    prepare({**environ, "ACME_DESK_SECRET": SECRET}).database.close()
