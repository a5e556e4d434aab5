"""`demo-data` and `report containment` from the command line: the walk-through of docs/containment.md, on both databases."""

import csv
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from ivr.cli import main
from ivr.sandbox.town import ROOT
from ivr.store import outbox
from ivr.store.database import opened_once
from tests import channelled
from tests.flow.test_aims import ACME
from tests.test_messaging import written

PAGE = (ROOT / "docs" / "containment.md").read_text(encoding="utf-8")
COSTS = "costs: {currency: USD, call_minute: 0.85, call_length: 6 minutes, conversation: 2.40, text: 0.01}"
SHORT = ["--brand", "acme", "--calls", "3000", "--months", "4", "--until", "2026-11-25"]
TABLES = ("calls", "deflections", "held_back", "messages", "conversations")


@pytest.fixture
def here(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    flows = tmp_path / "flows"
    flows.mkdir()
    flow = ACME.replace("language: en-US", f"language: en-US\nshare: 80%\ngoal: 25%\n{COSTS}", 1)
    (flows / "acme.yaml").write_text(flow, encoding="utf-8")
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("FLOWS_DIR", str(flows))
    monkeypatch.setenv("SECRET_KEY", "a-secret-key-for-tests-that-is-long")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def counted(url: str) -> dict[str, int]:
    with opened_once(url) as database, database.reads() as tx:
        return {table: tx.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in TABLES}


def test_from_simulated_months_to_a_report(here: Path, database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["demo-data", *SHORT]) == 0
    assert counted(database_url)["calls"] == 3000
    asked = ["report", "containment", "--brand", "acme", "--simulated", "--until", "2026-11-25"]
    assert main.main([*asked, "--html", "containment.html", "--csv", "containment.csv"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Containment of acme~simulated, 2026-08-01 to 2026-11-25  SIMULATED\n")
    assert "net calls saved" in printed
    assert "Simulated: no person made these calls" in (here / "containment.html").read_text(encoding="utf-8")
    with (here / "containment.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["simulated"] for row in rows} == {"yes"}
    assert {row["branch"] for row in rows} == {"all", "billing", "bookings"}
    assert main.main(["demo-data", "--brand", "acme", "--remove"]) == 0
    assert set(counted(database_url).values()) == {0}


def told_and_true(here: Path, seed: int, capsys: pytest.CaptureFixture[str]) -> dict[str, tuple[float, float, float]]:
    """By branch the ends of the report's interval of net calls saved, and the truth that `demo-data` printed."""
    world = ["--calls", "8000", "--months", "3", "--until", "2026-11-01", "--seed", str(seed), "--containment", "75%"]
    assert main.main(["demo-data", "--brand", "acme", *world]) == 0
    effect = {name: float(each) for name, each in re.findall(r"(\w+): ([\d.]+) calls saved", capsys.readouterr().err)}
    asked = ["--brand", "acme", "--simulated", "--months", "4", "--until", "2026-11-25", "--csv", "c.csv"]
    assert main.main(["report", "containment", *asked]) == 0
    with (here / "c.csv").open(encoding="utf-8", newline="") as file:
        rows = {
            (row["branch"], row["figure"], row["group"]): row for row in csv.DictReader(file) if row["month"] == "all"
        }
    found = {}
    for branch, each in effect.items():
        heard = ("texted", "accepted, no text reached them", "declined")
        offers = sum(int(rows[branch, "calls with an offer due", group]["value"]) for group in heard)
        net = rows[branch, "net calls saved", "against who heard no offer"]
        found[branch] = (float(net["low"]), each * offers, float(net["high"]))
    return found


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_interval_holds_the_true_effect(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From end to end, over worlds whose effect is set: of intervals of 95 % one in twenty may miss."""
    told = [told_and_true(here, seed, capsys) for seed in range(1, 6)]
    low, true, high = told[0]["billing"]
    assert 0 < low < true < high, "an effect is seen, and it is this one"
    assert high < 3 * true, "and not by an interval that holds anything"
    held = [low <= true <= high for found in told for low, true, high in found.values()]
    assert len(held) == 10
    assert sum(held) >= 9


def test_simulated_rows_are_nobody_s_to_send_and_the_same_again(here: Path, database_url: str) -> None:
    told = []
    for _ in range(2):
        assert main.main(["demo-data", *SHORT]) == 0
        with opened_once(database_url) as database, database.reads() as tx:
            assert list(outbox.waiting(tx)) == []
            later = datetime(2030, 1, 1, tzinfo=UTC)
            assert not outbox.has_due(tx, later)
            assert not outbox.has_overdue(tx, later)
            for table in TABLES:
                brands = tx.execute(text(f"SELECT DISTINCT brand FROM {table}")).scalars().all()
                assert brands == ["acme~simulated"], table
            rows = tx.execute(text("SELECT call_sid, caller, started_at FROM calls ORDER BY call_sid"))
            texts = tx.execute(text("SELECT id, state, number FROM messages ORDER BY id"))
            told.append(([tuple(row) for row in rows], [tuple(row) for row in texts]))
    assert told[0] == told[1]
    assert {number[5:10] for _, number, _ in told[0][0]} == {"55501"}, "fictional numbers alone"


def test_simulated_texts_by_whatsapp_and_rcs_are_read(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FLOWS_DIR", str(channelled.written(here / "channels")))
    assert main.main(["demo-data", *SHORT]) == 0
    capsys.readouterr()
    funnel = ["report", "funnel", "--since", "2026-07-01", "--until", "2026-11-25", "--by", "channel", "--json"]
    assert main.main(funnel) == 0
    told = {line["label"]: line for line in json.loads(capsys.readouterr().out)["lines"]}
    for channel in ("whatsapp", "rcs"):
        assert 0.5 < told[channel]["rates"]["read"]["middle"] < 1, channel
        assert told[channel]["read"] >= told[channel]["replied"] > 0, "who answered has read it"
    assert (told["sms"]["read"], told["sms"]["rates"]["read"]) == (None, None)
    assert told["sms"]["delivered"] > 0


def test_simulated_rows_are_counted_and_gone_and_no_consent(
    here: Path, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    funnel = ["report", "funnel", "--since", "2026-07-01", "--until", "2026-11-25"]
    assert main.main([*funnel, "--csv"]) == 0, "a database that was counted before"
    assert main.main(["demo-data", *SHORT]) == 0
    capsys.readouterr()
    assert main.main([*funnel, "--by", "brand"]) == 0
    told = capsys.readouterr().out
    assert "acme~simulated  3,000" in told
    assert "Simulated traffic is among these numbers" in told
    assert main.main(["export", "consents"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1, "nobody consented to anything"
    assert main.main(["demo-data", "--brand", "acme", "--remove"]) == 0
    assert main.main([*funnel, "--by", "brand"]) == 0
    assert "simulated" not in capsys.readouterr().out.lower()


def test_a_brand_without_calls_gets_a_report_that_says_so(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["report", "containment", "--brand", "acme", "--until", "2026-11-25"]) == 0
    assert "No call of these months had an offer due." in capsys.readouterr().out


def test_a_day_to_come_makes_no_window_over(here: Path, database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Called yesterday, texted: whether they call again within seven days nobody knows, whatever --until says."""
    yesterday = datetime.now(UTC) - timedelta(days=1, hours=1)
    written(database_url, yesterday)
    until = f"{yesterday + timedelta(days=60):%Y-%m-%d}"
    assert main.main(["report", "containment", "--brand", "acme", "--until", until, "--months", "1"]) == 0
    assert re.search(r"called again, texted +24 hours 0% .*; 7 days not over yet;", capsys.readouterr().out)


WRONG = [
    (["demo-data", "--calls", "0"], 2, "--calls 0: 1 to 10,000,000"),
    (["demo-data", "--brand", "nobody"], 2, "nobody: not in FLOWS_DIR"),
    (["demo-data", "--until", "tomorrow"], 2, "no date; write one like"),
    (["report", "containment", "--months", "99"], 2, "--months 99: 1 to 36"),
    (["report", "containment", "--calls", "no.csv"], 1, "no.csv: cannot be read"),
    (["report", "containment", "--csv", "no/where.csv"], 1, "cannot be written"),
]


@pytest.mark.parametrize(("arguments", "code", "said"), WRONG)
def test_wrong_usage_is_one_sentence(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    assert main.main(arguments) == code
    assert said in capsys.readouterr().err


def test_every_option_is_in_the_page() -> None:
    for option in (
        "--containment",
        "--share",
        "--remove",
        "--html",
        "--csv",
        "--calls",
        "--messaging",
        "--months",
        "--until",
        "--simulated",
    ):
        assert f"`{option}`" in PAGE
