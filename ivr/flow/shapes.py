"""What the shapes of a brand's file are made of: strict mappings, one-of mappings, spoken texts, ways on."""

from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, GetJsonSchemaHandler, Tag, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from ivr.flow.scalars import Dialled, Queue, Target, Text, Url, fault


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Play(Strict):
    """A recording instead of a spoken text."""

    play: Url = Field(description="An http or https URL of a recording: wav, mp3, aiff, gsm or µ-law.")


def _kind_of_spoken(value: Any) -> str:
    return "<play>" if isinstance(value, (dict, Play)) else "<text>"


Spoken = Annotated[
    Annotated[Text, Tag("<text>")] | Annotated[Play, Tag("<play>")],
    Discriminator(_kind_of_spoken),
]


class OneOf(Strict):
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


class Exit(OneOf):
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
