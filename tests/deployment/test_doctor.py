"""The doctor: silent where all is right, and for each fault one line that names it and what mends it."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from flask import Flask, Response

from ivr import config
from ivr.deployment.environment import surroundings
from ivr.sandbox import town as sandbox
from ivr.sandbox.account import SimulatedAccount
from ivr.sandbox.clock import Clock
from ivr.sandbox.desk import Desk
from ivr.sandbox.town import ROOT, free_port, town
from tests.deployment.conftest import Run
from tests.deployment.stand import SERVICE, Stand, stand
from tests.doors import ACCOUNT_SID, TOKEN

FRONT, SENDER, BAKERY = "+14155550100", "+14155550111", "+14155550121"
RIDES = "+14155550130"
OTHER = "https://old.example.com"
DEMO = "https://demo.twilio.com/welcome/voice/"
HELD = "MG" + "5e" * 16  # the messaging service that the plain senders are in


def test_all_is_right(on_either: Stand, run: Run) -> None:
    ended, out, err = run(on_either, "doctor")
    states = [line[:11].strip() for line in out.splitlines()]
    assert (ended, states.count("wrong")) == (0, 0), out
    (unknown,) = wrong_lines(out, "cannot tell")
    assert unknown.startswith("cannot tell  LivePerson's installation: it cannot be read from here")
    assert err == f"{states.count('good')} good, 0 wrong, 1 cannot tell\n"
    assert len(states) > 20
    assert TOKEN not in out + err


def test_the_command_itself(here: Stand) -> None:
    here.account.number(FRONT)["voice_method"] = "GET"
    ended = subprocess.run(
        [sys.executable, "-m", "ivr", "doctor"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **here.environ},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 1, ended.stderr
    (line,) = [line for line in ended.stdout.splitlines() if line.startswith("wrong")]
    assert line == (
        f"wrong        +1(415) 555-0100 (acme: menu): calls go to GET {here.url}/voice, not by POST; "
        "to mend: python -m ivr numbers point +14155550100"
    )


def number(e164: str, **fields: object) -> Callable[[Stand], None]:
    return lambda at: at.account.number(e164).update(fields)


def setting(**changes: str) -> Callable[[Stand], None]:
    return lambda at: at.environ.update(changes)


def gone(e164: str) -> Callable[[Stand], object]:
    return lambda at: at.account.numbers.pop(at.account.number(e164)["sid"])


def campaign(service: str, *states: str) -> Callable[[Stand], None]:
    return lambda at: at.account.campaigns.update({service: list(states)})


def service(**fields: object) -> Callable[[Stand], None]:
    return lambda at: at.account.services[SERVICE].update(fields)


def failing(path: str, status: int) -> Callable[[Stand], None]:
    return lambda at: at.account.failing.update({path: status})


def account(**fields: str) -> Callable[[Stand], None]:
    def plant(at: Stand) -> None:
        for name, value in fields.items():
            setattr(at.account, name, value)

    return plant


def key(secret: str) -> Callable[[Stand], None]:
    def plant(at: Stand) -> None:
        at.account.keys["SK1"] = "right"
        at.environ.update(TWILIO_API_KEY="SK1", TWILIO_API_SECRET=secret)

    return plant


def answers(path: str, text: str, status: int) -> Callable[[Stand], None]:
    """PUBLIC_URL leads to a server that is not ours."""

    def plant(at: Stand) -> None:
        other = Flask("other")
        other.add_url_rule(path, "it", lambda: Response(text, status))
        at.elsewhere(other)

    return plant


def another_token(at: Stand) -> None:
    """The server runs with one token, the command with another that Twilio knows too."""
    at.account.auth_token = at.environ["TWILIO_AUTH_TOKEN"] = "changed"


def alone(at: Stand) -> None:
    at.account.members[HELD] = []


def other_brand_s_service(at: Stand) -> None:
    """A number that is only dialled is in a messaging service of somebody else, which takes its texts."""
    at.account.serve("MG" + "0e" * 16, at.account.number(FRONT)["sid"], inbound_request_url=OTHER)


def plain_service(at: Stand) -> None:
    """The messaging service of the plain senders takes their texts itself."""
    at.account.services[HELD].update(use_inbound_webhook_on_number=False, inbound_request_url=OTHER)


def defers(at: Stand) -> None:
    """A brand's messaging service leaves texts to its numbers, and these lead elsewhere."""
    at.account.services[SERVICE].update(use_inbound_webhook_on_number=True)
    at.account.numbers[at.account.members[SERVICE][0]]["sms_url"] = OTHER


def toll_free(*states: str) -> Callable[[Stand], None]:
    def plant(at: Stand) -> None:
        sid = at.account.own("+18005550199")
        at.account.members[SERVICE].append(sid)
        at.account.toll_free[sid] = list(states)

    return plant


def canadian(at: Stand) -> None:
    at.edit("corner-bakery", "+1 415 555 0121", "+1 416 555 0121")
    at.edit("corner-bakery", "name: Corner Bakery", "name: Corner Bakery\nregions: [US, CA]")
    at.account.number(BAKERY)["phone_number"] = "+14165550121"


def services_unknown(at: Stand) -> None:
    at.account.failing["/v1/Services"] = 403
    at.account.number(SENDER)["sms_url"] = OTHER


def fallback(url: str) -> Callable[[Stand], None]:
    """A fallback that every number has; HERE in it is this server."""

    def plant(at: Stand) -> None:
        at.environ["FALLBACK_URL"] = url.replace("HERE", at.url.removeprefix("http://"))
        at.fall_back(at.environ["FALLBACK_URL"])

    return plant


def moved(to: str) -> Callable[[Stand], None]:
    """Twilio was given this URL for every number."""

    def plant(at: Stand) -> None:
        for record in at.account.numbers.values():
            record["voice_url"] = to

    return plant


def one_number(to: str) -> Callable[[Stand], None]:
    """One brand is left, with one number that callers dial, which calls this URL."""

    def plant(at: Stand) -> None:
        for brand in ("acme", "corner-bakery"):
            (at.flows / f"{brand}.yaml").unlink()
        at.account.number(RIDES)["voice_url"] = to

    return plant


def senders(count: int) -> Callable[[Stand], None]:
    return lambda at: at.account.members.update({SERVICE: at.account.members[SERVICE][:count]})


# fmt: off
FAULTS = [
    ("a key for nobody", setting(API_KEYS=f"*:{'a' * 64},acne:{'b' * 64}"), ["API_KEYS: acne is no brand", "take its pair out"]),
    ("a setting that does not parse", setting(PORT="x"), ["settings: PORT is 'x'", "write a whole number from 0 to 65535"]),
    ("no PUBLIC_URL", setting(PUBLIC_URL=""), ["settings: PUBLIC_URL is not set", "https://ivr.example.com"]),
    ("half an API key", setting(TWILIO_API_KEY="SK1"), ["settings: TWILIO_API_KEY and TWILIO_API_SECRET", "set both or neither"]),
    ("SQLite on a disk that is erased", setting(DYNO="run.1"), ["settings: This host erases its disk", "heroku addons:create heroku-postgresql"]),
    ("a fallback that is no URL", setting(FALLBACK_URL="bin"), ["settings: FALLBACK_URL is no URL", "write it like https://"]),
    ("a fallback to this very server", fallback("http://HERE/voice"), ["FALLBACK_URL: it leads to this very server", "TwiML Bin"]),
    ("a fallback to this very server, in capitals", fallback("HTTP://HERE/voice"), ["FALLBACK_URL: it leads to this very server", "TwiML Bin"]),
    ("PUBLIC_URL without TLS", lambda at: at.moved("http://ivr.invalid"), ["PUBLIC_URL: http://ivr.invalid is not https", "set PUBLIC_URL=https://ivr.invalid"]),
    ("nobody at PUBLIC_URL", lambda at: at.moved("http://127.0.0.1:1"), ["PUBLIC_URL: http://127.0.0.1:1 cannot be reached: nobody answers", "start the server"]),
    ("no certificate at PUBLIC_URL", lambda at: at.moved(at.url.replace("http:", "https:")), ["PUBLIC_URL: https://127.0.0.1", "its certificate is not accepted"]),
    ("another site at PUBLIC_URL", answers("/", "hello", 200), ["PUBLIC_URL: ", "/readyz answers 404, which is not this server's answer", "set PUBLIC_URL to the host where this server runs"]),
    ("a server that is not ready", answers("/readyz", "no flows are loaded\n", 503), ["/readyz answers 503: no flows are loaded", "mend what it says"]),
    ("another server that says it is ready", answers("/readyz", "ready\n", 200), ["signatures: a webhook signed with TWILIO_AUTH_TOKEN is answered 404", "set PUBLIC_URL to the host where this server runs"]),
    ("a server with another token", another_token, ["signatures: a webhook signed with TWILIO_AUTH_TOKEN is answered 403", "give the server these settings"]),
    ("a flow with an error", lambda at: at.edit("acme", 'skill: "1234"', 'skil: "1234"'), ["flows: ", "acme.yaml:31:5: error: skil: unknown key", "python -m ivr check"]),
    ("no flows", setting(FLOWS_DIR="/nowhere"), ["flows: /nowhere:1:1: error: is no directory", "python -m ivr check"]),
    ("no account", setting(TWILIO_AUTH_TOKEN="", TWILIO_ACCOUNT_SID=""), ["TWILIO_AUTH_TOKEN: not set; every webhook is refused", "set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN"]),
    ("a token that is wrong", account(auth_token="another"), ["TWILIO_AUTH_TOKEN: Twilio refuses the credentials (error 20003)", "copy TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN"]),
    ("the secondary token", account(primary_token="pr1mary"), ["TWILIO_AUTH_TOKEN: it is the secondary token", "set TWILIO_AUTH_TOKEN to the primary token"]),
    ("an API key of another account", key("wr0ng"), ["TWILIO_API_KEY: Twilio refuses the credentials (error 20003)", f"make one in account {ACCOUNT_SID}"]),
    ("an API key that may not list", lambda at: (key("right")(at), failing("IncomingPhoneNumbers", 403)(at)), ["credentials: the numbers cannot be listed: Twilio refused (403", "check the credentials"]),
    ("an account that is suspended", account(status="suspended"), ["account: it is suspended", "Twilio's support"]),
    ("a number that is not ours", gone(FRONT), ["+1(415) 555-0100 (acme: menu): not in this account", "buy it at Twilio"]),
    ("calls that go elsewhere", number(FRONT, voice_url=f"{OTHER}/voice"), [f"calls go to POST {OTHER}/voice", "python -m ivr numbers point +14155550100"]),
    ("a number as it was bought, and one brand", one_number(DEMO), [f"+1(415) 555-0130 (metro: rides): calls go to POST {DEMO}, not to POST", "python -m ivr numbers point +14155550130"]),
    ("one number that calls another host", one_number(f"{OTHER}/voice"), [f"calls go to POST {OTHER}/voice, not to POST", "python -m ivr numbers point +14155550130"]),
    ("calls that go nowhere", number(FRONT, voice_url=None), ["calls go to nowhere", "python -m ivr numbers point +14155550100"]),
    ("calls by GET", number(FRONT, voice_method="GET"), ["calls go to GET", "not by POST", "python -m ivr numbers point +14155550100"]),
    ("calls to an application", number(FRONT, voice_application_sid="AP" + "1" * 32), ["calls go to application AP1", "python -m ivr numbers point +14155550100"]),
    ("calls to a SIP trunk", number(FRONT, trunk_sid="TK" + "1" * 32), ["calls go to SIP trunk TK1", "python -m ivr numbers point +14155550100"]),
    ("a number that takes no calls", number(FRONT, capabilities={"voice": False, "sms": True}), ["+1(415) 555-0100 (acme: menu): it takes no calls", "take a number that can do voice"]),
    ("texts that go elsewhere", number(SENDER, sms_url=f"{OTHER}/sms"), [f"+1(415) 555-0111 (acme: sender): texts go to POST {OTHER}/sms", "python -m ivr numbers point +14155550111"]),
    ("texts by GET", number(FRONT, sms_method="GET"), ["texts go to GET", "not by POST", "python -m ivr numbers point +14155550100"]),
    ("texts that are not tried again", lambda at: at.account.number(SENDER).update(sms_url=f"{at.url}/messages"), ["texts go to POST", "/messages#rc=3&rp=5xx,ct,rt", "python -m ivr numbers point +14155550111"]),
    ("texts to an application", number(SENDER, sms_application_sid="AP" + "2" * 32), ["texts go to application AP2", "python -m ivr numbers point +14155550111"]),
    ("texts that go elsewhere, messaging services unknown", services_unknown, [f"texts go to POST {OTHER}, unless a messaging service has it", "python -m ivr numbers point +14155550111"]),
    ("a sender that cannot text", number(BAKERY, capabilities={"voice": True, "sms": False}), ["sender of corner-bakery, +1(415) 555-0121: it cannot text", "enable SMS for it"]),
    ("a sender that is not ours", gone(BAKERY), ["+1(415) 555-0121 (corner-bakery: sender): not in this account", "buy it at Twilio"]),
    ("texts that somebody else's messaging service takes", other_brand_s_service, [f"texts go to messaging service MG{'0e' * 16}, POST {OTHER}", "Defer to sender's webhook"]),
    ("no messaging service", lambda at: at.edit("metro", SERVICE, "MG" + "9" * 32), [f"sender of metro, MG{'9' * 32}: no such messaging service", "correct the brand's file"]),
    ("a messaging service without senders", senders(0), ["it has no senders (error 21703)", "add a number to it"]),
    ("a messaging service that leads elsewhere", service(inbound_request_url=OTHER), [f"sender of metro, {SERVICE}: texts go to POST {OTHER}, not to POST", "python -m ivr numbers point"]),
    ("a messaging service that asks by GET", service(inbound_method="GET"), ["texts go to GET", "not by POST", "python -m ivr numbers point"]),
    ("a messaging service that receives nothing", service(inbound_request_url=None), ["texts go to nowhere", "python -m ivr numbers point"]),
    ("a messaging service that defers to a number elsewhere", defers, ["texts go where its numbers say, and not here from +1(415) 555-", "python -m ivr numbers point"]),
    ("a messaging service without a campaign", campaign(SERVICE), [f"messaging service {SERVICE} has no A2P 10DLC campaign", "register a campaign"]),
    ("a messaging service whose campaign failed", campaign(SERVICE, "FAILED"), [f"campaign of {SERVICE} is FAILED", "see what it lacks"]),
    ("a toll-free number that is not verified", toll_free(), ["sender of metro", "+1(800) 555-0199: toll-free verification: none", "error 30032", "Toll-free verification"]),
    ("a toll-free number under review", toll_free("PENDING_REVIEW"), ["toll-free verification: PENDING_REVIEW", "verify it"]),
    ("a toll-free number that was refused", toll_free("TWILIO_REJECTED"), ["toll-free verification: TWILIO_REJECTED", "verify it"]),
]
SEVERAL = [  # one cause, seen from more than one side: every line is wrong
    ("nothing set", setting(PUBLIC_URL="", TWILIO_AUTH_TOKEN="", TWILIO_ACCOUNT_SID=""), ["PUBLIC_URL: not set; to mend: set PUBLIC_URL to https://", "TWILIO_AUTH_TOKEN: not set"]),
    ("two settings that do not parse", setting(PORT="x", LOG_LEVEL="loud"), ["settings: PORT", "settings: LOG_LEVEL"]),
    ("numbers that call another host", moved(f"{OTHER}/voice"), ["PUBLIC_URL: it is http://127.0.0.1", f"and Twilio calls {OTHER} for every number; to mend: python -m ivr numbers point, or set PUBLIC_URL={OTHER}"]),
    ("senders in no messaging service", alone, ["sender of acme, +1(415) 555-0111: in no messaging service", "sender of corner-bakery", "error 30034"]),
    ("a campaign under review", campaign(HELD, "IN_PROGRESS"), [f"sender of acme, +1(415) 555-0111: the A2P 10DLC campaign of {HELD} is IN_PROGRESS", "sender of corner-bakery"]),
    ("senders whose messaging service takes their texts", plain_service, [f"(acme: sender): texts go to messaging service {HELD}, POST {OTHER}", "python -m ivr numbers point +14155550111"]),
    ("a fallback that numbers do not have", setting(FALLBACK_URL="https://handler.twilio.com/twiml/EH1"), ["without FALLBACK_URL behind it; to mend: python -m ivr numbers point +14155550100", f"sender of metro, {SERVICE}: texts go to POST"]),
]
UNKNOWN = [
    ("gunicorn's other arguments", setting(GUNICORN_CMD_ARGS="--threads 2"), ["GUNICORN_CMD_ARGS: '--threads 2' overrides gunicorn.conf.py", "unset GUNICORN_CMD_ARGS"]),
    ("SQLite on a disk that is erased, for a trial", setting(DYNO="run.1", ALLOW_EPHEMERAL="1"), ["DATABASE_URL: SQLite on a disk", "heroku addons:create"]),
    ("a trial account", account(type="Trial"), ["account: a trial account texts only numbers that were verified", "Upgrade"]),
    ("a Twilio that fails", failing("IncomingPhoneNumbers", 503), ["numbers: they cannot be listed: Twilio failed (503)", "run doctor again"]),
    ("an account that cannot be asked for", failing(f"{ACCOUNT_SID}.json", 500), ["TWILIO_AUTH_TOKEN: Twilio failed (500)", "run doctor again"]),
    ("a Canadian number that texts the United States", canadian, ["sender of corner-bakery, +1(416) 555-0121: it texts US numbers and is no US number"]),
    ("campaigns that cannot be asked for", failing("Usa2p", 403), ["sender of metro", "its A2P 10DLC campaign: Twilio refused (403", "A2P 10DLC"]),
    ("messaging services that cannot be asked for", failing("/v1/Services", 403), ["sender of metro", "Twilio refused (403, error 20403)", "Console > Messaging > Services"]),
    ("verifications that cannot be asked for", lambda at: (toll_free()(at), failing("Tollfree", 403)(at)), ["its toll-free verification: Twilio refused (403", "Toll-free verification"]),
]
# fmt: on


def wrong_lines(out: str, state: str = "wrong") -> list[str]:
    return [line for line in out.splitlines() if line.startswith(state)]


@pytest.mark.parametrize(("plant", "parts"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS])
def test_each_fault_is_one_line(plant: Callable[[Stand], object], parts: list[str], here: Stand, run: Run) -> None:
    plant(here)
    ended, out, err = run(here, "doctor")
    assert ended == 1
    (line,) = wrong_lines(out)
    for part in parts:
        assert part in line
    assert "; to mend: " in line
    assert "Traceback" not in err


@pytest.mark.parametrize(("plant", "parts"), [case[1:] for case in SEVERAL], ids=[case[0] for case in SEVERAL])
def test_a_fault_with_several_sides(plant: Callable[[Stand], object], parts: list[str], here: Stand, run: Run) -> None:
    plant(here)
    ended, out, _ = run(here, "doctor")
    assert ended == 1
    lines = "\n".join(wrong_lines(out))
    for part in parts:
        assert part in lines
    assert len(wrong_lines(out)) > 1


@pytest.mark.parametrize(("plant", "parts"), [case[1:] for case in UNKNOWN], ids=[case[0] for case in UNKNOWN])
def test_what_cannot_be_told_does_not_fail(
    plant: Callable[[Stand], object], parts: list[str], here: Stand, run: Run
) -> None:
    plant(here)
    ended, out, _ = run(here, "doctor")
    assert (ended, wrong_lines(out)) == (0, [])
    assert any(all(part in line for part in parts) for line in wrong_lines(out, "cannot tell")), out


# fmt: off
FALLBACKS = [  # PUBLIC_URL, FALLBACK_URL, whether it is another server
    ("a Bin", "https://ivr.example.com", "https://handler.twilio.com/twiml/EH1", True),
    ("a host that begins like ours", "https://app.example.co", "https://app.example.com/bin", True),
    ("another port", "https://ivr.example.com", "https://ivr.example.com:8443/x", True),
    ("another scheme", "https://ivr.example.com", "http://ivr.example.com/x", True),
    ("a port that begins like ours", "https://ivr.example.com:80", "https://ivr.example.com:8000/x", True),
    ("our host in its path", "https://ivr.example.com", "https://example.org/https://ivr.example.com", True),
    ("capitals", "https://ivr.example.com", "https://IVR.example.com/voice", False),
    ("capitals in ours", "HTTPS://IVR.Example.com", "https://ivr.example.com/voice", False),
    ("the port of https said", "https://ivr.example.com", "https://ivr.example.com:443/voice", False),
    ("the port of https said in ours", "https://ivr.example.com:443", "https://ivr.example.com", False),
    ("a colon without a port", "https://ivr.example.com", "https://ivr.example.com:/voice", False),
    ("no path", "https://ivr.example.com", "https://ivr.example.com?x=1", False),
]
# fmt: on


@pytest.mark.parametrize(
    ("public", "url", "good"), [case[1:] for case in FALLBACKS], ids=[case[0] for case in FALLBACKS]
)
def test_a_fallback_is_compared_as_a_place(public: str, url: str, good: bool) -> None:
    (line,) = surroundings(config.read({"PUBLIC_URL": public, "FALLBACK_URL": url}), {})
    assert (line.what, line.state) == ("FALLBACK_URL", "good" if good else "wrong")


def test_twilio_s_demonstration_pages_are_nobody_s_host(here: Stand, run: Run) -> None:
    moved(DEMO)(here)
    ended, out, _ = run(here, "doctor")
    assert ended == 1
    assert len(wrong_lines(out)) == len([line for line in wrong_lines(out) if f"calls go to POST {DEMO}" in line]) > 1
    assert "PUBLIC_URL=" not in out


def test_good_signs_are_named(here: Stand, run: Run) -> None:
    toll_free("TWILIO_APPROVED")(here)
    key("right")(here)
    ended, out, _ = run(here, "doctor")
    assert ended == 0, out
    for part in (
        f"PUBLIC_URL: {here.url}/readyz answers: ready",
        "signatures: a webhook signed with TWILIO_AUTH_TOKEN is taken",
        "database: reachable, its schema is this release's",
        f"calls go to POST {here.url}/voice",
        f"texts go to POST {here.url}/messages#rc=3&rp=5xx,ct,rt",
        f"A2P 10DLC campaign of {SERVICE}: VERIFIED",
        "+1(800) 555-0199: toll-free verification: TWILIO_APPROVED",
        f"sender of metro, {SERVICE}: it has 2 sender(s)",
    ):
        assert any(part in line for line in wrong_lines(out, "good")), part


def test_short_codes_are_senders_too(here: Stand, run: Run) -> None:
    senders(0)(here)
    here.account.short_codes[SERVICE] = ["SC1"]
    ended, out, _ = run(here, "doctor")
    assert ended == 0, out
    assert f"sender of metro, {SERVICE}: it has 1 sender(s)" in out


def test_a_brand_that_texts_canada_alone_needs_no_campaign(here: Stand, run: Run) -> None:
    campaign(SERVICE)(here)
    here.edit("metro", "name: Metro", "name: Metro\nregions: [CA]")
    ended, out, _ = run(here, "doctor")
    assert ended == 0, out


def test_no_secret_is_printed(here: Stand, run: Run) -> None:
    here.environ["DATABASE_URL"] = "postgresql://user:s3cret@127.0.0.1:1/x"
    here.account.number(FRONT)["voice_url"] = "https://user:s3cret@old.example.com/voice"
    here.account.primary_token = "s3cret-primary"
    key("s3cret-key")(here)
    here.account.keys["SK1"] = "s3cret-key"
    for command in (("doctor",), ("numbers", "list")):
        _, out, err = run(here, *command)
        assert "s3cret" not in out + err
        assert TOKEN not in out + err
    _, out, _ = run(here, "doctor")
    assert "calls go to POST https://***@old.example.com/voice" in out


def test_a_database_that_is_not_there(here: Stand, run: Run) -> None:
    here.environ["DATABASE_URL"] = "postgresql://user:s3cret@127.0.0.1:1/x"
    ended, out, _ = run(here, "doctor")
    (line,) = wrong_lines(out)
    assert (ended, "database: cannot be opened (OperationalError)" in line, "check DATABASE_URL" in line) == (
        1,
        True,
        True,
    )


def test_looking_does_not_make_a_database(here: Stand, run: Run, tmp_path: Path) -> None:
    here.environ["DATABASE_URL"] = f"sqlite:///{tmp_path}/later/ivr.db"
    ended, out, _ = run(here, "doctor")
    assert ended == 0
    assert "ivr.db is not there yet; the server makes it when it starts" in out
    assert not (tmp_path / "later").exists()


def test_a_place_where_no_database_can_be(here: Stand, run: Run) -> None:
    here.environ["DATABASE_URL"] = "sqlite:////dev/null/ivr.db"
    ended, out, _ = run(here, "doctor")
    (line,) = wrong_lines(out)
    assert ended == 1
    assert "database: /dev/null/ivr.db cannot be made; to mend: make /dev/null a directory" in line


@pytest.mark.parametrize(
    ("changes", "sql", "state", "part"),
    [
        pytest.param({}, "DROP TABLE alembic_version", "wrong", "its schema is older than this release; to mend: python -m ivr db upgrade", id="an older schema"),
        pytest.param({}, "UPDATE alembic_version SET version_num = 'later'", "good", "a later release was here", id="a newer schema"),
        pytest.param({"WEB_CONCURRENCY": "90"}, "", "wrong", "90 process(es) x DATABASE_CONNECTIONS=5 = 450, and the server has room for", id="too many processes"),
        pytest.param({"WORKER": "separate", "WEB_CONCURRENCY": "2"}, "ALTER DATABASE {name} CONNECTION LIMIT 14", "wrong", "3 process(es) x DATABASE_CONNECTIONS=5 = 15, and the server has room for 14; to mend: set DATABASE_CONNECTIONS=4", id="a separate worker counts, and a limit of the database alone"),
        pytest.param({"WEB_CONCURRENCY": "2"}, "ALTER DATABASE {name} CONNECTION LIMIT 14", "cannot tell", "2 process(es) x DATABASE_CONNECTIONS=5 = 10, and the server has room for 14; not enough for the old and the new", id="no room for a deploy"),
    ],
)  # fmt: skip
def test_postgresql(changes: dict[str, str], sql: str, state: str, part: str, tmp_path: Path, run: Run) -> None:
    with stand("postgresql", tmp_path) as at:
        url = at.environ["DATABASE_URL"]
        if sql:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(sql.format(name=url.rsplit("/", 1)[1]).encode())
        at.environ.update(changes)  # the command's; the server that answers keeps its own
        ended, out, _ = run(at, "doctor")
    assert any(part in line for line in wrong_lines(out, state)), out
    assert ended == (1 if state == "wrong" else 0)


def test_the_demo_s_own_town_is_a_good_deployment(tmp_path: Path, run: Run) -> None:
    """gunicorn, the sandbox's Twilio, and the shipped flows: what `make demo` serves."""
    database = f"sqlite:///{tmp_path}/ivr.db"
    twilio = free_port()
    with town(ROOT / "flows", database, tmp_path / "log", sandbox_port=twilio) as here:
        environ = {
            "DATABASE_URL": database,
            "PUBLIC_URL": here.webhooks.public_url,
            "TWILIO_ACCOUNT_SID": sandbox.ACCOUNT_SID,
            "TWILIO_AUTH_TOKEN": sandbox.AUTH_TOKEN,
            "TWILIO_API_URL": f"http://127.0.0.1:{twilio}",
            "LIVEPERSON_ACCOUNT": sandbox.LIVEPERSON_ACCOUNT,
            "LIVEPERSON_CLIENT_ID": sandbox.LIVEPERSON_CLIENT_ID,
            "LIVEPERSON_CLIENT_SECRET": sandbox.LIVEPERSON_CLIENT_SECRET,
            "LIVEPERSON_API_URL": f"http://127.0.0.1:{twilio}",
        }
        nobody, no_desk = SimulatedAccount("", ""), Desk(Clock(), "", "", "", "")
        ended, out, _ = run(Stand(nobody, no_desk, environ, ROOT / "flows", ExitStack()), "doctor")
    assert ended == 0, out
    assert "signatures: a webhook signed with TWILIO_AUTH_TOKEN is taken" in out
    assert "LivePerson's webhooks: one signed with LIVEPERSON_CLIENT_SECRET is taken" in out


def test_a_new_key(here: Stand, run: Run) -> None:
    for brand in ("acme", "*"):
        ended, out, _ = run(here, "doctor", "--new-key", brand)
        setting, key = (line.split(": ", 1)[1].strip() for line in out.splitlines())
        assert ended == 0
        assert setting == f"{brand}:{hashlib.sha256(key.encode()).hexdigest()}"
        assert len(key) >= 40
    assert run(here, "doctor", "--new-key", "acne") == (
        1, "", "acne: no such brand; there are: acme, corner-bakery, metro, and * for every.\n",
    )  # fmt: skip
