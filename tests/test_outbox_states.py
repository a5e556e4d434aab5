"""A text's whole life in any order of callbacks, kills, outages and clocks: one text, or none known to have failed."""

import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ivr.clients.failure import SendError
from ivr.clients.twilio import Listed
from ivr.flow.load import load_directory
from ivr.sandbox.town import ROOT
from ivr.worker import Worker
from tests.databases import new_database
from tests.doors import Doors, FakeTwilio, opened_doors
from tests.test_worker import at_once

FLOWS = load_directory(ROOT / "flows").flows


class Killed(BaseException):
    """The process ends here; nothing after this line happens."""


class Town(FakeTwilio):
    """A Twilio that takes texts or not, answers or not, and lists what it has."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[dict[str, Any]] = []
        self.next = "answers"
        self.lists = True

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
        how, self.next = self.next, "answers"
        if how in ("busy", "refused connection"):
            raise SendError(how)
        if how == "killed before":
            raise Killed
        if how == "no answer, not taken":
            raise SendError(how, unclear=True)
        sid = f"SM{len(self.taken):032x}"
        self.taken.append({"sid": sid, "to": to, "body": body, "sender": sender, "callback": callback, "state": "sent"})
        if how == "killed after":
            raise Killed
        if how == "no answer, taken":
            raise SendError(how, unclear=True)
        return sid

    def texts_to(self, number: str, since: datetime, deadline: float) -> list[Listed]:
        if not self.lists:
            raise SendError("list is away", unclear=True)
        return [
            Listed(text["sid"], text["body"], text["sender"], True, text["state"], None)
            for text in reversed(self.taken)
            if "".join(filter(str.isdigit, text["to"])) == number[1:]
        ]


HOWS = [
    "answers",
    "busy",
    "refused connection",
    "no answer, taken",
    "no answer, not taken",
    "killed before",
    "killed after",
]


class Life(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.accepted = 0

    @initialize()
    def opens(self) -> None:
        directory = self.stack.enter_context(tempfile.TemporaryDirectory())
        url = self.stack.enter_context(new_database("sqlite", Path(directory)))
        self.twilio = Town()
        self.doors: Doors = self.stack.enter_context(opened_doors(url, FLOWS, self.twilio))

    @rule(how=st.sampled_from(HOWS), caller=st.integers(0, 2), branch=st.sampled_from(["billing", "bookings"]))
    def accepts(self, how: str, caller: int, branch: str) -> None:
        self.twilio.next = how
        self.accepted += 1
        form = {"CallSid": f"CA{self.accepted}", "From": f"+1415555267{caller}", "Digits": "1", "To": "+14155550100"}
        with suppress(Killed):
            assert self.doors.post(f"/voice/acme/{branch}?step=answer", form).status_code == 200
        self.twilio.next = "answers"

    @rule(how=st.sampled_from(HOWS))
    def works(self, how: str) -> None:
        self.twilio.next = how
        with suppress(Killed):
            Worker(self.doors.runtime).round(at_once)
        self.twilio.next = "answers"

    @rule(seconds=st.sampled_from([1, 10, 41, 61, 300]))
    def waits(self, seconds: int) -> None:
        self.doors.clock.pass_(seconds=seconds)

    @rule(lists=st.booleans())
    def list_is(self, lists: bool) -> None:
        self.twilio.lists = lists

    @rule(index=st.integers(0, 30), status=st.sampled_from(["queued", "sent", "delivered"]))
    def callback(self, index: int, status: str) -> None:
        if index < len(self.twilio.taken):
            text = self.twilio.taken[index]
            path = text["callback"].removeprefix("https://ivr.example.com")
            assert self.doors.post(path, {"MessageSid": text["sid"], "MessageStatus": status}).status_code == 200

    @invariant()
    def none_is_doubled(self) -> None:
        if hasattr(self, "twilio"):
            counts = Counter(text["callback"] for text in self.twilio.taken)
            assert all(count == 1 for count in counts.values()), counts

    def teardown(self) -> None:
        try:
            if hasattr(self, "doors"):
                self._none_is_lost()
        finally:
            self.stack.close()

    def _none_is_lost(self) -> None:
        """Everything heals; every accepted offer is one text, or was given up after its hour."""
        self.twilio.lists = True
        for _ in range(3 * self.accepted + 10):
            self.doors.clock.pass_(seconds=61)
            Worker(self.doors.runtime).round(at_once)
        self.none_is_doubled()
        rows = self.doors.rows("SELECT id, state FROM messages")
        assert len(rows) == self.accepted
        taken = {text["callback"].rsplit("/", 1)[1] for text in self.twilio.taken}
        for message_id, state in rows:
            assert state in ("sent", "delivered", "dead")
            assert (message_id in taken) or state == "dead"


Life.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestLife = Life.TestCase
