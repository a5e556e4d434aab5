"""What agents at LivePerson see of a consumer: engagement attributes (SDEs), of which it takes two types."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Where an answer of the consumer's stands: in ctmrinfo, as a text or a date; in personal.
INFO = frozenset({"customerId", "userName", "imei"})
INFO_DATES = frozenset({"registrationDate", "lastPaymentDate"})
PERSONAL = frozenset({"firstname", "lastname", "company"})
EMAIL, BIRTHDAY = "email", "birthday"


@dataclass(frozen=True, slots=True)
class Profile:
    """What agents see of the caller. What is empty is left out.

    `answers`: what the consumer said of themselves, by the names above; others are left out.
    """

    phone: str = ""  # full format
    branch: str = ""
    brand: str = ""
    call_sid: str = ""
    answers: Mapping[str, str] = field(default_factory=dict, repr=False)


def sdes(profile: Profile) -> dict[str, Any]:
    """The body of SetUserProfile."""
    given = profile.answers
    info: dict[str, Any] = {
        "ctype": "ivr-deflection",
        "socialId": profile.call_sid,
        "companyBranch": profile.branch,
        "accountName": profile.brand,
    }
    info |= {name: value for name, value in given.items() if name in INFO}
    info |= {name: _date(value) for name, value in given.items() if name in INFO_DATES}
    contact = {"phone": profile.phone, "email": given.get(EMAIL, "")}
    personal: dict[str, Any] = {name: value for name, value in given.items() if name in PERSONAL}
    personal |= {"contacts": _contacts(contact), "age": _date(given.get(BIRTHDAY, ""))}
    listed = [{"type": "ctmrinfo", "info": _filled(info)}, {"type": "personal", "personal": _filled(personal)}]
    return {"authenticatedData": {"lp_sdes": [sde for sde in listed if sde["type"] == "ctmrinfo" or sde["personal"]]}}


def _contacts(contact: Mapping[str, str]) -> list[dict[str, Any]]:
    filled = _filled(contact)
    return [filled] if filled else []


def _date(value: str) -> dict[str, int]:
    """A day as LivePerson writes one; of 1980-05-24."""
    found = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", value)
    return {"day": int(found[3]), "month": int(found[2]), "year": int(found[1])} if found else {}


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}
