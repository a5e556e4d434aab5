"""The shape of a brand's file: every key, its type and what an editor says of it; the source of its JSON Schema.

A new key is one line here: its type from `scalars`, a description, and an example where a finding may show one.
"""

from typing import Literal

from pydantic import Field

from ivr.flow.aims_shapes import Costs, Share, WrittenGoal
from ivr.flow.channel_shapes import RCS, WHATSAPP, Accept, ChannelName, Messenger, Rcs, WhatsApp
from ivr.flow.desk_shapes import Desk
from ivr.flow.identify_shapes import EXAMPLE as IDENTIFY
from ivr.flow.identify_shapes import Identify
from ivr.flow.promise_shapes import Closed, Expect, FollowUp, WrittenHours
from ivr.flow.push_shapes import Consumers, Push
from ivr.flow.scalars import (
    Confirm,
    Id,
    Key,
    LongTime,
    Name,
    PhoneNumber,
    PhraseName,
    Region,
    SenderAddress,
    Target,
    Text,
    Tries,
    Wait,
    YesOrNo,
    Zone,
)
from ivr.flow.shapes import Exit, Spoken, Strict


class Sender(Strict):
    """Who the texts come from, by each channel."""

    sms: SenderAddress = Field(description="A text-enabled number, not toll-free, or a messaging service (MG…).")
    number_format: Literal["full", "e164"] = Field(
        "full", description="How Twilio is asked first: full is +1(415) 555-2671, e164 is +14155552671."
    )
    whatsapp: WhatsApp | None = Field(
        None, description="The WhatsApp sender and its approved template.", examples=[WHATSAPP]
    )
    rcs: Rcs | None = Field(None, description="The messaging service with the RCS sender.", examples=[RCS])


class Inherited(Strict):
    """Keys that stand on the brand, and on a branch or menu where it differs."""

    accept: Accept | None = Field(
        None,
        description="The key that accepts an offer, 1 unless said; or keys with the channel each chooses.",
        examples=["1"],
    )
    other_number: Key | None = Field(
        None, description="The key that asks for the text at another number, if any.", examples=["2"]
    )
    tries: Tries | None = Field(None, description="How often a prompt is played in all; 2 unless said.")
    wait: Wait | None = Field(None, description="How long to wait for a key; 5 seconds unless said.")
    confirm: Confirm | None = Field(
        None, description="When the call looks whether the text failed; 10 seconds unless said."
    )
    regions: list[Region] | None = Field(
        None,
        min_length=1,
        description="Whose numbers may be texted; the sender's own region unless said.",
        examples=[["US", "CA"]],
    )
    fallback: Exit | None = Field(
        None,
        description="Where the call goes when `otherwise` itself fails: queue full, busy, no answer.",
        examples=[{"say": "We are sorry, nobody can take your call right now."}],
    )


class Offering(Inherited):
    """Keys about an offer that stand on the brand, and on a branch where it differs."""

    channels: list[ChannelName] | None = Field(
        None,
        min_length=1,
        description="By which channels the greeting goes, the preferred first; sms unless said.",
        examples=[["sms"]],
    )

    hours: WrittenHours | None = Field(
        None,
        description="When it is open, in the brand's time zone.",
        examples=["Mon-Fri 08:00-20:00; Sat 09:00-13:00"],
    )
    closed: Closed | None = Field(
        None,
        description="The offer, greeting and otherwise out of hours.",
        examples=[{"otherwise": {"say": "We are closed."}}],
    )
    expect: Expect | None = Field(
        None,
        description="Texts along the conversation; a branch's own go before the brand's.",
        examples=[{"ended": "Thank you for texting {{ brand }}."}],
    )
    warn_before: LongTime | None = Field(
        None, description="How long before the promise ends agents are warned of it.", examples=["2 minutes"]
    )
    follow_up: FollowUp | None = Field(
        None,
        description="One more text, when nobody answered the greeting.",
        examples=[{"after": "2 hours", "text": "{{ brand }}: do you still need us? Reply STOP to opt out."}],
    )
    identify: Identify | None = Field(
        None,
        description="How consumers are asked who they are; a branch's own replaces the brand's.",
        examples=[IDENTIFY],
    )
    share: Share | None = Field(
        None, description="The share of callers who hear the offer; the others are a control group. 100% unless said."
    )
    goal: WrittenGoal | None = Field(
        None,
        description="Deflections to reach: of the offers heard (25%) or a week; a brand's own is for all branches.",
    )


class Menu(Inherited):
    """A prompt and its keys."""

    say: Spoken = Field(description="What the caller hears, or a recording.", examples=["For billing, press 1."])
    press: dict[Key, Target] = Field(
        min_length=1, description="Key to the name of a branch or menu.", examples=[{"1": "billing"}]
    )
    otherwise: Exit = Field(
        description="Where wrong keys and silence lead after `tries` playings.", examples=[{"queue": "front"}]
    )


class Branch(Offering):
    """An offer to go on by text, and the text."""

    offer: Spoken = Field(
        description="The offer to go on by text; it says the key that accepts. A text or a recording.",
        examples=["Press 1 and we will text you, or stay on the line."],
    )
    greeting: Text = Field(
        description="The text that is sent after a yes, at best one SMS segment; it says how to opt out.",
        examples=["{{ brand }} here. How can we help? Reply STOP to opt out."],
    )
    otherwise: Exit = Field(
        description="Where the call goes when the offer is declined or the text cannot be sent.",
        examples=[{"queue": "billing"}],
    )
    skill: Name | None = Field(None, description="The skill that the desk routes to.", examples=["1234"])
    sla: LongTime | None = Field(None, description="How soon an agent answers; {{ sla }} says it in a text.")


class Brand(Offering):
    """One brand: its numbers, its menu, its branches and their words."""

    name: Text = Field(description="The brand's name, {{ brand }} in texts.", examples=["Acme Air"])
    sender: Sender = Field(
        description="Who the texts come from: a number with texts, or a messaging service.",
        examples=[{"sms": "+1 415 555 0111"}],
    )
    branches: dict[Id, Branch] = Field(
        min_length=1, description="The branches by name (a to z, 0 to 9, dashes): each an offer and its text."
    )
    timezone: Zone = Field("UTC", description="The brand's time zone; UTC unless said.")
    language: Name = Field("en-US", description="The voice's language; en-US unless said.", examples=["en-US"])
    voice: Name | None = Field(
        None, description="Twilio's voice: Polly.…, Google.…, man or woman.", examples=["Polly.Joanna-Neural"]
    )
    numbers: dict[PhoneNumber, Target] = Field(
        default_factory=dict,
        description="Dialled number to the branch or menu where it enters.",
        examples=[{"+1 415 555 0100": "menu"}],
    )
    desk: Desk | None = Field(
        None, description="The messaging desk; texts are only logged without one.", examples=[{"liveperson": {}}]
    )
    messenger: Messenger | None = Field(
        None, description="The Facebook page of {{ messenger_link }}.", examples=[{"page": "acmeair"}]
    )
    menu: Menu | None = Field(None, description="The menu that answers; one branch needs none.")
    menus: dict[Id, Menu] = Field(default_factory=dict, description="Further menus by name.")
    phrases: dict[PhraseName, Spoken] = Field(
        default_factory=dict,
        description="Built-in sentences in other words.",
        examples=[{"goodbye": "Thank you. Goodbye."}],
    )
    costs: Costs | None = Field(
        None,
        description="What calls and texts cost, for reports of what was saved.",
        examples=[{"currency": "USD", "call_minute": "0.85", "call_length": "6 minutes"}],
    )
    skill: Name | None = Field(None, description="The skill for texts that no deflection explains.", examples=["1234"])
    reply_window: LongTime | None = Field(
        None, description="How long a reply belongs to the last deflection's skill; 30 days unless said."
    )
    push: Push | None = Field(
        None,
        description="How the brand's app is pushed to.",
        examples=[{"webhook": {"url": "https://example.com/push", "secret_env": "ACME_PUSH_SECRET"}}],
    )
    consumers: Consumers | None = Field(
        None,
        description="Who uses the app, in the brand's own database; the embedded directory unless said.",
        examples=[{"sql": "SELECT token FROM app_users WHERE phone = :number", "url_env": "ACME_APP_DATABASE_URL"}],
    )
    lookup: YesOrNo = Field(
        False, description="yes asks Twilio once for each number whether it is a landline; it costs.", examples=["yes"]
    )
