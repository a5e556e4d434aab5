"""Requests that are signed with OAuth 1.0a and HMAC-SHA1 (RFC 5849), as LivePerson's records want it."""

import base64
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit


@dataclass(frozen=True, slots=True)
class Keys:
    """An app's key and an access token, as the brand's LivePerson account made them."""

    app_key: str
    app_secret: str = field(repr=False)
    token: str
    token_secret: str = field(repr=False)


def authorization(method: str, url: str, params: Mapping[str, str], keys: Keys, nonce: str, now: int) -> str:
    """The Authorization header of one request.

    `params`: of its query; a JSON body is not signed. `now`: seconds of Unix.
    """
    ours = {
        "oauth_consumer_key": keys.app_key,
        "oauth_nonce": nonce,
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": str(now),
        "oauth_token": keys.token,
        "oauth_version": "1.0",
    }
    signed = signature(method, url, [*params.items(), *ours.items()], keys.app_secret, keys.token_secret)
    told = ", ".join(f'{name}="{_quoted(value)}"' for name, value in {**ours, "oauth_signature": signed}.items())
    return f"OAuth {told}"


def signature(method: str, url: str, params: Iterable[tuple[str, str]], app_secret: str, token_secret: str) -> str:
    """Of the method, the address without its query, and all parameters in order (RFC 5849, 3.4)."""
    parts = urlsplit(url)
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    port = f":{parts.port}" if parts.port not in (None, usual) else ""
    address = f"{parts.scheme}://{parts.hostname}{port}{parts.path}"
    pairs = sorted((_quoted(name), _quoted(value)) for name, value in params)
    listed = "&".join(f"{name}={value}" for name, value in pairs)
    base = "&".join(_quoted(part) for part in (method.upper(), address, listed))
    key = f"{_quoted(app_secret)}&{_quoted(token_secret)}"
    return base64.b64encode(hmac.digest(key.encode(), base.encode(), "sha1")).decode()


def _quoted(text: str) -> str:
    return quote(text, safe="-._~")
