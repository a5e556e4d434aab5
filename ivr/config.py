"""Every setting, read from the environment once; a setting that does not parse stops the start with one line."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from ivr.log import LEVELS

T = TypeVar("T")


class SettingsError(Exception):
    """A setting is wrong. The message is one clear sentence for the operator; `faults` has every one."""

    def __init__(self, *faults: str) -> None:
        super().__init__(faults[0])
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Settings:
    flows_dir: Path
    database_url: str  # as SQLAlchemy reads it
    database_connections: int
    public_url: str  # scheme and host, no slash at the end; "" when unset
    fallback_url: str  # what Twilio asks when this server cannot answer; "" when unset
    twilio_account_sid: str
    twilio_auth_token: str
    twilio_api_key: str
    twilio_api_secret: str
    twilio_api_url: str
    liveperson_account: str
    liveperson_client_id: str
    liveperson_client_secret: str
    liveperson_api_url: str
    liveperson_records: tuple[str, str, str, str]  # what signs a request for them: the app's key and secret, a token's
    fcm_api_url: str  # in the place of Google's hosts: a sandbox or a proxy
    api_keys: Mapping[str, frozenset[str]]  # SHA-256 of a key in hex -> the brands that it opens, or *
    dashboard_passwords: Mapping[str, str]  # by name; none: there is no dashboard
    secret_key: str  # "" with SQLite where it is not set: a server that starts has the kept one (secret_key.py)
    worker: str  # embedded, separate
    port: int
    web_concurrency: int
    web_threads: int
    log_level: str

    @property
    def sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")


def read(environ: Mapping[str, str]) -> Settings:
    """The settings in `environ` (README, "Settings"). Raises SettingsError with everything that is wrong."""
    faults: list[str] = []

    def each(reader: Callable[[], T]) -> T:
        try:
            return reader()
        except SettingsError as error:
            faults.extend(error.faults)
            return cast(T, None)  # nobody sees it: the faults are raised below

    settings = Settings(
        flows_dir=flows_dir(environ),
        database_url=each(lambda: _database_url(environ)),
        database_connections=each(lambda: _whole(environ, "DATABASE_CONNECTIONS", 5, least=1)),
        public_url=each(lambda: _url(environ, "PUBLIC_URL")),
        fallback_url=each(lambda: _address(environ, "FALLBACK_URL")),
        twilio_account_sid=each(lambda: _account_sid(environ)),
        twilio_auth_token=environ.get("TWILIO_AUTH_TOKEN", "").strip(),
        twilio_api_key=environ.get("TWILIO_API_KEY", "").strip(),
        twilio_api_secret=environ.get("TWILIO_API_SECRET", "").strip(),
        twilio_api_url=each(lambda: _url(environ, "TWILIO_API_URL")),
        liveperson_account=each(lambda: _liveperson_account(environ)),
        liveperson_client_id=environ.get("LIVEPERSON_CLIENT_ID", "").strip(),
        liveperson_client_secret=environ.get("LIVEPERSON_CLIENT_SECRET", "").strip(),
        liveperson_api_url=each(lambda: _url(environ, "LIVEPERSON_API_URL") or "https://api.liveperson.net"),
        liveperson_records=_liveperson_records(environ),
        fcm_api_url=each(lambda: _url(environ, "FCM_API_URL")),
        api_keys=each(lambda: _api_keys(environ)),
        dashboard_passwords=each(lambda: _dashboard_passwords(environ)),
        secret_key=environ.get("SECRET_KEY", "").strip(),
        worker=each(lambda: _worker(environ)),
        port=each(lambda: _whole(environ, "PORT", 8000, least=0, most=65535)),
        web_concurrency=each(lambda: _whole(environ, "WEB_CONCURRENCY", 1, least=1)),
        web_threads=each(lambda: _whole(environ, "WEB_THREADS", 16, least=1, most=256)),
        log_level=each(lambda: _log_level(environ)),
    )
    if faults := faults or list(_do_not_belong_together(settings)):
        raise SettingsError(*faults)
    return settings


def flows_dir(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("FLOWS_DIR", "").strip() or "flows")


def demo_ports(environ: Mapping[str, str]) -> tuple[int, int]:
    """Where `make demo` listens: the server, the sandbox."""
    return _whole(environ, "PORT", 8000, least=1, most=65535), _whole(
        environ, "SANDBOX_PORT", 8001, least=1, most=65535
    )


def _do_not_belong_together(settings: Settings) -> Iterator[str]:
    if settings.twilio_auth_token and not settings.public_url:
        yield (
            "PUBLIC_URL is not set, but TWILIO_AUTH_TOKEN is; "
            "set PUBLIC_URL to the scheme and host that Twilio calls, for example https://ivr.example.com."
        )
    if settings.twilio_auth_token and not settings.twilio_account_sid:
        yield "TWILIO_ACCOUNT_SID is not set, but TWILIO_AUTH_TOKEN is; set both from one account."
    if settings.worker == "separate" and settings.sqlite:
        yield "WORKER is separate, which needs PostgreSQL; set DATABASE_URL, or leave WORKER embedded."
    if bool(settings.twilio_api_key) != bool(settings.twilio_api_secret):
        yield "TWILIO_API_KEY and TWILIO_API_SECRET go together; set both or neither."
    yield from _liveperson_apart(settings)
    if not settings.sqlite and not settings.secret_key:
        yield (
            "SECRET_KEY is not set, which PostgreSQL needs; make one once and keep it: "
            'python -c "import secrets; print(secrets.token_hex(32))"'
        )


def _liveperson_records(environ: Mapping[str, str]) -> tuple[str, str, str, str]:
    return (
        environ.get("LIVEPERSON_APP_KEY", "").strip(),
        environ.get("LIVEPERSON_APP_SECRET", "").strip(),
        environ.get("LIVEPERSON_ACCESS_TOKEN", "").strip(),
        environ.get("LIVEPERSON_ACCESS_TOKEN_SECRET", "").strip(),
    )


def _liveperson_apart(settings: Settings) -> Iterator[str]:
    """The account belongs to the connector and to the records: either may be used without the other."""
    account = settings.liveperson_account
    connector = (settings.liveperson_client_id, settings.liveperson_client_secret)
    records = settings.liveperson_records
    if any(records) and not (all(records) and account):
        yield (
            "LIVEPERSON_APP_KEY, LIVEPERSON_APP_SECRET, LIVEPERSON_ACCESS_TOKEN and LIVEPERSON_ACCESS_TOKEN_SECRET go "
            "together, with LIVEPERSON_ACCOUNT; set all of them or none."
        )
    if (account or any(connector)) and not (account and all(connector)) and not (all(records) and not any(connector)):
        yield (
            "LIVEPERSON_ACCOUNT, LIVEPERSON_CLIENT_ID and LIVEPERSON_CLIENT_SECRET go together; set all three or none."
        )


def _api_keys(environ: Mapping[str, str]) -> Mapping[str, frozenset[str]]:
    """A pair that is no pair is counted, not shown: it may be the key itself."""
    keys: dict[str, set[str]] = {}
    pairs = [pair.strip() for pair in environ.get("API_KEYS", "").split(",") if pair.strip()]
    for place, pair in enumerate(pairs, 1):
        brand, _, digest = pair.partition(":")
        if not re.fullmatch(r"\*|[a-z][a-z0-9-]{0,31}", brand) or not re.fullmatch(r"[0-9a-fA-F]{64}", digest):
            raise SettingsError(
                f"API_KEYS has a pair (number {place}) that is not brand:sha256-of-key; "
                "make one with: python -m ivr doctor --new-key BRAND"
            )
        keys.setdefault(digest.lower(), set()).add(brand)
    return {digest: frozenset(brands) for digest, brands in keys.items()}


def _dashboard_passwords(environ: Mapping[str, str]) -> Mapping[str, str]:
    """One password is everybody's, named `operator`; a colon makes pairs. What is wrong is counted, not shown."""
    text = environ.get("DASHBOARD_PASSWORD", "").strip()
    if not text:
        return {}
    pairs = [pair.strip().partition(":") for pair in text.split(",")] if ":" in text else [("operator", ":", text)]
    for place, (name, _, password) in enumerate(pairs, 1):
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.@-]{0,63}", name) or len(password) < 8:
            raise SettingsError(
                f"DASHBOARD_PASSWORD (number {place}) is no name:password, or its password has under 8 characters; "
                "write one password, or such pairs with commas between."
            )
    return {name: password for name, _, password in pairs}


def _log_level(environ: Mapping[str, str]) -> str:
    level = environ.get("LOG_LEVEL", "").strip().lower() or "info"
    if level not in LEVELS:
        raise SettingsError(f"LOG_LEVEL is {level!r}; write one of {', '.join(LEVELS)}.")
    return level


def _worker(environ: Mapping[str, str]) -> str:
    text = environ.get("WORKER", "").strip().lower() or "embedded"
    if text not in ("embedded", "separate"):
        raise SettingsError(f"WORKER is {text[:20]!r}; write embedded or separate.")
    return text


def _database_url(environ: Mapping[str, str]) -> str:
    url = environ.get("DATABASE_URL", "").strip() or "sqlite:///var/ivr.db"
    scheme, colon, rest = url.partition("://")
    if colon and scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        return _readable(f"postgresql+psycopg://{rest}")
    if not url.startswith("sqlite:///"):
        raise SettingsError(
            f"DATABASE_URL starts with {scheme[:20]!r}; it may start with postgres://, postgresql:// or sqlite:///."
        )
    if environ.get("DYNO") and environ.get("ALLOW_EPHEMERAL") != "1":
        raise SettingsError(
            "This host erases its disk at every restart, and SQLite lives on it; add PostgreSQL "
            "(heroku addons:create heroku-postgresql:essential-0), or set ALLOW_EPHEMERAL=1 for a trial."
        )
    if url.partition("?")[0] in ("sqlite:///", "sqlite:///:memory:"):
        raise SettingsError("DATABASE_URL names no file; write one like sqlite:///var/ivr.db.")
    return _readable(url)


def _readable(url: str) -> str:
    try:
        make_url(url)
    except (ArgumentError, ValueError):
        raise SettingsError("DATABASE_URL is no URL; write it like postgres://user:password@host:5432/name.") from None
    return url


def _whole(environ: Mapping[str, str], name: str, unset: int, least: int, most: int = 10_000) -> int:
    text = environ.get(name, "").strip()
    if not text:
        return unset
    if not re.fullmatch(r"\d{1,6}", text) or not least <= int(text) <= most:
        raise SettingsError(f"{name} is {text[:20]!r}; write a whole number from {least} to {most}.")
    return int(text)


def _url(environ: Mapping[str, str], name: str) -> str:
    text = environ.get(name, "").strip().rstrip("/")
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        whole = False
    if not whole or parts.path or parts.query or parts.fragment or parts.username or re.search(r"[^!-~]", text):
        raise SettingsError(f"{name} is no scheme and host alone; write it like https://ivr.example.com.")
    return text


def _address(environ: Mapping[str, str], name: str) -> str:
    text = environ.get(name, "").strip()
    try:
        parts = urlsplit(text)
        whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        whole = False
    if text and (not whole or parts.username or re.search(r"[^!-~]", text)):
        raise SettingsError(f"{name} is no URL; write it like https://handler.twilio.com/twiml/EH….")
    return text


def _liveperson_account(environ: Mapping[str, str]) -> str:
    text = environ.get("LIVEPERSON_ACCOUNT", "").strip()
    if text and not re.fullmatch(r"[0-9a-zA-Z_-]{1,64}", text):
        raise SettingsError("LIVEPERSON_ACCOUNT is no account; it is LivePerson's number for the brand, like 12345678.")
    return text


def _account_sid(environ: Mapping[str, str]) -> str:
    text = environ.get("TWILIO_ACCOUNT_SID", "").strip()
    if text and not re.fullmatch(r"AC[0-9a-zA-Z]{32}", text):
        raise SettingsError(
            "TWILIO_ACCOUNT_SID is no account SID; it is AC and 32 letters and digits, from the Twilio Console."
        )
    return text
