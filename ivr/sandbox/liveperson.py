"""LivePerson's Connector API over HTTP: discovery, tokens, opening, sending, files; and the bad days it can have."""

import socket
from functools import partial
from itertools import count
from threading import Event
from typing import Any

from flask import Blueprint, Response, jsonify, request

from ivr.sandbox import history, send_api, tokens
from ivr.sandbox.desk import Desk

SERVICES = (
    "sentinel",
    "idp",
    "asyncMessagingEnt",
    "swift",
    "msgHist",
    "accountConfigReadOnly",
    "accountConfigReadWrite",
    "shiftstatus",
    "smt",
    "agentVep",
)
CONVERSATION = "/api/account/<account>/messaging/consumer/conversation"


def liveperson_api(desk: Desk) -> Blueprint:
    """Every service on one host: discovery names the host that was asked."""
    blueprint = Blueprint("liveperson", __name__)
    numbers = count(1)

    @blueprint.before_request
    def record() -> None:
        _record(desk)

    @blueprint.get("/api/account/<account>/service/baseURI.json", defaults={"name": None})
    @blueprint.get("/api/account/<account>/service/<name>/baseURI.json")
    def service(account: str, name: str | None) -> Response:
        return _discovered(desk, account, name)

    @blueprint.post("/sentinel/api/account/<account>/app/token")
    def token(account: str) -> Response:
        return _app_jwt(desk, account, f"appjwt-{next(numbers)}")

    @blueprint.post("/api/account/<account>/consumer")
    def consumer(account: str) -> Response:
        return _consumer_jws(desk, account, f"jws-{next(numbers)}")

    @blueprint.post(CONVERSATION)
    def opened(account: str) -> Response:
        return _answer(desk, account, desk.next_day(sends=False), send_api.open_conversation)

    @blueprint.post(f"{CONVERSATION}/send")
    def sent(account: str) -> Response:
        return _answer(desk, account, desk.next_day(sends=True), send_api.send)

    search = "/messaging_history/api/account/<account>/conversations/search"
    blueprint.add_url_rule(search, "searched", partial(_searched, desk), methods=["POST"])

    @blueprint.get("/<path:path>")
    def file(path: str) -> Response:
        return _file(desk, f"/{path}")

    return blueprint


def _record(desk: Desk) -> None:
    raw = request.get_data(as_text=True)
    body: Any = request.get_json(silent=True) if request.is_json else request.form.to_dict() or raw
    desk.requests.append(
        {
            "method": request.method,
            "path": request.path,
            "query": request.args.to_dict(),
            "headers": dict(request.headers),
            "body": raw if body is None else body,
            "at": desk.now(),
        }
    )


def _discovered(desk: Desk, account: str, name: str | None) -> Response:
    """One service, or all of them; names are case-sensitive."""
    if request.args.get("version") != "1.0":
        return _json(400, {"error": "version is missing"})
    if account != desk.account:
        return _json(401, {"error": "no such account"})
    found = [
        {"service": each, "account": account, "baseURI": request.host} for each in SERVICES if name in (None, each)
    ]
    if not found:
        return _json(400, {"error": f"{name}: no such service"})
    return jsonify(found[0] if name else {"baseURIs": found})


def _app_jwt(desk: Desk, account: str, key_id: str) -> Response:
    """Parameters may be in the query or in the form."""
    if request.values.get("v") != "1.0" or request.values.get("grant_type") != "client_credentials":
        return _json(400, {"error": "unsupported_grant_type"})
    given = [account, request.values.get("client_id", ""), request.values.get("client_secret", "")]
    if given != [desk.account, desk.client_id, desk.client_secret]:
        return _json(401, {"error": "invalid_client"})
    now = int(desk.now())
    claims = {"aud": account, "azp": desk.client_id, "scope": "msg.consumer", "iss": "Sentinel", "iat": now}
    claims["exp"] = now + desk.token_lives
    return jsonify({"access_token": tokens.issue(key_id, claims, desk.client_secret), "token_type": "Bearer"})


def _consumer_jws(desk: Desk, account: str, key_id: str) -> Response:
    problem = _app_jwt_problem(desk, account)
    if problem:
        return _unauthorized(problem)
    body = request.get_json(silent=True)
    ext_consumer_id = body.get("ext_consumer_id") if isinstance(body, dict) else None
    if request.args.get("v") != "1.0" or not isinstance(ext_consumer_id, str) or not ext_consumer_id:
        return _json(400, {"error": "ext_consumer_id is missing"})
    claims = {"account_id": account, "ext_consumer_id": ext_consumer_id}
    claims["lp_consumer_id"] = desk.lp_consumer_id(ext_consumer_id)
    return _json(201, {"token": tokens.issue(key_id, claims, desk.client_secret)})


def _app_jwt_problem(desk: Desk, account: str) -> int | None:
    """The token stands there raw, without "Bearer"."""
    given = request.headers.get("Authorization", "")
    if not given:
        return 40105
    claims = None if given in desk.void else tokens.read(given, desk.client_secret)
    good = claims and claims.get("iss") == "Sentinel" and claims["aud"] == account and claims["exp"] > desk.now()
    return None if good else 40102


def _consumer(desk: Desk, account: str, day: str) -> tuple[dict[str, Any], int | None]:
    """Whom a request to open or send is made for, or the error that it gets."""
    problem, jws = _app_jwt_problem(desk, account), request.headers.get("X-LP-ON-BEHALF", "")
    if problem == 40105 or not jws:
        return {}, problem if problem == 40105 else 40104
    if day == "expired":
        desk.void.add(request.headers["Authorization"])
    if day == "stranger":
        desk.void.add(jws)
    if problem or day == "expired":
        return {}, 40102
    claims = None if jws in desk.void else tokens.read(jws, desk.client_secret)
    if not claims or "lp_consumer_id" not in claims or claims["account_id"] != account:
        return {}, 40103
    return claims, None


def _answer(desk: Desk, account: str, day: str, take: send_api.Take) -> Response:
    """One request to open or send, on a day of this kind."""
    if day in _REFUSALS:
        return _refusal(day)
    if day == "cut":
        return _cut()
    consumer, problem = _consumer(desk, account, day)
    raw = request.get_data(as_text=True) if request.args.get("v") == "3" else ""
    answer = _unauthorized(problem) if problem else _json(*take(desk, consumer, raw, day))
    if day == "drop":
        return _cut()
    if day in desk.delays:
        Event().wait(desk.delays[day])
    return Response(b"", 200) if day == "empty" else answer


def _searched(desk: Desk, account: str) -> Response:
    """The account's records, on a day of their own."""
    day = desk.history.next_day()
    if day in _REFUSALS:
        return _refusal(day)
    if day == "cut":
        return _cut()
    opened = [history.record(conversation) for conversation in desk.conversations]
    asked = history.Asked(request.url, request.args.to_dict(), dict(request.headers), request.get_json(silent=True))
    return _json(*desk.history.search(asked, account == desk.account, opened))


_REFUSALS = ("busy", "busy-bare", "error", "gateway")


def _refusal(day: str) -> Response:
    if day == "gateway":
        return Response("<html><body>503 Service Unavailable</body></html>", 503, mimetype="text/html")
    if day == "error":
        return _json(500, {"code": "INTERNAL_SERVER_ERROR", "body": {"msg": "Internal Server Error"}})
    answer = _json(429, {"code": "TOO_MANY_REQUESTS", "body": {"msg": "Too Many Requests"}})
    if day == "busy":
        answer.headers["Retry-After"] = "2"
    return answer


def _cut() -> Response:
    """The connection ends here, whatever would have been answered."""
    request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return Response(b"", 200)


def _file(desk: Desk, path: str) -> Response:
    """A hosted file, at the URL that was handed out for it a minute ago at most."""
    content = desk.storage.files.get(path)
    if content is None:
        return Response("Not Found", 404)
    if not desk.storage.allows(path, request.args.to_dict(), desk.now()):
        return Response("401 Unauthorized: Temp URL invalid", 401)
    return Response(content, mimetype="image/png")


def _unauthorized(code: int) -> Response:
    return _json(*send_api.authorization_error(code))


def _json(status: int, value: Any) -> Response:
    answer = jsonify(value)
    answer.status_code = status
    return answer
