"""An account at a simulated Studio, over real HTTP, and a flow to push there."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from ivr.flow.load import load_directory
from ivr.sandbox.studio import SimulatedStudio, studio_api
from ivr.sandbox.town import ROOT
from ivr.studio.definition import written
from ivr.studio.export import export
from tests.deployment.stand import served

FLOWS = load_directory(ROOT / "flows").flows
ACME = export(FLOWS["acme"], "native", "").definition
SID, TOKEN = "AC" + "5a" * 16, "a-simulated-account-has-no-secret"


@pytest.fixture
def studio() -> SimulatedStudio:
    return SimulatedStudio(SID, TOKEN)


@pytest.fixture
def url(studio: SimulatedStudio) -> Iterator[str]:
    app = Flask(__name__)
    app.register_blueprint(studio_api(studio))
    with served(app) as there:
        yield there


@pytest.fixture
def settings(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("ACCOUNT_SID", SID), ("AUTH_TOKEN", TOKEN), ("API_URL", url)):
        monkeypatch.setenv(f"TWILIO_{name}", value)
    monkeypatch.setenv("PUBLIC_URL", "https://ivr.example.com")
    monkeypatch.setenv("FLOWS_DIR", str(ROOT / "flows"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "acme.json"
    file.write_text(written(ACME), encoding="utf-8")
    return file
