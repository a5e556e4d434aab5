"""What a voice webhook says: who calls, where the call is, what was keyed in."""

import re

from flask import request

from ivr import numbers
from ivr.flow import twiml
from ivr.flow.engine import Heard
from ivr.flow.script import Step
from ivr.store.calls import Call
from ivr.web import studio
from ivr.web.guards import Form, runtime

ENDED = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})

_UNTIL = re.compile(r"[0-9]{1,10}")
_E164 = re.compile(r"\+[1-9]\d{6,14}")


def heard(form: Form, caller: twiml.Caller) -> Heard:
    # Where one key was asked for, of more that arrive the first is the answer.
    digits, dialled = form.text("Digits").strip(), numbers.read(form.text("To"))
    return Heard(
        key=digits[:1],
        digits=digits,
        result=form.text("QueueResult") or form.text("DialCallStatus"),
        gone=form.text("CallStatus") in ENDED,
        from_studio=bool(caller.studio_flow),
        now=runtime().now(),
        region=dialled.region if dialled else "",
    )


def step(place: str) -> Step:
    if not request.query_string:
        return Step(place)
    attempt, closed = request.args.get("try", "1"), request.args.get("closed", "")
    return Step(
        place,
        request.args.get("step", "")[:20],
        int(attempt) if attempt in ("1", "2", "3", "4", "5", "6") else 1,
        "fallback" if request.args.get("role") == "fallback" else "otherwise",
        int(closed) if _UNTIL.fullmatch(closed) else None,
        request.args.get("by", "sms")[:8],
    )


def call(form: Form, brand: str, place: str, caller: twiml.Caller) -> Call:
    return Call(
        call_sid=form.text("CallSid", 64),
        brand=brand,
        entry=place.replace("\0", "")[:32],
        caller=form.text("From"),
        dialled=form.text("To"),
        studio_flow=caller.studio_flow or None,
        studio_execution=caller.studio_execution or None,
    )


def caller(form: Form) -> twiml.Caller:
    ids = studio.ids(form.text("CallSid"))
    return twiml.Caller(
        address=form.text("From"),
        caller_id=_shown(form),
        account_sid=form.text("AccountSid", 34) or runtime().settings.twilio_account_sid,
        studio_flow=ids.flow,
        studio_execution=ids.execution,
        studio_visit=ids.visit,
        secret=f"{runtime().settings.twilio_auth_token} {form.text('CallSid', 64)}",
    )


def _shown(form: Form) -> str:
    """The dialled number, to show where a withheld, SIP or client caller has none (Twilio errors 13214, 13247)."""
    caller = form.text("From")
    if _E164.fullmatch(caller) and caller not in numbers.WITHHELD:
        return ""  # Twilio shows it by itself; whether it can be texted is asked when the caller says yes
    number = numbers.read(form.text("To"))
    return number.e164 if number else ""
