"""The LivePerson client: the exact requests, and every answer sorted into what it means for the text."""

import base64
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses
from hypothesis import given, settings
from hypothesis import strategies as st
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError, ProtocolError

from ivr.clients.failure import SendError
from ivr.clients.liveperson import AlreadyOpen, Connector, ConversationClosed, LivePerson, Opening, Profile

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CONNECTOR = Connector("12345678", "0d0cf5ab-client", "a-client-s3cret")
API = "https://api.liveperson.net/api/account/12345678/service"
LOGIN = "https://sentinel.example/sentinel/api/account/12345678/app/token"
CONSUMER = "https://idp.example/api/account/12345678/consumer"
OPEN = "https://ams.example/api/account/12345678/messaging/consumer/conversation"
SEND = f"{OPEN}/send"
LP_CONSUMER_ID = "5c" * 32


def token(**claims: Any) -> str:
    """A signed token as they look; nobody here reads the signature."""
    parts = ({"alg": "RS256", "typ": "JWT"}, claims, {"signature": "ÿ?"})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)


def app_jwt(number: int = 1, lives: timedelta = timedelta(hours=1), since: datetime = NOON) -> str:
    return token(aud="12345678", scope="msg.consumer", iss="Sentinel", exp=int((since + lives).timestamp()), n=number)


def consumer_jws(number: int = 1) -> str:
    return token(account_id="12345678", ext_consumer_id="ext-1", lp_consumer_id=LP_CONSUMER_ID, n=number)


@dataclass
class Clocks:
    now: datetime = NOON
    seconds: float = 0.0


@dataclass
class Desk:
    """LivePerson, as `responses` plays it: discovery and both tokens answer, the rest is the test's."""

    played: responses.RequestsMock
    clocks: Clocks = field(default_factory=Clocks)
    connector: Connector = CONNECTOR

    def __post_init__(self) -> None:
        ids = itertools.count(1)
        self.client = LivePerson(
            self.connector, 2, lambda: f"id-{next(ids)}", lambda: self.clocks.now, lambda: self.clocks.seconds
        )

    def hosts(self, *services: str) -> None:
        for service in services or ("sentinel", "idp", "asyncMessagingEnt", "swift"):
            host = {"asyncMessagingEnt": "ams"}.get(service, service) + ".example"
            answer = {"service": service, "account": "12345678", "baseURI": host}
            self.played.get(f"{API}/{service}/baseURI.json", json=answer)

    def tokens(self) -> None:
        self.played.post(LOGIN, json={"access_token": app_jwt(), "token_type": "Bearer"})
        self.played.post(CONSUMER, json={"token": consumer_jws()}, status=201)

    def asked(self, url: str) -> list[requests.PreparedRequest]:
        return [call.request for call in self.played.calls if str(call.request.url).split("?")[0] == url]

    def open(self, opening: Opening | None = None) -> str:
        return self.client.open(opening or Opening("ext-1", Profile()), self.client.deadline())

    def publish(self, text: str = "Hi", **kwargs: Any) -> int:
        return self.client.publish("ext-1", "c-1", text, self.client.deadline(), **kwargs)


@pytest.fixture
def desk() -> Iterator[Desk]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as played:
        found = Desk(played)
        found.hosts()
        found.tokens()
        yield found


def ok(**body: Any) -> dict[str, Any]:
    return {"code": "OK", "body": body, "reqId": "id-1"}


def bad(message: str = "Bad Request") -> dict[str, Any]:
    return {"code": "BAD_REQUEST", "body": {"msg": message}, "reqId": "id-1"}


def denied(code: int, status: int = 401) -> dict[str, Any]:
    body = {"title": "Invalid", "details": "expired", "errorCode": code}
    return {"status": status, "json": {"kind": "resp", "code": status, "type": ".ReqBody$ErrorResp", "body": body}}


PROFILE_SET = ok(msg="OK User Profile set successfully")
OPENED = [PROFILE_SET, ok(conversationId="c-1")]
IS_OPEN = bad(f"Bad Request, User {LP_CONSUMER_ID} already has open conversation. Can't open another one.")
IS_CLOSED = bad("Bad Request, Conversation is close")


def sent(request: requests.PreparedRequest) -> Any:
    assert isinstance(request.body, bytes)
    return json.loads(request.body)


def test_the_exact_requests_of_an_opening(desk: Desk) -> None:
    desk.played.post(OPEN, json=OPENED)
    profile = Profile("+1(415) 555-2671", "billing", "Acme Air", "CA1", {"customerId": "C-77"})
    opening = Opening("ext-1", profile, skill="1234", campaign="111", engagement="222")
    assert desk.open(opening) == "c-1"
    urls = [str(call.request.url) for call in desk.played.calls]
    assert urls == [
        f"{API}/sentinel/baseURI.json?version=1.0",
        f"{LOGIN}?v=1.0&grant_type=client_credentials",
        f"{API}/idp/baseURI.json?version=1.0",
        f"{CONSUMER}?v=1.0",
        f"{API}/asyncMessagingEnt/baseURI.json?version=1.0",
        f"{OPEN}?v=3",
    ]
    (opened,) = desk.asked(OPEN)
    assert sent(opened) == [
        {
            "kind": "req",
            "id": "id-1",
            "type": "userprofile.SetUserProfile",
            "body": {
                "authenticatedData": {
                    "lp_sdes": [
                        {
                            "type": "ctmrinfo",
                            "info": {
                                "ctype": "ivr-deflection",
                                "socialId": "CA1",
                                "companyBranch": "billing",
                                "accountName": "Acme Air",
                                "customerId": "C-77",
                            },
                        },
                        {"type": "personal", "personal": {"contacts": [{"phone": "+1(415) 555-2671"}]}},
                    ]
                }
            },
        },
        {
            "kind": "req",
            "id": "id-2",
            "type": "cm.ConsumerRequestConversation",
            "body": {
                "brandId": "12345678",
                "channelType": "MESSAGING",
                "ttrDefName": "NORMAL",
                "skillId": "1234",
                "campaignInfo": {"campaignId": "111", "engagementId": "222"},
            },
        },
    ]
    assert headers(opened) == {
        "Authorization": app_jwt(),
        "X-LP-ON-BEHALF": consumer_jws(),
        "Content-Type": "application/json",
        "Client-Properties": '{"type":".ClientProperties","features":["AUTO_MESSAGES"]}',
    }


def headers(request: requests.PreparedRequest) -> dict[str, str]:
    names = ("Authorization", "X-LP-ON-BEHALF", "Content-Type", "Client-Properties")
    return {name: request.headers[name] for name in names if name in request.headers}


def test_the_exact_requests_of_both_tokens(desk: Desk) -> None:
    desk.played.post(OPEN, json=OPENED)
    desk.open()
    (login,), (consumer,) = desk.asked(LOGIN), desk.asked(CONSUMER)
    assert parse_qs(urlsplit(str(login.url)).query) == {"v": ["1.0"], "grant_type": ["client_credentials"]}
    assert parse_qs(str(login.body)) == {"client_id": ["0d0cf5ab-client"], "client_secret": ["a-client-s3cret"]}
    assert headers(login) == {"Content-Type": "application/x-www-form-urlencoded"}
    assert sent(consumer) == {"ext_consumer_id": "ext-1"}
    assert headers(consumer) == {"Authorization": app_jwt(), "Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("opening", "skill", "campaign"),
    [
        pytest.param(Opening("ext-1", Profile()), "-1", None, id="nothing given"),
        pytest.param(Opening("ext-1", Profile(), skill="7"), "7", None, id="a skill"),
        pytest.param(Opening("ext-1", Profile(), campaign="111"), "-1", None, id="a campaign without an engagement"),
        pytest.param(Opening("ext-1", Profile(), engagement="222"), "-1", None, id="an engagement without a campaign"),
        pytest.param(Opening("ext-1", Profile(), None, "111", "222"), "-1", {"campaignId": "111", "engagementId": "222"}, id="both"),
    ],
)  # fmt: skip
def test_what_is_not_given_is_left_out(
    desk: Desk, opening: Opening, skill: str, campaign: dict[str, str] | None
) -> None:
    desk.played.post(OPEN, json=OPENED)
    desk.open(opening)
    profile, conversation = sent(desk.asked(OPEN)[0])
    assert profile["body"] == {
        "authenticatedData": {"lp_sdes": [{"type": "ctmrinfo", "info": {"ctype": "ivr-deflection"}}]}
    }
    assert conversation["body"]["skillId"] == skill
    assert conversation["body"].get("campaignInfo") == campaign


@pytest.mark.parametrize(
    ("act", "type_", "body"),
    [
        pytest.param(
            lambda desk: desk.publish("Grüße \U0001f44d\n"),
            "ms.PublishEvent",
            {"dialogId": "c-1", "conversationId": "c-1", "event": {"type": "ContentEvent", "contentType": "text/plain", "message": "Grüße \U0001f44d\n"}},
            id="publish",
        ),
        pytest.param(
            lambda desk: desk.publish("5", dialog_id="d-2"),
            "ms.PublishEvent",
            {"dialogId": "d-2", "conversationId": "c-1", "event": {"type": "ContentEvent", "contentType": "text/plain", "message": "5"}},
            id="publish into the survey",
        ),
        pytest.param(
            lambda desk: desk.client.receipt("ext-1", "c-1", "READ", [2, 3], 20.0),
            "ms.PublishEvent",
            {"dialogId": "c-1", "conversationId": "c-1", "event": {"type": "AcceptStatusEvent", "status": "READ", "sequenceList": [2, 3]}},
            id="read",
        ),
        pytest.param(
            lambda desk: desk.client.close("ext-1", "c-1", 20.0),
            "cm.UpdateConversationField",
            {"conversationId": "c-1", "conversationField": {"field": "ConversationStateField", "conversationState": "CLOSE"}},
            id="close",
        ),
        pytest.param(
            lambda desk: desk.client.file_url("ext-1", "c-1", "1234.JPG", 20.0),
            "ms.GenerateURLForDownloadFile",
            {"relativePath": "1234.JPG"},
            id="file",
        ),
    ],
)  # fmt: skip
def test_the_exact_requests_of_a_conversation(
    desk: Desk, act: Callable[[Desk], object], type_: str, body: dict[str, Any]
) -> None:
    place = {"relativePath": "/v1/x", "queryParams": {"temp_url_sig": "5f", "temp_url_expires": "1700000000"}}
    desk.played.post(SEND, json=ok(sequence=4, **place))
    act(desk)
    (request,) = desk.asked(SEND)
    assert sent(request) == {"kind": "req", "id": "id-1", "type": type_, "body": body}
    assert urlsplit(str(request.url)).query == "v=3"
    assert headers(request) == {
        "Authorization": app_jwt(),
        "X-LP-ON-BEHALF": consumer_jws(),
        "Content-Type": "application/json",
        "Client-Properties": '{"type":".ClientProperties","features":["AUTO_MESSAGES"]}',
    }


def test_the_sequence_of_what_was_published(desk: Desk) -> None:
    desk.played.post(SEND, json=ok(sequence=0))
    assert desk.publish() == 0


def test_the_consumer_s_id_is_read_from_the_token(desk: Desk) -> None:
    assert desk.client.consumer("ext-1", 20.0) == LP_CONSUMER_ID


PERMANENT = {"permanent": True}
UNCLEAR = {"unclear": True}
OPEN_ANSWERS = [
    ("one is open, as the guide shows it", {"status": 400, "json": [PROFILE_SET, IS_OPEN]}, {"type": AlreadyOpen}),
    ("one is open, with a status that says OK", {"json": [PROFILE_SET, IS_OPEN]}, {"type": AlreadyOpen}),
    ("one is open, in other letters", {"status": 400, "json": [PROFILE_SET, bad("ALREADY HAS OPEN CONVERSATION")]}, {"type": AlreadyOpen}),
    ("one is open, without an array", {"status": 400, "json": IS_OPEN}, {"type": AlreadyOpen}),
    ("an unknown refusal", {"status": 400, "json": [PROFILE_SET, bad("No such skill: a-client-s3cret")]}, {**PERMANENT, "code": 400}),
    ("an unknown refusal, with a status that says OK", {"json": [PROFILE_SET, bad()]}, {**PERMANENT, "code": 400}),
    ("a missing claim", denied(40001, 400), {**PERMANENT, "code": 40001}),
    ("a missing header", denied(40104), {**PERMANENT, "code": 40104}),
    ("a refusal without a word", {"status": 403, "body": "no"}, {**PERMANENT, "code": 403}),
    ("a redirect is not followed", {"status": 302, "headers": {"Location": "https://x.example"}}, {**PERMANENT, "code": 302}),
    ("busy", {"status": 429, "headers": {"Retry-After": "7"}}, {"code": 429, "retry_after": 7.0}),
    ("busy without a time", {"status": 429}, {"code": 429, "retry_after": 1.0}),
    ("busy for no time", {"status": 429, "headers": {"Retry-After": "0"}}, {"code": 429, "retry_after": 1.0}),
    ("busy until a date", {"status": 429, "headers": {"Retry-After": "Fri, 01 Jan 2027 00:00:00 GMT"}}, {"code": 429, "retry_after": 1.0}),
    ("busy inside a 200", {"json": [PROFILE_SET, {"code": 429, "body": {}}]}, {"code": 429, "retry_after": 1.0}),
    ("failing", {"status": 500, "json": {}}, {**UNCLEAR, "code": 500}),
    ("a gateway's page", {"status": 503, "body": "<html>", "headers": {"Retry-After": "9"}}, {**UNCLEAR, "code": 503, "retry_after": 9.0}),
    ("failing inside a 200", {"json": [PROFILE_SET, {"code": 500, "body": {}}]}, {**UNCLEAR, "code": 500}),
    ("an empty 200", {"body": ""}, UNCLEAR),
    ("no JSON", {"body": "<html>"}, UNCLEAR),
    ("very deep JSON", {"body": "[" * 100_000}, UNCLEAR),
    ("an empty array", {"json": []}, UNCLEAR),
    ("an array of other things", {"json": ["OK", "OK"]}, UNCLEAR),
    ("half an array", {"json": [PROFILE_SET]}, UNCLEAR),
    ("the words of a refusal in a yes", {"json": [PROFILE_SET, ok(msg="already has open conversation")]}, UNCLEAR),
    ("no id", {"json": [PROFILE_SET, ok(msg="OK")]}, UNCLEAR),
    ("an empty id", {"json": [PROFILE_SET, ok(conversationId="")]}, UNCLEAR),
    ("an id that is a number", {"json": [PROFILE_SET, ok(conversationId=7)]}, UNCLEAR),
    ("a word nobody knows", {"json": [PROFILE_SET, {"code": "PARDON", "body": {}}]}, UNCLEAR),
    ("no word at all", {"json": [PROFILE_SET, {"body": {"conversationId": "c-1"}}]}, UNCLEAR),
    ("all is OK under a status that says no", {"status": 400, "json": OPENED}, PERMANENT),
]  # fmt: skip


def check(error: SendError, means: dict[str, Any]) -> None:
    assert type(error) is means.get("type", SendError)
    if type(error) is SendError:
        expected = {"permanent": False, "unclear": False, "code": None, "retry_after": None} | means
        if means == PERMANENT:
            expected["code"] = error.code
        assert {name: getattr(error, name) for name in expected} == expected
    for secret in (CONNECTOR.client_secret, app_jwt(), consumer_jws(), LP_CONSUMER_ID):
        assert secret not in error.reason


@pytest.mark.parametrize(
    ("answer", "means"), [case[1:] for case in OPEN_ANSWERS], ids=[case[0] for case in OPEN_ANSWERS]
)
def test_every_answer_to_an_opening(desk: Desk, answer: dict[str, Any], means: dict[str, Any]) -> None:
    desk.played.post(OPEN, **answer)
    with pytest.raises(SendError) as raised:
        desk.open()
    check(raised.value, means)
    assert len(desk.asked(OPEN)) == 1, "nothing is repeated by the client"


def test_a_conversation_without_its_profile_is_one_all_the_same(desk: Desk) -> None:
    desk.played.post(OPEN, status=400, json=[bad(), ok(conversationId="c-1")])
    assert desk.open() == "c-1"


PUBLISH_ANSWERS = [
    ("closed", {"status": 400, "json": IS_CLOSED}, {"type": ConversationClosed}),
    ("closed, with a status that says OK", {"json": IS_CLOSED}, {"type": ConversationClosed}),
    ("closed, in other letters", {"status": 400, "json": bad("conversation IS CLOSED")}, {"type": ConversationClosed}),
    ("an unknown refusal", {"status": 400, "json": bad()}, {**PERMANENT, "code": 400}),
    ("busy", {"status": 429}, {"code": 429, "retry_after": 1.0}),
    ("failing", {"status": 502, "body": "<html>"}, {**UNCLEAR, "code": 502}),
    ("no sequence", {"json": ok(msg="Conversation is close")}, UNCLEAR),
    ("a sequence in words", {"json": ok(sequence="4")}, UNCLEAR),
    ("a sequence that is none", {"json": ok(sequence=True)}, UNCLEAR),
    ("a sequence below nought", {"json": ok(sequence=-1)}, UNCLEAR),
    ("no body", {"json": {"code": "OK"}}, UNCLEAR),
    ("a body that is none", {"json": {"code": "OK", "body": [4]}}, UNCLEAR),
    ("a code that is none", {"json": {"code": ["OK"], "body": {"sequence": 4}}}, UNCLEAR),
    ("no object", {"body": "4"}, UNCLEAR),
]  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "means"), [case[1:] for case in PUBLISH_ANSWERS], ids=[case[0] for case in PUBLISH_ANSWERS]
)
def test_every_answer_to_a_text(desk: Desk, answer: dict[str, Any], means: dict[str, Any]) -> None:
    desk.played.post(SEND, **answer)
    with pytest.raises(SendError) as raised:
        desk.publish()
    check(raised.value, means)
    assert len(desk.asked(SEND)) == 1


def test_closing_what_is_closed_is_no_failure(desk: Desk) -> None:
    desk.played.post(SEND, status=400, json=IS_CLOSED)
    desk.client.close("ext-1", "c-1", 20.0)
    assert len(desk.asked(SEND)) == 1


@pytest.mark.parametrize(
    ("act", "unclear"),
    [
        pytest.param(lambda desk: desk.publish(), True, id="publish"),
        pytest.param(lambda desk: desk.client.close("ext-1", "c-1", 20.0), True, id="close"),
        pytest.param(lambda desk: desk.client.receipt("ext-1", "c-1", "READ", [1], 20.0), False, id="read"),
        pytest.param(lambda desk: desk.client.file_url("ext-1", "c-1", "1.JPG", 20.0), False, id="file"),
    ],
)
@pytest.mark.parametrize("answer", [{"status": 500}, {"body": "<html>"}, {"body": requests.ReadTimeout("slow")}], ids=["failing", "unreadable", "no answer"])  # fmt: skip
def test_only_what_acts_can_be_unclear(
    desk: Desk, answer: dict[str, Any], act: Callable[[Desk], object], unclear: bool
) -> None:
    desk.played.post(SEND, **answer)
    with pytest.raises(SendError) as raised:
        act(desk)
    assert (raised.value.unclear, raised.value.permanent) == (unclear, False)


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
    ("no answer in time", lambda: requests.ReadTimeout("slow"), True),
    ("reset", lambda: requests.ConnectionError(ProtocolError("aborted", ConnectionResetError())), True),
    ("half an answer", lambda: requests.exceptions.ChunkedEncodingError("half"), True),
]


@pytest.mark.parametrize(("happens", "unclear"), [case[1:] for case in NO_ANSWER], ids=[case[0] for case in NO_ANSWER])
def test_no_answer(desk: Desk, happens: Callable[[], Exception], unclear: bool) -> None:
    for url, act in ((OPEN, desk.open), (SEND, desk.publish)):
        desk.played.post(url, body=happens())
        with pytest.raises(SendError) as raised:
            act()
        assert (raised.value.unclear, raised.value.permanent) == (unclear, False)


TOKEN_ANSWERS = [
    ("refused", {"status": 401, "json": {"error": "invalid_client"}}, {**PERMANENT, "code": 401}),
    ("unknown", {"status": 404, "body": "<html>"}, {**PERMANENT, "code": 404}),
    ("busy", {"status": 429}, {"code": 429, "retry_after": 5.0}),
    ("busy for long", {"status": 429, "headers": {"Retry-After": "30"}}, {"code": 429, "retry_after": 30.0}),
    ("failing", {"status": 500, "body": ""}, {"code": 500}),
    ("no JSON", {"body": "<html>"}, {}),
    ("no token", {"json": {"token_type": "Bearer"}}, {}),
    ("a token that is no header", {"json": {"access_token": "a\r\nX: b", "token": "a b"}}, {}),
    ("a token that is no text", {"json": {"access_token": 7, "token": None}}, {}),
    ("no answer", {"body": requests.ReadTimeout("slow")}, {}),
    ("reset", {"body": requests.ConnectionError(ProtocolError("aborted", ConnectionResetError()))}, {}),
]


@pytest.mark.parametrize("url", [LOGIN, CONSUMER], ids=["login", "consumer"])
@pytest.mark.parametrize(
    ("answer", "means"), [case[1:] for case in TOKEN_ANSWERS], ids=[case[0] for case in TOKEN_ANSWERS]
)
def test_a_token_that_does_not_come_leaves_nothing_unclear(
    desk: Desk, url: str, answer: dict[str, Any], means: dict[str, Any]
) -> None:
    desk.played.replace(responses.POST, url, **answer)
    with pytest.raises(SendError) as raised:
        desk.open()
    check(raised.value, means)
    assert not desk.asked(OPEN)


def test_a_refused_login_says_what_to_mend(desk: Desk) -> None:
    desk.played.replace(responses.POST, LOGIN, status=401, json={})
    with pytest.raises(SendError) as raised:
        desk.open()
    assert raised.value.reason == (
        "LivePerson refused (401); check LIVEPERSON_ACCOUNT, LIVEPERSON_CLIENT_ID and LIVEPERSON_CLIENT_SECRET"
    )


HOST_ANSWERS = [
    ("an unknown account", {"status": 401, "json": {}}, {**PERMANENT, "code": 401}),
    ("a redirect", {"status": 301, "headers": {"Location": "https://x.example"}}, {**PERMANENT, "code": 301}),
    ("busy", {"status": 429}, {"code": 429, "retry_after": 1.0}),
    ("failing", {"status": 500, "body": ""}, {"code": 500}),
    ("no JSON", {"body": "<html>"}, {}),
    ("no host", {"json": {"service": "sentinel"}}, {}),
    ("a path in the host", {"json": {"baseURI": "x.example/y"}}, {}),
    ("somebody's password in the host", {"json": {"baseURI": "a@x.example"}}, {}),
    ("a label that is too long", {"json": {"baseURI": "a" * 64 + ".example"}}, {}),
    ("a port that is none", {"json": {"baseURI": "x.example:70000"}}, {}),
    ("a line break after the host", {"json": {"baseURI": "x.example\n"}}, {}),
    ("not reached", {"body": refused()}, {}),
    ("no answer", {"body": requests.ReadTimeout("slow")}, {}),
]


@pytest.mark.parametrize("service", ["sentinel", "idp", "asyncMessagingEnt"])
@pytest.mark.parametrize(
    ("answer", "means"), [case[1:] for case in HOST_ANSWERS], ids=[case[0] for case in HOST_ANSWERS]
)
def test_a_host_that_is_not_found_leaves_nothing_unclear(
    desk: Desk, service: str, answer: dict[str, Any], means: dict[str, Any]
) -> None:
    desk.played.replace(responses.GET, f"{API}/{service}/baseURI.json", **answer)
    with pytest.raises(SendError) as raised:
        desk.open()
    if not isinstance(answer.get("body"), requests.ConnectionError):
        check(raised.value, means)
    assert not raised.value.unclear
    assert not desk.asked(OPEN)


def test_hosts_are_kept_for_a_day(desk: Desk) -> None:
    desk.played.post(SEND, json=ok(sequence=1))
    where = f"{API}/asyncMessagingEnt/baseURI.json"
    for passed, asked in ((timedelta(0), 1), (timedelta(hours=23, minutes=59), 1), (timedelta(days=1), 2)):
        desk.clocks.now = NOON + passed
        desk.publish()
        assert len(desk.asked(where)) == asked


def test_a_host_that_cannot_be_reached_is_looked_up_anew(desk: Desk) -> None:
    desk.played.post(SEND, body=refused())
    with pytest.raises(SendError, match="could not be reached"):
        desk.publish()
    where = f"{API}/asyncMessagingEnt/baseURI.json"
    desk.played.replace(responses.GET, where, json={"baseURI": "moved.example:8443"})
    desk.played.post(SEND.replace("ams.example", "moved.example:8443"), json=ok(sequence=3))
    assert desk.publish() == 3
    assert len(desk.asked(where)) == 2


def test_a_host_that_is_silent_is_kept(desk: Desk) -> None:
    desk.played.post(SEND, body=requests.ReadTimeout("slow"))
    desk.played.post(SEND, json=ok(sequence=3))
    with pytest.raises(SendError):
        desk.publish()
    assert desk.publish() == 3
    assert len(desk.asked(f"{API}/asyncMessagingEnt/baseURI.json")) == 1


def test_the_scheme_of_the_first_host_is_all_the_others_too(desk: Desk) -> None:
    here = Desk(desk.played, connector=Connector("12345678", "c", "s", "http://127.0.0.1:9001"))
    desk.played.get(
        "http://127.0.0.1:9001/api/account/12345678/service/idp/baseURI.json", json={"baseURI": "127.0.0.1:9001"}
    )
    desk.played.get(
        "http://127.0.0.1:9001/api/account/12345678/service/sentinel/baseURI.json", json={"baseURI": "127.0.0.1:9001"}
    )
    desk.played.post("http://127.0.0.1:9001/sentinel/api/account/12345678/app/token", json={"access_token": app_jwt()})
    desk.played.post("http://127.0.0.1:9001/api/account/12345678/consumer", json={"token": consumer_jws()}, status=201)
    assert here.client.consumer("ext-1", 20.0) == LP_CONSUMER_ID


@pytest.mark.parametrize(
    ("access_token", "kept"),
    [
        pytest.param(app_jwt(), timedelta(minutes=55), id="an hour"),
        pytest.param(app_jwt(lives=timedelta(minutes=20)), timedelta(minutes=15), id="as its payload says"),
        pytest.param("opaque", timedelta(minutes=55), id="no payload"),
        pytest.param(token(exp="soon"), timedelta(minutes=55), id="an end that is none"),
        pytest.param(token(exp=1e300), timedelta(minutes=55), id="an end beyond all years"),
    ],
)
def test_the_app_s_token_is_renewed_five_minutes_early(desk: Desk, access_token: str, kept: timedelta) -> None:
    desk.played.replace(responses.POST, LOGIN, json={"access_token": access_token})
    desk.played.post(SEND, json=ok(sequence=1))
    for passed, logins in ((timedelta(0), 1), (kept - timedelta(seconds=1), 1), (kept, 2)):
        desk.clocks.now = NOON + passed
        desk.publish()
        assert len(desk.asked(LOGIN)) == logins


def test_an_app_s_token_that_is_refused_is_renewed_within_the_attempt(desk: Desk) -> None:
    desk.played.replace(responses.POST, LOGIN, json={"access_token": app_jwt(1)})
    desk.played.post(LOGIN, json={"access_token": app_jwt(2)})
    desk.played.post(OPEN, **denied(40102))
    desk.played.post(OPEN, json=OPENED)
    assert desk.open() == "c-1"
    assert [request.headers["Authorization"] for request in desk.asked(OPEN)] == [app_jwt(1), app_jwt(2)]
    assert len({request.body for request in desk.asked(OPEN)}) == 1
    assert len(desk.asked(CONSUMER)) == 1


def test_a_consumer_s_token_that_is_refused_is_renewed_within_the_attempt(desk: Desk) -> None:
    desk.played.replace(responses.POST, CONSUMER, json={"token": consumer_jws(1)}, status=201)
    desk.played.post(CONSUMER, json={"token": consumer_jws(2)}, status=201)
    desk.played.post(SEND, **denied(40103))
    desk.played.post(SEND, json=ok(sequence=9))
    assert desk.publish() == 9
    assert [request.headers["X-LP-ON-BEHALF"] for request in desk.asked(SEND)] == [consumer_jws(1), consumer_jws(2)]
    assert len(desk.asked(LOGIN)) == 1


def test_both_tokens_may_be_refused_once(desk: Desk) -> None:
    desk.played.post(SEND, **denied(40102))
    desk.played.post(SEND, **denied(40103))
    desk.played.post(SEND, json=ok(sequence=9))
    assert desk.publish() == 9
    assert (len(desk.asked(LOGIN)), len(desk.asked(CONSUMER))) == (2, 2)


@pytest.mark.parametrize(("code", "url"), [(40102, LOGIN), (40103, CONSUMER)], ids=["login", "consumer"])
def test_two_that_are_refused_at_once_renew_a_token_once(desk: Desk, code: int, url: str) -> None:
    """The second text is refused and renews while the first one's refusal is still on its way."""
    desk.played.replace(responses.POST, LOGIN, json={"access_token": app_jwt(1)})
    desk.played.post(LOGIN, json={"access_token": app_jwt(2)})
    desk.played.replace(responses.POST, CONSUMER, json={"token": consumer_jws(1)}, status=201)
    desk.played.post(CONSUMER, json={"token": consumer_jws(2)}, status=201)
    old = app_jwt(1) if code == 40102 else consumer_jws(1)
    meanwhile = [lambda: desk.publish("second")]

    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        if old not in request.headers.values():
            return 200, {}, json.dumps(ok(sequence=1))
        if meanwhile:
            assert meanwhile.pop()() == 1
        return 401, {}, json.dumps(denied(code)["json"])

    desk.played.add_callback(responses.POST, SEND, callback=answer)
    assert desk.publish("first") == 1
    assert len(desk.asked(SEND)) == 4
    assert len(desk.asked(url)) == 2


@pytest.mark.parametrize("code", [40102, 40103])
def test_a_new_token_that_is_refused_too_is_a_refusal(desk: Desk, code: int) -> None:
    desk.played.post(SEND, **denied(code))
    with pytest.raises(SendError) as raised:
        desk.publish()
    check(raised.value, {**PERMANENT, "code": code})
    assert len(desk.asked(SEND)) == 2


def test_a_renewal_that_fails_leaves_nothing_unclear(desk: Desk) -> None:
    desk.played.replace(responses.POST, LOGIN, json={"access_token": app_jwt()})
    desk.played.post(LOGIN, status=503)
    desk.played.post(SEND, **denied(40102))
    with pytest.raises(SendError) as raised:
        desk.publish()
    check(raised.value, {"code": 503})


def test_the_consumer_s_token_too_is_asked_for_once_more_with_a_new_app_s(desk: Desk) -> None:
    desk.played.replace(responses.POST, CONSUMER, **denied(40102))
    desk.played.post(CONSUMER, json={"token": consumer_jws()}, status=201)
    assert desk.client.consumer("ext-1", 20.0) == LP_CONSUMER_ID
    assert (len(desk.asked(LOGIN)), len(desk.asked(CONSUMER))) == (2, 2)


def test_consumers_tokens_are_kept_each_for_itself_and_not_without_end(desk: Desk) -> None:
    for _ in range(2):
        for number in range(3):
            desk.client.consumer(f"ext-{number}", 20.0)
    assert [sent(request)["ext_consumer_id"] for request in desk.asked(CONSUMER)] == ["ext-0", "ext-1", "ext-2"]
    tokens = desk.client._tokens
    for number in range(3, 10_000):
        tokens._consumers[f"ext-{number}"] = "t"
    desk.client.consumer("ext-0", 20.0)  # the latest again
    desk.client.consumer("ext-new", 20.0)
    assert len(tokens._consumers) == 10_000
    assert "ext-0" in tokens._consumers
    assert "ext-1" not in tokens._consumers


@pytest.mark.parametrize(
    "answered",
    [
        pytest.param("opaque", id="no token"),
        pytest.param("a.!!!.c", id="no base64"),
        pytest.param("a." + base64.urlsafe_b64encode(b"[1]").decode() + ".c", id="no object"),
        pytest.param(token(lp_consumer_id=""), id="an empty id"),
        pytest.param(token(lp_consumer_id=7), id="an id that is no text"),
    ],
)
def test_a_consumer_s_token_without_an_id(desk: Desk, answered: str) -> None:
    desk.played.replace(responses.POST, CONSUMER, json={"token": answered}, status=201)
    with pytest.raises(SendError) as raised:
        desk.client.consumer("ext-1", 20.0)
    check(raised.value, {})


def length(text: str) -> int:
    """Of the whole request's JSON, as LivePerson counts it."""
    event = {"type": "ContentEvent", "contentType": "text/plain", "message": text}
    body = {"dialogId": "c-1", "conversationId": "c-1", "event": event}
    request = {"kind": "req", "id": "id-1", "type": "ms.PublishEvent", "body": body}
    return len(json.dumps(request, ensure_ascii=False, separators=(",", ":")))


@pytest.mark.parametrize("letter", ["a", "é", "\U0001f44d", '"', "\n"])
def test_a_text_as_long_as_it_may_be_and_a_longer_one(desk: Desk, letter: str) -> None:
    desk.played.post(SEND, json=ok(sequence=1))
    room = (5000 - length("")) // (length(letter) - length(""))
    assert desk.publish(letter * room) == 1
    before = len(desk.played.calls)
    desk.clocks.now += timedelta(days=2)  # nothing is kept any more: even the login is not asked
    with pytest.raises(SendError, match="too long") as raised:
        desk.publish(letter * (room + 1))
    assert raised.value.permanent
    assert len(desk.played.calls) == before


@pytest.mark.parametrize(
    ("body", "url"),
    [
        pytest.param({"relativePath": "/v1/AUTH_x/1.JPG", "queryParams": {"temp_url_sig": "5f", "temp_url_expires": "17", "more": "x"}}, "https://swift.example/v1/AUTH_x/1.JPG?temp_url_sig=5f&temp_url_expires=17", id="as it comes"),
        pytest.param({"relativePath": "v1/a b?#.JPG", "queryParams": {"temp_url_sig": "5&f", "temp_url_expires": 17}}, "https://swift.example/v1/a%20b%3F%23.JPG?temp_url_sig=5%26f&temp_url_expires=17", id="what a URL may not hold"),
        pytest.param({"relativePath": "@evil.example/1", "queryParams": {"temp_url_sig": "5", "temp_url_expires": "1"}}, "https://swift.example/%40evil.example/1?temp_url_sig=5&temp_url_expires=1", id="another host in the path"),
        pytest.param({"relativePath": "//evil.example/1", "queryParams": {"temp_url_sig": "5", "temp_url_expires": "1"}}, "https://swift.example/evil.example/1?temp_url_sig=5&temp_url_expires=1", id="two slashes"),
        pytest.param({"relativePath": "/", "queryParams": {"temp_url_sig": "5", "temp_url_expires": "1"}}, "", id="no path"),
        pytest.param({"relativePath": "/v1/1.JPG"}, "", id="no signature"),
        pytest.param({"relativePath": "/v1/1.JPG", "queryParams": {"temp_url_sig": "5"}}, "", id="half a signature"),
    ],
)  # fmt: skip
def test_where_a_file_is(desk: Desk, body: dict[str, Any], url: str) -> None:
    desk.played.post(SEND, json=ok(**body))
    if url:
        assert desk.client.file_url("ext-1", "c-1", "1.JPG", 20.0) == url
        return
    with pytest.raises(SendError) as raised:
        desk.client.file_url("ext-1", "c-1", "1.JPG", 20.0)
    check(raised.value, {})


def test_time_outs_share_what_is_left(desk: Desk) -> None:
    seen: list[Any] = []

    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        timeout = request.req_kwargs["timeout"]  # type: ignore[attr-defined]
        seen.append((timeout.connect_timeout, timeout.read_timeout, timeout.total))
        return 200, {}, json.dumps(ok(sequence=1))

    desk.played.add_callback(responses.POST, SEND, callback=answer)
    assert desk.client.deadline() == 20.0
    for seconds in (0.0, 18.0):
        desk.clocks.seconds = seconds
        desk.client.publish("ext-1", "c-1", "Hi", 20.0)
    assert seen == [(3.0, 15.0, 20.0), (2.0, 15.0, 2.0)], "the last bounds them all"


def test_nothing_is_asked_when_no_time_is_left(desk: Desk) -> None:
    desk.clocks.seconds = 20.0
    with pytest.raises(SendError) as raised:
        desk.client.publish("ext-1", "c-1", "Hi", 20.0)
    check(raised.value, {})
    assert len(desk.played.calls) == 0


def test_time_that_ran_out_after_the_tokens_leaves_nothing_unclear(desk: Desk) -> None:
    desk.played.post(SEND, json=ok(sequence=1))
    desk.client.consumer("ext-1", 20.0)
    desk.publish()
    desk.clocks.seconds = 20.5
    with pytest.raises(SendError) as raised:
        desk.client.publish("ext-1", "c-1", "Hi", 20.0)
    check(raised.value, {})
    desk.clocks.seconds = 0.0
    desk.publish()
    assert len(desk.asked(f"{API}/asyncMessagingEnt/baseURI.json")) == 1, "the host is not to blame"


def test_the_environment_reroutes_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
    seen: list[Any] = []

    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        seen.append(request.req_kwargs["proxies"])  # type: ignore[attr-defined]
        return 200, {}, json.dumps(ok(sequence=1))

    desk.played.add_callback(responses.POST, SEND, callback=answer)
    desk.publish()
    assert not seen[0]


def test_where_a_service_is_and_nothing_more_is_asked(desk: Desk) -> None:
    assert desk.client.locate("asyncMessagingEnt", 20.0) == "https://ams.example"
    assert [call.request.url for call in desk.played.calls] == [f"{API}/asyncMessagingEnt/baseURI.json?version=1.0"]


def test_a_service_that_is_not_there(desk: Desk) -> None:
    desk.played.get(f"{API}/nowhere/baseURI.json", status=400, json={"error": "no such service"})
    with pytest.raises(SendError, match="check LIVEPERSON_ACCOUNT and LIVEPERSON_API_URL") as raised:
        desk.client.locate("nowhere", 20.0)
    check(raised.value, {**PERMANENT, "code": 400})


def test_a_login_alone(desk: Desk) -> None:
    desk.client.login(20.0)
    desk.client.login(20.0)
    assert (len(desk.asked(LOGIN)), len(desk.asked(CONSUMER))) == (1, 0)


def test_a_login_that_is_refused(desk: Desk) -> None:
    desk.played.replace(responses.POST, LOGIN, status=401, json={"error": "invalid_client"})
    with pytest.raises(SendError, match="LIVEPERSON_CLIENT_SECRET") as raised:
        desk.client.login(20.0)
    check(raised.value, {**PERMANENT, "code": 401})


def test_the_secret_is_not_in_what_python_prints() -> None:
    assert "s3cret" not in repr(CONNECTOR)


class Slow(ThreadingHTTPServer):
    """Every service at once; logins wait until the test lets them."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.logins = 0
        self.cookies: list[str | None] = []
        self.go_on = threading.Event()


class _Answers(BaseHTTPRequestHandler):
    server: Slow
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.answer({"baseURI": f"127.0.0.1:{self.server.server_port}"})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.cookies.append(self.headers.get("Cookie"))
        if "/app/token" in self.path:
            self.server.logins += 1
            self.server.go_on.wait(10)
            self.answer({"access_token": app_jwt()})
        elif "/consumer?" in self.path:
            self.answer({"token": consumer_jws()}, 201)
        else:
            self.answer(ok(sequence=1))

    def answer(self, found: dict[str, Any], status: int = 200) -> None:
        body = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Set-Cookie", "whose=ext-1")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Not of interest."""


@pytest.fixture
def slow() -> Iterator[tuple[LivePerson, Slow]]:
    server = Slow()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    connector = Connector("12345678", "c", "s", f"http://127.0.0.1:{server.server_port}")
    try:
        yield LivePerson(connector, 8, lambda: "id", lambda: NOON), server
    finally:
        server.go_on.set()
        server.shutdown()
        server.server_close()


def test_many_threads_log_in_once(slow: tuple[LivePerson, Slow]) -> None:
    client, server = slow
    found: list[int] = []
    together = threading.Barrier(9)

    def publish(number: int) -> None:
        together.wait(10)
        found.append(client.publish(f"ext-{number}", "c-1", "Hi", client.deadline()))

    threads = [threading.Thread(target=publish, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    together.wait(10)
    server.go_on.set()
    for thread in threads:
        thread.join(20)
    assert found == [1] * 8
    assert server.logins == 1
    assert set(server.cookies) == {None}, "one consumer's cookie does not ride on another's request"


def test_who_waits_for_another_s_login_waits_no_longer_than_its_own_time(slow: tuple[LivePerson, Slow]) -> None:
    client, server = slow
    first = threading.Thread(target=lambda: client.publish("ext-1", "c-1", "Hi", client.deadline()))
    first.start()
    while not server.logins:
        assert first.is_alive()
    began = time.monotonic()
    with pytest.raises(SendError, match="login took too long") as raised:
        client.publish("ext-2", "c-1", "Hi", client.deadline() - 19.8)
    assert time.monotonic() - began < 4, "and not the ten seconds that the login takes"
    assert not raised.value.unclear
    server.go_on.set()
    first.join(20)
    assert server.logins == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["OK", "BAD_REQUEST"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["code", "body", "msg", "errorCode", "sequence", "conversationId", "relativePath", "queryParams"]),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(answer=JSON, status=st.sampled_from([200, 201, 204, 301, 400, 401, 429, 500]))
def test_whatever_is_answered_is_a_result_or_a_send_error(answer: Any, status: int) -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as played:
        here = Desk(played)
        here.hosts()
        here.tokens()
        played.post(OPEN, body=json.dumps(answer), status=status)
        played.post(SEND, body=json.dumps(answer), status=status)
        file = lambda: here.client.file_url("ext-1", "c-1", "1.JPG", 20.0)  # noqa: E731
        for act, kind in ((here.open, str), (here.publish, int), (file, str)):
            try:
                assert type(act()) is kind
            except SendError as error:
                assert not (error.permanent and error.unclear)
