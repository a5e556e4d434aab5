"""Twilio's REST API for texts: create, list, fetch; with its errors, and the bad days it can have."""

import base64
import hmac
import socket
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, request

from ivr import numbers
from ivr.lookalikes import plain
from ivr.sandbox.carrier import Carrier, Refused
from ivr.sandbox.late import Timer, later

# The kinds of day. "down" is not here: nobody listens then.
DAYS = {
    "up": "takes every text",
    "strict": "takes E.164 destinations alone",
    "slow": "takes it, answers after 4 s",
    "late": "takes it, answers after 17 s, when nobody listens any more",
    "hang": "takes nothing, answers nothing for 17 s",
    "drop": "takes it, cuts the connection before the answer",
    "cut": "cuts the connection, takes nothing",
    "busy": "429 with Retry-After",
    "busy-bare": "429 without",
    "error": "500",
    "gateway": "503 with a page of HTML",
    "refusing": "401",
    "empty": "takes it, answers 200 with nothing",
    "trial": "takes it, a trial account's sentence before it",
    "smart": "takes it, curly characters made plain",
}
SECONDS = {"slow": 4.0, "late": 17.0, "hang": 17.0}
TRIAL = "Sent from your Twilio trial account - "


class Weather:
    """A script of days, "busy,busy,up": one a request to send, the last one from then on."""

    def __init__(self, script: str = "up") -> None:
        self.set(script)

    def set(self, script: str) -> None:
        self._days = deque(script.split(","))

    def day(self) -> str:
        return self._days[0]

    def next_day(self) -> str:
        return self._days.popleft() if len(self._days) > 1 else self._days[0]


def messages_api(
    carrier: Carrier, weather: Weather, account_sid: str, auth_token: str, seconds: Mapping[str, float] = SECONDS
) -> Blueprint:
    """`seconds`: how late the answers of a late day are. They need a server that hands its connections over."""
    timer = Timer()
    blueprint = Blueprint("messages", __name__, url_prefix=f"/2010-04-01/Accounts/{account_sid}")
    credentials = base64.b64encode(f"{account_sid}:{auth_token}".encode()).decode()

    @blueprint.before_request
    def authenticate() -> Response | None:
        given = request.headers.get("Authorization", "")
        if weather.day() == "refusing" or not hmac.compare_digest(given, f"Basic {credentials}"):
            return _error(401, 20003, "Authenticate")
        return None

    @blueprint.post("/Messages.json")
    def create() -> Response:
        day = weather.next_day()
        answer = _created(carrier, day)
        return later(timer, seconds[day], answer) if answer is None or day in seconds else answer

    @blueprint.get("/Messages.json")
    def listed() -> Response:
        wanted = {name: request.args[name] for name in ("To", "From") if name in request.args}
        found = [text for text in carrier.listed() if _matches(text, wanted)]
        return jsonify({"messages": found, "page": 0, "page_size": 50, "next_page_uri": None})

    @blueprint.get("/Messages/<sid>.json")
    def fetched(sid: str) -> Response:
        for text in carrier.texts:
            if text["sid"] == sid:
                return jsonify(text)
        return _error(404, 20404, f"The requested resource {request.path} was not found")

    return blueprint


def _created(carrier: Carrier, day: str) -> Response | None:
    """The answer; None for one that never comes."""
    if day in _REFUSALS:
        return _refusal(day)
    if day == "hang":
        return None
    if day == "cut":
        return _cut()
    try:
        text = carrier.accept(dict(request.form.items()), _CHANGES.get(day, str))
    except Refused as refused:
        return _error(400, refused.code, str(refused))
    if day == "drop":
        return _cut()
    if day == "empty":
        return Response(b"", 200)
    answer = jsonify(text)
    answer.status_code = 201
    return answer


_CHANGES: dict[str, Callable[[str], str]] = {"trial": lambda body: TRIAL + body, "smart": plain}
_REFUSALS = ("busy", "busy-bare", "error", "gateway")


def _refusal(day: str) -> Response:
    if day == "gateway":
        return Response("<html><body>503 Service Unavailable</body></html>", 503, mimetype="text/html")
    if day == "error":
        return _error(500, 20500, "Internal Server Error")
    answer = _error(429, 20429, "Too Many Requests")
    if day == "busy":
        answer.headers["Retry-After"] = "2"
    return answer


def _cut() -> Response:
    """The connection ends here, whatever would have been answered."""
    request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return Response(b"", 200)


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
