"""Settings: what is read, and the one line that a wrong one is."""

import pytest

from ivr import config

ACCOUNT = {"TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "TWILIO_AUTH_TOKEN": "t", "PUBLIC_URL": "https://ivr.example.com"}

WRONG = [
    ("a port in words", {"PORT": "http"}, "PORT is 'http'; write a whole number from 0 to 65535."),
    ("a port too large", {"PORT": "70000"}, "PORT"),
    ("no threads", {"WEB_THREADS": "0"}, "WEB_THREADS is '0'; write a whole number from 1 to 256."),
    ("a level nobody has", {"LOG_LEVEL": "loud"}, "LOG_LEVEL is 'loud'; write one of debug, info, warning, error."),
    ("another database", {"DATABASE_URL": "mysql://x/y"}, "DATABASE_URL starts with 'mysql'"),
    ("SQLite on a disk that is erased", {"DYNO": "web.1"}, "add PostgreSQL"),
    ("a path in the URL", {"PUBLIC_URL": "https://a.example/ivr"}, "PUBLIC_URL"),
    ("no scheme", {"PUBLIC_URL": "ivr.example.com"}, "PUBLIC_URL"),
    ("a port that is none", {"PUBLIC_URL": "https://a.example:99999"}, "PUBLIC_URL"),
    ("white space in the URL", {"PUBLIC_URL": "https://a b"}, "PUBLIC_URL"),
    ("a database in memory", {"DATABASE_URL": "sqlite:///:memory:"}, "DATABASE_URL names no file"),
    ("a database without a name", {"DATABASE_URL": "sqlite:///"}, "DATABASE_URL names no file"),
    ("a port that is no number", {"DATABASE_URL": "postgres://u:t0ken@h:abc/x"}, "DATABASE_URL is no URL"),
    ("a worker nobody has", {"WORKER": "none"}, "WORKER is 'none'; write embedded or separate."),
    ("a worker apart on SQLite", {"WORKER": "separate"}, "WORKER is separate, which needs PostgreSQL"),
    ("a token without a URL", {**ACCOUNT, "PUBLIC_URL": ""}, "PUBLIC_URL is not set, but TWILIO_AUTH_TOKEN is"),
    ("a token without an account", {**ACCOUNT, "TWILIO_ACCOUNT_SID": ""}, "TWILIO_ACCOUNT_SID is not set"),
    ("an account that is none", {"TWILIO_ACCOUNT_SID": "SK123"}, "TWILIO_ACCOUNT_SID"),
    ("a fallback that is no URL", {"FALLBACK_URL": "twiml/EH1"}, "FALLBACK_URL is no URL"),
    ("a fallback with a password", {"FALLBACK_URL": "https://u:t0ken@a.example/x"}, "FALLBACK_URL is no URL"),
    ("a fallback with a port that is none", {"FALLBACK_URL": "https://a.example:99999"}, "FALLBACK_URL is no URL"),
    ("half an API key", {"TWILIO_API_KEY": "SK1"}, "TWILIO_API_SECRET go together"),
    ("a connector without its secret", {"LIVEPERSON_ACCOUNT": "12345678", "LIVEPERSON_CLIENT_ID": "t0ken"}, "set all three or none"),
    ("a connector's secret alone", {"LIVEPERSON_CLIENT_SECRET": "t0ken"}, "set all three or none"),
    ("a connector without its id", {"LIVEPERSON_ACCOUNT": "12345678", "LIVEPERSON_CLIENT_SECRET": "t0ken"}, "set all three or none"),
    ("an account with a path in it", {"LIVEPERSON_ACCOUNT": "1/../2"}, "LIVEPERSON_ACCOUNT is no account"),
    ("a path in LivePerson's URL", {"LIVEPERSON_API_URL": "https://api.example/api"}, "LIVEPERSON_API_URL is no scheme and host"),
    ("PostgreSQL without a secret key", {"DATABASE_URL": "postgres://u:t0ken@h/d"}, 'python -c "import secrets; print(secrets.token_hex(32))"'),
    ("PostgreSQL with an empty secret key", {"DATABASE_URL": "postgres://u:t0ken@h/d", "SECRET_KEY": " "}, "SECRET_KEY is not set"),
]  # fmt: skip


@pytest.mark.parametrize(("environ", "message"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_a_wrong_setting_is_one_line(environ: dict[str, str], message: str) -> None:
    with pytest.raises(config.SettingsError) as raised:
        config.read(environ)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "t0ken" not in str(raised.value)


def test_every_wrong_setting_is_known() -> None:
    with pytest.raises(config.SettingsError) as raised:
        config.read({"PORT": "x", "WEB_THREADS": "0", "TWILIO_API_KEY": "SK1"})
    assert [fault.split()[0] for fault in raised.value.faults] == ["PORT", "WEB_THREADS"]
    with pytest.raises(config.SettingsError) as raised:
        config.read({"TWILIO_API_KEY": "SK1", "TWILIO_AUTH_TOKEN": "t"})
    assert [fault.split()[0] for fault in raised.value.faults] == ["PUBLIC_URL", "TWILIO_ACCOUNT_SID", "TWILIO_API_KEY"]


def test_a_fallback_may_have_a_path() -> None:
    url = "https://handler.twilio.com/twiml/EH1?a=b"
    assert config.read({"FALLBACK_URL": url}).fallback_url == url


def test_defaults() -> None:
    settings = config.read({})
    assert settings.database_url == "sqlite:///var/ivr.db"
    assert (settings.port, settings.web_concurrency, settings.web_threads) == (8000, 1, 16)
    assert settings.database_connections == 5
    assert settings.liveperson_api_url == "https://api.liveperson.net"
    assert (settings.liveperson_account, settings.liveperson_client_id, settings.liveperson_client_secret) == (
        "",
        "",
        "",
    )
    assert settings.secret_key == "", "reading settings writes nothing"


def test_a_connector() -> None:
    settings = config.read(
        {
            "LIVEPERSON_ACCOUNT": " 12345678 ",
            "LIVEPERSON_CLIENT_ID": "0d0cf5ab",
            "LIVEPERSON_CLIENT_SECRET": "secret",
            "LIVEPERSON_API_URL": "http://127.0.0.1:8001/",
        }
    )
    assert settings.liveperson_account == "12345678"
    assert settings.liveperson_client_id == "0d0cf5ab"
    assert settings.liveperson_client_secret == "secret"
    assert settings.liveperson_api_url == "http://127.0.0.1:8001"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_a_host_s_database_url(scheme: str) -> None:
    settings = config.read({"DATABASE_URL": f"{scheme}://u:p@h/d", "SECRET_KEY": " of-the-operator\n"})
    assert settings.database_url == "postgresql+psycopg://u:p@h/d"
    assert settings.secret_key == "of-the-operator"


def test_a_trial_on_an_ephemeral_disk() -> None:
    assert config.read({"DYNO": "web.1", "ALLOW_EPHEMERAL": "1"}).sqlite


def test_a_slash_at_the_end_of_the_public_url_is_dropped() -> None:
    assert config.read({**ACCOUNT, "PUBLIC_URL": "https://ivr.example.com/"}).public_url == "https://ivr.example.com"


def test_api_keys() -> None:
    one, two = "a" * 64, "B" * 64
    keys = config.read({"API_KEYS": f"acme:{one}, *:{two},bakery:{one},"}).api_keys
    assert keys == {one: {"acme", "bakery"}, two.lower(): {"*"}}
    assert config.read({}).api_keys == {}


@pytest.mark.parametrize("pair", ["the-key-itself", "acme:", "acme:the-key-itself", f"Acme:{'a' * 64}", f":{'a' * 64}"])
def test_an_api_key_that_is_no_pair_is_not_shown(pair: str) -> None:
    with pytest.raises(config.SettingsError) as raised:
        config.read({"API_KEYS": f"acme:{'a' * 64},{pair}"})
    assert str(raised.value) == (
        "API_KEYS has a pair (number 2) that is not brand:sha256-of-key; "
        "make one with: python -m ivr doctor --new-key BRAND"
    )
