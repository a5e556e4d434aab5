"""Is it set up right: the brands' apps: whether they can be pushed to, and whether anybody says who uses them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from ivr.clients.directory import BrandDirectory
from ivr.clients.failure import SendError
from ivr.config import Settings
from ivr.delivery.apps import BadVariable, apps
from ivr.deployment.report import Line, cannot_tell, good, wrong
from ivr.flow.model import Flow
from ivr.store import consumers
from ivr.store.database import opened_once

PATIENCE = 5.0  # seconds: nobody calls meanwhile, and a database may have to wake up
NOBODY = "+14155550100"  # a number that is no consumer's


def of_apps(settings: Settings, environ: Mapping[str, str], flows: Mapping[str, Flow]) -> Iterator[Line]:
    for flow in flows.values():
        if flow.push:
            yield _push(flow, environ, settings)
        if flow.consumers:
            yield _directory(flow, flow.consumers.url_env, flow.consumers.sql, environ)
        elif flow.push:
            yield from _embedded(flow, settings)


def _push(flow: Flow, environ: Mapping[str, str], settings: Settings) -> Line:
    what = f"push of {flow.id}"
    try:
        found = apps({flow.id: replace(flow, consumers=None)}, environ, 1, settings.fcm_api_url)
    except BadVariable as error:
        return _variable(what, error)
    google = found.google.get(flow.id)
    if google is None:
        return good(what, "the secret of its push service is set")
    try:
        return good(what, f"Google gives an access token for the project {google.check()}")
    except SendError as error:
        mend = "in the Firebase console make a new key of the service account, and put the whole JSON file there"
        return wrong(what, error.reason.partition(";")[0], mend)


def _directory(flow: Flow, name: str, sql: str, environ: Mapping[str, str]) -> Line:
    what = f"consumers of {flow.id}, {name}"
    try:
        apps({flow.id: replace(flow, push=None)}, environ, 1, "")
        directory = BrandDirectory(environ[name].strip(), sql, PATIENCE)
    except BadVariable as error:
        return _variable(what, error)
    try:
        directory.rows(NOBODY)
    except SendError as error:
        mend = f"check {name}, that its user may read those columns, and the SELECT in the brand's file"
        return wrong(what, error.reason, mend)
    finally:
        directory.close()
    return good(what, "the brand's database answers the SELECT")


def _embedded(flow: Flow, settings: Settings) -> Iterator[Line]:
    """Nothing is said where the database is not there yet, or away: it has its own line."""
    what, mend = f"consumers of {flow.id}", f"python -m ivr consumers import FILE.csv --brand {flow.id}"
    if settings.sqlite and not Path(make_url(settings.database_url).database or "").exists():
        return
    try:
        with opened_once(settings.database_url) as database, database.reads() as tx:
            there = consumers.count(tx, flow.id)
    except (SQLAlchemyError, OSError):
        return
    if there:
        yield good(what, f"{there:,} devices in the embedded directory")
    else:
        yield cannot_tell(what, "the embedded directory is empty, so that nobody gets a push", mend)


def _variable(what: str, error: BadVariable) -> Line:
    found, _, mend = str(error).partition("; ")
    return wrong(what, found, mend.removesuffix(".") or "see docs/push.md and docs/consumers.md")
