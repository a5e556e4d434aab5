"""LivePerson's Messaging Interactions API without its HTTP: conversations by when they began, a page at a time."""

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import unquote

from ivr.clients.oauth import signature
from ivr.sandbox.conversations import Conversation

MOST = 100  # conversations on a page
QUARTER = 93 * 86_400_000  # ms; a longer span is refused
TEN_MINUTES = 600_000

Record = dict[str, Any]


class Asked(NamedTuple):
    url: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


@dataclass
class History:
    """What is kept of an account. `past`: conversations of before, as the API tells them. `days`: one a request."""

    app_key: str = "history-app-key"
    app_secret: str = "history-app-secret"  # noqa: S105 - a simulated one
    token: str = "history-token"  # noqa: S105
    token_secret: str = "history-token-secret"  # noqa: S105
    past: list[Record] = field(default_factory=list)
    nonces: set[str] = field(default_factory=set)
    _days: deque[str] = field(default_factory=lambda: deque(["up"]))

    def set_days(self, script: str) -> None:
        """As the desk's days: "up,busy,cut", the last one from then on."""
        self._days = deque(script.split(","))

    def next_day(self) -> str:
        return self._days.popleft() if len(self._days) > 1 else self._days[0]

    def search(self, asked: Asked, ours: bool, opened: list[Record]) -> tuple[int, Any]:
        """HTTP status and JSON. `ours`: whether the account is. `opened`: what the desk has now."""
        if not ours or not self._signed(asked):
            return 401, {"message": "unauthorized"}
        problem = self._problem(asked)
        if problem:
            return 400, {"message": problem}
        begins, ends = _rounded(asked.body["start"])
        found = [record for record in [*self.past, *opened] if begins <= record["info"]["startTimeL"] <= ends]
        found.sort(key=lambda record: record["info"]["startTimeL"], reverse=asked.query.get("sort") != "start:asc")
        offset, limit = int(asked.query.get("offset", "0")), int(asked.query.get("limit", "50"))
        wanted = {"info", *asked.body.get("contentToRetrieve", ["agentParticipants", "consumerParticipants"])}
        page = [{name: part for name, part in record.items() if name in wanted} for record in found]
        page = page[offset : offset + limit]
        told = {"count": len(found), "self": {"rel": "self", "href": asked.url}}
        return 200, {"_metadata": told, "conversationHistoryRecords": page}

    def _signed(self, asked: Asked) -> bool:
        """OAuth 1.0a over the address and its query; a nonce counts once."""
        given = asked.headers.get("Authorization", "")
        pairs = {name: unquote(value) for name, value in re.findall(r'(oauth_\w+)="([^"]*)"', given)}
        signed, nonce = pairs.pop("oauth_signature", ""), pairs.get("oauth_nonce", "")
        mine = {"oauth_consumer_key": self.app_key, "oauth_token": self.token, "oauth_signature_method": "HMAC-SHA1"}
        if not given.startswith("OAuth ") or not mine.items() <= pairs.items() or not nonce or nonce in self.nonces:
            return False
        params = [*asked.query.items(), *pairs.items()]
        right = signature("POST", asked.url.partition("?")[0], params, self.app_secret, self.token_secret)
        self.nonces.add(nonce)
        return signed == right

    def _problem(self, asked: Asked) -> str:
        start = asked.body.get("start") if isinstance(asked.body, dict) else None
        if not isinstance(start, dict) or not all(isinstance(start.get(end), int) for end in ("from", "to")):
            return "start.from and start.to are required"
        if start["to"] - start["from"] > QUARTER:
            return "the maximum time interval is three months"
        if not 0 < len(asked.query.get("source", "")) <= 20:
            return "source is required, 20 characters at most"
        if not 1 <= int(asked.query.get("limit", "50")) <= MOST:
            return f"limit is {MOST} at most"
        return ""


def _rounded(start: Mapping[str, int]) -> tuple[int, int]:
    """Outwards to ten minutes, bounds included."""
    return start["from"] // TEN_MINUTES * TEN_MINUTES, -(-start["to"] // TEN_MINUTES) * TEN_MINUTES


def told(name: str, began: int, ended: int = -1, **more: Any) -> Record:
    """One conversation. Moments in ms. `more`: taken (0: nobody had it), consumer, phone, first, by."""
    agents = []
    if more.get("taken"):
        human = {"userTypeName": "Human", "permission": "ASSIGNED_AGENT", "role": "AGENT"}
        agents.append({"agentId": "4711", "timeL": more["taken"], "time": _moment(more["taken"]), **human})
    info = {
        "conversationId": name,
        "status": "OPEN" if ended < 0 else "CLOSE",
        "startTimeL": began,
        "startTime": _moment(began),
        "endTimeL": ended,
        "endTime": _moment(ended) if ended >= 0 else "undefined",
        "duration": max(0, ended - began),
        "firstConversation": more.get("first", True),
        "closeReason": more.get("by", "AGENT"),
        "source": "APP",
    }
    who = {"participantId": more.get("consumer", f"consumer of {name}"), "phone": more.get("phone", "0")}
    return {"info": info, "agentParticipants": agents, "consumerParticipants": [who], "messageRecords": []}


def record(conversation: Conversation) -> Record:
    """A conversation of the desk's, as the API tells it."""
    sdes = conversation.profile.get("authenticatedData", {}).get("lp_sdes", [])
    contacts = [contact for sde in sdes for contact in sde.get("personal", {}).get("contacts", [])]
    closed = conversation.stage == "CLOSE"
    return told(
        conversation.id,
        conversation.opened,
        conversation.changed if closed else -1,
        taken=conversation.taken,
        consumer=conversation.lp_consumer_id,
        phone=next((contact["phone"] for contact in contacts if contact.get("phone")), "0"),
        by=conversation.main.closed_by,
    )


def _moment(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S}.{ms % 1000:03d}+0000"
