"""Texts: what consumers write, and how our own texts fared. Rows first, an empty answer at once."""

import re
from dataclasses import replace

from flask import Blueprint, Response
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from ivr import log, numbers
from ivr.clients.twilio import STATES
from ivr.delivery import texts
from ivr.flow import twiml
from ivr.flow.model import RCS, WHATSAPP
from ivr.relay import agent, consumer
from ivr.runtime import Brand, Runtime
from ivr.store import messages
from ivr.store.messages import Inbound, Message
from ivr.web.guards import Form, runtime, twilio_signed

blueprint = Blueprint("messages", __name__)

_ID = re.compile(r"[0-9a-f]{32}")
MAX_MEDIA = 10  # Twilio's own limit


@blueprint.errorhandler(SQLAlchemyError)
def not_now(error: SQLAlchemyError) -> Response:
    """Nothing is taken that cannot be written; Twilio asks again where it was told to, and has a fallback."""
    log.error("text_not_taken", error)
    return Response("not now", 503, mimetype="text/plain")


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
        brand = _brand(here, tx, text)
        text = replace(text, brand=brand.flow.id if brand else text.brand)
        flow, opt_out = brand.flow if brand else None, form.text("OptOutType")
        came = consumer.received(tx, text, _own(form), opt_out, flow, here.new_id, here.now())
    log.event(
        "text_received" if text.brand else "text_to_unknown_number",
        message=text.id,
        sid=text.provider_id,
        number=numbers.masked(text.number),
        to=numbers.masked(text.sender),
        brand=text.brand,
        wish=came.wish,
        conversation=came.conversation.id if came.conversation else None,
        new=came.new,
    )
    answer = _empty()
    if came.conversation:  # not before: the worker's thread, awake, takes Python's lock from this one
        answer.call_on_close(here.bell.ring)
    return answer


@blueprint.post("/messages/status/<message_id>")
@twilio_signed
def status(form: Form, message_id: str) -> Response:
    """The delivery status of one text of ours: in any order, twice, unknown, for a row that is gone."""
    here, said = runtime(), form.text("MessageStatus") or form.text("SmsStatus")
    sid, code = form.text("MessageSid", 64), _code(form)
    with here.database.writes() as tx:
        message = messages.find(tx, message_id) if _ID.fullmatch(message_id) else None
        ours = message is not None and _belongs(tx, message, sid)
        moved = bool(message and ours and _moved(tx, message, sid, said.lower(), code, here))
    if moved and message and message.kind == "greeting" and STATES.get(said.lower()) == "failed":
        here.bell.ring()  # the next channel's may be due
    log.event(
        "text_status",
        call=message.call_sid if message else None,
        message=message.id if message else None,
        sid=sid,
        status=said[:20],
        code=code,
        moved=moved,
    )
    return _empty()


def _brand(here: Runtime, tx: Connection, text: Inbound) -> Brand | None:
    """Whose text it is: two brands may share a sender, and the last one that wrote is meant, while it still has it."""
    if text.sender not in here.shared and here.senders.get(text.sender) == text.brand:
        return here.brands.get(text.brand or "")
    last = here.brands.get(messages.last_brand(tx, text.number, text.sender) or "")
    return last if last and text.sender in last.flow.sender.addresses else here.brands.get(text.brand or "")


def _belongs(tx: Connection, message: Message, sid: str) -> bool:
    """Whether a MessageSid is this row's, or may become it: no row has two, and no two rows one."""
    if message.provider_id:
        return message.provider_id == sid
    return not (sid and messages.is_taken(tx, sid))


def _moved(tx: Connection, message: Message, sid: str, said: str, code: int | None, here: Runtime) -> bool:
    if sid:
        messages.learn_provider_id(tx, message.id, sid)
    state, now = STATES.get(said), here.now()
    if state == "failed":
        return texts.failed(tx, message, code, here.listener.flows, here.new_id, now)
    moved = bool(state) and messages.move(tx, message.id, str(state), now, sid or None)
    if said == "read":
        messages.was_read(tx, message.id, now)
    if state == "delivered" and (moved or said == "read"):
        agent.arrived(tx, message, said == "read", here.new_id(), now)
    return moved


def _inbound(here: Runtime, form: Form) -> Inbound:
    own, service = _own(form), form.text("MessagingServiceSid")
    brand = here.senders.get(own) or here.senders.get(service) or here.numbers.get(own, (None, ""))[0]
    by_whatsapp = own.startswith(WHATSAPP)  # whose sender may be in a messaging service of texts, too
    return Inbound(
        id=here.new_id(),
        provider_id=form.text("MessageSid", 64) or form.text("SmsSid", 64),
        brand=brand,
        number=_consumer(form),
        sender=service if service in here.senders and not by_whatsapp else own,
        body=form.text("Body", 10_000),
        media=_media(form),
    )


def _own(form: Form) -> str:
    """What was written to: E.164, `whatsapp:` and E.164, or as it came."""
    to = form.text("To")
    prefix = WHATSAPP if to.startswith(WHATSAPP) else ""
    number = numbers.read(to.removeprefix(prefix))
    return f"{prefix}{number.e164}" if number else to


def _consumer(form: Form) -> str:
    """Who wrote: E.164 by whichever channel; as it came where a channel has no number of them (whatsapp:US.1234)."""
    written = form.text("From")
    number = numbers.read(written.removeprefix(WHATSAPP).removeprefix(RCS))
    return number.e164 if number else written


def _media(form: Form) -> list[dict[str, str]]:
    count = form.text("NumMedia")
    pieces = range(min(int(count), MAX_MEDIA) if re.fullmatch(r"\d{1,3}", count) else 0)
    return [{"url": form.text(f"MediaUrl{n}", 2000), "type": form.text(f"MediaContentType{n}")} for n in pieces]


def _code(form: Form) -> int | None:
    text = form.text("ErrorCode")
    return int(text) if re.fullmatch(r"\d{1,6}", text) else None


def _empty() -> Response:
    return Response(twiml.EMPTY, mimetype="text/xml")
