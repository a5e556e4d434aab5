"""Twilio's REST API for texts: create, list, fetch; with its errors, and the bad days it can have."""

import base64
import hmac
import socket
from collections.abc import Callable
from threading import Event
from typing import Any

from flask import Blueprint, Response, jsonify, request

from ivr import numbers
from ivr.sandbox.carrier import Carrier, Refused

# The bad days. "down" is not here: nobody listens then.
DAYS = ("up", "strict", "slow", "busy", "error", "gateway", "refusing", "drop", "empty")
SLOW_SECONDS = 4.0


def messages_api(carrier: Carrier, day: Callable[[], str], account_sid: str, auth_token: str) -> Blueprint:
    """`day`: the kind of day Twilio has at the moment, one of DAYS."""
    blueprint = Blueprint("messages", __name__, url_prefix=f"/2010-04-01/Accounts/{account_sid}")
    credentials = base64.b64encode(f"{account_sid}:{auth_token}".encode()).decode()

    @blueprint.before_request
    def authenticate() -> Response | None:
        given = request.headers.get("Authorization", "")
        if day() == "refusing" or not hmac.compare_digest(given, f"Basic {credentials}"):
            return _error(401, 20003, "Authenticate")
        return None

    @blueprint.post("/Messages.json")
    def create() -> Response:
        return _created(carrier, day())

    @blueprint.get("/Messages.json")
    def listed() -> Response:
        wanted = {name: request.args[name] for name in ("To", "From") if name in request.args}
        found = [text for text in reversed(carrier.texts) if _matches(text, wanted)]
        return jsonify({"messages": found, "page": 0, "page_size": 50, "next_page_uri": None})

    @blueprint.get("/Messages/<sid>.json")
    def fetched(sid: str) -> Response:
        for text in carrier.texts:
            if text["sid"] == sid:
                return jsonify(text)
        return _error(404, 20404, f"The requested resource {request.path} was not found")

    return blueprint


def _created(carrier: Carrier, day: str) -> Response:
    if day == "busy":
        answer = _error(429, 20429, "Too Many Requests")
        answer.headers["Retry-After"] = "2"
        return answer
    if day == "error":
        return _error(500, 20500, "Internal Server Error")
    if day == "gateway":
        return Response("<html><body>503 Service Unavailable</body></html>", 503, mimetype="text/html")
    try:
        text = carrier.accept(dict(request.form.items()))
    except Refused as refused:
        return _error(400, refused.code, str(refused))
    if day == "drop":  # the text is taken, the connection cut before the answer
        request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    if day == "empty":
        return Response(b"", 200)
    if day == "slow":
        Event().wait(SLOW_SECONDS)
    answer = jsonify(text)
    answer.status_code = 201
    return answer


def _matches(text: dict[str, Any], wanted: dict[str, str]) -> bool:
    for name, value in wanted.items():
        number = numbers.read(value)
        if text[name.lower()] != (number.e164 if number else value):
            return False
    return True


def _error(status: int, code: int, message: str) -> Response:
    answer = jsonify(
        {"code": code, "message": message, "more_info": f"https://www.twilio.com/docs/errors/{code}", "status": status}
    )
    answer.status_code = status
    return answer
