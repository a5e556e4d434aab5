"""Twilio's account, simulated: its numbers, messaging services and registrations over REST, with faults to plant."""

import base64
import hmac
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Response, jsonify, request

from ivr.deployment.pointing import TEXT_RETRIES
from ivr.flow.model import Flow, NativeDesk

MOST_A_PAGE = 1000
LIVEPERSON_GATEWAY = "https://va.msg-gw.liveperson.net/api/12345678/default/twilio"
Record = dict[str, Any]

# As Twilio's API description names them; an unset one is null or "".
_NUMBER: Record = {
    **dict.fromkeys(("voice_url", "voice_fallback_url", "trunk_sid")),
    **dict.fromkeys(("sms_url", "sms_fallback_url", "sms_application_sid", "voice_application_sid"), ""),
    **dict.fromkeys(("voice_method", "voice_fallback_method", "sms_method", "sms_fallback_method"), "POST"),
}
_SERVICE: Record = {
    **dict.fromkeys(("inbound_request_url", "fallback_url")),
    **dict.fromkeys(("inbound_method", "fallback_method"), "POST"),
}


@dataclass(slots=True)
class SimulatedAccount:
    """Change its records to plant a fault; `failing` answers every path with that word in it with a status."""

    sid: str
    auth_token: str
    keys: dict[str, str] = field(default_factory=dict)  # API key -> secret
    primary_token: str = ""  # when ours is the secondary one
    status: str = "active"
    type: str = "Full"
    numbers: dict[str, Record] = field(default_factory=dict)  # by SID, as all the others
    services: dict[str, Record] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)  # a service's SID -> its numbers' SIDs
    short_codes: dict[str, list[str]] = field(default_factory=dict)
    campaigns: dict[str, list[str]] = field(default_factory=dict)  # a service's SID -> campaign states
    toll_free: dict[str, list[str]] = field(default_factory=dict)  # a number's SID -> verification states
    whatsapp: dict[str, Record] = field(default_factory=dict)  # senders, by address
    templates: dict[str, str] = field(default_factory=dict)  # a content template's SID -> what WhatsApp says of it
    rcs: dict[str, list[str]] = field(default_factory=dict)  # a service's SID -> its RCS senders
    failing: dict[str, int] = field(default_factory=dict)
    stubborn: frozenset[str] = frozenset()  # fields that an update leaves as they are
    most_a_page: int = MOST_A_PAGE
    updates: list[tuple[str, Record]] = field(default_factory=list)

    def own(self, e164: str, **fields: Any) -> str:
        """Buy a number; its SID."""
        sid = f"PN{len(self.numbers) + 1:032x}"
        capabilities = {"voice": True, "sms": True, "mms": True, "fax": False}
        self.numbers[sid] = {"sid": sid, "phone_number": e164, "capabilities": capabilities, **_NUMBER, **fields}
        return sid

    def serve(self, sid: str, *numbers: str, campaign: str = "VERIFIED", **fields: Any) -> None:
        """Open a messaging service with these numbers' SIDs as its senders."""
        record = {"sid": sid, "friendly_name": "Texts", "use_inbound_webhook_on_number": False, **_SERVICE}
        self.services[sid] = record | fields
        self.members[sid] = list(numbers)
        self.campaigns[sid] = [campaign] if campaign else []

    def number(self, e164: str) -> Record:
        return next(record for record in self.numbers.values() if record["phone_number"] == e164)


def account_for(flows: Collection[Flow], sid: str, auth_token: str, url: str) -> SimulatedAccount:
    """An account in which everything that the brands claim is owned, registered and pointed at the server at `url`.

    Texts to a native brand's sender go to LivePerson.
    """
    account = SimulatedAccount(sid, auth_token)
    texts = f"{url}/messages{TEXT_RETRIES}"
    native = {flow.sender.address for flow in flows if isinstance(flow.desk, NativeDesk)}

    def texts_of(address: str) -> str:
        return LIVEPERSON_GATEWAY if address in native else texts

    for flow in flows:
        for e164 in flow.numbers:
            account.own(e164, voice_url=f"{url}/voice", sms_url=texts_of(e164))
        if flow.sender.address.startswith("MG"):
            member = account.own(f"+1415555{len(account.numbers) + 2000}")
            account.serve(flow.sender.address, member, inbound_request_url=texts_of(flow.sender.address))
        elif flow.sender.address not in flow.numbers:
            account.own(flow.sender.address, sms_url=texts_of(flow.sender.address))
        _channels(account, flow, texts)
    senders = [flow.sender.address for flow in flows]
    own = [number for number, record in account.numbers.items() if record["phone_number"] in senders]
    account.serve(f"MG{'5e' * 16}", *own, use_inbound_webhook_on_number=True)
    return account


def _channels(account: SimulatedAccount, flow: Flow, texts: str) -> None:
    """What a brand has beside texts."""
    if flow.sender.whatsapp:
        webhook = {"callback_url": texts, "callback_method": "POST"}
        account.whatsapp[flow.sender.whatsapp.address] = {"status": "ONLINE", "webhook": webhook}
        account.templates[flow.sender.whatsapp.template] = "approved"
    if flow.sender.rcs:
        account.serve(flow.sender.rcs, inbound_request_url=texts)
        account.rcs[flow.sender.rcs] = [f"rcs:{flow.id}_agent"]


def account_api(account: SimulatedAccount) -> Blueprint:
    """api.twilio.com and messaging.twilio.com behind one host, as far as this project asks them."""
    blueprint = Blueprint("account", __name__)
    ours = f"/2010-04-01/Accounts/{account.sid}"

    @blueprint.before_request
    def allowed() -> Response | None:
        status = next((status for word, status in account.failing.items() if word in request.path), None)
        if status:
            return _error(status, {401: 20003, 500: 20500}.get(status, 20000 + status))
        if not any(_is(user, secret) for user, secret in _credentials(account)):
            return _error(401, 20003)
        return None

    @blueprint.get(f"{ours}.json")
    def fetched() -> Response:
        if not any(_is(account.sid, token) for token in (account.auth_token, account.primary_token) if token):
            return _error(401, 20003)  # an API key may not ask for the account
        token = account.primary_token or account.auth_token
        return jsonify({"sid": account.sid, "status": account.status, "type": account.type, "auth_token": token})

    _numbers(blueprint, account, ours)
    _services(blueprint, account)
    return blueprint


def _numbers(blueprint: Blueprint, account: SimulatedAccount, ours: str) -> None:
    @blueprint.get(f"{ours}/IncomingPhoneNumbers.json")
    def numbers() -> Response:
        page, size, more = _page(account, list(account.numbers.values()))
        onward = f"{request.path}?PageSize={size}&Page={_at() + 1}" if more else None
        return jsonify({"incoming_phone_numbers": page, "page": _at(), "page_size": size, "next_page_uri": onward})

    @blueprint.route(f"{ours}/IncomingPhoneNumbers/<sid>.json", methods=["GET", "POST"])
    def number(sid: str) -> Response:
        return _one(account, account.numbers, sid)

    @blueprint.get("/v1/Tollfree/Verifications")
    def verifications() -> Response:
        states = account.toll_free.get(request.args.get("TollfreePhoneNumberSid", ""), [])
        return _listed(account, "verifications", [{"status": state} for state in states])


def _services(blueprint: Blueprint, account: SimulatedAccount) -> None:
    def nested(name: str, key: str, records: Callable[[str], list[Record]]) -> None:
        def listed(sid: str) -> Response:
            return _listed(account, key, records(sid)) if sid in account.services else _error(404, 20404)

        blueprint.add_url_rule(f"/v1/Services/<sid>/{name}", key, listed)

    @blueprint.get("/v1/Services")
    def services() -> Response:
        return _listed(account, "services", list(account.services.values()))

    @blueprint.route("/v1/Services/<sid>", methods=["GET", "POST"])
    def service(sid: str) -> Response:
        return _one(account, account.services, sid)

    nested("PhoneNumbers", "phone_numbers", lambda sid: [_member(account, number) for number in account.members[sid]])

    @blueprint.get("/v2/Channels/Senders")
    def whatsapp() -> Response:
        senders = [{"sid": f"XE{address[-10:]}", "sender_id": address} for address in account.whatsapp]
        return _listed(account, "senders", [{**one, **account.whatsapp[one["sender_id"]]} for one in senders])

    @blueprint.get("/v1/Content/<sid>/ApprovalRequests")
    def approval(sid: str) -> Response:
        if sid not in account.templates:
            return _error(404, 20404)
        return jsonify({"sid": sid, "whatsapp": {"status": account.templates[sid]}})

    nested("ChannelSenders", "senders", lambda sid: [{"sender": one} for one in account.rcs.get(sid, [])])
    nested("ShortCodes", "short_codes", lambda sid: [{"sid": code} for code in account.short_codes.get(sid, [])])
    nested(
        "Compliance/Usa2p", "compliance", lambda sid: [{"campaign_status": state} for state in account.campaigns[sid]]
    )


def _member(account: SimulatedAccount, sid: str) -> Record:
    return {"sid": sid, "phone_number": account.numbers[sid]["phone_number"]}


def _one(account: SimulatedAccount, records: dict[str, Record], sid: str) -> Response:
    """Fetch a record, or change it by a form in Twilio's names: VoiceUrl is voice_url."""
    if sid not in records:
        return _error(404, 20404)
    if request.method == "POST":
        changes = {_snake(name): value for name, value in request.form.items()}
        if unknown := [name for name in changes if name not in records[sid]]:
            return _error(400, 20001, f"{unknown[0]} is no field")
        if changes.get("sms_fallback_url") and not changes.get("sms_url"):
            return _error(400, 21406)
        account.updates.append((sid, changes))
        records[sid] |= {name: value for name, value in changes.items() if name not in account.stubborn}
        for mine, other in (("voice_application_sid", "trunk_sid"), ("trunk_sid", "voice_application_sid")):
            if changes.get(mine):  # each of the two ends the other, as Twilio's description says
                records[sid][other] = ""
    return jsonify(records[sid])


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


def _at() -> int:
    return int(request.args.get("Page", 0))


def _page(account: SimulatedAccount, records: list[Record]) -> tuple[list[Record], int, bool]:
    size = min(int(request.args.get("PageSize", 50)), account.most_a_page)
    start = _at() * size
    return records[start : start + size], size, start + size < len(records)


def _listed(account: SimulatedAccount, key: str, records: list[Record]) -> Response:
    """A list as the newer products page it: by a whole URL, at their own host."""
    page, size, more = _page(account, records)
    onward = f"https://messaging.twilio.com{request.path}?PageSize={size}&Page={_at() + 1}" if more else None
    return jsonify({key: page, "meta": {"key": key, "page": _at(), "page_size": size, "next_page_url": onward}})


def _credentials(account: SimulatedAccount) -> list[tuple[str, str]]:
    tokens = [(account.sid, token) for token in (account.auth_token, account.primary_token) if token]
    return [*tokens, *account.keys.items()]


def _is(user: str, secret: str) -> bool:
    given = request.headers.get("Authorization", "")
    return hmac.compare_digest(given, "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode())


def _error(status: int, code: int, message: str = "simulated") -> Response:
    answer = jsonify({"code": code, "message": message, "status": status})
    answer.status_code = status
    return answer
