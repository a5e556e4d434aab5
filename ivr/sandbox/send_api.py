"""LivePerson's Send API without its HTTP: what it makes of a request to open a conversation or to send into one."""

import json
from collections.abc import Callable
from typing import Any

from ivr.sandbox.desk import CLOSED, Desk, Refused

MOST_CHARACTERS = 5000  # of a request to send, its JSON as it is on the wire
SDES = {"ctmrinfo": "info", "personal": "personal"}  # the two kinds a profile may have, and where their values are
OPENING = ["userprofile.SetUserProfile", "cm.ConsumerRequestConversation"]
AUTHORIZATION_ERRORS = {
    40001: (400, "Bad Request", "Brand Id is missing"),
    40102: (401, "Invalid AppJWT", "AppJWT has expired or is invalid"),
    40103: (401, "Invalid ConsumerJWS", "ConsumerJWS is invalid"),
    40104: (401, "Missing ConsumerJWS", "X-LP-ON-BEHALF header is missing"),
    40105: (401, "Missing AppJWT", "Authorization header is missing"),
}
PROFILE_SET = {"msg": "OK User Profile set successfully"}
UNHEARD_OF = "Bad Request, The brand is not provisioned for messaging"

# HTTP status and JSON; of a desk, the claims of the consumer's JWS, the request's JSON, and the day.
Answer = tuple[int, Any]
Take = Callable[[Desk, dict[str, Any], str, str], Answer]


def authorization_error(code: int) -> Answer:
    status, title, details = AUTHORIZATION_ERRORS[code]
    body = {"title": title, "details": details, "errorCode": code}
    return status, {"kind": "resp", "code": status, "type": ".ReqBody$ErrorResp", "body": body}


def open_conversation(desk: Desk, consumer: dict[str, Any], raw: str, day: str) -> Answer:
    """An array: the profile, then the conversation, in this order."""
    asked = _read(raw)
    if not isinstance(asked, list) or not all(map(_is_request, asked)):
        return 400, _bad("Bad Request")
    if [one["type"] for one in asked] != OPENING:
        return 400, _bad("Bad Request, SetUserProfile comes first, ConsumerRequestConversation second")
    profile, wanted = asked
    if not wanted["body"].get("brandId"):
        return authorization_error(40001)
    problem = _profile_problem(profile["body"]) or _conversation_problem(desk, wanted["body"])
    if problem:
        return 400, _bad(problem)
    try:
        if day == "refuse":
            raise Refused(UNHEARD_OF)
        opened = desk.open(consumer["ext_consumer_id"], profile["body"], wanted["body"])
    except Refused as refused:
        return 400, [_ok(profile, PROFILE_SET), _bad(str(refused), wanted)]
    return 200, [_ok(profile, PROFILE_SET), _ok(wanted, {"conversationId": opened.id})]


def send(desk: Desk, consumer: dict[str, Any], raw: str, day: str) -> Answer:
    """One request, not an array."""
    asked, act = _read(raw), None
    if _is_request(asked) and len(raw) <= MOST_CHARACTERS:
        act = _ACTS.get(asked["type"])
    if act is None:
        return 400, _bad("Bad Request", asked)
    who, body = consumer["lp_consumer_id"], asked["body"]
    try:
        if day == "refuse":
            raise Refused(UNHEARD_OF)
        if day == "closed":
            desk.close_for(who, body.get("conversationId"), by="SYSTEM")
            raise Refused(CLOSED)
        return 200, _ok(asked, act(desk, who, body))
    except Refused as refused:
        return 400, _bad(str(refused), asked)


def _publish(desk: Desk, who: str, body: dict[str, Any]) -> dict[str, Any]:
    event = body.get("event")
    if not isinstance(event, dict):
        raise Refused("Bad Request")
    return {"sequence": desk.publish(who, body.get("conversationId"), body.get("dialogId"), event)}


def _close(desk: Desk, who: str, body: dict[str, Any]) -> dict[str, Any]:
    """The whole conversation, or the dialog of it that is open."""
    field = body.get("conversationField")
    if isinstance(field, list) and len(field) == 1:
        field = field[0]
    match field:
        case {"field": "ConversationStateField", "conversationState": "CLOSE"}:
            desk.close_for(who, body.get("conversationId"))
        case {"field": "DialogChange", "dialog": {"dialogId": str(dialog_id), "state": "CLOSE"}}:
            desk.close_for(who, body.get("conversationId"), dialog_id)
        case _:
            raise Refused("Bad Request")
    return {"msg": "OK Conversation resolved successfully"}


def _set_profile(desk: Desk, who: str, body: dict[str, Any]) -> dict[str, Any]:
    problem = _profile_problem(body)
    if problem:
        raise Refused(problem)
    desk.set_profile(who, body)
    return PROFILE_SET


def _file_url(desk: Desk, _who: str, body: dict[str, Any]) -> dict[str, Any]:
    return desk.file_url(str(body.get("relativePath")))


_ACTS: dict[str, Callable[[Desk, str, dict[str, Any]], dict[str, Any]]] = {
    "ms.PublishEvent": _publish,
    "cm.UpdateConversationField": _close,
    "userprofile.SetUserProfile": _set_profile,
    "ms.GenerateURLForDownloadFile": _file_url,
}


def _read(raw: str) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _is_request(given: Any) -> bool:
    if not isinstance(given, dict) or given.get("kind") != "req" or not isinstance(given.get("type"), str):
        return False
    name = given.get("id")
    return isinstance(name, str) and 1 <= len(name) <= 64 and isinstance(given.get("body"), dict)


def _profile_problem(body: dict[str, Any]) -> str:
    data = body.get("authenticatedData", {})
    sdes = data.get("lp_sdes", []) if isinstance(data, dict) else None
    if not isinstance(sdes, list):
        return "Bad Request, lp_sdes is a list"
    for sde in sdes:
        where = SDES.get(str(sde.get("type"))) if isinstance(sde, dict) else None
        if where is None or not isinstance(sde.get(where), dict):
            return "Bad Request, an SDE is ctmrinfo with info, or personal with personal"
    return ""


def _conversation_problem(desk: Desk, body: dict[str, Any]) -> str:
    campaign = body.get("campaignInfo")
    if body["brandId"] != desk.account or body.get("channelType", "MESSAGING") != "MESSAGING":
        return "Bad Request, brandId is the account, channelType MESSAGING"
    if body.get("ttrDefName") not in (None, "NORMAL", "URGENT", "PRIORITIZED"):
        return "Bad Request, ttrDefName is NORMAL, URGENT, PRIORITIZED or null"
    if not isinstance(body.get("skillId", ""), str):
        return "Bad Request, skillId is a string"
    if campaign is not None and not (isinstance(campaign, dict) and {"campaignId", "engagementId"} <= campaign.keys()):
        return "Bad Request, campaignInfo has campaignId and engagementId"
    return ""


def _ok(asked: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    return {"reqId": asked["id"], "code": "OK", "body": body}


def _bad(message: str, asked: Any = None) -> dict[str, Any]:
    told: dict[str, Any] = {"code": "BAD_REQUEST", "body": {"msg": message}}
    return {**told, "reqId": asked["id"]} if _is_request(asked) else told
