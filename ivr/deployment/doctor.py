"""The doctor: every check of a deployment, a line each, in the order in which they are mended."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from ivr import config
from ivr.deployment import environment
from ivr.deployment.database import database
from ivr.deployment.report import Line, cannot_tell, good, wrong
from ivr.deployment.twilio import twilio
from ivr.flow import source
from ivr.flow.load import Loaded, load_directory


def examine(environ: Mapping[str, str]) -> Iterator[Line]:
    """Every line of the report, as it is found; the network and the database are used meanwhile."""
    settings, lines = environment.settings(environ)
    yield from lines
    loaded = load_directory(config.flows_dir(environ))
    yield from _flows(loaded)
    if settings is None:
        return
    yield from environment.surroundings(settings, environ)
    yield from environment.public_url(settings)
    yield from database(settings)
    yield from twilio(settings, loaded.flows)
    yield from _desks(settings.flows_dir, loaded)


def _flows(loaded: Loaded) -> Iterator[Line]:
    for finding in loaded.errors:
        yield wrong("flows", str(finding), "python -m ivr check")
    if not loaded.errors:
        yield good("flows", f"{len(loaded.flows)} brand(s) without errors: {', '.join(loaded.flows)}")


def _desks(directory: Path, loaded: Loaded) -> Iterator[Line]:
    brands = [brand for brand in loaded.flows if _desk(directory / f"{brand}.yaml") == "liveperson"]
    if brands:
        found = f"the desk of {', '.join(brands)}; this release has no settings for it yet, texts are kept meanwhile"
        yield cannot_tell("LivePerson", found)


def _desk(file: Path) -> str:
    """The kind of a brand's desk, as its file names it; a flow does not carry it yet."""
    data = source.read(file.read_bytes(), str(file)).data
    desk = data.get("desk") if isinstance(data, dict) else None
    return next(iter(desk), "") if isinstance(desk, dict) else ""


def new_key(environ: Mapping[str, str], brand: str, key: str) -> tuple[str, str]:
    """Both halves of an API key: what API_KEYS takes, and the key itself. Raises SettingsError."""
    brands = load_directory(config.flows_dir(environ)).flows
    if brand != "*" and brand not in brands:
        raise config.SettingsError(
            f"{brand}: no such brand; there are: {', '.join(brands) or 'none'}, and * for every."
        )
    return f"{brand}:{hashlib.sha256(key.encode()).hexdigest()}", key
