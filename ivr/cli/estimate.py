"""`estimate`: a call log, reviewed; which branches to offer texts in, and what that may bring."""

import argparse
import csv
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ivr import numbers
from ivr.cli.bar import bar
from ivr.cli.cells import cell
from ivr.cli.ends import FAILED, GOOD, USAGE, tell
from ivr.traffic import columns, field
from ivr.traffic.cells import DAY, seconds
from ivr.traffic.estimate import Asked, Estimate, estimate
from ivr.traffic.expect import Promise
from ivr.traffic.opened import BrokenFile
from ivr.traffic.page import page
from ivr.traffic.rows import Reading
from ivr.traffic.skeleton import skeleton
from ivr.traffic.tables import as_json, as_rows


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "estimate", help="review a call log: which branches to offer texts in, what it may bring"
    )
    add_options(parser)
    parser.set_defaults(command=_estimate)


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("calls", type=Path, metavar="CALLS.csv")
    parser.add_argument("--map", action="append", default=[], metavar="ROLE=COLUMN", help=", ".join(columns.ROLES))
    parser.add_argument(
        "--timezone", default="UTC", metavar="ZONE", help="of the report, and of times without a zone (UTC)"
    )
    order = parser.add_mutually_exclusive_group()
    order.add_argument("--day-first", action="store_true", default=None, help="3/4/2026 is in April")
    order.add_argument("--month-first", action="store_false", dest="day_first", help="3/4/2026 is in March")
    parser.add_argument("--region", default="US", metavar="CC", help="of numbers without a country code (US)")
    for figure in field.FIGURES:
        what = figure.what.replace("%", "%%")
        parser.add_argument(f"--{figure.option}", metavar="RANGE", help=f"{what} ({figure.shown})".replace("%)", "%%)"))
    parser.add_argument("--service", default="90%", metavar="RATE", help="consumers who get an agent in time (90%%)")
    parser.add_argument("--within", default="10 minutes", metavar="TIME", help="what is in time (10 minutes)")
    parser.add_argument("--top", type=int, default=3, metavar="N", help="branches told in detail (3)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print everything as JSON")
    form.add_argument("--csv", action="store_true", help="print a row a branch as CSV")
    form.add_argument("--skeleton", action="store_true", help="print the branches to paste alone")


def _estimate(arguments: argparse.Namespace) -> int:
    try:
        asked = _asked(arguments)
        with bar(arguments.calls) as moved:
            one = estimate(arguments.calls, asked, moved)
    except (field.BadFigure, columns.NoSuchColumn) as error:
        tell(str(error))
        return USAGE
    except BrokenFile as error:
        tell(str(error))
        return FAILED
    except OSError as error:
        tell(f"{arguments.calls}: cannot be read ({error.strerror}).")
        return FAILED
    _tell_broken(one.reading)
    try:
        _print(one, arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has seen enough; what is left of the buffer must not be tried again at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return GOOD


def _asked(arguments: argparse.Namespace) -> Asked:
    said: Mapping[str, str] = {one.option: getattr(arguments, one.option) for one in field.FIGURES}
    if arguments.region.upper() not in numbers.REGIONS:
        raise field.BadFigure(f"--region {arguments.region}: no such region, write one like US")
    return Asked(
        zone=_zone(arguments.timezone),
        mapped=columns.parsed_map(arguments.map),
        day_first=arguments.day_first,
        region=arguments.region.upper(),
        figures=field.figures(said),
        promise=Promise(field.share("service", arguments.service), _within(arguments.within)),
    )


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise field.BadFigure(f"--timezone {name}: no such time zone, write one like America/New_York") from None


def _within(text: str) -> float:
    try:
        within = seconds(text)
    except ValueError:
        within = None
    if within is None or not 10 <= within <= DAY:
        raise field.BadFigure(f"--within {text}: a time from 10 seconds to a day, like 10 minutes")
    return within


def _tell_broken(reading: Reading) -> None:
    for line in reading.named:
        tell(line)
    if reading.broken:
        more = f", the first {len(reading.named)} are named" if reading.broken > len(reading.named) else ""
        tell(f"{reading.broken:,} of {reading.read:,} rows cannot be read and are left out{more}.")


def _print(one: Estimate, arguments: argparse.Namespace) -> None:
    if arguments.json:
        print(json.dumps(as_json(one), indent=2, ensure_ascii=False))
    elif arguments.csv:
        csv.writer(sys.stdout, lineterminator="\n").writerows([cell(value) for value in row] for row in as_rows(one))
    elif arguments.skeleton:
        print(skeleton(one.chosen, one.asked.promise), end="")
    else:
        for line in page(one, max(0, arguments.top)):
            print(line)
