"""Is it set up right: the channels beside texts that go through Twilio, WhatsApp and RCS; a line for each piece."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ivr.clients.account import NOT_FOUND, ChannelSender, TwilioAccount
from ivr.clients.failure import SendError
from ivr.config import Settings
from ivr.deployment.holdings import Holdings, why
from ivr.deployment.listing import lacking
from ivr.deployment.pointing import differing, service_fields, text_url
from ivr.deployment.report import Line, cannot_tell, good, shown, wrong
from ivr.flow.model import WHATSAPP, Flow, WhatsApp

WHATSAPP_SENDERS = "Console > Messaging > Senders > WhatsApp senders"
RCS_SENDERS = "Console > Messaging > Senders > RCS"
TEMPLATES = "Console > Messaging > Content Template Builder"
SERVICES = "Console > Messaging > Services"


@dataclass(frozen=True, slots=True)
class Channels:
    settings: Settings
    flows: Mapping[str, Flow]
    holdings: Holdings
    account: TwilioAccount

    def lines(self) -> Iterator[Line]:
        for flow in self.flows.values():
            if flow.sender.whatsapp:
                yield self._sender(f"WhatsApp of {flow.id}", flow.sender.whatsapp)
                yield self._template(f"WhatsApp of {flow.id}", flow.sender.whatsapp.template)
            if flow.sender.rcs:
                yield self._rcs(f"RCS of {flow.id}, {flow.sender.rcs}", flow.sender.rcs)

    def _sender(self, what: str, sender: WhatsApp) -> Line:
        number = sender.address.removeprefix(WHATSAPP)
        try:
            found = self.account.whatsapp_senders().get(sender.address)
        except SendError as error:
            return cannot_tell(what, f"its sender {number}: {why(error)}", f"look in {WHATSAPP_SENDERS}")
        if found is None:
            mend = f"make it one, {WHATSAPP_SENDERS}, or correct the brand's file"
            return wrong(what, f"{number} is no WhatsApp sender of this account", mend)
        if not found.status.startswith("ONLINE"):
            return wrong(
                what, f"the sender {number} is {found.status or 'in no state'}", f"see why, {WHATSAPP_SENDERS}"
            )
        return self._comes_here(what, number, found)

    def _comes_here(self, what: str, number: str, found: ChannelSender) -> Line:
        if not self.settings.public_url:
            return good(what, f"the sender {number} is online")
        ours = text_url(self.settings)
        if found.method == "POST" and found.url.partition("#")[0] == ours.partition("#")[0]:
            return good(what, f"the sender {number} is online, and its messages come here")
        to = f"{found.method} {shown(found.url)}" if found.url else "nowhere"
        mend = f"{WHATSAPP_SENDERS} > {number}: webhook for incoming messages {ours}, POST"
        return wrong(what, f"messages to {number} go to {to}", mend)

    def _template(self, what: str, template: str) -> Line:
        try:
            state = self.account.template_state(template)
        except SendError as error:
            if error.code in NOT_FOUND:
                mend = f"write one, {TEMPLATES}, or correct the brand's file"
                return wrong(what, f"template {template} is not in this account", mend)
            return cannot_tell(what, f"template {template}: {why(error)}", f"look in {TEMPLATES}")
        if state == "approved":
            return good(what, f"template {template} is approved")
        found = f"template {template} is {state or 'unsubmitted'}; every greeting by it fails (error 63016)"
        return wrong(what, found, f"submit it for WhatsApp, {TEMPLATES}, and wait for Meta")

    def _rcs(self, what: str, sid: str) -> Line:
        if self.holdings.services_unknown:
            return cannot_tell(what, self.holdings.services_unknown, f"look in {SERVICES}")
        service = self.holdings.services.get(sid)
        if service is None:
            return wrong(
                what, "no such messaging service in this account", f"correct the brand's file, or see {SERVICES}"
            )
        try:
            if not self.account.has_rcs(sid):
                return wrong(what, "it has no RCS sender (error 63007)", f"{SERVICES}: add one of {RCS_SENDERS} to it")
        except SendError as error:
            return cannot_tell(what, f"its RCS sender: {why(error)}", f"look in {SERVICES}")
        if not self.settings.public_url:
            return good(what, "it has an RCS sender")
        fields = differing(service.webhooks, service_fields(self.settings))
        if not fields and not service.defers:
            return good(what, "it has an RCS sender, and its messages come here")
        url = service.webhooks["inbound_request_url"]
        to = "where its numbers say" if service.defers else f"{shown(url) or 'nowhere'}{lacking(fields)}"
        mend = f"{SERVICES} > {sid} > Integration: send a webhook, {text_url(self.settings)}, POST"
        return wrong(what, f"its messages go to {to}", mend)
