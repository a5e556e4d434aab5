"""Every setting, read from the environment once; a setting that does not parse stops the start with one line."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from ivr.log import LEVELS


class SettingsError(Exception):
    """A setting is wrong. The message is one clear sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Settings:
    flows_dir: Path
    database_url: str  # as SQLAlchemy reads it
    database_connections: int
    public_url: str  # scheme and host, no slash at the end; "" when unset
    twilio_account_sid: str
    twilio_auth_token: str
    twilio_api_key: str
    twilio_api_secret: str
    twilio_api_url: str
    worker: str  # embedded, separate
    port: int
    web_concurrency: int
    web_threads: int
    log_level: str

    @property
    def sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")


def read(environ: Mapping[str, str]) -> Settings:
    """The settings in `environ` (README, "Settings"). Raises SettingsError at the first that is wrong."""
    level = environ.get("LOG_LEVEL", "").strip().lower() or "info"
    if level not in LEVELS:
        raise SettingsError(f"LOG_LEVEL is {level!r}; write one of {', '.join(LEVELS)}.")
    settings = Settings(
        flows_dir=flows_dir(environ),
        database_url=_database_url(environ),
        database_connections=_whole(environ, "DATABASE_CONNECTIONS", 5, least=1),
        public_url=_url(environ, "PUBLIC_URL"),
        twilio_account_sid=_account_sid(environ),
        twilio_auth_token=environ.get("TWILIO_AUTH_TOKEN", "").strip(),
        twilio_api_key=environ.get("TWILIO_API_KEY", "").strip(),
        twilio_api_secret=environ.get("TWILIO_API_SECRET", "").strip(),
        twilio_api_url=_url(environ, "TWILIO_API_URL"),
        worker=_worker(environ),
        port=_whole(environ, "PORT", 8000, least=0, most=65535),
        web_concurrency=_whole(environ, "WEB_CONCURRENCY", 1, least=1),
        web_threads=_whole(environ, "WEB_THREADS", 16, least=1, most=256),
        log_level=level,
    )
    _belongs_together(settings)
    return settings


def flows_dir(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("FLOWS_DIR", "").strip() or "flows")


def demo_ports(environ: Mapping[str, str]) -> tuple[int, int]:
    """Where `make demo` listens: the server, the sandbox."""
    return _whole(environ, "PORT", 8000, least=1, most=65535), _whole(
        environ, "SANDBOX_PORT", 8001, least=1, most=65535
    )


def _belongs_together(settings: Settings) -> None:
    if settings.twilio_auth_token and not settings.public_url:
        raise SettingsError(
            "PUBLIC_URL is not set, but TWILIO_AUTH_TOKEN is; "
            "set PUBLIC_URL to the scheme and host that Twilio calls, for example https://ivr.example.com."
        )
    if settings.twilio_auth_token and not settings.twilio_account_sid:
        raise SettingsError("TWILIO_ACCOUNT_SID is not set, but TWILIO_AUTH_TOKEN is; set both from one account.")
    if settings.worker == "separate" and settings.sqlite:
        raise SettingsError("WORKER is separate, which needs PostgreSQL; set DATABASE_URL, or leave WORKER embedded.")
    if bool(settings.twilio_api_key) != bool(settings.twilio_api_secret):
        raise SettingsError("TWILIO_API_KEY and TWILIO_API_SECRET go together; set both or neither.")


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


def _account_sid(environ: Mapping[str, str]) -> str:
    text = environ.get("TWILIO_ACCOUNT_SID", "").strip()
    if text and not re.fullmatch(r"AC[0-9a-zA-Z]{32}", text):
        raise SettingsError(
            "TWILIO_ACCOUNT_SID is no account SID; it is AC and 32 letters and digits, from the Twilio Console."
        )
    return text
