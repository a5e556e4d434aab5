"""`report`: what came of the calls."""

import argparse

from ivr.cli import report_containment, report_funnel

ROOMS = (report_funnel, report_containment)


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("report", help="what came of the calls")
    reports = parser.add_subparsers(required=True, metavar="REPORT")
    for room in ROOMS:
        room.add(reports)
