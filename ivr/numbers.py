"""Phone numbers: read one, write it in full format, say whether it can be texted."""

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import available_timezones

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType
from phonenumbers.timezone import time_zones_for_number

# What carriers put in the place of a withheld number; the words spelt on a keypad look like E.164.
WITHHELD = frozenset({"+266696687", "+86282452253", "+8656696", "+2562533", "+7378742833"})

# And what stands in the place of a name.
_NOBODY = frozenset({"", "anonymous", "unknown", "restricted", "unavailable", "private", "blocked", "withheld"})

REGIONS: frozenset[str] = frozenset(phonenumbers.SUPPORTED_REGIONS)

_LOOKS_LIKE_A_NUMBER = re.compile(r"\+[\d\s().-]{7,24}")
_NEVER_TEXTED = {
    PhoneNumberType.TOLL_FREE: "toll_free",
    PhoneNumberType.PREMIUM_RATE: "premium",
    PhoneNumberType.SHARED_COST: "shared_cost",
    PhoneNumberType.PAGER: "pager",
}


_ZONES = available_timezones()  # of this system; Etc/Unknown is none
_MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)


@dataclass(frozen=True, slots=True)
class Number:
    """A valid phone number. `e164` is the key everywhere, `full` is what people and Twilio's To see."""

    e164: str
    full: str
    region: str
    kind: str | None  # why nobody should text it ("toll_free", "premium" …), or None
    mobile: bool  # it may be a mobile's, as far as its digits tell

    @property
    def ending(self) -> str:
        return self.e164[-4:]

    @property
    def dialled_at_home(self) -> str:
        """The digits as its owner would say them: ten in the North American plan, with the country code elsewhere."""
        return self.e164[2:] if self.e164.startswith("+1") else self.e164[1:]


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
    kind = phonenumbers.number_type(parsed)
    if e164 in WITHHELD or kind == PhoneNumberType.UNKNOWN:  # a number that is not valid has no kind
        return None
    region = phonenumbers.region_code_for_number(parsed) or ""
    return Number(e164, _full(parsed, e164), region, _NEVER_TEXTED.get(kind), kind in _MOBILE)


def keyed(digits: str, regions: Sequence[str]) -> Number | None:
    """The number of one of `regions` that a caller keyed in: as it is dialled there, or with its country code.

    What stands before the last `*` was taken back. None when it is no such number, or one that is never texted.
    """
    kept = digits.rpartition("*")[2].strip().rstrip("#")
    if not re.fullmatch(r"[0-9]{7,17}", kept):
        return None
    possible = [number for number in _readings(kept, regions) if not why_not_texted(number, regions)]
    return next((number for number in possible if number.mobile), possible[0] if possible else None)


@lru_cache(maxsize=64)
def dialling(region: str) -> tuple[str, re.Pattern[str]] | None:
    """How a number of `region` is dialled there: its country code, and what stands before the number at home.

    For whoever reads a million of them, where phonenumbers takes too long. None where it takes more than that.
    """
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region, None)
    if metadata is None or metadata.national_prefix_transform_rule or not metadata.national_prefix_for_parsing:
        return None
    return str(metadata.country_code), re.compile(metadata.national_prefix_for_parsing)


def _readings(digits: str, regions: Sequence[str]) -> Iterator[Number]:
    for region in regions:
        with suppress(phonenumbers.NumberParseException):
            parsed = phonenumbers.parse(digits, region)
            number = read(phonenumbers.format_number(parsed, PhoneNumberFormat.E164))
            if number:
                yield number
    number = read(f"+{digits}")
    if number:
        yield number


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


def caller_key(address: str) -> str | None:
    """What stands for a caller, however From is written this time; None for one who cannot be told from others.

    A number in E.164; a SIP phone's user and host, whatever its port and parameters; a client's name; else From itself.
    """
    text, number = address.strip().lower(), read(address)
    if number:
        return number.e164
    sip = re.match(r"sips?:([^@;?]*)@?([^:;?]*)", text)
    name = sip[1] if sip else text.removeprefix("client:")
    if name in _NOBODY or text in WITHHELD:
        return None
    return f"{sip[1]}@{sip[2]}" if sip else text


def masked(text: str) -> str:
    """A number for the log: `+1(415) ***-**71`. Anything that is no number shows its last two characters."""
    number = read(text)
    if number is None:
        return f"***{text[-2:]}" if len(text) > 4 else "***"
    if number.e164.startswith("+1"):
        return f"{number.full[:7]} ***-**{number.e164[-2:]}"
    return f"{number.e164[:3]}***{number.e164[-2:]}"


@lru_cache(maxsize=4096)
def zones(e164: str) -> tuple[str, ...]:
    """The time zones of a number's area, all that it may be in; () where nothing is known of it."""
    found = time_zones_for_number(phonenumbers.parse(e164)) if e164.startswith("+") else ()
    return tuple(sorted(zone for zone in found if zone in _ZONES))
