"""The shapes of what a brand's file promises: when it is open, what is said when it is not, what is texted when."""

from typing import Annotated

from pydantic import Discriminator, Field, Tag

from ivr.flow.scalars import Date, Holidays, LongTime, Text, Times, TimesOfDay
from ivr.flow.shapes import Exit, Spoken, Strict


class Hours(Strict):
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


class Closed(Strict):
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


class Expect(Strict):
    """Texts that say what happens next, each at most once in a conversation, and only while it is true."""

    received: Text | None = Field(
        None,
        description="After the consumer's first text, when it is open: {{ promised_at }} is by when.",
        examples=["Thank you, we have your message. An agent will answer here."],
    )
    late: Text | None = Field(
        None,
        description="When no agent has answered within `sla`; it says so, and what happens next.",
        examples=["We are sorry, this takes longer than we said. You are still in line; an agent will answer here."],
    )
    closed: Text | None = Field(
        None,
        description="After a text out of hours.",
        examples=["Thank you, we have your message. We are closed and answer {{ opens }}."],
    )
    ended: Text | None = Field(
        None,
        description="When the desk closes the conversation.",
        examples=["Thank you for texting {{ brand }}. Write here whenever you need us again."],
    )


class FollowUp(Strict):
    """One more text to whoever did not answer the greeting."""

    after: LongTime = Field(
        description="How long after the greeting; by night it waits for 8 AM.", examples=["2 hours"]
    )
    text: Text = Field(
        description="What is texted.",
        examples=["{{ brand }}: do you still need us? Just reply here. Reply STOP to opt out."],
    )
