"""To consumers: a text by Twilio, what became of it, and what that says of the number."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from ivr import log, numbers
from ivr.clients.failure import SendError
from ivr.clients.twilio import (
    ABOUT_NUMBER,
    ABOUT_ROUTE,
    BAD_NUMBER,
    CONFIGURATION,
    NO_NUMBER_WOULD_DO,
    OPTED_OUT,
    OUTSIDE_WINDOW,
    Listed,
    Twilio,
)
from ivr.delivery.ledger import Ledger, Outcome
from ivr.file_links import FileLinks
from ivr.flow.model import RCS, WHATSAPP, Flow
from ivr.lookalikes import folded
from ivr.relay import channels
from ivr.relay.consumer import tell_of_failure
from ivr.store import api_events, known, messages, outbox
from ivr.store.messages import Message
from ivr.store.outbox import Text

# Clocks differ; a text is looked for from a little before its attempt.
CLOCKS_DIFFER = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Texts:
    ledger: Ledger
    twilio: Twilio
    callback_url: str  # of status callbacks, without the row's id
    files: FileLinks
    new_id: Callable[[], str]
    flows: Mapping[str, Flow]

    def attempt(self, text: Text) -> Outcome:
        """Send one text whose row is `sending` under our lease, and record what came of it."""
        try:
            provider_id, refused_full = self._send(text)
        except SendError as error:
            return self._failed(text, error)
        except Exception as error:  # a fault of ours, after which nobody knows what Twilio has
            log.error("text_attempt_failed", error, call=text.call_sid, message=text.id)
            return self._failed(text, SendError("a fault of ours", unclear=True))
        self.ledger.record(text, lambda tx: self._sent(tx, text, provider_id, refused_full))
        log.event("text_sent", call=text.call_sid, message=text.id, sid=provider_id, to=numbers.masked(text.number))
        return "sent"

    def settle(self, text: Text) -> None:
        """Ask Twilio whether it has an unclear text: then it is settled; if it surely has not, it is due again."""
        since, ledger = text.started_at - CLOCKS_DIFFER, self.ledger
        try:
            listed = self._listed(text, since)
        except SendError as error:
            if error.permanent:  # a list that is refused needs a person
                log.error("text_still_unclear", message=text.id, reason=error.reason)
            else:
                log.warning("text_still_unclear", message=text.id, reason=error.reason)
            ledger.record(text, partial(self._not_told, text, error))
            return
        ledger.record(text, lambda tx: self._settled(tx, text, listed))

    def _listed(self, text: Text, since: datetime) -> list[Listed]:
        """Every text to this consumer; what went by RCS may be listed under its address there."""
        deadline, flow = self.twilio.deadline(), self.flows.get(text.brand)
        listed = self.twilio.texts_to(_address(text, text.number), since, deadline)
        if flow is None or flow.sender.rcs != text.sender:
            return listed
        try:
            return [*listed, *self.twilio.texts_to(f"{RCS}{text.number}", since, deadline)]
        except SendError as error:
            if not error.permanent:
                raise
            return listed  # Twilio knows no such address, and has nothing under it

    def _send(self, text: Text) -> tuple[str, bool]:
        """The MessageSid, and whether Twilio refused the full format first (21211) and then took E.164."""
        deadline, first = self.twilio.deadline(), text.destination or text.number
        try:
            return self._create(first, text, deadline), False
        except SendError as error:
            if error.code != BAD_NUMBER or first == text.number:
                raise
        return self._create(text.number, text, deadline), True

    def _create(self, to: str, text: Text, deadline: float) -> str:
        valid = math.ceil((text.give_up_at - self.ledger.now()).total_seconds())
        callback = f"{self.callback_url}/{text.id}"
        body, media = self._with_files(text)
        template = {"content": text.content} if text.content else {}
        to, valid = _address(text, to), max(6, min(valid, 36_000))
        return self.twilio.send_text(to, text.sender, body, callback, valid, deadline, media, **template)

    def _with_files(self, text: Text) -> tuple[str, list[str]]:
        """A picture travels with the text where numbers take them (North America), by WhatsApp alone; else its link."""
        media = enumerate(text.media or ())
        urls = [piece.get("url") or self.files.url(text.id, place) for place, piece in media]
        if len(urls) == 1 if text.sender.startswith(WHATSAPP) else text.number.startswith("+1"):
            return text.body, urls
        return "\n".join([line for line in (text.body, *urls) if line]), []

    def _sent(self, tx: Connection, text: Text, provider_id: str, refused_full: bool) -> None:
        now = self.ledger.now()
        if not messages.move(tx, text.id, "sent", now, provider_id):
            messages.learn_provider_id(tx, text.id, provider_id)  # a callback was faster than the answer
        if refused_full:
            known.learn_e164(tx, text.sender, now)

    def _failed(self, text: Text, error: SendError) -> Outcome:
        if error.unclear:
            return self.ledger.unclear(text, error)
        if not error.permanent:
            return self.ledger.later(text, error)
        self.ledger.refused(text, error, partial(self._refused, text, error.code))
        return "unable" if error.code in NO_NUMBER_WOULD_DO else "refused"

    def _refused(self, text: Text, code: int | None, tx: Connection) -> None:
        """Not when this attempt outlasted its lease: another may have sent it since."""
        if outbox.is_held(tx, text):
            self._known_to_have_failed(tx, text, code)

    def _not_told(self, text: Text, error: SendError, tx: Connection) -> None:
        """Asked about again, until long after its time: then it is a person's, and what waits behind it goes on."""
        now = self.ledger.now()
        if now > text.give_up_at + outbox.UNCLEAR_LONGER:
            if outbox.dead(tx, text, error.code, now):
                api_events.text_changed(tx, text.id, "expired", now, error.code)
                log.error("text_dead", message=text.id, reason="nobody knows whether Twilio has it")
        else:
            outbox.ask_again(tx, text, now, self.ledger.wait(text, error))

    def _settled(self, tx: Connection, text: Text, listed: list[Listed]) -> None:
        now = self.ledger.now()
        body, _ = self._with_files(text)
        for found in listed:
            if _is(found, text, body) and not messages.is_taken(tx, found.sid):
                log.event("text_found", message=text.id, sid=found.sid, status=found.state)
                messages.learn_provider_id(tx, text.id, found.sid)
                if found.state == "failed":
                    self._known_to_have_failed(tx, text, found.code)
                else:
                    messages.move(tx, text.id, found.state, now, found.sid)
                return
        log.event("text_not_there", message=text.id)
        outbox.again(tx, text, now, timedelta())

    def _known_to_have_failed(self, tx: Connection, text: Text | Message, code: int | None) -> None:
        failed(tx, text, code, self.flows, self.new_id, self.ledger.now())


def failed(
    tx: Connection,
    text: Text | Message,
    code: int | None,
    flows: Mapping[str, Flow],
    new_id: Callable[[], str],
    now: datetime,
) -> bool:
    """A text is known to have failed: at once, or by a status that came later. What that says of the number is kept,
    and a greeting goes on by the next channel."""
    if not messages.move(tx, text.id, "failed", now, code=code):
        return False  # known already, or delivered after all: a replay teaches nothing
    if code == OPTED_OUT:
        known.set_opt_out(tx, text.number, text.sender, True, "21610", now)
    elif code in ABOUT_NUMBER:
        whose = text.sender if text.sender.startswith(WHATSAPP) else known.EVERY_SENDER
        known.learn_number(tx, text.number, whose, ABOUT_NUMBER[code], code, now)
    elif code in ABOUT_ROUTE:
        known.learn_number(tx, text.number, text.sender, ABOUT_ROUTE[code], code, now)
    if code in CONFIGURATION or (code == OUTSIDE_WINDOW and text.kind == "greeting"):
        see = f"https://www.twilio.com/docs/errors/{code}"
        log.error("twilio_configuration", message=text.id, code=code, see=see)
    tell_of_failure(tx, text.kind, text.conversation_id, new_id, code, now)
    if text.kind == "greeting" and channels.fell(tx, text.id, flows, new_id, now):
        log.event("next_channel", message=text.id, code=code)
    return True


def _address(text: Text, to: str) -> str:
    """To, as Twilio takes it on this sender's channel: WhatsApp has E.164 alone."""
    return f"{WHATSAPP}{text.number.removeprefix(WHATSAPP)}" if text.sender.startswith(WHATSAPP) else to


def _is(listed: Listed, text: Text, body: str) -> bool:
    """Whether a listed text is ours: its words, behind a trial account's sentence, in whatever look-alikes."""
    if not listed.outbound or (not text.sender.startswith("MG") and listed.sender != text.sender):
        return False
    if text.content:  # a template's words are not known here; none but its sender's to this number may be meant
        return True
    return folded(listed.body).endswith(folded(body))
