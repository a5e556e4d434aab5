"""Is it set up right: Twilio's credentials, the brands' numbers, and where their webhooks lead."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ivr import numbers
from ivr.clients.account import NOT_FOUND, REFUSED, OwnedNumber, Profile
from ivr.clients.failure import SendError
from ivr.config import Settings
from ivr.deployment.channels import Channels
from ivr.deployment.holdings import Claim, Holdings, account_of, claims, held, native_numbers, why
from ivr.deployment.listing import calls_differ, calls_go, lacking, texts_differ, texts_go
from ivr.deployment.native import number_texts
from ivr.deployment.pointing import is_ours, not_ours
from ivr.deployment.report import Line, cannot_tell, good, origin, wrong
from ivr.deployment.senders import Senders
from ivr.flow.model import Flow

KEYS = "Console > Account > API keys & tokens"
BOUGHT = "demo.twilio.com"  # where a number leads that was never pointed anywhere


def twilio(settings: Settings, flows: Mapping[str, Flow]) -> Iterator[Line]:
    """Every line about Twilio; what a refusal makes unknowable is left out."""
    if not settings.twilio_auth_token:
        yield wrong(
            "TWILIO_AUTH_TOKEN",
            "not set; every webhook is refused",
            f"set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, from {KEYS}",
        )
    else:
        profile = _profile(settings)
        yield from profile
        if profile[0].what == "TWILIO_AUTH_TOKEN" and profile[0].state == "wrong" and not settings.twilio_api_key:
            return  # every other question would be refused with it
    if not settings.twilio_account_sid or not (settings.twilio_auth_token or settings.twilio_api_key):
        return
    try:
        holdings = held(account_of(settings))
    except SendError as error:
        yield _not_listed(settings, error)
        return
    yield good("credentials", f"Twilio lists the account's {len(holdings.numbers)} number(s)")
    if settings.public_url:
        yield from Numbers(settings, flows, holdings).lines()
    yield from Senders(settings, flows, holdings, account_of(settings)).lines()
    yield from Channels(settings, flows, holdings, account_of(settings)).lines()


def _profile(settings: Settings) -> list[Line]:
    """The account as its auth token sees it; an API key may not ask for it."""
    try:
        found = account_of(settings, by_token=True).profile(settings.twilio_account_sid, settings.twilio_auth_token)
    except SendError as error:
        if error.permanent:
            mend = f"copy TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN from one account, {KEYS}"
            return [wrong("TWILIO_AUTH_TOKEN", why(error), mend)]
        return [cannot_tell("TWILIO_AUTH_TOKEN", why(error), "run doctor again")]
    lines = [_state(found)]
    if found.primary is False:
        mend = f"set TWILIO_AUTH_TOKEN to the primary token, {KEYS}"
        found_out = "it is the secondary token; Twilio signs webhooks with the primary"
        lines.append(wrong("TWILIO_AUTH_TOKEN", found_out, mend))
    if found.trial:
        found_out = "a trial account texts only numbers that were verified, with a sentence before ours"
        lines.append(cannot_tell("account", found_out, "Console > Upgrade, before real callers come"))
    return lines


def _state(found: Profile) -> Line:
    if found.status != "active":
        return wrong("account", f"it is {found.status}; nothing is sent or received", "ask Twilio's support to open it")
    return good("account", "active, and TWILIO_AUTH_TOKEN is its own")


def _not_listed(settings: Settings, error: SendError) -> Line:
    if error.code in REFUSED | NOT_FOUND and settings.twilio_api_key:
        return wrong(
            "TWILIO_API_KEY",
            f"{why(error)}: the secret is wrong, or the key is another account's",
            f"make one in account {settings.twilio_account_sid}, {KEYS}; set TWILIO_API_KEY and TWILIO_API_SECRET",
        )
    if error.permanent:
        return wrong("credentials", f"the numbers cannot be listed: {why(error)}", f"check the credentials, {KEYS}")
    return cannot_tell("numbers", f"they cannot be listed: {why(error)}", "run doctor again")


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers that callers dial, and the ones that texts come to."""

    settings: Settings
    flows: Mapping[str, Flow]
    holdings: Holdings

    def lines(self) -> Iterator[Line]:
        claimed = {address: claim for address, claim in claims(self.flows).items() if not address.startswith("MG")}
        native = native_numbers(self.flows, self.holdings)
        yield from self._elsewhere(claimed)
        for address, claim in claimed.items():
            number, what = self.holdings.numbers.get(address), f"{numbers.full(address)} ({claim})"
            if number is None:
                mend = "buy it at Twilio, move it into this account, or correct the brand's file"
                yield wrong(what, "not in this account", mend)
                continue
            if claim.entries:
                yield self._calls(what, number)
            if number.texts and address in native:
                yield number_texts(self.settings, self.holdings, what, number)
            elif number.texts:
                yield self._texts(what, number)

    def _elsewhere(self, claimed: Mapping[str, Claim]) -> Iterator[Line]:
        """Numbers that all call one other host were pointed there by somebody: PUBLIC_URL may be what is wrong."""
        owned = [self.holdings.numbers[address] for address, claim in claimed.items()
                 if claim.entries and address in self.holdings.numbers]  # fmt: skip
        origins = {origin(number.webhooks["voice_url"]) for number in owned}
        if len(owned) < 2 or len(origins) > 1:
            return
        other = origins.pop()
        if other.partition("://")[2] not in ("", BOUGHT) and other != origin(self.settings.public_url):
            found = f"it is {self.settings.public_url}, and Twilio calls {other} for every number"
            yield wrong("PUBLIC_URL", found, f"python -m ivr numbers point, or set PUBLIC_URL={other}")

    def _calls(self, what: str, number: OwnedNumber) -> Line:
        if not number.voice:
            return wrong(what, "it takes no calls", "take a number that can do voice")
        fields = calls_differ(self.settings, number)
        if not fields:
            return good(what, f"calls go to {calls_go(number)}")
        return wrong(what, f"calls go to {calls_go(number)}{lacking(fields)}", _point(number))

    def _texts(self, what: str, number: OwnedNumber) -> Line:
        service = self.holdings.service_of(number)
        fields = texts_differ(self.settings, number, service)
        if self.holdings.services_unknown:
            found = f"texts go to {texts_go(number, None)}, unless a messaging service has it"
            return wrong(what, found, _point(number)) if fields else cannot_tell(what, found)
        found = f"texts go to {texts_go(number, service)}"
        if not fields:
            return good(what, found)
        if service is not None and not service.defers and not is_ours(service, number.e164, claims(self.flows)):
            return wrong(what, found, not_ours(service))
        return wrong(what, f"{found}{lacking(fields)}", _point(number))


def _point(number: OwnedNumber) -> str:
    return f"python -m ivr numbers point {number.e164}"
