"""Warnings: each at its place, with what is allowed; none where there is nothing to mend, or an error says it already."""

from pathlib import Path

import pytest

from ivr.flow.load import load
from tests.flow.pasted import unmended

GOOD = """\
name: Acme
sender: {sms: "+1 415 555 0111"}
numbers:
  "+1 415 555 0100": menu
fallback: {say: Goodbye.}
menu:
  say: Press 1 or 2.
  press:
    1: billing
    2: claims
  otherwise: {queue: front}
branches:
  billing:
    sla: 10 minutes
    offer: Press 1.
    greeting: "{{ brand }}: we answer within {{ sla }}. Reply STOP to opt out."
    otherwise: {queue: billing}
  claims:
    offer: Press 1.
    greeting: "{{ brand }} here. Reply STOP to opt out."
    otherwise: {dial: "+1 415 555 0199"}
"""

OFFER = '    offer: Press 1.\n    greeting: "{{ brand }} here'
LONG = "{{ brand }} here" + ", with words and more words" * 5
BRANDLESS = ("fallback: {say: Goodbye.}\n", "")

# what it is, the changes of the good file, the findings without the file's name: all of them
WARNINGS = [
    ("a greeting over one segment", [("{{ brand }} here", LONG)], ["20:15: warning: greeting: 2 SMS segments (168 characters); one segment takes 160"]),
    ("a greeting that a curly quote makes long", [("{{ brand }} here", "It’s {{ brand }}, and it’s not long at all for a text, is it?")], ["20:15: warning: greeting: 2 SMS segments (78 characters, ’ forces UCS-2); one segment takes 70 in UCS-2, 160 without ’"]),
    ("a greeting that is long with its sla only", [("we answer within {{ sla }}.", "w" * 120 + " {{ sla }}.")], ["16:15: warning: greeting: 2 SMS segments (161 characters); one segment takes 160"]),
    ("a greeting that is long with its caller only", [("here.", "{{ caller }} " + "w" * 116)], ["20:15: warning: greeting: 2 SMS segments (161 characters); one"]),
    ("a greeting that is long for some callers", [("here.", "{% if caller == 'your number' %}" + "w" * 160 + "{% endif %}")], ["20:15: warning: greeting: 2 SMS segments (1"]),
    ("a greeting without opt-out words", [("here. Reply STOP to opt out.", "here.")], ["20:15: warning: greeting: does not say how to opt out; end it with words like: Reply STOP to opt out."]),
    ("a stop that is no opt-out", [("here. Reply STOP to opt out.", "here. Stop by our shop.")], ["20:15: warning: greeting: does not say"]),
    ("an opt-out for some callers only", [("Reply STOP to opt out.\"\n    otherwise: {dial", "{% if caller == 'your number' %}Reply STOP{% endif %}\"\n    otherwise: {dial")], ["20:15: warning: greeting: does not say"]),
    ("an offer without its key", [(OFFER, OFFER.replace("Press 1", "Please hold"))], ["19:12: warning: offer: does not say its key; say that 1 accepts, like: Press 1 and we will text you."]),
    ("an offer with another digit in it", [(OFFER, OFFER.replace("Press 1.", "In 10 minutes, or 21."))], ["19:12: warning: offer: does not say its key"]),
    ("an offer that says the brand's other key", [("name:", "accept: 5\nname:")], ["16:12: warning: offer: does not say its key; say that 5", "20:12: warning: offer: does not say its key; say that 5"]),
    ("an offer without its key for another number", [("  claims:\n", "  claims:\n    other_number: 2\n")], ["20:12: warning: offer: does not say its key for another number; say that 2 asks for one, like: For a text at another number, press 2."]),
    ("offers without the brand's key for another number", [("name:", "other_number: 2\nname:")], ["16:12: warning: offer: does not say its key for another number; say that 2", "20:12: warning: offer: does not say its key for another number"]),
    ("an offer that does not say star", [("  claims:\n", "  claims:\n    accept: \"*\"\n")], ["20:12: warning: offer: does not say its key; say that * accepts"]),
    ("ways on that can fail", [BRANDLESS], [
        "10:3: warning: otherwise: a queue can be full, and no fallback follows; add a fallback here or on the brand",
        "16:5: warning: otherwise: a queue can be full",
        "20:5: warning: otherwise: a dialled number can be busy, and no fallback follows",
    ]),
    ("one way on that can fail", [BRANDLESS, ("front}", "front}\n  fallback: {say: Bye.}"), ("billing}", "billing}\n    fallback: {say: Bye.}")], ["22:5: warning: otherwise: a dialled number"]),
    ("a branch nobody reaches", [("    2: claims\n", "")], ["17:3: warning: claims: no number and no key reaches this branch; add one to numbers or to a menu's press, or leave it if the URL /voice/acme/claims is meant"]),
    ("a menu nobody reaches", [("0100\": menu", "0100\": billing")], ["6:1: warning: menu: no number and no key reaches this menu"]),
    ("of menus that lead to each other, the first", [("branches:", "menus:\n  a: {say: x, press: {1: b}, otherwise: {queue: q}}\n  b: {say: x, press: {1: a}, otherwise: {queue: q}}\nbranches:")], ["13:3: warning: a: no number and no key reaches this menu"]),
    ("a menu nobody reaches with a branch of its own", [("    2: claims\n", ""), ("branches:", "menus:\n  a: {say: x, press: {1: claims}, otherwise: {queue: q}}\nbranches:")], ["12:3: warning: a: no number and no key reaches this menu"]),
    ("silence that leads back at once", [("{queue: front}", "{menu: menu}")], ["11:3: warning: menu: a silent caller may be led in a circle without end (menu, menu); lead one otherwise in it to a person or a goodbye"]),
    ("silence that leads back over others", [("{queue: front}", "{menu: a}"), ("branches:", "menus:\n  b: {say: x, press: {1: billing}, otherwise: {menu: a}}\n  a: {say: x, press: {1: billing}, otherwise: {menu: b}}\nbranches:")], ["13:36: warning: b: a silent caller may be led in a circle without end (b, a, b); lead"]),
    ("silence that leads back from a full queue", [("{queue: front}", "{queue: front}\n  fallback: {menu: menu}")], ["11:3: warning: menu: a silent caller may be led in a circle without end (menu, menu); lead one fallback in it to a person or a goodbye"]),
    ("silence that leads back by the brand's fallback", [("{say: Goodbye.}", "{menu: menu}")], ["11:3: warning: menu: a silent caller may be led in a circle without end (menu, menu); lead one fallback"]),
    ("silence that leads back from a number", [("{queue: front}", "{dial: +1 415 555 0199}\n  fallback: {menu: a}"), ("branches:", "menus:\n  a: {say: x, press: {1: billing}, otherwise: {menu: menu}}\nbranches:")], ["11:3: warning: menu: a silent caller may be led in a circle without end (menu, a, menu); lead one fallback"]),
    ("silence that leads back over many", [("{queue: front}", "{menu: m0}"), ("branches:", "menus:\n" + "".join(f"  m{n}: {{say: x, press: {{1: billing}}, otherwise: {{menu: m{n + 1}}}}}\n" for n in range(9)) + "  m9: {say: x, press: {1: billing}, otherwise: {menu: menu}}\nbranches:")], ["11:3: warning: menu: a silent caller may be led in a circle without end (menu, m0, m1, m2, m3, 6 more, menu); lead"]),
    ("keys without effect", [("  press:\n", "  accept: 5\n  regions: [US]\n  confirm: 5 seconds\n  other_number: 3\n  tries: 3\n  wait: 3 seconds\n  press:\n")], [
        "8:3: warning: accept: has no effect on a menu; write it on the brand or on a branch",
        "9:3: warning: regions: has no effect on a menu",
        "10:3: warning: confirm: has no effect on a menu",
        "11:3: warning: other_number: has no effect on a menu",
    ]),
    ("a key without effect on a further menu", [("    2: claims\n", "    2: claims\n    3: a\n"), ("branches:", "menus:\n  a: {say: x, press: {1: billing}, otherwise: {queue: q}, accept: 5}\nbranches:")], ["14:59: warning: accept: has no effect"]),
    ("an sla that no text mentions", [("we answer within {{ sla }}.", "we answer.")], ["14:5: warning: sla: no text mentions it; say {{ sla }} in the offer or the greeting, or remove it"]),
    ("a prompt over the limit of a basic voice", [("Press 1 or 2.", "x" * 4097)], ["7:8: warning: say: comes out 4,097 characters long; the basic voice speaks 4,096 at most"]),
    ("a prompt over Polly's limit", [("name:", "voice: Polly.Joanna\nname:"), ("Press 1 or 2.", "x" * 3001)], ["8:8: warning: say: comes out 3,001 characters long; Polly.Joanna speaks 3,000 at most"]),
    ("an offer over Google's limit", [("name:", "voice: Google.en-US-Standard-A\nname:"), (OFFER, OFFER.replace("Press 1.", "Press 1." + "x" * 4993))], ["20:12: warning: offer: comes out 5,001 characters long; Google.en-US-Standard-A speaks 5,000 at most"]),
    ("a phrase over the limit", [("name:", "voice: Polly.Joanna\nphrases: {goodbye: " + "x" * 3001 + "}\nname:")], ["2:20: warning: goodbye: comes out 3,001"]),
]  # fmt: skip

QUIET = [
    ("the good file", []),
    ("a full segment", [("{{ brand }} here", "{{ brand }} here" + "x" * 127)]),
    ("seventy characters with a curly quote", [("{{ brand }} here", "It’s {{ brand }} here, for you and others")]),
    ("an opt-out in small letters", [("here. Reply STOP to opt out.", "here. Reply 'stop' to opt out.")]),
    ("another opt-out word", [("here. Reply STOP to opt out.", "here. END ends it.")]),
    ("a key in words", [(OFFER, OFFER.replace("Press 1", "Press ONE"))]),
    ("a key in Spanish", [("name:", "language: es-US\nname:"), (OFFER, OFFER.replace("Press 1", "Oprima uno"))]),
    ("a key in a language nobody here speaks", [("name:", "language: cy\nname:"), (OFFER, OFFER.replace("Press 1", "Pwyswch un"))]),
    ("a key for another number", [("  claims:\n", "  claims:\n    other_number: 2\n"), (OFFER, OFFER.replace("Press 1.", "Press 1, or two."))]),
    ("silence that leads on to a goodbye", [("{queue: front}", "{menu: a}"), ("branches:", "menus:\n  a: {say: x, press: {1: menu}, otherwise: {say: Bye.}}\nbranches:")]),
    ("silence that a second queue ends", [("{queue: front}", "{queue: front}\n  fallback: {queue: last}"), ("{say: Goodbye.}", "{menu: menu}"), ("{queue: billing}", "{say: Bye.}"), ("{dial: \"+1 415 555 0199\"}", "{say: Bye.}")]),
    ("a branch that leads back to its menu", [("{queue: billing}", "{menu: menu}")]),
    ("an sla in the words of a way on", [("within {{ sla }}", "soon"), ("{queue: billing}", "{say: 'Write to {{ branch }} and wait {{ sla }}.'}")]),
    ("a recorded offer", [(OFFER, OFFER.replace("Press 1.", "{play: \"https://example.com/a.mp3\"}"))]),
    ("a pound key in words", [("  claims:\n", "  claims:\n    accept: \"#\"\n"), (OFFER, OFFER.replace("Press 1", "Press the pound key"))]),
    ("an sla in plain words", [("within {{ sla }}", "within 10 minutes")]),
    ("an sla that a recording may say", [("Press 1.\n    greeting: \"{{ brand }}: we answer within {{ sla }}.", "{play: \"https://example.com/a.mp3\"}\n    greeting: \"We answer.")]),
    ("ways on that cannot fail", [BRANDLESS, ("queue: front", "say: Bye."), ("queue: billing", "redirect: https://example.com"), ("dial: \"+1 415 555 0199\"", "menu: menu")]),
    ("a brand without numbers, reached by its URL", [("numbers:\n  \"+1 415 555 0100\": menu\n", "")]),
    ("branches alone, each reached by its URL", [("numbers:\n  \"+1 415 555 0100\": menu\n", ""), (GOOD[GOOD.index("menu:\n  say"):GOOD.index("branches:")], "")]),
    ("a branch that a way on reaches through a menu", [("    2: claims\n", ""), ("billing}", "billing}\n    fallback: {menu: other}"), ("branches:", "menus:\n  other: {say: x, press: {1: claims}, otherwise: {queue: q}}\nbranches:")]),
]  # fmt: skip

# what it is, changes, the one error; what it may have caused is not warned of
ONE_CAUSE = [
    ("a misspelt sla", [("    sla:", "    sl:")], "14:5: error: sl: unknown key; did you mean sla?"),
    ("a wrong sla", [("10 minutes", "soon")], "14:10: error: sla: 'soon' is no duration"),
    ("a misspelt variable", [("{{ sla }}", "{{ slaa }}")], "16:15: error: greeting: slaa: unknown template variable"),
    ("a misspelt menu", [("menu:\n", "menue:\n")], "6:1: error: menue: unknown key; did you mean menu?"),
    ("misspelt branches", [("branches:", "branchs:")], "12:1: error: branchs: unknown key; did you mean branches?"),
    ("misspelt numbers", [("numbers:", "number:")], "3:1: error: number: unknown key; did you mean numbers?"),
    ("misspelt press", [("press:", "pres:")], "8:3: error: pres: unknown key; did you mean press?"),
    ("a misspelt fallback", [("fallback:", "falback:")], "5:1: error: falback: unknown key; did you mean fallback?"),
    ("a misspelt way on", [("{queue: billing}", "{que: billing}")], "17:17: error: que: unknown key; did you mean queue?"),
    ("a way on that nobody knows", [("{queue: billing}", "{xyz: billing}")], "17:17: error: xyz: unknown key; allowed: dial, menu"),
    ("a misspelt target", [("2: claims", "2: claim")], "10:8: error: claim: unknown target; did you mean claims?"),
    ("a branch in capitals", [("  claims:\n", "  Claims:\n")], "18:3: error: Claims: no id; allowed"),
    ("a menu that is a text", [(GOOD[GOOD.index("menu:\n  say"):GOOD.index("branches:")], "menu: hello\n")], "6:7: error: menu: expected a mapping"),
    ("menus that are a list", [("branches:", "menus: [a]\nbranches:")], "12:8: error: menus: expected a mapping"),
    ("a menu without a way out", [("{queue: front}", "{menu: menu}"), ("1: billing", "1: menu"), ("2: claims", "2: menu")], "6:1: error: menu: a menu without a way out"),
    ("a key without effect that is wrong, too", [("  press:\n", "  accept: five\n  press:\n")], "8:11: error: accept: 'five' is no key"),
    ("a key for another number that is wrong", [("  claims:\n", "  claims:\n    other_number: two\n")], "19:19: error: other_number: 'two' is no key"),
    ("no press", [(GOOD[GOOD.index("  press:"):GOOD.index("  otherwise: {queue: front}")], "")], "7:3: error: press is missing; menu needs it"),
    ("a wrong accept", [("name:", "accept: one\nname:")], "1:9: error: accept: 'one' is no key"),
    ("a text with a control character", [("here. Reply", "\\x07here. Reply")], "20:15: error: greeting: has a control character"),
    ("half a character", [("here. Reply", "\\ud800here. Reply")], "20:30: error: syntax: found invalid Unicode"),
    ("an unknown key that is far off", [("    sla:", "    whatever: x\n    sla:")], "14:5: error: whatever: unknown key; allowed: accept"),
    ("a name with a control character", [("name: Acme", 'name: "A\\x07"')], "1:7: error: name: has a control character"),
]  # fmt: skip


def changed(changes: list[tuple[str, str]]) -> str:
    text = GOOD
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def findings_of(tmp_path: Path, changes: list[tuple[str, str]]) -> list[str]:
    file = tmp_path / "acme.yaml"
    file.write_text(changed(changes), encoding="utf-8")
    return [str(finding).removeprefix(f"{file}:") for finding in load([file]).findings]


@pytest.mark.parametrize(("changes", "warnings"), [c[1:] for c in WARNINGS], ids=[c[0] for c in WARNINGS])
def test_a_warning(tmp_path: Path, changes: list[tuple[str, str]], warnings: list[str]) -> None:
    found = findings_of(tmp_path, changes)
    assert len(found) == len(warnings), found
    for line, beginning in zip(found, warnings, strict=True):
        assert line.startswith(beginning), found


HINTED = [
    *WARNINGS,
    ("a character of the brand's name", [("name: Acme", "name: Acme Air ✈"), ("{{ brand }} here", LONG)], []),
    ("a curly quote of the brand's name", [("name: Acme", "name: O’Hara"), ("{{ brand }} here", "{{ brand }} here" + " words" * 10)], []),
    ("a curly quote in a greeting too long for plain ones", [("{{ brand }} here", "It’s " + LONG)], []),
    ("a curly quote in a constant", [("{{ brand }} here", "{{ brand | replace('’', '-') }} here" + "’" * 60)], []),
    ("a menu with free keys that nobody reaches", [("0100\": menu", "0100\": billing"), ("branches:", "menus:\n  a:\n    say: x\n    press:\n      1: billing\n    otherwise: {queue: q}\nbranches:")], []),
    ("a sender without its keys", [("sender: {sms: \"+1 415 555 0111\"}", "sender:")], []),
    ("a sender without its keys, and a comment", [("sender: {sms: \"+1 415 555 0111\"}", "sender:   # who is it")], []),
    ("a sender that is an empty text", [("sender: {sms: \"+1 415 555 0111\"}", "sender: ''")], []),
    ("a way on without its keys", [("otherwise: {dial: \"+1 415 555 0199\"}", "otherwise:")], []),
    ("keys that are not there", [("  press:\n    1: billing\n    2: claims\n", "  press:\n")], []),
    ("a misspelt key beside the right one", [("  claims:\n", "  claims:\n    ofer: x\n")], []),
    ("a misspelt variable of an if", [("{{ brand }} here", "{% if brnd %}x{% endif %} here")], []),
    ("a misspelt variable with a filter", [("{{ brand }} here", "{{ brnd | upper }} here")], []),
]  # fmt: skip


@pytest.mark.parametrize("changes", [c[1] for c in HINTED], ids=[c[0] for c in HINTED])
def test_a_hint_mends_its_finding(tmp_path: Path, changes: list[tuple[str, str]]) -> None:
    file = tmp_path / "acme.yaml"
    file.write_text(changed(changes), encoding="utf-8")
    assert load([file]).findings
    assert unmended(file) == []


def test_what_a_greeting_cannot_help_has_no_hint(tmp_path: Path) -> None:
    file = tmp_path / "acme.yaml"
    for name, hints in (("Acme", 1), ("O’Hara", 0), ("Acme ✈", 0)):
        file.write_text(changed([("name: Acme", f"name: {name}"), ("here.", "here, and it’s" + " words" * 10)]))
        (finding,) = load([file]).findings
        assert "forces UCS-2" in finding.message
        assert len(finding.hint) == hints, name


def test_below_an_empty_key_stand_its_own(tmp_path: Path) -> None:
    file = tmp_path / "acme.yaml"
    file.write_text(changed([('sender: {sms: "+1 415 555 0111"}', "sender:")]), encoding="utf-8")
    (finding,) = load([file]).errors
    assert finding.hint == ('  sms: "+1 415 555 0111"',)


@pytest.mark.parametrize("changes", [c[1] for c in QUIET], ids=[c[0] for c in QUIET])
def test_nothing_to_warn_of(tmp_path: Path, changes: list[tuple[str, str]]) -> None:
    assert findings_of(tmp_path, changes) == []


@pytest.mark.parametrize(("changes", "error"), [c[1:] for c in ONE_CAUSE], ids=[c[0] for c in ONE_CAUSE])
def test_one_cause_one_finding(tmp_path: Path, changes: list[tuple[str, str]], error: str) -> None:
    (found,) = findings_of(tmp_path, changes)
    assert found.startswith(error)


def test_a_warning_does_not_keep_a_brand_from_its_calls(tmp_path: Path) -> None:
    file = tmp_path / "acme.yaml"
    file.write_text(GOOD.replace("    2: claims\n", ""), encoding="utf-8")
    loaded = load([file])
    assert [finding.severity for finding in loaded.findings] == ["warning"]
    assert loaded.errors == ()
    assert set(loaded.flows) == {"acme"}


def test_an_error_hides_no_warning_elsewhere(tmp_path: Path) -> None:
    changes = [
        ("    sla:", "    skil: x\n    sla:"),
        ("here. Reply STOP to opt out.", "here."),
        ("front}", "front, x: y}"),
    ]
    assert [line[:14] for line in findings_of(tmp_path, changes)] == [
        "11:29: error: ",
        "14:5: error: s",
        "21:15: warning",
    ]


STUDIO = [
    ("a number leads there", [("{queue: billing}", "{studio: return}"), ("0100\": menu", "0100\": billing")], ["17:25: error: studio: return where a number leads (billing)"]),
    ("a key of a menu that a number enters", [("{queue: billing}", "{studio: return}")], ["17:25: error: studio: return where a number leads (billing)"]),
    ("a key of a menu", [("{queue: billing}", "{studio: return}"), ("0100\": menu", "0100\": claims")], ["17:25: error: studio: return where a menu leads (billing)"]),
    ("the brand's fallback, once", [("{say: Goodbye.}", "{studio: return}")], ["5:20: error: studio: return where a number leads (menu)"]),
    ("only a URL", [("{queue: billing}", "{studio: return}"), ("    1: billing\n", "")], []),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "errors"), [c[1:] for c in STUDIO], ids=[c[0] for c in STUDIO])
def test_a_return_to_studio(tmp_path: Path, changes: list[tuple[str, str]], errors: list[str]) -> None:
    found = [line for line in findings_of(tmp_path, changes) if "error" in line]
    assert len(found) == len(errors), found
    for line, beginning in zip(found, errors, strict=True):
        assert line.startswith(beginning), found
        assert "allowed here: queue, dial, redirect, say, menu" in line
