"""When a call was: timestamps as exports write them, in UTC seconds, and the local hour of the week."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime

_EARLIEST, _LATEST = 631_152_000, 4_102_444_800  # 1990 to 2100: what is outside is no call's time

# Abbreviations mean other things elsewhere; these are as Twilio's console and American exports use them.
_HOURS = {"Z": 0, "UTC": 0, "GMT": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8,
          "PDT": -7, "AKST": -9, "AKDT": -8, "HST": -10, "BST": 1, "CET": 1, "CEST": 2}  # fmt: skip

_DATE = r"(?P<date>\d{1,4}[-/.]\d{1,2}[-/.]\d{2,4})"
_TIME = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?"
_ZONE = r"(?:\s*(?P<zone>[A-Z]{1,4}|(?:UTC|GMT)?[+-]\d{2}:?\d{2}))?"
_DATE_FIRST = re.compile(rf"{_DATE}(?:,?[\sT]+{_TIME}{_ZONE})?")
_TIME_FIRST = re.compile(rf"{_TIME}{_ZONE},?\s+{_DATE}")
_MAIL_UTC = re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} (?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d \+0000")
_SHORT = re.compile(r"(?<![\d/-])(\d{1,2})([/-])(\d{1,2})\2\d{2,4}\b")


def day_first(samples: Iterable[str]) -> bool | None:
    """Whether 3/4/2026 is in April, by what cannot be a month; None where nothing tells."""
    for text in samples:
        found = _SHORT.search(text)
        if found and int(found[1]) > 12:
            return True
        if found and int(found[3]) > 12:
            return False
    return None


def has_short_dates(samples: Iterable[str]) -> bool:
    """Whether there are dates that could be read either way."""
    return any(_SHORT.search(text) for text in samples)


class Clock:
    """Reads times; those without a zone of their own are local to `zone`. Remembers quarter hours, for speed."""

    def __init__(self, zone: tzinfo, day_first: bool = False) -> None:
        self.zone = zone
        self.day_first = day_first
        self.assumed = False  # whether a time said no zone, so that it was taken as local
        self._days: dict[str, int] = {}
        self._offsets: dict[int, int] = {}
        self._slots: dict[int, tuple[int, int]] = {}

    def read(self, text: str) -> int:
        """Seconds since 1970 in UTC; ValueError for what is no time."""
        try:
            seconds = self._seconds(text)
        except (ValueError, OverflowError):
            raise ValueError("no time that can be read") from None
        if not _EARLIEST <= seconds < _LATEST:
            raise ValueError("a time before 1990 or after 2100")
        return seconds

    def _seconds(self, text: str) -> int:
        if text.isascii() and text.isdigit():
            return int(text) // (1000 if len(text) == 13 else 1) if len(text) in (10, 13) else 0
        if _MAIL_UTC.fullmatch(text):
            return self._mail(text)
        if text[4:5] == "-":
            try:
                return self._utc(datetime.fromisoformat(text))
            except ValueError:
                pass
        found = _DATE_FIRST.fullmatch(text) or _TIME_FIRST.fullmatch(text)
        return self._utc(self._written(found) if found else parsedate_to_datetime(text))

    def _mail(self, text: str) -> int:
        """Twilio's way, whose days are remembered: Python's reading of it would take half the time of all."""
        day = text[:16]
        if day not in self._days:
            self._days[day] = int(parsedate_to_datetime(f"{day} 00:00:00 +0000").timestamp())
        return self._days[day] + int(text[17:19]) * 3600 + int(text[20:22]) * 60 + int(text[23:25])

    def _written(self, found: "re.Match[str]") -> datetime:
        year, month, day = self._date(found["date"])
        hour = int(found["hour"] or 0)
        if found["half"]:
            if not 1 <= hour <= 12:
                raise ValueError
            hour = hour % 12 + (12 if found["half"] in "Pp" else 0)
        zone = _zone(found["zone"]) if found["zone"] else None
        return datetime(year, month, day, hour, int(found["minute"] or 0), int(found["second"] or 0), tzinfo=zone)

    def _date(self, text: str) -> tuple[int, int, int]:
        parts = re.split(r"[-/.]", text)
        first, second, third = (int(part) for part in parts)
        if len(parts[0]) == 4:
            return first, second, third
        year = third if len(parts[2]) == 4 else 2000 + third
        return (year, second, first) if self.day_first or "." in text else (year, first, second)

    def _utc(self, moment: datetime) -> int:
        wall = int(moment.replace(tzinfo=UTC).timestamp())
        if moment.tzinfo is not None:
            return wall - int((moment.utcoffset() or timedelta()).total_seconds())
        quarter, self.assumed = wall // 900, True
        if quarter not in self._offsets:
            offset = moment.replace(tzinfo=self.zone).utcoffset() or timedelta()
            self._offsets[quarter] = int(offset.total_seconds())
        return wall - self._offsets[quarter]

    def slot(self, seconds: int) -> tuple[int, int]:
        """The local hour of the week (0 is Monday's first) and the local day's number."""
        quarter = seconds // 900
        found = self._slots.get(quarter)
        if found is None:
            local = datetime.fromtimestamp(quarter * 900, self.zone)
            found = self._slots[quarter] = (local.weekday() * 24 + local.hour, local.toordinal())
        return found


def _zone(text: str) -> timezone:
    if text in _HOURS:
        return timezone(timedelta(hours=_HOURS[text]))
    sign, digits = re.sub(r"[^+-]", "", text), re.sub(r"\D", "", text)
    if len(digits) != 4:
        raise ValueError
    return timezone((-1 if sign == "-" else 1) * timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))
