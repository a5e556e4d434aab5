"""The flow: one brand's calls and texts, frozen, with every default filled in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from ivr.flow.aims import Costs, Goal
from ivr.flow.hours import Hours
from ivr.flow.identify import Identify
from ivr.flow.push import Consumers, Push
from ivr.flow.words import Duration, Words

Key = str  # one of 0-9, * and #
Channel = Literal["push", "whatsapp", "rcs", "sms"]
CHANNELS: tuple[Channel, ...] = get_args(Channel)

PUSH = "push"  # the sender of what goes into a brand's app; nobody answers to it
M_ME = "https://m.me/"
WHATSAPP, RCS = "whatsapp:", "rcs:"  # before a number, in addresses of these channels
ANSWERED: tuple[Channel, ...] = ("sms", "whatsapp", "rcs")  # channels that come back to POST /messages


@dataclass(frozen=True, slots=True)
class Recording:
    url: str


Spoken = Words | Recording


@dataclass(frozen=True, slots=True)
class ToQueue:
    name: str


@dataclass(frozen=True, slots=True)
class ToNumber:
    number: str  # E.164


@dataclass(frozen=True, slots=True)
class ToSip:
    address: str  # sip:…


@dataclass(frozen=True, slots=True)
class ToUrl:
    url: str


@dataclass(frozen=True, slots=True)
class ToStudio:
    """Back to the Studio flow that sent the caller."""


@dataclass(frozen=True, slots=True)
class ToGoodbye:
    spoken: Spoken


@dataclass(frozen=True, slots=True)
class ToMenu:
    name: str


Exit = ToQueue | ToNumber | ToSip | ToUrl | ToStudio | ToGoodbye | ToMenu


@dataclass(frozen=True, slots=True)
class Menu:
    name: str
    say: Spoken
    press: Mapping[Key, str]  # key -> the name of a branch or menu
    otherwise: Exit
    fallback: Exit | None
    tries: int
    wait: int  # seconds


@dataclass(frozen=True, slots=True)
class Expect:
    """What a consumer is texted along a conversation, each once; None where nothing is."""

    received: Words | None = None
    late: Words | None = None
    closed: Words | None = None
    ended: Words | None = None


@dataclass(frozen=True, slots=True)
class FollowUp:
    after: int  # seconds
    text: Words


@dataclass(frozen=True, slots=True)
class Branch:
    name: str
    offer: Spoken
    greeting: Words
    otherwise: Exit
    fallback: Exit | None
    accept: Key
    tries: int
    wait: int  # seconds
    confirm: int  # seconds
    other_number: Key | None  # the key by which a caller asks for the text at another number
    skill: str | None
    sla: Duration | None
    regions: tuple[str, ...]
    hours: Hours | None = None
    closed: "Branch | None" = None  # the branch as it is out of hours
    expect: Expect = Expect()
    warn_before: int | None = None  # seconds before the promise ends
    follow_up: FollowUp | None = None
    identify: Identify | None = None
    channels: tuple[Channel, ...] = ("sms",)  # the first that reaches the consumer takes the greeting
    choices: Mapping[Key, Channel] = field(default_factory=dict)  # keys that accept and say by which channel
    variables: Mapping[str, Words] = field(default_factory=dict)  # of the WhatsApp template
    share: float = 1.0  # of the callers, who hear the offer; the others are led on as with `otherwise`
    goal: Goal | None = None
    until: int | None = None  # as it is out of hours, for one caller: the next opening in seconds of Unix, 0 for none


@dataclass(frozen=True, slots=True)
class WhatsApp:
    address: str  # whatsapp:+…
    template: str  # HX…, approved: nobody who only pressed a key may be sent other words first


@dataclass(frozen=True, slots=True)
class Sender:
    address: str  # of texts: E.164 or a messaging service, MG…
    number_format: Literal["full", "e164"]
    whatsapp: WhatsApp | None = None
    rcs: str | None = None  # a messaging service, MG…

    def by(self, channel: Channel) -> str | None:
        """Who sends by a channel, as messages name it; None where nobody does. Push has no sender of its own."""
        if channel == "whatsapp":
            return self.whatsapp.address if self.whatsapp else None
        return {"sms": self.address, "rcs": self.rcs}.get(channel)

    @property
    def addresses(self) -> tuple[str, ...]:
        """All that consumers can answer to."""
        return tuple(address for channel in ANSWERED if (address := self.by(channel)))


@dataclass(frozen=True, slots=True)
class LivePersonDesk:
    """LivePerson by its Connector API; campaign and engagement count together alone."""

    campaign: str | None
    engagement: str | None


@dataclass(frozen=True, slots=True)
class WebhookDesk:
    """A desk of the brand's own. `secret_env`: the environment variable that holds the secret of its signatures."""

    url: str
    secret_env: str
    allow_private: bool


@dataclass(frozen=True, slots=True)
class NativeDesk:
    """LivePerson owns the number's texts; only the greeting is ours."""


Desk = LivePersonDesk | WebhookDesk | NativeDesk


@dataclass(frozen=True, slots=True)
class Flow:
    id: str
    name: str
    language: str
    voice: str | None
    timezone: str
    numbers: Mapping[str, str]  # E.164 -> the name of a branch or menu
    sender: Sender
    menus: Mapping[str, Menu]
    branches: Mapping[str, Branch]
    phrases: Mapping[str, Spoken]
    desk: Desk | None
    context_line: bool  # whether agents are told where a conversation comes from
    skill: str | None  # for texts that no deflection explains
    reply_window: int  # seconds that a text belongs to the last deflection's skill
    hours: Hours | None  # of conversations that no branch explains, and their texts
    expect: Expect
    identify: Identify | None = None  # of conversations that no branch explains
    goal: Goal | None = None  # of all branches together
    costs: Costs | None = None
    push: Push | None = None
    consumers: Consumers | None = None  # none: the embedded directory
    lookup: bool = False  # whether Twilio is asked what kind of line a number is
    messenger: str | None = None  # the Facebook page's name

    def greeting(self, branch: Branch, caller: str, greeting_id: str) -> str:
        """The words of a greeting. Its row's id stands in a link to Messenger, and leads back to the call."""
        link = f"{M_ME}{self.messenger}?ref={greeting_id}" if self.messenger else ""
        return branch.greeting.spoken({"caller": caller, "messenger_link": link})

    def text(self, phrase: str) -> str:
        """A phrase that is texted, not spoken."""
        found = self.phrases[phrase]
        assert isinstance(found, Words)  # the check refuses a recording here
        return found.text

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Those that the brand has set up, whichever its branches prefer."""
        return tuple(name for name in CHANNELS if (self.push if name == PUSH else self.sender.by(name)))

    @property
    def relays_to(self) -> str | None:
        """The kind of desk that consumers' texts go to; None where they only are written down."""
        if isinstance(self.desk, LivePersonDesk):
            return "liveperson"
        return "webhook" if isinstance(self.desk, WebhookDesk) else None

    def place(self, name: str) -> Menu | Branch | None:
        return self.menus.get(name) or self.branches.get(name)

    @property
    def entry(self) -> Menu | Branch | None:
        """Where `POST /voice/<brand>` enters: the menu, or the only branch."""
        if "menu" in self.menus:
            return self.menus["menu"]
        return next(iter(self.branches.values())) if len(self.branches) == 1 else None
