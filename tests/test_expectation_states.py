"""Expectations in any order of texts, answers, closings, kills and clocks: each once, and only while it is true."""

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ivr.delivery.desks import Desks
from ivr.delivery.ledger import Outcome
from ivr.flow.hours import Hours
from ivr.relay import own_desk
from ivr.store import messages
from ivr.store.outbox import Text
from ivr.worker import Worker
from tests.databases import new_database
from tests.desks import SENDER, brand
from tests.doors import ACCOUNT_SID, CALLER, Doors, opened_doors
from tests.test_outbox_states import HOWS, Killed, Town
from tests.test_worker import at_once

NAMES = ("received", "late", "closed", "ended", "follow up")
SLA = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class AtOnce(Desks):
    """A desk that has everything at once, and tells nothing by itself."""

    def attempt(self, text: Text) -> Outcome:
        with self.ledger.database.writes() as tx:
            messages.at_desk(tx, text.id, None, self.ledger.now())
        return "sent"


class Handset(Town):
    """Notices what is not true at the moment when Twilio is asked to send it."""

    def __init__(self, is_true: Callable[[str], bool]) -> None:
        super().__init__()
        self.is_true = is_true
        self.lies: list[str] = []

    def send_text(
        self,
        to: str,
        sender: str,
        body: str,
        callback: str,
        validity: int,
        deadline: float,
        media: Sequence[str] = (),
        content: Any = None,
    ) -> str:
        name = body.split(":", maxsplit=1)[0]
        if name in NAMES and not self.is_true(name):
            self.lies.append(name)
        return super().send_text(to, sender, body, callback, validity, deadline, media)


def change(data: dict[str, Any]) -> None:
    data["hours"] = "Mon-Fri 08:00-20:00"
    data["desk"] = {"webhook": {"url": "https://desk.example/texts", "secret_env": "ACME_DESK_SECRET"}}
    data["expect"] = {name: f"{name}: of {{{{ brand }}}}" for name in NAMES[:4]}
    data["follow_up"] = {"after": "2 hours", "text": "follow up: STOP?"}
    data["warn_before"] = "2 minutes"


class Day(RuleBasedStateMachine):
    """One consumer, one desk. `written` and `answered`: when, in the conversation that is open."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.count = 0
        self.conversation: str | None = None
        self.written: list[datetime] = []
        self.answered: list[datetime] = []
        self.greeted: list[datetime] = []
        self.last_written: datetime | None = None

    @initialize()
    def opens(self) -> None:
        directory = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        url = self.stack.enter_context(new_database("sqlite", directory))
        flow = brand(directory, change=change)
        assert flow.hours
        self.hours: Hours = flow.hours
        self.twilio = Handset(self.is_true)
        self.doors: Doors = self.stack.enter_context(opened_doors(url, {"acme": flow}, self.twilio, {"acme": "secret"}))
        here, desks = self.doors.runtime, self.doors.runtime.delivery.desks
        at_once_there = AtOnce(desks.ledger, desks.listener, desks.liveperson, desks.webhook)
        self.runtime = replace(here, delivery=replace(here.delivery, desks=at_once_there))

    @property
    def now(self) -> datetime:
        return self.doors.clock.now

    def is_true(self, name: str) -> bool:
        if name == "ended":
            return self.conversation is None
        if name == "follow up":
            quiet_ends = self.now.astimezone(ZoneInfo("America/Los_Angeles"))
            silent = self.last_written is None or self.last_written < self.greeted[-1]
            return silent and 8 <= quiet_ends.hour < 21
        if self.conversation is None:
            return False
        if name == "closed":
            return not self.answered or self.answered[-1] < self.written[-1]
        if name == "received":
            return not self.answered
        begins = self.written[0] if self.hours.is_open(self.written[0]) else self.hours.opens(self.written[0])
        assert begins
        return not self.answered and self.now >= begins + SLA

    @rule(how=st.sampled_from(HOWS))
    def accepts(self, how: str) -> None:
        self.count += 1
        self.twilio.next = how
        form = {"CallSid": f"CA{self.count}", "From": CALLER, "Digits": "1", "To": "+14155550100"}
        with suppress(Killed):
            assert self.doors.post("/voice/acme/billing?step=answer", form).status_code == 200
        self.twilio.next = "answers"
        self.greeted.append(self.now)
        self.doors.clock.pass_(milliseconds=1)

    @rule()
    def writes(self) -> None:
        self.count += 1
        self.doors.clock.pass_(milliseconds=1)
        form = {"MessageSid": f"SMc{self.count}", "AccountSid": ACCOUNT_SID, "From": CALLER, "To": SENDER, "Body": "Hi"}
        assert self.doors.post("/messages", form).status_code == 200
        [found] = self.doors.rows("SELECT id FROM conversations WHERE state <> 'closed'")
        if found[0] != self.conversation:
            self.conversation, self.written, self.answered = found[0], [], []
        self.written.append(self.now)
        self.last_written = self.now
        self.doors.clock.pass_(milliseconds=1)

    @precondition(lambda self: self.conversation is not None)
    @rule(type_=st.sampled_from(["text", "text", "close"]))
    def the_desk(self, type_: str) -> None:
        self.count += 1
        told = {"id": str(self.count), "type": type_, "conversation": self.conversation, "text": "Hello."}
        with self.runtime.database.writes() as tx:
            own_desk.taken(tx, "acme", json.dumps(told).encode(), self.runtime.listener)
        if type_ == "close":
            self.conversation = None
        else:
            self.answered.append(self.now)

    @rule(how=st.sampled_from([*HOWS, *["answers"] * 6]))
    def works(self, how: str) -> None:
        self.twilio.next = how
        with suppress(Killed):
            Worker(self.runtime).round(at_once)
        self.twilio.next = "answers"

    @rule(minutes=st.sampled_from([0.01, 0.7, 1, 7, 9.9, 10, 61, 121, 600, 900]))
    def waits(self, minutes: float) -> None:
        self.doors.clock.pass_(minutes=minutes)

    @invariant()
    def each_is_sent_once(self) -> None:
        if not hasattr(self, "twilio"):
            return
        assert self.twilio.lies == []
        counts = Counter(text["callback"] for text in self.twilio.taken)
        assert all(count == 1 for count in counts.values()), counts
        said = self.doors.rows(
            "SELECT conversation_id, substr(body, 1, 6), count(*) FROM messages WHERE kind = 'expectation' "
            "GROUP BY conversation_id, substr(body, 1, 6), CASE WHEN conversation_id IS NULL THEN id END"
        )
        assert all(count == 1 for _, _, count in said), said
        follow_ups = sum(text["body"].startswith("follow up") for text in self.twilio.taken)
        assert follow_ups <= len(self.greeted)

    def teardown(self) -> None:
        self.stack.close()


Day.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestDay = Day.TestCase
