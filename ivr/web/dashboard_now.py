"""The dashboard, now: last calls, what waits or was given up, the desks; and one call's whole story."""

from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy.exc import SQLAlchemyError

from ivr import log, numbers
from ivr.funnel import story
from ivr.funnel.reasons import reason
from ivr.store import api_events, outbox, watch
from ivr.web.dashboard import go, not_now, page, table
from ivr.web.entrance import Form, Visitor, visitors_form, visitors_only
from ivr.web.guards import runtime

blueprint = Blueprint("dashboard_now", __name__)
blueprint.register_error_handler(SQLAlchemyError, not_now)

LAST_CALLS = 25
MOST_WAITING = 25
MOST_IN_CSV = 5_000  # of each kind


@blueprint.get("/dashboard/now")
@visitors_only
def now(visitor: Visitor) -> Response:
    here = runtime()
    at = here.now()
    with here.database.reads() as tx:
        calls, standing = watch.last_calls(tx, LAST_CALLS), watch.standing(tx)
        unfinished, dead = watch.unfinished(tx, MOST_WAITING), watch.dead(tx, MOST_WAITING)
        desks = [
            (brand, each.flow.relays_to or "native or none", watch.desk(tx, brand, at))
            for brand, each in here.brands.items()
        ]
    return page(
        "now.html",
        visitor,
        at=at,
        calls=[(call, numbers.masked(call.caller), [_became(offer) for offer in offers]) for call, offers in calls],
        standing={
            "dead": sum(many for state, _, many, _ in standing if state == "dead"),
            "unfinished": sum(many for state, _, many, _ in standing if state != "dead"),
        },
        most=MOST_WAITING,
        most_in_csv=MOST_IN_CSV,
        unfinished=unfinished,
        dead=dead,
        desks=desks,
        masked=numbers.masked,
        reason=reason,
        full=numbers.full,
        requeued=request.args.get("requeued", "")[:32],
    )


@blueprint.get("/dashboard/calls.csv")
@visitors_only
def calls_csv(visitor: Visitor) -> Response:
    here = runtime()
    with here.database.reads() as tx:
        calls = watch.last_calls(tx, 1000)
    rows = [
        [
            call.started_at,
            call.brand,
            call.entry,
            numbers.masked(call.caller),
            call.dialled,
            call.call_sid,
            "; ".join(_became(offer) for offer in offers),
        ]
        for call, offers in calls
    ]
    return table("calls", [["at", "brand", "entry", "caller", "dialled", "call", "became"], *rows])


@blueprint.get("/dashboard/waiting.csv")
@visitors_only
def waiting_csv(visitor: Visitor) -> Response:
    here = runtime()
    with here.database.reads() as tx:
        found = [*watch.unfinished(tx, MOST_IN_CSV), *watch.dead(tx, MOST_IN_CSV)]
    rows = [[*row[:-1], numbers.masked(row.number)] for row in found]
    return table("waiting", [[*watch.WAITING, "number"], *rows])


@blueprint.post("/dashboard/messages/<message_id>/requeue")
@visitors_form
def requeue(visitor: Visitor, form: Form, message_id: str) -> Response:
    """A text that was given up is tried again, as `worker --requeue` does it."""
    here = runtime()
    with here.database.writes() as tx:
        again = outbox.requeue(tx, message_id.replace("\0", ""), here.now())
        if again:
            api_events.text_changed(tx, message_id, "pending", here.now())
    if not again:
        words = "This text is not given up any more; somebody else may have let it be tried again."
        return page("message.html", visitor, 409, title="Nothing to do", words=words)
    here.bell.ring()
    log.event("text_requeued", message=message_id, who=visitor.name)
    return go("dashboard_now.now", requeued=message_id, _anchor="given-up")


# Another IVR's id of a call may be anything: in a path it might lead elsewhere.
@blueprint.get("/dashboard/call")
@visitors_only
def call(visitor: Visitor) -> Response:
    return _story(visitor, request.args.get("id", ""), shown=False)


@blueprint.post("/dashboard/call")
@visitors_form
def unmasked(visitor: Visitor, form: Form) -> Response:
    """Whole numbers and words, once, for who asks; that they did is logged."""
    log.event("call_unmasked", call=form.get("id", "")[:64], who=visitor.name)
    return _story(visitor, form.get("id", ""), shown=True)


@blueprint.get("/dashboard/call.csv")
@visitors_only
def call_csv(visitor: Visitor) -> Response:
    here = runtime()
    with here.database.reads() as tx:
        found = watch.story(tx, request.args.get("id", "").replace("\0", ""))
    if found is None:
        return page("message.html", visitor, 404, title="No such call", words="No call has this id.")
    return table("story", story.as_rows(story.timeline(found, shown=False)))


def _story(visitor: Visitor, call_sid: str, shown: bool) -> Response:
    here = runtime()
    with here.database.reads() as tx:
        found = watch.story(tx, call_sid.replace("\0", ""))
    if found is None:
        return page("message.html", visitor, 404, title="No such call", words="No call has this id.")
    events = story.timeline(found, shown)
    return page("story.html", visitor, call=found.call, call_sid=call_sid, events=events, shown=shown)


def _became(offer: Any) -> str:
    """What came of an offer, in few words."""
    if offer.accepted_at is None:
        return f"{offer.branch}: offered"
    if offer.state:
        code = f" ({offer.error_code})" if offer.error_code else ""
        return f"{offer.branch}: text {offer.state}{code}"
    return f"{offer.branch}: {'no text, ' + offer.refused if offer.refused else 'accepted'}"
