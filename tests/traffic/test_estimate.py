"""The command: what it prints where, how it ends, and that what it proposes can be pasted."""

import csv
import io
import json
import os
import pty
import random
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from rich.cells import cell_len

from ivr.cli.main import main
from ivr.sandbox.town import ROOT
from ivr.traffic.expect import METHOD
from ivr.traffic.field import FIGURES

CHOICE = random.Random(10)  # any: the tests ask for what holds in every file
BRANCHES = [("Billing", 200, 0.12, 180), ("=cmd|' /C calc'!A0", 90, 0.02, 15), ("Großgruppen 団体", 900, 0.15, 20)]


def log(path: Path, calls: int = 1500) -> Path:
    file, text = path / "calls.csv", io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["Start Time", "Queue", "Caller", "Talk Time", "Wait Time", "Abandoned"])
    for number in range(calls):
        name, length, left, wait = BRANCHES[number % 3 if number % 100 else 0]
        at = datetime(2026, 6, 1) + timedelta(seconds=CHOICE.randrange(90 * 86_400))
        rows.writerow(
            [at, name, f"+1415{2_000_000 + CHOICE.randrange(calls):07d}", CHOICE.randrange(length // 2, length * 2),
             CHOICE.randrange(wait * 2), "yes" if CHOICE.random() < left else "no"]
        )  # fmt: skip
    file.write_text(text.getvalue(), encoding="utf-8")
    return file


def test_the_page_fits_a_terminal_and_says_what_it_rests_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", str(log(tmp_path))]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert max(map(cell_len, out.splitlines())) <= 80
    for figure in FIGURES:
        assert f"--{figure.option}" in out
        assert figure.shown in out
    flat = " ".join(out.split())
    assert METHOD in flat
    for words in ("1,500 calls, 2026-06-01 to 2026-08-29 (90 days), 3 branches", "Wilson", "order statistics", "Erlang C",
                  "t over 12 weeks", "All calls by weekday and hour", "goals", "Together: "):  # fmt: skip
        assert words in flat, words
    assert "\x1b" not in out


def test_what_is_pasted_under_a_brand_is_taken_by_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", str(log(tmp_path)), "--skeleton"]) == 0
    pasted = capsys.readouterr().out
    brand = tmp_path / "acme.yaml"
    brand.write_text(f'name: Acme\nsender: {{sms: "+1 415 555 0111"}}\n{pasted}')
    assert main(["check", "--strict", str(brand)]) == 0
    assert re.search(r"^    goal: \d+ a week  # deflections", pasted, re.MULTILINE)
    assert main(["estimate", str(tmp_path / "calls.csv")]) == 0
    assert capsys.readouterr().out.endswith(pasted)


def test_a_field_figure_that_is_set_changes_what_is_expected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(log(tmp_path))
    main(["estimate", file, "--json"])
    before = json.loads(capsys.readouterr().out)
    main(["estimate", file, "--json", "--accept", "28.284271247461902%", "--mobile", "68-90%"])
    after = json.loads(capsys.readouterr().out)
    assert after["figures"]["accept"]["origin"] == "set by you"
    for one, other in zip(before["branches"], after["branches"], strict=True):
        assert other["expected"]["deflections"]["middle"] == pytest.approx(2 * one["expected"]["deflections"]["middle"])


def test_json_has_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", str(log(tmp_path)), "--json", "--timezone", "America/New_York"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["calls"], told["timezone"], len(told["hours"]), told["rows"]["broken"]) == (
        1500,
        "America/New_York",
        168,
        0,
    )
    for branch in told["branches"]:
        for name in ("weekly", "length", "wait", "abandoned", "again", "known"):
            assert branch[name]["low"] <= branch[name]["middle"] <= branch[name]["high"]
            assert branch[name]["method"]
        assert branch["expected"]["agents"]["method"] == "Erlang C"
        assert len(branch["reasons"]) == 6
    assert told["skeleton"].startswith("branches:\n")


def test_csv_is_a_row_a_branch_and_no_formula(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", str(log(tmp_path)), "--csv"]) == 0
    out = capsys.readouterr().out
    header, *rows = csv.reader(io.StringIO(out))
    assert {"branch", "again", "again_low", "again_method", "deflections_high", "agents"} <= set(header)
    assert len(rows) == 3
    assert all(len(row) == len(header) for row in rows)
    assert not re.search(r"(^|,)\"?[=@+]", out, re.MULTILINE)
    assert any(row[1] == "'=cmd|' /C calc'!A0" for row in rows)


def test_broken_rows_are_named_on_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = log(tmp_path, 200)
    with file.open("a", encoding="utf-8") as text:
        text.write("soon,Billing,a,1,1,no\n" * 12)
    assert main(["estimate", str(file)]) == 0
    out, err = capsys.readouterr()
    assert err.splitlines()[0] == "line 202: 'soon': no time that can be read"
    assert err.splitlines()[-1] == "12 of 212 rows cannot be read and are left out, the first 10 are named."
    assert len(err.splitlines()) == 11
    assert "Rows left out: 12 broken." in out


def test_a_file_that_cannot_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", str(tmp_path / "none.csv")]) == 1
    assert capsys.readouterr().err == f"{tmp_path}/none.csv: cannot be read (No such file or directory).\n"
    assert main(["estimate", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"{tmp_path}: cannot be read (Is a directory).\n"
    (tmp_path / "letter.csv").write_text("Dear all,\nhello\n")
    assert main(["estimate", str(tmp_path / "letter.csv")]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "name it with --map time=COLUMN" in err


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--accept", "15"], "--accept 15: of these, who accepts the offer, like 15% or 10-25%"),
        (["--concurrency", "none"], "--concurrency none: conversations an agent has at once, like 2 or 2-4"),
        (["--timezone", "Acme/City"], "--timezone Acme/City: no such time zone, write one like America/New_York"),
        (["--timezone", "../etc"], "--timezone ../etc: no such time zone, write one like America/New_York"),
        (["--region", "XX"], "--region XX: no such region, write one like US"),
        (["--within", "soon"], "--within soon: a time from 10 seconds to a day, like 10 minutes"),
        (["--within", "5"], "--within 5: a time from 10 seconds to a day, like 10 minutes"),
        (["--service", "100%"], "--service 100%: a share, like 15% or 10-25%"),
        (["--map", "colour=x"], "--map colour=x: write ROLE=COLUMN; roles are: time, branch, caller"),
        (["--map", "wait=x"], "--map wait=x: no such column; there are: Start Time, Queue, Caller"),
    ],
)
def test_wrong_usage_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], why: str
) -> None:
    assert main(["estimate", str(log(tmp_path, 30)), *options]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(why)


def test_a_small_sample_says_so_where_its_figure_stands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", str(log(tmp_path, 60))]) == 0
    out = capsys.readouterr().out
    assert "too few calls to judge (under 100)" in out
    assert re.search(r"few hang up: 0% \(0-\d+%, Wilson, only \d\d\)|hang up.*\(.*Wilson, only \d\d\)", out)
    assert re.search(r"\d%\*", out)
    assert "No branch is worth an offer by these figures; there is nothing to paste." in out


def test_a_switchboard_is_noticed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = log(tmp_path, 300)
    with file.open("a", encoding="utf-8") as text:
        text.write("2026-07-01 10:00:00,Billing,+14155550000,60,10,no\n" * 60)
    main(["estimate", str(file)])
    assert "One number makes 60 of the calls" in capsys.readouterr().out


def test_times_that_say_no_zone_are_asked_about(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, words = str(log(tmp_path, 30)), "Times without a zone were read as UTC"
    main(["estimate", file])
    assert words in capsys.readouterr().out
    main(["estimate", file, "--timezone", "America/New_York"])
    assert words not in capsys.readouterr().out


def of_consumers(directory: Path) -> Path:
    rows = "".join(f"+1415555{number:04},d{number},ios,C-{number},yes,\n" for number in range(2_000, 9_999))
    file = directory / "consumers.csv"
    file.write_text(f"number,token,platform,external_id,enrolled,last_active\n{rows}", encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("command", "wrote", "ends"),
    [
        (["estimate", "--skeleton"], lambda directory: log(directory, 20_000), b"branches:\n"),
        (["consumers", "import", "--brand", "acme"], of_consumers, b"7,999 devices written"),
    ],
    ids=["estimate", "consumers import"],
)
def test_a_bar_is_shown_on_a_terminal_alone(
    command: list[str], wrote: Callable[[Path], Path], ends: bytes, tmp_path: Path
) -> None:
    ours, theirs = pty.openpty()
    asked = [sys.executable, "-m", "ivr", *command, str(wrote(tmp_path))]
    environ = {**os.environ, "TERM": "xterm", "DATABASE_URL": f"sqlite:///{tmp_path}/ivr.db"}
    with subprocess.Popen(asked, cwd=ROOT, stdout=subprocess.PIPE, stderr=theirs, env=environ) as run:
        os.close(theirs)
        assert run.stdout
        out, shown = run.stdout.read(), b""
        while True:
            try:
                shown += os.read(ours, 65_536)
            except OSError:  # the terminal is closed
                break
    os.close(ours)
    assert b"reading" in shown
    assert b"100%" in shown
    assert ends in out
    assert b"reading" not in out


def test_who_reads_the_head_alone_sees_no_error(tmp_path: Path) -> None:
    command = f"{sys.executable} -m ivr estimate {log(tmp_path)} --json | head -1"
    ended = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True)
    assert (ended.stdout, ended.stderr) == ("{\n", "")


def test_every_option_is_in_its_page(capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs" / "estimate.md").read_text(encoding="utf-8")
    with pytest.raises(SystemExit):
        main(["estimate", "--help"])
    for option in set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}:
        assert f"`{option}`" in page, option
