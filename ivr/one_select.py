"""SQL that a brand wrote: whether it is one SELECT that asks about a number, and how each driver is asked. Pure."""

from collections.abc import Iterator

from sqlparse import lexer, tokens

PARAMETER = ":number"
LONGEST = 10_000  # characters

# Keywords that the library does not count among those that change something.
_WRITES = frozenset({"INTO", "CALL", "COPY", "LOCK", "VACUUM", "ATTACH", "DETACH", "PRAGMA", "SET", "DO", "EXECUTE"})

_Token = tuple[object, str]


def fault(sql: str) -> str | None:
    """What is wrong with it, as half a sentence, or None. The database's own read-only mode is the second wall."""
    if len(sql) > LONGEST:
        return f"has {len(sql):,} characters; at most {LONGEST:,}"
    there = list(_said(sql))
    while there and there[-1][1] == ";":
        there.pop()
    if not there or there[0][1].upper() not in ("SELECT", "WITH"):
        return f"is no SELECT; write one that asks for {PARAMETER}"
    if any(text == ";" for _, text in there):
        return "has more than one statement; write one SELECT"
    writes = next((text for kind, text in there if _changes(kind, text)), None)
    if writes:
        return f"says {writes[:20].upper()}; it may only read (a name like that goes in double quotes)"
    asked = {text for kind, text in there if kind in tokens.Name.Placeholder}
    if strange := sorted(asked - {PARAMETER}):
        return f"binds {strange[0][:40]}; all there is to bind is {PARAMETER}, the caller's in E.164"
    return None if asked else f"does not ask about the caller; bind {PARAMETER}, which is E.164, in its WHERE"


def for_psycopg(sql: str) -> str:
    """The same with `%(number)s`, every other percent sign doubled."""
    return "".join(
        "%(number)s" if kind in tokens.Name.Placeholder else text.replace("%", "%%")
        for kind, text in _tokens(sql.rstrip("; \t\r\n"))
    )


def _said(sql: str) -> Iterator[_Token]:
    return ((kind, text) for kind, text in _tokens(sql) if kind not in tokens.Comment and kind not in tokens.Whitespace)


def _tokens(sql: str) -> Iterator[_Token]:
    return iter(lexer.tokenize(sql))


def _changes(kind: object, text: str) -> bool:
    if kind in tokens.Keyword.DML:
        return text.upper() != "SELECT"
    if kind in tokens.Keyword.DDL or kind in tokens.Keyword.DCL:
        return True
    return kind in tokens.Keyword and text.upper() in _WRITES
