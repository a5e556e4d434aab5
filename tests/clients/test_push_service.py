"""The client of brands' own push services: signed as desks are, two seconds, every answer sorted."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
import responses

from ivr.clients.failure import NeverSent, NotReached, SendError
from ivr.clients.push_service import SECONDS, PushService
from ivr.clients.signature import SIGNATURE_HEADER, verify
from ivr.clients.webhook import WebhookDesk

URL, SECRET = "https://push.example.com/ivr", "correct horse battery staple"
NOW = datetime(2026, 3, 2, 14, 22, 5, tzinfo=UTC)
PAYLOAD = {"id": "5f" * 16, "event": "deflection.accepted", "message": "Größe"}


def service(now: float = 0.0) -> PushService:
    return PushService(WebhookDesk(2, lambda: NOW, lambda: now))


@responses.activate
def test_the_exact_request() -> None:
    responses.post(URL, status=202)
    service().push(URL, SECRET, PAYLOAD, allow_private=False)
    (call,) = responses.calls
    sent = call.request
    assert isinstance(sent.body, bytes)
    assert json.loads(sent.body) == PAYLOAD
    assert sent.headers["Idempotency-Key"] == "5f" * 16
    assert verify(SECRET, sent.headers[SIGNATURE_HEADER], sent.body, NOW)
    assert sent.headers["Content-Type"] == "application/json"


@responses.activate
def test_one_that_has_it_already_has_it() -> None:
    responses.post(URL, status=409)
    service().push(URL, SECRET, PAYLOAD, allow_private=False)
    assert len(responses.calls) == 1, "neither an error nor sent again"


@pytest.mark.parametrize(
    ("answer", "kind", "permanent", "unclear"),
    [
        ({"status": 404}, NotReached, True, False),
        ({"status": 410}, NotReached, True, False),
        ({"status": 429}, NeverSent, False, False),
        ({"status": 400}, SendError, True, False),
        ({"status": 401}, SendError, True, False),
        ({"status": 403}, SendError, True, False),
        ({"status": 302}, SendError, True, False),
        ({"status": 408}, SendError, False, True),
        ({"status": 500}, SendError, False, True),
        ({"status": 503}, SendError, False, True),
        ({"body": requests.ReadTimeout()}, SendError, False, True),
        ({"body": requests.ConnectTimeout()}, NeverSent, False, False),
    ],
)
@responses.activate
def test_every_answer(answer: dict[str, Any], kind: type[SendError], permanent: bool, unclear: bool) -> None:
    responses.post(URL, **answer)
    with pytest.raises(SendError) as raised:
        service().push(URL, SECRET, PAYLOAD, allow_private=False)
    assert (type(raised.value), raised.value.permanent, raised.value.unclear) == (kind, permanent, unclear)
    assert "desk" not in raised.value.reason


def test_no_way_into_a_private_network() -> None:
    with pytest.raises(SendError, match="private network") as raised:
        service().push("http://127.0.0.1:9/push", SECRET, PAYLOAD, allow_private=False)
    assert raised.value.permanent


def test_it_has_two_seconds() -> None:
    assert WebhookDesk(1, lambda: NOW, lambda: 5.0).deadline(SECONDS) == 7.0
