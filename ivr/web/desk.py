"""Desks: what agents write, and how their conversations change. Rows first, answered at once."""

import json
from collections import Counter
from itertools import groupby

from flask import Blueprint, Response
from sqlalchemy.exc import SQLAlchemyError

from ivr import log
from ivr.clients import liveperson_events
from ivr.relay import agent, own_desk
from ivr.web.guards import desk_signed, liveperson_signed, runtime

blueprint = Blueprint("desk", __name__)


@blueprint.errorhandler(SQLAlchemyError)
def not_now(error: SQLAlchemyError) -> Response:
    """Nothing is taken that cannot be written; LivePerson keeps it and asks again."""
    log.error("desk_event_not_taken", error)
    return Response("not now", 503, mimetype="text/plain")


@blueprint.post("/desk/liveperson")
@liveperson_signed
def liveperson(body: bytes) -> Response:
    """LivePerson's webhooks, of the whole account: events of consumers that are not ours are dropped."""
    here = runtime()
    try:
        raw = list(liveperson_events.raw_events(body))
    except ValueError as error:  # asking again would bring the same
        log.warning("desk_event_unreadable", reason=str(error)[:100])
        return Response("", 200)
    came: Counter[str] = Counter()
    # A transaction each: two webhooks with the same conversations in another order must not wait for each other.
    for _, events in groupby(sorted(raw, key=liveperson_events.conversation), key=liveperson_events.conversation):
        with here.database.writes() as tx:
            came.update(agent.heard(tx, one, here.listener) for one in list(events))
    if set(came) - {"foreign", "ignored"}:
        here.bell.ring()
        log.event("desk_event", **came)
    return Response("", 200)


@blueprint.post("/desk/<brand>")
@desk_signed
def own(body: bytes, brand: str) -> Response:
    """A brand's own desk, as docs/desk.md has it."""
    here = runtime()
    try:
        with here.database.writes() as tx:
            name = own_desk.taken(tx, brand, body, here.listener)
    except own_desk.NotUnderstood as error:
        return _json({"error": str(error)}, 400)
    except own_desk.NoConversation:
        return _json({"error": "this brand has no such conversation"}, 404)
    here.bell.ring()
    log.event("desk_event", brand=brand)
    return _json({"id": name, "state": "taken"})


def _json(value: dict[str, str], status: int = 200) -> Response:
    return Response(json.dumps(value, ensure_ascii=False) + "\n", status, mimetype="application/json")
