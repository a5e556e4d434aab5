"""Another IVR's door: may this number be texted, text it, what became of it. Rows first, answered at once."""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, request
from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from ivr import invitation, log, numbers
from ivr.deflection import Attempted
from ivr.delivery.beforehand import Device
from ivr.flow.desk import known_elsewhere
from ivr.flow.model import Branch, Flow
from ivr.private import names_private
from ivr.runtime import Runtime
from ivr.store import invitations
from ivr.store.api_tables import CALL_PREFIX
from ivr.store.calls import Call
from ivr.store.invitations import Became, Invitation
from ivr.web import api_document, api_shown
from ivr.web.api_guard import PROBLEM, ApiError, Asker, invalid, keyed
from ivr.web.api_shapes import DeflectionList, DeflectionRequest, EligibilityRequest, ListQuery, Whom, Wrong
from ivr.web.guards import runtime

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
M = TypeVar("M", bound=BaseModel)

A_DAY, CLOCKS_DIFFER = timedelta(days=1), timedelta(minutes=5)
LONGEST_NAME = 255  # characters of an Idempotency-Key


def answer_in_problems(app: Flask) -> None:
    """What no route of the API takes is answered in its way, too."""

    def nowhere(error: HTTPException) -> Response | HTTPException:
        if not request.path.startswith("/api/"):
            return error
        if error.code == 405:
            allowed = {"Allow": error.get_response().headers.get("Allow", "")}
            return ApiError(405, "method", "See GET /api/v1/openapi.json.", headers=allowed).response()
        return ApiError(404, "not-found", "See GET /api/v1/openapi.json.").response()

    for code in (404, 405):
        app.register_error_handler(code, nowhere)


@blueprint.errorhandler(SQLAlchemyError)
def not_now(error: SQLAlchemyError) -> Response:
    """Nothing is taken that cannot be written; the same request may be repeated without harm."""
    log.error("api_not_taken", error)
    detail = "The database cannot be reached. Nothing was done; ask again."
    return ApiError(503, "not-now", detail, headers={"Retry-After": "1"}).response()


@blueprint.post("/eligibility")
@keyed
def eligibility(asker: Asker, body: bytes) -> Response:
    """Could this number be texted now? Writes nothing."""
    asked, here = _read(EligibilityRequest, body), runtime()
    flow, branch = _place(asker, asked)
    call = _call(flow, branch, asked, "eligibility", "")
    devices = here.beforehand.invited(flow, branch, asked.number)
    with here.database.reads() as tx:
        found = invitation.eligible(tx, flow, branch, asked.number, _attempt(here, call, devices))
    return _json(api_shown.eligibility(found, branch, here.now()))


@blueprint.post("/deflections")
@keyed
def deflect(asker: Asker, body: bytes) -> Response:
    """The caller said yes: text them, once, however often this is repeated."""
    asked, name, here = _read(DeflectionRequest, body), _idempotency_key(), runtime()
    flow, branch = _place(asker, asked)
    _in_bounds(asked, flow, here.now())
    devices = here.beforehand.invited(flow, branch, asked.number, asked.channel)
    with here.database.writes() as tx:
        kept = invitations.reserve_answer(tx, asker.key, name, _digest(asked), here.now()) if name else None
        if kept is None:
            status, answer = _invited(tx, here, asker, flow, branch, asked, devices)
            if name:
                invitations.keep_answer(tx, asker.key, name, status, answer)
        elif kept.request == _digest(asked):
            status, answer = kept.status, kept.answer
        else:
            detail = "This Idempotency-Key was used within 48 hours for another request."
            raise ApiError(409, "conflict", detail)
    here.bell.ring()
    replayed = {"Idempotent-Replayed": "true"} if kept else None
    return Response(answer, status, replayed, mimetype="application/json" if status < 400 else PROBLEM)


@blueprint.get("/deflections/<name>")
@keyed
def status(asker: Asker, body: bytes, name: str) -> Response:
    """What became of one."""
    here = runtime()
    with here.database.reads() as tx:
        became = invitations.find(tx, name) if len(name) == 32 and name.isalnum() else None
    if became is None or not asker.brands & {became.brand, "*"}:
        raise ApiError(404, "not-found", "Your brands have no such deflection.")
    return _json(api_shown.deflection(became, _flow(here, became)))


@blueprint.get("/deflections")
@keyed
def listed(asker: Asker, body: bytes) -> Response:
    """A brand's, the newest first, a page at a time."""
    here, query = runtime(), _query()
    brand, before = asker.brand(query.brand), _moment(query.cursor) if query.cursor else None
    with here.database.reads() as tx:
        found = invitations.listed(tx, brand, query.branch, before, query.limit + 1)
    page = found[: query.limit]
    following = _cursor(page[-1]) if len(found) > len(page) else None
    shown = [api_shown.deflection(became, _flow(here, became)) for became in page]
    return _json(DeflectionList(deflections=shown, next=following))


@blueprint.get("/openapi.json")
@keyed
def openapi(asker: Asker, body: bytes) -> Response:
    """This API, generated from its shapes."""
    return Response(api_document.written(), mimetype="application/json")


def _invited(
    tx: Connection,
    here: Runtime,
    asker: Asker,
    flow: Flow,
    branch: Branch,
    asked: DeflectionRequest,
    devices: Sequence[Device],
) -> tuple[int, str]:
    call = _call(flow, branch, asked, asked.call_id, asked.dialled or "")
    new = Invitation(here.new_id(), flow.id, asker.key, asked.skill, asked.attributes, asked.webhook)
    yes = invitation.Asked(
        asked.number, asked.consent.prompt, asked.consent.key or "", (asked.called_at or here.now()).astimezone(UTC)
    )
    attempt = replace(
        _attempt(here, call, devices),
        words=asked.message or "",
        told=known_elsewhere(asked.attributes),
        chosen=asked.channel,
        skill=asked.skill,
    )
    became, first = invitation.invite(tx, flow, branch, yes, new, attempt)
    log.event(
        "accepted", deflection=became.id, brand=flow.id, branch=branch.name, refused=became.refused, again=not first
    )
    number, shown = numbers.read(asked.number), api_shown.deflection(became, flow)
    if not first and became.number != (number.e164 if number else None):
        detail = "This call's offer of this branch was accepted already, for another number."
        raise ApiError(409, "conflict", detail, deflection=shown)
    if became.refused:
        words = " ".join(reason.detail for reason in shown.reasons)
        return 422, ApiError(422, "not-eligible", words, deflection=shown).text()
    return 201 if first else 200, shown.model_dump_json() + "\n"


def _call(flow: Flow, branch: Branch, asked: Whom, call_id: str, dialled: str) -> Call:
    return Call(CALL_PREFIX + call_id, flow.id, branch.name, asked.caller or asked.number, dialled)


def _attempt(here: Runtime, call: Call, devices: Sequence[Device]) -> Attempted:
    # The worker sends it: who asks waits for nobody's Twilio, and hears the same whenever it is repeated.
    ours = {*here.numbers, *here.senders}
    return Attempted(call, here.new_id(), here.new_id(), False, here.now(), ours, devices=devices)


def _place(asker: Asker, asked: Whom) -> tuple[Flow, Branch]:
    flow = runtime().brands[asker.brand(asked.brand)].flow
    branch = flow.branches.get(asked.branch)
    if branch is None:
        raise invalid("/branch", f"this brand has no such branch; it has {', '.join(flow.branches)}")
    return flow, branch


def _flow(here: Runtime, became: Became) -> Flow | None:
    brand = here.brands.get(became.brand)
    return brand.flow if brand else None


def _in_bounds(asked: DeflectionRequest, flow: Flow, now: datetime) -> None:
    if asked.channel and asked.channel not in flow.channels:
        raise invalid("/channel", f"this brand has no {asked.channel}; it has {', '.join(flow.channels)}")
    if asked.called_at and not now - A_DAY <= asked.called_at <= now + CLOCKS_DIFFER:
        raise invalid("/called_at", "not within the last 24 hours")
    if asked.webhook and not _leads_outside(asked.webhook):
        raise invalid("/webhook", "is no URL of a host on the internet")


def _leads_outside(url: str) -> bool:
    """As far as the URL itself tells; the address that its name has is judged when it is called."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0 and not names_private(url)
    except ValueError:
        return False


def _idempotency_key() -> str:
    name = request.headers.get("Idempotency-Key", "")
    if len(name) > LONGEST_NAME or not all("!" <= letter <= "~" for letter in name):
        raise invalid("", f"Idempotency-Key is not 1 to {LONGEST_NAME} printable ASCII characters without spaces")
    return name


def _digest(asked: DeflectionRequest) -> str:
    """The same for the same request, however it is written."""
    return hashlib.sha256(json.dumps(asked.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


def _read(shape: type[M], body: bytes) -> M:
    if request.mimetype != "application/json":
        raise ApiError(415, "media-type", "Send Content-Type: application/json.")
    try:
        return shape.model_validate_json(body)
    except ValidationError as error:
        raise _not_as_documented(error) from None


def _query() -> ListQuery:
    try:
        return ListQuery.model_validate(request.args.to_dict())
    except ValidationError as error:
        raise _not_as_documented(error) from None


def _not_as_documented(error: ValidationError) -> ApiError:
    """Where it is wrong and what is allowed; never what was sent."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    if any(fault["type"] == "json_invalid" for fault in faults):
        return ApiError(400, "not-json", "The body cannot be read as JSON.")
    wrong = [Wrong(at="".join(f"/{str(step)[:40]}" for step in fault["loc"]), detail=fault["msg"]) for fault in faults]
    return ApiError(422, "invalid", f"{wrong[0].at or 'The body'}: {wrong[0].detail}", wrong[:20])


def _cursor(last: Became) -> str:
    seen = f"{last.asked_at.isoformat()} {last.id}"
    return base64.urlsafe_b64encode(seen.encode()).decode().rstrip("=")


def _moment(cursor: str) -> tuple[datetime, str]:
    try:
        at, _, seen = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii").partition(" ")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo != UTC or len(seen) != 32 or not seen.isalnum():
            raise ValueError
        return moment, seen
    except (binascii.Error, ValueError):
        raise invalid("/cursor", "is none that `next` gave") from None


def _json(shape: BaseModel) -> Response:
    return Response(shape.model_dump_json() + "\n", mimetype="application/json")
