"""The Twilio client: the exact request, and every answer sorted into what it means for the text."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError, ProtocolError

from ivr.clients.failure import SendError
from ivr.clients.twilio import Account, Twilio

ACCOUNT = Account("AC" + "0" * 32, "token")
URL = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT.account_sid}/Messages.json"


def twilio(account: Account = ACCOUNT, now: float = 0.0) -> Twilio:
    return Twilio(account, connections=2, clock=lambda: now)


def send(client: Twilio, sender: str = "+14155550111", deadline: float = 20.0) -> str:
    return client.send_text(
        "+1(415) 555-2671", sender, "Hi \U0001f44d", "https://x.example/messages/status/1", 3600, deadline
    )


@responses.activate
def test_the_exact_request() -> None:
    responses.post(URL, json={"sid": "SM1", "status": "queued"}, status=201)
    assert send(twilio()) == "SM1"
    (call,) = responses.calls
    assert parse_qs(str(call.request.body)) == {
        "To": ["+1(415) 555-2671"],
        "From": ["+14155550111"],
        "Body": ["Hi \U0001f44d"],
        "StatusCallback": ["https://x.example/messages/status/1"],
        "ValidityPeriod": ["3600"],
    }
    assert call.request.headers["Authorization"] == requests.auth._basic_auth_str(ACCOUNT.account_sid, "token")
    assert call.request.headers["Content-Type"] == "application/x-www-form-urlencoded"


@responses.activate
def test_a_messaging_service_is_no_from() -> None:
    responses.post(URL, json={"sid": "SM1", "status": "accepted"}, status=201)
    send(twilio(), sender="MG" + "0" * 32)
    body = parse_qs(str(responses.calls[0].request.body))
    assert body["MessagingServiceSid"] == ["MG" + "0" * 32]
    assert "From" not in body


@responses.activate
def test_a_whatsapp_template_in_the_place_of_words() -> None:
    responses.post(URL, json={"sid": "SM1", "status": "queued"}, status=201)
    content = {"sid": "HX" + "0" * 32, "variables": {"1": "Acme Air", "2": "10 minutes"}}
    to, sender, callback = "whatsapp:+14155552671", "whatsapp:+14155550112", "https://x.example/messages/status/1"
    assert twilio().send_text(to, sender, "unsaid", callback, 3600, 20.0, content=content) == "SM1"
    assert parse_qs(str(responses.calls[0].request.body)) == {
        "To": [to],
        "From": [sender],
        "ContentSid": ["HX" + "0" * 32],
        "ContentVariables": ['{"1": "Acme Air", "2": "10 minutes"}'],
        "StatusCallback": [callback],
        "ValidityPeriod": ["3600"],
    }


@responses.activate
def test_a_whatsapp_template_without_variables_and_an_answer_in_words() -> None:
    responses.post(URL, json={"sid": "SM1", "status": "queued"}, status=201)
    to, sender, callback = "whatsapp:+14155552671", "whatsapp:+14155550112", "https://x.example/messages/status/1"
    twilio().send_text(to, sender, "unsaid", callback, 3600, 20.0, content={"sid": "HX1", "variables": {}})
    twilio().send_text(to, sender, "Hello", callback, 3600, 20.0)
    first, second = (parse_qs(str(call.request.body)) for call in responses.calls)
    assert (first.get("ContentSid"), first.get("ContentVariables"), first.get("Body")) == (["HX1"], None, None)
    assert (second.get("ContentSid"), second.get("Body")) == (None, ["Hello"])


@responses.activate
def test_rcs_goes_to_a_plain_number_by_its_messaging_service() -> None:
    responses.post(URL, json={"sid": "SM1", "status": "accepted"}, status=201)
    service, callback = "MG" + "0" * 32, "https://x.example/messages/status/1"
    twilio().send_text("+14155552671", service, "Hello", callback, 3600, 20.0)
    assert parse_qs(str(responses.calls[0].request.body)) == {
        "To": ["+14155552671"],
        "MessagingServiceSid": [service],
        "Body": ["Hello"],
        "StatusCallback": [callback],
        "ValidityPeriod": ["3600"],
    }


@responses.activate
def test_an_api_key_and_another_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_REGION", "ie1")
    monkeypatch.setenv("TWILIO_EDGE", "dublin")
    account = Account(ACCOUNT.account_sid, "token", "SK1", "secret", "http://127.0.0.1:8001")
    responses.post(URL.replace("https://api.twilio.com", "http://127.0.0.1:8001"), json={"sid": "SM1"}, status=201)
    assert send(twilio(account)) == "SM1"
    assert responses.calls[0].request.headers["Authorization"] == requests.auth._basic_auth_str("SK1", "secret")


@responses.activate
def test_region_and_edge_of_the_environment_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_REGION", "ie1")
    responses.post(URL, json={"sid": "SM1"}, status=201)
    assert send(twilio()) == "SM1"


def error(code: int, status: int) -> dict[str, Any]:
    return {"status": status, "json": {"code": code, "message": "x", "status": status, "more_info": "x"}}


ANSWERS = [
    ("invalid number", error(21211, 400), {"code": 21211, "permanent": True}),
    ("opted out", error(21610, 400), {"code": 21610, "permanent": True}),
    ("credentials", error(20003, 401), {"code": 20003, "permanent": True}),
    ("a refusal in the newer form", {"status": 400, "json": {"type": "x", "title": "x", "status": 400, "code": 21614}}, {"code": 21614, "permanent": True}),
    ("a refusal without a code", {"status": 403, "body": "no"}, {"code": 403, "permanent": True}),
    ("a redirect is not followed", {"status": 302, "headers": {"Location": "https://x.example"}}, {"code": 302, "permanent": True}),
    ("busy", {**error(20429, 429), "headers": {"Retry-After": "7"}}, {"code": 20429, "retry_after": 7.0}),
    ("busy without a time", error(20429, 429), {"code": 20429}),
    ("busy until a date", {**error(20429, 429), "headers": {"Retry-After": "Fri, 01 Jan 2027 00:00:00 GMT"}}, {"code": 20429}),
    ("failing", error(20500, 500), {"code": 20500, "unclear": True}),
    ("a gateway's page", {"status": 503, "body": "<html>"}, {"code": 503, "unclear": True}),
    ("a gateway that gave up", {"status": 408, "body": "<html>"}, {"code": 408, "unclear": True}),
    ("taken and failed at once", {"status": 201, "json": {"sid": "SM1", "status": "failed", "error_code": 30006}}, {"code": 30006, "permanent": True}),
    ("an empty 200", {"status": 200, "body": ""}, {"unclear": True}),
    ("no JSON", {"status": 201, "body": "<html>"}, {"unclear": True}),
    ("no object", {"status": 201, "body": "[]"}, {"unclear": True}),
    ("no sid", {"status": 201, "json": {"status": "queued"}}, {"unclear": True}),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "means"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS])
@responses.activate
def test_every_answer(answer: dict[str, Any], means: dict[str, Any]) -> None:
    responses.post(URL, **answer)
    with pytest.raises(SendError) as raised:
        send(twilio())
    found = raised.value
    expected = {"permanent": False, "unclear": False, "code": None, "retry_after": None} | means
    if "code" not in means:
        expected["code"] = found.code
    assert {name: getattr(found, name) for name in expected} == expected
    assert len(responses.calls) == 1, "nothing is repeated by the client"
    assert "token" not in found.reason


def gave_up(reason: Exception) -> MaxRetryError:
    """As urllib3 says it when no connection came to be."""
    nowhere: Any = None
    return MaxRetryError(nowhere, "/", reason)


def refused() -> requests.ConnectionError:
    nowhere: Any = None
    return requests.ConnectionError(gave_up(NewConnectionError(nowhere, "refused")))


NO_ANSWER = [
    ("refused", refused, False),
    ("connecting took too long", lambda: requests.ConnectTimeout(gave_up(ConnectTimeoutError())), False),
    ("a TLS fault, whenever it came", lambda: requests.exceptions.SSLError("alert"), True),
    (
        "another's certificate",
        lambda: requests.exceptions.SSLError(gave_up(Exception("CERTIFICATE_VERIFY_FAILED"))),
        False,
    ),
    ("no answer in time", lambda: requests.ReadTimeout("slow"), True),
    ("reset", lambda: requests.ConnectionError(ProtocolError("aborted", ConnectionResetError())), True),
    ("half an answer", lambda: requests.exceptions.ChunkedEncodingError("half"), True),
]


@pytest.mark.parametrize(("happens", "unclear"), [case[1:] for case in NO_ANSWER], ids=[case[0] for case in NO_ANSWER])
@responses.activate
def test_no_answer(happens: Callable[[], Exception], unclear: bool) -> None:
    responses.post(URL, body=happens())
    with pytest.raises(SendError) as raised:
        send(twilio())
    assert raised.value.unclear is unclear


@responses.activate
def test_time_outs_share_what_is_left() -> None:
    seen: list[Any] = []

    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        timeout = request.req_kwargs["timeout"]  # type: ignore[attr-defined]
        seen.append((timeout.connect_timeout, timeout.read_timeout, timeout.total))
        return 201, {}, '{"sid": "SM1"}'

    responses.add_callback(responses.POST, URL, callback=answer)
    send(twilio(now=0.0), deadline=20.0)
    send(twilio(now=18.0), deadline=20.0)
    assert seen == [(3.0, 15.0, 20.0), (2.0, 15.0, 2.0)], "the last bounds them all"


@responses.activate
def test_nothing_is_asked_when_no_time_is_left() -> None:
    with pytest.raises(SendError) as raised:
        send(twilio(now=20.0), deadline=20.0)
    assert not raised.value.unclear
    assert len(responses.calls) == 0


LIST: dict[str, Any] = {"messages": [], "next_page_uri": None, "page": 0, "page_size": 50}


def listed(sid: str, minute: int, **changes: Any) -> dict[str, Any]:
    return {"sid": sid, "body": "Hi", "from": "+14155550111", "direction": "outbound-api", "status": "delivered",
            "error_code": None, "date_created": f"Mon, 02 Mar 2026 14:{minute:02d}:00 +0000", **changes}  # fmt: skip


@responses.activate
def test_the_list_is_read_to_the_moment_asked_for() -> None:
    more = (
        f"/2010-04-01/Accounts/{ACCOUNT.account_sid}/Messages.json?To=%2B14155552671&PageSize=50&Page=1&PageToken=PASM1"
    )
    responses.get(URL, json={**LIST, "messages": [listed("SM3", 30), listed("SM2", 20)], "next_page_uri": more})
    responses.get(
        URL, json={**LIST, "messages": [listed("SM1", 19, status="undelivered", error_code=30006), listed("SM0", 1)]}
    )
    found = twilio().texts_to("+14155552671", datetime(2026, 3, 2, 14, 10, tzinfo=UTC), deadline=20.0)
    assert [(text.sid, text.state, text.code) for text in found] == [
        ("SM3", "delivered", None), ("SM2", "delivered", None), ("SM1", "failed", 30006),
    ]  # fmt: skip
    asked = parse_qs(urlsplit(str(responses.calls[0].request.url)).query)
    assert asked == {"To": ["+14155552671"], "PageSize": ["50"]}


@responses.activate
def test_half_a_list_is_none() -> None:
    responses.get(URL, json={**LIST, "messages": [listed("SM3", 30)], "next_page_uri": "/2010-04-01/x.json"})
    responses.get("https://api.twilio.com/2010-04-01/x.json", status=500, json={"code": 20500})
    with pytest.raises(SendError):
        twilio().texts_to("+14155552671", datetime(2026, 3, 2, 14, 10, tzinfo=UTC), deadline=20.0)
