"""One message row, one attempt, and what came of it. No database connection is held while the network is used."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from ivr import log, numbers
from ivr.clients.failure import SendError
from ivr.clients.twilio import ABOUT_NUMBER, ABOUT_ROUTE, BAD_NUMBER, CONFIGURATION, OPTED_OUT, Twilio
from ivr.store import known, messages
from ivr.store.database import Database
from ivr.store.messages import Greeting

Outcome = Literal["sent", "refused", "unclear"]

# A greeting promises an answer soon; Twilio may not deliver it after an hour.
GREETING_VALID_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Delivery:
    """What an attempt needs."""

    database: Database
    twilio: Twilio
    callback_url: str  # of status callbacks, without the row's id
    now: Callable[[], datetime]

    def attempt(self, greeting: Greeting) -> Outcome:
        """Send one greeting whose row is `sending`, and record what came of it."""
        try:
            provider_id, refused_full = self._send(greeting)
        except SendError as error:
            return self._failed(greeting, error)
        self._record(greeting, lambda tx: self._sent(tx, greeting, provider_id, refused_full))
        log.event("text_sent", message=greeting.id, sid=provider_id, to=numbers.masked(greeting.number))
        return "sent"

    def _send(self, greeting: Greeting) -> tuple[str, bool]:
        """The MessageSid, and whether Twilio refused the full format first (21211) and then took E.164."""
        deadline = self.twilio.deadline()
        try:
            return self._create(greeting.to, greeting, deadline), False
        except SendError as error:
            if error.code != BAD_NUMBER or greeting.to == greeting.number:
                raise
        return self._create(greeting.number, greeting, deadline), True

    def _create(self, to: str, greeting: Greeting, deadline: float) -> str:
        callback = f"{self.callback_url}/{greeting.id}"
        return self.twilio.send_text(to, greeting.sender, greeting.body, callback, GREETING_VALID_SECONDS, deadline)

    def _sent(self, tx: Connection, greeting: Greeting, provider_id: str, refused_full: bool) -> None:
        if not messages.move(tx, greeting.id, "sent", self.now(), provider_id):
            messages.learn_provider_id(tx, greeting.id, provider_id)  # a callback was faster than the answer
        if refused_full:
            known.learn_e164(tx, greeting.sender, self.now())

    def _failed(self, greeting: Greeting, error: SendError) -> Outcome:
        fields = {"message": greeting.id, "to": numbers.masked(greeting.number), "reason": error.reason}
        if error.unclear:
            log.warning("text_unclear", **fields)
            return "unclear"
        log.warning("text_refused", code=error.code, **fields)
        self._record(
            greeting, lambda tx: failed(tx, greeting.id, greeting.number, greeting.sender, error.code, self.now())
        )
        return "refused"

    def _record(self, greeting: Greeting, write: Callable[[Connection], object]) -> None:
        """What is known stays true when it cannot be written: the caller hears it, a callback settles the row."""
        try:
            with self.database.writes() as tx:
                write(tx)
        except SQLAlchemyError as error:
            log.error("text_not_recorded", error, message=greeting.id)


def failed(tx: Connection, message_id: str, number: str, sender: str, code: int | None, now: datetime) -> bool:
    """A text is known to have failed: at once, or by a status that came later. What that says of the number is kept."""
    moved = messages.move(tx, message_id, "failed", now, code=code)
    if code == OPTED_OUT:
        known.set_opt_out(tx, number, sender, True, "21610", now)
    elif code in ABOUT_NUMBER:
        known.learn_number(tx, number, known.EVERY_SENDER, ABOUT_NUMBER[code], code, now)
    elif code in ABOUT_ROUTE:
        known.learn_number(tx, number, sender, ABOUT_ROUTE[code], code, now)
    elif code in CONFIGURATION:
        log.error("twilio_configuration", code=code, see=f"https://www.twilio.com/docs/errors/{code}")
    return moved
