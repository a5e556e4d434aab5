"""The API's document in other hands: a client generated from it works, and what it says holds for whatever is sent."""

import importlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import positive_data_acceptance
from werkzeug.serving import make_server

from ivr.web import api_document
from ivr.worker import Worker
from tests.asking import API_KEYS, KEY, NUMBER
from tests.databases import new_database
from tests.doors import Doors, opened_doors
from tests.test_conversations import FLOWS
from tests.test_worker import at_once

PATHS = api_document.document()["paths"]
BEARER = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture
def doors(tmp_path: Path) -> Iterator[Doors]:
    with new_database("sqlite", tmp_path) as url, opened_doors(url, FLOWS, API_KEYS=API_KEYS) as here:
        yield here


@pytest.mark.parametrize(("method", "path"), [(method, path) for path, methods in PATHS.items() for method in methods])
def test_whatever_is_sent_is_answered_as_documented(doors: Doors, method: str, path: str) -> None:
    document = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", doors.client.application, headers=BEARER)

    @settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=document[path][method].as_strategy(), known=st.booleans())
    def told(case: Any, known: bool) -> None:
        doors.clock.pass_(seconds=1)  # the thirty requests a second are another test's
        if known and isinstance(case.body, dict):  # by chance nobody finds a branch and a number that are there
            case.body |= {"branch": "billing", "number": NUMBER}
        # A branch that is not there, or a cursor that is none of ours, has the documented shape and is refused.
        answer = case.call_and_validate(headers=BEARER, excluded_checks=[positive_data_acceptance])

        statuses.add(answer.status_code // 100)

    statuses: set[int] = set()
    told()
    assert 2 in statuses or "{id}" in path, statuses


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The package that a stranger's generator makes of our document."""
    there = tmp_path_factory.mktemp("generated")
    (there / "openapi.json").write_text(api_document.written(), encoding="utf-8")
    (there / "config.yml").write_text("package_name_override: deflecting\npost_hooks: []\n", encoding="utf-8")
    command = ["openapi-python-client", "generate", "--path", "openapi.json", "--config", "config.yml"]
    command = [str(Path(sys.executable).with_name(command[0])), *command[1:], "--meta", "none", "--fail-on-warning"]
    made = subprocess.run(command, cwd=there, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    sys.path.insert(0, str(there))
    yield lambda module: importlib.import_module(f"deflecting.{module}")
    sys.path.remove(str(there))


def test_a_generated_client_deflects_a_call_and_follows_it(doors: Doors, client: Any) -> None:
    models = client("models")
    with served(doors) as url:
        api = client("client").AuthenticatedClient(base_url=url, token=KEY)
        whom = models.EligibilityRequest(branch="billing", number=NUMBER)
        eligible = client("api.default.eligibility").sync(client=api, body=whom)
        assert eligible.eligible is True
        consent = models.Consent(prompt="Press 1 and we will text you.", key="1")
        yes = models.DeflectionRequest(branch="billing", number=whom.number, call_id="genesys-1", consent=consent)
        made = client("api.default.deflect").sync(client=api, body=yes, idempotency_key="once")
        again = client("api.default.deflect").sync(client=api, body=yes, idempotency_key="once")
        assert again.id == made.id
        Worker(doors.runtime).round(at_once)
        status = client("api.default.status").sync(client=api, id=made.id)
        listed = client("api.default.list_").sync(client=api)
        missing = client("api.default.status").sync(client=api, id="0" * 32)
    assert [sent["to"] for sent in doors.twilio.sent] == ["+1(415) 555-2671"]
    assert [each.id for each in listed.deflections] == [status.id] == [made.id]
    assert (type(missing).__name__, missing.status) == ("Problem", 404)


@contextmanager
def served(doors: Doors) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, doors.client.application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_document_is_the_one_that_is_served(doors: Doors) -> None:
    answer = doors.client.get("/api/v1/openapi.json", headers=BEARER)
    assert json.loads(answer.data) == json.loads(api_document.written())
