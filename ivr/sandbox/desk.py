"""The brand's messaging desk at the simulated LivePerson: its conversations, and an agent one can script."""

import hashlib
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import RLock
from typing import Any

from ivr.sandbox.clock import Clock
from ivr.sandbox.conversations import MAIN, SURVEY, Conversation, Dialog
from ivr.sandbox.events import chat_state, hosted_file, is_event, plain_text, receipt, words
from ivr.sandbox.file_storage import FileStorage
from ivr.sandbox.history import History
from ivr.sandbox.notices import Notices, Retries

# The kinds of day of the Send API. "down" is not here: nobody listens then.
DAYS = {
    "up": "takes every request",
    "slow": "takes it, answers after 4 s",
    "late": "takes it, answers after 17 s, when nobody listens any more",
    "drop": "takes it, cuts the connection before the answer",
    "cut": "cuts the connection, takes nothing",
    "busy": "429 with Retry-After",
    "busy-bare": "429 without",
    "error": "500",
    "gateway": "503 with a page of HTML",
    "expired": "the request's AppJWT is void from now on: 40102",
    "stranger": "the request's ConsumerJWS is void from now on: 40103",
    "refuse": "a BAD_REQUEST that nobody has heard of",
    "empty": "takes it, answers 200 with nothing",
    "closed": "closes the conversation that is written to, and says so; an open passes it by",
}
ONCE = ("expired", "stranger")  # a day of these does not stay
ROLES = {"CONSUMER": "CONSUMER", "AGENT": "ASSIGNED_AGENT", "AUTO": "CONTROLLER", "SURVEY": "AGENT"}
CLOSED = "Bad Request, Conversation is close"


class Refused(Exception):
    """A BAD_REQUEST; the message is its `msg`."""


@dataclass
class Desk:
    """An account of LivePerson with one connector installed. `clock` is the scene's, and may be another at any time."""

    clock: Clock
    webhook_url: str
    account: str
    client_id: str
    client_secret: str
    opened: Callable[[Conversation], None] = lambda _conversation: None
    published: Callable[[Conversation, str], None] = lambda _conversation, _text: None
    webhooks: str = "prompt"  # one of notices.WEBHOOKS
    retries: Retries = "ttl"
    max_retries: int = 5  # of retries that are counted
    retention: float = 3600.0  # virtual seconds, of retries with a time to live; LivePerson's most is three days
    token_lives: int = 3600  # seconds, of an AppJWT
    delays: dict[str, float] = field(default_factory=lambda: {"slow": 4.0, "late": 17.0})  # by day, until the answer
    now: Callable[[], float] = time.time
    conversations: list[Conversation] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)  # method, path, query, headers, body, at (UNIX time)
    void: set[str] = field(default_factory=set)  # tokens that LivePerson no longer knows
    history: History = field(default_factory=History)

    def __post_init__(self) -> None:
        self.notices = Notices(self)
        self.storage = FileStorage(self.client_secret)
        self._lock = RLock()
        self._days = deque(["up"])
        self._last_moment = 0

    @property
    def sent(self) -> list[dict[str, Any]]:
        """Every webhook that was posted: url, headers, body (bytes), status (0: no answer), at (virtual seconds)."""
        return self.notices.sent

    def flush(self, seconds: float = 60.0) -> None:
        """Wait until every webhook that is due is sent."""
        self.notices.flush(seconds)

    def stop(self) -> None:
        """Send the webhooks that are due, and end the threads."""
        self.notices.stop()

    def set_days(self, script: str) -> None:
        """A script of days, "busy,busy,up": one a request to open or to send, the last one from then on."""
        days = script.split(",")
        for day in days:
            if day not in DAYS:
                raise ValueError(f"{day}: no such day; there are: {', '.join(DAYS)}")
        with self._lock:
            self._days = deque(days)

    def next_day(self, sends: bool) -> str:
        with self._lock:
            day = self._days[0]
            if day == "closed" and not sends:
                return "up"
            if len(self._days) > 1:
                self._days.popleft()
            elif day in ONCE:
                self._days = deque(["up"])
            return day

    # What the connector asks for.

    def lp_consumer_id(self, ext_consumer_id: str) -> str:
        """64 hex digits, the same for the same consumer."""
        return hashlib.sha256(f"{self.account}:{ext_consumer_id}".encode("utf-8", "replace")).hexdigest()

    def open(self, ext_consumer_id: str, profile: dict[str, Any], wanted: dict[str, Any]) -> Conversation:
        """`wanted`: the body of cm.ConsumerRequestConversation. One conversation a consumer, else Refused."""
        consumer, campaign = self.lp_consumer_id(ext_consumer_id), wanted.get("campaignInfo") or {}
        with self._lock:
            if self._open_one(consumer):
                raise Refused(f"User {consumer} already has open conversation. Can't open another one.")
            moment = self._moment()
            conversation = Conversation(
                id=str(uuid.uuid4()),
                account=self.account,
                ext_consumer_id=ext_consumer_id,
                lp_consumer_id=consumer,
                opened=moment,
                profile=profile,
                skill=wanted.get("skillId") or "-1",
                campaign=campaign.get("campaignId"),
                engagement=campaign.get("engagementId"),
                context=wanted.get("conversationContext") or {},
                ttr=wanted.get("ttrDefName") or "NORMAL",
            )
            conversation.dialogs.append(Dialog(conversation.id, MAIN, moment, changed=moment))
            self.conversations.append(conversation)
            self._tell_change(conversation)
        self.opened(conversation)
        return conversation

    def set_profile(self, lp_consumer_id: str, profile: dict[str, Any]) -> None:
        with self._lock:
            conversation = self._open_one(lp_consumer_id)
            if conversation:
                conversation.profile = profile

    def publish(self, lp_consumer_id: str, conversation_id: Any, dialog_id: Any, event: dict[str, Any]) -> int:
        """An event of the consumer, which every webhook subscriber hears of too; its sequence, or Refused."""
        with self._lock:
            conversation = self._theirs(lp_consumer_id, conversation_id)
            dialog = conversation.open_dialog
            if dialog is None:
                raise Refused(CLOSED)
            if dialog.id != dialog_id or not is_event(event, survey=dialog.kind == SURVEY):
                raise Refused("Bad Request")
            sequence = self._event(conversation, dialog, lp_consumer_id, ROLES["CONSUMER"], event)
        if event["type"] == "ContentEvent":
            self.published(conversation, words(event))
        return sequence

    def close_for(self, lp_consumer_id: str, conversation_id: Any, dialog_id: Any = None, by: str = "CONSUMER") -> None:
        """Close a conversation of this consumer, by its open dialog when one is named; or Refused."""
        with self._lock:
            conversation = self._theirs(lp_consumer_id, conversation_id)
            dialog = conversation.open_dialog
            if dialog is None:
                raise Refused(CLOSED)
            if dialog_id not in (None, dialog.id):
                raise Refused("Bad Request")
            self.close(conversation.id, by)

    def file_url(self, relative_path: str) -> dict[str, Any]:
        """Where a hosted file is for the next minute, as ms.GenerateURLForDownloadFile answers it; or Refused."""
        if relative_path not in self.storage.files:
            raise Refused("Bad Request")
        return {"relativePath": relative_path, "queryParams": self.storage.query(relative_path, self.now())}

    # What the agent does.

    def conversation(self, conversation_id: str) -> Conversation:
        for conversation in self.conversations:
            if conversation.id == conversation_id:
                return conversation
        raise KeyError(f"{conversation_id}: no such conversation")

    def say(self, conversation_id: str, text: str) -> int:
        """The agent answers, and joins before that; the sequence."""
        with self._lock:
            conversation = self._joined(conversation_id)
            return self._say(conversation, conversation.agent or "", "AGENT", plain_text(text))

    def auto(self, conversation_id: str, text: str) -> int:
        """A message that nobody wrote: out of hours, "an agent will be with you"."""
        with self._lock:
            return self._say(self.conversation(conversation_id), self._id("controller"), "AUTO", plain_text(text))

    def file(self, conversation_id: str, relative_path: str, caption: str) -> int:
        """The agent sends a picture, which is at `relative_path` of the file storage."""
        with self._lock:
            conversation = self._joined(conversation_id)
            self.storage.put(relative_path)
            return self._say(conversation, conversation.agent or "", "AGENT", hosted_file(relative_path, caption))

    def read(self, conversation_id: str) -> None:
        """The agent has read all that the consumer wrote."""
        with self._lock:
            conversation = self._joined(conversation_id)
            read = receipt("READ", conversation.sequences(ROLES["CONSUMER"]))
            self._say(conversation, conversation.agent or "", "AGENT", read)

    def typing(self, conversation_id: str) -> None:
        with self._lock:
            conversation = self._joined(conversation_id)
            self._say(conversation, conversation.agent or "", "AGENT", chat_state("COMPOSING"))

    def transfer(self, conversation_id: str, skill: str) -> None:
        """Back into the queue, of another skill; another agent will have it."""
        with self._lock:
            conversation = self.conversation(conversation_id)
            conversation.agent, conversation.skill = None, skill
            self._tell_change(conversation)

    def close(self, conversation_id: str, by: str = "AGENT") -> None:
        """`by`: AGENT, CONSUMER or SYSTEM. Closing what is closed changes nothing."""
        with self._lock:
            conversation = self.conversation(conversation_id)
            dialog = conversation.open_dialog
            if dialog:
                dialog.close(by, self._moment())
                self._tell_change(conversation)

    def survey(self, conversation_id: str, text: str) -> int:
        """A question after the main dialog, which is closed by it, in a dialog of its own."""
        with self._lock:
            conversation = self.conversation(conversation_id)
            dialog = conversation.open_dialog
            if dialog and dialog.kind == MAIN:
                moment = self._moment()
                dialog.close("AGENT", moment)
                conversation.dialogs.append(Dialog(str(uuid.uuid4()), SURVEY, moment, changed=moment))
                self._tell_change(conversation)
            return self._say(conversation, self._id("survey"), "SURVEY", plain_text(text))

    def _open_one(self, lp_consumer_id: str) -> Conversation | None:
        theirs = (found for found in self.conversations if found.lp_consumer_id == lp_consumer_id)
        return next((found for found in theirs if found.stage == "OPEN"), None)

    def _theirs(self, lp_consumer_id: str, conversation_id: Any) -> Conversation:
        for conversation in self.conversations:
            if conversation.id == conversation_id and conversation.lp_consumer_id == lp_consumer_id:
                return conversation
        raise Refused("Bad Request")

    def _joined(self, conversation_id: str) -> Conversation:
        conversation = self.conversation(conversation_id)
        if conversation.state == "CLOSE":
            raise Refused(CLOSED)
        if conversation.agent is None:
            conversation.agent = self._id(f"agent of skill {conversation.skill}")
            self._tell_change(conversation)
            conversation.taken = conversation.taken or conversation.changed
        return conversation

    def _id(self, who: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.account}: {who}"))

    def _say(self, conversation: Conversation, who: str, role: str, event: dict[str, Any]) -> int:
        dialog = conversation.open_dialog
        if dialog is None:
            raise Refused(CLOSED)
        return self._event(conversation, dialog, who, ROLES[role], event)

    def _event(self, conversation: Conversation, dialog: Dialog, who: str, role: str, event: dict[str, Any]) -> int:
        change: dict[str, Any] = {"originatorId": who, "originatorMetadata": {"id": who, "role": role}, "event": event}
        sequence = 0
        if event["type"] != "ChatStateEvent":
            sequence = dialog.take_sequence()
            change = {"sequence": sequence, **change, "serverTimestamp": self._moment()}
        if event["type"] == "ContentEvent":
            conversation.texts.append((sequence, role, words(event)))
        change |= {"conversationId": conversation.id, "dialogId": dialog.id}
        self.notices.tell(conversation.id, conversation.lp_consumer_id, "ms.MessagingEventNotification", [change])
        return sequence

    def _tell_change(self, conversation: Conversation) -> None:
        conversation.changed = self._moment()
        kind, change = "cqm.ExConversationChangeNotification", conversation.as_change()
        self.notices.tell(conversation.id, conversation.lp_consumer_id, kind, [change])

    def _moment(self) -> int:
        """Milliseconds, no two the same."""
        self._last_moment = max(self._last_moment + 1, int(self.now() * 1000))
        return self._last_moment
