"""The brands that the benches load: Acme alone, or Acme among a thousand others."""

from pathlib import Path

OFFER = (
    "Instead of waiting on the line, you can also connect with us by text message. "
    "Press 1 to gain back your time and start messaging with us now, or stay on the line."
)

_ACME = f"""\
name: Acme Air
timezone: America/New_York
language: en-US
voice: Polly.Joanna-Neural
numbers:
  "+1 415 555 0101": billing
sender:
  sms: "+1 415 555 0111"
desk:
  liveperson: {{}}
branches:
  billing:
    skill: "1234"
    sla: 10 minutes
    offer: {OFFER}
    greeting: >
      Thank you for choosing to connect with {{{{ brand }}}} by text. Please type your issue and
      we will be with you within {{{{ sla }}}}. Reply STOP to opt out.
    otherwise:
      queue: billing
"""

_BRAND = """\
name: Brand Number {number}
timezone: America/New_York
language: en-US
voice: Polly.Joanna-Neural
numbers:
  "+1 212 555 {line}": {first}
sender:
  sms: "+1 646 555 {line}"
desk:
  liveperson: {{}}
branches:
"""

_BRANCH = """\
  {name}:
    skill: "{skill}"
    sla: {minutes} minutes
    offer: >
      Welcome to {name} at {{{{ brand }}}}. You need not wait for our {minutes} busy people:
      press 1 and we go on by text message about {name}, or stay on the line.
    greeting: >
      {{{{ brand }}}} here, about {name}. Please type your question; line {skill} answers
      within {{{{ sla }}}}. Reply STOP to opt out.
    otherwise:
      queue: {name}-{number}
"""

_DEPARTMENTS = ("billing", "bookings", "claims", "returns", "repairs", "orders", "delivery", "loyalty", "refunds", "it")
_AREAS = ("east", "west")


def one_brand(directory: Path) -> Path:
    """A new FLOWS_DIR with Acme alone."""
    directory.mkdir()
    (directory / "acme.yaml").write_text(_ACME, encoding="utf-8")
    return directory


def many_brands(directory: Path, brands: int = 1000) -> Path:
    """A new FLOWS_DIR with Acme and `brands` others, each with twenty branches and its own words."""
    one_brand(directory)
    for number in range(brands):
        (directory / f"brand-{number}.yaml").write_text(_brand(number), encoding="utf-8")
    return directory


def _brand(number: int) -> str:
    names = [f"{department}-{area}" for department in _DEPARTMENTS for area in _AREAS]
    branches = (
        _BRANCH.format(name=name, number=number, skill=number * 20 + index, minutes=2 + (number + index) % 50)
        for index, name in enumerate(names)
    )
    return _BRAND.format(number=number, line=2000 + number, first=names[0]) + "".join(branches)
