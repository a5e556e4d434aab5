"""A file of unknown making as lines of text: its encoding, its separator, and nothing that fills the memory."""

import codecs
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

LINE = 1_000_000  # characters; one longer is no table
SEPARATORS = ",;\t|"

_CHUNK = 1 << 20


class BrokenFile(Exception):
    """The file as a whole cannot be used: one sentence that says why, and what mends it."""


def encoding_of(path: Path) -> str:
    """UTF-8 or UTF-16 where the bytes are that, else cp1252 as Western spreadsheets save, or Latin-1."""
    if path.is_fifo() or path.is_char_device():
        raise BrokenFile(f"{path}: a pipe or a device; it is read twice, so save it in a file first.")
    with path.open("rb") as file:
        head = file.read(4096)
        if not head.strip(b"\0 \r\n\t"):
            raise BrokenFile(f"{path}: nothing is in it; export it again.")
        for mark, name in (
            (codecs.BOM_UTF8, "utf-8-sig"),
            (codecs.BOM_UTF16_LE, "utf-16"),
            (codecs.BOM_UTF16_BE, "utf-16"),
        ):
            if head.startswith(mark):
                return name
        if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x1f\x8b", b"%PDF")):
            raise BrokenFile(f"{path}: a workbook or an archive, not text; save the sheet as CSV.")
        wide = _wide(head)
        if wide:
            return wide
        file.seek(0)
        return next((name for name in ("utf-8", "cp1252") if _decodes(file, name)), "latin-1")


def _wide(head: bytes) -> str | None:
    """UTF-16 without its mark shows: of Western text every other byte is zero."""
    odd, even = head[1::2].count(0), head[0::2].count(0)
    if odd > len(head) * 0.3 and even < len(head) * 0.05:
        return "utf-16-le"
    if even > len(head) * 0.3 and odd < len(head) * 0.05:
        return "utf-16-be"
    return None


def _decodes(file: BinaryIO, name: str) -> bool:
    file.seek(0)
    decoder = codecs.getincrementaldecoder(name)()
    try:
        while chunk := file.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def lines(path: Path, encoding: str, moved: Callable[[int], None] = lambda _bytes: None) -> Iterator[str]:
    """The lines with their ends; `moved` hears now and then how many bytes are read."""
    with path.open("rb") as raw, io.TextIOWrapper(raw, encoding=encoding, newline="") as text:
        number = 0
        try:
            while line := text.readline(LINE):
                number += 1
                if len(line) == LINE:
                    raise BrokenFile(f"{path}: line {number} is longer than {LINE:,} characters; this is no table.")
                if number % 4096 == 0:
                    moved(raw.tell())
                yield line
        except UnicodeError:
            raise BrokenFile(f"{path}: not {encoding} after line {number}; save it as UTF-8.") from None
        moved(raw.tell())
