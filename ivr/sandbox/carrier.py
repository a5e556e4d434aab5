"""The carrier: what becomes of a text, by the kind of handset it goes to, and the statuses that tell of it."""

import json
import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import partial
from typing import Any

from ivr import numbers
from ivr.flow.model import WHATSAPP
from ivr.sandbox.clock import Clock
from ivr.sandbox.webhooks import Webhooks

Statuses = tuple[tuple[float, str, int | None], ...]  # seconds, status, error


@dataclass(frozen=True, slots=True)
class Handset:
    """A kind of phone: the error it is refused with at once, or the statuses (seconds, status, error) of a text."""

    refused: int | None = None
    statuses: Statuses = ((1, "sent", None), (3, "delivered", None))
    whatsapp: Statuses = ((1, "sent", None), (2, "undelivered", 63024))  # of a message there
    rcs: Statuses = ((1, "sent", None), (2, "undelivered", 63003))

    def by(self, channel: str) -> Statuses:
        return {"whatsapp": self.whatsapp, "rcs": self.rcs}.get(channel, self.statuses)

    def shows(self, channel: str = "sms") -> bool:
        refused = channel == "sms" and self.refused is not None
        return not refused and any(status == "delivered" for _, status, _ in self.by(channel))


READ: Statuses = ((1, "sent", None), (3, "delivered", None), (6, "read", None))

HANDSETS = {
    "whatsapp": Handset(whatsapp=READ),
    "whatsapp-closed": Handset(whatsapp=((1, "failed", 63016),)),
    "rcs": Handset(rcs=READ),
    "mobile": Handset(),
    "landline": Handset(refused=21614),
    "landline-late": Handset(statuses=((1, "sent", None), (4, "undelivered", 30006))),
    "unreachable": Handset(statuses=((1, "sent", None), (4, "undelivered", 30003))),
    "off": Handset(statuses=((1, "sent", None),)),
    "opted-out": Handset(refused=21610),
    "abroad": Handset(refused=21408),
    "app": Handset(),  # the brand's app is on it; "app-gone": it was
    "app-gone": Handset(),
}

# Twilio's test numbers and the error each stands for.
MAGIC_TO = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
MAGIC_FROM = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}

ERRORS = {
    21211: "Invalid 'To' Phone Number: {to}",
    21212: "Invalid 'From' Number: {sender}",
    21408: "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: {to}.",
    21602: "Message body is required.",
    21603: "A 'From' phone number is required.",
    21604: "A 'To' phone number is required.",
    21606: "The 'From' phone number {sender} is not a valid, SMS-capable inbound phone number for your account.",
    21610: "Attempt to send to unsubscribed recipient",
    21611: "This 'From' number has exceeded the maximum number of queued messages",
    21612: "Message cannot be sent with the current combination of 'To' ({to}) and/or 'From' parameters",
    63007: "Twilio could not find a Channel with the specified From address",
    21617: "The concatenated message body exceeds the 1600 character limit",
    21614: "'To' number: {to}, is not a valid mobile number",
}

MOST_CHARACTERS = 1600
GOES_ON_WITHIN = 0.3  # real seconds that the server has to go on by the next channel
CALLBACKS = ("prompt", "lost", "doubled", "shuffled", "late")  # late: by an hour
# The number that a messaging service of the town sends from, and consumers answer to.
POOL_NUMBER = "+14155550190"

STOP = frozenset({"STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL"})
START = frozenset({"START", "UNSTOP", "YES"})


class Refused(Exception):
    """Twilio's 400 with its code."""

    def __init__(self, code: int, to: str, sender: str) -> None:
        super().__init__(ERRORS[code].format(to=to, sender=sender))
        self.code = code


@dataclass(slots=True)
class Carrier:
    """Every text of the town. `received` is told each one that a handset shows."""

    clock: Clock
    webhooks: Webhooks
    received: Callable[[str], None]
    handset: Handset = HANDSETS["mobile"]
    owner: str | None = None  # E.164, whose phone that is, everyone else's being a mobile; None: everyone's
    strict: bool = False  # destinations: E.164 alone, as Twilio documents it, or any punctuation, as it did for years
    callbacks: str = "prompt"  # one of CALLBACKS
    now: Callable[[], datetime] = lambda: datetime.now(UTC)  # its calendar
    lag: float = 0.0  # seconds until a text is in the list
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    asked: list[dict[str, str]] = field(default_factory=list)  # every request to send, taken or refused
    texts: list[dict[str, Any]] = field(default_factory=list)
    opted_out: set[str] = field(default_factory=set)
    rcs_services: frozenset[str] = frozenset()  # messaging services with an RCS sender and no number
    _listed_from: list[float] = field(default_factory=list)

    def accept(self, form: dict[str, str], change: Callable[[str], str] = str) -> dict[str, Any]:
        """Take a text as Messages.json would, or raise Refused; its statuses follow by the clock.

        `change`: what Twilio makes of the words.
        """
        self.asked.append(form)
        to, sender, body = form.get("To", ""), form.get("From") or form.get("MessagingServiceSid", ""), form.get("Body")
        body = _of_template(form) if "ContentSid" in form else body
        number = self._destination(to)
        code = self._why_refused(to, number, form.get("From"), sender, body)
        if code:
            raise Refused(code, to, sender)
        assert number is not None
        assert body is not None
        text = self._resource(number, form, change(body))
        self._listed_from.append(time.monotonic() + self.lag)
        self.texts.append(text)
        if self._handset_of(number).shows(self._channel(text)):
            self.received(text["body"])
        self._report(text, form.get("StatusCallback", ""))
        return text

    def listed(self) -> list[dict[str, Any]]:
        """What the list shows by now, the newest first."""
        now = time.monotonic()
        return [
            text for text, shown in reversed(list(zip(self.texts, self._listed_from, strict=False))) if shown <= now
        ]

    def _why_refused(
        self, to: str, number: str | None, origin: str | None, sender: str, body: str | None
    ) -> int | None:
        if not to or not sender or not body:
            return 21604 if not to else 21603 if not sender else 21602
        if number is None:
            return 21211
        if len(body) > MOST_CHARACTERS:
            return 21617
        magic = MAGIC_FROM.get(origin or "") or MAGIC_TO.get(number)
        if magic or number in self.opted_out:
            return magic or 21610
        if sender.startswith(WHATSAPP) != number.startswith(WHATSAPP):  # one channel cannot write to another
            return 63007
        return self._handset_of(number).refused if sender not in self.rcs_services and sender[:1] in "+M" else None

    def answers_to(self, number: str) -> str | None:
        """Whom this consumer's handset would answer: who texted it last."""
        last = next((text for text in reversed(self.texts) if text["to"] == number), None)
        return last["messaging_service_sid"] or last["from"] if last else None

    def _channel(self, text: dict[str, Any]) -> str:
        if text["to"].startswith(WHATSAPP):
            return "whatsapp"
        return "rcs" if text["messaging_service_sid"] in self.rcs_services else "sms"

    def _handset_of(self, number: str) -> Handset:
        return self.handset if self.owner in (None, number.removeprefix(WHATSAPP)) else HANDSETS["mobile"]

    def _destination(self, to: str) -> str | None:
        if to.startswith(WHATSAPP):  # E.164 alone
            return to if (number := numbers.read(to.removeprefix(WHATSAPP))) and to.endswith(number.e164) else None
        number = numbers.read(to)
        if number is None or (self.strict and to != number.e164):
            return None
        return number.e164

    def _resource(self, number: str, form: dict[str, str], body: str) -> dict[str, Any]:
        sid, account = f"SM{uuid.uuid4().hex}", self.webhooks.account_sid
        uri = f"/2010-04-01/Accounts/{account}/Messages/{sid}"
        now = format_datetime(self.now())
        service = form.get("MessagingServiceSid")
        return {
            "account_sid": account,
            "api_version": "2010-04-01",
            "body": body,
            "date_created": now,
            "date_sent": None,
            "date_updated": now,
            "direction": "outbound-api",
            "error_code": None,
            "error_message": None,
            "from": form.get("From"),
            "messaging_service_sid": service,
            "num_media": "0",
            "num_segments": "0" if service else "1",
            "price": None,
            "price_unit": "USD",
            "sid": sid,
            "status": "accepted" if service else "queued",
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": number,
            "uri": f"{uri}.json",
        }

    def _report(self, text: dict[str, Any], callback: str) -> None:
        if self.callbacks == "lost":
            return
        statuses = list(self._handset_of(text["to"]).by(self._channel(text)))
        if self.callbacks == "shuffled":
            moments = [moment for moment, _, _ in statuses]
            self.chance.shuffle(statuses)
            statuses = [(moment, said, code) for moment, (_, said, code) in zip(moments, statuses, strict=True)]
        late = 3600.0 if self.callbacks == "late" else 0.0
        for moment, status, code in statuses * (2 if self.callbacks == "doubled" else 1):
            self.clock.later(moment + late, partial(self._status, text, callback, status, code))

    def _status(self, text: dict[str, Any], callback: str, status: str, code: int | None) -> None:
        text["status"], text["error_code"] = status, code
        if not callback:
            return
        params = {
            "MessageSid": text["sid"],
            "SmsSid": text["sid"],
            "MessageStatus": status,
            "SmsStatus": status,
            "To": text["to"],
            "From": text["from"] or "",
            "AccountSid": text["account_sid"],
            "ApiVersion": "2010-04-01",
        }
        if code:
            params["ErrorCode"] = str(code)
        self.webhooks.post(callback, params)
        if code and self._channel(text) != "sms":
            time.sleep(GOES_ON_WITHIN)

    def write(self, number: str, to: str, body: str) -> int:
        """A consumer writes to one of our numbers; the status that the app answered with."""
        word = body.strip().upper()
        if word in STOP:
            self.opted_out.add(number)
        elif word in START:
            self.opted_out.discard(number)
        sid = f"SM{uuid.uuid4().hex}"
        params = {
            "MessageSid": sid,
            "SmsSid": sid,
            "SmsMessageSid": sid,
            "AccountSid": self.webhooks.account_sid,
            "From": f"rcs:{number}" if to in self.rcs_services else number,
            **self._written_to(to),
            "Body": body,
            "NumMedia": "0",
            "NumSegments": "1",
            "SmsStatus": "received",
            "ApiVersion": "2010-04-01",
            "FromCity": "",
            "FromState": "CA",
            "FromZip": "",
            "FromCountry": "US",
        }
        return self.webhooks.post("/messages", params).status

    def _written_to(self, to: str) -> dict[str, str]:
        if to.startswith("MG"):
            own = "rcs:simulated_agent" if to in self.rcs_services else POOL_NUMBER
            return {"To": own, "MessagingServiceSid": to}
        return {"To": to}


def _of_template(form: dict[str, str]) -> str:
    """What stands for the words of a template that only Meta and Twilio have."""
    variables = json.loads(form.get("ContentVariables", "{}"))
    listed = ", ".join(f"{name}: {value}" for name, value in variables.items())
    return f"[template {form['ContentSid'][:6]}…{', ' if listed else ''}{listed}]"
