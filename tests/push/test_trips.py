"""The trips: who uses the app gets a push, who does not gets a text; over real HTTP, on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.flow.push import Fcm
from ivr.runtime import utc_now
from ivr.sandbox.apps import DEVICE, with_app
from ivr.sandbox.scene import Scene
from ivr.sandbox.town import Town, free_port, town
from ivr.store import consumers
from ivr.store.consumers import Consumer
from ivr.store.database import opened_once
from tests.conftest import FLOWS
from tests.databases import KINDS, new_database, sqlalchemy_url

FCM = """\
push: {fcm: {key_env: ACME_FCM_KEY}, deep_link: "acmeair://messages"}
channels: [push, sms]
"""


@pytest.fixture(scope="module", params=[(kind, by) for kind in KINDS for by in ("webhook", "fcm")], ids="-".join)
def here(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town whose brand has an app, pushed to by Google or by the brand."""
    kind, by = request.param
    directory: Path = tmp_path_factory.mktemp("town")
    flows, acme = directory / "given", (FLOWS / "acme.yaml").read_text()
    flows.mkdir()
    (flows / "acme.yaml").write_text((FCM if by == "fcm" else "") + "lookup: yes\n" + acme)
    port = free_port()
    assert with_app(flows, "acme", f"http://127.0.0.1:{port}", directory / "flows") is (by == "webhook")
    with (
        new_database(kind, directory) as url,
        town(directory / "flows", url, directory / "server.log", sandbox_port=port) as built,
    ):
        built.database_url = sqlalchemy_url(url)
        yield built


def enrol(here: Town, number: str, enrolled: bool = True, token: str = DEVICE) -> None:
    device = Consumer("acme", number, token, "ios", "C-77", enrolled, None)
    with opened_once(here.database_url) as database, database.writes() as tx:
        consumers.write(tx, [device], utc_now())


def yes(caller: str, handset: str = "app") -> Scene:
    return Scene(brand="acme", branch="billing", caller=caller, keys=("1",), handset=handset)


def test_who_uses_the_app_gets_a_push_and_no_text(here: Town) -> None:
    enrol(here, "+14155552601")
    pushed, texted = len(here.apps.pushes), len(here.carrier.texts)
    _, transcript = here.play(yes("+14155552601"))
    assert [line[:40] for line in transcript.said("push")] == ["Thank you for choosing to connect with A"]
    assert "We are sending a message to our app." in " ".join(transcript.said("ivr"))
    assert len(here.carrier.texts) == texted
    (push,) = here.apps.pushes[pushed:]
    told = push.get("data", push)
    assert told["event"] == "deflection.accepted"
    assert (told["brand"], told["branch"], told["skill"]) == ("acme", "billing", "1234")
    assert told["expires_at"].endswith("Z")
    if "data" in push:
        assert told["deep_link"] == "acmeair://messages"
        assert push["token"] == DEVICE
    else:
        assert told["caller"] == "+14155552601"
        assert told["external_id"] == "C-77"
        assert told["idempotency_key"] == told["id"]


def test_who_does_not_gets_a_text(here: Town) -> None:
    _, transcript = here.play(yes("+14155552602"))
    assert transcript.said("push") == []
    assert len(transcript.said("text")) == 1


def test_who_is_not_enrolled_gets_a_text(here: Town) -> None:
    enrol(here, "+14155552603", enrolled=False)
    _, transcript = here.play(yes("+14155552603"))
    assert transcript.said("push") == []
    assert len(transcript.said("text")) == 1


def test_an_app_that_is_gone_is_followed_by_a_text_at_once_and_is_not_tried_again(here: Town) -> None:
    enrol(here, "+14155552604", token="gone-" + DEVICE)
    arrived = here.talk.on_handset.count
    _, transcript = here.play(yes("+14155552604", "app-gone"))
    here.talk.on_handset.wait_beyond(arrived, 5.0)
    assert transcript.said("push") == []
    assert len(transcript.said("text")) == 1
    push = here.flows["acme"].push
    with opened_once(here.database_url) as database, database.reads() as tx:
        marked = consumers.gone(tx, ["gone-" + DEVICE])
    assert bool(marked) is bool(push and isinstance(push.by, Fcm))  # a push service keeps its own book


def test_a_landline_is_looked_up_once_and_never_texted(here: Town) -> None:
    texts = len(here.carrier.texts)
    for _ in range(2):
        _, transcript = here.play(yes("+14155552605", "landline"))
        assert transcript.said("text") == []
        assert "We are sorry" in " ".join(transcript.said("ivr")) or "could not" in " ".join(transcript.said("ivr"))
    assert len(here.carrier.texts) == texts
    with opened_once(here.database_url) as database, database.reads() as tx:
        found = tx.exec_driver_sql("SELECT kind FROM line_types WHERE number = '+14155552605'").all()
    assert [row[0] for row in found] == ["landline"]
    assert here.log.read_text().count('"looked_up"') >= 1


def test_the_server_said_nothing_wrong(here: Town) -> None:
    log = here.log.read_text()
    assert "Traceback" not in log
    assert DEVICE not in log
