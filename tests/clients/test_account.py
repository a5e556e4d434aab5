"""The account client: the exact requests, and answers that are not what they should be."""

from typing import Any
from urllib.parse import parse_qs

import pytest
import responses

from ivr.clients.account import NUMBER_FIELDS, SERVICE_FIELDS, TwilioAccount
from ivr.clients.failure import SendError
from ivr.clients.twilio import Account, Twilio

AC = "AC" + "0" * 32
PN, MG = "PN" + "1" * 32, "MG" + "1" * 32
API = f"https://api.twilio.com/2010-04-01/Accounts/{AC}"
MESSAGING = "https://messaging.twilio.com/v1"
# As the example of Twilio's API description has it: what is not set is null here and "" there.
NUMBER: dict[str, Any] = {
    "sid": PN, "phone_number": "+14155550100", "capabilities": {"voice": True, "sms": False, "mms": True},
    "sms_application_sid": "", "sms_fallback_method": "POST", "sms_fallback_url": "", "sms_method": "POST", "sms_url": "",
    "trunk_sid": None, "voice_application_sid": "", "voice_fallback_method": "POST", "voice_fallback_url": None,
    "voice_method": "POST", "voice_url": None,
}  # fmt: skip


def account(**changes: str) -> TwilioAccount:
    return TwilioAccount(Twilio(Account(AC, "token", **changes), connections=1))


def sent(call: int = 0) -> dict[str, list[str]]:
    return parse_qs(str(responses.calls[call].request.body), keep_blank_values=True)


@responses.activate
def test_numbers_are_read_as_twilio_describes_them() -> None:
    responses.get(f"{API}/IncomingPhoneNumbers.json", json={"incoming_phone_numbers": [NUMBER], "next_page_uri": None})
    (number,) = account().numbers()
    assert (number.sid, number.e164, number.voice, number.texts) == (PN, "+14155550100", True, False)
    assert set(number.webhooks) == set(NUMBER_FIELDS)
    assert number.webhooks["voice_url"] == number.webhooks["sms_url"] == number.webhooks["trunk_sid"] == ""
    assert "PageSize=1000" in str(responses.calls[0].request.url)


@responses.activate
@pytest.mark.parametrize(
    ("changes", "body"),
    [
        pytest.param({"voice_url": "https://a.example/voice"}, {"VoiceUrl": ["https://a.example/voice"]}, id="one field alone"),
        pytest.param({"trunk_sid": "", "voice_application_sid": ""}, {"TrunkSid": [""], "VoiceApplicationSid": [""]}, id="an empty value clears"),
        pytest.param({"sms_fallback_url": "https://f.example"}, {"SmsFallbackUrl": ["https://f.example"], "SmsUrl": ["https://was.example"]}, id="a fallback goes with its URL"),
        pytest.param({"sms_fallback_url": "x", "sms_url": "y"}, {"SmsFallbackUrl": ["x"], "SmsUrl": ["y"]}, id="the new URL where it changes too"),
    ],
)  # fmt: skip
def test_only_what_changes_is_sent(changes: dict[str, str], body: dict[str, list[str]]) -> None:
    responses.post(f"{API}/IncomingPhoneNumbers/{PN}.json", json=NUMBER)
    account().update(PN, {**dict.fromkeys(NUMBER_FIELDS, ""), "sms_url": "https://was.example"}, changes)
    assert sent() == body


@responses.activate
def test_a_messaging_service_is_changed_at_its_own_host() -> None:
    record = {
        "sid": MG,
        "use_inbound_webhook_on_number": False,
        "inbound_request_url": "https://a.example",
        "inbound_method": "POST",
    }
    responses.post(f"{MESSAGING}/Services/{MG}", json=record)
    has = account().update(MG, dict.fromkeys(SERVICE_FIELDS, ""), {"inbound_request_url": "https://a.example"})
    assert sent() == {"InboundRequestUrl": ["https://a.example"]}
    assert has == {
        "inbound_request_url": "https://a.example",
        "inbound_method": "POST",
        "fallback_url": "",
        "fallback_method": "",
    }


@responses.activate
def test_one_url_stands_for_every_host_of_twilio() -> None:
    local = account(api_url="http://127.0.0.1:8001")
    responses.get(f"http://127.0.0.1:8001/2010-04-01/Accounts/{AC}/IncomingPhoneNumbers/{PN}.json", json=NUMBER)
    responses.get(
        f"http://127.0.0.1:8001/v1/Services/{MG}/Compliance/Usa2p",
        json={"compliance": [{"campaign_status": "VERIFIED"}], "meta": {"key": "compliance", "next_page_url": None}},
    )
    assert local.number(PN).e164 == "+14155550100"
    assert local.campaigns(MG) == ["VERIFIED"]


@responses.activate
def test_the_toll_free_question() -> None:
    page = {"verifications": [{"status": "IN_REVIEW"}], "meta": {"key": "verifications", "next_page_url": None}}
    responses.get(f"{MESSAGING}/Tollfree/Verifications", json=page)
    assert account().toll_free_states(PN) == ["IN_REVIEW"]
    assert f"TollfreePhoneNumberSid={PN}" in str(responses.calls[0].request.url)


ODD: list[tuple[str, dict[str, Any], bool, int | None]] = [
    ("refused in a list", {"status": 401, "json": {"code": 20003}}, True, 20003),
    ("refused in a list without a code", {"status": 403, "body": "<html>"}, True, 403),
    ("busy in a list", {"status": 429, "json": {"code": 20429}}, False, 20429),
    ("failing in a list", {"status": 503, "body": "<html>"}, False, None),
    ("no JSON", {"body": "<html>"}, False, None),
    ("no object", {"body": "[1]"}, False, None),
    ("another object", {"json": {"a": 1, "b": 2}}, False, None),
    ("a number without its number", {"json": {"incoming_phone_numbers": [{"sid": PN}]}}, False, None),
    ("a number that is none", {"json": {"incoming_phone_numbers": ["x"]}}, False, None),
]


@pytest.mark.parametrize(("answer", "permanent", "code"), [case[1:] for case in ODD], ids=[case[0] for case in ODD])
@responses.activate
def test_odd_answers(answer: dict[str, Any], permanent: bool, code: int | None) -> None:
    responses.get(f"{API}/IncomingPhoneNumbers.json", **answer)
    with pytest.raises(SendError) as raised:
        account().numbers()
    assert (raised.value.permanent, raised.value.code) == (permanent, code)
