"""The picture of a brand's call tree: what is in it, and that no words can break it."""

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.flow.graph import LONGEST, dot, graph, mermaid
from ivr.flow.load import load_directory
from ivr.flow.model import (
    Branch,
    Exit,
    Flow,
    Menu,
    Recording,
    ToGoodbye,
    ToMenu,
    ToNumber,
    ToQueue,
    ToSip,
    ToStudio,
    ToUrl,
)
from ivr.flow.words import Words
from ivr.sandbox.town import ROOT

# What a line may be. A label is letters, digits, plain punctuation and numbered characters, a line break between.
_LABEL = r"\"((?:[^\W]|[ .,!?'()+\-/…“”]|#\d+;|<br/>)*)\""
_SHAPES = (r"\(\[LABEL\]\)", r"\{\{LABEL\}\}", r"\[LABEL\]", r"\[/LABEL/\]", r"\[\[LABEL\]\]", r"\(LABEL\)")
_NODE = re.compile(rf"  (n\d+)(?:{'|'.join(_SHAPES)})".replace("LABEL", _LABEL))
_EDGE = re.compile(rf"  (n\d+) -->(?:\|{_LABEL}\|)? (n\d+)")
_DOT_LABEL = r'"((?:[^"\\]|\\["\\n])*)"'
_DOT_NODE = re.compile(rf"  (n\d+) \[label={_DOT_LABEL} shape=[a-z=0-9 ]+\]")
_DOT_EDGE = re.compile(rf"  (n\d+) -> (n\d+) \[label={_DOT_LABEL}\]")


def read(text: str) -> tuple[dict[str, str], list[tuple[str, str, str]]]:
    """The nodes and edges that a Mermaid text declares: id to label, and (from, label, to). Every line is one."""
    first, *lines = text.removesuffix("\n").split("\n")
    assert first == "flowchart TD"
    nodes: dict[str, str] = {}
    edges = []
    for line in lines:
        if found := _EDGE.fullmatch(line):
            assert {found[1], found[3]} <= set(nodes), line
            edges.append((found[1], _unescaped(found[2] or ""), found[3]))
        else:
            found = _NODE.fullmatch(line)
            assert found, line
            assert found[1] not in nodes
            nodes[found[1]] = _unescaped(next(label for label in found.groups()[1:] if label is not None))
    return nodes, edges


def _unescaped(label: str) -> str:
    return re.sub(r"#(\d+);", lambda match: chr(int(match[1])), label.replace("<br/>", "\n"))


def told(flow: Flow) -> list[str]:
    """Every edge in words: what the first line of each node says."""
    nodes, edges = read(mermaid(graph(flow)))
    first = {node: label.split("\n")[0] for node, label in nodes.items()}
    return [f"{first[start]} -{label}> {first[end]}" for start, label, end in edges]


def changed(**changes: Any) -> Flow:
    """Corner Bakery, its one branch changed and without a fallback unless there is one in `changes`."""
    bakery = load_directory(ROOT / "flows").flows["corner-bakery"]
    orders: Branch = replace(bakery.branches["orders"], **{"fallback": None, **changes})
    return replace(bakery, branches={"orders": orders})


def test_acme(acme: Flow) -> None:
    assert told(acme) == [
        "+1(415) 555-0100 -> menu",
        "+1(415) 555-0101 -> billing",
        "menu -1> billing",
        "menu -2> bookings",
        "menu -otherwise> queue front",
        "queue front -fallback> say and hang up",
        "billing -1> text",
        "billing -otherwise> queue billing",
        "queue billing -fallback> say and hang up",
        "bookings -1> text",
        "bookings -otherwise> dial +1(415) 555-0199",
        "dial +1(415) 555-0199 -fallback> say and hang up",
    ]
    nodes, _ = read(mermaid(graph(acme)))
    assert "billing\n“Instead of waiting on the line, you can also connect with…”" in nodes.values()
    assert "text\n“Thank you for texting Acme Air. How can we help with your…”" in nodes.values()


def test_the_key_for_another_number() -> None:
    lines = told(changed(other_number="2"))
    assert lines[1:3] == ["orders -1> text", "orders -2, to another number> text"]


OTHERWISE: list[tuple[str, Exit, str]] = [
    ("a queue", ToQueue("front"), "queue front"),
    ("a number", ToNumber("+14155550199"), "dial +1(415) 555-0199"),
    ("a SIP address", ToSip("sip:a@b.c"), "dial sip:a@b.c"),
    ("a URL", ToUrl("https://a.example/x"), "redirect https://a.example/x"),
    ("Studio", ToStudio(), "studio return"),
    ("words", ToGoodbye(Words("Bye.")), "say and hang up"),
    ("a menu", ToMenu("later"), "later"),
]


@pytest.mark.parametrize(("way", "shown"), [case[1:] for case in OTHERWISE], ids=[case[0] for case in OTHERWISE])
def test_every_way_on(way: Exit, shown: str) -> None:
    flow = changed(otherwise=way, fallback=ToQueue("last"))
    lines = told(replace(flow, menus={"later": Menu("later", Words("Hm."), {"5": "orders"}, ToQueue("l"), None, 2, 5)}))
    assert f"orders -otherwise> {shown}" in lines
    fails = isinstance(way, ToQueue | ToNumber | ToSip | ToStudio)
    assert (f"{shown} -fallback> queue last" in lines) is fails


def test_what_no_number_leads_to_has_its_url(acme: Flow) -> None:
    assert told(replace(acme, numbers={}))[0] == "/voice/acme -> menu"
    alone = replace(acme, numbers={"+14155550100": "bookings"}, menus={})
    assert told(alone)[:2] == ["+1(415) 555-0100 -> bookings", "/voice/acme/billing -> billing"]


def test_menus_that_lead_back() -> None:
    menus = {
        "menu": Menu("menu", Words("One?"), {"1": "more", "*": "menu"}, ToQueue("q"), None, 2, 5),
        "more": Menu("more", Recording("https://a.example/m.mp3"), {"#": "menu"}, ToMenu("menu"), None, 2, 5),
    }
    flow = replace(changed(), menus=menus, numbers={"+14155550120": "menu"})
    assert {"menu -1> more", "menu -*> menu", "more -#> menu", "more -otherwise> menu"} <= set(told(flow))
    assert "more\nplays https://a.example/m.mp3" in read(mermaid(graph(flow)))[0].values()


def test_two_thousand_menus_in_a_row() -> None:
    """As many as a file may hold, and more than Python calls itself deep."""
    menus = {}
    for number in range(2000):
        onward = f"m{number + 1}" if number < 1999 else "orders"
        menus[f"m{number}"] = Menu(f"m{number}", Words("On?"), {"1": onward}, ToQueue("q"), None, 2, 5)
    assert len(told(replace(changed(), menus=menus, numbers={"+14155550120": "m0"}))) == 1 + 2 * 2000 + 2


def test_words_of_the_call_stay_as_they_are_written() -> None:
    nodes, _ = read(mermaid(graph(changed(offer=Words("Hello .", "Hello {{ caller }}.", ())))))
    assert "orders\n“Hello {{ caller }}.”" in nodes.values()


HOSTILE = [
    ("quotes", 'say "hi"'),
    ("brackets", "a]) --> n1{{x}}[[/"),
    ("a hash and a semicolon", "style n1 fill:#f00; #quot;"),
    ("html", "<b onclick='x'>&amp;</b><br/>"),
    ("a comment", "%%{init: {}}%% %% x"),
    ("a code span", "`**bold**` | pipe"),
    ("a backslash", "\\n \\"),
    ("letters of the world", "Grüße 東京 مرحبا नमस्ते 🎈"),
]


@pytest.mark.parametrize("words", [case[1] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_words_that_mean_something_to_mermaid(words: str) -> None:
    nodes, edges = read(mermaid(graph(changed(offer=Words(words)))))
    assert nodes["n2"] == f"orders\n“{words}”"
    assert (len(nodes), len(edges)) == (4, 3)


@given(st.text(max_size=200), st.text(max_size=100), st.text(min_size=1, max_size=100))
def test_any_words(offer: str, greeting: str, queue: str) -> None:
    flow = changed(offer=Words(offer), greeting=Words(greeting), otherwise=ToQueue(queue))
    drawn = graph(flow)
    nodes, edges = read(mermaid(drawn))
    assert (len(nodes), len(edges)) == (4, 3)
    assert all(len(line) <= LONGEST + 2 for label in nodes.values() for line in label.split("\n"))
    assert mermaid(graph(flow)) == mermaid(drawn)
    written = "".join(letter for letter in offer if letter.isprintable() and not letter.isspace())
    shown = "".join(nodes["n2"].removeprefix("orders\n“").removesuffix("”").split())
    assert shown == written or (shown.endswith("…") and written.startswith(shown[:-1]) and len(shown) > 1)
    _is_dot(dot(drawn), len(nodes), len(edges))


def _is_dot(text: str, nodes: int, edges: int) -> None:
    opened, font, edge_font, *lines, closed = text.removesuffix("\n").split("\n")
    assert (opened, closed) == ("digraph {", "}")
    assert font.startswith("  node [")
    assert edge_font.startswith("  edge [")
    assert all(_DOT_NODE.fullmatch(line) for line in lines[:nodes])
    assert all(_DOT_EDGE.fullmatch(line) for line in lines[nodes:])
    assert len(lines) == nodes + edges
