"""Twilio's webhooks as Twilio sends them: signed, form-encoded, with its headers, its redirects and its patience."""

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

import requests
from twilio.request_validator import RequestValidator

PATIENCE = 15.0  # seconds Twilio waits for an answer
REDIRECTS = 10  # that Twilio follows before error 11215


@dataclass(frozen=True, slots=True)
class Answer:
    status: int  # 0 when nobody answered
    body: bytes
    seconds: float
    url: str


@dataclass(slots=True)
class Webhooks:
    """Posts to the app, wherever it listens, what Twilio would post to its public URL."""

    app_url: str
    public_url: str
    account_sid: str
    auth_token: str
    exchanges: list[dict[str, Any]] = field(default_factory=list)

    def session(self) -> requests.Session:
        """Twilio keeps cookies for the length of a call."""
        session = requests.Session()
        session.trust_env = False
        return session

    def post(self, url: str, params: Mapping[str, str], session: requests.Session | None = None) -> Answer:
        """Post to `url` (relative to the public one). A redirect is followed as Twilio does: without Digits."""
        params = dict(params)
        target, _ = urldefrag(urljoin(self.public_url, url))
        with session or self.session() as kept:
            for _ in range(REDIRECTS + 1):
                answer, onward = self._once(kept, target, params)
                if not onward:
                    return answer
                target = urljoin(target, onward)
                params.pop("Digits", None)
        return Answer(0, b"", answer.seconds, target)

    def ours(self, url: str) -> bool:
        """Whether a URL in a document leads to the app."""
        return urlsplit(urljoin(self.public_url, url)).netloc == urlsplit(self.public_url).netloc

    def _once(self, session: requests.Session, url: str, params: Mapping[str, str]) -> tuple[Answer, str]:
        parts = urlsplit(url)
        where = self.app_url + (f"{parts.path}?{parts.query}" if parts.query else parts.path)
        headers = {
            "User-Agent": "TwilioProxy/1.1",
            "Accept": "text/xml, application/xml, text/html",
            "X-Twilio-Signature": RequestValidator(self.auth_token).compute_signature(url, params),
            "I-Twilio-Idempotency-Token": str(uuid.uuid4()),
            "X-Forwarded-Proto": parts.scheme,
            "Host": parts.netloc,
        }
        began = time.monotonic()
        try:
            got = session.post(where, data=dict(params), headers=headers, timeout=PATIENCE, allow_redirects=False)
        except requests.RequestException:
            answer = Answer(0, b"", time.monotonic() - began, url)
            onward = ""
        else:
            answer = Answer(got.status_code, got.content, time.monotonic() - began, url)
            onward = got.headers.get("Location", "") if 300 <= got.status_code < 400 else ""
        self._record(url, params, answer)
        return answer, onward

    def _record(self, url: str, params: Mapping[str, str], answer: Answer) -> None:
        self.exchanges.append(
            {
                "url": url,
                "params": dict(params),
                "status": answer.status,
                "answer": answer.body.decode("utf-8", "replace"),
                "seconds": round(answer.seconds, 3),
            }
        )

    def recorded(self) -> str:
        """Every exchange so far, a JSON line each."""
        return "".join(json.dumps(exchange, ensure_ascii=False) + "\n" for exchange in self.exchanges)
