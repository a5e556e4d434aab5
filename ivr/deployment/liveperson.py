"""Is it set up right: the connector at LivePerson, and whether its webhooks are taken here."""

from collections.abc import Iterator, Sequence

from ivr.clients import public
from ivr.clients.failure import SendError
from ivr.clients.liveperson import Connector, LivePerson
from ivr.config import Settings
from ivr.deployment.environment import loopback
from ivr.deployment.report import Line, cannot_tell, good, wrong
from ivr.runtime import new_id, utc_now

SERVICES = ("sentinel", "idp", "asyncMessagingEnt")  # all that a conversation needs
CONSUMER = "doctor"  # always the same: LivePerson keeps every consumer that it was told of
EVENTS = (
    "ms.MessagingEventNotification.ContentEvent",
    "ms.MessagingEventNotification.RichContentEvent",
    "cqm.ExConversationChangeNotification",
)
KEPT = 259_200  # seconds, LivePerson's most, and as long as we try to deliver what consumers write
SETTINGS = "LIVEPERSON_ACCOUNT, LIVEPERSON_CLIENT_ID and LIVEPERSON_CLIENT_SECRET"


def liveperson(settings: Settings, brands: Sequence[str], here: bool) -> Iterator[Line]:
    """Every line about the connector of these brands. `here`: whether PUBLIC_URL is this deployment."""
    if not settings.liveperson_client_id:
        found = f"the desk of {' and '.join(brands)}, and {SETTINGS} are not set; what consumers write waits"
        mend = "set all three, from the connector's installation, or leave `desk` out where a brand has no LivePerson"
        yield wrong("LivePerson", found, mend)
        return
    url = settings.liveperson_api_url
    if not url.startswith("https://") and not loopback(url):
        found = f"{url} is not https; the client's secret would travel in the open"
        yield wrong("LIVEPERSON_API_URL", found, "unset it, or write https://")
    else:
        yield from _connected(settings)
    yield _taken(settings, here)
    yield _installation(settings)


def _connected(settings: Settings) -> Iterator[Line]:
    """Where the services are, the login, a consumer's token. What comes after a failure would fail with it."""
    connector = Connector(
        settings.liveperson_account,
        settings.liveperson_client_id,
        settings.liveperson_client_secret,
        settings.liveperson_api_url,
    )
    client, what = LivePerson(connector, 1, new_id, utc_now), ""
    try:
        for service in SERVICES:
            what = f"LivePerson's {service}"
            yield good(what, client.locate(service, client.deadline()))
        what = "LivePerson's login"
        client.login(client.deadline())
        yield good(what, "the client's id and secret are taken")
        what = "a consumer at LivePerson"
        client.consumer(CONSUMER, client.deadline())
        yield good(what, "has a token")
    except SendError as error:
        yield _failed(what, error)


def _failed(what: str, error: SendError) -> Line:
    """A refusal's sentence, cut where it goes on to what mends it."""
    found, _, mend = error.reason.partition("; ")
    if error.permanent:
        return wrong(what, found, mend or "ask LivePerson whether the installation is enabled, with scope msg.consumer")
    return cannot_tell(what, found, "run doctor again; if it stays, check LIVEPERSON_API_URL")


def _taken(settings: Settings, here: bool) -> Line:
    what, url = "LivePerson's webhooks", settings.public_url + public.LIVEPERSON
    if not here:
        return cannot_tell(what, "not tried, while PUBLIC_URL is not this deployment", "mend that first")
    try:
        answer = public.liveperson_probe(
            settings.public_url, settings.liveperson_account, settings.liveperson_client_secret
        )
    except public.Unreachable as error:
        return wrong(what, f"{url} cannot be reached: {error}", "start the server")
    if answer.status == 200:
        return good(what, f"one signed with LIVEPERSON_CLIENT_SECRET is taken at {url}")
    found = f"one signed with LIVEPERSON_CLIENT_SECRET is answered {answer.status} at {url}"
    if answer.status == 403:
        return wrong(
            what,
            f"{found}: the server there has another LIVEPERSON_ACCOUNT or LIVEPERSON_CLIENT_SECRET",
            "give the server these settings and restart it",
        )
    return wrong(what, found, "bring the server there to this release; its log says more")


def _installation(settings: Settings) -> Line:
    """What only LivePerson can see."""
    url = (settings.public_url or "PUBLIC_URL") + public.LIVEPERSON
    return cannot_tell(
        "LivePerson's installation",
        f"it cannot be read from here; in it, {', '.join(EVENTS[:-1])} and {EVENTS[-1]} must each have the endpoint "
        f"{url}, and retries a retention time, such as {KEPT} seconds",
        "compare it with the JSON that was installed, or ask LivePerson; docs/deploy.md shows it",
    )
