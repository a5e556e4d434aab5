"""A line of the doctor's report: what was looked at, what was found, and what mends it."""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

State = Literal["good", "wrong", "cannot tell"]

_PORTS = {"https": ":443", "http": ":80"}  # the ones that a URL need not say


@dataclass(frozen=True, slots=True)
class Line:
    state: State
    what: str
    found: str
    mend: str = ""  # a command or a click

    def __str__(self) -> str:
        before = "if you like" if self.state == "good" else "to mend"
        mend = f"; {before}: {self.mend}" if self.mend else ""
        return plain(f"{self.state:<11}  {self.what}: {self.found}{mend}")


def good(what: str, found: str, hint: str = "") -> Line:
    return Line("good", what, found, hint)


def wrong(what: str, found: str, mend: str) -> Line:
    return Line("wrong", what, found, mend)


def cannot_tell(what: str, found: str, mend: str = "") -> Line:
    return Line("cannot tell", what, found, mend)


def plain(text: str) -> str:
    """What another side wrote, on one line of a terminal: control characters become spaces."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", text)


def origin(url: str) -> str:
    """The scheme, host and port of a URL, written alike however it was; "" when it has none or cannot be read."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    host = parts.netloc.rpartition("@")[2].lower().removesuffix(_PORTS.get(parts.scheme, "")).removesuffix(":")
    return f"{parts.scheme}://{host}" if host else ""


def shown(url: str) -> str:
    """A URL for people: a name and password in it are not shown."""
    url = plain(url)
    try:
        parts = urlsplit(url)
        if parts.username is None and parts.password is None:
            return url
    except ValueError:
        return "a URL that cannot be read"
    return urlunsplit(parts._replace(netloc="***@" + parts.netloc.rpartition("@")[2]))
