"""What the Twilio account holds and what the brands claim of it: numbers, senders, messaging services."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ivr import config, numbers
from ivr.clients.account import NOT_FOUND, REFUSED, OwnedNumber, Service, TwilioAccount
from ivr.clients.failure import SendError
from ivr.clients.twilio import Account, Twilio
from ivr.config import Settings
from ivr.flow.model import Flow, NativeDesk


@dataclass(frozen=True, slots=True)
class Holdings:
    numbers: Mapping[str, OwnedNumber]  # by E.164
    services: Mapping[str, Service]  # by SID
    members: Mapping[str, tuple[str, ...]]  # a service's SID -> the SIDs of its numbers
    short_codes: Mapping[str, int] = field(default_factory=dict)  # a service's SID -> how many
    services_unknown: str = ""  # why messaging services could not be asked for

    def service_of(self, number: OwnedNumber) -> Service | None:
        """The messaging service that a number is in; it is in one at most."""
        return next((self.services[sid] for sid, numbers in self.members.items() if number.sid in numbers), None)

    def numbers_of(self, service_sid: str) -> list[OwnedNumber]:
        members = self.members.get(service_sid, ())
        return [number for number in self.numbers.values() if number.sid in members]


@dataclass(slots=True)
class Claim:
    """What the brands want of one number."""

    entries: list[str] = field(default_factory=list)  # "acme: menu", a caller's way in
    senders: list[str] = field(default_factory=list)  # brands that text from it
    native: bool = False  # one of these leaves its texts to LivePerson

    def __str__(self) -> str:
        return ", ".join([*self.entries, *(f"{brand}: sender" for brand in self.senders)])


def claims(flows: Mapping[str, Flow]) -> dict[str, Claim]:
    """Every number that a brand names, by E.164, and every messaging service, by SID."""
    claimed: dict[str, Claim] = {}
    for flow in flows.values():
        for number, place in flow.numbers.items():
            claimed.setdefault(number, Claim()).entries.append(f"{flow.id}: {place}")
        sender = claimed.setdefault(flow.sender.address, Claim())
        sender.senders.append(flow.id)
        sender.native = sender.native or isinstance(flow.desk, NativeDesk)
    return claimed


def named(given: str, claimed: Mapping[str, Claim]) -> list[str]:
    """What of the claimed is meant: the very one, or each number that `given` could be without its plus or +1."""
    number = numbers.read(given)
    exact = number.e164 if number else given
    if number or exact in claimed:
        return [exact] if exact in claimed else []
    digits = re.sub(r"[\s().-]", "", given)
    dialled = filter(None, map(numbers.read, claimed))
    return [one.e164 for one in dialled if digits in (one.e164[1:], one.dialled_at_home)]


def native_numbers(flows: Mapping[str, Flow], holdings: Holdings) -> frozenset[str]:
    """The numbers whose texts LivePerson takes: native brands' senders, and what is in their messaging services."""
    native = {address for address, claim in claims(flows).items() if claim.native}
    members = {number.e164 for sid in native for number in holdings.numbers_of(sid)}
    return frozenset(native | members)


def account_of(settings: Settings, by_token: bool = False) -> TwilioAccount:
    """The account over REST, with the API key where there is one unless `by_token`. Raises SettingsError."""
    return TwilioAccount(Twilio(twilio_of(settings, by_token), connections=1))


def twilio_of(settings: Settings, by_token: bool = False) -> Account:
    """The credentials of the account, as the settings have them. Raises SettingsError."""
    key = "" if by_token else settings.twilio_api_key
    if not settings.twilio_account_sid or not (settings.twilio_auth_token or key):
        raise config.SettingsError("Twilio's account is not set; set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN.")
    return Account(
        settings.twilio_account_sid,
        settings.twilio_auth_token,
        key,
        settings.twilio_api_secret if key else "",
        settings.twilio_api_url,
    )


def held(account: TwilioAccount) -> Holdings:
    """Everything the account holds. Raises SendError when its numbers cannot be listed."""
    numbers = {number.e164: number for number in account.numbers()}
    try:
        services = {service.sid: service for service in account.services()}
        senders = {sid: account.senders(sid) for sid in services}
    except SendError as error:
        return Holdings(numbers, {}, {}, services_unknown=why(error))
    members = {sid: tuple(found) for sid, (found, _) in senders.items()}
    return Holdings(numbers, services, members, {sid: codes for sid, (_, codes) in senders.items()})


def why(error: SendError) -> str:
    """What went wrong at Twilio, for a person."""
    if error.code in REFUSED:
        return "Twilio refuses the credentials (error 20003)"
    if error.code in NOT_FOUND:
        return "Twilio does not have it (error 20404)"
    return error.reason
