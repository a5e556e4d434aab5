"""The commands: what they print, where, and how they end."""

import json
import os
import pty
import re
import select
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ivr.cli.main import main
from ivr.flow.findings import Finding, Place
from ivr.flow.graph import graph
from ivr.flow.load import load
from ivr.flow.shown import shown
from ivr.sandbox.town import ROOT, SECRET_KEY, free_port
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
        f"{file}:31:5: error: skil: unknown key; did you mean skill?",
        f"{file}:42:5: error: skil: unknown key; did you mean skill?",
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


WARNED = """\
name: Acme
sender: {sms: "+1 415 555 0111"}
fallback: {say: Goodbye.}
branches:
  billing:
    skil: "1234"
    offer: 您好, Press 1.
    greeting: Hello.
    otherwise: {queue: front}
"""


def test_a_warning_fails_a_strict_check_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "acme.yaml"
    file.write_text(WARNED.replace("skil:", "skill:"))
    line = (
        f"{file}:8:15: warning: greeting: does not say how to opt out; end it with words like: Reply STOP to opt out.\n"
    )
    assert main(["check", str(file)]) == 0
    assert capsys.readouterr() == (line, "1 brand(s), no errors, 1 warning(s)\n")
    assert main(["check", "--strict", str(file)]) == 1
    assert capsys.readouterr() == (line, "1 brand(s), no errors, 1 warning(s)\n")


def on_a_terminal(*arguments: str, **environ: str) -> str:
    """What a command writes when its output is a terminal, a narrow one."""
    ours, its = pty.openpty()
    try:
        subprocess.run(
            [sys.executable, "-m", "ivr", *arguments],
            cwd=ROOT,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "40", **environ},
            stdout=its,
            stderr=subprocess.DEVNULL,
            timeout=120,
        )
        written = b""
        while select.select([ours], [], [], 0)[0] and (part := os.read(ours, 65536)):
            written += part
    finally:
        os.close(its)
        os.close(ours)
    return written.decode().replace("\r\n", "\n")


def test_check_on_a_terminal_shows_the_line_and_one_to_paste(tmp_path: Path) -> None:
    file = tmp_path / "acme.yaml"
    file.write_text(WARNED.replace("name: Acme", 'name: "Ac\x1b]2;me"'), encoding="utf-8")
    written = on_a_terminal("check", str(file))
    plain = re.sub(r"\x1b\[[\d;]*m", "", written)
    assert "\x1b[" in written
    assert "\x1b]" not in plain, "the file's own commands reach no terminal"
    file.write_text(WARNED, encoding="utf-8")
    bare = on_a_terminal("check", str(file), NO_COLOR="1")
    assert "\x1b[3" not in bare
    assert re.sub(r"\x1b\[[\d;]*m", "", bare) == (
        f"{file}:6:5: error: skil: unknown key; did you mean skill?\n"
        '        skil: "1234"\n'
        "        ^\n"
        '        skill: "1234"\n'
        f"{file}:8:15: warning: greeting: does not say how to opt out; end it with words like: Reply STOP to opt out.\n"
        "        greeting: Hello.\n"
        "                  ^\n"
        "    Reply STOP to opt out.\n"
    )


def test_the_caret_stands_under_wide_letters(tmp_path: Path) -> None:
    finding = Finding("a.yaml", Place(1, 4), "x", quoted="您\t好z")
    assert str(shown(finding)) == "a.yaml:1:4: error: x\n    您 好z\n         ^"


def test_check_prints_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "A brand's file"


def test_a_newcomer_adds_a_branch_by_copying_eight_lines(tmp_path: Path) -> None:
    """`check` and `ivr call` tell them whether it works."""
    lines = (ROOT / "flows" / "acme.yaml").read_text(encoding="utf-8").splitlines()
    start = lines.index("  bookings:")
    copied = ["  refunds:", *lines[start + 1 : start + 8]]
    file = tmp_path / "acme.yaml"
    file.write_text("\n".join([*lines, *copied]) + "\n", encoding="utf-8")

    forgotten = ivr("check", "--strict", str(tmp_path))
    assert forgotten.returncode == 1
    assert forgotten.stdout == (
        f"{file}:{len(lines) + 1}:3: warning: refunds: no number and no key reaches this branch; add one to numbers "
        "or to a menu's press, or leave it if the URL /voice/acme/refunds is meant\n"
    )
    (hint,) = load([file]).findings[0].hint
    lines.insert(lines.index("    2: bookings") + 1, hint)
    file.write_text("\n".join([*lines, *copied]) + "\n", encoding="utf-8")

    added = ivr("check", "--strict", str(tmp_path))
    assert (added.returncode, added.stdout) == (0, "")
    played = ivr("call", "acme", "--press", "3,1", FLOWS_DIR=str(tmp_path))
    assert played.returncode == 0, played.stderr
    assert "caller    presses 3\n00:05  ivr       Press 1 and we will text you" in played.stdout
    assert played.stdout.count("  text      Thank you for texting Acme Air.") == 1


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
        monkeypatch.setenv("SECRET_KEY", SECRET_KEY)
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
    texts = ("--text", "Where is my booking?", "--agent", "It is confirmed.")
    ended = ivr("call", "acme", "--press", "2,1", *texts, "--record", str(record))
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
        "00:38  desk      opens a conversation, skill 5678\n"
        "01:08  agent     It is confirmed.\n"
        "01:08  text      It is confirmed.\n"
    )
    assert "A simulation" in ended.stderr
    recorded = [json.loads(line) for line in record.read_text().splitlines()]
    assert recorded[0]["params"]["CallStatus"] == "ringing"
    assert {exchange["status"] for exchange in recorded} == {200}


def test_call_waits_for_a_text_that_comes_later() -> None:
    ended = ivr("call", "acme", "billing", "--press", "1", "--twilio", "busy,up", "--text", "Hello?")
    assert ended.returncode == 0, ended.stderr
    lines = [line.split(maxsplit=2) for line in ended.stdout.splitlines()]
    assert [who for _, who, _ in lines[-4:]] == ["call", "text", "consumer", "desk"]
    assert lines[-4][2] == "ends"
    assert "not known to be sent" not in ended.stderr


def test_a_call_out_of_hours(tmp_path: Path) -> None:
    acme = (ROOT / "flows" / "acme.yaml").read_text(encoding="utf-8")
    hours = "hours: {open: 'Mon-Fri 08:00-20:00', holidays: [US]}\nclosed:\n  offer: We are closed, press 1. We answer {{ opens }}.\n"
    hours += '  greeting: "{{ brand }} answers {{ opens }}. Reply STOP to opt out."\n'
    (tmp_path / "acme.yaml").write_text(acme + hours, encoding="utf-8")
    texts = ("--text", "My bill is wrong", "--agent", "Hello")
    ended = ivr("call", "acme", "billing", "--press", "1", *texts, "--at", "2026-12-24 20:30", FLOWS_DIR=str(tmp_path))
    assert ended.returncode == 0, ended.stderr
    assert "  ivr       We are closed, press 1. We answer on Monday at 8 AM.\n" in ended.stdout
    assert "  text      Acme Air answers on Monday at 8 AM. Reply STOP to opt out.\n" in ended.stdout
    assert ended.stdout.endswith("  text      Hello\n")
    wrong = ivr("call", "acme", "--at", "tomorrow")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert 'tomorrow: no time; write one like "2026-12-25 10:00" or "Sat 22:30"' in wrong.stderr


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
    assert who == [
        "call",
        "ivr",
        "caller",
        "ivr",
        "caller",
        "text",
        "ivr",
        "ivr",
        "call",
        "consumer",
        "desk",
        "agent",
        "text",
    ]


def test_a_demo_that_is_ended_takes_its_server_along() -> None:
    port = free_port()
    environ = {**os.environ, "PORT": str(port), "SANDBOX_PORT": str(free_port())}
    command = [sys.executable, "-m", "ivr", "demo"]
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as run:
        assert run.stderr
        assert any(b"Your turn" in line for line in run.stderr)
        run.terminate()
        assert run.wait(40) == 0
    with socket.socket() as ours:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        ours.bind(("127.0.0.1", port))  # nobody listens there any more


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
    for name, value in {"SECRET_KEY": SECRET_KEY, **environ}.items():
        monkeypatch.setenv(name, value)
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert line in error
    assert "s3cret" not in error


def test_the_readme_shows_what_graph_prints(capsys: pytest.CaptureFixture[str]) -> None:
    block = (ROOT / "README.md").read_text(encoding="utf-8").split("```mermaid\n")[1].split("```")[0]
    assert main(["graph", "corner-bakery"]) == 0
    out, err = capsys.readouterr()
    assert (out, err) == (block, "")
    assert "orders" in block


def test_graph_says_which_brands_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "good.yaml").write_text((ROOT / "flows" / "corner-bakery.yaml").read_text())
    (tmp_path / "bad.yaml").write_text("name: Bad\n")
    monkeypatch.setenv("FLOWS_DIR", str(tmp_path))
    for brand in ("bad", "nobody"):
        assert main(["graph", brand]) == 1
        out, err = capsys.readouterr()
        assert (out, err) == ("", f"{brand}: no such brand, or its file has an error; there are: good\n")


DOT_STANDS_IN = """#!/bin/sh
echo "$@" > "$(dirname "$0")/arguments"
cat > "$(dirname "$0")/drawn.dot"
echo '<svg/>'
"""


def test_graph_has_dot_draw_the_svg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dot, file = tmp_path / "dot", tmp_path / "acme.svg"
    dot.write_text(DOT_STANDS_IN)
    dot.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert main(["graph", "acme", "--svg", str(file)]) == 0
    assert file.read_text() == "<svg/>\n"
    assert (tmp_path / "arguments").read_text() == "-Tsvg\n"
    drawn = (tmp_path / "drawn.dot").read_text()
    assert drawn.startswith("digraph {\n")
    assert drawn.count(" -> ") == 12


@pytest.mark.parametrize(
    ("script", "line"),
    [
        (None, "dot is not installed, which draws the SVG; install Graphviz, or leave out --svg for Mermaid text.\n"),
        ("#!/bin/sh\necho 'Error: no layout' >&2; echo more >&2; exit 1\n", "dot failed: Error: no layout\n"),
        ("#!/bin/sh\nexit 3\n", "dot failed: exit code 3\n"),
    ],
    ids=["missing", "failing", "failing without a word"],
)
def test_a_picture_that_cannot_be_drawn_is_one_line(
    script: str | None, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if script:
        (tmp_path / "dot").write_text(script)
        (tmp_path / "dot").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["graph", "acme", "--svg", str(tmp_path / "acme.svg")]) == 1
    assert capsys.readouterr().err == line
    assert not (tmp_path / "acme.svg").exists()


@pytest.mark.skipif(not shutil.which("dot"), reason="no dot: the picture is drawn by a stand-in alone")
def test_graphviz_draws_every_node(tmp_path: Path) -> None:
    assert main(["graph", "acme", "--svg", str(tmp_path / "acme.svg")]) == 0
    drawn = (tmp_path / "acme.svg").read_text()
    tree = graph(load([ROOT / "flows" / "acme.yaml"]).flows["acme"])
    assert (drawn.count('class="node"'), drawn.count('class="edge"')) == (len(tree.nodes), len(tree.edges))
