"""The signature between us and a desk of one's own, the same both ways: `Ivr-Signature: t=UNIX,v1=HEX`."""

import hashlib
import hmac
import re
from datetime import datetime

SIGNATURE_HEADER = "Ivr-Signature"
TOLERANCE_SECONDS = 300  # both ways: clocks differ, and what was recorded must not be played back later
_LONGEST = 1000  # characters of a header; a dozen signatures


def sign(secret: str, body: bytes, at: datetime) -> str:
    """The header for a body that is sent at a moment."""
    moment = str(int(at.timestamp()))
    return f"t={moment},v1={_digest(secret, moment, body)}"


def verify(secret: str, header: str, body: bytes, now: datetime) -> bool:
    """Whether any signature in the header is right and of about now. Raises nothing, whatever the header is.

    Several v1 let a secret be changed. All are of one moment: two different `t` are refused, or who has no secret
    could have the body hashed many times.
    """
    if not secret or len(header) > _LONGEST or not header.isascii():
        return False
    parts = [part.strip().partition("=") for part in header.split(",")]
    moments = {value for name, _, value in parts if name == "t"}
    moment = moments.pop() if len(moments) == 1 else ""
    if not re.fullmatch("[0-9]{1,12}", moment) or abs(now.timestamp() - int(moment)) > TOLERANCE_SECONDS:
        return False
    expected = _digest(secret, moment, body)
    return any(hmac.compare_digest(expected, value) for name, _, value in parts if name == "v1")


def _digest(secret: str, moment: str, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
