"""What a brand's own desk tells: an answer, another skill, an end; each id once."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeGuard
from urllib.parse import urlsplit

from sqlalchemy import Connection

from ivr.clients.liveperson_events import keepable
from ivr.relay import expectations, identify
from ivr.relay.agent import Answer, Listener, ended, write_answer
from ivr.store import conversations
from ivr.store.conversations import Conversation

Done = Callable[[], object]

MOST_MEDIA = 10  # Twilio's own limit
MOST_WORDS = 16_000  # characters: ten texts


class NotUnderstood(ValueError):
    """The message is not as docs/desk.md has it; one sentence says what is wrong."""


class NoConversation(LookupError):
    """The brand has no such conversation."""


def taken(tx: Connection, brand: str, body: bytes, here: Listener) -> str:
    """Do what a desk asks, the first time; its id. Raises NotUnderstood and NoConversation."""
    message = _read(body)
    name = _text(message, "id", 100)
    act = _ACTS.get(_text(message, "type", 20))
    if act is None:
        raise NotUnderstood(f"type is none of {', '.join(_ACTS)}")
    conversation = conversations.find(tx, _text(message, "conversation", 32))
    if conversation is None or conversation.brand != brand:
        raise NoConversation
    done = act(tx, conversation, message, f"{brand}/{name}", here)
    if conversations.take(tx, f"{brand}/{name}", here.now()):
        done()
    return name


def _answer(tx: Connection, to: Conversation, message: Mapping[str, Any], event: str, here: Listener) -> Done:
    words, media = message.get("text", ""), _media(message.get("media", []))
    if not isinstance(words, str) or len(words) > MOST_WORDS:
        raise NotUnderstood(f"text is no text of at most {MOST_WORDS:,} characters")
    if not words.strip() and not media:
        raise NotUnderstood("text is empty, and there are no media")
    answer = Answer(keepable(words).rstrip(), media, event, here.now())

    def done() -> None:
        identify.agent_spoke(tx, here.flows.get(to.brand), to)
        if write_answer(tx, to, answer, here):
            expectations.answered(tx, to, here.now())

    return done


def _skill(tx: Connection, of: Conversation, message: Mapping[str, Any], _event: str, _here: Listener) -> Done:
    skill = _text(message, "skill", 100)
    return lambda: conversations.set_skill(tx, of.id, skill)


def _close(tx: Connection, of: Conversation, _message: Mapping[str, Any], _event: str, here: Listener) -> Done:
    return lambda: ended(tx, of, here)


_ACTS = {"text": _answer, "skill": _skill, "close": _close}


def _read(body: bytes) -> Mapping[str, Any]:
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        raise NotUnderstood("this is no JSON") from None
    if not isinstance(read, dict):
        raise NotUnderstood("this is no JSON object")
    return read


def _text(message: Mapping[str, Any], name: str, most: int) -> str:
    value = message.get(name)
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= most:
        raise NotUnderstood(f"{name} is no text of 1 to {most} characters")
    return value


def _media(value: Any) -> list[dict[str, str]]:
    listed = value if isinstance(value, list) else [None]
    urls = [piece.get("url") if isinstance(piece, dict) else None for piece in listed]
    good = [{"url": url} for url in urls if _is_url(url)]
    if len(urls) > MOST_MEDIA or len(good) < len(urls):
        raise NotUnderstood(f"media is no list of at most {MOST_MEDIA} objects with a url each")
    return good


def _is_url(text: Any) -> TypeGuard[str]:
    if not isinstance(text, str):
        return False
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return good and len(text) <= 2000 and not re.search(r"[^!-~]", text)
