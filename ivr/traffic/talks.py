"""Conversations in a report of containment: our own, LivePerson's, and what a month of them comes to."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ivr.traffic.intervals import Range, wilson

ALL = ""  # in the place of a branch or a month: all of them
Key = tuple[str, str]  # a branch and a month


class Talk(NamedTuple):
    """A conversation: whose it is, when it began, the branch that it came of, if any.

    `desk_id`, `desk_consumer`: LivePerson's names for it and for the consumer. `before`: LivePerson says that the
    consumer had one before.
    """

    caller: str
    at: int
    branch: str
    desk_id: str = ""
    desk_consumer: str = ""
    before: bool = False


class Chat(NamedTuple):
    """A conversation as LivePerson keeps it. Moments are seconds of Unix, `ended` is None while it is open.

    `taken`: when the first agent had it. `mark`: stands for the consumer's number, "" where LivePerson has none.
    """

    id: str
    at: int
    ended: int | None
    taken: int | None
    consumer: str
    mark: str
    first: bool | None


@dataclass(frozen=True, slots=True)
class Load:
    """`ours`: opened by this server. `minutes`: that agents had them, until their end; of `timed` ones it is known."""

    conversations: int
    ours: int
    closed: int
    consumers: int
    returning: Range | None
    minutes: float
    timed: int


@dataclass(frozen=True)
class Messaging:
    """What LivePerson keeps, or `unread`: why that is not known. `elsewhere`: conversations that never touched us."""

    unread: str = ""
    loads: Mapping[Key, Load] = field(default_factory=dict)
    elsewhere: Sequence[Talk] = ()
    notes: Sequence[str] = ()


NOT_ASKED = Messaging("not read")


def returning(talks: Sequence[Talk], before: Iterable[Talk], keys: Callable[[Talk], Iterable[Key]]) -> dict[Key, Range]:
    """Of the consumers who texted in a cell, who had texted the brand before; each consumer once a cell.

    `before`: conversations that count as such, and are in no cell. `keys`: the cells of one that is.
    """
    seen: set[str] = set()
    told: dict[Key, dict[str, bool]] = {}
    both = [*((talk.at, 0, talk) for talk in talks), *((talk.at, 1, talk) for talk in before)]
    for _, other, talk in sorted(both, key=lambda each: each[:2]):
        if not other:
            for key in keys(talk):
                consumers = told.setdefault(key, {})
                consumers[talk.caller] = consumers.get(talk.caller, False) or talk.before or talk.caller in seen
        seen.add(talk.caller)
    rates = {key: wilson(sum(consumers.values()), len(consumers)) for key, consumers in told.items()}
    return {key: rate for key, rate in rates.items() if rate}


class _Sum:
    def __init__(self) -> None:
        self.conversations = self.ours = self.closed = self.timed = 0
        self.seconds = 0

    def add(self, chat: Chat, ours: bool) -> None:
        self.conversations += 1
        self.ours += ours
        self.closed += chat.ended is not None
        if chat.ended is not None and chat.taken is not None:
            self.timed += 1
            self.seconds += max(0, chat.ended - chat.taken)


@dataclass(frozen=True, slots=True)
class Known:
    """What a conversation of LivePerson's is told apart by."""

    talks: Sequence[Talk]  # ours, all that ever were
    callers: Iterable[str]
    others: frozenset[str]  # LivePerson's ids of conversations of other brands here
    mark: Callable[[str], str]


def joined(chats: Iterable[Chat], known: Known, month: Callable[[int], str]) -> tuple[list[Talk], Messaging]:
    """Our conversations, with what LivePerson says of them; and what it keeps in all, by branch and month.

    Joined by the conversation's id, which we know since we opened it; consumers by LivePerson's id, then by number.
    """
    by_id = {talk.desk_id: talk for talk in known.talks if talk.desk_id}
    of_consumer = {talk.desk_consumer: talk.caller for talk in known.talks if talk.desk_consumer}
    of_mark = {known.mark(caller): caller for caller in {*known.callers, *(talk.caller for talk in known.talks)}}
    sums: dict[Key, _Sum] = {}
    everybody: list[Talk] = []
    elsewhere: list[Talk] = []
    had_before: set[str] = set()
    for chat in {chat.id: chat for chat in chats if chat.id not in known.others}.values():
        own = by_id.get(chat.id)
        caller = (
            own.caller if own else of_consumer.get(chat.consumer) or of_mark.get(chat.mark) or f"lp:{chat.consumer}"
        )
        talk = Talk(caller, chat.at, own.branch if own else ALL, chat.id, chat.consumer, chat.first is False)
        everybody.append(talk)
        if not own:
            elsewhere.append(talk)
        elif talk.before:
            had_before.add(chat.id)
        for key in _keys(talk, month):
            sums.setdefault(key, _Sum()).add(chat, own is not None)
    ours = [talk._replace(before=True) if talk.desk_id in had_before else talk for talk in known.talks]
    told = {talk.desk_id for talk in everybody}
    before = [talk for talk in known.talks if talk.desk_id not in told]
    rates = returning(everybody, before, lambda talk: _keys(talk, month))
    consumers = _consumers(everybody, month)
    loads = {key: _load(sums[key], consumers[key], rates.get(key)) for key in sums}
    return ours, Messaging(loads=loads, elsewhere=elsewhere)


def _keys(talk: Talk, month: Callable[[int], str]) -> set[Key]:
    """A conversation without a branch is in the cells of all branches alone."""
    when = month(talk.at)
    return {(talk.branch, when), (talk.branch, ALL), (ALL, when), (ALL, ALL)}


def _consumers(talks: Iterable[Talk], month: Callable[[int], str]) -> dict[Key, int]:
    told: dict[Key, set[str]] = {}
    for talk in talks:
        for key in _keys(talk, month):
            told.setdefault(key, set()).add(talk.caller)
    return {key: len(callers) for key, callers in told.items()}


def _load(total: _Sum, consumers: int, rate: Range | None) -> Load:
    return Load(
        total.conversations, total.ours, total.closed, consumers, rate, round(total.seconds / 60, 1), total.timed
    )
