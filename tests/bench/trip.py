"""A call: how long a caller waits for the first word, and for the next one after a key, a slow Twilio included."""

import random
from collections.abc import Iterator
from pathlib import Path

from ivr.sandbox.scene import Scene
from ivr.sandbox.town import ROOT, town
from tests.bench.figures import BenchFailed, Figure, at_most

CALLS = 20


def trip(directory: Path) -> Iterator[Figure]:
    """What `make bench` prints of one caller's waiting, the longest of several calls."""
    chance = random.Random(1)
    with town(ROOT / "flows", f"sqlite:///{directory / 'trip.db'}", directory / "trip.log") as here:
        first, after_a_key = 0.0, 0.0
        for number in range(CALLS):
            seen = len(here.webhooks.exchanges)
            caller = f"+1415555{chance.randint(2000, 9999)}"
            days = "slow" if number % 5 == 4 else "up"
            call, transcript = here.play(Scene(brand="acme", caller=caller, keys=("1", "1"), twilio=days))
            if call.errors or not transcript.said("text"):
                raise BenchFailed(f"a call went wrong:\n{transcript}")
            asked = [made for made in here.webhooks.exchanges[seen:] if "/voice" in made["url"]]
            first = max(first, asked[0]["seconds"])
            after_a_key = max([after_a_key, *(made["seconds"] for made in asked if made["params"].get("Digits"))])
    yield at_most("trip: answering to the first word, the longest", first, 2, "s")
    yield at_most("trip: a key to the next word, the longest, Twilio slow", after_a_key, 3, "s")
