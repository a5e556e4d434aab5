"""The asking: which answers are taken and as what, which patterns, what `check` finds, what hostile answers do."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.flow import identify
from ivr.flow.answer_pattern import AnswerPattern, PatternFault, answer_pattern
from ivr.flow.answers import Answer, read
from ivr.flow.identify import Open, Question, taken
from ivr.flow.load import load
from ivr.sandbox.town import ROOT
from tests.flow.pasted import unmended

EIGHT, SOME, ANY = Answer("digits", 8, 8), Answer("digits", 4, 6), Answer("digits")
DATE, AMERICAN, EMAIL = Answer("date"), Answer("date", month_first=True), Answer("email")
REFERENCE = Answer("pattern", pattern=answer_pattern(r"[A-Z]{2}\d{4}|X\d+"))

# what is asked, what is written, what is passed on
ANSWERS: list[tuple[Answer, str, str | None]] = [
    (EIGHT, "12345678", "12345678"),
    (EIGHT, " 1234 5678\n", "12345678"),
    (EIGHT, "1234-5678.", "12345678"),
    (EIGHT, "#12345678", "12345678"),
    (EIGHT, "It's 12345678, thanks!", "12345678"),
    (EIGHT, "my customer number is: 12 34 56 78", "12345678"),
    (EIGHT, "Hi, sure. Account no. 12345678 thank you", "12345678"),
    (EIGHT, "１２３４５６７８", "12345678"),
    (EIGHT, "١٢٣٤٥٦٧٨", "12345678"),
    (EIGHT, "1234567", None),
    (EIGHT, "123456789", None),
    (EIGHT, "12345678 is wrong", None),
    (EIGHT, "I was charged 12345678 twice", None),
    (EIGHT, "it is", None),
    (EIGHT, "", None),
    (EIGHT, "²²²²²²²²", "22222222"),
    (EIGHT, "12345678\x00", None),
    (Answer("pattern", pattern=answer_pattern(".+")), "a\ud800b", None),
    (Answer("pattern", pattern=answer_pattern(".+")), "a\x1bb", None),
    (SOME, "123", None),
    (SOME, "1234", "1234"),
    (SOME, "123456", "123456"),
    (SOME, "1234567", None),
    (ANY, "7", "7"),
    (ANY, "7" * 33, None),
    (DATE, "1980-05-24", "1980-05-24"),
    (DATE, "24.5.1980", "1980-05-24"),
    (DATE, "24. 5. 1980", "1980-05-24"),
    (DATE, "24/05/1980", "1980-05-24"),
    (DATE, "5/24/1980", "1980-05-24"),
    (DATE, "04/05/1980", "1980-05-04"),
    (AMERICAN, "04/05/1980", "1980-04-05"),
    (AMERICAN, "24/05/1980", "1980-05-24"),
    (AMERICAN, "4.5.1980", "1980-05-04"),
    (DATE, "24 May 1980", "1980-05-24"),
    (DATE, "born on the 24th of May, 1980", "1980-05-24"),
    (DATE, "May 24th, 1980", "1980-05-24"),
    (DATE, "29.2.1981", None),
    (DATE, "29.2.1980", "1980-02-29"),
    (DATE, "5/24/80", None),
    (DATE, "24 Foo 1980", None),
    (DATE, "1.1.1899", None),
    (DATE, "yesterday", None),
    (EMAIL, "Ann.Lee+x@Example.COM", "Ann.Lee+x@example.com"),
    (EMAIL, "my e-mail is ann@example.co.uk.", "ann@example.co.uk"),
    (EMAIL, "agent@example.com", "agent@example.com"),
    (EMAIL, "ann@example", None),
    (EMAIL, "ann@@example.com", None),
    (EMAIL, "ann at example.com", None),
    (EMAIL, "ann.@example.com", None),
    (EMAIL, "ann@-example.com", None),
    (EMAIL, "ann@1.2", None),
    (EMAIL, "a" * 100 + "@example.com", None),
    (REFERENCE, "AB1234", "AB1234"),
    (REFERENCE, "Ab1234", "AB1234"),
    (REFERENCE, "booking ab1234 please", "AB1234"),
    (REFERENCE, "x9", "X9"),
    (REFERENCE, "AB123", None),
    (REFERENCE, "AB1234 and AB1235", None),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "body", "value"), ANSWERS)
def test_an_answer(answer: Answer, body: str, value: str | None) -> None:
    assert read(answer, body) == value


# what is written, and what it is taken for where 8 digits are asked for
TAKEN = [
    ("12345678", "answer"),
    ("skip", "skip"),
    ("SKIP.", "skip"),
    ("\"Skip\"", "skip"),
    ("skip it please", "skip"),
    ("I’d like to skip this one", "skip"),
    ("Skip all!", "enough"),
    ("skip the line", "again"),
    ("agent", "end"),
    ("Agent!!", "end"),
    ("I want to speak to a real person now", "end"),
    ("representative", "end"),
    ("my travel agent booked it for me and he says it is wrong", "again"),
    ("agent 12345678", "end"),
    ("what for?", "again"),
    ("", "talk"),
    ("...", "talk"),
]  # fmt: skip
NOW = datetime(2026, 3, 2, 14, 22, tzinfo=UTC)
QUESTION = Question("Which?", "customerId", EIGHT, "Sorry. Which?")


def opened(seconds: float = 30, tries: int = 0) -> Open:
    return Open(QUESTION, NOW - timedelta(seconds=seconds), tries)


@pytest.mark.parametrize(("body", "kind"), TAKEN)
def test_what_a_text_is_taken_for(body: str, kind: str) -> None:
    assert taken(opened(), body, None, NOW).kind == kind


# seconds since the question, tries before, what is written, what it wishes, what it is taken for
TIMES = [
    (9.9, 0, "no", None, "talk"),
    (10, 0, "no", None, "again"),
    (10, 1, "no", None, "end"),
    (1, 0, "12345678", None, "answer"),
    (-1, 0, "12345678", None, "answer"),
    (3600, 0, "12345678", None, "answer"),
    (3601, 0, "12345678", None, "talk"),
    (30, 0, "STOP", "stop", "end"),
    (4000, 0, "STOP", "stop", "end"),
    (30, 0, "HELP", "help", "talk"),
    (30, 0, "START", "start", "talk"),
]  # fmt: skip


@pytest.mark.parametrize(("seconds", "tries", "body", "wished", "kind"), TIMES)
def test_when_a_text_comes(seconds: float, tries: int, body: str, wished: str | None, kind: str) -> None:
    assert taken(opened(seconds, tries), body, wished, NOW).kind == kind


# a pattern, what it takes, what not
PATTERNS = [
    (r"\d{8}", ["12345678"], ["1234567", "123456789", "١٢٣٤٥٦٧٨"]),
    (r"^\d{8}$", ["12345678"], ["1234567"]),
    (r"[A-Z]{2}-?\d{3,5}", ["AB123", "AB-12345"], ["A123", "AB--123", "AB123456"]),
    (r"[^0-9]\w+", ["ab_9"], ["9ab", "a"]),
    (r"A|BC|\d+", ["A", "BC", "77"], ["ABC", "B"]),
    (r"[a-z\d.-]{2,}", ["a.", "-9"], ["a", "A9"]),
    (r"a.c\.d", ["abc.d"], ["abcd"]),
    (r"[\]\-^]{3}", ["]-^"], ["abc"]),
    (r"a*b", ["b", "aaab"], ["a"]),
    (r"\$5", ["$5"], ["5"]),
]  # fmt: skip


@pytest.mark.parametrize(("written", "takes", "refuses"), PATTERNS)
def test_a_pattern(written: str, takes: list[str], refuses: list[str]) -> None:
    pattern = answer_pattern(written)
    assert [text for text in takes if not pattern.matches(text)] == []
    assert [text for text in refuses if pattern.matches(text)] == []


FAULTS = [
    (r"(a+)+", "'(' is too much"),
    (r"\bA", r"'\\b' is too much|\\b is too much"),
    (r"a{2}{3}", "is too much"),
    (r"[z-a]", "is no range"),
    (r"a{5,2}", "repeats nothing"),
    (r"a{0}b", "repeats nothing"),
    (r"\d*", "takes an empty answer"),
    (r"A|", "takes an empty answer"),
    (r"[", "is too much"),
    ("a\\", "is too much"),
    (r"a**", "is too much"),
    ("a" * 201, "at most 200"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "says"), FAULTS)
def test_a_pattern_that_is_none(written: str, says: str) -> None:
    with pytest.raises(PatternFault, match=says.replace("(", r"\(")):
        answer_pattern(written)


PIECES = st.sampled_from(["a", "[ab]", ".", r"\w", r"\d", "[^b]"])
TIMES_OF = st.sampled_from(["", "?", "*", "+", "{2,5}", "{0,64}"])
HOSTILE = st.lists(st.tuples(PIECES, TIMES_OF).map("".join), min_size=1, max_size=40).map("".join)


@given(HOSTILE, st.text("ab!", max_size=64))
def test_no_pattern_keeps_the_server_busy(written: str, text: str) -> None:
    try:
        pattern = answer_pattern(written[:200])
    except PatternFault:
        return
    began = time.process_time()
    pattern.matches(text)
    assert time.process_time() - began < 0.5


def test_what_would_be_a_catastrophe_elsewhere() -> None:
    pattern: AnswerPattern = answer_pattern("a*" * 60 + "b")
    began = time.process_time()
    assert not pattern.matches("a" * 64)
    assert time.process_time() - began < 0.5


ALL = [EIGHT, SOME, ANY, DATE, AMERICAN, EMAIL, REFERENCE]


@given(st.text(max_size=300) | st.text("0123456789-./ @.aAmayMAY#'", max_size=2000), st.sampled_from(ALL))
def test_any_text_is_an_answer_or_none(body: str, answer: Answer) -> None:
    value = read(answer, body)
    assert value is None or (0 < len(value) <= 120 and value.isprintable() and read(answer, value) == value)


@given(st.text(max_size=200), st.floats(-100, 5000), st.integers(0, 3))
def test_any_text_is_taken_for_something(body: str, seconds: float, tries: int) -> None:
    found = taken(opened(seconds, tries), body, None, NOW)
    assert bool(found.value) is (found.kind == "answer")
    assert found.value not in repr(found) or not found.value


def test_the_desk_waits_for_ten_minutes_at_most() -> None:
    asked = identify.Identify("before", "why", (QUESTION,), 180, 600, "")
    waits = [identify.held_until(asked, NOW, NOW + timedelta(minutes=minutes)) - NOW for minutes in (0, 5, 9)]
    assert [wait.total_seconds() / 60 for wait in waits] == [3, 8, 10]


GOOD = """\
name: Acme
sender: {sms: "+1 415 555 0111"}
numbers: {"+1 415 555 0100": billing}
fallback: {say: Goodbye.}
desk:
  liveperson: {}
branches:
  billing:
    offer: Press 1.
    greeting: "{{ brand }} here. Reply STOP to opt out."
    otherwise: {queue: billing}
    identify:
      why: May {{ brand }} ask who you are? Reply SKIP to any question.
      questions:
        - ask: What is your customer number?
          answer: 8 digits
          attribute: customerId
"""

KINDS = [
    "digits",
    "8 digits",
    "1 digit",
    "4-6 digits",
    "4 to 6 digits",
    "Date",
    "email",
    "e-mail",
    "{pattern: '[A-Z]+'}",
]
TWO = GOOD.split("      questions:\n")[1]
WEBHOOK = "  webhook: {url: https://desk.example/ivr, secret_env: ACME_DESK_SECRET}"

# what it is, (old, new), all findings without the file's name
FOUND = [
    ("nothing", ("name:", "name:"), []),
    *((f"answer: {kind}", ("8 digits\n", f"{kind}\n"), []) for kind in KINDS),
    ("after", ("      why:", "      when: after\n      wait: 1 minute\n      thanks: Thanks, {{ branch }}.\n      why:"), []),
    ("a retry", ("          answer:", "          retry: \"{{ brand }} needs 8 digits.\"\n          answer:"), []),
    ("no why", ("      why: May {{ brand }} ask who you are? Reply SKIP to any question.\n", ""), ["13:7: error: why is missing; identify needs it"]),
    ("no questions", ("\n" + TWO, " []\n"), ["14:18: error: questions: is empty; at least one is needed"]),
    ("five questions", (TWO, "".join(TWO.replace("customerId", name) for name in ("customerId", "userName", "imei", "company", "email"))), ["15:9: error: questions: has 5 entries; at most 4"]),
    ("another desk's name", ("customerId", "booking"), ["17:22: error: booking: unknown attribute of LivePerson's; allowed: birthday, company, customerId, "]),
    ("a near name", ("customerId", "customerID"), ["17:22: error: customerID: unknown attribute of LivePerson's; did you mean customerId?"]),
    ("any name at a desk of one's own", ("  liveperson: {}", WEBHOOK), []),
    ("a name that is none", ("customerId", "customer id"), ["17:22: error: attribute: 'customer id' is no attribute's name; write one like customerId"]),
    ("a date that is none", ("customerId", "birthday"), ["17:22: error: attribute: birthday is a date at LivePerson; write answer: date"]),
    ("one attribute twice", (TWO, TWO * 2), ["20:22: error: attribute: customerId is asked for twice; each question has its own"]),
    ("an answer that is none", ("8 digits", "a word"), ["16:19: error: answer: 'a word' is no kind of answer; write digits, 8 digits, 6 to 10 digits (at most 32), date, email or {pattern: …}"]),
    ("too many digits", ("8 digits", "33 digits"), ["16:19: error: answer: '33 digits' is no kind"]),
    ("digits the wrong way round", ("8 digits", "6 to 4 digits"), ["16:19: error: answer: '6 to 4 digits' is no kind"]),
    ("a pattern that may take for ever", ("8 digits", "{pattern: '(a+)+'}"), ["16:29: error: pattern: '(' is too much for a pattern here; allowed: letters, digits, "]),
    ("a wait too long", ("      why:", "      wait: 1 hour\n      why:"), ["13:13: error: wait: '1 hour' is out of bounds; allowed: 30 to 600 seconds"]),
    ("a variable nobody knows", ("customer number?", "{{ caller }}?"), ["15:16: error: ask: caller: unknown template variable; allowed: branch, brand"]),
    ("an sla that is not there", ("      why:", "      thanks: Within {{ sla }}.\n      why:"), ["13:15: error: thanks: sla: unknown template variable"]),
    ("a why without SKIP", (" Reply SKIP to any question.", ""), ["13:12: warning: why: does not say that SKIP skips a question; end it with words like: Reply SKIP to any question."]),
    ("a native desk", ("liveperson: {}", "native: {}"), ["12:5: warning: identify: has no effect with a native desk; consumers' texts are not relayed by this server"]),
    ("no desk", ("desk:\n  liveperson: {}\n", ""), ["10:5: warning: identify: has no effect without a desk"]),
    ("a secret", ("customer number", "card number"), ["15:16: warning: ask: a text is no place for a card number; ask for what an agent may read"]),
    ("on a menu", ("branches:", "menus:\n  more:\n    say: Press 1.\n    press: {1: billing}\n    otherwise: {say: Bye.}\n    identify: {}\nbranches:"), None),
]  # fmt: skip


@pytest.mark.parametrize(("change", "findings"), [case[1:] for case in FOUND], ids=[case[0] for case in FOUND])
def test_what_check_finds(tmp_path: Path, change: tuple[str, str], findings: list[str] | None) -> None:
    assert change[0] in GOOD
    file = tmp_path / "acme.yaml"
    file.write_text(GOOD.replace(*change, 1), encoding="utf-8")
    loaded = load([file])
    found = [str(finding).removeprefix(f"{file}:") for finding in loaded.findings]
    if findings is None:
        assert loaded.errors
        return
    assert len(found) == len(findings), found
    for line, beginning in zip(found, findings, strict=True):
        assert line.startswith(beginning), found
    assert unmended(file) == []


def test_the_page_s_example(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "flows.md").read_text(encoding="utf-8")
    example = page.split("## Who the consumer is\n\n```yaml\n")[1].split("```")[0]
    indented = example.removeprefix("branches:\n  billing:\n")
    file = tmp_path / "acme.yaml"
    file.write_text(
        GOOD.split("    identify:", maxsplit=1)[0]
        .replace("    offer:", "    sla: 10 minutes\n    offer:")
        .replace("here.", "here within {{ sla }}.")
        + indented
    )
    loaded = load([file])
    assert loaded.findings == ()
    asked = loaded.flows["acme"].branches["billing"].identify
    assert asked and [each.attribute for each in asked.questions] == ["customerId", "birthday"]
    assert asked.thanks == "Thank you. An agent will be with you within 10 minutes."
    assert asked.questions[1].retry == (
        "Sorry, we could not read that as a date like 05/24/1980. What is your date of birth? (like 05/24/1980) "
        "Or reply SKIP."
    )


@pytest.mark.parametrize(("sla", "most"), [("30 seconds", 15), ("10 minutes", 300), ("1 hour", 600)])
def test_the_asking_takes_half_of_the_promise_at_most(tmp_path: Path, sla: str, most: int) -> None:
    file = tmp_path / "acme.yaml"
    file.write_text(GOOD.replace("    offer:", f"    sla: {sla}\n    offer:"))
    asked = load([file]).flows["acme"].branches["billing"].identify
    assert asked and (asked.wait, asked.most) == (180, most)


def test_a_brand_s_questions_and_a_branch_s_own(tmp_path: Path) -> None:
    of_brand = "\nidentify: {why: Brand? SKIP., questions: [{ask: A?, answer: date, attribute: birthday}]}\n"
    other = "  claims: {offer: Press 1., greeting: Hi. Reply STOP., otherwise: {say: Bye.}}\n"
    file = tmp_path / "acme.yaml"
    file.write_text(GOOD + other + of_brand)
    flow = load([file]).flows["acme"]
    assert flow.identify and flow.identify.why == "Brand? SKIP."
    assert flow.branches["claims"].identify == flow.identify
    own = flow.branches["billing"].identify
    assert own and own.opening == "May Acme ask who you are? Reply SKIP to any question.\nWhat is your customer number?"
