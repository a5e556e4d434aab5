"""The guards: nothing unsigned gets in. Size first, then the signature over what was sent, then the form."""

import base64
import hmac
import json
import math
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from threading import Condition, Thread
from typing import Any, cast
from urllib.parse import parse_qs, parse_qsl, urlsplit

from flask import Response, current_app, request
from twilio.request_validator import SIGNATURE_HEADER, SIGNATURE_SETTINGS_HEADER

from ivr import log
from ivr.clients import signature
from ivr.runtime import Runtime

MAX_BODY = 64 * 1024
MAX_DESK_BODY = 1024 * 1024
BODY_SECONDS = 3.0
DESK_BODY_SECONDS = 5.0

View = Callable[..., Response]


class Form(dict[str, list[str]]):
    """A form as it was signed: every value of every name."""

    def getlist(self, name: str) -> list[str]:
        return self[name]

    def text(self, name: str, most: int = 200) -> str:
        """The first value of `name`, "" when there is none; without NUL, which PostgreSQL cannot keep."""
        values = self.get(name)
        return values[0].replace("\0", "�")[:most] if values else ""


def runtime() -> Runtime:
    return cast(Runtime, current_app.extensions["ivr"])


def twilio_signed(view: View) -> View:
    """Let a request of our Twilio account through to `view(form, …)`; 413 or 403 for any other."""

    @wraps(view)
    def guarded(**values: Any) -> Response:
        length = request.content_length
        if length is None or length > MAX_BODY:
            return too_large("too large, or no Content-Length")
        try:
            body = read_body(MAX_BODY, BODY_SECONDS)
        except TimeoutError:
            return Response("too slow", 408, mimetype="text/plain")
        with runtime().database.answering():
            form = _form(body)
            why_not = _why_not(form, body)
            return _forbidden(why_not) if why_not else view(form, **values)

    guarded.guard = "twilio"  # type: ignore[attr-defined]
    return guarded


def liveperson_signed(view: View) -> View:
    """Let a webhook of our LivePerson account through to `view(body)`; 413 or 403 for any other."""

    @wraps(view)
    def guarded(**values: Any) -> Response:
        return _of_a_desk(_why_not_liveperson, lambda body: view(body, **values))

    guarded.guard = "liveperson"  # type: ignore[attr-defined]
    return guarded


def desk_signed(view: View) -> View:
    """Let a message of a brand's own desk through to `view(body, brand)`; 413 or 403 for any other."""

    @wraps(view)
    def guarded(brand: str) -> Response:
        return _of_a_desk(lambda body: _why_not_desk(brand, body), lambda body: view(body, brand))

    guarded.guard = "desk"  # type: ignore[attr-defined]
    return guarded


def _why_not_desk(brand: str, body: bytes) -> str | None:
    secret = runtime().desk_secrets.get(brand)
    if secret is None:
        return "this brand has no desk of its own"
    given = request.headers.get(signature.SIGNATURE_HEADER, "")
    return None if signature.verify(secret, given, body, runtime().now()) else "signature"


def _of_a_desk(why_not: Callable[[bytes], str | None], view: Callable[[bytes], Response]) -> Response:
    try:
        body = read_body(MAX_DESK_BODY, DESK_BODY_SECONDS)
    except TimeoutError:
        return Response("too slow", 408, mimetype="text/plain")
    if len(body) > MAX_DESK_BODY:
        return too_large("too large")
    with runtime().database.answering():
        reason = why_not(body)
        return _forbidden(reason) if reason else view(body)


def _forbidden(reason: str) -> Response:
    log.warning("webhook_refused", path=logged_path(), reason=reason)
    return Response("forbidden", 403, mimetype="text/plain")


def _why_not_liveperson(body: bytes) -> str | None:
    settings = runtime().settings
    if not settings.liveperson_client_secret:
        return "LIVEPERSON_CLIENT_SECRET is not set"
    if request.headers.get("x-liveperson-account-id", "") != settings.liveperson_account:
        return "another account"
    mac = hmac.digest(settings.liveperson_client_secret.encode(), body, "sha1")
    right = "sha1=" + base64.b64encode(mac).decode()
    given = request.headers.get("x-liveperson-signature", "")
    return None if hmac.compare_digest(given.encode("utf-8", "replace"), right.encode()) else "signature"


class _Watch:
    """Stops the reading of bodies whose time is up.

    A time-out of the socket bounds one piece, and gunicorn waits for a kilobyte in as many pieces as it comes. One
    thread watches all connections: to start one for each request would cost a call more than its rows do.
    """

    def __init__(self) -> None:
        self._ends: dict[socket.socket, float] = {}
        self._wakes = math.inf
        self._changed = Condition()
        self._thread: Thread | None = None

    @contextmanager
    def reading(self, connection: socket.socket, seconds: float) -> Iterator[None]:
        """Raises TimeoutError, whatever else happened, when reading took longer."""
        with self._changed:
            self._ends[connection] = ends = time.monotonic() + seconds
            if self._thread is None or not self._thread.is_alive():  # none outlives a fork
                self._thread = Thread(target=self._run, name="bodies", daemon=True)
                self._thread.start()
            elif ends < self._wakes:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                in_time = self._ends.pop(connection, None) is not None
            if not in_time:
                raise TimeoutError("the body dripped")

    def _run(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for connection in [each for each, ends in self._ends.items() if ends <= now]:
                    del self._ends[connection]
                    _read_no_more(connection)
                self._wakes = min(self._ends.values(), default=math.inf)
                self._changed.wait(None if self._wakes == math.inf else self._wakes - now)


_watch = _Watch()


def read_body(most: int, seconds: float) -> bytes:
    """The body, at most a byte more than `most`; or TimeoutError: who sends a byte now and then must hold no thread."""
    connection = request.environ.get("gunicorn.socket")
    if connection is None:
        return request.stream.read(most + 1)
    with _watch.reading(connection, seconds):
        return request.stream.read(most + 1)


def too_large(why: str) -> Response:
    connection = request.environ.get("gunicorn.socket")
    if connection is not None:
        _read_no_more(connection)
    return Response(why, 413, mimetype="text/plain")


def leave_unread(answer: Response) -> Response:
    """After every request: nothing without a guard reads a body, however slowly one comes."""
    connection = request.environ.get("gunicorn.socket")
    sent = request.content_length or "Transfer-Encoding" in request.headers
    if connection is not None and sent and not hasattr(current_app.view_functions.get(request.endpoint or ""), "guard"):
        _read_no_more(connection)
    return answer


def _read_no_more(connection: socket.socket) -> None:
    """The answer still goes out; then the connection ends, as gunicorn would else wait for the rest of the body."""
    with suppress(OSError):  # the other side has gone
        connection.shutdown(socket.SHUT_RD)


def logged_path() -> str:
    """The path for the log; digits that could be somebody's number are not in it."""
    return re.sub(r"\d{5,}", "***", request.path[:200])


def _form(body: bytes) -> Form:
    form = Form()
    if request.mimetype == "application/x-www-form-urlencoded":
        for name, value in parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True):
            form.setdefault(name, []).append(value)
    elif request.mimetype == "application/json":
        form.update(_json(body))
    return form


def _json(body: bytes) -> dict[str, list[str]]:
    """The plain values of a JSON object, as if they had come in a form."""
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return {name: [str(value)] for name, value in read.items()} if isinstance(read, dict) else {}


def _why_not(form: Form, body: bytes) -> str | None:
    """Why a request is not let in, for our log only."""
    here = runtime()
    if here.validator is None:
        return "TWILIO_AUTH_TOKEN is not set"
    signature = request.headers.get(SIGNATURE_HEADER)
    if not signature:
        return "no signature"
    if SIGNATURE_SETTINGS_HEADER in request.headers:
        return "signed with a SharedKey, which is not supported; sign with the account's auth token"
    if not _signed(here, form, body, signature):
        return "signature"
    if any(sid != here.settings.twilio_account_sid for sid in form.get("AccountSid", ())):
        return "another account"
    return None


def _signed(here: Runtime, form: Form, body: bytes, signature: str) -> bool:
    validator = here.validator
    assert validator is not None
    environ = request.environ
    # Byte for byte what Twilio requested: Flask decodes the path and the query of request.url.
    url = here.settings.public_url + (environ.get("RAW_URI") or environ.get("REQUEST_URI") or "")
    try:
        if request.mimetype == "application/json":  # signed by its hash in the query; the library needs one there
            hashed = "bodySHA256" in parse_qs(urlsplit(url).query)
            return hashed and bool(validator.validate(url, body.decode("utf-8", "replace"), signature))
        # First the very URL, as nearly every request is signed: the library hashes the form with and without its port.
        if hmac.compare_digest(validator.compute_signature(url, form).encode(), signature.encode()):
            return True
        return bool(validator.validate(url, form, signature))
    except ValueError:  # a port out of range in an absolute URI, or what is no text
        return False
