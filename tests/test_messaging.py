"""LivePerson's messaging in the containment report: a trip over HTTP with bad days and a break, the joins, the file."""

import csv
import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from ivr import config
from ivr.cli import main, messaging
from ivr.cli.messaging import BrokenOff, Marks
from ivr.clients.liveperson_history import History
from ivr.clients.oauth import Keys
from ivr.config import SettingsError
from ivr.sandbox.history import Record, told
from ivr.store import schema
from ivr.store.database import opened_once
from ivr.store.tables import calls, conversations, deflections, messages
from ivr.traffic.cells import DAY
from ivr.traffic.contained import Period
from ivr.traffic.kept_chats import Kept
from ivr.traffic.opened import BrokenFile
from ivr.traffic.talks import ALL, Chat, Known, Talk, joined
from tests.flow.test_aims import ACME
from tests.sandbox.connector import ACCOUNT, Town, served

NOW = int(datetime.now(UTC).timestamp())
# Whole days before this one, all in the two months before the month of today, or in this one.
FIRST = NOW // DAY - 25
PERIOD = Period(FIRST * DAY, NOW, UTC)
NONCES = itertools.count()
MARKS = Marks("a-secret-key-for-tests-that-is-long")
RECORDS = ("LIVEPERSON_APP_KEY", "LIVEPERSON_APP_SECRET", "LIVEPERSON_ACCESS_TOKEN", "LIVEPERSON_ACCESS_TOKEN_SECRET")


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with served(Town()) as here:
        yield here


def history(town: Town, waited: list[float]) -> History:
    kept = town.desk.history
    keys = Keys(kept.app_key, kept.app_secret, kept.token, kept.token_secret)
    return History(
        ACCOUNT, town.url, keys, lambda: f"nonce-{next(NONCES)}", lambda: datetime.now(UTC), lambda: 0.0, waited.append
    )


def past(many: int, day: int, **more: Any) -> list[Record]:
    """Conversations of a day, a minute apart; an agent comes after five minutes and stays for ten."""
    began = [(day * DAY + 60 * place) * 1000 for place in range(many)]
    return [told(f"{day}-{place}", at, at + 900_000, taken=at + 300_000, **more) for place, at in enumerate(began)]


def asked(town: Town) -> list[tuple[int, int]]:
    """Day and offset of every search."""
    searches = [one for one in town.desk.requests if one["path"].endswith("/conversations/search")]
    return [(one["body"]["start"]["from"] // 1000 // DAY, int(one["query"]["offset"])) for one in searches]


def test_a_trip_with_pages_a_429_a_cut_and_going_on(town: Town, tmp_path: Path) -> None:
    town.desk.history.past = [*past(250, FIRST), *past(3, FIRST + 1), *past(1, FIRST + 3)]
    town.desk.requests.clear()
    # Two pages come, one after a 429; then the line is cut, four times.
    town.desk.history.set_days("up,busy,up,cut,cut,cut,cut,up")
    waited: list[float] = []
    file = tmp_path / "kept.jsonl"
    with pytest.raises(BrokenOff) as broken:
        messaging.fetched(Kept(file, ACCOUNT, MARKS.key), history(town, waited), MARKS, PERIOD, NOW)
    assert "200 conversations are kept; the same command goes on where this one stopped" in str(broken.value)
    assert waited == [2.0, 5.0, 10.0, 15.0]
    assert set(asked(town)) == {(FIRST, 0), (FIRST, 100), (FIRST, 200)}

    with file.open("a") as torn:  # and the machine died in the middle of a line
        torn.write(f'{{"day":{FIRST + 1},"asked":1,"off')
    town.desk.requests.clear()
    chats = messaging.fetched(Kept(file, ACCOUNT, MARKS.key), history(town, waited), MARKS, PERIOD, NOW)
    assert asked(town)[:2] == [(FIRST, 200), (FIRST + 1, 0)], "what is kept is not asked for again"
    assert len(chats) == len({chat.id for chat in chats}) == 254
    assert {chat.ended - chat.taken for chat in chats if chat.ended and chat.taken} == {600}

    town.desk.requests.clear()
    again = messaging.fetched(Kept(file, ACCOUNT, MARKS.key), history(town, waited), MARKS, PERIOD, NOW)
    assert again == chats
    assert {day for day, _ in asked(town)} <= {NOW // DAY - 1, NOW // DAY}, "only days that can still change"
    assert file.stat().st_mode & 0o077 == 0
    assert "consumer of" in file.read_text(), "LivePerson's ids are kept"


def test_what_was_open_is_asked_for_again(town: Town, tmp_path: Path) -> None:
    at = (FIRST + 2) * DAY * 1000
    town.desk.history.set_days("up")
    town.desk.history.past = [told("open", at, phone="+1(415) 555-2671")]
    file = tmp_path / "kept.jsonl"
    period = Period((FIRST + 2) * DAY, (FIRST + 3) * DAY, UTC)
    (chat,) = messaging.fetched(Kept(file, ACCOUNT, MARKS.key), history(town, []), MARKS, period, NOW)
    assert chat.ended is None
    town.desk.history.past = [told("open", at, at + 60_000, phone="+1(415) 555-2671")]
    (chat,) = messaging.fetched(Kept(file, ACCOUNT, MARKS.key), history(town, []), MARKS, period, NOW)
    assert chat.ended == at // 1000 + 60
    assert chat.mark == MARKS("+14155552671")
    assert "555" not in file.read_text().replace(str(at // 1000), ""), "no number stands in the file"


def test_more_than_thirteen_months_are_not_asked_for(town: Town, tmp_path: Path) -> None:
    town.desk.history.past, town.desk.history._days[0] = [], "up"
    town.desk.requests.clear()
    period = Period(NOW - 400 * DAY, NOW - 390 * DAY, UTC)
    messaging.fetched(Kept(tmp_path / "kept", ACCOUNT, MARKS.key), history(town, []), MARKS, period, NOW)
    assert min(day for day, _ in asked(town)) == (NOW - 395 * DAY) // DAY


def test_what_a_desk_has_now_is_told_too(tmp_path: Path) -> None:
    with served(Town()) as town:
        headers = town.headers("ann")
        opened = town.conversation(headers)
        town.desk.say(opened, "Hello")
        period = Period(NOW - DAY, NOW + 2 * DAY, UTC)
        file = Kept(tmp_path / "kept", ACCOUNT, MARKS.key)
        (chat,) = messaging.fetched(file, history(town, []), MARKS, period, NOW + DAY)
    assert (chat.id, chat.ended, chat.mark) == (opened, None, MARKS("+14155552671"))
    assert chat.taken


# Joining, by hand.

MARCH = int(datetime(2026, 3, 5, tzinfo=UTC).timestamp())
ANN, BOB, CAT = "+14155550101", "+14155550102", "+14155550103"


def chat(name: str, at: int, consumer: str, minutes: int | None = 10, **more: Any) -> Chat:
    ended = None if minutes is None else at + 300 + 60 * minutes
    return Chat(name, at, ended, at + 300, consumer, more.get("mark", ""), more.get("first"))


def test_joined_by_hand() -> None:
    """Ann's two are ours, in two branches; Bob is known by his number, Cat by LivePerson's id; Dan is a stranger."""
    talks = [
        Talk(ANN, MARCH, "billing", "c1", "lp-ann"),
        Talk(ANN, MARCH + DAY, "bookings", "c2", "lp-ann"),
        Talk(CAT, MARCH - 40 * DAY, "billing", "old", "lp-cat"),
    ]
    chats = [
        chat("c1", MARCH, "lp-ann", 10, first=True),
        chat("c2", MARCH + DAY, "lp-ann", 20, first=False),
        chat("c3", MARCH, "lp-bob", 30, mark=MARKS(BOB), first=True),
        chat("c4", MARCH + 2 * DAY, "lp-cat", None),
        chat("c5", MARCH + 2 * DAY, "lp-dan", 5, mark=MARKS("+14155550199")),
        chat("c5", MARCH + 2 * DAY, "lp-dan", 5, mark=MARKS("+14155550199")),
        chat("other brand's", MARCH, "lp-eve"),
    ]
    known = Known(talks, {BOB}, frozenset({"other brand's"}), MARKS)
    ours, found = joined(chats, known, PERIOD.month)
    whole = found.loads[ALL, "2026-03"]
    assert (whole.conversations, whole.ours, whole.closed, whole.consumers) == (5, 2, 4, 4)
    assert (whole.minutes, whole.timed) == (65.0, 4)
    assert whole.returning
    assert (whole.returning.middle, whole.returning.sample) == (0.5, 4), "Ann and Cat"
    assert found.loads[ALL, ALL] == whole
    billing = found.loads["billing", ALL]
    assert (billing.conversations, billing.ours, billing.minutes) == (1, 1, 10.0)
    assert [talk.before for talk in ours] == [False, True, False]
    assert {talk.caller for talk in found.elsewhere} == {BOB, CAT, "lp:lp-dan"}


def test_a_conversation_in_no_branch_counts_once() -> None:
    ours, found = joined([chat("c", MARCH, "lp")], Known([], set(), frozenset(), MARKS), PERIOD.month)
    assert ours == []
    assert {key: load.conversations for key, load in found.loads.items()} == {(ALL, "2026-03"): 1, (ALL, ALL): 1}


# The file.

BROKEN = [
    ("another account", json.dumps({"liveperson": "999", "key": MARKS.key}) + "\n", "conversations of another account"),
    ("another key", json.dumps({"liveperson": ACCOUNT, "key": "x"}) + "\n", "written with another SECRET_KEY"),
    ("something else", "hello\n", "line 1 is not what this command writes"),
    ("odd inside", json.dumps({"liveperson": ACCOUNT, "key": MARKS.key}) + '\n{"day":1}\n', "line 2 is not"),
    ("an odd chat", json.dumps({"liveperson": ACCOUNT, "key": MARKS.key}) + '\n{"day":1,"asked":1,"offset":1,"whole":true,"chats":[[1]]}\n', "line 2 is not"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "said"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "kept.jsonl"
    file.write_text(content)
    with pytest.raises(BrokenFile) as raised:
        Kept(file, ACCOUNT, MARKS.key)
    assert said in str(raised.value)
    assert file.read_text() == content, "left as it was"


# From the command line.


def written(url: str, at: datetime) -> None:
    """Three calls that became texts; two wrote, one of them at LivePerson as c1."""
    with opened_once(url) as database:
        schema.upgrade(database)
        with database.writes() as tx:
            for place in range(3):
                caller, sid = f"+1415555010{place}", f"CA{place}"
                tx.execute(
                    insert(calls).values(
                        call_sid=sid, brand="acme", entry="menu", caller=caller, dialled="+14155550100", started_at=at
                    )
                )
                offer = dict(
                    call_sid=sid,
                    branch="billing",
                    brand="acme",
                    caller=caller,
                    offered_at=at,
                    accepted_at=at,
                    number=caller,
                )
                made = tx.execute(insert(deflections).values(offer).returning(deflections.c.id)).scalar_one()
                tx.execute(
                    insert(messages).values(
                        id=f"m{place}",
                        kind="greeting",
                        state="delivered",
                        brand="acme",
                        deflection_id=made,
                        number=caller,
                        sender="+14155550111",
                        body="Hi",
                        created_at=at,
                        updated_at=at,
                    )
                )
            for brand, place in (("acme", 1), ("bakery", 2)):
                tx.execute(insert(conversations).values(id=f"c{place}", brand=brand, desk="liveperson", number=f"+1415555010{place}", sender="+14155550111", state="closed", branch="billing", desk_id=f"desk-{place}", desk_consumer=f"lp-{place}", started_at=at))  # fmt: skip


@pytest.fixture
def here(tmp_path: Path, database_url: str, town: Town, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "acme.yaml").write_text(ACME, encoding="utf-8")
    kept = town.desk.history
    environment = {
        "DATABASE_URL": database_url,
        "FLOWS_DIR": str(tmp_path / "flows"),
        "SECRET_KEY": MARKS.secret,
        "LIVEPERSON_ACCOUNT": ACCOUNT,
        "LIVEPERSON_API_URL": town.url,
        **dict(zip(RECORDS, (kept.app_key, kept.app_secret, kept.token, kept.token_secret), strict=True)),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return tmp_path


REPORT = ["report", "containment", "--brand", "acme", "--months", "1", "--html", "c.html", "--csv", "c.csv"]


def test_from_the_command_line(here: Path, database_url: str, town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    at = datetime.fromtimestamp(FIRST * DAY, UTC) + timedelta(hours=9)
    written(database_url, at)
    ms = int(at.timestamp()) * 1000
    town.desk.history.set_days("up")
    town.desk.history.past = [
        told("desk-1", ms, ms + 900_000, taken=ms + 300_000, first=False),
        told("desk-2", ms, ms + 900_000, taken=ms + 300_000),
        told("stranger", ms, ms + 900_000),
    ]
    assert main.main(REPORT) == 0
    printed = capsys.readouterr().out
    assert "messaging at LivePerson       1 conversations (1 opened here), 1 closed; returning 100%" in printed
    assert "all messaging at LivePerson      2 conversations (1 opened here), 2 closed" in printed
    with (here / "c.csv").open(encoding="utf-8", newline="") as file:
        rows = {(row["branch"], row["month"], row["figure"], row["group"]): row for row in csv.DictReader(file)}
    assert rows["all", "all", "conversations at LivePerson", "LivePerson"]["value"] == "2", (
        "another brand's is not ours"
    )
    assert rows["billing", "all", "minutes with an agent", "LivePerson"]["value"] == "10.0"
    assert "Messaging at LivePerson" in (here / "c.html").read_text(encoding="utf-8")
    kept = here / f"liveperson-{ACCOUNT}.jsonl"
    assert kept.exists()
    assert "+1415" not in kept.read_text()


def test_without_keys_it_says_so_where_the_figure_stands(
    here: Path, database_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written(database_url, datetime.fromtimestamp(FIRST * DAY, UTC))
    for name in (*RECORDS, "LIVEPERSON_ACCOUNT"):
        monkeypatch.delenv(name)
    assert main.main(REPORT) == 0
    said = "not read: LIVEPERSON_ACCOUNT, LIVEPERSON_APP_KEY"
    assert f"messaging at LivePerson       {said}" in capsys.readouterr().out
    assert f"N{said[1:]}" in (here / "c.html").read_text(encoding="utf-8")
    assert f'conversations at LivePerson,LivePerson,,,,,,"{said}' in (here / "c.csv").read_text(encoding="utf-8")
    assert not list(here.glob("liveperson-*"))


def test_wrong_keys_are_one_sentence(
    here: Path, database_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written(database_url, datetime.fromtimestamp(FIRST * DAY, UTC))
    monkeypatch.setenv("LIVEPERSON_ACCESS_TOKEN_SECRET", "another-secret")
    assert main.main(REPORT) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "LivePerson refused (401); check LIVEPERSON_APP_KEY and its three companions" in error
    assert error.endswith("`--messaging no` reports without LivePerson.\n")
    assert "another-secret" not in error
    assert main.main([*REPORT, "--messaging", "no"]) == 0
    assert "not read: --messaging no" in capsys.readouterr().out


SETTINGS = [
    ("records alone", ["LIVEPERSON_ACCOUNT", *RECORDS], ""),
    ("three of four", ["LIVEPERSON_ACCOUNT", *RECORDS[:3]], "LIVEPERSON_APP_KEY"),
    ("no account", [*RECORDS], "LIVEPERSON_APP_KEY"),
    ("half a connector beside", ["LIVEPERSON_ACCOUNT", "LIVEPERSON_CLIENT_ID", *RECORDS], "LIVEPERSON_CLIENT_SECRET"),
    ("an account alone", ["LIVEPERSON_ACCOUNT"], "all three or none"),
]  # fmt: skip


@pytest.mark.parametrize(("named", "said"), [case[1:] for case in SETTINGS], ids=[case[0] for case in SETTINGS])
def test_what_belongs_together(named: list[str], said: str) -> None:
    environment = dict.fromkeys(named, "12345678")
    if not said:
        assert all(config.read(environment).liveperson_records)
        return
    with pytest.raises(SettingsError, match=said):
        config.read(environment)
