"""`check` and `graph`: a brand's file, read and drawn."""

import argparse
import os
import sys
from pathlib import Path

from rich.console import Console

from ivr import config, picture
from ivr.cli.ends import FAILED, GOOD
from ivr.flow import graph, json_schema
from ivr.flow.findings import Finding
from ivr.flow.load import files_in, load, load_directory
from ivr.flow.shown import shown


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    check = commands.add_parser("check", help="validate flow files")
    check.add_argument("--strict", action="store_true", help="fail on a warning too")
    check.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="files or directories; FLOWS_DIR unless said"
    )
    check.add_argument("--schema", action="store_true", help="print the JSON Schema of a flow file instead")
    check.set_defaults(command=_check)
    draw = commands.add_parser("graph", help="draw a brand's call tree, as Mermaid text")
    draw.add_argument("brand", metavar="BRAND")
    draw.add_argument("--svg", type=Path, metavar="FILE", help="write it as SVG instead; needs Graphviz's dot")
    draw.set_defaults(command=_graph)


def _check(arguments: argparse.Namespace) -> int:
    if arguments.schema:
        print(json_schema.written(), end="")
        return GOOD
    loaded = load(files_in(arguments.paths)) if arguments.paths else load_directory(config.flows_dir(os.environ))
    for finding in loaded.findings:
        _show_finding(finding)
    failed = loaded.findings if arguments.strict else loaded.errors
    warnings = len(loaded.findings) - len(loaded.errors)
    if not loaded.errors:
        said = f", {warnings} warning(s)" if warnings else ""
        print(f"{len(loaded.flows)} brand(s), no errors{said}", file=sys.stderr)
    return FAILED if failed else GOOD


def _show_finding(finding: Finding) -> None:
    """One line a finding in a pipe, for tools; on a terminal with its line of the file and a hint."""
    if not sys.stdout.isatty():
        print(finding)
        return
    Console(highlight=False).print(shown(finding), soft_wrap=True)


def _graph(arguments: argparse.Namespace) -> int:
    flows = load_directory(config.flows_dir(os.environ)).flows
    if arguments.brand not in flows:
        there = ", ".join(flows) or "none"
        print(f"{arguments.brand}: no such brand, or its file has an error; there are: {there}", file=sys.stderr)
        return FAILED
    drawn = graph.graph(flows[arguments.brand])
    if arguments.svg:
        arguments.svg.write_bytes(picture.svg(graph.dot(drawn)))
    else:
        print(graph.mermaid(drawn), end="")
    return GOOD
