"""Is it set up right: can each brand's sender text, is it registered, and do answers to it come here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ivr import numbers
from ivr.clients.account import OwnedNumber, TwilioAccount
from ivr.clients.failure import SendError
from ivr.config import Settings
from ivr.deployment.holdings import Holdings, claims, native_numbers, why
from ivr.deployment.listing import lacking
from ivr.deployment.native import service_texts
from ivr.deployment.pointing import differing, native_members, service_fields, strangers, text_fields
from ivr.deployment.report import Line, cannot_tell, good, shown, wrong
from ivr.flow.model import Flow

SERVICES = "Console > Messaging > Services"
CAMPAIGNS = "Console > Messaging > Regulatory compliance > A2P 10DLC"
TOLL_FREE = "Console > Messaging > Regulatory compliance > Toll-free verification"
POINT = "python -m ivr numbers point"


@dataclass(frozen=True, slots=True)
class Senders:
    settings: Settings
    flows: Mapping[str, Flow]
    holdings: Holdings
    account: TwilioAccount

    def lines(self) -> Iterator[Line]:
        brands: dict[str, list[Flow]] = {}
        for flow in self.flows.values():
            brands.setdefault(flow.sender.address, []).append(flow)
        for address, flows in brands.items():
            what = f"sender of {', '.join(flow.id for flow in flows)}"
            america = any("US" in branch.regions for flow in flows for branch in flow.branches.values())
            if address.startswith("MG"):
                yield from self._service(what, address, america)
            elif number := self.holdings.numbers.get(address):  # one that is not owned has its line already
                yield from self._number(f"{what}, {numbers.full(address)}", number, america)

    def _number(self, what: str, number: OwnedNumber, america: bool) -> Iterator[Line]:
        if not number.texts:
            yield wrong(what, "it cannot text", "enable SMS for it in the Console, or take another sender")
            return
        yield good(what, "in this account, and it can text")
        if america:
            yield from self._registered(what, number)

    def _registered(self, what: str, number: OwnedNumber) -> Iterator[Line]:
        """Registration with the carriers of the United States: without it, texts are blocked."""
        read = numbers.read(number.e164)  # no toll-free one: a brand's file may not name it
        if read is None or read.region != "US":
            yield cannot_tell(what, "it texts US numbers and is no US number; carriers may block that")
        elif self.holdings.services_unknown:
            yield cannot_tell(what, f"its A2P 10DLC campaign: {self.holdings.services_unknown}", CAMPAIGNS)
        elif (service := self.holdings.service_of(number)) is None:
            found = "in no messaging service, so it has no A2P 10DLC campaign; US carriers block it (error 30034)"
            yield wrong(what, found, f"{SERVICES}: put it in one, and register that one's campaign, {CAMPAIGNS}")
        else:
            yield self._campaign(what, service.sid)

    def _campaign(self, what: str, service_sid: str) -> Line:
        try:
            states = self.account.campaigns(service_sid)
        except SendError as error:
            return cannot_tell(what, f"its A2P 10DLC campaign: {why(error)}", CAMPAIGNS)
        if "VERIFIED" in states:
            return good(what, f"A2P 10DLC campaign of {service_sid}: VERIFIED")
        if not states:
            found = f"messaging service {service_sid} has no A2P 10DLC campaign; US carriers block it (error 30034)"
            return wrong(what, found, f"register a campaign, {CAMPAIGNS}")
        found = f"the A2P 10DLC campaign of {service_sid} is {', '.join(states)}; US carriers block it (error 30034)"
        return wrong(what, found, f"see what it lacks, {CAMPAIGNS}")

    def _toll_free(self, what: str, number: OwnedNumber) -> Line:
        what = f"{what}, {numbers.full(number.e164)}"
        try:
            states = self.account.toll_free_states(number.sid)
        except SendError as error:
            return cannot_tell(what, f"its toll-free verification: {why(error)}", TOLL_FREE)
        if "TWILIO_APPROVED" in states:
            return good(what, "toll-free verification: TWILIO_APPROVED")
        state = ", ".join(states) or "none"
        return wrong(
            what, f"toll-free verification: {state}; carriers block it (error 30032)", f"verify it, {TOLL_FREE}"
        )

    def _service(self, what: str, sid: str, america: bool) -> Iterator[Line]:
        what = f"{what}, {sid}"
        if self.holdings.services_unknown:
            yield cannot_tell(what, self.holdings.services_unknown, f"look in {SERVICES}")
            return
        if sid not in self.holdings.services:
            yield wrong(
                what, "no such messaging service in this account", f"correct the brand's file, or see {SERVICES}"
            )
            return
        members = self.holdings.numbers_of(sid)
        count = len(self.holdings.members[sid]) + self.holdings.short_codes[sid]
        if not count:
            yield wrong(what, "it has no senders (error 21703)", f"{SERVICES}: add a number to it")
            return
        yield good(what, f"it has {count} sender(s)")
        if self.settings.public_url:
            yield self._inbound(what, sid, members)
        if america:
            yield from self._members_registered(what, sid, members)

    def _inbound(self, what: str, sid: str, members: list[OwnedNumber]) -> Line:
        service = self.holdings.services[sid]
        if claims(self.flows)[sid].native:
            return service_texts(self.settings, what, service, members)
        if theirs := native_members(sid, native_numbers(self.flows, self.holdings), self.holdings):
            return wrong(what, strangers(theirs), f"{SERVICES}: take that out of it")
        if service.defers:
            astray = [number for number in members if differing(number.webhooks, text_fields(self.settings))]
            if not astray:
                return good(what, "texts go where its numbers say, and these say here")
            named = ", ".join(numbers.full(number.e164) for number in astray)
            return wrong(what, f"texts go where its numbers say, and not here from {named}", POINT)
        url = service.webhooks["inbound_request_url"]
        to = f"{service.webhooks['inbound_method']} {shown(url)}" if url else "nowhere"
        fields = differing(service.webhooks, service_fields(self.settings))
        if not fields:
            return good(what, f"texts go to {to}")
        return wrong(what, f"texts go to {to}{lacking(fields)}", POINT)

    def _members_registered(self, what: str, sid: str, members: list[OwnedNumber]) -> Iterator[Line]:
        kinds = {number.e164: numbers.read(number.e164) for number in members}
        if any(read is not None and read.kind is None and read.region == "US" for read in kinds.values()):
            yield self._campaign(what, sid)
        for number in members:
            read = kinds[number.e164]
            if read is not None and read.kind == "toll_free":
                yield self._toll_free(what, number)
