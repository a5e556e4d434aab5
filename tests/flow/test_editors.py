"""What an editor says by `flows/schema.json`, and what `check` says: a good file is never marked."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from ivr.flow import json_schema
from ivr.flow.load import load
from ivr.sandbox.town import ROOT

SCHEMA = json_schema.brand_schema()
GOOD = """\
name: Acme
sender: {sms: "+1 415 555 0111"}
numbers: {"+1 415 555 0100": menu}
desk: {native: {}}
menu:
  say: Press 1.
  press: {1: billing}
  otherwise: {queue: front}
branches:
  billing:
    offer: Press 1.
    greeting: Hello from {{ brand }}. Reply STOP to opt out.
    otherwise: {queue: billing}
fallback: {say: Goodbye.}
"""
WEBHOOK = "{webhook: {url: https://a.example, secret_env: SECRET}}"


class Core(yaml.SafeLoader):
    """YAML 1.2 as most editors read it: `yes`, `no`, `on` and `off` are words."""

    yaml_implicit_resolvers: Any = {}  # noqa: RUF012


Core.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
Core.add_implicit_resolver("tag:yaml.org,2002:null", re.compile("^(~|null|Null|NULL|)$"), ["~", "n", "N", ""])
Core.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9]+\.[0-9]+$"), list("+-0123456789"))
Core.add_implicit_resolver("tag:yaml.org,2002:int", re.compile("^[-+]?[0-9]+$"), list("+-0123456789"))
Core.add_constructor("tag:yaml.org,2002:int", lambda _, node: int(node.value))

KINDS: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}


def takes(node: Any, value: Any) -> bool:
    """Whether a JSON Schema takes a value: the words of it that our schema has, and no others."""
    if isinstance(node, bool):
        return node
    strange = node.keys() - {
        *WORDS,
        "$schema",
        "$defs",
        "title",
        "description",
        "examples",
        "default",
        "additionalProperties",
    }
    assert not strange, strange
    return all(rule(node[word], value) for word, rule in WORDS.items() if word in node) and _its_keys(node, value)


def _its_keys(node: Any, value: Any) -> bool:
    if not isinstance(value, dict):
        return True
    known, named, others = (
        node.get("properties", {}),
        node.get("patternProperties", {}),
        node.get("additionalProperties", True),
    )
    for key, item in value.items():
        schemas = [known[key]] if key in known else []
        schemas += [schema for pattern, schema in named.items() if re.search(pattern, str(key))]
        if not all(takes(schema, item) for schema in schemas or [others]):
            return False
    return True


def _is(kind: str, value: Any) -> bool:
    return isinstance(value, KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _number(value: Any) -> bool:
    return _is("number", value)


WORDS: Mapping[str, Any] = {
    "$ref": lambda ref, value: takes(SCHEMA["$defs"][ref.rsplit("/", 1)[1]], value),
    "type": lambda kinds, value: any(_is(kind, value) for kind in ([kinds] if isinstance(kinds, str) else kinds)),
    "const": lambda only, value: value == only,
    "enum": lambda allowed, value: any(value == each and type(value) is type(each) for each in allowed),
    "oneOf": lambda options, value: sum(takes(option, value) for option in options) == 1,
    "anyOf": lambda options, value: any(takes(option, value) for option in options),
    "pattern": lambda pattern, value: not isinstance(value, str) or bool(re.search(pattern, value)),
    "minLength": lambda least, value: not isinstance(value, str) or len(value) >= least,
    "maxLength": lambda most, value: not isinstance(value, str) or len(value) <= most,
    "minimum": lambda least, value: not _number(value) or value >= least,
    "maximum": lambda most, value: not _number(value) or value <= most,
    "required": lambda keys, value: not isinstance(value, dict) or value.keys() >= set(keys),
    "minProperties": lambda least, value: not isinstance(value, dict) or len(value) >= least,
    "maxProperties": lambda most, value: not isinstance(value, dict) or len(value) <= most,
    "propertyNames": lambda node, value: not isinstance(value, dict) or all(takes(node, key) for key in value),
    "properties": lambda *_: True,
    "patternProperties": lambda *_: True,
    "items": lambda node, value: not isinstance(value, list) or all(takes(node, item) for item in value),
    "maxItems": lambda most, value: not isinstance(value, list) or len(value) <= most,
    "minItems": lambda least, value: not isinstance(value, list) or len(value) >= least,
}

TAKEN = [
    ("as it is", ("name", "name")),
    ("a name of digits", ("name: Acme", "name: 1800")),
    ("a name with a point", ("name: Acme", "name: 12.5")),
    ("a name that is a truth", ("name: Acme", "name: true")),
    ("a greeting of digits", ("Hello from {{ brand }}. Reply STOP to opt out.", "12345")),
    ("an offer of digits", ("Press 1.\n    greet", "1\n    greet")),
    ("words of digits", ("{say: Goodbye.}", "{say: 5}")),
    ("a phrase of digits", ("name:", "phrases: {goodbye: 5}\nname:")),
    ("a skill that is a truth", ("name:", "skill: true\nname:")),
    ("a skill with a zero before it", ("name:", "skill: 01\nname:")),
    ("a language that is a no", ("name:", "language: no\nname:")),
    ("a queue of digits", ("queue: front", "queue: 5")),
    ("a queue that is a truth", ("queue: front", "queue: on")),
    ("a wait in capitals", ("name:", "wait: 5 SECONDS\nname:")),
    ("a wait without a space", ("name:", "wait: 1Minute\nname:")),
    ("a wait with a tab", ("name:", 'wait: " 5\\tseconds "\nname:')),
    ("Yes", ("native: {}", "native: {}, context_line: Yes")),
    ("NO", ("native: {}", "native: {}, context_line: NO")),
    ("True", ("native: {}", "native: {}, context_line: True")),
    ("yes in quotes", ("native: {}", "native: {}, context_line: ' yes '")),
    ("a URL in capitals", ("{queue: billing}", "{redirect: HTTPS://a.example/x}")),
    ("a URL with spaces around it", ("{queue: billing}", "{redirect: ' https://a.example/x '}")),
    ("a recording in capitals", ("say: Press 1.", "say: {play: Http://a.example/x.mp3}")),
    ("a number without quotes", ("{queue: billing}", "{dial: +14155550199}")),
    ("a sender without quotes", ('"+1 415 555 0111"', "+14155550111")),
    ("a number in brackets", ("+1 415 555 0100", "+(1) 415 555-0100")),
    ("a key with spaces", ("name:", 'accept: " 1 "\nname:')),
    ("tries with a zero", ("name:", 'tries: "02"\nname:')),
    ("a region in small letters", ("name:", "regions: [us, ' ca ']\nname:")),
    ("a target with spaces", ("{1: billing}", "{1: ' billing '}")),
    *((f"hours: {text}", ("name:", f"hours: {text}\nname:")) for text in ("Mon-Fri 08:00-20:00; Sat 9:00-13:00", "24/7", "daily 20:00-02:00;", "'Monday, Wed: 08:00–12:00, 13:00 - 17:00'")),
    ("hours as a mapping", ("name:", "hours: {open: 24/7, holidays: [us, US-CA, FR-Zone A], dates: {2026-12-24: 08:00-12:00, '2026-12-25': Closed}}\nname:")),
    ("closed", ("name:", "hours: 24/7\nclosed: {offer: 1, greeting: 12345, otherwise: {say: x}}\nname:")),
    *((f"identify: {answer}", ("name:", f"identify: {{why: SKIP, questions: [{{ask: Which, answer: {answer}, attribute: booking}}]}}\nname:")) for answer in ("digits", " 6 to 10 Digits", "1 digit", "E-mail", "Date", "{pattern: 123}", "{pattern: '[A-Z]+'}")),
    ("identify with everything", ("name:", "identify: {when: after, why: SKIP, wait: 1 minute, thanks: 5, questions: [{ask: Which, answer: date, attribute: a_1, retry: 7}]}\nname:")),
    ("a menu that leads to itself", ("{1: billing}", "{1: billing, 2: menu}")),
    ("a desk's variable with spaces", ("{native: {}}", WEBHOOK.replace("SECRET", "' SECRET '"))),
]  # fmt: skip

REFUSED = [
    *((f"a branch called {name}", ("  billing:\n", f"  {name}:\n")) for name in ("status", "menu", "fallback", "Billing", "b b")),
    ("a menu called liveperson", ("branches:", "menus: {liveperson: {say: x, press: {1: billing}, otherwise: {say: x}}}\nbranches:")),
    ("a reserved target", ("{1: billing}", "{1: status}")),
    ("no name", ("name: Acme", "name:")),
    ("a list for a name", ("name: Acme", "name: [a]")),
    ("a mapping for a greeting", ("greeting: Hello", "greeting: {a: b}\n    xgreeting: Hello")),
    ("a wait without its unit", ("name:", "wait: 5\nname:")),
    ("neither yes nor no", ("native: {}", "native: {}, context_line: maybe")),
    ("a URL of another kind", ("{queue: billing}", "{redirect: ftp://a.example}")),
    ("two keys in one", ("{1: billing}", "{12: billing}")),
    ("hours without a time", ("name:", "hours: always\nname:")),
    ("hours without open", ("name:", "hours: {holidays: [US]}\nname:")),
    ("a date that is none", ("name:", "hours: {open: 24/7, dates: {Christmas: closed}}\nname:")),
    ("a word for a day's times", ("name:", "hours: {open: 24/7, dates: {2026-12-24: shut}}\nname:")),
    ("a holiday that is no country", ("name:", "hours: {open: 24/7, holidays: [Texas]}\nname:")),
    *((f"identify: {answer}", ("name:", f"identify: {{why: SKIP, questions: [{{ask: Which, answer: {answer}, attribute: booking}}]}}\nname:")) for answer in ("words", "digits 8", "{}", "[date]", "{pattern: x, flags: i}")),
    ("identify without why", ("name:", "identify: {questions: [{ask: Which, answer: date, attribute: b}]}\nname:")),
    ("identify with five questions", ("name:", "identify: {why: SKIP, questions: [" + ", ".join(f"{{ask: Which, answer: date, attribute: b{n}}}" for n in range(5)) + "]}\nname:")),
    ("a closed with other keys", ("name:", "hours: 24/7\nclosed: {tries: 2}\nname:")),
    ("two ways on", ("{queue: billing}", "{queue: billing, say: x}")),
]  # fmt: skip


def verdicts(tmp_path: Path, change: tuple[str, str]) -> set[bool]:
    """What `check` says, and an editor, whichever YAML it reads."""
    assert change[0] in GOOD
    text = GOOD.replace(*change, 1)
    file = tmp_path / "acme.yaml"
    file.write_text(text, encoding="utf-8")
    said = {takes(SCHEMA, yaml.load(text.replace("{{ brand }}", "Acme"), loader)) for loader in (Core, yaml.SafeLoader)}
    return {not load([file]).errors} | said


@pytest.mark.parametrize("change", [case[1] for case in TAKEN], ids=[case[0] for case in TAKEN])
def test_what_is_good_is_good_in_an_editor(tmp_path: Path, change: tuple[str, str]) -> None:
    assert verdicts(tmp_path, change) == {True}


@pytest.mark.parametrize("change", [case[1] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_is_wrong_is_marked_in_an_editor(tmp_path: Path, change: tuple[str, str]) -> None:
    assert verdicts(tmp_path, change) == {False}


@pytest.mark.parametrize("brand", ["acme", "corner-bakery"])
def test_the_shipped_brands_are_good_in_an_editor(brand: str) -> None:
    assert takes(SCHEMA, yaml.load((ROOT / "flows" / f"{brand}.yaml").read_text(encoding="utf-8"), Core))
