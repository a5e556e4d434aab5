"""Where each number of the account leads, for `numbers list` and for the doctor."""

from collections.abc import Iterator, Mapping

from ivr import numbers
from ivr.clients.account import OwnedNumber, Service
from ivr.config import Settings
from ivr.deployment.holdings import Holdings, claims, native_numbers
from ivr.deployment.pointing import differing, service_fields, text_fields, voice_fields
from ivr.deployment.report import origin, shown
from ivr.flow.model import Flow


def listed(settings: Settings, flows: Mapping[str, Flow], holdings: Holdings) -> Iterator[str]:
    """The account's numbers, a line each: number, who claims it, calls, texts; with PUBLIC_URL, whether it is here."""
    claimed, native = claims(flows), native_numbers(flows, holdings)
    for address, number in sorted(holdings.numbers.items()):
        service = holdings.service_of(number)
        calls, texts = f"calls: {calls_go(number)}", f"texts: {texts_go(number, service)}"
        if settings.public_url:
            calls += f" ({_here(calls_differ(settings, number))})"
            texts += f" ({_texts_here(settings, number, service, address in native)})"
        yield "  ".join((numbers.full(address), str(claimed.get(address, "-")), calls, texts))


def _here(fields: Mapping[str, str]) -> str:
    if not fields:
        return "here"
    return "here, without FALLBACK_URL" if all("fallback" in field for field in fields) else "not here"


def _texts_here(settings: Settings, number: OwnedNumber, service: Service | None, native: bool) -> str:
    if not native:
        return _here(texts_differ(settings, number, service))
    astray = leads_here(settings, texts_lead(number, service))
    return "here, and should be LivePerson's" if astray else "LivePerson's"


def calls_differ(settings: Settings, number: OwnedNumber) -> dict[str, str]:
    """The fields that keep a number's calls from coming here as they should."""
    return differing(number.webhooks, voice_fields(settings))


def texts_differ(settings: Settings, number: OwnedNumber, service: Service | None) -> dict[str, str]:
    """The fields, of the number or of the messaging service it is in, that keep its texts from coming here."""
    if service is None or service.defers:
        return differing(number.webhooks, text_fields(settings))
    return differing(service.webhooks, service_fields(settings))


def lacking(fields: Mapping[str, str]) -> str:
    """What is missing, behind where calls or texts go: the URL, the method or the fallback that they should have."""
    url = fields.get("voice_url") or fields.get("sms_url") or fields.get("inbound_request_url")
    if url:
        return f", not to POST {url}"
    if any(field in fields for field in ("voice_method", "sms_method", "inbound_method")):
        return ", not by POST"
    return ", without FALLBACK_URL behind it" if any("fallback" in field for field in fields) else ""


def calls_go(number: OwnedNumber) -> str:
    has = number.webhooks
    if has["trunk_sid"]:
        return f"SIP trunk {has['trunk_sid']}"
    if has["voice_application_sid"]:
        return f"application {has['voice_application_sid']}"
    return _request(has["voice_method"], has["voice_url"])


def texts_go(number: OwnedNumber, service: Service | None) -> str:
    has = number.webhooks
    if service is not None and not service.defers:
        request = _request(service.webhooks["inbound_method"], service.webhooks["inbound_request_url"])
        return f"messaging service {service.sid}, {request}"
    if has["sms_application_sid"]:
        return f"application {has['sms_application_sid']}"
    return _request(has["sms_method"], has["sms_url"])


def texts_lead(number: OwnedNumber, service: Service | None) -> str:
    """The URL, or the application, that a number's texts come to; "" when there is none."""
    if service is not None and not service.defers:
        return service.webhooks["inbound_request_url"]
    return number.webhooks["sms_application_sid"] or number.webhooks["sms_url"]


def leads_here(settings: Settings, url: str) -> bool:
    """Whether a URL is one of this deployment's, be it https or not."""
    host = origin(url).partition("://")[2]
    return bool(host) and host == origin(settings.public_url).partition("://")[2]


def _request(method: str, url: str) -> str:
    return f"{method or 'POST'} {shown(url)}" if url else "nowhere"
