"""The shape of what channels need in a brand's file: their senders, their order, the keys that choose one."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema

from ivr.flow.model import CHANNELS, Channel
from ivr.flow.scalars import Key, PhoneNumber, Text, fault, scalar
from ivr.flow.shapes import Strict

WHATSAPP = {"number": "+1 415 555 0112", "template": "HX" + "0a" * 16}
RCS = {"service": "MG" + "0a" * 16}


def _channel(value: Any) -> str:
    name = scalar(value, "a channel").lower()
    if name not in CHANNELS:
        raise fault(f"{name[:20]!r} is no channel; allowed: {', '.join(CHANNELS)}")
    return name


def _sid(prefix: str, what: str) -> BeforeValidator:
    def read(value: Any) -> str:
        text = scalar(value, what)
        if not re.fullmatch(rf"{prefix}[0-9a-fA-F]{{32}}", text):
            raise fault(f"{text[:40]!r} is not {what}; write {prefix} and its 32 characters, as Twilio shows it")
        return text

    return BeforeValidator(read)


def _variable(value: Any) -> str:
    name = scalar(value, "a variable of the template")
    if not re.fullmatch(r"[A-Za-z0-9_]{1,16}", name):
        raise fault(f"{name[:20]!r} is no variable of a template; write its number or name, like 1")
    return name


def _pattern(prefix: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": rf"^\s*{prefix}[0-9a-fA-F]{{32}}\s*$"})


ChannelName = Annotated[Channel, BeforeValidator(_channel), WithJsonSchema({"type": "string", "enum": list(CHANNELS)})]
Template = Annotated[str, _sid("HX", "a content template"), _pattern("HX")]
Service = Annotated[str, _sid("MG", "a messaging service"), _pattern("MG")]
VariableName = Annotated[
    str, BeforeValidator(_variable), WithJsonSchema({"type": "string", "pattern": r"^\s*[A-Za-z0-9_]{1,16}\s*$"})
]


def _kind_of_accept(value: Any) -> str:
    return "<choice>" if isinstance(value, dict) else "<key>"


# One key that accepts, or several that choose the channel as well.
Accept = Annotated[
    Annotated[Key, Tag("<key>")]
    | Annotated[dict[Key, ChannelName], Field(min_length=1, max_length=4), Tag("<choice>")],
    Discriminator(_kind_of_accept),
]


class WhatsApp(Strict):
    """The brand's WhatsApp sender at Twilio, and the template that Meta approved for the first message."""

    number: PhoneNumber = Field(description="The number of the WhatsApp sender.")
    template: Template = Field(
        description="The approved content template (HX…) of the greeting.", examples=[WHATSAPP["template"]]
    )
    variables: dict[VariableName, Text] = Field(
        default_factory=dict,
        description="What stands in the template's variables.",
        examples=[{"1": "{{ brand }}"}],
    )


class Rcs(Strict):
    """The brand's RCS sender."""

    service: Service = Field(
        description="The messaging service (MG…) that has the RCS sender.", examples=[RCS["service"]]
    )


def _page(value: Any) -> str:
    text = scalar(value, "a page's name")
    if not re.fullmatch(r"[A-Za-z0-9.]{1,64}", text):
        raise fault(f"{text[:40]!r} is no page; write its name as it stands behind m.me/, like acmeair")
    return text


Page = Annotated[
    str, BeforeValidator(_page), WithJsonSchema({"type": "string", "pattern": r"^\s*[A-Za-z0-9.]{1,64}\s*$"})
]


class Messenger(Strict):
    """The brand's page, to which {{ messenger_link }} in a greeting leads."""

    page: Page = Field(description="The page's name, as it stands behind m.me/.", examples=["acmeair"])
