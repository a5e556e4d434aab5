"""A number keyed in, in any order of keys, replays and failures: a text goes where the caller heard and confirmed."""

import itertools
import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.clients.failure import SendError
from ivr.flow.model import Flow
from tests.databases import new_database
from tests.doors import Doors, Heard, opened_doors
from tests.web.test_number_entry import ACCEPT, NUMBER

FAILURE = SendError("x", permanent=True, code=21408)

# What a call does next: a yes, one of the numbers, a key at one of the last things heard; and how Twilio fares then.
STEPS = st.one_of(
    st.just(("yes", 0, "")),
    st.tuples(st.just("number"), st.integers(0, 2), st.just("")),
    st.tuples(st.just("key"), st.integers(0, 5), st.sampled_from(["1", "1", "2", "7", ""])),
    st.just(("fails", 0, "")),
)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, acme: Flow) -> Iterator[Doors]:
    """One for every example; each has a call and numbers of its own."""
    with (
        new_database("sqlite", tmp_path_factory.mktemp("orders")) as url,
        opened_doors(url, {"acme": acme}) as built,
    ):
        yield built


examples = itertools.count(1)


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, min_size=3, max_size=14))
def test_in_any_order_a_text_goes_where_it_was_confirmed(here: Doors, steps: list[tuple[str, int, str]]) -> None:
    example = next(examples)
    call, numbers = f"CA{example:032x}", [str(4_155_550_000 + 3 * example + number) for number in range(3)]
    here.twilio.sent, here.twilio.fails = [], []
    heard: list[tuple[str, str]] = []  # read back, and where its key goes
    confirmed: set[str] = set()
    for what, which, key in steps:
        if what == "fails":
            here.twilio.fails = [FAILURE]
        elif what == "key" and heard:
            number, path = heard[-1 - which % len(heard)]
            if key == "1":
                confirmed.add(number)
            _listen(here.voice(path, call, From="anonymous", Digits=key), heard)
        elif what == "number":
            _listen(here.voice(NUMBER, call, From="anonymous", Digits=numbers[which]), heard)
        else:
            here.voice(ACCEPT, call, From="anonymous", Digits="1")
    sent = [re.sub(r"\D", "", text["to"])[1:] for text in here.twilio.sent]
    assert set(sent) <= confirmed
    assert len(sent) == len(set(sent)), "none is tried twice"
    states = here.rows("SELECT state FROM messages WHERE call_sid = :call", call=call)
    assert sum(state != "failed" for (state,) in states) <= 1


def _listen(answer: Heard, heard: list[tuple[str, str]]) -> None:
    read_back = re.search(r"You entered (\d+)", answer.words)
    if read_back:
        heard.append((read_back[1], answer.action()))
    else:
        assert answer.names, "no dead air"
