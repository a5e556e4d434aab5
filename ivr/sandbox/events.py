"""The events of a conversation at LivePerson: what they look like, and which ones it takes from a connector."""

import json
from typing import Any

STATUSES = ("ACCEPT", "READ", "ACCESS", "NACK", "ACTION")
CHAT_STATES = ("COMPOSING", "ACTIVE", "INACTIVE", "GONE", "PAUSE")


def plain_text(text: str) -> dict[str, Any]:
    return {"type": "ContentEvent", "message": text, "contentType": "text/plain"}


def hosted_file(relative_path: str, caption: str) -> dict[str, Any]:
    kind = relative_path.rpartition(".")[2].upper()
    message = {"caption": caption, "relativePath": relative_path, "fileType": kind, "preview": ""}
    return {"type": "ContentEvent", "message": message, "contentType": "hosted/file"}


def receipt(status: str, sequences: list[int]) -> dict[str, Any]:
    return {"type": "AcceptStatusEvent", "status": status, "sequenceList": sequences}


def chat_state(state: str) -> dict[str, Any]:
    return {"type": "ChatStateEvent", "chatState": state}


def words(event: dict[str, Any]) -> str:
    """What a ContentEvent says; a file as JSON."""
    message = event["message"]
    return message if isinstance(message, str) else json.dumps(message, ensure_ascii=False)


def is_event(event: dict[str, Any], survey: bool) -> bool:
    """Whether a connector may publish it; into a survey's dialog, content alone."""
    kind = event.get("type")
    if kind == "ContentEvent":
        plain, message = event.get("contentType") == "text/plain", event.get("message")
        return bool(message) and isinstance(message, str if plain else dict)
    if survey:
        return False
    if kind == "AcceptStatusEvent":
        listed = event.get("sequenceList")
        numbers = isinstance(listed, list) and bool(listed) and all(type(number) is int for number in listed)
        return event.get("status") in STATUSES and numbers
    return kind == "ChatStateEvent" and event.get("chatState") in CHAT_STATES
