"""Our own public URL, asked from outside as Twilio would: does it answer, and does this deployment answer there."""

from typing import NamedTuple

import requests
from twilio.request_validator import SIGNATURE_HEADER, RequestValidator

SECONDS = 10.0
_PROBE = "/messages/status/doctor"  # a text that nobody has: looked up, logged, answered


class Unreachable(Exception):
    """Nobody answered at the public URL. The message says why, without its own subject."""


class Answer(NamedTuple):
    status: int
    line: str  # the first line of the body


def readiness(public_url: str) -> Answer:
    """What `GET /readyz` answers. Raises Unreachable."""
    return _asked("GET", f"{public_url}/readyz", {}, {})


def signed_probe(public_url: str, account_sid: str, auth_token: str) -> Answer:
    """What a webhook signed with this deployment's token is answered: 403 from any other. Raises Unreachable."""
    url, form = public_url + _PROBE, {"AccountSid": account_sid, "MessageStatus": "sent"}
    return _asked("POST", url, form, {SIGNATURE_HEADER: RequestValidator(auth_token).compute_signature(url, form)})


def _asked(method: str, url: str, form: dict[str, str], headers: dict[str, str]) -> Answer:
    with requests.Session() as session:
        session.trust_env = False
        try:
            with session.request(
                method, url, data=form, headers=headers, timeout=SECONDS, allow_redirects=False, stream=True
            ) as answer:
                body = next(answer.iter_content(500), b"")
        except requests.exceptions.SSLError:
            raise Unreachable("its certificate is not accepted") from None
        except requests.exceptions.Timeout:
            raise Unreachable(f"no answer within {SECONDS:.0f} s") from None
        except requests.exceptions.RequestException:
            raise Unreachable("nobody answers there") from None
    lines = body.decode("utf-8", "replace").splitlines()
    return Answer(answer.status_code, lines[0][:200] if lines else "")
