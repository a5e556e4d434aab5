"""SIGKILL under each channel: one accepted offer is one greeting over all of them, none lost, none doubled."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask import request
from sqlalchemy import text

from ivr.runtime import utc_now
from ivr.sandbox.apps import service_account
from ivr.store import consumers
from ivr.store.consumers import Consumer
from ivr.store.tables import stored
from tests.channelled import RCS, written
from tests.chaos.fleet import Fleet, fleet
from tests.databases import KINDS, new_database

SETTLES_WITHIN = 30.0
FATES = {"whatsapp": ("undelivered", "63024"), "rcs": ("undelivered", "63003"), "sms": ("delivered", "")}
LONG_AGO = timedelta(minutes=2)

pytestmark = pytest.mark.skipif(not Path("/proc").exists(), reason="no /proc: a fleet's processes cannot be told apart")


class Cut(Exception):
    """The connection ends without an answer, and nothing is taken."""


@dataclass
class Killer:
    """Kills every process at the moments that are planned: (channel, moment) of a consumer's number, each once.

    A dead process's lease is over at once, and what is unclear is asked about at once: the minutes that these take are
    other tests'.
    """

    here: Fleet
    plan: dict[str, tuple[str, str]]
    master: Any
    kills: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def all(self) -> None:
        with self.lock:
            moment, self.kills = utc_now(), self.kills + 1
            for pid in self.here.children(self.master):
                self.here.kill(pid)
            self._set("lease_until", "sending", moment, "AND started_at <= :before")

    def ask_at_once(self) -> None:
        self._set("next_try", "unclear", utc_now())

    def _set(self, column: str, state: str, moment: datetime, which: str = "") -> None:
        with self.here.database.writes() as tx:
            values: dict[str, Any] = {"state": state, "past": stored(moment - LONG_AGO, tx.dialect.name)}
            values |= {"before": stored(moment, tx.dialect.name)} if which else {}
            tx.execute(text(f"UPDATE messages SET {column} = :past WHERE state = :state {which}"), values)

    def planned(self, number: str, channel: str, moment: str) -> bool:
        """Whether this is a moment of the plan, which it is once."""
        with self.lock:
            if self.plan.get(number) != (channel, moment):
                return False
            del self.plan[number]
            return True

    def arrives(self) -> None:
        """A request is at Twilio, or Google, and not taken."""
        if request.method != "POST" or request.path.endswith("/token"):
            return
        number, channel = _asked(self.here, request.form.to_dict())
        if self.planned(number, channel, "arrives"):
            self.all()
            raise Cut
        if self.planned(number, channel, "taken"):
            self.here.weather.set("drop,up")
            self.here.after = self._then_all
        elif self.planned(number, channel, "answered"):
            self.here.after = self._then_all

    def _then_all(self) -> None:
        self.here.after = lambda: None
        self.all()


def _asked(here: Fleet, form: dict[str, str]) -> tuple[str, str]:
    """Whom a request is to reach, and by which channel."""
    if "To" not in form:
        return "", "push"
    digits = "+" + "".join(mark for mark in form["To"] if mark.isdigit())
    if form["To"].startswith("whatsapp:"):
        return digits, "whatsapp"
    return digits, "rcs" if form.get("MessagingServiceSid") in here.carrier.rcs_services else "sms"


@pytest.fixture(params=KINDS)
def begun(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    @contextmanager
    def begin(**brand: Any) -> Iterator[Fleet]:
        settings = {"WEB_CONCURRENCY": "2", "LOG_LEVEL": "warning", "ACME_FCM_KEY": service_account()}
        with (
            new_database(request.param, tmp_path) as url,
            fleet(url, tmp_path, written(tmp_path / "flows", **brand), **settings) as here,
        ):
            here.carrier.callbacks, here.carrier.rcs_services = "lost", frozenset({RCS})  # told by the test, below
            yield here

    yield begin


def accept(here: Fleet, number: str) -> None:
    """A caller says yes, as often as it takes until they are answered."""
    for _ in range(50):
        if here.accept(number) == 200:
            return
        threading.Event().wait(0.1)
    raise AssertionError("nobody answers")


def tell(killer: Killer, sent: dict[str, Any]) -> None:
    """What became of a text, told until it is heard."""
    here = killer.here
    number, channel = _asked(here, {"To": sent["to"], "MessagingServiceSid": sent["messaging_service_sid"] or ""})
    asked = next(asked for asked in here.carrier.asked if _asked(here, asked) == (number, channel))
    status, code = FATES[channel]
    sent["status"], sent["error_code"] = status, int(code) if code else None
    form = {"MessageSid": sent["sid"], "MessageStatus": status, "AccountSid": sent["account_sid"], "ErrorCode": code}

    def post() -> int:
        return here.webhooks.post(asked["StatusCallback"], form).status

    if killer.planned(number, channel, "status"):  # in the middle of what it writes
        with ThreadPoolExecutor(1) as twilio:
            with here.database.writes() as tx:
                if tx.dialect.name == "postgresql":
                    tx.exec_driver_sql("LOCK TABLE messages IN EXCLUSIVE MODE")
                told = twilio.submit(post)
                threading.Event().wait(0.3)
                for pid in here.children(killer.master):
                    here.kill(pid)
            assert told.result() == 0
        killer.all()
    sent["told"] = post() == 200


def settle(killer: Killer) -> None:
    here, give_up = killer.here, time.monotonic() + SETTLES_WITHIN
    unfinished = text("SELECT count(*) FROM messages WHERE state IN ('due', 'sending', 'unclear')")
    while time.monotonic() < give_up:
        killer.ask_at_once()
        untold = [sent for sent in here.carrier.texts if not sent.get("told")]
        for sent in untold:
            tell(killer, sent)
        with here.database.reads() as tx:
            if not untold and not tx.execute(unfinished).scalar():
                return
        threading.Event().wait(0.1)
    raise AssertionError("something is still unfinished")


def test_killed_under_whatsapp_rcs_and_texts(begun: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Each falls from WhatsApp to RCS to a text, and everything dies on the way."""
    with begun() as here:
        numbers = [here.number() for _ in range(8)]
        moments = [
            ("whatsapp", "arrives"), ("whatsapp", "taken"), ("whatsapp", "answered"), ("whatsapp", "status"),
            ("rcs", "arrives"), ("rcs", "taken"), ("rcs", "status"), ("sms", "answered"),
        ]  # fmt: skip
        killer = Killer(here, dict(zip(numbers, moments, strict=True)), here.web())
        here.before = killer.arrives
        with ThreadPoolExecutor(4) as callers:
            list(callers.map(partial(accept, here), numbers))
        settle(killer)
        assert killer.plan == {}
        sent = Counter(_asked(here, asked) for asked in here.carrier.asked)
        with capsys.disabled():
            print(f"\n{killer.kills} kills under channels: {len(numbers)} accepted, {sum(sent.values())} messages")
        assert sent == {(number, channel): 1 for number in numbers for channel in FATES}
        with here.database.reads() as tx:
            rows = tx.execute(text("SELECT channel, state, count(*) FROM messages GROUP BY channel, state")).all()
        assert sorted(tuple(row) for row in rows) == [
            ("rcs", "failed", 8),
            ("sms", "delivered", 8),
            ("whatsapp", "failed", 8),
        ]


@pytest.mark.parametrize("installed", [True, False], ids=["the app is there", "the app is gone"])
def test_killed_under_push(begun: Any, installed: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """The push is repeated in its place, and a text follows it where the app is gone, alone."""
    push = {"fcm": {"key_env": "ACME_FCM_KEY"}}
    with begun(push=push, channels=["push", "sms"], sender={"sms": "+14155550111"}) as here:
        shown: list[str] = []
        here.apps.installed = installed
        here.apps.shown = shown.append
        numbers = [here.number() for _ in range(4)]
        with here.database.writes() as tx:
            consumers.write(tx, [Consumer("acme", n, f"d{n}", "ios", "", True, None) for n in numbers], utc_now())
        killer = Killer(here, {}, here.web())
        here.before = killer.arrives
        for number, moment in zip(numbers, ["arrives", "answered", "arrives", "answered"], strict=True):
            killer.plan[""] = ("push", moment)
            accept(here, number)
        settle(killer)
        with capsys.disabled():
            print(f"\n{killer.kills} kills under pushes: {len(shown)} shown, {len(here.carrier.texts)} texts")
        texts = Counter(sent["to"] for sent in here.carrier.texts)
        assert len(shown) == (len(numbers) if installed else 0)
        assert texts == ({} if installed else dict.fromkeys(numbers, 1))
        assert killer.kills == 4
