"""`studio pull` and `studio push`: between a brand's file, a flow's JSON, and the flows of an account at Twilio."""

import argparse
import json
import os
import re
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ivr import config
from ivr.cli.ends import FAILED, GOOD, USAGE, tell
from ivr.cli.studio_files import has_errors, read, saying, sound, write
from ivr.clients.failure import SendError
from ivr.clients.studio import InvalidFlow
from ivr.deployment import studio_flows
from ivr.flow import source
from ivr.flow.findings import printable
from ivr.flow.load import load
from ivr.flow.scalars import ID, RESERVED
from ivr.studio import brand_file, definition
from ivr.studio.environment import read_environment, standing, substituted, unmapped
from ivr.studio.order import ordered
from ivr.studio.pull import pull, redirects_to


def add(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    back = actions.add_parser("pull", help="a Studio flow as a brand's file, and what that cannot carry")
    back.add_argument("flow", metavar="FLOWSID", help="a flow's SID (FW…), or a file with its JSON")
    back.add_argument("--json", action="store_true", help="the flow's JSON as it is, to be kept and compared")
    back.add_argument("--brand", default=None, metavar="ID", help="the brand's file it comes back into, or a new one")
    back.add_argument(
        "--sender", default="", metavar="NUMBER", help="who texts come from, where the flow has no number"
    )
    back.add_argument("--environment", type=Path, metavar="FILE", help="SIDs and numbers there, to be put back")
    back.add_argument("--out", type=Path, metavar="DIR", help="write a file there instead")
    back.add_argument("--over", action="store_true", help="write over a file that is there")
    back.set_defaults(command=saying(_pull))
    out = actions.add_parser("push", help="check a flow's JSON, validate it at Twilio, draft and publish it")
    out.add_argument("file", type=Path, metavar="FILE", help="a flow's JSON")
    out.add_argument("--to", default=None, metavar="FLOWSID", help="the flow that it becomes; a new one unless said")
    out.add_argument("--message", required=True, metavar="TEXT", help="what changed; the revision's commit message")
    out.add_argument("--name", default="", metavar="NAME", help="a new flow's name; the file's unless said")
    out.add_argument("--environment", type=Path, metavar="FILE", help="SIDs and numbers of this account for the file's")
    out.add_argument("--draft", action="store_true", help="stop at the draft; test users hear it")
    out.add_argument("--over", action="store_true", help="write over what somebody edited in the Console")
    out.set_defaults(command=saying(_push))


def _push(arguments: argparse.Namespace) -> int:
    if wrong := _misused(arguments):
        tell(printable(wrong))
        return USAGE
    there = _of_the_account(arguments.file, arguments.environment)
    if there is None:
        return FAILED
    try:
        studio = studio_flows.studio_of(config.read(os.environ), time.sleep)
        kept, written = studio_flows.push(
            studio,
            there,
            arguments.name or arguments.file.stem,
            arguments.to or "",
            arguments.message,
            arguments.draft,
            arguments.over,
        )
    except InvalidFlow as refused:
        return _refused(arguments.file, there, refused)
    except (config.SettingsError, studio_flows.Edited, studio_flows.Unpublished, SendError) as error:
        tell(studio_flows.explained(error) if isinstance(error, SendError) else str(error))
        return FAILED
    done = f"revision {kept.revision}, {kept.status}" if written else f"is that already, revision {kept.revision}"
    print(printable(f"{kept.sid} {kept.name}: {done}"))
    if not arguments.to:
        print(f"lead a number's calls, and its call status changes, to {printable(kept.webhook)}")
    return GOOD


def _misused(arguments: argparse.Namespace) -> str:
    """What a push cannot mean; an empty variable of a shell is not "unless said"."""
    if arguments.to is not None and not studio_flows.FLOW_SID.fullmatch(arguments.to):
        return f"--to {arguments.to[:60]!r} is no flow's SID; it is FW and 32 hex digits. Leave it out for a new flow"
    for option, text in (("--message", arguments.message), ("--name", arguments.name or arguments.file.stem)):
        if not text.strip() or not text.isprintable():
            return (
                f"{option} {text[:60]!r} says nothing that Twilio could keep; write a line for whoever reads it there"
            )
    return ""


def _of_the_account(file: Path, environment: Path | None) -> Any:
    """A file's definition with the account's own values, judged as it will be sent; None where that is told."""
    found, values = read(file), _environment(environment)
    if found is None or values is None:
        return None
    there, unused = substituted(found, values)
    wrong = [f"{key[:60]} stands nowhere in the flow" for key in unused]
    wrong += [f"{value[:60]} stands in the flow already: {_APART}" for value in standing(found, values)]
    for line in wrong:
        tell(printable(f"{environment}: error: {line}"))
    if has_errors(f"{file} with {environment}" if environment else str(file), there) or wrong:
        return None
    _tell_unmapped(str(file), found, values, environment)
    return there


_APART = "the two could not be told apart on the way back"


def _tell_unmapped(flow: str, found: Any, values: Mapping[str, str], environment: Path | None) -> None:
    """What is an account's own, and is not in its environment: forgotten, most likely."""
    for where, name, value in unmapped(found, values) if environment else ():
        at = f"{flow}:{definition.path(where)} ({name[:60]})"
        tell(printable(f"{at}: warning: {value} is not in {environment}; it stays as it is"))


def _refused(file: Path, there: Any, refused: InvalidFlow) -> int:
    """Twilio's own findings, as `check` prints ours."""
    for path, message in refused.found:
        at = re.match(r"#/states/(\d{1,4})(?:/|$)", path)
        states = there["states"]
        name = f" ({states[int(at[1])]['name']})" if at and int(at[1]) < len(states) else ""
        print(printable(f"{file}:{path}{name}: error: {message}; Twilio says so"))
    return FAILED


def _pull(arguments: argparse.Namespace) -> int:
    if wrong := _misnamed(arguments):
        tell(printable(wrong))
        return USAGE
    values = _environment(arguments.environment)
    found = _flow(arguments.flow) if values is not None else None
    if values is None or found is None:
        return FAILED
    sent, title, whence = found
    flow, same = _put_back(arguments, sent, values)
    if flow is None:
        return FAILED
    name = arguments.brand or redirects_to(flow) or _id(title)
    if arguments.json:
        text = definition.written(ordered(flow))
        return max(write(arguments.out, f"{name}.json", text, arguments.over), GOOD if same else FAILED)
    known = _known(name) if arguments.brand or redirects_to(flow) else {}
    pulled = pull(flow, title, known, arguments.sender)
    for finding in pulled.left:
        tell(f"{printable(arguments.flow)}:{finding}")
    text = brand_file.written(pulled.brand, f"Pulled from {whence}; calls enter {pulled.enters}.")
    starts = _tell_faults(name, text)
    if "numbers" not in pulled.brand:
        tell(f"Which numbers call the flow is not in it; lead yours to {pulled.enters} under `numbers`.")
    if arguments.out and not starts:
        tell(f"{name}.yaml is not written: no server starts with it. Leave out --out to see it")
        return FAILED
    good = starts and same and not pulled.left
    return max(write(arguments.out, f"{name}.yaml", text, arguments.over), GOOD if good else FAILED)


def _misnamed(arguments: argparse.Namespace) -> str:
    """What a pull cannot mean: a brand that no file could be of, a SID that is none."""
    brand, flow = arguments.brand, arguments.flow
    if brand is not None and (not ID.fullmatch(brand) or brand in RESERVED):
        allowed = f"a letter, then letters, digits and -, 32 at most, none of {', '.join(sorted(RESERVED))}"
        return f"--brand {brand[:60]!r} is no brand's id; allowed: {allowed}"
    if flow.startswith("FW") and not studio_flows.FLOW_SID.fullmatch(flow) and not Path(flow).exists():
        return f"{flow[:60]} is no flow's SID, which is FW and 32 hex digits in small letters, and no file"
    return ""


def _put_back(arguments: argparse.Namespace, sent: Any, values: Mapping[str, str]) -> tuple[Any, bool]:
    """The flow with the file's own values, None where it is none then; and whether a push would bring the same."""
    theirs = {new: old for old, new in values.items()}
    flow, unused = substituted(sent, theirs)
    stands = standing(sent, theirs)
    for value in unused:
        tell(printable(f"{arguments.environment}: warning: {value[:60]} stands nowhere in the flow"))
    for value in stands:
        tell(printable(f"{arguments.environment}: warning: {value[:60]} stands in the flow already: {_APART}"))
    _tell_unmapped(arguments.flow, sent, theirs, arguments.environment)
    wrong = bool(values) and has_errors(f"{arguments.flow} with {arguments.environment}", flow)
    return (None if wrong else flow), not stands


def _flow(given: str) -> tuple[Any, str, str] | None:
    """A definition, the flow's name, and where it is from; None where that is told."""
    if not studio_flows.FLOW_SID.fullmatch(given):
        data = sound(Path(given))
        return None if data is None else (data, Path(given).stem, Path(given).name)
    try:
        kept = studio_flows.studio_of(config.read(os.environ), time.sleep).fetch(given)
    except (config.SettingsError, SendError) as error:
        tell(studio_flows.explained(error) if isinstance(error, SendError) else str(error))
        return None
    try:
        found = definition.read(json.dumps(kept.definition).encode())
    except definition.Unreadable as error:
        tell(printable(f"{given}: error: {error}"))
        return None
    name = " ".join(kept.name.encode(errors="replace").decode().split())
    if has_errors(given, found):
        return None
    return found, name or given, f"{name}, {kept.sid}, revision {kept.revision}"


def _environment(file: Path | None) -> Mapping[str, str] | None:
    try:
        return read_environment(file) if file else {}
    except definition.Unreadable as error:
        tell(printable(f"{file}: error: {error}"))
        return None


def _known(brand: str) -> Mapping[str, Any]:
    """What the brand's file says now; nothing where there is none, or it has an error."""
    file = config.flows_dir(os.environ) / f"{brand}.yaml"
    if not file.is_file():
        return {}
    errors = load([file]).errors
    for finding in errors:
        tell(f"{finding}; its words are not read")
    data = source.read(file.read_bytes(), str(file)).data
    return data if isinstance(data, dict) and not errors else {}


def _id(title: str) -> str:
    bare = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:32].strip("-")
    return bare if ID.fullmatch(bare) and bare not in RESERVED else f"brand-{bare}".strip("-")[:32].strip("-")


def _tell_faults(name: str, text: str) -> bool:
    """Whether the file is one that a server starts with; what is wrong with it goes to stderr."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / f"{name}.yaml"
        file.write_text(text, encoding="utf-8")
        errors = load([file]).errors
    for finding in errors:
        tell(str(finding).replace(f"{directory}{os.sep}", ""))
    return not errors
