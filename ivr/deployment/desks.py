"""Is it set up right: the brands' desks, where consumers' texts go and answers come from."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from ivr import numbers
from ivr.config import Settings
from ivr.deployment.holdings import claims
from ivr.deployment.liveperson import liveperson
from ivr.deployment.report import Line, cannot_tell, good, origin, wrong
from ivr.flow.model import Flow, LivePersonDesk, NativeDesk, WebhookDesk


def desks(settings: Settings, environ: Mapping[str, str], flows: Mapping[str, Flow], here: bool) -> Iterator[Line]:
    """Every line about desks. `here`: whether PUBLIC_URL is this deployment."""
    brands = [flow.id for flow in flows.values() if isinstance(flow.desk, LivePersonDesk)]
    if brands:
        yield from liveperson(settings, brands, here)
    for flow in flows.values():
        if isinstance(flow.desk, WebhookDesk):
            yield from _own(f"desk of {flow.id}", flow.desk, environ)
        elif isinstance(flow.desk, NativeDesk):
            yield from _native(f"desk of {flow.id}", flow, flows)


def _own(what: str, desk: WebhookDesk, environ: Mapping[str, str]) -> Iterator[Line]:
    """A desk of one's own. It is not asked: whatever is sent to it is a message to an agent."""
    host = origin(desk.url)
    if environ.get(desk.secret_env, "").strip():
        yield good(what, f"{desk.secret_env} is set")
    else:
        found = f"{desk.secret_env} is not set; the server does not start without it"
        yield wrong(what, found, f"set {desk.secret_env} to the secret that the desk has too")
    if urlsplit(desk.url).scheme == "https":
        yield good(what, f"{host} is https")
    elif desk.allow_private:
        yield good(what, f"{host} is not https, and may be in a private network by allow_private")
    else:
        found = f"{host} is not https; what consumers write would travel in the open"
        yield wrong(what, found, "write https:// in the brand's file, or allow_private: yes for a private network")
    found = f"whether {host} takes what consumers write; asking would be a message to an agent"
    yield cannot_tell(what, found, "see what waits for it, and why: python -m ivr worker --list")


def _native(what: str, flow: Flow, flows: Mapping[str, Flow]) -> Iterator[Line]:
    """LivePerson owns the texts of the sender; that they do not come here is looked at with the numbers."""
    sender = flow.sender.address
    named = f"each number of {sender}" if sender.startswith("MG") else numbers.full(sender)
    for other in claims(flows)[sender].senders:
        if isinstance(flows[other].desk, LivePersonDesk | WebhookDesk):
            found = f"its sender is the sender of {other} too, whose desk never sees what LivePerson takes"
            yield wrong(what, found, f"give {other} a sender of its own")
    yield cannot_tell(
        what,
        f"LivePerson takes the texts of {named}; whether it is connected there cannot be read from here",
        f"LivePerson > Data Sources > Twilio SMS > Connect, with {named}; Twilio > the sender > its message webhook: "
        "LivePerson's gateway URL",
    )
