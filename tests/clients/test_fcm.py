"""The client of FCM HTTP v1: the exact request, the access token, every answer sorted."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
import requests
import responses
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ivr.clients.failure import NeverSent, NotReached, SendError
from ivr.clients.fcm import BadKey, Fcm, Push

NOW = datetime(2026, 3, 2, 14, 22, 5, tzinfo=UTC)
TOKENS, SEND = "https://oauth2.googleapis.com/token", "https://fcm.googleapis.com/v1/projects/acme-air/messages:send"
PUSH = Push("5f" * 16, "Acme Air", "Größe \U0001f44d", {"skill": "1234"}, NOW, NOW + timedelta(hours=1))


@cache
def key(**changes: str) -> str:
    made = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "type": "service_account",
        "project_id": "acme-air",
        "private_key": made.decode(),
        "client_email": "push@acme-air.iam.gserviceaccount.com",
        "token_uri": TOKENS,
    }
    return json.dumps(account | changes)


def google(**kwargs: Any) -> Fcm:
    return Fcm(key(), 2, **kwargs)


def access() -> None:
    responses.post(TOKENS, json={"access_token": "ya29.a", "expires_in": 3600, "token_type": "Bearer"})


def refusing(code: str, status: int, message: str = "") -> Mapping[str, Any]:
    detail = {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}
    return {"json": {"error": {"code": status, "message": message, "details": [detail]}}, "status": status}


@responses.activate
def test_the_exact_request() -> None:
    access()
    responses.post(SEND, json={"name": "projects/acme-air/messages/0:1"})
    assert google().send("d1:APA91b", PUSH) == "projects/acme-air/messages/0:1"
    asked, sent = (call.request for call in responses.calls)
    assert b"grant-type%3Ajwt-bearer&assertion=" in asked.body.encode() if isinstance(asked.body, str) else asked.body
    assert sent.headers["Authorization"] == "Bearer ya29.a"
    assert sent.headers["Content-Type"] == "application/json; charset=utf-8"
    assert json.loads(sent.body or "") == {
        "message": {
            "token": "d1:APA91b",
            "notification": {"title": "Acme Air", "body": "Größe \U0001f44d"},
            "data": {"skill": "1234"},
            "android": {
                "collapse_key": "5f" * 16,
                "priority": "HIGH",
                "ttl": "3600s",
                "notification": {"tag": "5f" * 16},
            },
            "apns": {
                "headers": {
                    "apns-collapse-id": "5f" * 16,
                    "apns-expiration": str(int(NOW.timestamp()) + 3600),
                    "apns-priority": "10",
                },
                "payload": {"aps": {"sound": "default"}},
            },
        }
    }


@responses.activate
def test_an_access_token_is_kept() -> None:
    access()
    responses.post(SEND, json={"name": "n"})
    client = google()
    client.send("d1", PUSH)
    client.send("d1", PUSH)
    assert [call.request.url for call in responses.calls] == [TOKENS, SEND, SEND]


@pytest.mark.parametrize(
    ("answer", "kind", "unclear", "code"),
    [
        pytest.param(refusing("UNREGISTERED", 404), NotReached, False, 404, id="uninstalled"),
        pytest.param(refusing("SENDER_ID_MISMATCH", 403), NotReached, False, 403, id="another project's token"),
        pytest.param(
            refusing("INVALID_ARGUMENT", 400, "The registration token is not a valid FCM registration token"),
            NotReached,
            False,
            400,
            id="no token",
        ),
        pytest.param(refusing("INVALID_ARGUMENT", 400, "Invalid value at 'message'"), SendError, False, 400, id="ours"),
        pytest.param({"json": {"error": {"code": 404}}, "status": 404}, SendError, False, 404, id="no such project"),
        pytest.param({"body": "<html>", "status": 404}, SendError, False, 404, id="somebody between"),
        pytest.param(refusing("QUOTA_EXCEEDED", 429), NeverSent, False, 429, id="busy"),
        pytest.param(refusing("UNAVAILABLE", 503), SendError, True, 503, id="unavailable"),
        pytest.param(refusing("INTERNAL", 500), SendError, True, 500, id="failed"),
        pytest.param({"body": "<html>", "status": 502}, SendError, True, 502, id="a gateway"),
        pytest.param(refusing("THIRD_PARTY_AUTH_ERROR", 401), SendError, False, 401, id="APNs certificate"),
        pytest.param({"json": [], "status": 403}, SendError, False, 403, id="no object"),
        pytest.param({"json": {"error": {"details": [1, None]}}, "status": 403}, SendError, False, 403, id="strange"),
        pytest.param({"body": requests.ReadTimeout()}, SendError, True, None, id="no answer"),
        pytest.param({"body": requests.ConnectTimeout()}, NeverSent, False, None, id="no connection"),
    ],
)
@responses.activate
def test_every_answer(answer: Mapping[str, Any], kind: type[SendError], unclear: bool, code: int | None) -> None:
    access()
    responses.post(SEND, **answer)
    with pytest.raises(SendError) as raised:
        google().send("d1:secret", PUSH)
    assert (type(raised.value), raised.value.unclear, raised.value.code) == (kind, unclear, code)
    assert "secret" not in raised.value.reason


@responses.activate
def test_nothing_is_asked_when_the_time_of_all_devices_is_over() -> None:
    access()
    now = [50.0]
    client = google(clock=lambda: now[0])
    ends = client.deadline()
    now[0] = ends + 0.1
    with pytest.raises(NeverSent):
        client.send("d1", PUSH, ends)
    assert len(responses.calls) == 0


@pytest.mark.parametrize("answer", [{"json": {"error": "invalid_grant"}, "status": 400}, {"body": requests.Timeout()}])
@responses.activate
def test_without_an_access_token_nothing_was_pushed(answer: Mapping[str, Any]) -> None:
    responses.post(TOKENS, **answer)
    with pytest.raises(NeverSent, match="access token"):
        google().send("d1", PUSH)


@responses.activate
def test_a_sandbox_stands_for_all_of_google() -> None:
    responses.post("http://127.0.0.1:9/token", json={"access_token": "a", "expires_in": 3600, "token_type": "Bearer"})
    responses.post("http://127.0.0.1:9/v1/projects/acme-air/messages:send", json={"name": "n"})
    assert google(api_url="http://127.0.0.1:9").send("d1", PUSH) == "n"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"project_id": "a", "token_uri": "b"}', '"private"'])
def test_what_is_no_key(text: str) -> None:
    with pytest.raises(BadKey, match="whole JSON file"):
        Fcm(text, 1)
