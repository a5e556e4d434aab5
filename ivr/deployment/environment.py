"""Is it set up right: the settings, and what else in the environment changes how the server runs."""

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from ivr import config
from ivr.clients import public
from ivr.config import Settings
from ivr.deployment.report import Line, cannot_tell, good, origin, wrong


def settings(environ: Mapping[str, str]) -> tuple[Settings | None, list[Line]]:
    """The settings, or None and a line for each that is wrong."""
    try:
        return config.read(environ), [good("settings", "every one parses")]
    except config.SettingsError as error:
        return None, [_fault(fault) for fault in error.faults]


def _fault(fault: str) -> Line:
    """A fault's sentence, cut where it goes on to what mends it."""
    found, _, mend = fault.partition("; ")
    return wrong("settings", found.removesuffix("."), mend.removesuffix(".") or "set it right, then run doctor again")


def surroundings(settings: Settings, environ: Mapping[str, str]) -> Iterator[Line]:
    """What is no setting of ours and counts all the same."""
    arguments = environ.get("GUNICORN_CMD_ARGS", "").strip()
    if arguments:
        yield cannot_tell(
            "GUNICORN_CMD_ARGS",
            f"{arguments!r} overrides gunicorn.conf.py; its bind, workers, threads and time-outs may not be ours",
            "unset GUNICORN_CMD_ARGS, unless it is meant",
        )
    if settings.sqlite and environ.get("DYNO"):
        yield cannot_tell(
            "DATABASE_URL",
            "SQLite on a disk that this host erases at every restart, allowed for a trial by ALLOW_EPHEMERAL",
            "heroku addons:create heroku-postgresql:essential-0 && heroku config:unset ALLOW_EPHEMERAL",
        )
    if settings.fallback_url and origin(settings.fallback_url) == origin(settings.public_url):
        found = "it leads to this very server, which cannot answer when it is asked"
        yield wrong("FALLBACK_URL", found, "set it to a TwiML Bin that dials your line")
    elif settings.fallback_url:
        yield good("FALLBACK_URL", "set")
    else:
        yield good(
            "FALLBACK_URL",
            "not set, which is allowed; while this server cannot answer, callers hear Twilio's error",
            "set it to a TwiML Bin that dials your line, then python -m ivr numbers point",
        )


def public_url(settings: Settings) -> Iterator[Line]:
    """Whether PUBLIC_URL is set, safe, and answered by this deployment."""
    url = settings.public_url
    if not url:
        yield wrong("PUBLIC_URL", "not set", "set PUBLIC_URL to https:// and the host that Twilio calls")
        return
    if not url.startswith("https://") and not _sandboxed(settings):
        secure = f"https://{urlsplit(url).netloc}"
        yield wrong("PUBLIC_URL", f"{url} is not https; texts would travel in the open", f"set PUBLIC_URL={secure}")
        return
    try:
        ready = _ready(url)
        yield ready
        if settings.twilio_auth_token and ready.state == "good":
            yield _same_server(settings)
    except public.Unreachable as error:
        yield wrong(
            "PUBLIC_URL", f"{url} cannot be reached: {error}", "start the server, or set PUBLIC_URL to its host"
        )


def _sandboxed(settings: Settings) -> bool:
    """Twilio and we are on this machine alone; there, http is safe."""
    return loopback(settings.public_url) and loopback(settings.twilio_api_url)


def loopback(url: str) -> bool:
    """Whether a URL's host is this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _ready(url: str) -> Line:
    answer = public.readiness(url)
    if answer.status == 200 and answer.line == "ready":
        return good("PUBLIC_URL", f"{url}/readyz answers: ready")
    if answer.status == 503:
        return wrong("PUBLIC_URL", f"{url}/readyz answers 503: {answer.line}", "mend what it says, then restart it")
    return wrong(
        "PUBLIC_URL",
        f"{url}/readyz answers {answer.status}, which is not this server's answer",
        "set PUBLIC_URL to the host where this server runs",
    )


def _same_server(settings: Settings) -> Line:
    answer = public.signed_probe(settings.public_url, settings.twilio_account_sid, settings.twilio_auth_token)
    if answer.status == 200:
        return good("signatures", f"a webhook signed with TWILIO_AUTH_TOKEN is taken at {settings.public_url}")
    found = f"a webhook signed with TWILIO_AUTH_TOKEN is answered {answer.status} at {settings.public_url}"
    if answer.status == 403:
        return wrong(
            "signatures",
            f"{found}: the server there has another token, account or PUBLIC_URL",
            "give the server these settings and restart it, or set PUBLIC_URL to this server's host",
        )
    return wrong("signatures", found, "set PUBLIC_URL to the host where this server runs")
