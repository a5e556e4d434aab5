"""The dashboard's entrance: who may in, how wrong passwords are slowed down, whether a form is of our own page."""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import Response, request, url_for
from itsdangerous import BadSignature, URLSafeTimedSerializer

from ivr import log
from ivr.web.guards import BODY_SECONDS, MAX_BODY, read_body, runtime, too_large

COOKIE = "ivr_dashboard"
LASTS = 12 * 3600  # seconds
EVERYBODY = "operator"  # who has the one password

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Visitor:
    name: str
    token: str  # what every form of theirs carries


View = Callable[..., Response]
Form = Mapping[str, str]


def visitors_only(view: View) -> View:
    """Let who is logged in through to `view(visitor, …)`; to the login else. Without a password: 404."""

    @wraps(view)
    def guarded(**values: Any) -> Response:
        if not runtime().settings.dashboard_passwords:
            return nothing_here()
        visitor = _visitor()
        if visitor is None:
            # Only a page is come back to: what a form did is not done again unseen.
            then = request.full_path.rstrip("?") if request.method == "GET" else None
            return _redirect(url_for("dashboard.login", then=then))
        return view(visitor, **values)

    guarded.guard = "dashboard"  # type: ignore[attr-defined]
    return guarded


def visitors_form(view: View) -> View:
    """Let a form of our own page, sent by who is logged in, through to `view(visitor, form, …)`; 403 for any other."""

    @wraps(view)
    def guarded(**values: Any) -> Response:
        if not runtime().settings.dashboard_passwords:
            return nothing_here()
        form, visitor = own_form(), _visitor()
        if isinstance(form, Response):
            return form
        if visitor is None or not _same(form.get("token", ""), visitor.token):
            log.warning("dashboard_refused", path=request.path[:100], reason="not logged in, or no token")
            return refused("This form is not of a page you are logged in to; go back, reload it and try again.")
        return view(visitor, form, **values)

    guarded.guard = "dashboard"  # type: ignore[attr-defined]
    return guarded


def own_form() -> Form | Response:
    """The form that was sent, or why it is not read: too large, too slow, from another site."""
    if (request.content_length or 0) > MAX_BODY:
        return too_large("too large")
    try:
        body = read_body(MAX_BODY, BODY_SECONDS)
    except TimeoutError:
        return Response("too slow", 408, mimetype="text/plain")
    if len(body) > MAX_BODY:
        return too_large("too large")
    if not _from_here():
        log.warning("dashboard_refused", path=request.path[:100], reason="from another site")
        return refused("This form came from another site.")
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def enter(form: Form) -> Visitor | float:
    """Who gave the right password; else the seconds until another may be tried, 0 where one may at once."""
    name = form.get("name", "") if named() else EVERYBODY
    opened, wait = opens("login", name, form.get("password", ""))
    if opened:
        log.event("dashboard_login", who=name)
        return Visitor(name, secrets.token_urlsafe(16))
    if not wait:
        log.warning("dashboard_login_failed", address=_address())
    return wait


def opens(door: str, name: str, password: str) -> tuple[bool, float]:
    """Whether a name and password open a door of ours, and the seconds until one is looked at where none is now."""
    # A name that nobody has takes as long as one that somebody has.
    right = _same(password, runtime().settings.dashboard_passwords.get(name, secrets.token_hex(16)))
    wait = runtime().tries.looked_at(door, _address(), right)
    return right and not wait, wait


def named() -> bool:
    """Whether people have passwords of their own."""
    return set(runtime().settings.dashboard_passwords) != {EVERYBODY}


def let_in(visitor: Visitor, answer: Response) -> Response:
    cookie = _signer(visitor.name).dumps([visitor.name, visitor.token])
    secure = runtime().settings.public_url.startswith("https:")
    answer.set_cookie(
        COOKIE, f"{visitor.name}|{cookie}", LASTS, path="/dashboard", secure=secure, httponly=True, samesite="Lax"
    )
    return answer


def let_out(answer: Response) -> Response:
    answer.delete_cookie(COOKIE, path="/dashboard")
    return answer


def nothing_here() -> Response:
    return Response("not found", 404, mimetype="text/plain")


def refused(why: str) -> Response:
    return Response(f"{why}\n", 403, mimetype="text/plain")


def _redirect(to: str) -> Response:
    return Response(status=303, headers={"Location": to})


def _visitor() -> Visitor | None:
    name, _, cookie = request.cookies.get(COOKIE, "").partition("|")
    if name not in runtime().settings.dashboard_passwords:
        return None
    try:
        signed, token = _signer(name).loads(cookie, max_age=LASTS)
    except (BadSignature, ValueError, TypeError):
        return None
    return Visitor(name, token) if signed == name and isinstance(token, str) else None


def _signer(name: str) -> URLSafeTimedSerializer:
    """Of one name and its password: another password ends every session that the old one opened."""
    settings = runtime().settings
    password = settings.dashboard_passwords[name]
    key = hmac.digest(settings.secret_key.encode(), f"dashboard {name} {password}".encode(), "sha256")
    return URLSafeTimedSerializer(key, salt="dashboard", signer_kwargs={"digest_method": hashlib.sha256})


def _from_here() -> bool:
    """Browsers say where a form comes from; who says nothing is no browser, and has no cookie of one."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    own = {request.host, urlsplit(runtime().settings.public_url).netloc}
    return urlsplit(origin).netloc in own


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), right.encode("utf-8", "replace"))


def _address() -> str:
    """Who asks; behind a router the last address is the one that it saw itself."""
    forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return forwarded[:64] or request.remote_addr or "?"
