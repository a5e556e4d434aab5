"""The house itself: guards on every door, words kept in the README, limits of size, the one room of the network."""

import argparse
import ast
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr import config
from ivr.app import create_app
from ivr.cli import main, play
from ivr.flow.load import load_directory
from ivr.runtime import build
from ivr.sandbox.town import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
SOURCES = sorted((ROOT / "ivr").rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}


def test_every_post_route_has_a_guard(tmp_path: Path) -> None:
    settings = config.read({"DATABASE_URL": f"sqlite:///{tmp_path}/ivr.db"})
    app = create_app(build(settings, load_directory(ROOT / "flows").flows))
    routes = [rule for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())]
    assert len(routes) == 13
    for rule in routes:
        guard = getattr(app.view_functions[rule.endpoint], "guard", None)
        assert guard in ("twilio", "liveperson", "desk", "key", "dashboard"), rule.rule
    pages = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/dashboard")]
    open_to_all = {rule.rule for rule in pages if not hasattr(app.view_functions[rule.endpoint], "guard")}
    assert open_to_all == {"/dashboard/login", "/dashboard/<any('style.css', 'icon.svg'):name>"}


def settings_read() -> set[str]:
    """Every variable that the code asks the environment for, found in the code itself."""
    pattern = re.compile(r'environ(?:\.get\(|\[|, )\s*"([A-Z_]+)"')
    rooms = [ROOT / "ivr" / name for name in ("config.py", "cli/play.py", "runtime.py")]
    return {name for path in rooms for name in pattern.findall(path.read_text(encoding="utf-8"))}


def test_every_setting_is_in_the_readme_and_every_one_there_is_read() -> None:
    table = README.split("\n## Settings")[1].split("\n## ")[0]
    documented = {
        name
        for line in table.splitlines()
        if line.startswith("|")
        for name in re.findall(r"`([A-Z][A-Z_]+)`", line.split("|")[1])
    }
    read = settings_read()
    assert {"DATABASE_URL", "PUBLIC_URL", "WEB_THREADS", "DYNO"} <= read
    assert documented == read - {"DYNO"}


def commands(parser: argparse.ArgumentParser, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, nested in action.choices.items():
                yield from commands(nested, (*before, name)) or [(*before, name)]
            return
    yield before


def test_every_command_is_in_the_readme_and_every_one_there_exists() -> None:
    existing = {" ".join(command) for command in commands(main._parser())}
    assert {"check", "call", "demo", "db upgrade"} <= existing
    for command in existing:
        assert f"python -m ivr {command}" in README, command
    for words in re.findall(r"python -m ivr ([a-z]+(?: [a-z]+)?)", README):
        assert any(words.split()[0] == command.split()[0] for command in existing), words


def test_every_option_of_call_is_in_its_page() -> None:
    page = (ROOT / "docs" / "try.md").read_text(encoding="utf-8")
    assert "docs/try.md" in README
    parser = argparse.ArgumentParser()
    play.add_call(parser)
    for action in parser._actions:
        for option in action.option_strings:
            assert option in ("-h", "--help") or f"`{option}`" in page, option


def test_every_make_target_is_in_the_readme() -> None:
    targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert targets
    for target in targets[1].split():
        assert f"make {target}" in README


def test_the_procfile_resolves() -> None:
    lines = (ROOT / "Procfile").read_text().splitlines()
    assert {line.split(":")[0] for line in lines} == {"release", "web", "worker"}
    existing = {" ".join(command) for command in commands(main._parser())}
    for line in lines:
        for command in line.split(": ", 1)[1].split(" && "):
            words = shlex.split(command)
            if words[:3] == ["python", "-m", "ivr"]:
                assert " ".join(words[3:]) in existing, command
            else:
                assert words == ["gunicorn", "wsgi:app"]
                assert (ROOT / "wsgi.py").exists()


def test_sizes() -> None:
    for path, tree in TREES.items():
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 300, path
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                assert (node.end_lineno or 0) - node.lineno < 40, f"{path}:{node.lineno} {node.name}"
    assert len(README.splitlines()) <= 200


def test_every_promise_of_the_readme_names_its_test() -> None:
    promises = README.split("\n## What is promised")[1].split("\n## ")[0]
    there = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    rows = [line for line in promises.splitlines() if line.startswith("|")][2:]
    assert len(rows) >= 8
    for row in rows:
        named = re.findall(r"`([\w/.]+)`", row)
        assert named, row
        for name in named:
            assert (ROOT / name).exists() if "/" in name else f"def {name}(" in there, name


def test_every_room_says_what_it_is_for() -> None:
    for path, tree in TREES.items():
        assert ast.get_docstring(tree), path


@pytest.mark.parametrize(
    ("library", "rooms"),
    [
        ("twilio.rest", {"clients/twilio.py"}),
        (
            "requests",
            {
                "clients/bounded.py",
                "clients/exchange.py",
                "clients/fcm.py",
                "clients/files.py",
                "clients/liveperson_wire.py",
                "clients/public.py",
                "clients/twilio.py",
                "clients/webhook.py",
                "sandbox/webhooks.py",
                "sandbox/phone.py",
                "sandbox/process.py",
            },
        ),
        ("phonenumbers", {"numbers.py"}),
        ("yaml", {"flow/source.py", "studio/brand_file.py"}),
    ],
)
def test_who_may_use_a_library(library: str, rooms: set[str]) -> None:
    users = {str(path.relative_to(ROOT / "ivr")) for path, tree in TREES.items() if library in _imports(tree)}
    assert users == rooms


def _imports(tree: ast.Module) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            modules = [node.module]
        for module in modules:
            parts = module.split(".")
            names |= {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
    return names


def test_only_doors_and_delivery_open_transactions() -> None:
    allowed = {"web", "worker.py", "delivery", "runtime.py", "cli", "deployment", "store"}
    for path in SOURCES:
        room = path.relative_to(ROOT / "ivr").parts[0]
        if re.search(r"\.(writes|reads)\(\)", path.read_text(encoding="utf-8")):
            assert room in allowed, path


def test_versions_are_exact() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text().splitlines():
            assert not line or line.startswith(("#", "-r ")) or re.fullmatch(r"[a-z\d-]+(\[[a-z]+\])?==[\d.]+", line), (
                line
            )


def test_what_the_readme_says_of_versions_holds() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    version = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    assert f"## {version[1]}" in changelog


def test_nothing_that_belongs_to_one_machine_is_kept() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.split()
    assert not [name for name in tracked if name.startswith(("var/", ".venv/")) or name.endswith((".db", ".pyc"))]


def test_the_readme_s_transcript_is_what_the_demo_prints() -> None:
    block = README.split("```\n00:00")[1].split("```")[0]
    scene = "00:00" + block
    assert "presses 1" in scene
    assert scene.count("  text      ") == 2
    for line in scene.strip().splitlines():
        assert re.fullmatch(r"\d\d:\d\d  (call|caller|ivr|text|consumer|desk|agent) {2,8}\S.*", line), line
