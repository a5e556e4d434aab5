"""The doctor on desks: LivePerson's connector, a desk of one's own, and numbers that LivePerson owns."""

from collections.abc import Callable

import pytest
from flask import Flask, Response, jsonify, request

from ivr.clients.public import liveperson_probe
from ivr.sandbox.account import LIVEPERSON_GATEWAY
from tests.deployment.conftest import Run
from tests.deployment.stand import CONNECTOR, SERVICE, Stand, served
from tests.deployment.test_doctor import BAKERY, HELD, OTHER, SENDER, answers, failing, setting, wrong_lines

SECRET = "b4kery-s3cret"
INSTALLATION = "LivePerson's installation: it cannot be read from here"
Plant = Callable[[Stand], object]


def connector(**fields: object) -> Plant:
    """LivePerson has the connector otherwise than our settings say."""

    def plant(at: Stand) -> None:
        for name, value in fields.items():
            setattr(at.desk, name, value)

    return plant


def unset(*names: str) -> Plant:
    return setting(**dict.fromkeys(names, ""))


def another_secret(at: Stand) -> None:
    """The command and LivePerson have one secret, the server another."""
    at.environ["LIVEPERSON_CLIENT_SECRET"] = at.desk.client_secret = "changed"


def found_at(status: int, *services: str) -> Plant:
    """Another LivePerson, that knows these services and answers `status` for every other."""

    def plant(at: Stand) -> None:
        app = Flask("elsewhere")

        @app.get("/api/account/<account>/service/<name>/baseURI.json")
        def service(account: str, name: str) -> Response:
            found = jsonify({"service": name, "account": account, "baseURI": request.host})
            found.status_code = 200 if name in services else status
            return found

        at.environ["LIVEPERSON_API_URL"] = at.stack.enter_context(served(app))

    return plant


def older_release(at: Stand) -> None:
    """A server that is ready and takes Twilio's webhooks, and has no door for LivePerson's."""
    older = Flask("older")
    older.add_url_rule("/readyz", "ready", lambda: Response("ready\n"))
    older.add_url_rule("/messages/status/doctor", "status", lambda: Response(), methods=["POST"])
    at.elsewhere(older)


def own_desk(url: str, secret: str = SECRET, more: str = "") -> Plant:
    def plant(at: Stand) -> None:
        given_desk(at, f"{{webhook: {{url: '{url}', secret_env: BAKERY_DESK_SECRET{more}}}}}", "corner-bakery")
        at.environ["BAKERY_DESK_SECRET"] = secret

    return plant


def given_desk(at: Stand, desk: str, brand: str) -> None:
    file = at.flows / f"{brand}.yaml"
    file.write_text(f"{file.read_text()}\ndesk: {desk}\n")


def native(brand: str, gateway: bool = True) -> Plant:
    """LivePerson owns the brand's texts, and has them or not."""

    def plant(at: Stand) -> None:
        given_desk(at, "{native: {}}", brand)
        if gateway and brand == "metro":
            at.account.services[SERVICE]["inbound_request_url"] = LIVEPERSON_GATEWAY
        elif gateway:
            at.account.number(BAKERY)["sms_url"] = LIVEPERSON_GATEWAY

    return plant


def both(*plants: Plant) -> Plant:
    return lambda at: [plant(at) for plant in plants]


def number(e164: str, **fields: object) -> Plant:
    return lambda at: at.account.number(e164).update(fields)


def service(sid: str, **fields: object) -> Plant:
    return lambda at: at.account.services[sid].update(fields)


def member(sid: str, e164: str) -> Plant:
    """Move a number into a messaging service."""

    def plant(at: Stand) -> None:
        own = str(at.account.number(e164)["sid"])
        at.account.members = {each: [one for one in sids if one != own] for each, sids in at.account.members.items()}
        at.account.members[sid].append(own)

    return plant


DEFERS = {"use_inbound_webhook_on_number": True}
TAKES = {"use_inbound_webhook_on_number": False}


def leads_to_its_numbers(at: Stand) -> None:
    """A native messaging service defers to its number, which leads here."""
    native("metro")(at)
    service(SERVICE, **DEFERS)(at)
    at.account.numbers[at.account.members[SERVICE][0]]["sms_url"] = f"{at.url}/messages"


def led_here(at: Stand) -> None:
    """The service of plain senders takes their texts, here."""
    native("corner-bakery")(at)
    service(HELD, **TAKES, inbound_request_url=f"{at.url}/messages#rc=3&rp=5xx,ct,rt", inbound_method="POST")(at)


# fmt: off
FAULTS = [
    ("no settings", unset(*CONNECTOR), ["LivePerson: the desk of acme, and LIVEPERSON_ACCOUNT, LIVEPERSON_CLIENT_ID and LIVEPERSON_CLIENT_SECRET are not set; what consumers write waits", "to mend: set all three, from the connector's installation, or leave `desk` out where a brand has no LivePerson"]),
    ("no settings, and two brands", both(unset(*CONNECTOR), lambda at: given_desk(at, "{liveperson: {}}", "metro")), ["LivePerson: the desk of acme and metro, and LIVEPERSON_ACCOUNT,", "or leave `desk` out where a brand has no LivePerson"]),
    ("settings in part", unset("LIVEPERSON_CLIENT_SECRET"), ["settings: LIVEPERSON_ACCOUNT, LIVEPERSON_CLIENT_ID and LIVEPERSON_CLIENT_SECRET go together", "set all three or none"]),
    ("discovery in the open", setting(LIVEPERSON_API_URL="http://liveperson.invalid"), ["LIVEPERSON_API_URL: http://liveperson.invalid is not https", "unset it"]),
    ("an account that LivePerson does not know", connector(account="87654321"), ["LivePerson's sentinel: LivePerson refused (401)", "check LIVEPERSON_ACCOUNT and LIVEPERSON_API_URL"]),
    ("an account without logins for consumers", found_at(400, "sentinel"), ["LivePerson's idp: LivePerson refused (400)", "check LIVEPERSON_ACCOUNT"]),
    ("an account without messaging", found_at(400, "sentinel", "idp"), ["LivePerson's asyncMessagingEnt: LivePerson refused (400)", "check LIVEPERSON_ACCOUNT"]),
    ("a client's secret that is wrong", connector(client_secret="other"), ["LivePerson's login: LivePerson refused (401)", "check LIVEPERSON_ACCOUNT, LIVEPERSON_CLIENT_ID and LIVEPERSON_CLIENT_SECRET"]),
    ("a client that LivePerson does not know", connector(client_id="other"), ["LivePerson's login: LivePerson refused (401)", "LIVEPERSON_CLIENT_ID"]),
    ("a client that may not speak for consumers", connector(token_lives=-1), ["a consumer at LivePerson: LivePerson refused (401, error 40102)", "ask LivePerson whether the installation is enabled, with scope msg.consumer"]),
    ("a server with another client's secret", another_secret, ["LivePerson's webhooks: one signed with LIVEPERSON_CLIENT_SECRET is answered 403", "the server there has another LIVEPERSON_ACCOUNT or LIVEPERSON_CLIENT_SECRET", "give the server these settings"]),
    ("a server of an older release", older_release, ["LivePerson's webhooks: one signed with LIVEPERSON_CLIENT_SECRET is answered 404", "bring the server there to this release"]),
    ("a desk's secret that is not set", own_desk("https://desk.example.com/ivr", secret=" "), ["desk of corner-bakery: BAKERY_DESK_SECRET is not set; the server does not start without it", "set BAKERY_DESK_SECRET to the secret that the desk has too"]),
    ("a desk in the open", own_desk("http://desk.example.com/ivr"), ["desk of corner-bakery: http://desk.example.com is not https", "write https:// in the brand's file, or allow_private: yes"]),
    ("LivePerson's texts come here", native("corner-bakery", gateway=False), ["+1(415) 555-0121 (corner-bakery: sender): texts go to POST http://127.0.0.1", "LivePerson, whose they are, never sees them", "'A message comes in': LivePerson's gateway URL"]),
    ("LivePerson's texts come here by another path", both(native("corner-bakery"), lambda at: at.account.number(BAKERY).update(sms_url=f"{at.url}/voice")), ["LivePerson, whose they are, never sees them", "'A message comes in'"]),
    ("LivePerson's texts go nowhere", both(native("corner-bakery"), number(BAKERY, sms_url="")), ["texts go to nowhere, and LivePerson never sees them", "'A message comes in': LivePerson's gateway URL"]),
    ("LivePerson's texts come here by a messaging service", led_here, ["+1(415) 555-0121 (corner-bakery: sender): texts go to messaging service MG5e5e", "never sees them", "Defer to sender's webhook"]),
    ("LivePerson's texts come here, messaging services unknown", both(native("corner-bakery", gateway=False), failing("/v1/Services", 403)), ["LivePerson, whose they are, never sees them"]),
    ("LivePerson's messaging service leads here", native("metro", gateway=False), [f"sender of metro, {SERVICE}: texts go to http://127.0.0.1", "never sees them", "'Send a webhook': LivePerson's gateway URL"]),
    ("LivePerson's messaging service leads nowhere", both(native("metro"), service(SERVICE, inbound_request_url=None)), [f"sender of metro, {SERVICE}: texts go to nowhere", "never sees them", "'Send a webhook'"]),
    ("LivePerson's messaging service defers to a number that leads here", leads_to_its_numbers, [f"sender of metro, {SERVICE}: texts of +1(415) 555-", "come here, and LivePerson never sees them", "'A message comes in'"]),
]
SEVERAL = [
    ("a desk that is nowhere right", own_desk("http://desk.example.com/ivr", secret=""), ["BAKERY_DESK_SECRET is not set", "http://desk.example.com is not https"]),
    ("one sender for LivePerson and for a desk", both(native("corner-bakery"), lambda at: at.edit("acme", "+1 415 555 0111", "+1 415 555 0121"), number(BAKERY, sms_url=OTHER)), ["desk of corner-bakery: its sender is the sender of acme too", "give acme a sender of its own"]),
    ("LivePerson's number in another brand's messaging service", both(native("corner-bakery"), member(SERVICE, BAKERY)), [f"sender of metro, {SERVICE}: in it is +1(415) 555-0121, whose texts are LivePerson's", "take that out of it"]),
]
UNKNOWN = [
    ("what is installed", lambda at: None, [INSTALLATION, "ms.MessagingEventNotification.ContentEvent, ms.MessagingEventNotification.RichContentEvent and cqm.ExConversationChangeNotification", "/desk/liveperson, and retries a retention time", "compare it with the JSON that was installed"]),
    ("a LivePerson that cannot be reached", setting(LIVEPERSON_API_URL="http://127.0.0.1:1"), ["LivePerson's sentinel: LivePerson could not be reached", "run doctor again"]),
    ("a LivePerson that is busy", found_at(429, "sentinel", "idp"), ["LivePerson's asyncMessagingEnt: LivePerson is busy (429)", "run doctor again"]),
    ("a LivePerson that fails", found_at(503), ["LivePerson's sentinel: LivePerson failed (503)", "run doctor again"]),
    ("whether a desk of one's own answers", own_desk("https://user:pass@desk.example.com/ivr?key=s3cret"), ["desk of corner-bakery: whether https://desk.example.com takes what consumers write", "python -m ivr worker --list"]),
    ("whether LivePerson has the number", native("corner-bakery"), ["desk of corner-bakery: LivePerson takes the texts of +1(415) 555-0121", "LivePerson > Data Sources > Twilio SMS > Connect, with +1(415) 555-0121", "LivePerson's gateway URL"]),
    ("whether LivePerson has a messaging service's numbers", native("metro"), [f"desk of metro: LivePerson takes the texts of each number of {SERVICE}", "LivePerson's gateway URL"]),
    ("LivePerson's texts go to another host", both(native("corner-bakery"), number(BAKERY, sms_url=OTHER)), [f"texts go to POST {OTHER}; whether that is LivePerson's cannot be seen", "'A message comes in'"]),
    ("LivePerson's texts go to an application", both(native("corner-bakery"), number(BAKERY, sms_application_sid="AP" + "2" * 32)), ["texts go to application AP2", "whether that is LivePerson's cannot be seen"]),
    ("LivePerson's texts, messaging services unknown", both(native("corner-bakery"), failing("/v1/Services", 403)), [f"texts go to POST {LIVEPERSON_GATEWAY}, unless a messaging service has it"]),
]
# fmt: on


@pytest.mark.parametrize(("plant", "parts"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS])
def test_each_fault_of_a_desk_is_one_line(plant: Plant, parts: list[str], here: Stand, run: Run) -> None:
    plant(here)
    ended, out, err = run(here, "doctor")
    assert ended == 1
    (line,) = wrong_lines(out)
    for part in parts:
        assert part in line
    assert "; to mend: " in line
    assert "Traceback" not in err


@pytest.mark.parametrize(("plant", "parts"), [case[1:] for case in SEVERAL], ids=[case[0] for case in SEVERAL])
def test_a_fault_with_several_sides(plant: Plant, parts: list[str], here: Stand, run: Run) -> None:
    plant(here)
    ended, out, _ = run(here, "doctor")
    assert ended == 1
    for part in parts:
        assert part in "\n".join(wrong_lines(out))


@pytest.mark.parametrize(("plant", "parts"), [case[1:] for case in UNKNOWN], ids=[case[0] for case in UNKNOWN])
def test_what_cannot_be_told_does_not_fail(plant: Plant, parts: list[str], here: Stand, run: Run) -> None:
    plant(here)
    ended, out, _ = run(here, "doctor")
    assert (ended, wrong_lines(out)) == (0, [])
    assert any(all(part in line for part in parts) for line in wrong_lines(out, "cannot tell")), out


def test_good_signs_are_named(here: Stand, run: Run) -> None:
    own_desk("http://10.1.2.3/ivr", more=", allow_private: yes")(here)
    native("metro")(here)
    ended, out, _ = run(here, "doctor")
    assert ended == 0, out
    for part in (
        f"LivePerson's sentinel: {here.environ['LIVEPERSON_API_URL']}",
        f"LivePerson's idp: {here.environ['LIVEPERSON_API_URL']}",
        f"LivePerson's asyncMessagingEnt: {here.environ['LIVEPERSON_API_URL']}",
        "LivePerson's login: the client's id and secret are taken",
        "a consumer at LivePerson: has a token",
        f"LivePerson's webhooks: one signed with LIVEPERSON_CLIENT_SECRET is taken at {here.url}/desk/liveperson",
        "desk of corner-bakery: BAKERY_DESK_SECRET is set",
        "desk of corner-bakery: http://10.1.2.3 is not https, and may be in a private network by allow_private",
        f"sender of metro, {SERVICE}: texts go to {LIVEPERSON_GATEWAY}, which is LivePerson's",
    ):
        assert any(part in line for line in wrong_lines(out, "good")), part


def test_the_consumer_that_is_asked_for_is_always_the_same(here: Stand, run: Run) -> None:
    assert run(here, "doctor")[0] == run(here, "doctor")[0] == 0
    consumers = [asked["body"] for asked in here.desk.requests if asked["path"].endswith("/consumer")]
    assert consumers == [{"ext_consumer_id": "doctor"}] * 2
    assert here.desk.conversations == []


@pytest.mark.parametrize("plant", [answers("/", "hello", 200), setting(PUBLIC_URL="http://127.0.0.1:1")])
def test_our_webhook_is_not_tried_at_another_s_server(plant: Plant, here: Stand, run: Run) -> None:
    plant(here)
    _, out, _ = run(here, "doctor")
    assert not [line for line in wrong_lines(out) if "LivePerson" in line]
    assert any("LivePerson's webhooks: not tried" in line for line in wrong_lines(out, "cannot tell"))


def test_the_probe_is_signed(here: Stand) -> None:
    account, _, secret = CONNECTOR.values()
    assert liveperson_probe(here.url, account, secret).status == 200
    assert liveperson_probe(here.url, account, "another").status == 403
    assert liveperson_probe(here.url, "87654321", secret).status == 403


def test_no_secret_of_a_desk_is_printed(here: Stand, run: Run) -> None:
    own_desk("https://user:pa55@desk.example.com/ivr?key=s3cret")(here)
    for plant in (lambda at: None, connector(client_secret="other")):
        plant(here)
        _, out, err = run(here, "doctor")
        for secret in (SECRET, "pa55", "s3cret", CONNECTOR["LIVEPERSON_CLIENT_SECRET"]):
            assert secret not in out + err


def test_a_brand_that_is_not_at_liveperson_needs_none_of_it(here: Stand, run: Run) -> None:
    here.edit("acme", "liveperson: {}", "native: {}")
    here.account.number(SENDER)["sms_url"] = LIVEPERSON_GATEWAY
    unset(*CONNECTOR)(here)
    ended, out, _ = run(here, "doctor")
    assert ended == 0, out
    assert here.desk.requests == []
    assert "desk of acme: LivePerson takes the texts of +1(415) 555-0111" in out
