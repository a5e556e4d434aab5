"""LivePerson's webhooks read: who said what in which dialog, and how a conversation has changed."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

CONSUMER = "CONSUMER"
# Whose words reach the consumer; CONTROLLER writes the automatic ones.
SPEAKERS = frozenset(
    {"ASSIGNED_AGENT", "AGENT", "AGENT_MANAGER", "ASSIGNED_MANAGER", "MANAGER", "CONTROLLER", "SYSTEM"}
)
AUTOMATIC = frozenset({"CONTROLLER", "SYSTEM"})  # of these no person speaks
SURVEY = "POST_SURVEY"
EVERYBODY = "ALL"  # of a message's audience; what agents and managers say among themselves has another
MOST = 10**15  # of a sequence, or a time stamp in milliseconds


@dataclass(frozen=True, slots=True)
class Said:
    """Words or a file in a dialog. `sequence` counts a dialog's events from 0, both sides' together."""

    conversation: str
    dialog: str
    sequence: int
    role: str
    text: str
    file: str = ""  # the relative path of a file at LivePerson's storage
    file_type: str = ""  # image/png
    at: datetime | None = None

    @property
    def event(self) -> str:
        return f"{self.dialog}:{self.sequence}"


@dataclass(frozen=True, slots=True)
class Changed:
    """A conversation as it is now. `at`: LivePerson's clock, by which an older change is told from a newer."""

    conversation: str
    at: int
    state: Literal["open", "closed"]
    consumer: str  # lp_consumer_id
    skill: str | None
    survey: str | None  # the dialog of a survey that is open


Event = Said | Changed


def raw_events(body: bytes) -> Iterator[Mapping[str, Any]]:
    """The changes of one webhook, each with the webhook's type. Raises ValueError when it is no notification."""
    try:
        read = json.loads(body)
    except RecursionError:
        raise ValueError("nested too deep") from None
    content = read.get("body") if isinstance(read, dict) else None
    changes = content.get("changes") if isinstance(content, dict) else None
    if not isinstance(changes, list):
        raise ValueError("no changes in it")
    for change in changes:
        if isinstance(change, dict):
            yield {"type": str(read.get("type")), "change": change}


def conversation(raw: Mapping[str, Any]) -> str:
    """Which conversation a change is about; "" when it does not say."""
    change = raw["change"]
    result = change.get("result")
    named = result.get("convId") if isinstance(result, dict) else change.get("conversationId") or change.get("dialogId")
    return named if isinstance(named, str) else ""


def event(raw: Mapping[str, Any]) -> Event | None:
    """What a change says, or None when it is nothing that we act on (typing, receipts) or cannot be read."""
    change = raw["change"]
    try:
        if raw["type"] == "ms.MessagingEventNotification":
            return _said(change)
        if raw["type"] == "cqm.ExConversationChangeNotification":
            return _changed(change["result"])
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return None
    return None


def _said(change: Mapping[str, Any]) -> Said | None:
    dialog = _id(change.get("dialogId") or change["conversationId"])
    role = change.get("originatorMetadata", {}).get("role")
    sequence, content = change["sequence"], _content(change["event"])
    if not isinstance(sequence, int) or isinstance(sequence, bool) or not 0 <= sequence < MOST:
        return None
    if not isinstance(role, str) or content is None or change.get("messageAudience") not in (None, EVERYBODY):
        return None
    conversation, at = _id(change.get("conversationId") or dialog), _moment(change.get("serverTimestamp"))
    return Said(conversation, dialog, sequence, role, *content, at=at)


def _content(event: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """Text, file and the file's type; None for what has none of them."""
    if event["type"] == "RichContentEvent":
        return keepable("\n".join(_rich(event.get("content")))), "", ""
    if event["type"] != "ContentEvent":
        return None
    message = event["message"]
    if isinstance(message, str):
        return keepable(message), "", ""
    kind = str(message.get("fileType") or "").lower()
    file_type = f"image/{'jpeg' if kind == 'jpg' else kind}" if kind in ("png", "jpg", "jpeg", "gif") else ""
    caption = message.get("caption")
    return keepable(caption) if isinstance(caption, str) else "", keepable(str(message["relativePath"])), file_type


def _changed(result: Mapping[str, Any]) -> Changed:
    details = result["conversationDetails"]
    consumers = [who["id"] for who in details.get("participants", ()) if who.get("role") == CONSUMER]
    dialogs = details.get("dialogs") or ()
    surveys = [one["dialogId"] for one in dialogs if one.get("dialogType") == SURVEY and one.get("state") == "OPEN"]
    closed = details.get("state") == "CLOSE" and details.get("stage", "CLOSE") == "CLOSE"
    skill = details.get("skillId")
    return Changed(
        conversation=_id(result["convId"]),
        at=max(-MOST, min(MOST, int(details.get("metaDataLastUpdateTs") or 0))),
        state="closed" if closed else "open",
        consumer=str(consumers[0]) if consumers else "",
        skill=keepable(str(skill))[:100] if skill not in (None, "", "-1", -1) else None,
        survey=_id(surveys[0]) if surveys else None,
    )


def _id(value: Any) -> str:
    """One of LivePerson's ids; ValueError for what no column of ours holds."""
    if not isinstance(value, str) or not re.fullmatch(r"[!-~]{1,100}", value):
        raise ValueError("no id")
    return value


def keepable(text: str) -> str:
    """Without what a database cannot keep: NUL, and halves of characters."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _rich(content: Any) -> Iterator[str]:
    """The words of structured content, in its own order: texts, then what buttons are called."""
    if isinstance(content, dict):
        words = content.get("text") or content.get("title")
        if isinstance(words, str) and words.strip():
            yield words.strip()
        for inner in ("elements", "quickReplies", "replies"):
            yield from _rich(content.get(inner))
    elif isinstance(content, list):
        for element in content:
            yield from _rich(element)


def _moment(value: Any) -> datetime | None:
    """A time stamp in milliseconds."""
    try:
        return datetime.fromtimestamp(int(value) / 1000, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
