"""The pages hold: the desk in docs/desk.md runs as it is printed, between us and a stand-in for our own door."""

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask, Response, request

from ivr.clients.failure import SendError
from ivr.clients.signature import SIGNATURE_HEADER, sign, verify
from ivr.clients.webhook import WebhookDesk
from ivr.sandbox.town import ROOT
from tests.deployment.stand import served

PAGE = (ROOT / "docs" / "desk.md").read_text(encoding="utf-8")
SECRET = "correct horse battery staple"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


PAYLOAD = json.loads(blocks("json")[0])


def our_door(taken: list[dict[str, Any]], faults: list[int]) -> Flask:
    """`POST /desk/acme`, as the page says that it answers."""
    app = Flask("ivr")

    @app.post("/desk/acme")
    def take() -> Any:
        if not verify(SECRET, request.headers.get(SIGNATURE_HEADER, ""), request.get_data(), datetime.now(UTC)):
            return Response(status=403)
        if faults:
            return Response(status=faults.pop())
        taken.append(request.get_json())
        return {"id": taken[-1]["id"], "state": "taken"}

    return app


@pytest.fixture
def taken() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def faults() -> list[int]:
    return []


@pytest.fixture
def desk(taken: list[dict[str, Any]], faults: list[int], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of the page's desk, running."""
    (example,) = blocks("python")
    with served(our_door(taken, faults)) as ivr:
        monkeypatch.setenv("DESK_SECRET", SECRET)
        monkeypatch.setenv("ANSWERS_URL", f"{ivr}/desk/acme")
        names: dict[str, Any] = {"__name__": "desk"}
        exec(compile(example, "docs/desk.md", "exec"), names)
        with served(names["app"]) as url:
            yield f"{url}/ivr"


def post(url: str, payload: Any, secret: str = SECRET, late: timedelta = timedelta()) -> Any:
    client = WebhookDesk(connections=1, now=lambda: datetime.now(UTC) + late)
    return client.post(url, secret, payload, time.monotonic() + 10, allow_private=True)


def test_the_desk_answers_a_text_once(desk: str, taken: list[dict[str, Any]]) -> None:
    post(desk, PAYLOAD)
    post(desk, PAYLOAD)
    assert taken == [
        {
            "id": f"to-{PAYLOAD['id']}",
            "type": "text",
            "conversation": PAYLOAD["conversation"]["id"],
            "text": "You wrote: My bill is wrong",
        }
    ]


def test_the_desk_is_asked_again_until_its_answer_is_taken(
    desk: str, taken: list[dict[str, Any]], faults: list[int]
) -> None:
    faults.append(500)
    with pytest.raises(SendError) as raised:
        post(desk, PAYLOAD)
    assert (raised.value.code, raised.value.permanent, taken) == (503, False, [])
    post(desk, PAYLOAD)
    assert len(taken) == 1


def test_the_desk_leaves_notes_unanswered(desk: str, taken: list[dict[str, Any]]) -> None:
    assert post(desk, {**PAYLOAD, "type": "note", "text": "The consumer called again."}) == {}
    assert taken == []


@pytest.mark.parametrize(
    ("secret", "late"),
    [("another", timedelta()), (SECRET, timedelta(minutes=6)), (SECRET, timedelta(minutes=-6))],
    ids=["another secret", "signed later than now", "played back"],
)
def test_the_desk_refuses_what_is_not_signed_now(
    desk: str, taken: list[dict[str, Any]], secret: str, late: timedelta
) -> None:
    with pytest.raises(SendError) as raised:
        post(desk, PAYLOAD, secret, late)
    assert (raised.value.code, taken) == (403, [])


def test_the_example_stays_short_and_every_example_is_json() -> None:
    assert len(blocks("python")[0].splitlines()) <= 60
    sent = [json.loads(line) for line in blocks("json")[1].splitlines()]
    assert [message["type"] for message in sent] == ["text", "skill", "close"]
    assert {message["conversation"] for message in sent} == {PAYLOAD["conversation"]["id"]}


def test_the_signature_that_is_printed() -> None:
    printed = sign(SECRET, b'{"id":"m-1"}', datetime.fromtimestamp(1772461325, UTC))
    assert f"\n{printed}\n" in PAGE
    assert f"`{SECRET}`" in PAGE
