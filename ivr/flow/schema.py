"""The shape of a brand's file: every key, its type and what an editor says of it; the source of its JSON Schema.

A new key is one line here: its type from `scalars`, a description, and an example where a finding may show one.
"""

from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, GetJsonSchemaHandler, Tag, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from ivr.flow.scalars import (
    Confirm,
    Date,
    Dialled,
    Holidays,
    Id,
    Key,
    LongTime,
    Name,
    PhoneNumber,
    PhraseName,
    Queue,
    Region,
    SenderAddress,
    Target,
    Text,
    Times,
    TimesOfDay,
    Tries,
    Url,
    Variable,
    Wait,
    YesOrNo,
    Zone,
    fault,
)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Play(_Strict):
    """A recording instead of a spoken text."""

    play: Url = Field(description="An http or https URL of a recording: wav, mp3, aiff, gsm or µ-law.")


def _kind_of_spoken(value: Any) -> str:
    return "<play>" if isinstance(value, (dict, Play)) else "<text>"


Spoken = Annotated[
    Annotated[Text, Tag("<text>")] | Annotated[Play, Tag("<play>")],
    Discriminator(_kind_of_spoken),
]


class _OneOf(_Strict):
    """A mapping with exactly one of its keys (those in `beside` do not count)."""

    @model_validator(mode="before")
    @classmethod
    def _one(cls, value: Any) -> Any:
        choices = cls._choices()
        if isinstance(value, dict) and value.keys() <= {*choices, *cls.beside()}:
            given = [key for key in value if key in choices]
            if len(given) != 1:
                found = " and ".join(given) or "nothing"
                raise fault(f"expected exactly one of {', '.join(choices)}; found {found}")
        return value

    @classmethod
    def beside(cls) -> frozenset[str]:
        return frozenset()

    @classmethod
    @cache
    def _choices(cls) -> tuple[str, ...]:
        return tuple(name for name in cls.model_fields if name not in cls.beside())

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler.resolve_ref_schema(handler(core))
        return {**schema, "oneOf": [{"required": [name]} for name in cls._choices()]}


class Exit(_OneOf):
    """Where the call goes on: exactly one of these."""

    queue: Queue | None = Field(None, description="A Twilio queue, by its name; made on demand.")
    dial: Dialled | None = Field(None, description="A number with its country code, or a SIP address (sip:…).")
    redirect: Url | None = Field(None, description="Another application's TwiML, by its URL.")
    studio: Literal["return"] | None = Field(
        None, description="return: back to the Studio flow that sent the caller; for branches that only Studio reaches."
    )
    say: Spoken | None = Field(
        None, description="A last sentence or recording, then the call ends.", examples=["Thank you. Goodbye."]
    )
    menu: Target | None = Field(None, description="A menu of this brand, by its name.", examples=["menu"])


class LivePerson(_Strict):
    """LivePerson LiveEngage, by its Connector API; the branch's skill routes, the campaign is for its reports."""

    campaign: Name | None = Field(None, description="The campaign's id, with `engagement`.", examples=["1244787870"])
    engagement: Name | None = Field(None, description="The engagement's id, with `campaign`.", examples=["1246064870"])

    @model_validator(mode="after")
    def _together(self) -> "LivePerson":
        if bool(self.campaign) != bool(self.engagement):
            raise fault("campaign and engagement go together; write both or neither")
        return self


class Webhook(_Strict):
    """A desk of one's own, by a signed webhook."""

    url: Url = Field(description="Where the consumer's texts go, signed.")
    secret_env: Variable = Field(
        description="The environment variable with the secret of the signatures.", examples=["ACME_DESK_SECRET"]
    )
    allow_private: YesOrNo = Field(False, description="yes lets the URL lead into a private network.", examples=["yes"])


class Native(_Strict):
    """LivePerson owns the number's texts; only the greeting is ours."""


class Desk(_OneOf):
    """The brand's messaging desk: exactly one of liveperson, webhook and native."""

    liveperson: LivePerson | None = Field(None, description="LivePerson, by its Connector API: {}.", examples=[{}])
    webhook: Webhook | None = Field(
        None,
        description="A desk of one's own.",
        examples=[{"url": "https://example.com/desk", "secret_env": "ACME_DESK_SECRET"}],
    )
    native: Native | None = Field(None, description="LivePerson owns the number's texts: {}.", examples=[{}])
    context_line: YesOrNo = Field(True, description="no leaves out the line for the agent.", examples=["no"])

    @classmethod
    def beside(cls) -> frozenset[str]:
        return frozenset({"context_line"})


class Sender(_Strict):
    """Who the texts come from."""

    sms: SenderAddress = Field(description="A text-enabled number, not toll-free, or a messaging service (MG…).")
    number_format: Literal["full", "e164"] = Field(
        "full", description="How Twilio is asked first: full is +1(415) 555-2671, e164 is +14155552671."
    )


class Inherited(_Strict):
    """Keys that stand on the brand, and on a branch or menu where it differs."""

    accept: Key | None = Field(None, description="The key that accepts an offer; 1 unless said.")
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


class Hours(_Strict):
    """Opening hours with days on which they are others."""

    open: Times = Field(description="The week's open times.", examples=["Mon-Fri 08:00-20:00; Sat 09:00-13:00"])
    holidays: list[Holidays] = Field(
        [], description="Closed on the public holidays of these countries or regions.", examples=[["US", "US-CA"]]
    )
    dates: dict[Date, TimesOfDay] = Field(
        {}, description="Single dates: their own times, or closed.", examples=[{"2026-12-24": "08:00-12:00"}]
    )


WrittenHours = Annotated[
    Annotated[Times, Tag("<text>")] | Annotated[Hours, Tag("<hours>")],
    Discriminator(lambda value: "<hours>" if isinstance(value, (dict, Hours)) else "<text>"),
]


class Closed(_Strict):
    """What a caller hears out of hours; what is not said here is as when open. Its texts know {{ opens }}."""

    offer: Spoken | None = Field(
        None,
        description="The offer out of hours. A text or a recording.",
        examples=["We are closed. Press 1 and we will text you, and answer {{ opens }}."],
    )
    greeting: Text | None = Field(
        None,
        description="The text that is sent after a yes out of hours.",
        examples=["{{ brand }}: we answer {{ opens }}. Reply STOP to opt out."],
    )
    otherwise: Exit | None = Field(
        None, description="Where the call goes out of hours.", examples=[{"say": "We are closed. Goodbye."}]
    )


class Offering(Inherited):
    """Keys about an offer that stand on the brand, and on a branch where it differs."""

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
    menu: Menu | None = Field(None, description="The menu that answers; one branch needs none.")
    menus: dict[Id, Menu] = Field(default_factory=dict, description="Further menus by name.")
    phrases: dict[PhraseName, Spoken] = Field(
        default_factory=dict,
        description="Built-in sentences in other words.",
        examples=[{"goodbye": "Thank you. Goodbye."}],
    )
    skill: Name | None = Field(None, description="The skill for texts that no deflection explains.", examples=["1234"])
    reply_window: LongTime | None = Field(
        None, description="How long a reply belongs to the last deflection's skill; 30 days unless said."
    )
