"""Words: templates, durations, and the sentences that are there when a brand writes none."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

# Filled in when the call is there; everything else is known when the file is read.
OF_THE_CALL = frozenset({"caller", "ending", "accept", "number", "opens", "promised_at", "messenger_link"})

# Around digits that are read one by one; a voice that knows SSML gets say-as, another gets spaces.
DIGITS_OPEN, DIGITS_CLOSE = "\ue000", "\ue001"

PHRASES: Mapping[str, str] = {
    "sent": (
        "We are texting the number ending in {{ ending }}. You can hang up now. If nothing arrives, stay on the line."
    ),
    "on_its_way": "A text to the number ending in {{ ending }} is on its way. Please stay on the line for a moment.",
    "sent_whatsapp": (
        "We are sending a WhatsApp message to the number ending in {{ ending }}. You can hang up now. "
        "If nothing arrives, stay on the line."
    ),
    "on_its_way_whatsapp": (
        "A WhatsApp message to the number ending in {{ ending }} is on its way. Please stay on the line for a moment."
    ),
    "sent_push": "We are sending a message to our app. You can hang up now. If nothing arrives, stay on the line.",
    "on_its_way_push": "A message to our app is on its way. Please stay on the line for a moment.",
    "not_arrived": "If nothing has arrived, press {{ accept }} to wait for a person.",
    "cannot_text": "We are sorry, we could not text this number.",
    "rejoin": "We are continuing in this thread. How can we help?",
    "ask_number": (
        "Please enter the mobile number that we may text, then press the pound key. Or stay on the line for a person."
    ),
    "wrong_number": "Sorry, that is no number that we can text.",
    "confirm_number": "You entered {{ number }}. If this is right, press 1. To enter it again, press 2.",
    "wrong_key": "Sorry, that key is not in use here.",
    "goodbye": "Thank you. Goodbye.",
    "nobody": "We are sorry, nobody can take your call right now. Please call again later. Goodbye.",
    "help": "{{ brand }}: write here and an agent will answer. Reply STOP to opt out.",
    "stopped": "{{ brand }}: you get no more texts from us. Reply START to get them again.",
}
# These are texted, the others spoken.
TEXTED = ("rejoin", "help", "stopped")
_MORE = {"not_arrived": {"accept"}, "confirm_number": {"number"}}
PHRASE_VARIABLES: Mapping[str, frozenset[str]] = {
    name: frozenset({"brand"}) if name in TEXTED else frozenset({"brand", "caller", "ending"}) | _MORE.get(name, set())
    for name in PHRASES
}

# What a text may need. Loops, calls and arithmetic could keep a caller, or the check, waiting for ever.
_PLAIN_NODES = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.If,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.Not,
    nodes.And,
    nodes.Or,
    nodes.Filter,
    nodes.Keyword,
)
MOST_NESTED = 20  # levels of a template's tree; compiling takes their third power
MOST_REPLACED = 100_000  # characters; each `replace` multiplies what the one before it made
_FILTERS = ("upper", "lower", "title", "capitalize", "trim", "replace", "default", "first", "last", "length")


def _replaced(text: object, old: str, new: str, count: int | None = None) -> str:
    """Jinja's `replace`, its result bounded."""
    written = str(text)
    if len(written) + written.count(old) * len(new) > MOST_REPLACED:
        raise ValueError(f"replace makes more than {MOST_REPLACED:,} characters")
    return written.replace(old, new, -1 if count is None else count)


_environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
_environment.filters = {**{name: _environment.filters[name] for name in _FILTERS}, "replace": _replaced}
_TOO_DEEP = "the template is nested too deep; write {{ name }}"
_SIMPLE = re.compile(r"\{\{\s*([a-z_]+)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Words:
    """A text with what the file knows filled in; `source` is set where the call has to fill in the rest."""

    text: str
    source: str | None = None
    known: tuple[tuple[str, str], ...] = ()

    def spoken(self, of_the_call: Mapping[str, str]) -> str:
        if self.source is None:
            return self.text
        return _rendered(self.source, {**dict(self.known), **of_the_call})

    def filled(self, values: Mapping[str, str]) -> "Words":
        """The same text with more of it known."""
        return self if self.source is None else words(self.source, {**dict(self.known), **values})


class TemplateFault(Exception):
    """A template that cannot be used; the message says what is wrong and what is allowed."""


def variables(source: str) -> set[str]:
    """The names that a template asks for. Raises TemplateFault when it is no template."""
    bare = _SIMPLE.sub("", source)
    if "{" not in bare:  # nearly every text: plain substitution needs no compiler
        return set(_SIMPLE.findall(source))
    try:
        parsed = _environment.parse(source)
        _bounded(parsed)
        strange = next((node for node in parsed.find_all(nodes.Node) if not isinstance(node, _PLAIN_NODES)), None)
        if strange is None:
            return meta.find_undeclared_variables(parsed)
    except TemplateSyntaxError as error:
        raise TemplateFault(f"the template cannot be read ({error.message}); write {{{{ name }}}}") from None
    except RecursionError:
        raise TemplateFault(_TOO_DEEP) from None
    except ValueError:  # Python reads no number of thousands of digits
        raise TemplateFault("the template cannot be read (a number too long); write {{ name }}") from None
    raise TemplateFault(f"{type(strange).__name__.lower()} is too much for a text; allowed: names, if, and filters")


def _bounded(parsed: nodes.Template) -> None:
    level: list[nodes.Node] = [parsed]
    for _ in range(MOST_NESTED):
        level = [child for node in level for child in node.iter_child_nodes()]
    if level:
        raise TemplateFault(_TOO_DEEP)


def is_plain(source: str) -> bool:
    """Whether nothing but names stands in a template."""
    return "{" not in _SIMPLE.sub("", source)


def words(source: str, known: Mapping[str, str]) -> Words:
    """`source` with `known` filled in. Its variables were checked; raises TemplateFault when it fails all the same."""
    source = source.strip()
    if variables(source) & (OF_THE_CALL - known.keys()):
        text = _rendered(source, {**dict.fromkeys(OF_THE_CALL, ""), **known})
        return Words(text, source, tuple(known.items()))
    return Words(_rendered(source, known))


def _rendered(source: str, values: Mapping[str, str]) -> str:
    bare = _SIMPLE.sub("", source)
    if "{" not in bare:
        return _SIMPLE.sub(lambda match: values[match[1]], source)
    try:
        return _compiled(source).render(values)
    except (TemplateError, ArithmeticError, TypeError, ValueError, LookupError) as error:
        raise TemplateFault(f"the template fails ({error})") from None


@lru_cache(maxsize=512)
def _compiled(source: str) -> Template:
    return _environment.from_string(source)


@dataclass(frozen=True, slots=True)
class Duration:
    seconds: int
    spoken: str  # "10 minutes"


_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}


def duration(text: str) -> Duration | None:
    """ "10 minutes" as seconds and as it is spoken; None when it is no duration."""
    match = re.fullmatch(r"(\d{1,4})\s*(second|minute|hour|day|week)s?", text.strip().lower())
    if not match or int(match[1]) == 0:
        return None
    count, unit = int(match[1]), match[2]
    return Duration(count * _UNITS[unit], f"{count} {unit}{'s' if count != 1 else ''}")


def digit_by_digit(digits: str) -> str:
    return f"{DIGITS_OPEN}{digits}{DIGITS_CLOSE}"
