"""One question to a LivePerson host: what was answered, or a SendError that says what is known."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any

from requests.exceptions import RequestException

from ivr.clients.exchange import Answer, exchange, kept_session, never_sent
from ivr.clients.failure import SendError

BUSY = 429


@dataclass(frozen=True, slots=True)
class Kind:
    """What a request is, which decides what its failure means."""

    acts: bool  # it changes something at the desk: an answer that is lost leaves unclear what was done
    pause: float  # seconds, the least to stay away after a 429


LOOK_UP = Kind(acts=False, pause=1.0)
LOGIN = Kind(acts=False, pause=5.0)
ACT = Kind(acts=True, pause=1.0)


class Unreachable(SendError):
    """No connection to the host came to be."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that LivePerson may have meant: not 429, no 5xx, not without a body that says yes."""

    status: int
    elements: tuple[dict[str, Any], ...]  # an answer's objects; one that is no array is one

    @property
    def accepted(self) -> bool:
        """Whether the HTTP status and every element say so."""
        return self.status < 300 and bool(self.elements) and all(agreed(element) for element in self.elements)

    @property
    def refused(self) -> bool:
        """Whether it says no: by its status, or by an element whose meaning is known."""
        words = (element.get("code") for element in self.elements)
        return self.status >= 300 or self.error_code is not None or "BAD_REQUEST" in words

    @property
    def error_code(self) -> int | None:
        """LivePerson's own number for what is wrong, the one part of an error that it promises to keep."""
        for body in self._bodies():
            code = body.get("errorCode")
            if isinstance(code, int) and not isinstance(code, bool):
                return code
        return None

    def says(self, words: str) -> bool:
        """Whether an element that is not OK has these words in its message."""
        messages = [body.get("msg") for body in self._bodies()]
        return any(isinstance(message, str) and words.lower() in message.lower() for message in messages)

    def _bodies(self) -> Iterator[dict[str, Any]]:
        """What the elements that are not OK say."""
        for element in self.elements:
            body = element.get("body")
            if isinstance(body, dict) and not agreed(element):
                yield body


def agreed(element: dict[str, Any]) -> bool:
    return element.get("code") in ("OK", 200)


class Wire:
    """The connections to one account's hosts. Threads share it."""

    def __init__(self, connections: int, clock: Callable[[], float]) -> None:
        self._session = kept_session(connections)
        # One consumer's cookie must not ride on another's request.
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self.clock = clock

    def ask(self, kind: Kind, method: str, url: str, deadline: float, **request: Any) -> Reply:
        """Ask once. Raises SendError where nothing was answered, on 429, on 5xx, and on a yes that cannot be read."""
        if self.clock() >= deadline:
            raise SendError("There was no time left to ask LivePerson")
        try:
            answer = exchange(self._session, method, url, deadline, self.clock, **request)
        except RequestException as error:
            if never_sent(error):
                raise Unreachable("LivePerson could not be reached") from error
            raise SendError(f"LivePerson did not answer ({type(error).__name__})", unclear=kind.acts) from error
        elements = _elements(answer.text)
        status = _status(answer.status, elements)
        if status == BUSY:
            raise SendError("LivePerson is busy (429)", code=BUSY, retry_after=_pause(kind, answer))
        if status >= 500:
            reason = f"LivePerson failed ({status})"
            raise SendError(reason, unclear=kind.acts, code=status, retry_after=answer.retry_after)
        if status < 300 and not elements:
            raise unreadable(kind)
        return Reply(status, elements)


def unreadable(kind: Kind) -> SendError:
    return SendError("LivePerson's answer could not be read", unclear=kind.acts)


def refusal(reply: Reply, what_to_do: str = "") -> SendError:
    """A no for good. The reason has LivePerson's numbers alone: its sentences may quote ids and words of people."""
    status = reply.status if reply.status >= 300 else 400  # an element alone may say no
    words = [str(status)]
    words += [f"error {reply.error_code}"] if reply.error_code is not None else []
    words += ["BAD_REQUEST"] if any(element.get("code") == "BAD_REQUEST" for element in reply.elements) else []
    reason = f"LivePerson refused ({', '.join(words)})" + (f"; {what_to_do}" if what_to_do else "")
    return SendError(reason, permanent=True, code=reply.error_code or status)


def _status(status: int, elements: tuple[dict[str, Any], ...]) -> int:
    """The HTTP status, or the worst that an element of a 200 gives as its code."""
    codes = [element.get("code") for element in elements]
    return max([status, *(code for code in codes if isinstance(code, int) and code < 600)]) if status < 300 else status


def _pause(kind: Kind, answer: Answer) -> float:
    return max(kind.pause, answer.retry_after or 0.0)


def _elements(text: str) -> tuple[dict[str, Any], ...]:
    """The objects of a JSON answer; none when there is one thing in it that is no object."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    listed = found if isinstance(found, list) else [found]
    return tuple(listed) if all(isinstance(element, dict) for element in listed) else ()
