"""The simulated LivePerson answers as LivePerson's documents and its demo connector show, over real HTTP."""

import base64
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.sandbox.clock import Clock
from ivr.sandbox.desk import Desk, Refused
from ivr.sandbox.file_storage import PNG
from ivr.sandbox.liveperson import liveperson_api
from tests.sandbox.connector import (
    ACCOUNT,
    CLIENT,
    PROFILE,
    SECRET,
    Json,
    Town,
    closing,
    content,
    opening,
    publishing,
    sending,
)

# Discovery and tokens.


def test_discovery_names_the_host_that_was_asked(town: Town) -> None:
    url = f"{town.url}/api/account/{ACCOUNT}/service"
    one = requests.get(f"{url}/sentinel/baseURI.json?version=1.0", timeout=10).json()
    assert one == {"service": "sentinel", "account": ACCOUNT, "baseURI": town.url.removeprefix("http://")}
    every = requests.get(f"{url}/baseURI.json?version=1.0", timeout=10).json()["baseURIs"]
    assert one in every
    assert {"sentinel", "idp", "asyncMessagingEnt", "swift"} <= {found["service"] for found in every}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param("12345678/service/Sentinel/baseURI.json?version=1.0", 400, id="names are case-sensitive"),
        pytest.param("87654321/service/sentinel/baseURI.json?version=1.0", 401, id="another account"),
        pytest.param("87654321/service/baseURI.json?version=1.0", 401, id="another account, all services"),
        pytest.param("12345678/service/sentinel/baseURI.json", 400, id="no version"),
    ],
)
def test_discovery_refuses(town: Town, path: str, status: int) -> None:
    assert requests.get(f"{town.url}/api/account/{path}", timeout=10).status_code == status


ALL = {"v": "1.0", "grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET}


@pytest.mark.parametrize(
    ("query", "form", "status"),
    [
        pytest.param(["v", "grant_type"], ["client_id", "client_secret"], 200, id="secrets in the form"),
        pytest.param(list(ALL), [], 200, id="all in the query"),
        pytest.param(["v"], ["grant_type", "client_id", "client_secret"], 200, id="grant in the form"),
        pytest.param(["v"], ["client_id", "client_secret"], 400, id="no grant"),
        pytest.param(["v", "grant_type"], ["client_id"], 401, id="no secret"),
    ],
)
def test_sentinel(town: Town, query: list[str], form: list[str], status: int) -> None:
    url = f"{town.url}/sentinel/api/account/{ACCOUNT}/app/token"
    parts = [{name: ALL[name] for name in names} for names in (query, form)]
    answer = requests.post(url, params=parts[0], data=parts[1], timeout=10)
    assert answer.status_code == status
    if status == 200:
        assert answer.json()["token_type"] == "Bearer"
        claims = payload(answer.json()["access_token"])
        assert (claims["aud"], claims["azp"], claims["iss"]) == (ACCOUNT, CLIENT, "Sentinel")
        assert claims["exp"] - claims["iat"] == 3600


def test_sentinel_refuses_a_wrong_secret_and_another_account(town: Town) -> None:
    for account, secret in ((ACCOUNT, "wrong"), ("87654321", SECRET)):
        url = f"{town.url}/sentinel/api/account/{account}/app/token"
        assert requests.post(url, data=ALL | {"client_secret": secret}, timeout=10).status_code == 401


def payload(token: str) -> Json:
    part = token.split(".")[1]
    claims: Json = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


def test_a_consumer_is_the_same_every_time(town: Town) -> None:
    ann, again, bob = payload(town.jws()), payload(town.jws()), payload(town.jws("bob"))
    assert ann == again
    assert set(ann) == {"account_id", "ext_consumer_id", "lp_consumer_id"}
    assert (ann["account_id"], ann["ext_consumer_id"]) == (ACCOUNT, "ann")
    assert len(ann["lp_consumer_id"]) == 64
    assert int(ann["lp_consumer_id"], 16) != int(bob["lp_consumer_id"], 16)


def test_a_consumer_needs_an_appjwt(town: Town) -> None:
    url = f"{town.url}/api/account/{ACCOUNT}/consumer?v=1.0"
    for headers, code in ({}, 40105), ({"Authorization": "x.y.z"}, 40102):
        answer = requests.post(url, json={"ext_consumer_id": "ann"}, headers=headers, timeout=10)
        assert (answer.status_code, answer.json()["body"]["errorCode"]) == (401, code)
    assert requests.post(url, json={}, headers={"Authorization": town.token()}, timeout=10).status_code == 400


def test_every_request_is_kept(town: Town) -> None:
    headers = town.headers()
    town.open(headers)
    kept = town.desk.requests
    assert [one["path"].rsplit("/", 1)[1] for one in kept] == ["token", "token", "consumer", "conversation"]
    assert kept[0]["body"] == {"client_id": CLIENT, "client_secret": SECRET}
    assert kept[0]["query"] == {"v": "1.0", "grant_type": "client_credentials"}
    assert kept[-1]["method"] == "POST"
    assert kept[-1]["headers"]["X-Lp-On-Behalf"] == headers["X-LP-ON-BEHALF"]
    assert kept[-1]["body"] == opening()


# Opening.


def test_open(town: Town) -> None:
    context = {"type": "SharkContext", "lang": "en-US"}
    campaign = {"campaignId": "111", "engagementId": "222"}
    answer = town.open(town.headers(), campaignInfo=campaign, conversationContext=context)
    assert answer.status_code == 200
    profile, opened = answer.json()
    assert profile == {"code": "OK", "body": {"msg": "OK User Profile set successfully"}, "reqId": "a"}
    assert (opened["code"], opened["reqId"]) == ("OK", "b")
    [conversation] = town.desk.conversations
    assert opened["body"] == {"conversationId": conversation.id}
    assert (conversation.skill, conversation.campaign, conversation.engagement) == ("1234", "111", "222")
    assert (conversation.ext_consumer_id, conversation.profile, conversation.context) == ("ann", PROFILE, context)
    assert town.told == ["opens, skill 1234"]
    [webhook] = town.webhooks()
    assert webhook["type"] == "cqm.ExConversationChangeNotification"
    [change] = webhook["body"]["changes"]
    assert (change["type"], change["result"]["convId"]) == ("UPSERT", conversation.id)
    details = change["result"]["conversationDetails"]
    assert (details["state"], details["stage"], details["skillId"]) == ("OPEN", "OPEN", "1234")
    assert details["participants"] == [{"id": conversation.lp_consumer_id, "role": "CONSUMER"}]
    [dialog] = details["dialogs"]
    assert (dialog["dialogId"], dialog["dialogType"], dialog["state"]) == (conversation.id, "MAIN", "OPEN")


def test_the_least_that_opens(town: Town) -> None:
    least = opening()
    least[0]["body"], least[1]["body"] = {}, {"brandId": ACCOUNT}
    assert town.post("", least, town.headers()).status_code == 200
    assert (town.desk.conversations[0].skill, town.desk.conversations[0].campaign) == ("-1", None)


def without(name: str) -> list[Json]:
    return [{key: value for key, value in one.items() if key != name} for one in opening()]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(opening()[::-1], id="the wrong order"),
        pytest.param(opening()[1:], id="no profile"),
        pytest.param(opening()[1], id="no array"),
        pytest.param([], id="empty"),
        pytest.param(without("kind"), id="no kind"),
        pytest.param(without("id"), id="no id"),
        pytest.param([{**one, "id": "x" * 65} for one in opening()], id="a long id"),
        pytest.param(opening(brandId="87654321"), id="another brand"),
        pytest.param(opening(channelType="CHAT"), id="another channel"),
        pytest.param(opening(ttrDefName="SOON"), id="an unknown urgency"),
        pytest.param(opening(skillId=1234), id="a skill that is a number"),
        pytest.param(opening(campaignInfo={"campaignId": "1"}), id="half a campaign"),
        pytest.param(
            [{**opening()[0], "body": {"authenticatedData": {"lp_sdes": [{"type": "cart"}]}}}, opening()[1]],
            id="an SDE it does not take",
        ),
        pytest.param(
            [
                {**opening()[0], "body": {"authenticatedData": {"lp_sdes": [{"type": "personal", "info": {}}]}}},
                opening()[1],
            ],
            id="an SDE as Connect to Messaging has it",
        ),
    ],
)
def test_what_does_not_open(town: Town, body: Any) -> None:
    answer = town.post("", body, town.headers())
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")
    assert town.desk.conversations == []
    assert town.webhooks() == []


def test_one_open_conversation_a_consumer(town: Town) -> None:
    headers = town.headers()
    first = town.conversation(headers)
    answer = town.open(headers)
    assert answer.status_code == 400
    profile, refused = answer.json()
    assert (profile["code"], refused["code"], refused["reqId"]) == ("OK", "BAD_REQUEST", "b")
    consumer = payload(headers["X-LP-ON-BEHALF"])["lp_consumer_id"]
    assert f"User {consumer} already has open conversation." in refused["body"]["msg"]
    assert first not in answer.text
    assert town.open(town.headers("bob")).status_code == 200
    town.desk.close(first)
    assert town.conversation(headers) != first


def test_fifty_opens_at_once_are_one_conversation(town: Town) -> None:
    headers = town.headers()
    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda _: town.open(headers).status_code, range(50)))
    assert sorted(statuses) == [200] + [400] * 49
    assert len(town.desk.conversations) == 1


AUTHORIZATION: list[Any] = [
    pytest.param({"Authorization": None}, 401, 40105, id="no AppJWT"),
    pytest.param({"Authorization": None, "X-LP-ON-BEHALF": None}, 401, 40105, id="neither"),
    pytest.param({"X-LP-ON-BEHALF": None}, 401, 40104, id="no JWS"),
    pytest.param({"Authorization": "a.b.c"}, 401, 40102, id="an invented AppJWT"),
    pytest.param({"Authorization": "Bearer {Authorization}"}, 401, 40102, id="Bearer before it"),
    pytest.param({"Authorization": "{X-LP-ON-BEHALF}"}, 401, 40102, id="a JWS for an AppJWT"),
    pytest.param({"X-LP-ON-BEHALF": "{X-LP-ON-BEHALF}x"}, 401, 40103, id="a JWS that was changed"),
    pytest.param({"X-LP-ON-BEHALF": "{Authorization}"}, 401, 40103, id="an AppJWT for a JWS"),
]


@pytest.mark.parametrize(("changes", "status", "code"), AUTHORIZATION)
def test_authorization(town: Town, changes: dict[str, str | None], status: int, code: int) -> None:
    good = town.headers()
    kept = {name: value for name, value in good.items() if name not in changes}
    headers = kept | {name: value.format_map(good) for name, value in changes.items() if value}
    for where, body in (("", opening()), ("/send", publishing("x", content("hi")))):
        answer = town.post(where, body, headers)
        assert (answer.status_code, answer.json()["body"]["errorCode"]) == (status, code)
        assert (answer.json()["kind"], answer.json()["type"]) == ("resp", ".ReqBody$ErrorResp")
    assert town.desk.conversations == []


def test_an_appjwt_expires(town: Town) -> None:
    headers, then = town.headers(), town.desk.now()
    town.desk.now = lambda: then + 3590
    assert town.open(headers).status_code == 200
    town.desk.now = lambda: then + 3610
    assert town.open(headers).json()["body"]["errorCode"] == 40102
    assert town.open(headers | {"Authorization": town.token()}).status_code == 400  # open already: the JWS still holds


def test_no_brand_is_40001(town: Town) -> None:
    answer = town.open(town.headers(), brandId="")
    assert (answer.status_code, answer.json()["body"]["errorCode"]) == (400, 40001)


# Sending.


def test_texts_are_counted_kept_and_come_back(town: Town) -> None:
    headers = town.headers()
    conversation = town.conversation(headers)
    texts = ["Hello", "My bill is wrong 🙂", " spaces \n and lines ", "\u2028 ü 漢"]
    for sequence, text in enumerate(texts):
        answer = town.say(headers, conversation, text)
        assert (answer.status_code, answer.json()) == (
            200,
            {"reqId": "c", "code": "OK", "body": {"sequence": sequence}},
        )
    kept = town.desk.conversation(conversation)
    assert kept.texts == [(sequence, "CONSUMER", text) for sequence, text in enumerate(texts)]
    assert town.told[1:] == texts
    echoes = [webhook["body"]["changes"][0] for webhook in town.webhooks()[1:]]
    assert [(echo["sequence"], echo["event"]["message"]) for echo in echoes] == list(enumerate(texts))
    assert {echo["originatorMetadata"]["role"] for echo in echoes} == {"CONSUMER"}
    assert {echo["originatorId"] for echo in echoes} == {kept.lp_consumer_id}
    assert {(echo["conversationId"], echo["dialogId"]) for echo in echoes} == {(conversation, conversation)}


def test_the_limit_is_of_the_whole_request_as_sent(town: Town) -> None:
    headers = town.headers()
    conversation = town.conversation(headers)
    room = 5000 - len(json.dumps(publishing(conversation, content(""))))
    assert town.say(headers, conversation, "x" * room).status_code == 200
    for text in ("x" * (room + 1), "🙂" * (room // 12 + 1)):  # an emoji is twelve characters as `requests` writes JSON
        answer = town.say(headers, conversation, text)
        assert (answer.status_code, answer.json()["body"]) == (400, {"msg": "Bad Request"})
    assert len(town.desk.conversations[0].texts) == 1


EVENTS: list[Any] = [
    pytest.param({"type": "ChatStateEvent", "chatState": "COMPOSING"}, 200, id="typing"),
    pytest.param({"type": "ChatStateEvent", "chatState": "SINGING"}, 400, id="an unknown chat state"),
    pytest.param({"type": "AcceptStatusEvent", "status": "READ", "sequenceList": [0, 1]}, 200, id="a receipt"),
    pytest.param({"type": "AcceptStatusEvent", "status": "LIKE", "sequenceList": [0]}, 400, id="an unknown status"),
    pytest.param({"type": "AcceptStatusEvent", "status": "READ", "sequenceList": []}, 400, id="a receipt of nothing"),
    pytest.param({"type": "ContentEvent", "contentType": "text/plain", "message": ""}, 400, id="an empty text"),
    pytest.param({"type": "ContentEvent", "contentType": "text/plain", "message": {}}, 400, id="no text"),
    pytest.param({"type": "ContentEvent", "message": "hi"}, 400, id="no content type"),
    pytest.param({"type": "Dance"}, 400, id="no event"),
    pytest.param({}, 400, id="nothing"),
]


@pytest.mark.parametrize(("event", "status"), EVENTS)
def test_events(town: Town, event: Json, status: int) -> None:
    headers = town.headers()
    conversation = town.conversation(headers)
    answer = town.post("/send", publishing(conversation, event), headers)
    assert (answer.status_code, answer.json()["code"]) == (status, "OK" if status == 200 else "BAD_REQUEST")
    assert len(town.webhooks()) == (2 if status == 200 else 1)
    if event.get("type") == "ChatStateEvent" and status == 200:
        assert not {"sequence", "serverTimestamp"} & town.webhooks()[1]["body"]["changes"][0].keys()


def test_closing_and_what_is_closed(town: Town) -> None:
    headers = town.headers()
    conversation = town.conversation(headers)
    answer = town.post("/send", closing(conversation), headers)
    assert answer.json() == {"reqId": "c", "code": "OK", "body": {"msg": "OK Conversation resolved successfully"}}
    for body in (publishing(conversation, content("hi")), closing(conversation)):
        answer = town.post("/send", body, headers)
        assert answer.status_code == 400
        told = {"code": "BAD_REQUEST", "body": {"msg": "Bad Request, Conversation is close"}, "reqId": "c"}
        assert answer.json() == told
    details = last_details(town)
    assert (details["state"], details["stage"], details["closeReason"]) == ("CLOSE", "CLOSE", "CONSUMER")
    assert details["endTs"] >= details["startTs"]


def test_the_main_dialog_can_be_closed_by_name(town: Town) -> None:
    headers = town.headers()
    conversation = town.conversation(headers)
    for dialog, status in (("another", 400), (conversation, 200)):
        change = {"dialogId": dialog, "state": "CLOSE", "closedCause": "done"}
        field = {"field": "DialogChange", "type": "UPDATE", "dialog": change}
        body = {"conversationId": conversation, "conversationField": [field]}
        assert town.post("/send", sending("cm.UpdateConversationField", body), headers).status_code == status
    assert town.desk.conversation(conversation).stage == "CLOSE"


def test_nobody_writes_into_another_s_conversation_or_an_unknown_dialog(town: Town) -> None:
    ann, bob = town.headers(), town.headers("bob")
    conversation = town.conversation(ann)
    for headers, where, dialog in ((bob, conversation, ""), (ann, "no-such", ""), (ann, conversation, "no-such")):
        answer = town.say(headers, where, "hi", dialog)
        assert (answer.status_code, answer.json()["body"]) == (400, {"msg": "Bad Request"})
    assert town.desk.conversation(conversation).texts == []


def test_a_profile_can_be_set_later(town: Town) -> None:
    headers = town.headers()
    town.conversation(headers)
    later = {"authenticatedData": {"lp_sdes": [{"type": "ctmrinfo", "info": {"customerId": "C-77"}}]}}
    answer = town.post("/send", sending("userprofile.SetUserProfile", later), headers)
    assert answer.json()["body"] == {"msg": "OK User Profile set successfully"}
    assert town.desk.conversations[0].profile == later


# The agent.


def last_details(town: Town) -> Json:
    changes = [webhook["body"]["changes"][0] for webhook in town.webhooks()]
    details: Json = [change["result"]["conversationDetails"] for change in changes if "result" in change][-1]
    return details


def roles(details: Json) -> list[str]:
    return [participant["role"] for participant in details["participants"]]


def test_an_agent_joins_answers_and_hands_over(town: Town) -> None:
    headers, moment = town.headers(), town.desk.now()
    town.desk.now = lambda: moment
    conversation = town.conversation(headers)
    town.say(headers, conversation, "My bill is wrong")
    assert town.desk.auto(conversation, "We will be with you soon") == 1
    assert town.desk.say(conversation, "Hello 🙂") == 2
    opened, _, auto, joined, answer = (webhook["body"]["changes"][0] for webhook in town.webhooks())
    assert auto["originatorMetadata"]["role"] == "CONTROLLER"
    assert roles(joined["result"]["conversationDetails"]) == ["CONSUMER", "ASSIGNED_AGENT"]
    agent = joined["result"]["conversationDetails"]["participants"][1]["id"]
    assert answer["originatorMetadata"] == {"id": agent, "role": "ASSIGNED_AGENT"}
    assert (answer["sequence"], answer["event"]) == (2, content("Hello 🙂"))
    town.desk.transfer(conversation, "5678")
    assert (roles(last_details(town)), last_details(town)["skillId"]) == (["CONSUMER"], "5678")
    town.desk.say(conversation, "I am another one")
    assert last_details(town)["participants"][1]["id"] != agent
    changed = [details["metaDataLastUpdateTs"] for details in all_details(town)]
    assert changed == sorted(set(changed))
    assert opened["result"]["convId"] == conversation


def all_details(town: Town) -> list[Json]:
    changes = [webhook["body"]["changes"][0] for webhook in town.webhooks()]
    return [change["result"]["conversationDetails"] for change in changes if "result" in change]


def test_an_agent_reads_and_types(town: Town) -> None:
    headers = town.headers()
    conversation = town.conversation(headers)
    town.say(headers, conversation, "one")
    town.say(headers, conversation, "two")
    town.desk.read(conversation)
    town.desk.typing(conversation)
    read, typing = (webhook["body"]["changes"][0] for webhook in town.webhooks()[-2:])
    assert read["event"] == {"type": "AcceptStatusEvent", "status": "READ", "sequenceList": [0, 1]}
    assert read["sequence"] == 2
    assert typing["event"] == {"type": "ChatStateEvent", "chatState": "COMPOSING"}
    assert "sequence" not in typing


@pytest.mark.parametrize("by", ["AGENT", "SYSTEM", "CONSUMER"])
def test_an_agent_or_the_system_closes(town: Town, by: str) -> None:
    conversation = town.conversation(town.headers())
    town.desk.close(conversation, by)
    assert last_details(town)["closeReason"] == by
    count = len(town.webhooks())
    town.desk.close(conversation, by)
    assert len(town.webhooks()) == count
    with pytest.raises(Refused, match="Conversation is close"):
        town.desk.say(conversation, "Too late")


def test_a_survey_is_a_dialog_of_its_own(town: Town) -> None:
    headers = town.headers()
    conversation = town.conversation(headers)
    town.say(headers, conversation, "Thank you")
    assert town.desk.survey(conversation, "How was it, 1 to 5?") == 0
    details, question = last_details(town), town.webhooks()[-1]["body"]["changes"][0]
    assert (details["state"], details["stage"]) == ("CLOSE", "OPEN")
    main, survey = details["dialogs"]
    assert (main["state"], survey["state"], survey["dialogType"]) == ("CLOSE", "OPEN", "POST_SURVEY")
    assert (question["dialogId"], question["conversationId"]) == (survey["dialogId"], conversation)
    assert survey["dialogId"] != conversation
    assert question["originatorMetadata"]["role"] == "AGENT"
    with pytest.raises(Refused, match="Conversation is close"):
        town.desk.say(conversation, "One more thing")
    assert town.say(headers, conversation, "5").status_code == 400
    typing = publishing(conversation, {"type": "ChatStateEvent", "chatState": "COMPOSING"}, survey["dialogId"])
    assert town.post("/send", typing, headers).status_code == 400
    assert town.say(headers, conversation, "5", survey["dialogId"]).json()["body"] == {"sequence": 1}
    assert town.open(headers).status_code == 400
    town.desk.close(conversation)
    assert (last_details(town)["stage"], town.open(headers).status_code) == ("CLOSE", 200)


def test_an_agent_s_file_is_there_for_a_minute(town: Town) -> None:
    headers = town.headers()
    conversation = town.conversation(headers)
    path = "/v1/AUTH_async/C/the picture.png"
    town.desk.file(conversation, path, "Your bill")
    event = town.webhooks()[-1]["body"]["changes"][0]["event"]
    assert (event["type"], event["contentType"]) == ("ContentEvent", "hosted/file")
    assert event["message"] == {"caption": "Your bill", "relativePath": path, "fileType": "PNG", "preview": ""}
    asking = sending("ms.GenerateURLForDownloadFile", {"relativePath": path})
    where = town.post("/send", asking, headers).json()["body"]
    assert where["relativePath"] == path
    got = requests.get(town.url + path, params=where["queryParams"], timeout=10)
    assert (got.status_code, got.content) == (200, PNG)
    for query in ({}, {**where["queryParams"], "temp_url_expires": "9999999999"}):
        assert requests.get(town.url + path, params=query, timeout=10).status_code == 401
    later = town.desk.now() + 61
    town.desk.now = lambda: later
    assert requests.get(town.url + path, params=where["queryParams"], timeout=10).status_code == 401
    asking = sending("ms.GenerateURLForDownloadFile", {"relativePath": "/v1/another.png"})
    assert town.post("/send", asking, headers | {"Authorization": town.token()}).status_code == 400


# Days.


@pytest.mark.parametrize(
    ("day", "status", "retry_after"),
    [("busy", 429, "2"), ("busy-bare", 429, None), ("error", 500, None), ("gateway", 503, None), ("refuse", 400, None)],
)
def test_days_that_take_nothing(town: Town, day: str, status: int, retry_after: str | None) -> None:
    headers = town.headers()
    town.desk.set_days(f"{day},up,{day},up")
    answer = town.open(headers)
    assert (answer.status_code, answer.headers.get("Retry-After")) == (status, retry_after)
    assert town.desk.conversations == []
    conversation = town.conversation(headers)
    assert town.say(headers, conversation, "hi").status_code == status
    assert town.desk.conversations[0].texts == []
    assert town.say(headers, conversation, "hi").status_code == 200


@pytest.mark.parametrize(("day", "taken"), [("cut", 0), ("drop", 1), ("late", 1), ("empty", 1)])
def test_days_whose_answer_is_lost(town: Town, day: str, taken: int) -> None:
    headers = town.headers()
    conversation = town.conversation(headers)
    town.desk.delays["late"] = 1.0
    town.desk.set_days(f"{day},up")
    if day == "empty":
        answer = town.say(headers, conversation, "hi")
        assert (answer.status_code, answer.content) == (200, b"")
    else:
        expected = requests.Timeout if day == "late" else requests.ConnectionError
        with pytest.raises(expected):
            town.post("/send", publishing(conversation, content("hi")), headers, seconds=0.3 if day == "late" else 10)
    assert len(town.desk.conversations[0].texts) == taken
    assert town.texts() == ["hi"] * taken
    assert town.say(headers, conversation, "hi").json()["body"] == {"sequence": taken}


def test_a_slow_day_takes_it_at_once_and_answers_later(town: Town) -> None:
    headers = town.headers()
    conversation = town.conversation(headers)
    assert town.desk.delays == {"slow": 4.0, "late": 17.0}
    town.desk.delays["slow"] = 0.4
    town.desk.set_days("slow,up")
    answer = town.say(headers, conversation, "hi")
    assert (answer.status_code, answer.elapsed.total_seconds() >= 0.4) == (200, True)
    assert town.texts() == ["hi"]


@pytest.mark.parametrize(
    ("day", "header", "code"), [("expired", "Authorization", 40102), ("stranger", "X-LP-ON-BEHALF", 40103)]
)
def test_a_token_becomes_void_once(town: Town, day: str, header: str, code: int) -> None:
    headers = town.headers()
    town.desk.set_days(day)
    for _ in range(2):  # the same token stays void
        answer = town.open(headers)
        assert (answer.status_code, answer.json()["body"]["errorCode"]) == (401, code)
    assert town.open(headers | {header: town.headers()[header]}).status_code == 200


def test_a_conversation_closed_under_the_consumer(town: Town) -> None:
    headers = town.headers()
    town.desk.set_days("closed,up")
    first = town.conversation(headers)
    answer = town.say(headers, first, "hi")
    assert (answer.status_code, answer.json()["body"]["msg"]) == (400, "Bad Request, Conversation is close")
    assert last_details(town)["closeReason"] == "SYSTEM"
    second = town.conversation(headers)
    assert town.say(headers, second, "hi").status_code == 200
    assert [len(conversation.texts) for conversation in town.desk.conversations] == [0, 1]


def test_days_follow_one_another(town: Town) -> None:
    headers = town.headers()
    town.desk.set_days("busy,error,up")
    assert [town.open(headers).status_code for _ in range(4)] == [429, 500, 200, 400]


def test_a_day_or_way_that_does_not_exist(town: Town) -> None:
    with pytest.raises(ValueError, match="sunny: no such day; there are: up, slow"):
        town.desk.set_days("busy,sunny")
    conversation = town.conversation(town.headers())
    town.desk.webhooks = "never"
    with pytest.raises(ValueError, match="never: no such way; there are: prompt, lost"):
        town.desk.say(conversation, "hi")


# Hostile requests.

SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["req", ACCOUNT, "CLOSE"])
NAMES = st.sampled_from(
    ["kind", "id", "type", "body", "brandId", "event", "conversationId", "dialogId", "conversationField", "dialog"]
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)
KINDS = st.sampled_from(
    [
        "ms.PublishEvent",
        "cm.UpdateConversationField",
        "userprofile.SetUserProfile",
        "ms.GenerateURLForDownloadFile",
        "cm.ConsumerRequestConversation",
    ]
)
REQUESTS = st.builds(lambda kind, body: {"kind": "req", "id": "x", "type": kind, "body": body}, KINDS, VALUES)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["", "/send"]), VALUES | REQUESTS | st.lists(REQUESTS, max_size=3))
def test_whatever_is_sent_is_answered(where: str, body: Any) -> None:
    desk = Desk(Clock(), "http://127.0.0.1:9/", ACCOUNT, CLIENT, SECRET, webhooks="lost")
    client = hostile_client(desk)
    answer = client(f"/api/account/{ACCOUNT}/messaging/consumer/conversation{where}?v=3", body)
    assert answer in (200, 400)
    assert (answer == 200) == bool(desk.conversations) or where == "/send"


def hostile_client(desk: Desk) -> Callable[[str, Any], int]:
    app = Flask("hostile", static_folder=None)
    app.register_blueprint(liveperson_api(desk))
    client = app.test_client()
    got = client.post(f"/sentinel/api/account/{ACCOUNT}/app/token", data=ALL).get_json()
    headers = {"Authorization": got["access_token"]}
    asked = client.post(f"/api/account/{ACCOUNT}/consumer?v=1.0", json={"ext_consumer_id": "ann"}, headers=headers)
    headers["X-LP-ON-BEHALF"] = asked.get_json()["token"]
    return lambda url, body: client.post(url, json=body, headers=headers).status_code


@pytest.mark.parametrize("raw", [b"", b"\xff", b"[", b"[" * 4000, b'"\\ud83d"'], ids=repr)
def test_what_is_no_json_is_a_bad_request(town: Town, raw: bytes) -> None:
    for where in ("", "/send"):
        url = f"{town.url}/api/account/{ACCOUNT}/messaging/consumer/conversation{where}?v=3"
        assert requests.post(url, data=raw, headers=town.headers(), timeout=10).status_code == 400


def test_half_an_emoji_does_not_stop_the_webhooks(town: Town) -> None:
    headers = town.headers()
    conversation = town.conversation(headers)
    town.say(headers, conversation, "half \ud83d")
    assert town.texts() == ["half ?"]
