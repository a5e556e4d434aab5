"""Texts: what consumers write, and how our own texts fared. Rows first, an empty answer at once."""

import re

from flask import Blueprint, Response

from ivr import delivery, log, numbers, relay
from ivr.flow import twiml
from ivr.runtime import Runtime
from ivr.store import messages
from ivr.store.messages import Inbound
from ivr.web.guards import Form, runtime, twilio_signed

blueprint = Blueprint("messages", __name__)

# Twilio's MessageStatus, as far as we tell states apart. One we do not know moves nothing.
STATES = {
    "accepted": "sent",
    "scheduled": "sent",
    "queued": "sent",
    "sending": "sent",
    "sent": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "failed": "failed",
    "undelivered": "failed",
    "canceled": "failed",
}
MAX_MEDIA = 10  # Twilio's own limit


@blueprint.post("/messages")
@twilio_signed
def received(form: Form) -> Response:
    """A text to any of our numbers; a replay (the same MessageSid) changes nothing."""
    here = runtime()
    text = _inbound(here, form)
    if not text.provider_id:
        log.warning("text_without_sid", sender=numbers.masked(text.sender))
        return _empty()
    with here.database.writes() as tx:
        new, wish = relay.received(tx, text, _own(form), form.text("OptOutType"), here.now())
    log.event(
        "text_received" if text.brand else "text_to_unknown_number",
        message=text.id,
        sid=text.provider_id,
        number=numbers.masked(text.number),
        to=numbers.masked(text.sender),
        brand=text.brand,
        wish=wish,
        new=new,
    )
    return _empty()


@blueprint.post("/messages/status/<message_id>")
@twilio_signed
def status(form: Form, message_id: str) -> Response:
    """The delivery status of one text of ours: in any order, twice, unknown, for a row that is gone."""
    here = runtime()
    said = form.text("MessageStatus") or form.text("SmsStatus")
    state, sid, code = STATES.get(said.lower()), form.text("MessageSid", 64), _code(form)
    with here.database.writes() as tx:
        message = messages.find(tx, message_id)
        moved = False
        if message and message.provider_id in (None, sid):
            if sid:
                messages.learn_provider_id(tx, message.id, sid)
            if state == "failed":
                moved = delivery.failed(tx, message.id, message.number, message.sender, code, here.now())
            elif state:
                moved = messages.move(tx, message.id, state, here.now(), sid or None)
    log.event(
        "text_status", message=message_id[:32], sid=sid, status=said[:20], code=code, known=bool(message), moved=moved
    )
    return _empty()


def _inbound(here: Runtime, form: Form) -> Inbound:
    own, service = _own(form), form.text("MessagingServiceSid")
    brand = here.senders.get(own) or here.senders.get(service) or here.numbers.get(own, (None, ""))[0]
    number = numbers.read(form.text("From"))
    return Inbound(
        id=here.new_id(),
        provider_id=form.text("MessageSid", 64) or form.text("SmsSid", 64),
        brand=brand,
        number=number.e164 if number else form.text("From"),
        sender=service if service in here.senders else own,
        body=form.text("Body", 10_000),
        media=_media(form),
    )


def _own(form: Form) -> str:
    number = numbers.read(form.text("To"))
    return number.e164 if number else form.text("To")


def _media(form: Form) -> list[dict[str, str]]:
    count = form.text("NumMedia")
    pieces = range(min(int(count), MAX_MEDIA) if re.fullmatch(r"\d{1,3}", count) else 0)
    return [{"url": form.text(f"MediaUrl{n}", 2000), "type": form.text(f"MediaContentType{n}")} for n in pieces]


def _code(form: Form) -> int | None:
    text = form.text("ErrorCode")
    return int(text) if re.fullmatch(r"\d{1,6}", text) else None


def _empty() -> Response:
    return Response(twiml.EMPTY, mimetype="text/xml")
