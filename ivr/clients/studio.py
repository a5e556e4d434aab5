"""Twilio Studio's REST API: fetch a flow, validate a definition, and write one as a draft or published."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twilio.base.exceptions import TwilioRestException

from ivr.clients.failure import SendError
from ivr.clients.twilio import Twilio

INVALID = 81022  # a definition that Studio refuses; its details say what, where
TIMES_ASKED = 3  # a request that Twilio is too busy for
LONGEST_WAIT = 30.0  # seconds that Retry-After is obeyed


@dataclass(frozen=True, slots=True)
class KeptFlow:
    """A flow as Twilio has it, its newest revision."""

    sid: str  # FW…
    name: str
    status: str  # draft, published
    revision: int
    definition: Any
    message: str  # of the commit
    webhook: str  # where a number's calls have to lead


class InvalidFlow(Exception):
    """Studio refuses a definition; `found` is path and sentence of each fault."""

    def __init__(self, found: list[tuple[str, str]]) -> None:
        super().__init__(f"Twilio refuses the flow: {len(found)} fault(s)")
        self.found = found


class TwilioStudio:
    """One account's flows. Every method raises SendError; what is busy is asked again, `wait` seconds later."""

    def __init__(self, twilio: Twilio, wait: Callable[[float], None]) -> None:
        self._twilio = twilio
        self._wait = wait

    def fetch(self, sid: str) -> KeptFlow:
        return _kept(self._asked(lambda client: client.studio.v2.flows(sid).fetch()))

    def validate(self, name: str, definition: Any) -> None:
        """Raises InvalidFlow."""
        answer = self._asked(
            lambda client: client.studio.v2.flow_validate.update(
                friendly_name=name, status="draft", definition=definition
            )
        )
        if not answer.valid:
            raise SendError("Twilio's answer does not say that the flow is valid", permanent=True)

    def create(self, name: str, definition: Any, message: str) -> KeptFlow:
        """A new flow, as a draft. Raises InvalidFlow."""
        return _kept(
            self._asked(
                lambda client: client.studio.v2.flows.create(
                    friendly_name=name, status="draft", definition=definition, commit_message=message
                )
            )
        )

    def update(self, sid: str, status: str, definition: Any, message: str) -> KeptFlow:
        """Another revision, of the whole definition. Raises InvalidFlow."""
        return _kept(
            self._asked(
                lambda client: client.studio.v2.flows(sid).update(
                    status=status, definition=definition, commit_message=message
                )
            )
        )

    def _asked(self, ask: Callable[[Any], Any]) -> Any:
        for again in reversed(range(TIMES_ASKED)):
            try:
                with self._twilio.asked(self._twilio.deadline()) as client:
                    return ask(client)
            except SendError as error:
                if error.code == INVALID:
                    raise InvalidFlow(_details(error.__cause__)) from error
                busy = not error.permanent and not error.unclear and error.retry_after is not None
                if not busy or not again:
                    raise
                self._wait(min(error.retry_after or 1.0, LONGEST_WAIT))
        raise AssertionError("the last time is returned or raised")


def _details(cause: BaseException | None) -> list[tuple[str, str]]:
    details = cause.details if isinstance(cause, TwilioRestException) else None
    listed = details.get("errors") if isinstance(details, dict) else None
    found = [each for each in listed or () if isinstance(each, dict)]
    paths = [(str(each.get("property_path") or "#"), str(each.get("message") or "")) for each in found]
    return paths or [("#", "Twilio does not say what it is")]


def _kept(found: Any) -> KeptFlow:
    if not found.sid or not isinstance(found.definition, dict):
        raise SendError("Twilio's answer has no flow in it", unclear=True)
    return KeptFlow(
        str(found.sid),
        str(found.friendly_name or ""),
        str(found.status),
        int(found.revision or 0),
        found.definition,
        str(found.commit_message or ""),
        str(found.webhook_url or ""),
    )
