"""The doctor: every check of a deployment, a line each, in the order in which they are mended."""

import hashlib
from collections.abc import Iterator, Mapping

from ivr import config
from ivr.deployment import environment
from ivr.deployment.apps import of_apps
from ivr.deployment.database import database
from ivr.deployment.desks import desks
from ivr.deployment.report import Line, good, wrong
from ivr.deployment.twilio import twilio
from ivr.flow.load import Loaded, load_directory


def examine(environ: Mapping[str, str]) -> Iterator[Line]:
    """Every line of the report, as it is found; the network and the database are used meanwhile."""
    settings, lines = environment.settings(environ)
    yield from lines
    loaded = load_directory(config.flows_dir(environ))
    yield from _flows(loaded)
    if settings is None:
        return
    yield from _keys(settings, loaded)
    yield from environment.surroundings(settings, environ)
    public = list(environment.public_url(settings))
    yield from public
    yield from database(settings)
    yield from twilio(settings, loaded.flows)
    here = all(line.state == "good" for line in public)
    yield from desks(settings, environ, loaded.flows, here)
    yield from of_apps(settings, environ, loaded.flows)


def _flows(loaded: Loaded) -> Iterator[Line]:
    for finding in loaded.errors:
        yield wrong("flows", str(finding), "python -m ivr check")
    if not loaded.errors:
        yield good("flows", f"{len(loaded.flows)} brand(s) without errors: {', '.join(loaded.flows)}")


def _keys(settings: config.Settings, loaded: Loaded) -> Iterator[Line]:
    """Keys of the API that open nothing; nothing is said where there are none."""
    named = {brand for brands in settings.api_keys.values() for brand in brands}
    for brand in sorted(named - {"*", *loaded.flows}):
        yield wrong("API_KEYS", f"{brand} is no brand, so that its key opens nothing", "take its pair out")
    if named and named <= {"*", *loaded.flows}:
        yield good("API_KEYS", f"{len(settings.api_keys)} key(s), for {', '.join(sorted(named))}")


def new_key(environ: Mapping[str, str], brand: str, key: str) -> tuple[str, str]:
    """Both halves of an API key: what API_KEYS takes, and the key itself. Raises SettingsError."""
    brands = load_directory(config.flows_dir(environ)).flows
    if brand != "*" and brand not in brands:
        raise config.SettingsError(
            f"{brand}: no such brand; there are: {', '.join(brands) or 'none'}, and * for every."
        )
    return f"{brand}:{hashlib.sha256(key.encode()).hexdigest()}", key
