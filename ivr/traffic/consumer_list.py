"""A brand's list of who uses its app, as CSV: the header found, each row read, what is wrong said with its line."""

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from ivr.traffic import cells
from ivr.traffic.cells import Remembered
from ivr.traffic.columns import plain
from ivr.traffic.opened import BrokenFile, encoding_of, lines
from ivr.traffic.rows import Reading, Row, each_row, separator_of
from ivr.traffic.times import Clock

# Lower case, letters and digits alone. The first name that a header has wins.
KNOWN: dict[str, tuple[str, ...]] = {
    "number": ("number", "phone", "phonenumber", "mobile", "msisdn", "mobilenumber", "mobilephone", "e164", "caller"),
    "token": (
        "token", "tokens", "apptoken", "apptokens", "fcmtoken", "fcmtokens", "devicetoken", "devicetokens",
        "pushtoken", "registrationtoken", "registrationid",
    ),
    "platform": ("platform", "os", "device", "devicetype"),
    "external_id": ("externalid", "customerid", "consumerid", "userid", "memberid", "id"),
    "enrolled": ("enrolled", "enroled", "optin", "optedin", "pushenabled", "notifications"),
    "last_active": ("lastactive", "lastactiveat", "lastseen", "lastseenat", "lastlogin", "lastused", "activeat"),
}  # fmt: skip
LONGEST_TOKEN = 1000  # characters; Google's have some 160 and no promise
MOST_TOKENS = 20  # in one row

_HEADER_WITHIN = 20
_TOKEN = re.compile(r"[\x21-\x7e]+")
_ONE_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9:_-]{0,999}")
_E164 = re.compile(r"\+[1-9]\d{7,14}")
_APART = re.compile(r"[\s;|,]+")
_PLATFORMS = {
    **dict.fromkeys(("ios", "iphone", "ipad", "apple", "apns", "apn"), "ios"),
    **dict.fromkeys(("android", "fcm", "gcm", "google"), "android"),
    **dict.fromkeys(("", "web", "other", "unknown"), ""),
}


class Listed(NamedTuple):
    """One device of one consumer; the token is "" where the list has none."""

    number: str  # E.164
    token: str
    platform: str
    external_id: str
    enrolled: bool
    last_active: datetime | None


@dataclass
class ConsumerList:
    """`reading` counts while `listed` is gone through. Raises BrokenFile when the file is no such list."""

    path: Path
    region: str  # of numbers without a country code
    moved: Callable[[int], None] = lambda _bytes: None
    reading: Reading = field(default_factory=Reading)

    def listed(self) -> Iterator[Listed]:
        at, width, rows = self._table()
        read, needed = _Cells(at, self.region), max(at.values())
        for row in rows:
            self.reading.read += 1
            try:
                if isinstance(row.cells, str):
                    raise ValueError(row.cells)
                if len(row.cells) <= needed or (len(row.cells) > width and any(row.cells[width:])):
                    raise ValueError(f"{len(row.cells)} cells, the header has {width}")
                found = read.row(row.cells)
            except ValueError as error:
                self.reading.refuse(row, str(error))
                continue
            yield from found

    def _table(self) -> tuple[dict[str, int], int, Iterator[Row]]:
        text = lines(self.path, encoding_of(self.path), self.moved)
        head = list(itertools.islice(text, _HEADER_WITHIN))
        separator = separator_of(head)
        if head and head[0].lower().startswith("sep="):
            head[0] = "\n"
        rows = each_row(itertools.chain(head, text), separator)
        for row in rows:
            if isinstance(row.cells, list):
                at = _columns(row.cells)
                if "number" in at:
                    return at, len(row.cells), rows
            if row.last >= _HEADER_WITHIN:
                break
        names = ", ".join(KNOWN)
        raise BrokenFile(f"{self.path}: no column is named number; the first row names the columns: {names}.")


class _Cells:
    """Reads a row's cells. What many rows share is read once; a column that is not there is read as an empty cell."""

    def __init__(self, at: dict[str, int], region: str) -> None:
        self._region, self._clock = region, Clock(UTC)
        self._number = at["number"]
        self._token, self._platform, self._id, self._enrolled, self._active = (
            at.get(role) for role in ("token", "platform", "external_id", "enrolled", "last_active")
        )
        self._platforms: Remembered[str] = Remembered(_platform)
        self._yes: Remembered[bool] = Remembered(lambda text: bool(cells.yes(text)))
        self._moments: Remembered[datetime | None] = Remembered(self._moment)

    def row(self, row: Sequence[str]) -> Iterator[Listed]:
        number = cells.caller(row[self._number], self._region)
        if number is None or not _E164.fullmatch(number):
            raise ValueError("no phone number that can be read")
        platform = "" if self._platform is None else self._platforms[row[self._platform]]
        external_id = "" if self._id is None else _bounded(cells.bare(row[self._id]), 200, "external_id")
        enrolled = self._enrolled is None or self._yes[row[self._enrolled]]
        active = None if self._active is None else self._moments[row[self._active]]
        tokens = ("",) if self._token is None else _tokens(row[self._token])
        return (Listed(number, token, platform, external_id, enrolled, active) for token in tokens)

    def _moment(self, text: str) -> datetime | None:
        text = cells.bare(text)
        return datetime.fromtimestamp(self._clock.read(text), UTC) if text else None


def _columns(header: Sequence[str]) -> dict[str, int]:
    places: dict[str, int] = {}
    for index, name in enumerate(header):
        places.setdefault(plain(cells.bare(name)), index)
    found = {role: next((places[name] for name in names if name in places), None) for role, names in KNOWN.items()}
    return {role: index for role, index in found.items() if index is not None}


def _tokens(text: str) -> Sequence[str]:
    if _ONE_TOKEN.fullmatch(text):  # most rows have one
        return (text,)
    text = cells.bare(text)
    tokens = [token for token in _APART.split(text) if token] or [""]
    if len(tokens) > MOST_TOKENS:
        raise ValueError(f"{len(tokens)} tokens; at most {MOST_TOKENS}")
    for token in tokens:
        if token and (len(token) > LONGEST_TOKEN or not _TOKEN.fullmatch(token)):
            raise ValueError(f"a token that is none: at most {LONGEST_TOKEN} characters, no accents")
    return tokens


def _platform(text: str) -> str:
    text = cells.bare(text)
    if text.lower() not in _PLATFORMS:
        raise ValueError(f"platform {cells.one_line(text)[:20]!r} is none; write android or ios")
    return _PLATFORMS[text.lower()]


def _bounded(text: str, most: int, name: str) -> str:
    if len(text) > most or "\0" in text:
        raise ValueError(f"{name}: more than {most} characters, or one that cannot be kept")
    return text
