"""A brand's file: what is read, and every finding with its place."""

import os
import textwrap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.flow import source
from ivr.flow.load import files_in, load, load_directory
from ivr.flow.model import Flow, ToGoodbye, ToMenu, ToNumber, ToQueue, ToSip
from ivr.flow.words import Words
from ivr.sandbox.town import ROOT
from tests.flow.pasted import unmended

GOOD = """\
name: Acme
sender: {sms: "+1 415 555 0111"}
numbers: {"+1 415 555 0100": menu}
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

BRANCH = "  billing:\n    offer: Press 1.\n    greeting: Hello from {{ brand }}. Reply STOP to opt out.\n    otherwise: {queue: billing}\n"

# what it is, (old, new) in the good file, the finding without the file's name
FINDINGS = [
    ("an unknown key, near", ("    offer:", "    skil: x\n    offer:"), "10:5: error: skil: unknown key; did you mean skill?"),
    ("an unknown key, far", ("name:", "zzz: x\nname:"), "1:1: error: zzz: unknown key; allowed: accept, "),
    ("a misspelt key that is required", ("greeting:", "greting:"), "11:5: error: greting: unknown key; did you mean greeting?"),
    ("a missing key", ("    offer: Press 1.\n", ""), "10:5: error: offer is missing; billing needs it"),
    ("a missing name", ("name: Acme\n", ""), "1:1: error: name is missing; a brand needs it"),
    ("an unknown target", ("{1: billing}", "{1: biling}"), "6:14: error: biling: unknown target; did you mean billing?"),
    ("a number's unknown target", (": menu}", ": menue}"), "3:30: error: menue: unknown target; did you mean menu?"),
    ("an unknown menu", ("{queue: front}", "{menu: nowhere}"), "7:21: error: nowhere: unknown menu; allowed: menu"),
    ("a list for a text", ("Press 1.\n    gr", "[a]\n    gr"), "10:12: error: offer: expected a text, found a list"),
    ("a text for a mapping", ("{queue: billing}", "billing"), "12:16: error: otherwise: expected a mapping"),
    ("an unknown variable", ("{{ brand }}", "{{ brnd }}"), "11:15: error: greeting: brnd: unknown template variable; did you mean brand?"),
    ("an sla that is not there", ("{{ brand }}", "{{ sla }}"), "11:15: error: greeting: sla: unknown template variable"),
    ("half a template", ("{{ brand }}", "{{ brand"), "11:15: error: greeting: the template cannot be read"),
    ("arithmetic", ("{{ brand }}", "{{ 1 // 0 }}"), "11:15: error: greeting: floordiv is too much for a text; allowed: names, if, and filters"),
    ("a duplicate key", ("    offer:", "    offer: x\n    offer:"), "11:5: error: offer: duplicate key; it stands in line 10"),
    ("a toll-free sender", ("0111", "0111\"}\nsender: {sms: \"+18005551212"), "duplicate key"),
    ("one key for two things", ("    offer:", "    other_number: 1\n    offer:"), "10:19: error: other_number: 1 is the key that accepts and the one for another number"),
    ("a toll-free sender alone", ("+1 415 555 0111", "+1 800 555 1212"), "2:15: error: sms: +1(800) 555-1212 is toll-free"),
    ("a premium sender", ("+1 415 555 0111", "+1 900 555 1212"), "2:15: error: sms: +1(900) 555-1212 is premium; texts need a local number"),
    ("a sender that is none", ("+1 415 555 0111", "415"), "2:15: error: sms: '415' is no sender; write a number"),
    ("a number that is none", ("+1 415 555 0100", "+1 415"), "3:11: error: '+1 415' is no phone number"),
    ("a number twice in other words", ("numbers: {", 'numbers: {"+14155550100": menu, '), "3:33: error: +1 415 555 0100: claimed twice"),
    ("two ways on", ("{queue: billing}", "{queue: b, say: c}"), "12:16: error: otherwise: expected exactly one of"),
    ("no way on", ("{queue: billing}", "{}"), "12:16: error: otherwise: expected exactly one of queue, dial"),
    ("a key of two keys", ("{1: billing}", "{12: billing}"), "6:11: error: '12' is no key; allowed"),
    ("a duration that is none", ("    offer:", "    sla: soon\n    offer:"), "10:10: error: sla: 'soon' is no duration"),
    ("tries out of bounds", ("name:", "tries: 9\nname:"), "1:8: error: tries: '9' is not allowed; write a whole number from 1 to 5"),
    ("a region that is none", ("name:", "regions: [UK]\nname:"), "error: regions: 'UK' is no region"),
    ("no regions", ("name:", "regions: []\nname:"), "1:10: error: regions: is empty; at least one is needed"),
    ("a return to Studio that is none", ("{queue: billing}", "{studio: back}"), "12:25: error: studio: 'back' is not allowed; write return"),
    ("a reserved id", ("{1: billing}\n  otherwise: {queue: front}\nbranches:\n  billing:", "{1: status}\n  otherwise: {queue: front}\nbranches:\n  status:"), "9:3: error: status: a reserved id"),
    ("a branch's name twice", ("{1: billing}\n  otherwise: {queue: front}\nbranches:\n", "{1: billing, 2: claims}\n  otherwise: {queue: front}\nbranches:\n  billing: {offer: Press 1., greeting: STOP, otherwise: {say: x}}\n"), "10:3: error: billing: duplicate key; it stands in line 9 already"),
    ("a menu's name twice", ("{queue: front}\nbranches:", "{menu: more}\nmenus:\n  a: {say: x, press: {1: billing, 2: a}, otherwise: {queue: q}}\n  a: {say: x, press: {1: billing}, otherwise: {queue: q}}\nbranches:"), "10:3: error: a: duplicate key; it stands in line 9 already"),
    ("branches twice", ("{1: billing}\n  otherwise: {queue: front}\n", "{1: billing, 2: claims}\n  otherwise: {queue: front}\nbranches: {claims: {offer: Press 1., greeting: STOP, otherwise: {say: x}}}\n"), "9:1: error: branches: duplicate key; it stands in line 8 already"),
    ("a way on that says what its menu does not know", ("{queue: front}", "{say: '{{ sla }}'}"), "7:20: error: say: sla: unknown template variable; allowed: brand, caller"),
    ("a fallback that says what the brand does not know", ("{say: Goodbye.}", "{say: 'Goodbye from {{ branch }}.'}"), "13:17: error: say: branch: unknown template variable; did you mean brand?"),
    ("a way on that says an sla that is not there", ("{queue: billing}", "{say: '{{ sla }}'}"), "12:22: error: say: sla: unknown template variable; allowed: branch, brand, caller; this branch has no sla"),
    ("a desk in a private network", ("name:", "desk: {webhook: {url: 'http://10.0.0.7/desk', secret_env: DESK_SECRET}}\nname:"), "1:23: error: url: leads into a private network; write a public address, or allow_private: yes beside it"),
    ("a desk on this machine", ("name:", "desk: {webhook: {url: 'https://localhost/desk', secret_env: DESK_SECRET, allow_private: no}}\nname:"), "1:23: error: url: leads into a private network"),
    ("a desk without a URL", ("name:", "desk: {webhook: {url: ftp://a.example, secret_env: DESK_SECRET}}\nname:"), "1:23: error: url: 'ftp://a.example' is no URL"),
    ("a secret that is written out", ("name:", "desk: {webhook: {url: 'https://a.example', secret_env: s3cret}}\nname:"), "1:56: error: secret_env: 's3cret' is no variable's name"),
    ("a campaign alone", ("name:", "desk: {liveperson: {campaign: 12}}\nname:"), "1:20: error: liveperson: campaign and engagement go together"),
    ("a native desk with keys", ("name:", "desk: {native: {url: x}}\nname:"), "1:17: error: url: unknown key; allowed: none"),
    ("an id with capitals", ("  billing:\n    off", "  Billing:\n    off"), "9:3: error: Billing: no id"),
    ("a recording that is no URL", ("say: Press 1.", "say: {play: hello.mp3}"), "5:15: error: play: 'hello.mp3' is no URL"),
    ("a recording at no port", ("say: Press 1.", "say: {play: 'https://a.example:x/b'}"), "5:15: error: play: 'https://a.example:x/b' is no URL"),
    ("a recording at a port too high", ("say: Press 1.", "say: {play: 'https://a.example:99999/b'}"), "5:15: error: play: 'https://a.example:99999/b' is no URL"),
    ("a recording with backslashes", ("say: Press 1.", "say: {play: 'https://a\\\\b'}"), "5:15: error: play: 'https://a"),
    ("an unknown phrase", ("name:", "phrases: {snt: x}\nname:"), "1:11: error: snt: unknown phrase; did you mean sent?"),
    ("a menu without a way out", ("{1: billing}\n  otherwise: {queue: front}", "{1: menu}\n  otherwise: {menu: menu}"), "4:1: error: menu: a menu without a way out"),
    ("a control character", ("name: Acme", 'name: "A\\x07"'), "1:7: error: name: has a control character in it"),
    ("a time zone that is none", ("name:", "timezone: Mars\nname:"), "1:11: error: timezone: 'Mars' is no time zone"),
    ("an empty text", ("greeting: Hello from {{ brand }}. Reply STOP to opt out.", "greeting:"), "greeting: empty; write a text"),
    ("a loop", ("{{ brand }}", "{% for x in brand %}{% endfor %}"), "11:15: error: greeting: for is too much for a text"),
    ("a call", ("{{ brand }}", "{{ brand.encode('nope') }}"), "11:15: error: greeting: "),
    ("brackets without end", ("{{ brand }}", "{{ " + "(" * 2000 + "1" + ")" * 2000 + " }}"), "error: greeting: "),
    ("a filter nobody has", ("{{ brand }}", "{{ brand | nope }}"), "error: greeting: the template cannot be read"),
    ("a text that comes out empty", ("Hello from {{ brand }}. Reply STOP to opt out.", '"{{ \'\' }}"'), "11:15: error: greeting: comes out empty"),
    ("a text that is empty for some", ("Hello from {{ brand }}. Reply STOP to opt out.", '"{% if false %}x{% endif %}"'), "error: greeting: comes out empty"),
    ("a control character that comes out", ("Press 1.\n    greet", "\'{{ \"\\x01\" }} Press 1.\'\n    greet"), "error: offer: comes out with a control character"),
    ("a text no carrier takes", ("Hello from {{ brand }}. Reply STOP to opt out.", "x" * 1601), "11:15: error: greeting: comes out 1,601 characters long; at most 1,600"),
    ("a prompt no document carries", ("Press 1.\n    greet", "é" * 4001 + "\n    greet"), "10:12: error: offer: comes out 8,002 bytes long; at most 8,000"),
    ("a URL without end", ("say: Press 1.", "say: {play: 'https://a.example/" + "&" * 1000 + "'}"), "5:15: error: play: the URL has 5,018 bytes; at most 4,000"),
    ("a voice without end", ("name:", "voice: " + "x" * 101 + "\nname:"), "1:8: error: voice: has 101 characters; at most 100"),
    ("a SIP address without end", ("{queue: billing}", "{dial: 'sip:" + "a" * 250 + "@b.c'}"), "12:23: error: dial: the SIP address has 258 characters; at most 255"),
    ("a text that is not read at all", ("Press 1.\n    greet", "x" * 20_001 + "\n    greet"), "10:12: error: offer: 20,001 characters; at most 20,000 are read"),
    ("a key twice in other spaces", ("{1: billing}", '{1: billing, " 1": billing}'), "6:23: error: 1: duplicate key; this menu has it already"),
    ("no branches", ("branches:\n" + BRANCH, "branches: {}\n"), "8:11: error: branches: is empty; at least one is needed"),
    ("a tab", ("  say", "\tsay"), "error: syntax: a character that YAML reserves"),
    ("a second colon", ("say: Press 1.", "say: Press 1: now"), "error: syntax: a second colon in the line"),
    ("braces without quotes", ("greeting: Hello from {{ brand }}.", "greeting: {{ brand }}."), "11:16: error: a key must be one word or one text; a text that begins with { stands in quotes"),
    ("a quote without its end", ("say: Press 1.", 'say: "Press 1.'), "5:8: error: syntax: a quote that is opened here is never closed"),
    ("an open bracket", ("{1: billing}", "{1: billing"), "error: syntax: "),
    ("an alias", ("say: Press 1.", "say: *words"), "error: anchors and aliases"),
    ("a merge key", ("  say:", "  <<: {}\n  say:"), "error: <<: merge keys are not read"),
    ("a tag", ("say: Press 1.", "say: !!python/name:os.system x"), "error: tags (!) are not read"),
    ("a second brand", ("branches:", "---\nbranches:"), "error: a second document"),
]  # fmt: skip


def findings_of(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "acme.yaml"
    file.write_text(text, encoding="utf-8")
    return [str(finding).removeprefix(f"{file}:") for finding in load([file]).findings]


@pytest.mark.parametrize(("change", "finding"), [case[1:] for case in FINDINGS], ids=[case[0] for case in FINDINGS])
def test_a_finding(tmp_path: Path, change: tuple[str, str], finding: str) -> None:
    assert change[0] in GOOD
    found = findings_of(tmp_path, GOOD.replace(*change, 1))
    assert any(finding in line for line in found), found
    assert len(found) == 1, "one cause, one finding"


@pytest.mark.parametrize("change", [case[1] for case in FINDINGS], ids=[case[0] for case in FINDINGS])
def test_a_hint_mends_its_finding(tmp_path: Path, change: tuple[str, str]) -> None:
    file = tmp_path / "acme.yaml"
    file.write_text(GOOD.replace(*change, 1), encoding="utf-8")
    assert unmended(file) == []


def test_a_branch_that_got_the_name_of_another(tmp_path: Path) -> None:
    acme = (ROOT / "flows" / "acme.yaml").read_text(encoding="utf-8")
    (found,) = findings_of(tmp_path, acme.replace("  bookings:\n", "  billing:\n"))
    assert "error: billing: duplicate key" in found


def test_a_private_desk_that_is_meant(tmp_path: Path) -> None:
    desk = "desk: {webhook: {url: 'http://10.0.0.7/desk', secret_env: DESK_SECRET, allow_private: yes}}\n"
    assert findings_of(tmp_path, desk + GOOD) == []


def test_a_huge_name_is_not_offered(tmp_path: Path) -> None:
    branch = BRANCH.replace("billing", "b" * 33, 1)
    found = findings_of(tmp_path, GOOD.replace("{1: billing}", "{1: bbbbb}").replace(BRANCH, BRANCH + branch))
    assert found[0] == "6:14: error: bbbbb: unknown target; allowed: billing, menu"


def test_the_good_file_has_no_findings(tmp_path: Path) -> None:
    assert findings_of(tmp_path, GOOD) == []


def test_every_finding_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = GOOD.replace("name: Acme", "nam: Acme").replace("{1: billing}", "{1: x}").replace("{{ brand }}", "{{ b }}")
    found = findings_of(tmp_path, text)
    assert [line.split(":")[0] for line in found] == ["1", "6", "11"]


def test_a_number_of_two_brands_is_found_at_the_second(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / f"{name}.yaml").write_text(GOOD, encoding="utf-8")
    (finding,) = load_directory(tmp_path).findings
    assert finding.file.endswith("second.yaml")
    assert "first.yaml:3 has it already" in finding.message


@pytest.mark.parametrize("name", ["Acme", "a b", "status", "1st", "x" * 33])
def test_a_file_s_name_is_an_id(tmp_path: Path, name: str) -> None:
    file = tmp_path / f"{name}.yaml"
    file.write_text(GOOD, encoding="utf-8")
    assert "the file's name is the brand's id" in load([file]).findings[0].message


def test_a_directory_without_brands(tmp_path: Path) -> None:
    (tmp_path / ".#acme.yaml").symlink_to("somebody@host.1")  # how an editor says that it has the file open
    assert "no *.yaml in it" in str(load_directory(tmp_path).errors[0])
    assert "is no directory" in str(load_directory(tmp_path / "gone").errors[0])
    assert "cannot be read" in str(load([tmp_path / "gone.yaml"]).errors[0])


@pytest.mark.parametrize(
    ("what", "content"),
    [
        ("at most 1,000,000 are read", b"a" * 1_000_001),
        ("not UTF-8", b"name: caf\xe9"),
        ("a NUL character", b"name: a\0b"),
        ("nested deeper than", b"a: " + b"[" * 200),
        ("more than 20,000 keys", b"a: [" + b"x, " * 30_000 + b"x]"),
        ("anchors and aliases", b"a: &a [x]\nb: [*a, *a]"),
        ("expected a mapping", b"- a\n- b"),
        ("expected a mapping", b""),
    ],
)
def test_a_hostile_file_is_one_line(tmp_path: Path, what: str, content: bytes) -> None:
    file = tmp_path / "acme.yaml"
    file.write_bytes(content)
    (finding,) = load([file]).findings
    assert what in finding.message


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300) | st.text(alphabet="ab:{}[]-?&*!|>'\"%@`#, \n\t01", max_size=200).map(str.encode))
def test_any_bytes_are_read_or_found_wanting(content: bytes) -> None:
    read = source.read(content, "any.yaml")
    assert read.data is not None or read.findings or not content.strip() or b"#" in content or b"-" in content


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Flow:
    text = """\
        name: Norway Air
        language: no
        tries: 3
        accept: "5"
        regions: [us, CA]
        sender: {sms: "MG0123456789abcdef0123456789abcdef", number_format: e164}
        menus:
          service:
            say: {play: "https://example.com/hello.mp3"}
            press: {0: refunds, "*": service}
            otherwise: {menu: closing}
            tries: 1
          closing:
            say: Press 0, or hang up.
            press: {0: refunds}
            otherwise: {say: "Goodbye from {{ brand }}."}
        branches:
          refunds:
            skill: 01
            sla: 1 hour
            offer: For {{ branch }}, press 5. {{ caller }}, we answer within {{ sla }}.
            greeting: |
              {{ brand }}: {{ sla }}.
              Second line. Reply STOP to opt out.
            otherwise: {dial: +14155550199}
            fallback: {dial: "sip:desk@example.com"}
            accept: 7
          returns:
            sla: 2 hours
            offer: Press 5 for an answer within {{ sla }}.
            greeting: Reply STOP to opt out.
            otherwise: {say: "{{ brand }}, {{ branch }}: write to us, {{ caller }}, we answer within {{ sla }}."}
            fallback: {say: "No {{ branch }}."}
    """
    file = tmp_path_factory.mktemp("flows") / "norway.yaml"
    file.write_text(textwrap.dedent(text), encoding="utf-8")
    loaded = load([file])
    assert [str(finding) for finding in loaded.findings] == []
    return loaded.flows["norway"]


def test_scalars_mean_what_they_say(flow: Flow) -> None:
    refunds = flow.branches["refunds"]
    assert flow.language == "no"
    assert refunds.skill == "01"
    assert refunds.otherwise == ToNumber("+14155550199")
    assert refunds.fallback == ToSip("sip:desk@example.com")
    assert flow.menus["service"].otherwise == ToMenu("closing")
    assert set(flow.menus["service"].press) == {"0", "*"}


def test_settings_are_inherited_where_they_do_not_differ(flow: Flow) -> None:
    refunds, service = flow.branches["refunds"], flow.menus["service"]
    assert (refunds.accept, refunds.tries, service.tries) == ("7", 3, 1)
    assert refunds.regions == ("US", "CA")
    assert (refunds.wait, refunds.confirm) == (5, 10)


def test_words_are_filled_in(flow: Flow) -> None:
    refunds = flow.branches["refunds"]
    assert refunds.greeting.spoken({}) == "Norway Air: 1 hour.\nSecond line. Reply STOP to opt out."
    assert refunds.offer.spoken({"caller": "+1(415) 555-2671"}) == (  # type: ignore[union-attr]
        "For refunds, press 5. +1(415) 555-2671, we answer within 1 hour."
    )


def test_a_branch_fills_in_its_own_ways_on(flow: Flow) -> None:
    returns = flow.branches["returns"]
    assert isinstance(returns.otherwise, ToGoodbye)
    assert isinstance(returns.otherwise.spoken, Words)
    assert (
        returns.otherwise.spoken.spoken({"caller": "you"})
        == "Norway Air, returns: write to us, you, we answer within 2 hours."
    )
    assert returns.fallback == ToGoodbye(Words("No returns."))


def test_regions_unless_said(acme: Flow) -> None:
    assert acme.branches["billing"].regions == ("US",)
    assert acme.branches["billing"].otherwise == ToQueue("billing")


def test_the_shipped_brands_have_no_findings() -> None:
    loaded = load_directory(ROOT / "flows")
    assert loaded.findings == ()
    assert set(loaded.flows) == {"acme", "corner-bakery"}


def test_a_branch_that_leads_back_is_no_way_out(tmp_path: Path) -> None:
    text = GOOD.replace("{queue: front}", "{menu: menu}").replace("{queue: billing}", "{menu: menu}")
    assert findings_of(tmp_path, text) == [
        "4:1: error: menu: a menu without a way out; lead a key or otherwise to a queue, a number or a goodbye"
    ]


@pytest.mark.parametrize("number", ["0100", "0102"], ids=["the same number", "another number"])
def test_two_files_of_one_name(tmp_path: Path, number: str) -> None:
    files = [tmp_path / directory / "acme.yaml" for directory in ("x", "y")]
    for file, name, its in zip(files, ("First", "Second"), ("0100", number), strict=True):
        file.parent.mkdir()
        file.write_text(GOOD.replace("Acme", name).replace("0100", its))
    loaded = load(files)
    (found,) = [str(finding) for finding in loaded.findings]
    assert found.startswith(str(files[1]))
    assert "two files of one name" in found
    assert loaded.flows["acme"].name == "First", "the second has the error"


def test_a_file_that_is_named_twice_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").write_text(GOOD)
    named = [tmp_path, tmp_path / "acme.yaml", tmp_path / ".." / tmp_path.name / "acme.yaml"]
    assert files_in(named) == [tmp_path / "acme.yaml"]
    assert load(files_in(named)).findings == ()


def test_a_link_is_a_brand_of_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").write_text(GOOD)
    (tmp_path / "beta.yaml").symlink_to("acme.yaml")
    (tmp_path / "gone.yaml").symlink_to("gone.yaml")
    first, second = load_directory(tmp_path).findings
    assert "has it already" in first.message
    assert "cannot be read" in second.message


def test_a_finding_is_one_line_whatever_the_file_says(tmp_path: Path) -> None:
    (found,) = findings_of(tmp_path, GOOD.replace("name:", '"a\\nb\\e[31m": x\nname:'))
    assert "a\\nb\\x1b[31m: unknown key" in found


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "acme.yaml")
    assert "no regular file" in str(load_directory(tmp_path).errors[0])
