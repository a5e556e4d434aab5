"""The stand, and a command that runs in its environment."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ivr.cli.main import main
from tests.databases import KINDS
from tests.deployment.stand import Stand, stand

Ran = tuple[int, str, str]
Run = Callable[..., Ran]


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Stand]:
    with stand("sqlite", tmp_path) as built:
        yield built


@pytest.fixture(params=KINDS)
def on_either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stand]:
    with stand(request.param, tmp_path) as built:
        yield built


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in a stand's environment and no other: its exit code, stdout, stderr."""

    def ran(at: Stand, *arguments: str) -> Ran:
        for name in set(os.environ) - {"PATH", "HOME", "TMPDIR"}:
            monkeypatch.delenv(name)
        for name, value in at.environ.items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        return (main(arguments), *capsys.readouterr())

    return ran
