"""Pasting a hint into the file that it is for, as a person would."""

import re
from collections.abc import Iterator
from pathlib import Path

from ivr.flow.findings import Finding
from ivr.flow.load import load


def unmended(file: Path) -> list[str]:
    """The findings whose hint mends nothing: pasted, the finding is still there, or an error that was not."""
    text = file.read_text(encoding="utf-8")
    findings = load([file]).findings
    bad = []
    for finding in findings:
        if finding.hint and not any(_mends(file, pasted, finding, findings) for pasted in _pasted(text, finding)):
            bad.append(f"{finding} | {finding.hint}")
    return bad


def _mends(file: Path, pasted: str, finding: Finding, before: tuple[Finding, ...]) -> bool:
    file.write_text(pasted, encoding="utf-8")
    after = [(other.severity, other.message) for other in load([file]).findings]
    was = [(other.severity, other.message) for other in before]
    fewer = after.count((finding.severity, finding.message)) < was.count((finding.severity, finding.message))
    return fewer and all(severity == "warning" or (severity, message) in was for severity, message in after)


def _pasted(text: str, finding: Finding) -> Iterator[str]:
    """The file with the hint: for the line or its variable, before a line, at the end of a line's words."""
    lines, at, hint = text.split("\n"), finding.place.line - 1, list(finding.hint)
    if re.match(r"[a-z_]+: | ", hint[0]):
        yield "\n".join([*lines[:at], *hint, *lines[at + 1 :]])
        for number in range(len(lines)):
            yield "\n".join([*lines[:number], *hint, *lines[number:]])
        return
    yield "\n".join([*lines[:at], re.sub(r"\{\{.*?\}\}", lambda _: hint[0], lines[at]), *lines[at + 1 :]])
    for number, line in enumerate(lines):
        words, quote = (line[:-1], line[-1]) if line[-1:] in ("'", '"') else (line, "")
        yield "\n".join([*lines[:number], f"{words} {hint[0]}{quote}", *lines[number + 1 :]])
