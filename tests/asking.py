"""Another IVR, as it asks our API."""

import hashlib
import json
from typing import Any

from werkzeug.test import TestResponse

from tests.doors import Doors

KEY, OTHER, EVERY = "key-of-acme-0123456789", "key-of-the-bakery-0123456789", "key-of-every-brand-0123456789"
NUMBER = "+1 415 555 2671"
PROMPT = "Press 1 and we will text you."


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


API_KEYS = f"acme:{digest(KEY)}, corner-bakery:{digest(OTHER)}, *:{digest(EVERY)}"


def whom(**changes: Any) -> dict[str, Any]:
    return {"branch": "billing", "number": NUMBER} | changes


def yes(**changes: Any) -> dict[str, Any]:
    return whom(call_id="genesys-1", consent={"prompt": PROMPT, "key": "1"}) | changes


def ask(doors: Doors, path: str, body: Any = None, key: str | None = KEY, **headers: str) -> TestResponse:
    """A body is posted, without one it is a GET; bytes go as they are."""
    sent = {"Authorization": f"Bearer {key}"} if key else {}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    if body is None:
        return doors.client.get(f"/api/v1/{path}", headers=sent)
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return doors.client.post(f"/api/v1/{path}", data=data, headers={"Content-Type": "application/json", **sent})


def problem(answer: TestResponse) -> tuple[int, str]:
    """The status and the word of a problem."""
    assert answer.mimetype == "application/problem+json", (answer.status, answer.data)
    told = json.loads(answer.data)
    assert told["status"] == answer.status_code
    assert told["title"]
    assert told["detail"]
    return answer.status_code, told["type"].removeprefix("urn:ivr:")
