"""The call: Twilio asks what to say next; we find where the call is, write what happened, and answer in TwiML."""

import time
from concurrent.futures import TimeoutError as NotYet
from dataclasses import replace

from flask import Blueprint, Response, request
from sqlalchemy.exc import SQLAlchemyError

from ivr import deflection, log, numbers
from ivr.deflection import Accepted, Attempted
from ivr.delivery.ledger import Outcome
from ivr.flow import engine, twiml
from ivr.flow.engine import Answer, Heard, Text
from ivr.flow.model import Branch, Flow
from ivr.flow.script import Script, Step
from ivr.relay import channels
from ivr.runtime import Brand, Runtime
from ivr.store import entries
from ivr.store.calls import Call
from ivr.store.outbox import Text as TextRow
from ivr.web import control, studio, voice_form
from ivr.web.guards import Form, logged_path, runtime, twilio_signed

blueprint = Blueprint("voice", __name__)

# Seconds from the request's arrival that the caller may wait for Twilio to take the text.
WAIT_FOR_TWILIO = 2.5


@blueprint.post("/voice")
@twilio_signed
def dialled(form: Form) -> Response:
    """The number's voice URL: the dialled number tells brand and entry."""
    number = numbers.read(form.text("To"))
    brand, place = runtime().numbers.get(number.e164 if number else "", ("", ""))
    return _answer(form, brand, place)


@blueprint.post("/voice/<brand>")
@twilio_signed
def entered(form: Form, brand: str) -> Response:
    """The brand's menu, or its only branch."""
    known = runtime().brands.get(brand)
    entry = known.flow.entry if known else None
    return _answer(form, brand, entry.name if entry else "")


@blueprint.post("/voice/<brand>/<place>")
@twilio_signed
def went_on(form: Form, brand: str, place: str) -> Response:
    """Straight to a branch or menu, or a step in it: our own callbacks end here too."""
    return _answer(form, brand, place)


def _answer(form: Form, brand_id: str, place: str) -> Response:
    started = time.monotonic()
    here = runtime()
    brand = here.brands.get(brand_id)
    caller = voice_form.caller(form)
    if brand is None:
        log.warning("no_brand", call=form.text("CallSid"), to=numbers.masked(form.text("To")), path=logged_path())
        return _xml(_nobody(caller, "no_brand", twiml.NOT_IN_SERVICE))
    heard = voice_form.heard(form, caller)
    step = voice_form.step(place)
    if not form.text("CallSid"):  # without it no two calls can be told apart, and one yes could be many texts
        log.warning("no_call_sid", brand=brand_id)
        return _xml(_to_a_person(brand.flow, step, heard, caller))
    try:
        document = _document(here, brand, step, heard, caller, voice_form.call(form, brand_id, place, caller), started)
    except Exception as error:  # whatever broke here, the caller is led to a person
        log.error("voice_failed", error, call=form.text("CallSid"), brand=brand_id, place=place[:32], step=step.name)
        document = _to_a_person(brand.flow, step, heard, caller)
    return _xml(document)


def _to_a_person(flow: Flow, step: Step, heard: Heard, caller: twiml.Caller) -> bytes:
    try:
        return twiml.document(flow, engine.to_a_person(flow, step, heard), caller)
    except Exception as error:  # the brand's own words are at fault
        log.error("voice_failed", error, brand=flow.id, place=step.place[:32])
        return _nobody(caller, "server")


def _nobody(caller: twiml.Caller, reason: str, otherwise: str = twiml.NOBODY) -> bytes:
    """Without a flow of ours to go on with: back to Studio, or a sentence."""
    return twiml.back_to_studio(caller, "error", reason) if caller.studio_flow else twiml.sentence(otherwise)


def _document(
    here: Runtime, brand: Brand, step: Step, heard: Heard, caller: twiml.Caller, call: Call, started: float
) -> bytes:
    flow, caller = brand.flow, studio.visiting(here, caller, call.call_sid, not step.name)
    heard = _remembered(here, step, heard, call, caller)
    heard = control.drawn(here, brand, heard, call) if brand.shares else heard
    answer = engine.answer(flow, step, heard)
    _write(here, call, step, answer)
    branch = answer.accepts or answer.confirms
    if branch:
        asked = 0 if answer.accepts else step.attempt
        script = _say_yes(here, flow, branch, call, heard, asked, started)
        return twiml.document(flow, studio.kept(here, script, caller, call.call_sid), caller)
    if answer.enters and not _entered(here, call, step.place, answer.enters):
        # Nothing waits for a number (any more): a replay after the text was sent.
        heard = _with_text(here, heard, call, step.place)
        script = studio.kept(here, engine.what_became(flow, step, heard), caller, call.call_sid)
        return twiml.document(flow, script, caller)
    ready = _ready(brand, step, answer, caller)
    return ready or twiml.document(flow, studio.kept(here, answer.script, caller, call.call_sid), caller)


def _ready(brand: Brand, step: Step, answer: Answer, caller: twiml.Caller) -> bytes | None:
    """The document that was made when the process started; what is said out of hours is not among them."""
    if not caller.plain or answer.withholds or (answer.offers and answer.offers.until is not None):
        return None
    return brand.documents.get(answer.offers.name if answer.offers else step.place if not step.name else "")


def _write(here: Runtime, call: Call, step: Step, answer: Answer) -> None:
    """Rows before words: that the call came in, that the offer was made, or was kept from this caller."""
    branch = answer.offers.name if answer.offers else None
    if not step.name:
        here.journal.came_in(call, branch, here.now())
    elif branch:
        here.journal.offered(call, branch, here.now())
    if answer.withholds:
        here.journal.held_back(call, answer.withholds.name, here.now())
        log.event("held_back", call=call.call_sid, brand=call.brand, place=answer.withholds.name)
    elif branch or not step.name:
        log.event("offer" if branch else "call", call=call.call_sid, brand=call.brand, place=branch or call.entry)


def _remembered(here: Runtime, step: Step, heard: Heard, call: Call, caller: twiml.Caller) -> Heard:
    """What was heard, with what the rows know of the text or of the number that was keyed in."""
    if step.name in ("confirm", "arrived"):
        return _with_text(here, heard, call, step.place)
    if step.name == "right":
        with here.database.reads() as tx:
            number = entries.entered(tx, call, step.place)
        if number:
            return replace(heard, number=number, outdated=request.args.get("about") != caller.mark(number))
        # Nothing waits to be confirmed: a replay, which hears again what became of the text.
        return _with_text(here, heard, call, step.place)
    return heard


def _entered(here: Runtime, call: Call, branch: str, number: str) -> bool:
    with here.database.writes() as tx:
        return entries.enter(tx, call, branch, number)


def _say_yes(here: Runtime, flow: Flow, branch: Branch, call: Call, heard: Heard, asked: int, started: float) -> Script:
    """The caller said yes, to the offer or to the number read back: send the text; what they hear of it."""
    here.database.step_aside()  # directories are asked, and Twilio is waited for
    ask, number = here.beforehand, heard.number
    slot = here.attempts.reserve()  # before Twilio is asked about the line: no more may wait for it than have one
    ours = {*here.numbers, *here.senders}
    try:
        if asked:
            devices = ask.keyed_in(flow, branch, call, number, slot)
        else:
            devices = ask.ask(flow, branch, heard.key, call.caller, slot)
        wanted = Attempted(call, here.new_id(), here.new_id(), slot, here.now(), ours, devices=devices)
        with here.database.writes() as tx:
            if asked:
                accepted = deflection.confirm(tx, flow, branch, heard.number, wanted)
            else:
                accepted = deflection.accept(tx, flow, branch, heard.key, wanted)
    except Exception:
        if slot:
            here.attempts.release()
        raise
    if slot and accepted.to_send is None:
        here.attempts.release()
    _log_accepted(call, flow, branch, accepted)
    return engine.texted(flow, branch, asked, _outcome(here, branch, call, heard, accepted, started))


def _log_accepted(call: Call, flow: Flow, branch: Branch, accepted: Accepted) -> None:
    log.event(
        "accepted",
        call=call.call_sid,
        brand=flow.id,
        branch=branch.name,
        message=accepted.message_id,
        refused=accepted.refused,
        again=accepted.again,
        keyed=numbers.masked(accepted.keyed) if accepted.keyed else None,
    )


def _outcome(here: Runtime, branch: Branch, call: Call, heard: Heard, accepted: Accepted, started: float) -> Heard:
    if accepted.again:
        return _with_text(here, heard, call, branch.name)
    if accepted.refused:
        return replace(heard, text=deflection.refusal(accepted.refused), number=accepted.keyed)
    text = _attempted(here, accepted.to_send, started)
    if text == "pending":
        here.bell.ring()
    elif text in ("refused", "unable") and len(channels.in_order(branch, heard.key)) > 1:
        here.bell.ring()  # the next channel's greeting is due, where there is one: the rows say so
        return _with_text(here, heard, call, branch.name)
    said = replace(heard, text=text, number=accepted.keyed, channel=accepted.channel)
    return said if text in ("refused", "unable") else _known_by_now(here, said, call, branch)


def _known_by_now(here: Runtime, said: Heard, call: Call, branch: Branch) -> Heard:
    """A text whose status came before Twilio's answer, or while that was waited for, may have failed already."""
    try:
        known = _with_text(here, said, call, branch.name)
    except SQLAlchemyError as error:  # what the attempt told is still so
        log.warning("text_not_read", error=type(error).__name__, call=call.call_sid)
        return said
    return known if known.text in ("refused", "unable") or known.channel != said.channel else said


def _attempted(here: Runtime, text: TextRow | None, started: float) -> Text:
    """What came of the text while the caller could wait for it; the worker goes on where this ends."""
    if text is None:
        return "pending"
    attempt = here.attempts.begin(lambda: here.delivery.attempt(text))
    try:
        left = WAIT_FOR_TWILIO - (time.monotonic() - started)
        return _OUTCOMES[attempt.result(timeout=max(0.0, left))]
    except NotYet:
        log.warning("twilio_slow", message=text.id)
        return "pending"


_OUTCOMES: dict[Outcome, Text] = {
    "sent": "sent",
    "refused": "refused",
    "unable": "unable",
    "later": "pending",
    "unclear": "pending",
}


def _with_text(here: Runtime, heard: Heard, call: Call, branch: str) -> Heard:
    with here.database.reads() as tx:
        fared = deflection.text(tx, call, branch)
    return replace(heard, text=fared.text, number=fared.number, channel=fared.channel)


def _xml(document: bytes) -> Response:
    return Response(document, mimetype="text/xml")
