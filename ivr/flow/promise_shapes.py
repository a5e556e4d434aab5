"""The shapes of what a brand's file promises: when it is open, and what is said when it is not."""

from typing import Annotated

from pydantic import Discriminator, Field, Tag

from ivr.flow.scalars import Date, Holidays, Text, Times, TimesOfDay
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
