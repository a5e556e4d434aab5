"""The API's guard: size, key, pace, in that order; and errors as problem+json."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from flask import Response, request

from ivr import log
from ivr.web.api_shapes import Deflection, Problem, Wrong
from ivr.web.guards import BODY_SECONDS, MAX_BODY, logged_path, read_body, runtime, too_large

PROBLEM = "application/problem+json"
TITLES = {
    "not-json": "The body is not JSON",
    "invalid": "The request is not as documented",
    "unauthorized": "The key is missing or unknown",
    "wrong-brand": "The key does not open this brand",
    "not-found": "There is nothing here",
    "method": "This method does nothing here",
    "conflict": "This was asked with other parameters",
    "too-slow": "The body came too slowly",
    "too-large": "The body is too large",
    "media-type": "The body must be application/json",
    "not-eligible": "This number is not texted",
    "too-many": "Too many requests",
    "not-now": "Not now",
}


class ApiError(Exception):
    """A request that is answered with a problem."""

    def __init__(
        self,
        status: int,
        word: str,
        detail: str,
        errors: list[Wrong] | None = None,
        deflection: Deflection | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(word)
        self.status = status
        self.headers = headers or {}
        self.problem = Problem(
            type=f"urn:ivr:{word}",
            title=TITLES[word],
            status=status,
            detail=detail,
            errors=errors,
            deflection=deflection,
        )

    def text(self) -> str:
        left_out = {name for name in ("errors", "deflection") if getattr(self.problem, name) is None}
        return self.problem.model_dump_json(exclude=left_out) + "\n"

    def response(self) -> Response:
        return Response(self.text(), self.status, self.headers, mimetype=PROBLEM)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: the beginning of the SHA-256 of their key, and the brands that it opens."""

    key: str
    digest: str
    brands: frozenset[str]

    def brand(self, named: str | None) -> str:
        """The brand that is meant. Raises ApiError."""
        known = runtime().brands
        opened = self.brands if "*" not in self.brands else frozenset(known)
        if named is None and len(opened) != 1:
            raise invalid("/brand", "This key opens several brands; name one")
        brand = named if named is not None else next(iter(opened))
        if brand not in opened or brand not in known:
            raise ApiError(403, "wrong-brand", "This key does not open this brand.")
        return brand


View = Callable[..., Response]


def keyed(view: View) -> View:
    """Let a request with a key of API_KEYS through to `view(asker, body, …)`; a problem for any other."""

    @wraps(view)
    def guarded(**values: Any) -> Response:
        try:
            body = _body()
            return view(_asker(), body, **values)
        except ApiError as error:
            if error.status in (401, 403, 429):
                log.warning("api_refused", path=logged_path(), reason=error.problem.type)
            return error.response()

    guarded.guard = "key"  # type: ignore[attr-defined]
    return guarded


def invalid(at: str, detail: str) -> ApiError:
    return ApiError(422, "invalid", f"{at or 'The body'}: {detail}", [Wrong(at=at, detail=detail)])


def _body() -> bytes:
    if (request.content_length or 0) > MAX_BODY:
        too_large("")
        raise ApiError(413, "too-large", "A body has at most 64 kB.")
    try:
        body = read_body(MAX_BODY, BODY_SECONDS)
    except TimeoutError:
        raise ApiError(408, "too-slow", "The whole body must be here within 3 seconds.") from None
    if len(body) > MAX_BODY:
        too_large("")
        raise ApiError(413, "too-large", "A body has at most 64 kB.")
    return body


def _asker() -> Asker:
    here = runtime()
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    digest = hashlib.sha256(key.strip().encode("utf-8", "replace")).hexdigest()
    brands = here.settings.api_keys.get(digest)
    if scheme.lower() != "bearer" or brands is None:
        detail = "Send Authorization: Bearer KEY, with a key of python -m ivr doctor --new-key that is in API_KEYS."
        raise ApiError(401, "unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})
    if not here.limits.take(digest):
        detail = "A key has 30 requests a second in each process of the server."
        raise ApiError(429, "too-many", detail, headers={"Retry-After": "1"})
    return Asker(digest[:16], digest, brands)
