"""Signed tokens (JWT, HS256) as the simulated LivePerson issues and reads them."""

import base64
import hmac
import json
from typing import Any


def issue(key_id: str, claims: dict[str, Any], secret: str) -> str:
    """`key_id` goes into the header: LivePerson's tokens name their key, and ours differ by it."""
    signed = f"{_packed({'kid': key_id, 'typ': 'JWT', 'alg': 'HS256'})}.{_packed(claims)}"
    return f"{signed}.{_base64(_mac(signed, secret))}"


def read(token: str, secret: str) -> dict[str, Any] | None:
    """The claims, or None when the token is not one of ours. Whether it has expired is the caller's question."""
    signed, _, mac = token.rpartition(".")
    if not hmac.compare_digest(_base64(_mac(signed, secret)).encode(), mac.encode()):
        return None
    payload = signed.partition(".")[2]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def _mac(signed: str, secret: str) -> bytes:
    return hmac.digest(secret.encode(), signed.encode(), "sha256")


def _packed(value: dict[str, Any]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
