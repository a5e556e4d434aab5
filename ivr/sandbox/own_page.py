"""Who may ask the sandbox: pages of its own and programs of this machine, never another site's page."""

from urllib.parse import urlsplit

from flask import Response, jsonify, request

OURS = ("127.0.0.1", "localhost")  # a name that somebody else points here is not


def refuse_strangers() -> Response | None:
    """403 for another origin, and for another name of this machine, by which a page could make itself ours."""
    host, origin = urlsplit(f"//{request.host}").hostname, request.headers.get("Origin")
    if host not in OURS or origin not in (None, f"http://{request.host}"):
        return problem("Only the sandbox's own page may ask this.", 403)
    return None


def problem(what: str, status: int) -> Response:
    answer = jsonify({"problem": what})
    answer.status_code = status
    return answer
