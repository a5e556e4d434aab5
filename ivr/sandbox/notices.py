"""LivePerson's webhooks as LivePerson sends them: signed, in order, retried; and the ways in which they go wrong."""

import base64
import copy
import hashlib
import hmac
import json
import random
import uuid
from collections import defaultdict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Condition
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

from ivr.sandbox.clock import Clock

# How the webhooks fare.
WEBHOOKS = {
    "prompt": "each at once",
    "lost": "none arrives",
    "doubled": "each twice",
    "shuffled": "each within 3 s, in any order",
    "late": "each after an hour",
    "forged": "before each one an invented one, its signature wrong",
    "foreign": "beside each one the same of a stranger's conversation",
}
LATE, SHUFFLED_WITHIN = 3600.0, 3.0  # virtual seconds
PATIENCE = 10.0  # seconds LivePerson waits for an answer
TAKEN = (200, 201)  # anything else is tried again
SPACING = 30.0  # virtual seconds between tries that are counted
LONGEST_SPACING = 300.0  # between tries that have a time to live: 2, 4, 8 ... s
AT_ONCE = 8  # conversations

Retries = Literal["count", "ttl"]


class Installation(Protocol):
    """The connector as LivePerson has it installed; read anew for every event, so that it can change on the way."""

    clock: Clock
    webhook_url: str
    account: str
    client_id: str
    client_secret: str
    webhooks: str
    retries: Retries
    max_retries: int
    retention: float


@dataclass(slots=True)
class Notice:
    conversation: str
    body: bytes
    signature: str | None
    made: float  # virtual seconds
    forged: bool = False
    tries: int = 0


@dataclass(slots=True)
class Lane:
    """The notices of one conversation, one after the other."""

    waiting: deque[Notice] = field(default_factory=deque)
    busy: bool = False
    held: Clock | None = None  # until this clock says that the first one is tried again


def signature(secret: str, body: bytes) -> str:
    """The value of x-liveperson-signature: base64, not hex, over the bytes as sent."""
    return "sha1=" + base64.b64encode(hmac.digest(secret.encode(), body, "sha1")).decode()


class Notices:
    """Sends from threads of its own, never from the caller's; tries again by the installation's clock.

    `sent`: every request so far: url, headers, body, status (0: no answer), at (virtual seconds).
    """

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.sent: list[dict[str, Any]] = []
        self._lanes: defaultdict[str, Lane] = defaultdict(Lane)
        self._changed = Condition()
        self._stopped = False
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="desk")
        self._chance = random.Random(1)

    def tell(self, conversation: str, consumer: str, kind: str, changes: list[dict[str, Any]]) -> None:
        """One webhook of a conversation, and what else the way of `webhooks` makes of it."""
        how = self.installation.webhooks
        if how not in WEBHOOKS:
            raise ValueError(f"webhooks: {how}: no such way; there are: {', '.join(WEBHOOKS)}")
        payload = {"kind": "notification", "body": {"changes": changes}, "type": kind}
        notices = [] if how == "lost" else [self._genuine(conversation, payload)]
        if how == "doubled":
            notices.append(self._genuine(conversation, payload))
        elif how == "forged":
            notices.insert(0, self._forged(conversation, payload))
        elif how == "foreign":
            notices.insert(0, self._foreign(conversation, consumer, payload))
        for notice in notices:
            wait = LATE if how == "late" else self._chance.uniform(0, SHUFFLED_WITHIN) if how == "shuffled" else 0.0
            if wait:
                self.installation.clock.later(wait, partial(self._put_and_wait, notice))
            else:
                self._put(notice)

    def flush(self, seconds: float = 60.0) -> None:
        """Wait until all that are due are sent; what waits for the clock is not due."""
        with self._changed:
            if not self._changed.wait_for(lambda: not any(lane.busy for lane in self._lanes.values()), seconds):
                raise TimeoutError(f"The desk's webhooks were not through within {seconds:.0f} s.")

    def stop(self) -> None:
        """Send what is due, then nothing any more."""
        with self._changed:
            self._stopped = True
        self._pool.shutdown(wait=True)

    def _genuine(self, conversation: str, payload: dict[str, Any]) -> Notice:
        body = _packed(payload)
        now = self.installation.clock.now
        return Notice(conversation, body, signature(self.installation.client_secret, body), now)

    def _forged(self, conversation: str, payload: dict[str, Any]) -> Notice:
        """Whoever found out the URL, the ids and the sequence, but not the secret, comes first."""
        invented = copy.deepcopy(payload)
        for change in invented["body"]["changes"]:
            if "message" in change.get("event", {}):
                change["event"]["message"] = "Please send your card number to +14155550666"
            elif "result" in change:
                change["result"]["conversationDetails"] |= {"state": "CLOSE", "stage": "CLOSE"}
        body, secret = _packed(invented), self.installation.client_secret
        ways: list[Callable[[], str | None]] = [
            lambda: signature("a guess", body),
            lambda: signature(secret, _packed(payload) + b" "),
            lambda: "sha1=",
            lambda: "ü",
            lambda: None,
        ]
        return Notice(conversation, body, self._chance.choice(ways)(), self.installation.clock.now, forged=True)

    def _foreign(self, conversation: str, consumer: str, payload: dict[str, Any]) -> Notice:
        """The account's webhooks tell of everybody: the same words, of a stranger."""
        theirs = str(uuid.uuid5(uuid.NAMESPACE_OID, conversation))
        text = json.dumps(payload).replace(conversation, theirs)
        stranger = hashlib.sha256(consumer.encode()).hexdigest()
        return self._genuine(theirs, json.loads(text.replace(consumer, stranger)))

    def _put(self, notice: Notice) -> None:
        with self._changed:
            lane = self._lanes[notice.conversation]
            lane.waiting.append(notice)
            if lane.held is not self.installation.clock:  # an older scene's clock will not strike again
                lane.held = None
            self._start(lane)

    def _put_and_wait(self, notice: Notice) -> None:
        self._put(notice)
        self.flush()

    def _start(self, lane: Lane) -> None:
        if lane.waiting and not lane.busy and not lane.held and not self._stopped:
            lane.busy = True
            self._pool.submit(self._run, lane)

    def _run(self, lane: Lane) -> None:
        while True:
            with self._changed:
                if lane.held or not lane.waiting:
                    lane.busy = False
                    self._changed.notify_all()
                    return
                notice = lane.waiting.popleft()
            status = self._post(notice)
            if status not in TAKEN and not notice.forged:
                self._again(lane, notice)

    def _again(self, lane: Lane, notice: Notice) -> None:
        notice.tries += 1
        clock = self.installation.clock
        if self.installation.retries == "count":  # the others go on meanwhile: the order is not kept
            if notice.tries <= self.installation.max_retries:
                clock.later(SPACING, partial(self._put_and_wait, notice))
            return
        wait = min(2.0**notice.tries, LONGEST_SPACING)
        if clock.now + wait > notice.made + self.installation.retention:
            return
        with self._changed:
            lane.waiting.appendleft(notice)
            lane.held = clock
        clock.later(wait, partial(self._release, lane))

    def _release(self, lane: Lane) -> None:
        with self._changed:
            lane.held = None
            self._start(lane)
        self.flush()

    def _post(self, notice: Notice) -> int:
        here = self.installation
        headers = {
            "Content-Type": "application/json",
            "x-liveperson-account-id": here.account,
            "x-liveperson-client-id": here.client_id,
        }
        if notice.signature is not None:
            headers["x-liveperson-signature"] = notice.signature
        raw = {name: value.encode() for name, value in headers.items()}
        status = _status(here.webhook_url, notice.body, raw)
        request = {"url": here.webhook_url, "headers": headers, "body": notice.body}
        self.sent.append({**request, "status": status, "at": here.clock.now})
        return status


def _status(url: str, body: bytes, headers: dict[str, bytes]) -> int:
    """Without a session, its cookies and its proxies: a desk of fifty rapid texts must not be what is slow."""
    parts = urlsplit(url)
    connection = (HTTPSConnection if parts.scheme == "https" else HTTPConnection)(parts.netloc, timeout=PATIENCE)
    try:
        connection.request("POST", parts.path or "/", body, headers)
        return connection.getresponse().status
    except (OSError, HTTPException):
        return 0
    finally:
        connection.close()


def _packed(payload: dict[str, Any]) -> bytes:
    """Compact, and emoji as themselves: whoever signs what they parsed and wrote anew will be wrong."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
