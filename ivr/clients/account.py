"""Twilio's account: its state, its numbers and messaging services, and where their webhooks lead."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ivr.clients.failure import SendError
from ivr.clients.twilio import Twilio

PAGE = 1000  # the most Twilio lists at once
NOT_FOUND = frozenset({404, 20404})
REFUSED = frozenset({401, 20003})  # credentials that are wrong, or another account's

# The fields of Twilio's IncomingPhoneNumbers and Services that say where a call or a text goes.
VOICE_FIELDS = (
    "voice_url",
    "voice_method",
    "voice_fallback_url",
    "voice_fallback_method",
    "voice_application_sid",
    "trunk_sid",
)
TEXT_FIELDS = ("sms_url", "sms_method", "sms_fallback_url", "sms_fallback_method", "sms_application_sid")
NUMBER_FIELDS = VOICE_FIELDS + TEXT_FIELDS
SERVICE_FIELDS = ("inbound_request_url", "inbound_method", "fallback_url", "fallback_method")

# Twilio refuses a fallback without its URL in the same request (error 21406 for texts).
_GO_TOGETHER = {
    "voice_fallback_url": "voice_url",
    "sms_fallback_url": "sms_url",
    "fallback_url": "inbound_request_url",
}


@dataclass(frozen=True, slots=True)
class Profile:
    status: str  # active, suspended, closed
    trial: bool
    primary: bool | None  # whether our auth token is the one that signs webhooks; None when Twilio does not say


@dataclass(frozen=True, slots=True)
class OwnedNumber:
    sid: str  # PN…
    e164: str
    voice: bool
    texts: bool
    webhooks: Mapping[str, str]  # NUMBER_FIELDS, "" where nothing is set


@dataclass(frozen=True, slots=True)
class Service:
    """A messaging service."""

    sid: str  # MG…
    name: str
    defers: bool  # a text goes where the number it came to says, not where the service says
    webhooks: Mapping[str, str]  # SERVICE_FIELDS


@dataclass(frozen=True, slots=True)
class ChannelSender:
    """A WhatsApp sender."""

    status: str  # ONLINE, OFFLINE, ONLINE:UPDATING …
    url: str  # where its messages go
    method: str


class TwilioAccount:
    """What an operator sees in the Console, asked for over REST. Every method raises SendError."""

    def __init__(self, twilio: Twilio) -> None:
        self._twilio = twilio

    def profile(self, account_sid: str, auth_token: str) -> Profile:
        with self._twilio.asked(self._twilio.deadline()) as client:
            found = client.api.v2010.accounts(account_sid).fetch()
            token = found.auth_token
            primary = hmac.compare_digest(token.encode(), auth_token.encode()) if token else None
            return Profile(str(found.status), str(found.type).lower() == "trial", primary)

    def numbers(self) -> list[OwnedNumber]:
        with self._twilio.asked(self._twilio.deadline()) as client:
            return [_number(found) for found in client.incoming_phone_numbers.stream(page_size=PAGE)]

    def number(self, sid: str) -> OwnedNumber:
        with self._twilio.asked(self._twilio.deadline()) as client:
            return _number(client.incoming_phone_numbers(sid).fetch())

    def services(self) -> list[Service]:
        with self._twilio.asked(self._twilio.deadline()) as client:
            return [_service(found) for found in client.messaging.v1.services.stream(page_size=PAGE)]

    def service(self, sid: str) -> Service:
        with self._twilio.asked(self._twilio.deadline()) as client:
            return _service(client.messaging.v1.services(sid).fetch())

    def senders(self, service_sid: str) -> tuple[list[str], int]:
        """The SIDs of a service's phone numbers, and how many short codes it has."""
        with self._twilio.asked(self._twilio.deadline()) as client:
            service = client.messaging.v1.services(service_sid)
            numbers = [str(found.sid) for found in service.phone_numbers.stream(page_size=PAGE)]
            return numbers, len(list(service.short_codes.stream(page_size=PAGE)))

    def campaigns(self, service_sid: str) -> list[str]:
        """The states of a service's A2P 10DLC campaigns: VERIFIED, IN_PROGRESS, FAILED …"""
        with self._twilio.asked(self._twilio.deadline()) as client:
            found = client.messaging.v1.services(service_sid).us_app_to_person.stream(page_size=50)
            return [str(campaign.campaign_status) for campaign in found]

    def toll_free_states(self, number_sid: str) -> list[str]:
        """The states of a toll-free number's verifications: TWILIO_APPROVED, PENDING_REVIEW, TWILIO_REJECTED …"""
        with self._twilio.asked(self._twilio.deadline()) as client:
            found = client.messaging.v1.tollfree_verifications.stream(tollfree_phone_number_sid=number_sid)
            return [str(verification.status) for verification in found]

    def whatsapp_senders(self) -> dict[str, ChannelSender]:
        """By address, `whatsapp:+…`."""
        with self._twilio.asked(self._twilio.deadline()) as client:
            found = client.messaging.v2.channels_senders.stream(channel="whatsapp", page_size=50)
            return {str(sender.sender_id): _channel_sender(sender) for sender in found}

    def template_state(self, content_sid: str) -> str:
        """What WhatsApp says of a content template: approved, pending, rejected, unsubmitted …"""
        with self._twilio.asked(self._twilio.deadline()) as client:
            told = client.content.v1.contents(content_sid).approval_fetch().fetch().whatsapp
            return str(told.get("status") or "") if isinstance(told, dict) else ""

    def has_rcs(self, service_sid: str) -> bool:
        """Whether an RCS sender is in a messaging service."""
        with self._twilio.asked(self._twilio.deadline()) as client:
            found = client.messaging.v1.services(service_sid).channel_senders.stream(page_size=50)
            return any(str(sender.sender or "").startswith("rcs:") for sender in found)

    def update(self, sid: str, was: Mapping[str, str], changes: Mapping[str, str]) -> Mapping[str, str]:
        """Change webhooks of a number (PN…) or a messaging service (MG…); all of them as Twilio has them now."""
        sent = dict(changes)
        for fallback, url in _GO_TOGETHER.items():
            if fallback in sent:
                sent.setdefault(url, was[url])
        with self._twilio.asked(self._twilio.deadline()) as client:
            if sid.startswith("MG"):
                return _service(client.messaging.v1.services(sid).update(**sent)).webhooks
            return _number(client.incoming_phone_numbers(sid).update(**sent)).webhooks


def _number(found: Any) -> OwnedNumber:
    if not found.sid or not found.phone_number:
        raise SendError("Twilio's answer has no number in it")
    can = found.capabilities or {}
    return OwnedNumber(
        str(found.sid),
        str(found.phone_number),
        bool(can.get("voice")),
        bool(can.get("sms")),
        _set(found, NUMBER_FIELDS),
    )


def _service(found: Any) -> Service:
    if not found.sid:
        raise SendError("Twilio's answer has no messaging service in it")
    defers = bool(found.use_inbound_webhook_on_number)
    return Service(str(found.sid), str(found.friendly_name or ""), defers, _set(found, SERVICE_FIELDS))


def _channel_sender(found: Any) -> ChannelSender:
    webhook = found.webhook if isinstance(found.webhook, dict) else {}
    url, method = webhook.get("callback_url"), webhook.get("callback_method")
    return ChannelSender(str(found.status or ""), str(url or ""), str(method or "POST"))


def _set(found: Any, fields: tuple[str, ...]) -> Mapping[str, str]:
    return {field: str(getattr(found, field) or "") for field in fields}
