"""Is it set up right: texts that LivePerson takes itself must go to it, and so not come here."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from ivr import numbers
from ivr.clients.account import OwnedNumber, Service
from ivr.config import Settings
from ivr.deployment.holdings import Holdings
from ivr.deployment.listing import leads_here, texts_go, texts_lead
from ivr.deployment.pointing import not_ours
from ivr.deployment.report import Line, cannot_tell, good, shown, wrong

GATEWAY = "LivePerson's gateway URL, https://….msg-gw.liveperson.net/api/…"
OF_A_NUMBER = f"Console > Phone numbers > this one > 'A message comes in': {GATEWAY}"
OF_A_SERVICE = f"Console > Messaging > Services > Integration > 'Send a webhook': {GATEWAY}"


def number_texts(settings: Settings, holdings: Holdings, what: str, number: OwnedNumber) -> Line:
    """Where the texts of a native brand's number go."""
    service = holdings.service_of(number)
    found = f"texts go to {texts_go(number, service)}"
    mend = OF_A_NUMBER if service is None or service.defers else not_ours(service)
    line = _line(settings, what, found, texts_lead(number, service), mend)
    if holdings.services_unknown and line.state == "good":
        return cannot_tell(what, f"{found}, unless a messaging service has it")
    return line


def service_texts(settings: Settings, what: str, service: Service, members: Iterable[OwnedNumber]) -> Line:
    """Where the texts of a native brand's messaging service go."""
    if not service.defers:
        url = service.webhooks["inbound_request_url"]
        return _line(settings, what, f"texts go to {shown(url) or 'nowhere'}", url, OF_A_SERVICE)
    astray = [number for number in members if leads_here(settings, texts_lead(number, service))]
    if not astray:
        return good(what, "texts go where its numbers say, and these do not say here")
    named = ", ".join(numbers.full(number.e164) for number in astray)
    return wrong(what, f"texts of {named} come here, and LivePerson never sees them", OF_A_NUMBER)


def _line(settings: Settings, what: str, found: str, leads: str, mend: str) -> Line:
    if leads_here(settings, leads):
        return wrong(what, f"{found}: they come here, and LivePerson, whose they are, never sees them", mend)
    if not leads:
        return wrong(what, f"{found}, and LivePerson never sees them", mend)
    if _liveperson(leads):
        return good(what, f"{found}, which is LivePerson's")
    return cannot_tell(what, f"{found}; whether that is LivePerson's cannot be seen", mend)


def _liveperson(url: str) -> bool:
    try:
        return (urlsplit(url).hostname or "").endswith(".liveperson.net")
    except ValueError:
        return False
