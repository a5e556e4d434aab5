"""The sandbox's page over HTTP: its files, its news, and what the person does; for this machine's browser alone."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, jsonify, request, send_from_directory

from ivr.sandbox import phones
from ivr.sandbox.desk import Refused
from ivr.sandbox.live import LivePhone
from ivr.sandbox.own_page import problem, refuse_strangers
from ivr.sandbox.scene import TownError

FILES = Path(__file__).parent / "phone_page"
HEARTBEAT = 5.0  # seconds between signs of life, at which a page that is gone is noticed
MOST_BYTES = 1024 * 1024 + 64 * 1024  # a brand's file, and what is around it
LONGEST_HURRY = 30 * 24 * 3600.0  # seconds

# Recordings are the brands' own; everything else is from here.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "media-src https: http:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

Act = Callable[[dict[str, Any]], Any]


def page(live: LivePhone) -> Blueprint:
    blueprint = Blueprint("page", __name__)
    blueprint.before_request(refuse_strangers)
    blueprint.before_request(_from_the_page)
    blueprint.after_request(_guarded)

    @blueprint.get("/phone/")
    @blueprint.get("/phone/<name>")
    def file(name: str = "index.html") -> Response:
        kind = KINDS.get(Path(name).suffix)  # said by us: a machine's own list may lack one, and nosniff is strict
        return send_from_directory(FILES, name, mimetype=kind, max_age=0)

    @blueprint.get("/phone/state")
    def state() -> Response:
        return jsonify(_state(live))

    @blueprint.get("/phone/news")
    def news() -> Response:
        after = request.headers.get("Last-Event-ID") or request.args.get("after", "0")
        return Response(_stream(live, int(after) if after.isdecimal() else 0), mimetype="text/event-stream")

    acts = {**_on_the_phone(live), **_at_the_desk(live), **_in_the_file(live)}

    @blueprint.post("/phone/do/<name>")
    def do(name: str) -> Response:
        return _done(acts.get(name))

    return blueprint


def _on_the_phone(live: LivePhone) -> dict[str, Act]:
    return {
        "dial": lambda given: live.dial(*(str(given[name]) for name in DIALLING)),
        "press": lambda given: live.line().press(str(given["key"]), int(given["during"])),
        "heard": lambda given: live.heard(int(given["id"])),
        "hang-up": lambda given: live.line().hang_up(),
        "hurry": lambda given: live.hurry(max(0.0, min(float(given["seconds"]), LONGEST_HURRY))),
        "text": lambda given: live.text(str(given["brand"]), str(given["body"])),
    }


DIALLING = ("brand", "number", "phone", "twilio", "agents", "desk")


def _at_the_desk(live: LivePhone) -> dict[str, Act]:
    def itself(given: dict[str, Any]) -> None:
        live.answers_itself = bool(given["on"])

    return {
        "answer": lambda given: live.answer(str(given["id"]), str(given["body"])),
        "close": lambda given: live.close(str(given["id"])),
        "itself": itself,
    }


def _in_the_file(live: LivePhone) -> dict[str, Act]:
    return {
        "read": lambda given: live.drafts.shown(str(given["brand"])),
        "write": lambda given: live.drafts.write(str(given["brand"]), str(given["text"])),
        "save": lambda given: live.drafts.save(str(given["brand"])),
        "undo": lambda given: live.drafts.undo(str(given["brand"])),
    }


def _done(act: Act | None) -> Response:
    given = request.get_json(silent=True)
    if act is None or not isinstance(given, dict):
        return problem("The sandbox does not understand this page; load it again.", 400)
    try:
        return jsonify(act(given) or {})
    except (KeyError, TypeError, ValueError):
        return problem("The sandbox does not understand this page; load it again.", 400)
    except TownError as error:
        return problem(str(error), 409)
    except Refused:
        return problem("This conversation is closed.", 409)


def _state(live: LivePhone) -> dict[str, Any]:
    return {
        "brands": [phones.shown(flow) for flow in live.drafts.flows.values()],
        "choices": phones.choices(),
        "itself": live.answers_itself,
        "ahead": live.now().isoformat(),
        "last": live.news.last,
    }


def _stream(live: LivePhone, after: int) -> Iterator[str]:
    yield "retry: 500\n\n"
    while True:
        items = live.news.after(after, HEARTBEAT)
        for number, item in items:
            after = number
            yield f"id: {number}\ndata: {item}\n\n"
        if not items:
            yield ": \n\n"


def _from_the_page() -> Response | None:
    """A browser names the origin of whatever it posts."""
    if request.method == "POST" and "Origin" not in request.headers:
        return problem("Only the sandbox's own page may ask this.", 403)
    if (request.content_length or 0) > MOST_BYTES:
        return problem("That is more than a brand's file may be: 1 MB.", 413)
    return None


def _guarded(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store"
    return response
