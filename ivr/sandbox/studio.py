"""Twilio Studio's REST API, simulated: flows and their revisions, its validator's errors, and bad days to plant."""

import base64
import hmac
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Response, jsonify, request

from ivr.studio.check import check
from ivr.studio.definition import path

Flow = dict[str, Any]


@dataclass(slots=True)
class SimulatedStudio:
    """`days`: what becomes of the next requests: up, busy, error, refusing, conflict, edited; up when it is empty.

    "edited": somebody saves in the Console, just before the request is taken.
    """

    sid: str
    auth_token: str
    flows: dict[str, list[Flow]] = field(default_factory=dict)  # by SID, each revision
    days: deque[str] = field(default_factory=deque)
    retry_after: str = "2"
    strict: Callable[[Any], list[tuple[str, str]]] = lambda _definition: []  # what Twilio finds and we do not
    asked: list[str] = field(default_factory=list)  # method and path of each request
    edits: str = ""  # the flow that is saved on an "edited" day; the one that is asked for unless said

    def edit(self, sid: str, definition: Any) -> Flow:
        """What a person does in the Console: a revision without a commit message."""
        return self._revise(sid, {"status": "draft", "definition": definition, "commit_message": None})

    def create(self, fields: Flow) -> Flow:
        sid = f"FW{len(self.flows) + 1:032x}"
        self.flows[sid] = []
        return self._revise(sid, fields)

    def _revise(self, sid: str, fields: Flow) -> Flow:
        before = self.flows[sid][-1] if self.flows[sid] else {}
        webhook = f"https://webhooks.twilio.com/v1/Accounts/{self.sid}/Flows/{sid}"
        kept = {"sid": sid, "account_sid": self.sid, "webhook_url": webhook, "valid": True, "errors": []}
        self.flows[sid].append({**before, **kept, **fields, "revision": len(self.flows[sid]) + 1})
        return self.flows[sid][-1]


def studio_api(studio: SimulatedStudio) -> Blueprint:
    """studio.twilio.com, as far as this project asks it."""
    blueprint = Blueprint("studio", __name__, url_prefix="/v2/Flows")
    credentials = "Basic " + base64.b64encode(f"{studio.sid}:{studio.auth_token}".encode()).decode()

    @blueprint.before_request
    def allowed() -> Response | None:
        studio.asked.append(f"{request.method} {request.path}")
        day = studio.days.popleft() if studio.days else "up"
        if day == "refusing" or not hmac.compare_digest(request.headers.get("Authorization", ""), credentials):
            return _error(401, 20003, "Authenticate")
        if day == "edited":
            sid = studio.edits or request.path.rsplit("/", 1)[-1]
            words = json.loads(json.dumps(studio.flows[sid][-1]["definition"]))
            studio.edit(sid, {**words, "description": "changed in the Console"})
        return _bad_day(studio, day)

    @blueprint.post("/Validate")
    def validated() -> Response:
        return _faults(studio) or jsonify({"valid": True})

    @blueprint.post("")
    def created() -> Response:
        if refused := _faults(studio):
            return refused
        answer = jsonify(studio.create(_fields()))
        answer.status_code = 201
        return answer

    @blueprint.route("/<sid>", methods=["GET", "POST"])
    def one(sid: str) -> Response:
        if sid not in studio.flows:
            return _error(404, 20404, f"The requested resource /v2/Flows/{sid} was not found")
        if request.method == "GET":
            return jsonify(studio.flows[sid][-1])
        return _faults(studio) or jsonify(studio._revise(sid, _fields()))

    return blueprint


def _bad_day(studio: SimulatedStudio, day: str) -> Response | None:
    if day == "busy":
        answer = _error(429, 20429, "Too Many Requests")
        answer.headers["Retry-After"] = studio.retry_after
        return answer
    if day == "error":
        return _error(500, 20500, "Internal Server Error")
    if day == "conflict":
        return _error(409, 20409, "The flow was changed by another request")
    return None


def _fields() -> Flow:
    names = {"FriendlyName": "friendly_name", "Status": "status", "CommitMessage": "commit_message"}
    fields: Flow = {name: request.form[sent] for sent, name in names.items() if sent in request.form}
    return {"commit_message": None, **fields, "definition": json.loads(request.form["Definition"])}


def _faults(studio: SimulatedStudio) -> Response | None:
    """81022 with the path of each fault, as Twilio's validator says it."""
    try:
        definition = json.loads(request.form.get("Definition", ""))
    except ValueError:
        return _error(400, 81022, "Flow definition is invalid", [("#", "string found, object expected")])
    if request.form.get("Status") not in ("draft", "published"):
        return _error(400, 20001, "Status must be draft or published")
    found = [(path(each.where), each.message) for each in check(definition) if each.severity == "error"]
    found += studio.strict(definition)
    return _error(400, 81022, "Flow definition is invalid", found) if found else None


def _error(status: int, code: int, message: str, found: list[tuple[str, str]] | None = None) -> Response:
    more = f"https://www.twilio.com/docs/errors/{code}"
    body: dict[str, Any] = {"code": code, "message": message, "more_info": more, "status": status}
    if found is not None:
        body["details"] = {"errors": [{"message": said, "property_path": where} for where, said in found]}
    answer = jsonify(body)
    answer.status_code = status
    return answer
