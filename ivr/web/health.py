"""Health: is the process there, and could it serve a caller now."""

from flask import Blueprint, Response
from sqlalchemy.exc import SQLAlchemyError

from ivr.store import schema
from ivr.web.guards import runtime

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/readyz")
def readyz() -> Response:
    """200 when a caller could be served, else 503 with the reason."""
    why_not = _why_not_ready()
    return Response(f"{why_not or 'ready'}\n", 503 if why_not else 200, mimetype="text/plain")


def _why_not_ready() -> str | None:
    here = runtime()
    if not here.brands:
        return "no flows are loaded"
    try:
        with here.database.reads() as tx:
            older = schema.state(tx) == "older"
    except SQLAlchemyError as error:
        return f"the database cannot be reached ({type(error).__name__})"
    return "the database's schema is older than this release; run: python -m ivr db upgrade" if older else None
