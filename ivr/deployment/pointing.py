"""Where numbers and messaging services lead, where they should, what changes that, and what undoes it."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass

from ivr import numbers
from ivr.clients.account import NUMBER_FIELDS, SERVICE_FIELDS, OwnedNumber, Service, TwilioAccount
from ivr.config import Settings, SettingsError
from ivr.deployment.holdings import Claim, Holdings, claims, named, native_numbers
from ivr.deployment.report import plain, shown
from ivr.flow.model import Flow

# Three more tries at a text that this server could not take (Twilio's connection overrides); calls keep Twilio's
# own rule, one more try when no connection came to be, because a caller waits meanwhile.
TEXT_RETRIES = "#rc=3&rp=5xx,ct,rt"
_DEFER = "in the Console, Messaging > Services > Integration, choose 'Defer to sender's webhook'"


class CannotRestore(Exception):
    """What was given to --restore is not what `numbers point` printed. One clear sentence."""


@dataclass(frozen=True, slots=True)
class Change:
    """Fields of one number or messaging service that should be otherwise."""

    sid: str
    label: str
    was: Mapping[str, str]  # every field
    becomes: Mapping[str, str]  # those that change

    @property
    def lines(self) -> list[str]:
        return [
            f"  {field}: {shown(self.was[field]) or 'nothing'} -> {shown(value) or 'nothing'}"
            for field, value in self.becomes.items()
        ]

    @property
    def undo(self) -> str:
        """The command that brings back every field as it was."""
        return f"python -m ivr numbers point --restore {shlex.quote(json.dumps({'sid': self.sid, **self.was}))}"


@dataclass(frozen=True, slots=True)
class Plan:
    changes: tuple[Change, ...]
    troubles: tuple[str, ...]  # what cannot be pointed, and why


def voice_fields(settings: Settings) -> dict[str, str]:
    """What a number has whose calls come here."""
    wanted = {
        "voice_url": f"{_public(settings)}/voice",
        "voice_method": "POST",
        "voice_application_sid": "",  # Twilio asks an application or a trunk before the URL
        "trunk_sid": "",
    }
    if settings.fallback_url:
        wanted |= {"voice_fallback_url": settings.fallback_url, "voice_fallback_method": "POST"}
    return wanted


def text_fields(settings: Settings) -> dict[str, str]:
    """What a number has whose texts come here."""
    wanted = {"sms_url": text_url(settings), "sms_method": "POST", "sms_application_sid": ""}
    if settings.fallback_url:
        wanted |= {"sms_fallback_url": settings.fallback_url, "sms_fallback_method": "POST"}
    return wanted


def service_fields(settings: Settings) -> dict[str, str]:
    """What a messaging service has whose texts come here; one that defers to its numbers is not asked."""
    wanted = {"inbound_request_url": text_url(settings), "inbound_method": "POST"}
    if settings.fallback_url:
        wanted |= {"fallback_url": settings.fallback_url, "fallback_method": "POST"}
    return wanted


def text_url(settings: Settings) -> str:
    return _public(settings) + "/messages" + TEXT_RETRIES


def _public(settings: Settings) -> str:
    if not settings.public_url:
        raise SettingsError("PUBLIC_URL is not set; set it to the scheme and host that Twilio calls.")
    return settings.public_url


def differing(has: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    return {field: value for field, value in wanted.items() if has[field] != value}


def plan(settings: Settings, flows: Mapping[str, Flow], holdings: Holdings, only: list[str]) -> Plan:
    """What has to change so that `only` these numbers, or everything the brands claim, leads here."""
    claimed, native = claims(flows), native_numbers(flows, holdings)
    changes: dict[str, Change] = {}
    troubles = []
    for given in only or claimed:
        meant = named(given, claimed)
        if len(meant) != 1:
            troubles.append(_not_one(given, meant))
            continue
        for change in _changes(settings, meant[0], claimed, native, holdings):
            if isinstance(change, str):
                troubles.append(change)
            elif change.sid in changes:
                becomes = {**changes[change.sid].becomes, **change.becomes}
                changes[change.sid] = Change(change.sid, changes[change.sid].label, change.was, becomes)
            else:
                changes[change.sid] = change
    return Plan(tuple(changes.values()), tuple(troubles))


def _not_one(given: str, meant: list[str]) -> str:
    """Why nothing is pointed for what was given: none of the claimed is meant, or several could be."""
    if meant:
        return f"{given}: it could be {' or '.join(map(numbers.full, meant))}; write it with its country code"
    if numbers.read(given):
        return f"{numbers.full(given)}: no brand claims it; add it to `numbers` in a brand's file"
    return f"{given}: no brand claims it; write a number with its country code, like +1(415) 555-0100"


def _changes(
    settings: Settings, address: str, claimed: Mapping[str, Claim], native: Set[str], holdings: Holdings
) -> Iterator[Change | str]:
    """The changes that one claimed number or messaging service needs, and what stands in the way."""
    claim = claimed[address]
    if address.startswith("MG"):
        yield from _service_changes(settings, address, claim, native, holdings)
        return
    number = holdings.numbers.get(address)
    if number is None:
        yield f"{numbers.full(address)} ({claim}): not in this account; buy it, or correct the brand's file"
        return
    label = f"{numbers.full(address)} ({claim})"
    wanted: dict[str, str] = {}
    if claim.entries and number.voice:
        wanted |= voice_fields(settings)
    service = holdings.service_of(number)
    if not number.texts or address in native:
        pass
    elif service is None or service.defers:
        wanted |= text_fields(settings)
    elif is_ours(service, address, claimed):
        yield from _of_service(settings, service, native, holdings)
    elif differing(service.webhooks, service_fields(settings)):
        yield f"{label}: {not_ours(service)}"
    if fields := differing(number.webhooks, wanted):
        yield Change(number.sid, label, number.webhooks, fields)


def is_ours(service: Service, address: str, claimed: Mapping[str, Claim]) -> bool:
    """Whether a brand texts with this service or this number; a service that is somebody else's is left alone."""
    return service.sid in claimed or bool(claimed[address].senders)


def _service_changes(
    settings: Settings, sid: str, claim: Claim, native: Set[str], holdings: Holdings
) -> Iterator[Change | str]:
    service = holdings.services.get(sid)
    if claim.native:
        return  # LivePerson's, as it is
    if service is None:
        yield f"{sid} ({claim}): {holdings.services_unknown or 'no such messaging service in this account'}"
    elif theirs := native_members(sid, native, holdings):
        yield f"{_named(service)} ({claim}): {strangers(theirs)}; take that out of it"
    elif not service.defers:
        yield from _of_service(settings, service, native, holdings)
    else:
        for number in holdings.numbers_of(sid):
            if fields := differing(number.webhooks, text_fields(settings)):
                label = f"{numbers.full(number.e164)} (in {_named(service)}, {claim})"
                yield Change(number.sid, label, number.webhooks, fields)


def _of_service(settings: Settings, service: Service, native: Set[str], holdings: Holdings) -> Iterator[Change | str]:
    fields = differing(service.webhooks, service_fields(settings))
    if fields and (theirs := native_members(service.sid, native, holdings)):
        yield f"{_named(service)}: {strangers(theirs)}; {_DEFER}, or take that out"
    elif fields:
        count = len(holdings.numbers_of(service.sid))
        yield Change(service.sid, f"{_named(service)}, with all its {count} number(s)", service.webhooks, fields)


def native_members(service_sid: str, native: Set[str], holdings: Holdings) -> str:
    """The numbers in a messaging service whose texts are LivePerson's, for people."""
    members = (number.e164 for number in holdings.numbers_of(service_sid))
    return ", ".join(numbers.full(e164) for e164 in members if e164 in native)


def strangers(theirs: str) -> str:
    return f"in it is {theirs}, whose texts are LivePerson's"


def not_ours(service: Service) -> str:
    """Why a number's texts do not come here though its message URL may say so."""
    return f"its texts go where {_named(service)} sends them; {_DEFER}, or take the number out"


def _named(service: Service) -> str:
    return f"messaging service {service.sid}" + (f" '{plain(service.name)}'" if service.name else "")


def carried_out(account: TwilioAccount, change: Change) -> str:
    """Make a change. "" when Twilio has it now, else what it kept. Raises SendError."""
    now = account.update(change.sid, change.was, change.becomes)
    kept = [field for field, value in change.becomes.items() if now[field] != value]
    return ", ".join(f"{field} is {shown(now[field]) or 'nothing'} still" for field in kept)


def restoring(account: TwilioAccount, given: str) -> Change | None:
    """The change back to what a printed undo says; None when nothing differs. Raises CannotRestore, SendError."""
    sid, before = _undo(given)
    found = account.service(sid) if sid.startswith("MG") else account.number(sid)
    label = numbers.full(found.e164) if isinstance(found, OwnedNumber) else _named(found)
    fields = differing(found.webhooks, before)
    return Change(sid, label, found.webhooks, fields) if fields else None


def _undo(given: str) -> tuple[str, dict[str, str]]:
    try:
        read = json.loads(given)
        sid = read.pop("sid")
        fields = SERVICE_FIELDS if re.fullmatch(r"MG[0-9a-fA-F]{32}", sid) else NUMBER_FIELDS
        right = bool(re.fullmatch(r"(PN|MG)[0-9a-fA-F]{32}", sid)) and bool(read)
        right = right and all(name in fields and isinstance(value, str) for name, value in read.items())
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        right = False
    if not right:
        raise CannotRestore("--restore needs what `numbers point` printed after it, in its quotes.")
    return sid, read
