"""Our own public URL, asked from outside as others would: does it answer, and does this deployment answer there."""

import base64
import hmac
from typing import NamedTuple

import requests
from twilio.request_validator import SIGNATURE_HEADER, RequestValidator

SECONDS = 10.0
_PROBE = "/messages/status/doctor"  # a text that nobody has: looked up, logged, answered
LIVEPERSON = "/desk/liveperson"
_CHANGES_NOTHING = b'{"kind":"notification","type":"cqm.ExConversationChangeNotification","body":{"changes":[]}}'


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


def liveperson_probe(public_url: str, account: str, client_secret: str) -> Answer:
    """What a webhook signed as LivePerson signs is answered: 403 from any other deployment. Raises Unreachable."""
    mac = hmac.digest(client_secret.encode(), _CHANGES_NOTHING, "sha1")
    headers = {
        "Content-Type": "application/json",
        "X-LivePerson-Account-Id": account,
        "X-LivePerson-Signature": "sha1=" + base64.b64encode(mac).decode(),
    }
    return _asked("POST", public_url + LIVEPERSON, _CHANGES_NOTHING, headers)


def _asked(method: str, url: str, body: dict[str, str] | bytes, headers: dict[str, str]) -> Answer:
    with requests.Session() as session:
        session.trust_env = False
        try:
            with session.request(
                method, url, data=body, headers=headers, timeout=SECONDS, allow_redirects=False, stream=True
            ) as answer:
                begins = next(answer.iter_content(500), b"")
        except requests.exceptions.SSLError:
            raise Unreachable("its certificate is not accepted") from None
        except requests.exceptions.Timeout:
            raise Unreachable(f"no answer within {SECONDS:.0f} s") from None
        except requests.exceptions.RequestException:
            raise Unreachable("nobody answers there") from None
    lines = begins.decode("utf-8", "replace").splitlines()
    return Answer(answer.status_code, lines[0][:200] if lines else "")
