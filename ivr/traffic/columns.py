"""Which column is what: names as exports write them, and `--map` for all others."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ivr.traffic.cells import bare, one_line

# Lower case, letters and digits alone. The first name that a header has wins.
KNOWN: dict[str, tuple[str, ...]] = {
    "time": (
        "starttime", "callstart", "callstarttime", "started", "startedat", "startdatetime", "start", "datetime",
        "calldatetime", "timestamp", "callstarted", "datestarted", "calltime", "timeofcall", "offered", "datecreated",
        "createdat", "calldate", "date", "time",
    ),
    "branch": (
        "branch", "ivrbranch", "menuoption", "ivroption", "option", "selection", "queue", "queuename", "skill",
        "skillname", "department", "intent", "topic", "reason", "callreason", "ivrpath", "campaign", "service",
        "to", "tonumber", "called", "callednumber", "dialed", "dialednumber", "dialled", "diallednumber",
        "dialedno", "dnis", "destination",
    ),
    "caller": (
        "from", "fromnumber", "caller", "callernumber", "callerid", "ani", "cli", "phone", "phonenumber",
        "customernumber", "callingnumber", "contactnumber", "customerphone", "source", "sourcenumber",
    ),
    "length": (
        "duration", "durationseconds", "durationsecs", "durationsec", "callduration", "calldurationseconds", "length",
        "calllength", "talktime", "talkseconds", "talktimeseconds", "handletime", "aht", "handlingtime", "talk",
        "durationms", "durationminutes", "talkminutes",
    ),
    "wait": (
        "wait", "waittime", "waitseconds", "waitsecs", "waittimeseconds", "queuetime", "queueseconds", "timeinqueue",
        "queuewait", "queuewaittime", "holdtime", "waiting", "speedofanswer", "asa", "waitms", "waitminutes",
    ),
    "abandoned": ("abandoned", "isabandoned", "abandon", "lost"),
    "status": ("status", "callstatus", "disposition", "outcome", "result", "callresult", "calldisposition"),
    "direction": ("direction", "calldirection", "type", "calltype"),
    "ended": ("endtime", "callend", "ended", "endedat", "callendtime", "end", "enddatetime"),
    "id": ("sid", "callsid", "callid", "uniqueid", "interactionid", "contactid", "ucid", "guid", "id"),
}  # fmt: skip
ROLES = tuple(KNOWN)

# A branch where nothing better is told.
DIALLED = KNOWN["branch"][KNOWN["branch"].index("to") :]


class NoSuchColumn(Exception):
    """What was mapped is not in the header, or is no role: wrong usage."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each role stands in a row, and its name in the file."""

    at: Mapping[str, int]
    names: Mapping[str, str]
    width: int
    beside: int | None = None  # the other column where day and time of day are apart
    per_unit: Mapping[str, float] | None = None  # seconds in a unit of `length` and `wait`
    twice: tuple[str, ...] = ()  # names of ours that the header has more than once

    def moment(self, row: Sequence[str]) -> str:
        """When the call was, as it is written; a day and a time of day that stand apart are put together."""
        text = bare(row[self.at["time"]])
        if self.beside is None:
            return text
        other = bare(row[self.beside])
        if ":" not in text:
            return f"{text} {other}"
        return text if re.search(r"\d[-/.]\d", text) else f"{other} {text}"

    def unit(self, role: str) -> float:
        return (self.per_unit or {}).get(role, 1.0)


def plain(name: str) -> str:
    """A header's name as it is compared: `Start Time`, `start_time` and `STARTTIME` are one."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def recognised(header: Sequence[str], mapped: Mapping[str, str]) -> Columns:
    """The roles that the names of `header` tell, those of `mapped` first."""
    places: dict[str, int] = {}
    for index, name in enumerate(header):
        places.setdefault(plain(name), index)
    at = {role: _mapped(role, name, header, places) for role, name in mapped.items()}
    for role, names in KNOWN.items():
        taken = set(at.values())
        found = next((places[name] for name in names if name in places and places[name] not in taken), None)
        if role not in at and found is not None:
            at[role] = found
    units: dict[str, float] = {role: _unit(header[at[role]]) for role in ("length", "wait") if role in at}
    shown = {role: one_line(header[index]) for role, index in at.items()}
    compared = [plain(name) for name in header]
    twice = tuple(shown[role] for role, index in at.items() if compared.count(compared[index]) > 1)
    return Columns(at, shown, len(header), _beside(header, at, places), units, twice)


def said_twice(found: Columns) -> Iterator[str]:
    for name in found.twice:
        yield f"{name[:60]} stands twice in the header; the first is read."


def _beside(header: Sequence[str], at: Mapping[str, int], places: Mapping[str, int]) -> int | None:
    if "time" not in at:
        return None
    days, times = ("date", "calldate", "startdate"), ("time", "calltime", "starttime", "timeofday")
    wanted = times if plain(header[at["time"]]) in days else days
    return next((places[other] for other in wanted if other in places and places[other] != at["time"]), None)


def _mapped(role: str, name: str, header: Sequence[str], places: Mapping[str, int]) -> int:
    if plain(name) not in places:
        there = one_line(", ".join(cell.strip() for cell in header if cell.strip()))
        raise NoSuchColumn(f"--map {role}={name}: no such column; there are: {there[:400]}")
    return places[plain(name)]


def _unit(name: str) -> float:
    words = re.split(r"[^a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name.strip()).lower())
    if "ms" in words or "milliseconds" in words:
        return 0.001
    return 60.0 if {"min", "mins", "minutes"} & set(words) else 1.0


def parsed_map(items: Sequence[str]) -> dict[str, str]:
    """`wait=queue_seconds` for each of `--map`."""
    mapped = {}
    for item in items:
        role, equals, name = item.partition("=")
        if not equals or role not in KNOWN or not name:
            raise NoSuchColumn(f"--map {item}: write ROLE=COLUMN; roles are: {', '.join(ROLES)}")
        mapped[role] = name
    return mapped
