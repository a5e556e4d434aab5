"""LivePerson's Connector API: open a conversation, publish what the consumer writes, say plainly what became of it."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from ivr import log
from ivr.clients.exchange import ATTEMPT_SECONDS
from ivr.clients.failure import ConversationClosed, SendError
from ivr.clients.liveperson_sdes import Profile, sdes
from ivr.clients.liveperson_tokens import APP_JWT_REFUSED, Connector, Hosts, Tokens, payload
from ivr.clients.liveperson_wire import ACT, LOGIN, LOOK_UP, Kind, Reply, Wire, agreed, refusal, unreadable

__all__ = ["AlreadyOpen", "Connector", "ConversationClosed", "LivePerson", "Opening", "Profile"]

CONSUMER_JWS_REFUSED = 40103
RENEWABLE = frozenset({APP_JWT_REFUSED, CONSUMER_JWS_REFUSED})
# The two refusals that have no code of their own.
ALREADY_OPEN = "already has open conversation"
CLOSED = "conversation is close"

LONGEST_REQUEST = 5000  # characters of a request's whole JSON
ANY_SKILL = "-1"
# On the opening and on every later request, or the desk sends no automatic messages.
CLIENT_PROPERTIES = '{"type":".ClientProperties","features":["AUTO_MESSAGES"]}'


@dataclass(frozen=True, slots=True)
class Opening:
    ext_consumer_id: str
    profile: Profile
    skill: str | None = None
    campaign: str | None = None  # counts together with `engagement` alone
    engagement: str | None = None


class AlreadyOpen(SendError):
    """The consumer has an open conversation, whose id this answer does not tell: it is known elsewhere."""


class LivePerson:
    """One installation of the connector. Threads share it; its connections are kept.

    `now`: UTC, for what is kept by the day and the hour. `clock`: seconds, what deadlines are on. Every method raises
    SendError; its `unclear` is set only by what acts: open, publish, close.
    """

    def __init__(
        self,
        connector: Connector,
        connections: int,
        new_id: Callable[[], str],
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        wire = Wire(connections, clock)
        self._account = connector.account
        self._new_id = new_id
        self._clock = clock
        self._hosts = Hosts(connector, wire, now)
        self._tokens = Tokens(connector, self._hosts, wire, now)

    def deadline(self) -> float:
        """When an attempt that begins now must have ended, on this client's clock."""
        return self._clock() + ATTEMPT_SECONDS

    def locate(self, service: str, deadline: float) -> str:
        """Where a service of this account is; its name is case sensitive."""
        return self._hosts.url(service, "", deadline)

    def login(self, deadline: float) -> None:
        """Have the app's token, which every request needs."""
        self._tokens.app(deadline)

    def consumer(self, ext_consumer_id: str, deadline: float) -> str:
        """LivePerson's own id of a consumer, as its webhooks name the participant."""
        found = payload(self._tokens.consumer(ext_consumer_id, deadline)).get("lp_consumer_id")
        if not isinstance(found, str) or not found:
            raise unreadable(LOGIN)
        return found

    def open(self, opening: Opening, deadline: float) -> str:
        """Open a conversation; its id. Raises AlreadyOpen where the consumer has one."""
        profile = self._request("userprofile.SetUserProfile", sdes(opening.profile))
        conversation = self._request("cm.ConsumerRequestConversation", _wanted(self._account, opening))
        reply = self._sent(ACT, "", opening.ext_consumer_id, [profile, conversation], deadline)
        found = _conversation_id(reply)
        if found is None:
            if reply.says(ALREADY_OPEN):
                raise AlreadyOpen("The consumer has an open conversation", permanent=True)
            raise refusal(reply) if reply.refused else unreadable(ACT)
        if not reply.accepted:  # the conversation is there all the same; agents see less of the caller
            log.warning("liveperson_profile_refused", conversation=found)
        return found

    def publish(
        self, ext_consumer_id: str, conversation_id: str, text: str, deadline: float, dialog_id: str | None = None
    ) -> int:
        """Put a consumer's text into a conversation; its sequence there. Raises ConversationClosed.

        `dialog_id`: the dialog that takes it, the main one unless said. A text that makes the request longer than
        5,000 characters is refused for good, unasked.
        """
        event = {"type": "ContentEvent", "contentType": "text/plain", "message": text}
        body = self._event(conversation_id, event, dialog_id)
        sequence = self._done(ACT, ext_consumer_id, body, deadline).get("sequence")
        if not isinstance(sequence, int) or isinstance(sequence, bool) or sequence < 0:
            raise unreadable(ACT)
        return sequence

    def receipt(
        self, ext_consumer_id: str, conversation_id: str, status: str, sequences: Sequence[int], deadline: float
    ) -> None:
        """Tell the agent that these have arrived (ACCEPT) or were read (READ). Harmless when repeated.

        Raises ConversationClosed.
        """
        event = {"type": "AcceptStatusEvent", "status": status, "sequenceList": list(sequences)}
        self._done(LOOK_UP, ext_consumer_id, self._event(conversation_id, event, None), deadline)

    def set_profile(self, ext_consumer_id: str, profile: Profile, deadline: float) -> None:
        """What agents see of the consumer, from now on and as a whole. Harmless when repeated."""
        request = self._request("userprofile.SetUserProfile", sdes(profile))
        self._done(LOOK_UP, ext_consumer_id, request, deadline)

    def close(self, ext_consumer_id: str, conversation_id: str, deadline: float) -> None:
        """Close a conversation. One that is closed already is what was wanted."""
        state = {"field": "ConversationStateField", "conversationState": "CLOSE"}
        body = {"conversationId": conversation_id, "conversationField": state}
        try:
            self._done(ACT, ext_consumer_id, self._request("cm.UpdateConversationField", body), deadline)
        except ConversationClosed:
            return

    def file_url(self, ext_consumer_id: str, conversation_id: str, relative_path: str, deadline: float) -> str:
        """Where a file that an agent sent can be fetched; the address holds for a minute.

        LivePerson asks for the path alone, not for the conversation.
        """
        request = self._request("ms.GenerateURLForDownloadFile", {"relativePath": relative_path})
        body = self._done(LOOK_UP, ext_consumer_id, request, deadline)
        path, given = body.get("relativePath"), body.get("queryParams")
        names = ("temp_url_sig", "temp_url_expires")
        if not isinstance(path, str) or not path.strip("/"):
            raise unreadable(LOOK_UP)
        if not isinstance(given, dict) or not all(isinstance(given.get(name), str | int) for name in names):
            raise unreadable(LOOK_UP)
        query = urlencode({name: given[name] for name in names})
        return self._hosts.url("swift", f"/{quote(path.lstrip('/'), safe='/%')}?{query}", deadline)

    def _event(self, conversation_id: str, event: dict[str, Any], dialog_id: str | None) -> dict[str, Any]:
        # The main dialog has the conversation's id.
        place = {"dialogId": dialog_id or conversation_id, "conversationId": conversation_id}
        return self._request("ms.PublishEvent", {**place, "event": event})

    def _request(self, type_: str, body: dict[str, Any]) -> dict[str, Any]:
        return {"kind": "req", "id": self._new_id(), "type": type_, "body": body}

    def _done(self, kind: Kind, ext_consumer_id: str, request: dict[str, Any], deadline: float) -> dict[str, Any]:
        """The body of the one answer that says OK."""
        reply = self._sent(kind, "/send", ext_consumer_id, request, deadline)
        if not reply.accepted:
            if reply.says(CLOSED):
                raise ConversationClosed("The conversation is closed", permanent=True)
            raise refusal(reply) if reply.refused else unreadable(kind)
        body = reply.elements[0].get("body")
        return body if isinstance(body, dict) else {}

    def _sent(self, kind: Kind, path: str, ext_consumer_id: str, request: object, deadline: float) -> Reply:
        """Ask the messaging service; once more with a new token for each of the two that is not taken."""
        text = json.dumps(request, ensure_ascii=False, separators=(",", ":"))
        if len(text) > LONGEST_REQUEST:
            raise SendError(f"The request is too long for LivePerson ({len(text)} characters of 5,000)", permanent=True)
        renewed: set[int] = set()
        while True:
            app, consumer = self._both_tokens(ext_consumer_id, deadline)
            reply = self._asked(kind, path, app, consumer, text, deadline)
            code = reply.error_code
            if code is None or code not in RENEWABLE - renewed:
                return reply
            renewed.add(code)
            if code == APP_JWT_REFUSED:
                self._tokens.forget_app(app)
            else:
                self._tokens.forget_consumer(ext_consumer_id, consumer)

    def _both_tokens(self, ext_consumer_id: str, deadline: float) -> tuple[str, str]:
        # The consumer's first: fetching it may renew the app's.
        consumer = self._tokens.consumer(ext_consumer_id, deadline)
        return self._tokens.app(deadline), consumer

    def _asked(self, kind: Kind, path: str, app: str, consumer: str, text: str, deadline: float) -> Reply:
        return self._hosts.ask(
            kind,
            "asyncMessagingEnt",
            f"/api/account/{self._account}/messaging/consumer/conversation{path}",
            deadline,
            params={"v": "3"},
            headers={
                "Authorization": app,  # raw: LivePerson's documents and its demo write no Bearer
                "X-LP-ON-BEHALF": consumer,
                "Content-Type": "application/json",
                "Client-Properties": CLIENT_PROPERTIES,
            },
            data=text.encode("utf-8", "replace"),
        )


def _wanted(account: str, opening: Opening) -> dict[str, Any]:
    """The conversation we ask for. Its skill is decided here and never again."""
    wanted: dict[str, Any] = {
        "brandId": account,
        "channelType": "MESSAGING",
        "ttrDefName": "NORMAL",
        "skillId": opening.skill or ANY_SKILL,
    }
    if opening.campaign and opening.engagement:
        wanted["campaignInfo"] = {"campaignId": opening.campaign, "engagementId": opening.engagement}
    return wanted


def _conversation_id(reply: Reply) -> str | None:
    """The id of what was opened. A refusing status without a refusing element contradicts it: then there is none."""
    if reply.status >= 300 and all(agreed(element) for element in reply.elements):
        return None
    for element in reply.elements:
        body = element.get("body")
        found = body.get("conversationId") if isinstance(body, dict) and agreed(element) else None
        if isinstance(found, str) and found:
            return found
    return None
