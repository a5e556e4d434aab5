"""Numbers listed, pointed here, and put back as they were, against a simulated account over HTTP."""

import json
import os
import pty
import re
import shlex
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ivr.clients.account import NUMBER_FIELDS, SERVICE_FIELDS
from ivr.sandbox.town import ROOT
from tests.deployment.conftest import Run
from tests.deployment.stand import SERVICE, Stand

FRONT, SENDER = "+14155550100", "+14155550111"
OTHER = "https://old.example.com"
FALLBACK = "https://handler.twilio.com/twiml/EH1"
# fmt: off
BEFORE: dict[str, dict[str, Any]] = {
    "a number as it was bought": {"voice_url": None, "voice_fallback_url": None, "sms_url": "", "sms_fallback_url": None},
    "another system's, by GET": {"voice_url": f"{OTHER}/v?a=1&b=it's", "voice_method": "GET", "sms_url": f"{OTHER}/s#rc=1", "sms_method": "GET"},
    "with a fallback of its own": {"voice_url": OTHER, "voice_fallback_url": f"{OTHER}/f", "voice_fallback_method": "GET", "sms_url": OTHER, "sms_fallback_url": f"{OTHER}/f", "sms_fallback_method": "GET"},
    "on applications": {"voice_application_sid": "AP" + "1" * 32, "sms_application_sid": "AP" + "2" * 32},
    "on a SIP trunk": {"trunk_sid": "TK" + "1" * 32},
    "with a password in its URL": {"voice_url": "https://u:p@old.example.com/v", "sms_url": "https://u:p@old.example.com/s"},
}
# fmt: on


def webhooks(record: dict[str, Any]) -> dict[str, str]:
    return {name: record[name] or "" for name in (*NUMBER_FIELDS, *SERVICE_FIELDS) if name in record}


def undos(out: str) -> list[list[str]]:
    """The printed commands as a shell would split them, without `python -m ivr`."""
    return [shlex.split(line)[3:] for line in re.findall(r"to undo it,\n(.*)", out)]


@pytest.mark.parametrize("fallback", ["", FALLBACK], ids=["no fallback", "a fallback"])
@pytest.mark.parametrize("before", BEFORE.values(), ids=list(BEFORE))
def test_pointed_and_put_back(before: dict[str, Any], fallback: str, here: Stand, run: Run) -> None:
    here.environ["FALLBACK_URL"] = fallback
    record = here.account.number(FRONT)
    record.update(before)
    was = webhooks(record)
    ended, out, err = run(here, "numbers", "point", "--yes", FRONT)
    assert ended == 0, err
    now = webhooks(record)
    assert (now["voice_url"], now["voice_method"]) == (f"{here.url}/voice", "POST")
    assert (now["sms_url"], now["sms_method"]) == (f"{here.url}/messages#rc=3&rp=5xx,ct,rt", "POST")
    assert now["voice_application_sid"] == now["trunk_sid"] == now["sms_application_sid"] == ""
    for kind in ("voice", "sms"):
        expected = (fallback, "POST") if fallback else (was[f"{kind}_fallback_url"], was[f"{kind}_fallback_method"])
        assert (now[f"{kind}_fallback_url"], now[f"{kind}_fallback_method"]) == expected
    (undo,) = undos(out)
    assert run(here, *undo, "--yes")[0] == 0
    assert webhooks(record) == was


@given(
    values=st.dictionaries(
        st.sampled_from([name for name in NUMBER_FIELDS if name.endswith("_url")]), st.text(min_size=1)
    )
)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
def test_whatever_was_there_comes_back(here: Stand, run: Run, values: dict[str, str]) -> None:
    record = here.account.number(FRONT)
    record.update({"sms_url": OTHER, "voice_url": OTHER, "voice_fallback_url": "", "sms_fallback_url": "", **values})
    was = webhooks(record)
    ended, out, _ = run(here, "numbers", "point", "--yes", FRONT)
    assert ended == 0
    assert record["voice_url"] == f"{here.url}/voice"
    for undo in undos(out):
        assert run(here, *undo, "--yes")[0] == 0
    assert webhooks(record) == was


def test_everything_that_the_brands_claim(here: Stand, run: Run) -> None:
    here.environ["FALLBACK_URL"] = FALLBACK
    stranger = here.account.own("+14155550177", voice_url=OTHER)
    for record in (*here.account.numbers.values(), here.account.services[SERVICE]):
        record.update({name: OTHER for name in record if name.endswith("_url")})
    before = deepcopy((here.account.numbers, here.account.services))
    assert run(here, "doctor")[0] == 1
    ended, out, _ = run(here, "numbers", "point", "--yes")
    assert ended == 0
    after = run(here, "doctor")
    assert after[0] == 0, after[1]
    assert here.account.numbers[stranger] == before[0][stranger], "a number that no brand claims"
    sender = here.account.number(SENDER)
    assert sender["voice_url"] == OTHER, "calls to a number that only texts are left alone"
    service = here.account.services[SERVICE]
    assert service["inbound_request_url"] == f"{here.url}/messages#rc=3&rp=5xx,ct,rt"
    assert service["fallback_url"] == FALLBACK
    assert run(here, "numbers", "point", "--yes")[1:] == ("", "Nothing to change.\n")
    for undo in undos(out):
        assert run(here, *undo, "--yes")[0] == 0
    assert (here.account.numbers, here.account.services) == before


def test_what_will_change_is_shown_and_nothing_done_without_a_yes(here: Stand, run: Run) -> None:
    here.account.number(FRONT).update(voice_url=f"{OTHER}/v", voice_application_sid="AP" + "1" * 32)
    ended, out, err = run(here, "numbers", "point")
    assert (ended, here.account.updates) == (2, [])
    assert out.splitlines() == [
        "+1(415) 555-0100 (acme: menu)",
        f"  voice_url: {OTHER}/v -> {here.url}/voice",
        f"  voice_application_sid: AP{'1' * 32} -> nothing",
    ]
    assert err == "Nothing is changed: there is no terminal to ask at. To change it: --yes\n"


@pytest.mark.parametrize(("answer", "ended", "changes"), [("y", 0, 1), ("n", 1, 0), ("", 1, 0)])
def test_at_a_terminal_it_asks(answer: str, ended: int, changes: int, here: Stand) -> None:
    here.account.number(FRONT)["voice_url"] = OTHER
    terminal, theirs = pty.openpty()
    command = subprocess.Popen(
        [sys.executable, "-m", "ivr", "numbers", "point"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **here.environ},
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.write(terminal, f"{answer}\n".encode())
    command.communicate(timeout=60)
    asked = os.read(terminal, 10_000).decode()
    os.close(terminal)
    os.close(theirs)
    assert "Change 1? [y/N] " in asked
    assert (command.returncode, len(here.account.updates)) == (ended, changes)


def test_a_sender_s_messaging_service_is_led_here_and_named(here: Stand, run: Run) -> None:
    held = "MG" + "5e" * 16
    here.account.services[held].update(use_inbound_webhook_on_number=False, inbound_request_url=OTHER)
    ended, out, _ = run(here, "numbers", "point", "--yes", SENDER)
    assert ended == 0
    assert f"messaging service {held} 'Texts', with all its 2 number(s)" in out
    assert here.account.services[held]["inbound_request_url"].startswith(here.url)


def test_somebody_else_s_messaging_service_is_left_alone(here: Stand, run: Run) -> None:
    here.account.serve("MG" + "0e" * 16, here.account.number(FRONT)["sid"], inbound_request_url=OTHER)
    ended, _, err = run(here, "numbers", "point", "--yes", FRONT)
    assert (ended, here.account.updates) == (1, [])
    assert f"its texts go where messaging service MG{'0e' * 16} 'Texts' sends them" in err
    assert "Defer to sender's webhook" in err


def test_a_messaging_service_that_defers_has_its_numbers_pointed(here: Stand, run: Run) -> None:
    here.account.services[SERVICE]["use_inbound_webhook_on_number"] = True
    (member,) = here.account.members[SERVICE]
    assert run(here, "numbers", "point", "--yes")[0] == 0
    assert here.account.numbers[member]["sms_url"].startswith(f"{here.url}/messages#")
    assert not here.account.numbers[member]["voice_url"]
    assert run(here, "doctor")[0] == 0


def test_a_number_that_callers_dial_in_the_brand_s_own_service(here: Stand, run: Run) -> None:
    """Its texts come by the service, which is here already: nothing to change, nothing to say."""
    for sids in here.account.members.values():
        sids.clear()
    here.account.members[SERVICE].append(here.account.number(FRONT)["sid"])
    here.account.number(FRONT)["sms_url"] = OTHER
    assert run(here, "numbers", "point", "--yes", FRONT) == (0, "", "Nothing to change.\n")
    here.account.services[SERVICE]["inbound_request_url"] = OTHER
    assert run(here, "numbers", "point", "--yes", FRONT)[0] == 0
    assert here.account.services[SERVICE]["inbound_request_url"].startswith(here.url)


def test_a_public_url_where_nobody_answers_is_said_before(here: Stand, run: Run) -> None:
    here.environ["PUBLIC_URL"] = "http://127.0.0.1:1"
    ended, _, err = run(here, "numbers", "point")
    assert ended == 2
    assert "PUBLIC_URL: http://127.0.0.1:1 cannot be reached" in err.splitlines()[0]


def test_a_name_from_elsewhere_cannot_steer_the_terminal(here: Stand, run: Run) -> None:
    here.account.services[SERVICE].update(friendly_name="a\x1b[2Jb\nc", inbound_request_url=OTHER)
    here.account.number(FRONT)["voice_url"] = "https://old.example.com/\x1b]0;x\x07"
    for command in (("numbers", "point"), ("numbers", "list"), ("doctor",)):
        _, out, _ = run(here, *command)
        assert "\x1b" not in out
        assert "\x07" not in out


def test_what_twilio_keeps_is_said(here: Stand, run: Run) -> None:
    here.account.number(FRONT)["trunk_sid"] = "TK" + "1" * 32
    here.account.stubborn = frozenset({"trunk_sid"})
    ended, _, err = run(here, "numbers", "point", "--yes", FRONT)
    assert ended == 1
    assert f"Twilio took it and kept something: trunk_sid is TK{'1' * 32} still" in err


@pytest.mark.parametrize(
    ("number", "line"),
    [
        pytest.param("+1 415 555 0177", "+1(415) 555-0177: no brand claims it; add it to `numbers` in a brand's file", id="nobody's"),
        pytest.param("seven", "seven: no brand claims it; write a number with its country code, like +1(415) 555-0100", id="no number"),
        pytest.param("4155550177", "4155550177: no brand claims it; write a number with its country code", id="nobody's, without its country code"),
        pytest.param("5550100", "5550100: no brand claims it; write a number with its country code", id="a part of a number"),
        pytest.param("MG" + "9" * 32, f"MG{'9' * 32}: no brand claims it", id="nobody's messaging service"),
        pytest.param("9" * 5000, "no brand claims it; write a number with its country code", id="no end of digits"),
        pytest.param("+1 415 555 0100", "+1(415) 555-0100 (acme: menu): not in this account", id="another account's"),
    ],
)  # fmt: skip
def test_what_cannot_be_pointed(number: str, line: str, here: Stand, run: Run) -> None:
    here.account.numbers.pop(here.account.number(FRONT)["sid"])
    here.account.number(SENDER)["sms_url"] = OTHER
    ended, _, err = run(here, "numbers", "point", "--yes", number, SENDER)
    assert ended == 1
    assert line in err
    assert here.account.number(SENDER)["sms_url"] != OTHER, "the others are pointed all the same"


@pytest.mark.parametrize("given", ["4155550100", "14155550100", "(415) 555-0100", "415.555.0100", "1-415-555-0100"])
def test_a_number_without_its_country_code_is_found(given: str, here: Stand, run: Run) -> None:
    here.account.number(FRONT)["voice_url"] = OTHER
    ended, out, err = run(here, "numbers", "point", "--yes", given)
    assert (ended, err) == (0, "")
    assert out.startswith("+1(415) 555-0100 (acme: menu)\n")
    assert here.account.number(FRONT)["voice_url"] == f"{here.url}/voice"


def test_a_number_that_could_be_two_is_not_guessed(here: Stand, run: Run) -> None:
    """A number of Vienna without its plus, one of Manitoba without its +1."""
    for number in ("+43 1 8123456", "+1 431 812 3456"):
        here.edit("metro", "numbers: {", f'numbers: {{"{number}": rides, ')
    ended, out, err = run(here, "numbers", "point", "--yes", "4318123456")
    assert (ended, out, here.account.updates) == (1, "", [])
    assert "4318123456: it could be +1(431) 812-3456 or +4318123456; write it with its country code" in err


@pytest.mark.parametrize("status", [401, 403, 503])
def test_a_twilio_that_refuses_the_change(status: int, here: Stand, run: Run) -> None:
    sid = here.account.number(FRONT)["sid"]
    here.account.number(FRONT)["voice_url"] = OTHER
    here.account.failing[f"{sid}.json"] = status
    ended, out, err = run(here, "numbers", "point", "--yes")
    assert ended == 1
    assert "not changed" in err
    assert undos(out), "how to undo it is said before"
    assert "Traceback" not in err


def test_flows_with_an_error_are_not_half_pointed(here: Stand, run: Run) -> None:
    here.edit("acme", "skill:", "skil:")
    assert run(here, "numbers", "point", "--yes")[::2] == (
        1,
        "The flows have errors; nothing is changed. See: python -m ivr check\n",
    )


def test_the_list(here: Stand, run: Run) -> None:
    here.account.own("+14155550177", voice_url=OTHER, voice_method="GET")
    here.account.most_a_page = 2
    ended, out, _ = run(here, "numbers", "list")
    lines = out.splitlines()
    assert (ended, len(lines)) == (0, len(here.account.numbers))
    assert lines[0] == (
        f"+1(415) 555-0100  acme: menu  calls: POST {here.url}/voice (here)  "
        f"texts: POST {here.url}/messages#rc=3&rp=5xx,ct,rt (here)"
    )
    assert f"+1(415) 555-0177  -  calls: GET {OTHER} (not here)  texts: nowhere (not here)" in lines


def test_the_list_says_where_a_fallback_is_missing(here: Stand, run: Run) -> None:
    here.environ["FALLBACK_URL"] = FALLBACK
    _, out, _ = run(here, "numbers", "list")
    assert out.splitlines()[0].count("(here, without FALLBACK_URL)") == 2


@pytest.mark.parametrize("key", [False, True], ids=["by the token", "by an API key alone"])
def test_the_list_needs_no_public_url(key: bool, here: Stand, run: Run) -> None:
    url = here.url
    here.environ["PUBLIC_URL"] = " "
    if key:
        here.account.keys["SK1"] = "right"
        here.environ.update(TWILIO_API_KEY="SK1", TWILIO_API_SECRET="right", TWILIO_AUTH_TOKEN="")
    ended, out, err = run(here, "numbers", "list")
    lines = out.splitlines()
    assert (ended, len(lines)) == (0, len(here.account.numbers))
    assert lines[0] == (
        f"+1(415) 555-0100  acme: menu  calls: POST {url}/voice  texts: POST {url}/messages#rc=3&rp=5xx,ct,rt"
    )
    assert "(here" not in out
    assert "not here" not in out
    assert err == "PUBLIC_URL is not set; whether calls and texts come here is left out.\n"


def test_every_other_setting_is_still_looked_at(here: Stand, run: Run) -> None:
    here.environ.update(PUBLIC_URL="", PORT="x")
    ended, out, err = run(here, "numbers", "list")
    assert (ended, out) == (1, "")
    assert err.startswith("PORT is 'x'")


def test_many_numbers_and_services_come_in_pages(here: Stand, run: Run) -> None:
    for count in range(7):
        here.account.serve(f"MG{count:032x}", here.account.own(f"+1415555{3000 + count}"))
    here.account.most_a_page = 3
    ended, out, _ = run(here, "doctor")
    assert ended == 0, out
    assert f"Twilio lists the account's {len(here.account.numbers)} number(s)" in out


def test_without_an_account_or_with_a_refusal_there_is_no_list(here: Stand, run: Run) -> None:
    here.account.failing["IncomingPhoneNumbers"] = 401
    for command in (("list",), ("point", "--yes")):
        ended, out, err = run(here, "numbers", *command)
        assert (ended, out) == (1, "")
        assert "The account's numbers cannot be listed: Twilio refuses the credentials" in err
    here.environ.update(TWILIO_AUTH_TOKEN="", TWILIO_ACCOUNT_SID="")
    assert run(here, "numbers", "list") == (
        1,
        "",
        "Twilio's account is not set; set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN.\n",
    )


SID = "PN" + "1" * 32
HOSTILE = ["", "{", "[]", "null", "1", '"PN"', "{}", '{"sid": 1}', f'{{"sid": "{SID}"}}', '{"sid": "PN1", "voice_url": ""}',
           f'{{"sid": "{SID}", "auth_token": "x"}}', f'{{"sid": "{SID}", "voice_url": 1}}', f'{{"sid": "{SID}", "fallback_url": ""}}',
           f'{{"sid": "{SID}/../x", "voice_url": ""}}', "[" * 100_000]  # fmt: skip


@pytest.mark.parametrize("given", HOSTILE, ids=range(len(HOSTILE)))
def test_restore_takes_only_what_was_printed(given: str, here: Stand, run: Run) -> None:
    ended, out, err = run(here, "numbers", "point", "--yes", "--restore", given)
    assert (ended, out) == (2, "")
    assert err == "--restore needs what `numbers point` printed after it, in its quotes.\n"
    assert here.account.updates == []


@given(
    st.recursive(
        st.none() | st.text() | st.integers(), lambda inner: st.dictionaries(st.text(), inner) | st.lists(inner)
    )
)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_restore_takes_no_other_json(here: Stand, run: Run, read: Any) -> None:
    assert run(here, "numbers", "point", "--yes", "--restore", json.dumps(read))[0] == 2
    assert here.account.updates == []


def test_restore_of_a_number_that_is_gone_and_of_one_that_is_as_it_was(here: Stand, run: Run) -> None:
    gone = json.dumps({"sid": "PN" + "9" * 32, "voice_url": OTHER})
    assert run(here, "numbers", "point", "--yes", "--restore", gone) == (
        1, "", "Nothing is changed: Twilio does not have it (error 20404).\n",
    )  # fmt: skip
    same = json.dumps({"sid": here.account.number(FRONT)["sid"], "voice_url": f"{here.url}/voice"})
    assert run(here, "numbers", "point", "--yes", "--restore", same) == (0, "", "Nothing to change.\n")
    assert run(here, "numbers", "point", "--restore", same, FRONT)[0] == 2


def test_the_printed_command_works_in_a_shell(here: Stand, run: Run) -> None:
    record = here.account.number(FRONT)
    record["voice_url"] = "https://old.example.com/?a=it's&b=$HOME&c=`ls`"
    was = webhooks(record)
    _, out, _ = run(here, "numbers", "point", "--yes", FRONT)
    (line,) = re.findall(r"to undo it,\n(.*)", out)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    ended = subprocess.run(
        ["sh", "-c", f"{line} --yes"], cwd=ROOT, env={**here.environ, "PATH": path}, capture_output=True, timeout=60
    )
    assert ended.returncode == 0, ended.stderr
    assert webhooks(record) == was
