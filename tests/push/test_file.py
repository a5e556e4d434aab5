"""The keys of a brand's file about its app: each mistake is one finding; a missing variable stops the start."""

from pathlib import Path
from typing import Any

import pytest

from ivr.clients.directory import BrandDirectory
from ivr.delivery.apps import BadVariable, apps
from ivr.flow.load import load
from ivr.flow.model import Flow
from ivr.flow.push import Fcm, PushService
from ivr.flow.pushed import pushed
from ivr.sandbox.apps import service_account
from ivr.sandbox.town import ROOT
from tests.desks import brand

ACME = (ROOT / "flows" / "acme.yaml").read_text(encoding="utf-8")
WEBHOOK = "push: {webhook: {url: 'https://a.example/push', secret_env: A_SECRET}"
SQL = "SELECT token FROM users WHERE phone = :number"


def findings(tmp_path: Path, line: str) -> list[str]:
    file = tmp_path / "acme.yaml"
    file.write_text(f"{line}\n{ACME}", encoding="utf-8")
    return [str(finding).removeprefix(f"{file}:") for finding in load([file]).errors]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("push: {}", "push: expected exactly one of fcm, webhook; found nothing"),
        ("push: {fcm: {key_env: A}, webhook: {url: 'https://a.example', secret_env: B}}", "found fcm and webhook"),
        ("push: {fcm: {}}", "key_env"),
        ("push: {fcm: {key_env: '{\"private_key\": 1}'}}", "is no variable's name"),
        ("push: {webhook: {url: 'http://10.0.0.7/push', secret_env: A}}", "url: leads into a private network"),
        ("push: {webhook: {url: 'http://localhost/push', secret_env: A, allow_private: no}}", "private network"),
        (f"{WEBHOOK}, deep_link: messages}}", "deep_link: 'messages' is no link"),
        (f"{WEBHOOK}, deep_link: 'javascript:alert(1)'}}", "opens no app"),
        (f"{WEBHOOK}, active_within: soon}}", "active_within: 'soon' is no duration"),
        ("consumers: {sql: 'SELECT 1', url_env: A}", "does not ask about the caller; bind :number"),
        (f"consumers: {{sql: '{SQL}; DROP TABLE users', url_env: A}}", "more than one statement"),
        (f"consumers: {{sql: '{SQL} AND a = :name', url_env: A}}", "binds :name"),
        ("consumers: {sql: 'DELETE FROM users WHERE phone = :number', url_env: A}", "is no SELECT"),
        (f"consumers: {{sql: '{SQL}', url_env: 'postgresql://u:p@h/db'}}", "is no variable's name"),
        ("lookup: perhaps", "lookup: 'perhaps' is not allowed; write yes or no"),
    ],
)
def test_a_mistake_is_one_finding(tmp_path: Path, line: str, said: str) -> None:
    (finding,) = findings(tmp_path, line)
    assert said in finding
    assert finding.startswith("1:")


@pytest.mark.parametrize(
    "line",
    [
        f"{WEBHOOK}, deep_link: 'acmeair://messages', title: Acme, active_within: 7 days}}",
        "push: {webhook: {url: 'http://10.0.0.7/push', secret_env: A, allow_private: yes}}",
        "push: {fcm: {key_env: A_KEY}, deep_link: 'https://acme.example/messages'}",
        f"consumers: {{sql: '{SQL};', url_env: A_URL}}",
    ],
)
def test_what_is_meant(tmp_path: Path, line: str) -> None:
    assert findings(tmp_path, line) == []


def with_app(tmp_path: Path, **keys: Any) -> Flow:
    return brand(tmp_path, change=lambda data: data.update(keys))


FCM = {"fcm": {"key_env": "ACME_FCM_KEY"}}


@pytest.mark.parametrize(
    ("keys", "named", "said"),
    [
        ({"push": FCM}, {}, "ACME_FCM_KEY is not set, which acme's file names for push"),
        ({"push": FCM}, {"ACME_FCM_KEY": '{"hidden": 1}'}, "ACME_FCM_KEY, acme's push, is no service account's key"),
        ({"push": {"webhook": {"url": "https://a.example", "secret_env": "S"}}}, {"S": " "}, "S is not set"),
        ({"consumers": {"sql": SQL, "url_env": "U"}}, {}, "U is not set, which acme's file names for consumers"),
        ({"consumers": {"sql": SQL, "url_env": "U"}}, {"U": "mysql://u:hidden@h/d"}, "PostgreSQL and SQLite"),
    ],
)
def test_a_variable_that_stops_the_start(tmp_path: Path, keys: Any, named: dict[str, str], said: str) -> None:
    with pytest.raises(BadVariable, match=said) as raised:
        apps({"acme": with_app(tmp_path, **keys)}, named, 1, "")
    assert "hidden" not in str(raised.value)


def test_a_file_s_app(tmp_path: Path) -> None:
    push, database = FCM | {"deep_link": "acmeair://m"}, {"sql": SQL, "url_env": "U"}
    flow = with_app(tmp_path, push=push, consumers=database, desk={"liveperson": {"campaign": "1", "engagement": "2"}})
    assert flow.push
    assert (flow.push.by, flow.push.title, flow.push.active_within) == (Fcm("ACME_FCM_KEY"), "Acme Air", 30 * 86_400)
    assert not isinstance(flow.push.by, PushService)
    built = apps({"acme": flow}, {"ACME_FCM_KEY": service_account(), "U": "sqlite:////none"}, 1, "")
    assert isinstance(built.directories["acme"], BrandDirectory)
    assert "private_key" not in repr(built)
    assert pushed(flow, flow.branches["billing"], 17, "CA1") == {
        "brand": "acme",
        "branch": "billing",
        "deflection": "17",
        "call_sid": "CA1",
        "skill": "1234",
        "campaign": "1",
        "engagement": "2",
        "deep_link": "acmeair://m",
    }
