"""Phone numbers: read one, write it in full format, say whether it can be texted."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

# What carriers put in the place of a withheld number; the words spelt on a keypad look like E.164.
WITHHELD = frozenset({"+266696687", "+86282452253", "+8656696", "+2562533", "+7378742833"})

REGIONS: frozenset[str] = frozenset(phonenumbers.SUPPORTED_REGIONS)

_LOOKS_LIKE_A_NUMBER = re.compile(r"\+[\d\s().-]{7,24}")
_NEVER_TEXTED = {
    PhoneNumberType.TOLL_FREE: "toll_free",
    PhoneNumberType.PREMIUM_RATE: "premium",
    PhoneNumberType.SHARED_COST: "shared_cost",
    PhoneNumberType.PAGER: "pager",
}


@dataclass(frozen=True, slots=True)
class Number:
    """A valid phone number. `e164` is the key everywhere, `full` is what people and Twilio's To see."""

    e164: str
    full: str
    region: str
    kind: str | None  # why nobody should text it ("toll_free", "premium" …), or None

    @property
    def ending(self) -> str:
        return self.e164[-4:]


@lru_cache(maxsize=4096)
def read(text: str) -> Number | None:
    """The number that `text` writes with its country code, in any punctuation; None when it is none."""
    text = text.strip()
    if not _LOOKS_LIKE_A_NUMBER.fullmatch(text):
        return None
    try:
        parsed = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return None
    e164 = phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
    if e164 in WITHHELD or not phonenumbers.is_valid_number(parsed):
        return None
    region = phonenumbers.region_code_for_number(parsed) or ""
    return Number(e164, _full(parsed, e164), region, _NEVER_TEXTED.get(phonenumbers.number_type(parsed)))


def _full(parsed: phonenumbers.PhoneNumber, e164: str) -> str:
    """Full format: `+1(415) 555-2671` in the North American plan, E.164 elsewhere."""
    if parsed.country_code != 1:
        return e164
    return "+1" + phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL)


def full(text: str) -> str:
    """`text` in full format where it is a number, as it came where it is not."""
    number = read(text)
    return number.full if number else text


def why_not_texted(number: Number | None, regions: Collection[str]) -> str | None:
    """Why a caller cannot be texted, in one word, or None when they can as far as the number tells."""
    if number is None:
        return "no_number"
    if number.kind:
        return number.kind
    if number.region not in regions:
        return "region"
    return None


def masked(text: str) -> str:
    """A number for the log: `+1(415) ***-**71`. Anything that is no number shows its last two characters."""
    number = read(text)
    if number is None:
        return f"***{text[-2:]}" if len(text) > 4 else "***"
    if number.e164.startswith("+1"):
        return f"{number.full[:7]} ***-**{number.e164[-2:]}"
    return f"{number.e164[:3]}***{number.e164[-2:]}"
