"""Twilio Lookup v2 in the town: what kind of line a number is, by the handset that it has."""

import base64
import hmac

from flask import Blueprint, Response, jsonify, request

from ivr import numbers
from ivr.sandbox.carrier import HANDSETS, Carrier

LINES = {"landline": "landline", "landline-late": "landline"}  # every other handset is a mobile's


def lookups_api(carrier: Carrier, account_sid: str, auth_token: str) -> Blueprint:
    blueprint = Blueprint("lookups", __name__)
    credentials = "Basic " + base64.b64encode(f"{account_sid}:{auth_token}".encode()).decode()

    @blueprint.get("/v2/PhoneNumbers/<asked>")
    def fetch(asked: str) -> Response:
        if not hmac.compare_digest(request.headers.get("Authorization", ""), credentials):
            refused = jsonify({"code": 20003, "message": "Authenticate", "status": 401})
            refused.status_code = 401
            return refused
        number = numbers.read(asked)
        found: dict[str, object] = {
            "phone_number": asked,
            "valid": number is not None,
            "validation_errors": [] if number else ["NOT_A_NUMBER"],
            "country_code": number.region if number else None,
            "calling_country_code": None,
            "national_format": None,
            "url": request.url,
            "line_type_intelligence": None,
        }
        if number and "line_type_intelligence" in request.args.get("Fields", ""):
            found["line_type_intelligence"] = {"type": _line(carrier, number.e164), "error_code": None}
        return jsonify(found)

    return blueprint


def _line(carrier: Carrier, e164: str) -> str:
    if carrier.owner not in (None, e164):
        return "mobile"
    return next((LINES[name] for name in LINES if HANDSETS[name] == carrier.handset), "mobile")
