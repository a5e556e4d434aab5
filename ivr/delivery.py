"""One message row, one attempt, and what came of it. No database connection is held while the network is used."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from ivr import log, numbers
from ivr.clients.failure import SendError
from ivr.clients.twilio import (
    ABOUT_NUMBER,
    ABOUT_ROUTE,
    BAD_NUMBER,
    CONFIGURATION,
    NO_NUMBER_WOULD_DO,
    OPTED_OUT,
    Listed,
    Twilio,
)
from ivr.lookalikes import folded
from ivr.store import known, messages, outbox
from ivr.store.database import Database
from ivr.store.outbox import Text

# refused: for good. unable: for good, and to every other number too. later: Twilio is known not to have it, it is tried
# again. unclear: it may have it.
Outcome = Literal["sent", "refused", "unable", "later", "unclear"]

# Clocks differ; a text is looked for from a little before its attempt.
CLOCKS_DIFFER = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What an attempt needs."""

    database: Database
    twilio: Twilio
    callback_url: str  # of status callbacks, without the row's id
    now: Callable[[], datetime]
    chance: random.Random

    def attempt(self, text: Text) -> Outcome:
        """Send one text whose row is `sending` under our lease, and record what came of it."""
        try:
            provider_id, refused_full = self._send(text)
        except SendError as error:
            return self._failed(text, error)
        except Exception as error:  # a fault of ours, after which nobody knows what Twilio has
            log.error("text_attempt_failed", error, call=text.call_sid, message=text.id)
            return self._failed(text, SendError("a fault of ours", unclear=True))
        self._record(text, lambda tx: self._sent(tx, text, provider_id, refused_full))
        log.event("text_sent", call=text.call_sid, message=text.id, sid=provider_id, to=numbers.masked(text.number))
        return "sent"

    def settle(self, text: Text) -> None:
        """Ask Twilio whether it has an unclear text: then it is settled; if it surely has not, it is due again."""
        since = text.started_at - CLOCKS_DIFFER
        try:
            listed = self.twilio.texts_to(text.number, since, self.twilio.deadline())
        except SendError as error:
            log.warning("text_still_unclear", message=text.id, reason=error.reason)
            wait = self._wait(text, error)
            self._record(text, lambda tx: outbox.ask_again(tx, text, self.now(), wait))
            return
        self._record(text, lambda tx: self._settled(tx, text, listed))

    def _send(self, text: Text) -> tuple[str, bool]:
        """The MessageSid, and whether Twilio refused the full format first (21211) and then took E.164."""
        deadline = self.twilio.deadline()
        try:
            return self._create(text.destination, text, deadline), False
        except SendError as error:
            if error.code != BAD_NUMBER or text.destination == text.number:
                raise
        return self._create(text.number, text, deadline), True

    def _create(self, to: str, text: Text, deadline: float) -> str:
        valid = math.ceil((text.give_up_at - self.now()).total_seconds())
        callback = f"{self.callback_url}/{text.id}"
        return self.twilio.send_text(to, text.sender, text.body, callback, max(6, min(valid, 36_000)), deadline)

    def _sent(self, tx: Connection, text: Text, provider_id: str, refused_full: bool) -> None:
        if not messages.move(tx, text.id, "sent", self.now(), provider_id):
            messages.learn_provider_id(tx, text.id, provider_id)  # a callback was faster than the answer
        if refused_full:
            known.learn_e164(tx, text.sender, self.now())

    def _failed(self, text: Text, error: SendError) -> Outcome:
        fields = {"call": text.call_sid, "message": text.id, "reason": error.reason, "code": error.code}
        if error.unclear:
            log.warning("text_unclear", **fields)
            self._record(text, lambda tx: outbox.unclear(tx, text, self.now()))
            return "unclear"
        if not error.permanent:
            wait = self._wait(text, error)
            log.warning("text_later", seconds=round(wait.total_seconds()), **fields)
            self._record(text, lambda tx: outbox.again(tx, text, self.now(), wait))
            return "later"
        log.warning("text_refused", **fields)
        self._record(text, lambda tx: failed(tx, text.id, text.number, text.sender, error.code, self.now()))
        return "unable" if error.code in NO_NUMBER_WOULD_DO else "refused"

    def _settled(self, tx: Connection, text: Text, listed: list[Listed]) -> None:
        for found in listed:
            if _is(found, text) and not messages.is_taken(tx, found.sid):
                log.event("text_found", message=text.id, sid=found.sid, status=found.state)
                messages.learn_provider_id(tx, text.id, found.sid)
                if found.state == "failed":
                    failed(tx, text.id, text.number, text.sender, found.code, self.now())
                else:
                    messages.move(tx, text.id, found.state, self.now(), found.sid)
                return
        log.event("text_not_there", message=text.id)
        outbox.again(tx, text, self.now(), timedelta())

    def _wait(self, text: Text, error: SendError) -> timedelta:
        """Twice as long each time, up to five minutes, scattered; at least what the other side asked for."""
        backed_off = min(300.0, 2.0 ** min(text.attempts, 10)) * self.chance.uniform(0.5, 1.0)
        return timedelta(seconds=max(backed_off, min(error.retry_after or 0.0, 600.0)))

    def _record(self, text: Text, write: Callable[[Connection], object]) -> None:
        """What is known stays true when it cannot be written: the caller hears it; the lease makes the row unclear."""
        try:
            with self.database.writes() as tx:
                write(tx)
        except SQLAlchemyError as error:
            log.error("text_not_recorded", error, message=text.id)


def failed(tx: Connection, message_id: str, number: str, sender: str, code: int | None, now: datetime) -> bool:
    """A text is known to have failed: at once, or by a status that came later. What that says of the number is kept."""
    if not messages.move(tx, message_id, "failed", now, code=code):
        return False  # known already, or delivered after all: a replay teaches nothing
    if code == OPTED_OUT:
        known.set_opt_out(tx, number, sender, True, "21610", now)
    elif code in ABOUT_NUMBER:
        known.learn_number(tx, number, known.EVERY_SENDER, ABOUT_NUMBER[code], code, now)
    elif code in ABOUT_ROUTE:
        known.learn_number(tx, number, sender, ABOUT_ROUTE[code], code, now)
    if code in CONFIGURATION:
        log.error(
            "twilio_configuration", message=message_id, code=code, see=f"https://www.twilio.com/docs/errors/{code}"
        )
    return True


def _is(listed: Listed, text: Text) -> bool:
    """Whether a listed text is ours: its words, behind a trial account's sentence, in whatever look-alikes."""
    if not listed.outbound or (not text.sender.startswith("MG") and listed.sender != text.sender):
        return False
    return folded(listed.body).endswith(folded(text.body))
