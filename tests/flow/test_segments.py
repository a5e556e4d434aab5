"""How many SMS a text takes: GSM-7 and UCS-2, their limits, and characters that are never split."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.flow.segments import DEFAULT, EXTENSION, segments

# what it is, the text, encoding, characters, segments, the character that forces UCS-2
TEXTS = [
    ("nothing", "", "GSM-7", 0, 1, ""),
    ("one segment, full", "x" * 160, "GSM-7", 160, 1, ""),
    ("one more", "x" * 161, "GSM-7", 161, 2, ""),
    ("two parts, full", "x" * 306, "GSM-7", 306, 2, ""),
    ("three parts", "x" * 307, "GSM-7", 307, 3, ""),
    ("an extension character counts two", "x" * 158 + "€", "GSM-7", 160, 1, ""),
    ("and is too much in the last place", "x" * 159 + "€", "GSM-7", 161, 2, ""),
    ("every extension character", "^{}\\[~]|€\f", "GSM-7", 20, 1, ""),
    ("eighty of them", "[" * 80, "GSM-7", 160, 1, ""),
    ("an extension character is not split", "x" * 152 + "€" + "x" * 152, "GSM-7", 306, 3, ""),
    ("nor are seventy-six of them a part", "{" * 153, "GSM-7", 306, 3, ""),
    ("line breaks and accents are in it", "é\r\nÅßñ¿Ω", "GSM-7", 8, 1, ""),
    ("a small c with cedilla is not", "ç", "UCS-2", 1, 1, "ç"),
    ("nor a backtick", "it`s", "UCS-2", 4, 1, "`"),
    ("nor a tab", "a\tb", "UCS-2", 3, 1, "\t"),
    ("a curly quote", "It’s", "UCS-2", 4, 1, "’"),
    ("the first of several", "“It’s”", "UCS-2", 6, 1, "“"),
    ("one segment of UCS-2, full", "’" + "x" * 69, "UCS-2", 70, 1, "’"),
    ("one more", "’" + "x" * 70, "UCS-2", 71, 2, "’"),
    ("two parts of UCS-2, full", "’" + "x" * 133, "UCS-2", 134, 2, "’"),
    ("three parts of UCS-2", "’" + "x" * 134, "UCS-2", 135, 3, "’"),
    ("an extension character is one in UCS-2", "’" + "€" * 69, "UCS-2", 70, 1, "’"),
    ("an emoji counts two", "😜" + "x" * 68, "UCS-2", 70, 1, "😜"),
    ("and one more", "😜" + "x" * 69, "UCS-2", 71, 2, "😜"),
    ("an emoji is not split", "x" * 66 + "😜" + "x" * 66, "UCS-2", 134, 3, "😜"),
    ("sixty-seven emoji, thirty-three a part", "😜" * 67, "UCS-2", 134, 3, "😜"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "encoding", "characters", "count", "forced_by"),
    [case[1:] for case in TEXTS],
    ids=[case[0] for case in TEXTS],
)
def test_a_text(text: str, encoding: str, characters: int, count: int, forced_by: str) -> None:
    counted = segments(text)
    assert (counted.encoding, counted.characters, counted.count, counted.forced_by) == (
        encoding,
        characters,
        count,
        forced_by,
    )


def test_the_alphabet_has_the_size_of_its_standard() -> None:
    assert len(DEFAULT) == 127  # 128 and the escape, which is no character
    assert len(EXTENSION) == 10
    assert not DEFAULT & EXTENSION


@given(st.text(alphabet=st.sampled_from("ax€{’😜é\n")), st.sampled_from("a€’😜"))
def test_more_text_never_takes_less(text: str, more: str) -> None:
    before, after = segments(text), segments(text + more)
    if after.encoding == before.encoding:  # an extension character counts two in GSM-7, one in UCS-2
        assert after.characters > before.characters
    assert after.count >= before.count
    room = {"GSM-7": 153, "UCS-2": 67}[after.encoding]
    if after.count > 1:
        assert (after.count - 1) * (room - 1) < after.characters <= after.count * room
