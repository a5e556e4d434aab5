"""Twilio's voice webhooks as bytes on the wire: realistic forms, signed, ready before any clock starts."""

import hashlib
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from twilio.request_validator import RequestValidator

from ivr.sandbox.town import ACCOUNT_SID, AUTH_TOKEN

OFFER = "/voice/acme/billing"
ACCEPT = "/voice/acme/billing?step=answer"
OFFERED = "Press 1 to gain back your time"
TEXTED = "We are texting"
MESSAGES = "/messages"
TAKEN = "<Response"

# What Twilio adds to a call's parameters when a Gather ended with the key 1.
PRESSED_1 = {"Digits": "1", "FinishedOnKey": "", "msg": "Gather End"}

_AREAS = (
    ("415", "SAN FRANCISCO", "CA", "94105"),
    ("212", "NEW YORK", "NY", "10001"),
    ("646", "NEW YORK", "NY", "10019"),
    ("312", "CHICAGO", "IL", "60601"),
    ("213", "LOS ANGELES", "CA", "90012"),
    ("305", "MIAMI", "FL", "33101"),
)


def form(call: int, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The parameters of the `call`-th call: its own CallSid, and a caller that 48,000 calls do not repeat."""
    area, city, state, postcode = _AREAS[call % len(_AREAS)]
    caller, dialled = f"+1{area}555{2000 + call // len(_AREAS) % 8000}", "+14155550101"
    params = {
        # Real SIDs come in no order, which is what an index has to bear.
        "CallSid": "CA" + hashlib.md5(str(call).encode(), usedforsecurity=False).hexdigest(),
        "AccountSid": ACCOUNT_SID,
        "From": caller,
        "To": dialled,
        "Caller": caller,
        "Called": dialled,
        "CallStatus": "in-progress" if more else "ringing",
        "ApiVersion": "2010-04-01",
        "Direction": "inbound",
        "StirVerstat": "TN-Validation-Passed-A",
    }
    for prefix in ("From", "Caller"):
        params |= _place(prefix, city, state, postcode)
    for prefix in ("To", "Called"):
        params |= _place(prefix, "OAKLAND", "CA", "94612")
    return params | dict(more or {})


def text(number: int, consumers: int) -> dict[str, str]:
    """The parameters of the `number`-th text, of one of so many consumers."""
    params = form(number % consumers)
    sid = "SM" + hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()
    place = {name: value for name, value in params.items() if name.startswith(("From", "To"))}
    return {
        "MessageSid": sid,
        "SmsSid": sid,
        "SmsMessageSid": sid,
        "AccountSid": ACCOUNT_SID,
        "NumMedia": "0",
        "NumSegments": "1",
        "SmsStatus": "received",
        "ApiVersion": "2010-04-01",
        "Body": f"My bill is wrong, the {number}. time",
        **place,
        "To": "+14155550111",
    }


def _place(prefix: str, city: str, state: str, postcode: str) -> dict[str, str]:
    return {f"{prefix}City": city, f"{prefix}State": state, f"{prefix}Zip": postcode, f"{prefix}Country": "US"}


def request(url: str, path: str, params: Mapping[str, str]) -> bytes:
    """A signed POST to the server at `url`, whole."""
    body = urlencode(params)
    signature = RequestValidator(AUTH_TOKEN).compute_signature(url + path, params)
    lines = (
        f"POST {path} HTTP/1.1",
        f"Host: {urlsplit(url).netloc}",
        "User-Agent: TwilioProxy/1.1",
        "Accept: text/xml, application/xml, text/html",
        "Content-Type: application/x-www-form-urlencoded; charset=utf-8",
        f"Content-Length: {len(body)}",
        f"X-Twilio-Signature: {signature}",
        f"I-Twilio-Idempotency-Token: {params.get('CallSid') or params['MessageSid']}",
        "X-Forwarded-Proto: http",
    )
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode("ascii")
