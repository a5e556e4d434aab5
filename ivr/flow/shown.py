"""A finding for a person: coloured, with the line of the file, a caret, and the lines that mend it."""

from rich.cells import cell_len
from rich.text import Text

from ivr.flow.findings import Finding, printable

COLOURS = {"error": "bold red", "warning": "bold yellow"}
ASIDE = "    "


def shown(finding: Finding) -> Text:
    """The contract's line, coloured; below it, indented, what it is about and a hint that can be pasted."""
    line, severity = str(finding), f" {finding.severity}: "
    place, _, message = line.partition(severity)
    text = Text.assemble((place, "dim"), (severity, COLOURS[finding.severity]), message)
    column = finding.place.column - 1
    if finding.quoted.strip() and column < len(finding.quoted):
        before = _one_cell_a_letter(finding.quoted[:column])
        text.append(f"\n{ASIDE}{before}{_one_cell_a_letter(finding.quoted[column:])}", "dim")
        text.append(f"\n{ASIDE}{' ' * cell_len(before)}^", COLOURS[finding.severity])
    for hint in finding.hint:
        text.append(f"\n{ASIDE}{printable(hint)}", "green")
    return text


def _one_cell_a_letter(line: str) -> str:
    """The line without what would move the caret or command the terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in line)
