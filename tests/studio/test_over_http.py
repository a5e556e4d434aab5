"""Generated brands: the documents of our own door, run as Twilio runs them, tell the story of the native export."""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ivr.app import create_app
from ivr.flow import aims, twiml
from ivr.flow.model import Flow
from ivr.runtime import Brand
from ivr.sandbox.clock import Clock
from ivr.sandbox.document import BadDocument
from ivr.sandbox.phone import Call
from ivr.sandbox.transcript import Transcript
from ivr.sandbox.webhooks import Answer, Webhooks
from ivr.studio.check import check
from ivr.studio.export import export
from ivr.studio.run import Agents
from tests.databases import new_database, sqlalchemy_url
from tests.doors import ACCOUNT_SID, PUBLIC_URL, TOKEN, Doors, opened_doors
from tests.flow.test_generated import NAMES, brands
from tests.studio.stories import Story, by_studio, comparable
from tests.studio.test_export import loaded
from tests.studio.test_run import AGENTS

MOST_DOCUMENTS = 40  # of a call; menus may lead in circles, and one turn is like the other


@dataclass(slots=True)
class Signed(Webhooks):
    """Webhooks that reach the application in this process."""

    doors: Doors | None = None
    answered: int = 0

    def post(self, url: str, params: Mapping[str, str], session: requests.Session | None = None) -> Answer:
        assert self.doors
        self.answered += 1
        if self.answered > MOST_DOCUMENTS:
            raise BadDocument(f"the call does not end: {MOST_DOCUMENTS} documents")
        got = self.doors.post(url.removeprefix(PUBLIC_URL), params)
        return Answer(got.status_code, got.data, 0.0, url)


BRANDS: dict[str, Brand] = {}  # what the application has, one at a time


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    with (
        new_database("sqlite", tmp_path_factory.mktemp("stories")) as url,
        opened_doors(sqlalchemy_url(url), {}) as opened,
    ):
        runtime = replace(opened.runtime, brands=BRANDS)
        yield replace(opened, client=create_app(runtime).test_client(), runtime=runtime)


_callers = itertools.count(5_552_000)


def by_the_door(doors: Doors, flow: Flow, place: str, keys: list[str], agents: Agents) -> Story:
    """One call, to its end or as far as is compared."""
    BRANDS[flow.id] = Brand(flow, twiml.ready_made(flow), aims.sharing(flow.branches))
    webhooks = Signed(PUBLIC_URL, PUBLIC_URL, ACCOUNT_SID, TOKEN, doors=doors)
    transcript = Transcript(Clock())
    caller = f"+1415{next(_callers)}"
    Call(transcript.clock, webhooks, transcript, caller, "+14155550100", keys, agents).play(f"/voice/{flow.id}/{place}")
    return [(event.who, event.what) for event in transcript.events]


def heard(story: Story) -> Story:
    """What is said as its letters alone: numbers are spoken digit by digit here, and as they are in Studio."""
    kept = [(who, what) for who, what in story if who != "text" and "dials" not in what]
    told = [(who, re.sub(r"[\W\d]+", "", what) if who == "ivr" else what) for who, what in kept]
    return [each for each in comparable(told) if each != ("call", "ends")]


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    brands, st.sampled_from(NAMES), st.lists(st.sampled_from(["", "", *"01259*#"]), max_size=8), st.sampled_from(AGENTS)
)
def test_generated_brands_tell_the_same_story_over_the_door(
    doors: Doors, tmp_path: Path, brand: dict[str, Any], place: str, keys: list[str], agents: Agents
) -> None:
    for holder in (brand, *brand["branches"].values()):
        for lost in ("other_number", "hours", "closed", "regions"):  # what Studio does not have, and says so
            holder.pop(lost, None)
    found = loaded(tmp_path, brand)
    assume(found is not None)
    assert found
    exported = export(found, "native", "", place).definition
    assert [str(finding) for finding in check(exported)] == []
    server = heard(by_the_door(doors, found, place, keys, agents))
    studio = heard(by_studio(exported, keys, agents))
    circles = ("Studio stops there", "more than 1,000 steps", "documents")
    if studio[-1][1].endswith(circles) or server[-1][1].endswith(circles):  # `check` warns of it
        shorter = min(len(studio), len(server)) - 1
        assert shorter >= 10
        studio, server = studio[:shorter], server[:shorter]
    assert studio == server
