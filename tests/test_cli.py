"""The commands: what they print, where, and how they end."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ivr.cli import main
from ivr.sandbox.town import ROOT, free_port
from tests.databases import KINDS, new_database


def test_check_is_silent_on_good_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(ROOT / "flows")]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "2 brand(s), no errors\n"


def test_check_prints_a_finding_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "acme.yaml"
    file.write_text((ROOT / "flows" / "acme.yaml").read_text().replace("skill:", "skil:"))
    assert main(["check", str(file)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        f"{file}:27:5: error: skil: unknown key; did you mean skill?",
        f"{file}:38:5: error: skil: unknown key; did you mean skill?",
    ]


def test_check_reads_flows_dir(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FLOWS_DIR", str(tmp_path))
    assert main(["check"]) == 1
    assert (
        capsys.readouterr().out
        == f"{tmp_path}:1:1: error: cannot be read (no *.yaml in it); name a flow file, or a directory of *.yaml\n"
    )


@pytest.mark.parametrize(
    "arguments", [[], ["dance"], ["check", "--loud"], ["call"], ["call", "acme", "--handset", "brick"]]
)
def test_wrong_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


@pytest.mark.parametrize("kind", KINDS)
def test_db_upgrade(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with new_database(kind, tmp_path) as url:
        monkeypatch.setenv("DATABASE_URL", url)
        assert main(["db", "upgrade"]) == 0


def test_a_wrong_setting_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PORT", "x")
    assert main(["db", "upgrade"]) == 1
    assert capsys.readouterr().err == "PORT is 'x'; write a whole number from 0 to 65535.\n"


def ivr(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ivr", *arguments],
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_call_prints_the_contract_s_transcript(tmp_path: Path) -> None:
    record = tmp_path / "webhooks.jsonl"
    ended = ivr("call", "acme", "--press", "2,1", "--text", "Where is my booking?", "--record", str(record))
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == (
        "00:00  call      +1(415) 555-2671 dials +1(415) 555-0100\n"
        "00:00  ivr       Thank you for calling Acme Air. For billing, press 1. For bookings, press 2.\n"
        "00:05  caller    presses 2\n"
        "00:05  ivr       Press 1 and we will text you, or stay on the line.\n"
        "00:10  caller    presses 1\n"
        "00:10  text      Thank you for texting Acme Air. How can we help with your booking? Reply STOP to opt out.\n"
        "00:10  ivr       We are texting the number ending in 2671. You can hang up now. If nothing arrives, stay on the line.\n"
        "00:28  ivr       Thank you. Goodbye.\n"
        "00:29  call      ends\n"
        "00:38  consumer  Where is my booking?\n"
    )
    assert "A simulation" in ended.stderr
    recorded = [json.loads(line) for line in record.read_text().splitlines()]
    assert recorded[0]["params"]["CallStatus"] == "ringing"
    assert {exchange["status"] for exchange in recorded} == {200}


def test_call_says_which_brands_there_are() -> None:
    ended = ivr("call", "acne")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "acne: no such brand; there are: acme, corner-bakery" in ended.stderr


def test_call_shows_why_a_server_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").write_text("name: [")
    ended = ivr("call", "acme", FLOWS_DIR=str(tmp_path))
    assert ended.returncode == 1
    assert "acme.yaml:2:1: error: syntax" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_demo_tells_the_whole_trip() -> None:
    ended = ivr("demo", ONCE="1", PORT=str(free_port()), SANDBOX_PORT=str(free_port()))
    assert ended.returncode == 0, ended.stderr
    who = [line.split()[1] for line in ended.stdout.splitlines()]
    assert who == ["call", "ivr", "caller", "ivr", "caller", "text", "ivr", "ivr", "call", "consumer"]


def test_the_demo_fails_when_a_step_does_not_happen(tmp_path: Path) -> None:
    flow = (ROOT / "flows" / "acme.yaml").read_text()
    (tmp_path / "acme.yaml").write_text(flow.replace('    skill: "1234"\n', '    skill: "1234"\n    accept: 5\n'))
    ended = ivr("demo", ONCE="1", PORT=str(free_port()), SANDBOX_PORT=str(free_port()), FLOWS_DIR=str(tmp_path))
    assert ended.returncode == 1
    assert "missing: the greeting on the handset" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "environ", "line"),
    [
        (["db", "upgrade"], {"DATABASE_URL": "postgres://u:p@h:abc/x"}, "DATABASE_URL is no URL"),
        (["db", "upgrade"], {"DATABASE_URL": "postgres://u:s3cret@127.0.0.1:1/x"}, "OperationalError: the database"),
        (["db", "upgrade"], {"DATABASE_URL": "sqlite:////dev/null/x/ivr.db"}, "the database or a file cannot be used"),
        (["call", "acme", "nosuch"], {}, "nosuch: no such branch; there are: billing, bookings"),
        (["call", "acme", "--record", "/nonexistent/x"], {}, "the database or a file cannot be used"),
    ],
)
def test_what_goes_wrong_is_one_line(
    arguments: list[str],
    environ: dict[str, str],
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert line in error
    assert "s3cret" not in error
