"""LivePerson's records: the exact requests, what is read of the answers, and every bad day."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import responses

from ivr.clients.failure import SendError
from ivr.clients.liveperson_history import History, Page
from ivr.clients.oauth import Keys, authorization, signature
from ivr.traffic.talks import Chat

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
API = "https://api.liveperson.net/api/account/12345678/service/msgHist/baseURI.json"
SEARCH = "https://va.msghist.example/messaging_history/api/account/12345678/conversations/search"
KEYS = Keys("an-app-key", "an-app-secret", "a-token", "a-token-secret")
DAY = 86_400
EMPTY: dict[str, Any] = {"_metadata": {"count": 0}, "conversationHistoryRecords": []}


class Desk:
    def __init__(self, played: responses.RequestsMock) -> None:
        self.played, self.waited, self.nonces = played, list[float](), iter(range(1000))
        played.get(API, json={"service": "msgHist", "account": "12345678", "baseURI": "va.msghist.example"})
        self.history = History(
            "12345678", "https://api.liveperson.net", KEYS,
            lambda: f"nonce-{next(self.nonces)}", lambda: NOON, lambda: 0.0, self.waited.append,
        )  # fmt: skip

    def page(self, offset: int = 0) -> Page:
        return self.history.page(20_000 * DAY, 20_001 * DAY, offset, lambda number: f"mark of {number}")

    def asked(self) -> list[Any]:
        return [call.request for call in self.played.calls if str(call.request.url).startswith(SEARCH)]


@pytest.fixture
def desk() -> Iterator[Desk]:
    with responses.RequestsMock() as played:
        yield Desk(played)


def test_the_example_of_the_standard() -> None:
    """RFC 5849, 1.2."""
    params = [
        ("file", "vacation.jpg"), ("size", "original"), ("oauth_consumer_key", "dpf43f3p2l4k3l03"),
        ("oauth_token", "nnch734d00sl2jdk"), ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_timestamp", "137131202"), ("oauth_nonce", "chapoH"),
    ]  # fmt: skip
    url = "http://photos.example.net/photos"
    assert signature("GET", url, params, "kd94hf93k423kf44", "pfkkdhi9sl3r4s00") == "MdpQcU8iPSUjWoN/UDMsK2sui9I="


def test_the_address_is_signed_without_the_usual_port_and_with_another() -> None:
    told = [
        signature("POST", url, [], "a", "b")
        for url in ("https://x.example/p", "https://X.EXAMPLE:443/p", "https://x.example:8443/p")
    ]
    assert told[0] == told[1] != told[2]


def test_the_whole_request(desk: Desk) -> None:
    desk.played.post(SEARCH, json=EMPTY)
    assert desk.page(200) == Page(0, 0, ())
    (asked,) = desk.asked()
    assert asked.url == f"{SEARCH}?offset=200&limit=100&sort=start%3Aasc&v=2&source=IVR_Containment"
    assert json.loads(asked.body) == {
        "start": {"from": 1_728_000_000_000, "to": 1_728_086_399_999},
        "contentToRetrieve": ["agentParticipants", "consumerParticipants"],
    }
    query = {"offset": "200", "limit": "100", "sort": "start:asc", "v": "2", "source": "IVR_Containment"}
    right = authorization("POST", SEARCH, query, KEYS, "nonce-0", int(NOON.timestamp()))
    assert asked.headers["Authorization"] == right
    assert right.startswith('OAuth oauth_consumer_key="an-app-key", oauth_nonce="nonce-0"')
    assert "secret" not in right


def record(**changes: Any) -> dict[str, Any]:
    info = {
        "conversationId": "c1",
        "status": "CLOSE",
        "startTimeL": 1_728_000_001_500,
        "endTimeL": 1_728_000_901_000,
        "firstConversation": False,
    }
    agents = [
        {"timeL": 1_728_000_005_000, "permission": "ASSIGNED_AGENT", "userTypeName": "Bot"},
        {"timeL": 1_728_000_301_000, "permission": "ASSIGNED_AGENT", "userTypeName": "Human"},
        {"timeL": 1_728_000_002_000, "permission": "READER", "userTypeName": "Human"},
    ]
    who = [{"participantId": "5c" * 32, "phone": "+1(415) 555-2671"}]
    return {
        "info": {**info, **changes.pop("info", {})},
        "agentParticipants": agents,
        "consumerParticipants": who,
        **changes,
    }


MARK = "mark of +1(415) 555-2671"
READ = [
    ("closed", record(), Chat("c1", 1_728_000_001, 1_728_000_901, 1_728_000_301, "5c" * 32, MARK, False)),
    ("open", record(info={"status": "OPEN", "endTimeL": -1}), Chat("c1", 1_728_000_001, None, 1_728_000_301, "5c" * 32, MARK, False)),
    ("nobody had it", record(agentParticipants=[]), Chat("c1", 1_728_000_001, 1_728_000_901, None, "5c" * 32, MARK, False)),
    ("no number", record(consumerParticipants=[{"participantId": "x", "phone": "0"}]), Chat("c1", 1_728_000_001, 1_728_000_901, 1_728_000_301, "x", "", False)),
    ("bare", {"info": {"conversationId": "c1", "startTimeL": 1_728_000_001_500}}, Chat("c1", 1_728_000_001, None, None, "", "", None)),
]  # fmt: skip


@pytest.mark.parametrize(("told", "chat"), [case[1:] for case in READ], ids=[case[0] for case in READ])
def test_what_is_read_of_a_conversation(desk: Desk, told: dict[str, Any], chat: Chat) -> None:
    desk.played.post(
        SEARCH, json={"_metadata": {"count": 7}, "conversationHistoryRecords": [told, "odd", {"info": {}}]}
    )
    assert desk.page() == Page(7, 3, (chat,))


TRIED = [
    ("busy", [(429, {"Retry-After": "7"}), (429, {})], [7.0, 1.0]),
    ("failing", [(500, {}), (503, {}), (502, {})], [5.0, 10.0, 15.0]),
]


@pytest.mark.parametrize(("answers", "pauses"), [case[1:] for case in TRIED], ids=[case[0] for case in TRIED])
def test_it_waits_and_asks_again(desk: Desk, answers: list[tuple[int, dict[str, str]]], pauses: list[float]) -> None:
    for status, headers in answers:
        desk.played.post(SEARCH, json={}, status=status, headers=headers)
    desk.played.post(SEARCH, json=EMPTY)
    assert desk.page() == Page(0, 0, ())
    assert desk.waited == pauses
    signed = [request.headers["Authorization"] for request in desk.asked()]
    assert len(set(signed)) == len(signed), "a nonce is used once"


GIVEN_UP = [
    ("failing on", dict(json={}, status=500), 4, "LivePerson failed (500)"),
    ("busy on", dict(json={}, status=429), 11, "LivePerson is busy (429)"),
    ("busy for an hour", dict(json={}, status=429, headers={"Retry-After": "3600"}), 1, "LivePerson is busy (429)"),
    ("refused", dict(json={"message": "no"}, status=401), 1, "LivePerson refused (401); check LIVEPERSON_APP_KEY"),
    ("not what was asked for", dict(json={"hello": 1}), 4, "LivePerson's answer could not be read"),
    ("no JSON", dict(body="<html>"), 4, "LivePerson's answer could not be read"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "tries", "said"), [case[1:] for case in GIVEN_UP], ids=[case[0] for case in GIVEN_UP]
)
def test_what_it_gives_up(desk: Desk, answer: dict[str, Any], tries: int, said: str) -> None:
    desk.played.post(SEARCH, **answer)
    with pytest.raises(SendError) as raised:
        desk.page()
    assert raised.value.reason.startswith(said)
    assert len(desk.asked()) == tries


def test_the_keys_are_in_no_message() -> None:
    assert "secret" not in repr(KEYS).replace("app_secret", "").replace("token_secret", "")
    assert "a-token-secret" not in repr(KEYS)
