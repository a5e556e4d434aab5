"""Numbers whose texts LivePerson owns: they are neither pointed here nor missed."""

import pytest

from ivr import numbers
from ivr.flow.load import load_directory
from ivr.sandbox.account import LIVEPERSON_GATEWAY, account_for
from tests.deployment.conftest import Run
from tests.deployment.stand import SERVICE, Stand
from tests.deployment.test_desks import DEFERS, TAKES, both, member, native, service
from tests.deployment.test_doctor import BAKERY, FRONT, HELD, OTHER, SENDER


def test_the_sandbox_s_account_leaves_native_texts_to_liveperson(here: Stand, run: Run) -> None:
    here.edit("acme", "liveperson: {}", "native: {}")
    native("metro", gateway=False)(here)
    flows = load_directory(here.flows).flows
    fresh = account_for(flows.values(), here.account.sid, here.account.auth_token, here.url)
    here.account.numbers, here.account.services = fresh.numbers, fresh.services
    here.account.members, here.account.campaigns = fresh.members, fresh.campaigns
    ended, out, _ = run(here, "doctor")
    assert ended == 0, out


def test_pointing_leaves_a_native_sender_s_texts_alone(here: Stand, run: Run) -> None:
    here.edit("corner-bakery", '"+1 415 555 0120": orders', '"+1 415 555 0121": orders')  # dialled and texted from
    native("corner-bakery")(here)
    here.account.number(BAKERY).update(voice_url=OTHER)
    ended, out, err = run(here, "numbers", "point", "--yes")
    assert ended == 0, err
    record = here.account.number(BAKERY)
    assert (record["voice_url"], record["sms_url"]) == (f"{here.url}/voice", LIVEPERSON_GATEWAY)
    assert "sms_url:" not in out
    assert run(here, "numbers", "point", "--yes", BAKERY)[1:] == ("", "Nothing to change.\n")
    assert run(here, "doctor")[0] == 0


@pytest.mark.parametrize("fields", [TAKES, DEFERS], ids=["itself", "its numbers"])
def test_pointing_leaves_a_native_messaging_service_alone(fields: dict[str, bool], here: Stand, run: Run) -> None:
    native("metro")(here)
    service(SERVICE, **fields)(here)
    for sid in here.account.members[SERVICE]:
        here.account.numbers[sid]["sms_url"] = LIVEPERSON_GATEWAY
    assert run(here, "numbers", "point", "--yes") == (0, "", "Nothing to change.\n")
    assert run(here, "doctor")[0] == 0


def test_pointing_leads_no_messaging_service_here_that_holds_a_native_sender(here: Stand, run: Run) -> None:
    native("corner-bakery")(here)
    service(HELD, **TAKES, inbound_request_url=LIVEPERSON_GATEWAY)(here)
    ended, _, err = run(here, "numbers", "point", "--yes", SENDER)
    assert (ended, here.account.updates) == (1, [])
    assert f"messaging service {HELD} 'Texts': in it is +1(415) 555-0121, whose texts are LivePerson's" in err
    assert "Defer to sender's webhook" in err


@pytest.mark.parametrize("fields", [TAKES, DEFERS], ids=["itself", "its numbers"])
def test_pointing_leads_no_brand_s_service_here_that_holds_a_native_sender(
    fields: dict[str, bool], here: Stand, run: Run
) -> None:
    both(native("corner-bakery"), member(SERVICE, BAKERY), service(SERVICE, **fields, inbound_request_url=OTHER))(here)
    ended, _, err = run(here, "numbers", "point", "--yes", SERVICE)
    assert (ended, here.account.updates) == (1, [])
    assert "whose texts are LivePerson's; take that out of it" in err


def test_the_list_says_whose_texts_they_are(here: Stand, run: Run) -> None:
    native("corner-bakery")(here)
    _, out, _ = run(here, "numbers", "list")
    assert f"texts: POST {LIVEPERSON_GATEWAY} (LivePerson's)" in out
    here.account.number(BAKERY)["sms_url"] = f"{here.url}/messages"
    _, out, _ = run(here, "numbers", "list")
    assert f"texts: POST {here.url}/messages (here, and should be LivePerson's)" in out
    (front,) = [line for line in out.splitlines() if line.startswith(numbers.full(FRONT))]
    assert front.endswith("(here)")
