"""Hostile files: each is refused with a line; time and memory are bounded, and nothing that a file holds is a traceback."""

import copy
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ivr.flow import source
from ivr.flow.load import load
from ivr.flow.source import MAX_FINDINGS
from ivr.sandbox.town import ROOT

ACME = (ROOT / "flows" / "acme.yaml").read_text(encoding="utf-8")
HEAD = b'name: A\nsender: {sms: "+1 415 555 0111"}\n'
MEMORY = 600_000_000  # bytes of address space for all of them; Python and its libraries take half of it
SECONDS = 240  # a hang guard for all of them; a few seconds each at most, on a busy machine
ALONE = 10  # a hang guard for the one that took 76


def branches(count: int, body: str = "{offer: Press 1., greeting: STOP, otherwise: {say: x}}") -> bytes:
    return b"branches:\n" + b"".join(f"  b{number}: {body}\n".encode() for number in range(count))


# A target with the letters of a branch in another order: how alike they are is a question of minutes.
LETTERS = "".join(map(chr, range(0x100, 0x100 + 200))) * 1080
ALIKE = (
    f"menu: {{say: x, press: {{1: {LETTERS[::-1]}}}, otherwise: {{say: x}}}}\nbranches:\n"
    f"  ? {LETTERS}\n  : {{offer: Press 1., greeting: STOP, otherwise: {{say: x}}}}\n"
)

# what it is, the file, what the line says of it
HOSTILE = [
    ("nothing", b"", ":1:1: error: expected a mapping"),
    ("a comment", b"# nothing\n", ":1:1: error: expected a mapping"),
    ("too large", b"a" * 1_000_001, ":1:1: error: the file has 1,000,001 bytes; at most 1,000,000 are read"),
    ("latin-1", b"name: A\nsay: caf\xe9", ":2:9: error: not UTF-8; save the file with the encoding UTF-8"),
    ("UTF-16 with its mark", ACME.encode("utf-16"), ":1:1: error: not UTF-8; it looks like UTF-16"),
    ("UTF-16 without", ACME.encode("utf-16-le"), ":1:2: error: a NUL character; the file looks like UTF-16"),
    ("UTF-16 the other way", ACME.encode("utf-16-be"), ":1:1: error: a NUL character; the file looks like UTF-16"),
    ("UTF-32", ACME.encode("utf-32"), ":1:1: error: not UTF-8"),
    ("half a surrogate pair", b"name: \xed\xa0\x80", ":1:7: error: not UTF-8"),
    ("a NUL", b"name: A\nsay: a\0b", ":2:7: error: a NUL character; the file must be plain text"),
    ("a NUL escaped", HEAD + b'voice: "a\\0b"\n' + branches(1), ":3:8: error: voice: has a control character"),
    ("a bell", b"name: A\nvoice: m\an", ":2:9: error: a control character ('\\x07'); remove it"),
    ("a NUL escaped in a key", HEAD + b'"voi\\0ce": man\n' + branches(1), ":3:1: error: a key with a NUL"),
    ("a million laughs", b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(f"{c}: &{c} [{','.join('*' + p for _ in range(9))}]\n".encode() for p, c in zip("abcdefgh", "bcdefghi", strict=True)), ":1:4: error: anchors and aliases"),
    ("an alias that holds itself", b"a: &a [*a]", ":1:4: error: anchors and aliases"),
    ("merge keys", b"a: {x: y}\n<<: {b: c}", ":2:1: error: <<: merge keys are not read"),
    ("a tag that runs something", b"name: !!python/object/apply:os.system [id]", ":1:7: error: tags (!) are not read"),
    ("a tag of one's own", b"name: !x y", ":1:7: error: tags (!) are not read"),
    ("a tag for a number", b"tries: !!int 3", ":1:8: error: tags (!) are not read"),
    ("many documents", b"---\nname: A\n" * 5000, ":3:1: error: a second document"),
    ("a directive", b"%YAML 9.9\n---\nname: A", "error: syntax: "),
    ("deep lists", b"a: " + b"[" * 400_000, "error: nested deeper than 50 levels"),
    ("deep mappings", b"{a: " * 200_000, "error: nested deeper than 50 levels"),
    ("deep blocks", b"- " * 400_000, "error: nested deeper than 50 levels"),
    ("keys of keys", b"? " * 400_000, "error: a key must be one word or one text"),
    ("a list for a key", b"[a, b]: c", ":1:1: error: a key must be one word or one text"),
    ("too many values", b"a: [" + b"x," * 400_000 + b"x]", "error: more than 20,000 keys and values"),
    ("too many keys", b"".join(b"k%d: v\n" % number for number in range(60_000)), "error: more than 20,000 keys"),
    ("a key twice, often", HEAD + b"name: B\n" * 9000 + branches(1), ":3:1: error: name: duplicate key; it stands in line 1"),
    ("a tab", b"name: A\n\tsender: x", ":2:1: error: syntax: "),
    ("a huge text", HEAD + b"voice: man\n" + branches(1, "{offer: Press 1., greeting: " + "x" * 900_000 + ", otherwise: {say: x}}"), "error: greeting: 900,000 characters; at most 20,000"),
    ("a huge template", HEAD + branches(1, "{offer: Press 1., otherwise: {say: x}, greeting: \"" + "{{ brand }}" * 80_000 + "\"}"), "error: greeting: 880,000 characters"),
    ("a nested template", HEAD + branches(1, "{offer: Press 1., otherwise: {say: x}, greeting: '" + "{% if brand %}" * 1300 + "'}"), "error: greeting: "),
    ("a template of brackets", HEAD + branches(1, "{offer: Press 1., otherwise: {say: x}, greeting: '{{ " + "(" * 9000 + "1" + ")" * 9000 + " }}'}"), "error: greeting: the template is nested too deep"),
    ("a template that grows", HEAD + branches(1, "{offer: Press 1., otherwise: {say: x}, greeting: '{{ brand" + " | replace(\"A\", \"AAAAAAAAAAAAAAAAAAAA\")" * 400 + " }}'}"), "error: greeting: "),
    ("a template that grows in a constant", HEAD + branches(1, "{offer: Press 1., otherwise: {say: x}, greeting: '{{ \"A\"" + " | replace(\"A\", \"AAAAAAAAAAAAAAAAAAAA\")" * 400 + " }}'}"), "error: greeting: "),
    ("a template of ifs", HEAD + branches(1, "{offer: Press 1., otherwise: {say: x}, greeting: '" + "{% if brand %}" * 150 + "x" + "{% endif %}" * 150 + "'}"), "error: greeting: the template is nested too deep"),
    ("a template of filters", HEAD + branches(1, "{offer: Press 1., otherwise: {say: x}, greeting: '" + "{{ brand" + " | upper" * 250 + " }}" + "'}"), "error: greeting: the template is nested too deep"),
    ("a template of filters, slow to compile", HEAD + branches(1, "{offer: Press 1., otherwise: {say: x}, greeting: '" + "{{ brand" + " | upper" * 150 + " }}" + "'}"), "error: greeting: the template is nested too deep"),
    ("a template of words", HEAD + branches(1, "{offer: Press 1., otherwise: {say: x}, greeting: '" + "{{ " + "brand and " * 250 + "brand }}" + "'}"), "error: greeting: the template is nested too deep"),
    ("a template with a huge number", HEAD + branches(1, "{offer: Press 1., otherwise: {say: x}, greeting: '" + "{{ " + "9" * 9000 + " }}" + "'}"), "error: greeting: the template cannot be read (a number too long)"),
    ("a template with a huge number in hexadecimal", HEAD + branches(1, "{offer: Press 1., otherwise: {say: x}, greeting: '" + "{{ 0x" + "f" * 9000 + " }}" + "'}"), "error: greeting: the template cannot be read (a number too long)"),
    ("a template that grows in few steps", HEAD + branches(1, "{offer: Press 1., otherwise: {say: x}, greeting: '" + "{{ brand" + " | replace(\"\", \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\")" * 12 + " }}" + "'}"), "error: greeting: the template fails (replace makes more than 100,000 characters)"),
    ("a huge key", HEAD + b"? " + b"k" * 900_000 + b"\n: v\n" + branches(1), "unknown key; allowed: "),
    ("a long simple key", b"k" * 2000 + b": v", "error: syntax: "),
    ("a huge number", HEAD + b"tries: " + b"9" * 900_000 + b"\n" + branches(1), ":3:8: error: tries: '9999"),
    ("a huge name of a branch", HEAD + b"branches:\n  ? " + b"b" * 900_000 + b"\n  : {offer: Press 1., greeting: STOP, otherwise: {say: x}}\n", ":4:5: error: bbbb"),
    ("two huge names that are alike", HEAD + ALIKE.encode(), f":3:27: error: {LETTERS[:-61:-1]}…: unknown target; allowed: menu"),
    ("unknown keys without end", HEAD + b"".join(b"naame%d: v\n" % number for number in range(9000)) + branches(1), f"error: more than {MAX_FINDINGS} errors"),
    ("unknown targets without end", HEAD + b"menu:\n  say: x\n  otherwise: {say: x}\n  press:\n" + b"".join(b"    k%d: brranch%d\n" % (n, n) for n in range(4000)) + branches(1000), f"error: more than {MAX_FINDINGS} errors"),
    ("menus in one long row", HEAD + b"numbers: {+1 415 555 0100: b0}\nmenus:\n" + b"".join(b"  m%d: {say: x, press: {1: m%d}, otherwise: {menu: m%d}}\n" % (n, n + 1, n + 1) for n in range(1600)) + b"  m1600: {say: x, press: {1: b0}, otherwise: {menu: m0}}\n" + branches(1), "warning: m0: no number and no key reaches"),
    ("numbers without end", HEAD + b"numbers:\n" + b"".join(b'  "+1 212 555 %04d": x\n' % n for n in range(9000)) + branches(1), f"error: more than {MAX_FINDINGS} errors"),
    ("unknown keys without end beside a wrong one", HEAD + b"accept: five\nother_number: 12\n" + b"".join(b"zz%d: v\n" % number for number in range(400)) + branches(1), f"error: more than {MAX_FINDINGS} errors"),
    ("branches that nobody reaches", HEAD + b'numbers: {"+1 212 555 0100": menu}\nmenu:\n  say: x\n  otherwise: {say: x}\n  press:\n    1: b0\n' + branches(1900), "warning: b1: no number and no key reaches"),
    ("misspelt keys without end", HEAD + branches(1800, "{offr: Press 1., greting: STOP, otherwse: {say: x}}"), f"error: more than {MAX_FINDINGS} errors"),
    ("empty branches without end", HEAD + branches(6000, "{}"), f"error: more than {MAX_FINDINGS} errors"),
    ("warnings without end", HEAD + branches(1800, "{offer: Press 1., greeting: Hello., otherwise: {queue: q}}"), f"warning: more than {MAX_FINDINGS} warnings"),
]  # fmt: skip


def bounded() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What one check says of every hostile file: its lines by the file's name."""
    directory = tmp_path_factory.mktemp("hostile")
    for number, (_, content, _) in enumerate(HOSTILE):
        (directory / f"case-{number}.yaml").write_bytes(content)
    ended = subprocess.run(
        [sys.executable, "-m", "ivr", "check", "--strict", str(directory)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        preexec_fn=bounded,
    )
    assert ended.returncode == 1, ended.stderr[-500:]
    assert ended.stderr == "", "no traceback, and nothing beside the findings"
    lines: dict[str, list[str]] = {}
    for line in ended.stdout.splitlines():
        name, _, finding = line.removeprefix(f"{directory}/").partition(".yaml")
        lines.setdefault(name, []).append(finding)
    return lines


@pytest.mark.parametrize(
    ("number", "line"),
    [(number, line) for number, (_, _, line) in enumerate(HOSTILE)],
    ids=[case[0] for case in HOSTILE],
)
def test_a_hostile_file(found: dict[str, list[str]], number: int, line: str) -> None:
    lines = found[f"case-{number}"]
    assert any(line in each for each in lines), lines[:5]
    assert all(each.startswith(":") and len(each) < 800 for each in lines)
    assert len(lines) <= 2 * (MAX_FINDINGS + 1)


def test_names_without_end_are_not_compared(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").write_bytes(HEAD + ALIKE.encode())
    check = [sys.executable, "-m", "ivr", "check", str(tmp_path)]
    assert subprocess.run(check, cwd=ROOT, capture_output=True, timeout=ALONE).returncode == 1


YAML = st.text(alphabet="ab:{}[]-?&*!|>'\"%@`#, \n\t01\x00\u2028\ufeff\U0001f61c", max_size=200).map(
    lambda text: text.encode("utf-8", "surrogatepass")
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300) | YAML)
def test_any_bytes_are_found_wanting(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "acme.yaml"
    file.write_bytes(content)
    loaded = load([file])
    assert loaded.errors  # nothing so short is a brand
    assert all("\n" not in str(finding) for finding in loaded.findings)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(ACME)), st.integers(0, 60), st.binary(max_size=20) | YAML)
def test_the_example_with_any_bytes_in_it(tmp_path: Path, start: int, cut: int, put: bytes) -> None:
    """Bytes cut out, others put in: a brand, or findings that stand inside the file."""
    file = tmp_path / "acme.yaml"
    content = ACME.encode()
    file.write_bytes(content[:start] + put + content[start + cut :])
    loaded = load([file])
    assert loaded.errors or set(loaded.flows) == {"acme"}
    lines = len(file.read_bytes().decode("utf-8", "replace").replace("\u2028", "\n").replace("\r", "\n").splitlines())
    for finding in loaded.findings:
        assert 1 <= finding.place.line <= lines + 1, finding


TREE = yaml.safe_load(ACME)
PATHS = [path for path in source.read(ACME.encode(), "acme.yaml").values if path]
VALUES = st.recursive(
    st.sampled_from(["", "menu", "billing", "1", "+1 415 555 0100", "{{ sla }}", "10 minutes", "x" * 200, "😜", "<play>", "[key]"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["say", "menu", "queue", "play", "1", "a"]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(PATHS), VALUES), min_size=1, max_size=3))
def test_the_example_with_any_value_anywhere(tmp_path: Path, puts: list[tuple[source.Path, object]]) -> None:
    tree = copy.deepcopy(TREE)
    for path, value in puts:
        parent: Any = tree
        for step in path[:-1]:
            parent = parent.get(step) if isinstance(parent, dict) else None
        if isinstance(parent, dict):
            parent[path[-1]] = value
    file = tmp_path / "acme.yaml"
    file.write_text(yaml.safe_dump(tree), encoding="utf-8")
    loaded = load([file])
    assert loaded.errors or set(loaded.flows) == {"acme"}
