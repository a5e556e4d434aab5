"""The shapes of the API: what another IVR sends and what it is answered; the OpenAPI document is made of them."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from ivr.flow.model import Channel

MOST_ATTRIBUTES = 500  # characters of all names and values
_LINE = r"^[^\x00-\x1f\x7f-\x9f]*$"
_TEXT = r"^[^\x00-\x09\x0b-\x1f\x7f-\x9f]*$"

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
CallId = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,60}$")]
Phone = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=_LINE)]
Caller = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_LINE)]
Words = Annotated[str, StringConstraints(min_length=1, max_length=1600, pattern=_TEXT)]
Skill = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=_LINE)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,39}$")]
Value = Annotated[str, StringConstraints(max_length=200, pattern=_LINE)]
Url = Annotated[str, StringConstraints(max_length=2000, pattern=r"^https?://[!-~]+$")]


class Asked(BaseModel):
    """What comes in: nothing that is not known here."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Whom(Asked):
    brand: Id | None = Field(None, description="The brand; may be left out where the key opens one alone.")
    branch: Id = Field(description="The branch of the brand's file: its greeting, skill and regions.")
    number: Phone = Field(description="The number to text, with its country code.", examples=["+1 415 555 2671"])
    caller: Caller | None = Field(
        None,
        description="Where the caller calls from, if that is not `number` (`anonymous` when withheld): "
        "then the rules for numbers that callers key in hold.",
    )


class EligibilityRequest(Whom):
    """Could this number be texted now?"""


class Consent(Asked):
    """The caller said yes: to which words, by which key."""

    prompt: Words = Field(description="The words that the caller heard and said yes to; they are kept.")
    key: Annotated[str, StringConstraints(pattern=r"^[0-9*#]$")] | None = Field(
        None, description="The key that the caller pressed."
    )


class DeflectionRequest(Whom):
    """The caller said yes: text them."""

    call_id: CallId = Field(
        description="Your own id of the call. One call and branch is one text, whatever is repeated."
    )
    consent: Consent
    called_at: AwareDatetime | None = Field(
        None, description="When the call came in, at most a day ago; now unless said."
    )
    dialled: Phone | None = Field(None, description="The number that the caller dialled.")
    channel: Channel | None = Field(
        None, description="The channel that goes first; the recommended one unless said. The others follow a failure."
    )
    message: Words | None = Field(
        None,
        description="The text in place of the branch's greeting, word for word; by WhatsApp the template goes all the "
        "same. Say how to opt out.",
    )
    skill: Skill | None = Field(None, description="The skill in place of the branch's, for a conversation that begins.")
    attributes: dict[Name, Value] = Field(
        default_factory=dict,
        max_length=20,
        description="What the agent may know, 500 characters in all. LivePerson shows customer_id, first_name and "
        "last_name as its own; the others are a line for the agent.",
    )

    webhook: Url | None = Field(None, description="Where every change of this deflection is told, signed.")

    @model_validator(mode="after")
    def _bounded(self) -> "DeflectionRequest":
        if sum(len(name) + len(value) for name, value in self.attributes.items()) > MOST_ATTRIBUTES:
            raise PydanticCustomError("too_long", "attributes have more than 500 characters of names and values")
        return self


class ListQuery(BaseModel):
    """Which deflections to list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    brand: Id | None = Field(None, description="The brand; may be left out where the key opens one alone.")
    branch: Id | None = Field(None, description="Of this branch alone.")
    limit: int = Field(50, ge=1, le=100, description="The most on a page.")
    cursor: str | None = Field(None, pattern=r"^[A-Za-z0-9_-]{1,200}$", description="`next` of the page before.")


class Reason(BaseModel):
    reason: str = Field(description="A word for programs; further ones may be added.")
    detail: str = Field(description="A sentence for people.")


class ChannelEligibility(BaseModel):
    channel: str = Field(description="`push`, `whatsapp`, `rcs`, `sms`; further channels may be added.")
    eligible: bool
    reasons: list[Reason]


class Eligibility(BaseModel):
    eligible: bool = Field(description="Whether any channel reaches this number.")
    recommended: str | None = Field(description="The channel that a deflection takes unless it names one.")
    channels: list[ChannelEligibility]
    reasons: list[Reason] = Field(description="Why no channel does; empty when one does.")
    open_conversation: bool = Field(description="The consumer has an open conversation, which a text would join.")
    open: bool = Field(description="Whether the branch is within its opening hours now.")


class ConversationOfOne(BaseModel):
    id: str
    state: Literal["open", "closed"]
    skill: str | None
    joined: bool = Field(description="It was open before, and this deflection joined it.")


State = Literal["refused", "pending", "sent", "delivered", "failed", "expired"]


class Deflection(BaseModel):
    id: str
    brand: str
    branch: str
    call_id: str
    channel: str
    number: str | None = Field(description="E.164.")
    state: State = Field(
        description="refused: no text was tried. pending: it is on its way to Twilio. expired: not sent within an hour."
    )
    reasons: list[Reason] = Field(description="Why it was refused; empty otherwise.")
    error_code: int | None = Field(description="Twilio's, when it failed.")
    skill: str | None = Field(description="The skill that a reply is routed to.")
    conversation: ConversationOfOne | None = Field(description="From the consumer's first reply on.")
    accepted_at: AwareDatetime
    changed_at: AwareDatetime


class DeflectionList(BaseModel):
    deflections: list[Deflection] = Field(description="The newest first.")
    next: str | None = Field(description="The cursor of the next page, if there is one.")


class DeflectionOfEvent(BaseModel):
    id: str
    brand: str
    branch: str
    call_id: str
    number: str | None


class Event(BaseModel):
    """What is posted to `webhook`."""

    id: str = Field(description="Take each once.")
    type: str = Field(description="deflection.sent, conversation.opened …; further ones may come.")
    at: AwareDatetime
    deflection: DeflectionOfEvent
    error_code: int | None = Field(None, description="Twilio's, when the text failed.")
    conversation: str | None = Field(None, description="Its id, when it opened or closed.")


class Wrong(BaseModel):
    at: str = Field(description="Where in the request, as a JSON pointer.")
    detail: str


class Problem(BaseModel):
    """RFC 9457."""

    type: str = Field(description="`urn:ivr:` and a word for programs.")
    title: str
    status: int
    detail: str
    errors: list[Wrong] | None = Field(None, description="Every fault of a request that is not as documented.")
    deflection: Deflection | None = Field(None, description="The one that was refused, or is there already.")
