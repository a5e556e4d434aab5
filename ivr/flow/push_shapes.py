"""The shapes of `push:` and `consumers:` in a brand's file."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from ivr import one_select
from ivr.flow import push
from ivr.flow.scalars import LongTime, Name, Text, Url, Variable, YesOrNo, fault
from ivr.flow.shapes import OneOf, Strict

_SQL = "SELECT token, platform, enrolled FROM app_users WHERE phone = :number"
_LONGEST_LINK = 1_000


def _link(value: Any) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+", text) or len(text) > _LONGEST_LINK:
        raise fault(f"{text[:60]!r} is no link; write one that the app opens, like acmeair://messages")
    if text.lower().startswith(("javascript:", "data:", "file:")):
        raise fault(f"{text[:60]!r} opens no app; write one that the app opens, like acmeair://messages")
    return text


def _select(value: Any) -> str:
    text = value.strip() if isinstance(value, str) else ""
    wrong = one_select.fault(text)
    if wrong:
        raise fault(f"{wrong}; for example: {_SQL}")
    return text


DeepLink = Annotated[
    str,
    BeforeValidator(_link),
    WithJsonSchema({"type": "string", "pattern": r"^\s*[A-Za-z][A-Za-z0-9+.-]*:\S+\s*$"}),
]
Select = Annotated[str, BeforeValidator(_select), WithJsonSchema({"type": "string", "pattern": ":number"})]


class Fcm(Strict):
    """Google's Firebase Cloud Messaging, HTTP v1; it reaches iOS through APNs."""

    key_env: Variable = Field(
        description="The environment variable with the service account's key, a JSON document.",
        examples=["ACME_FCM_KEY"],
    )


class PushService(Strict):
    """The brand's own push service, by a signed webhook."""

    url: Url = Field(description="Where it is told whom to push what, signed.")
    secret_env: Variable = Field(
        description="The environment variable with the secret of the signatures.", examples=["ACME_PUSH_SECRET"]
    )
    allow_private: YesOrNo = Field(False, description="yes lets the URL lead into a private network.", examples=["yes"])


class Push(OneOf):
    """How the brand's app is pushed to: exactly one of fcm and webhook."""

    fcm: Fcm | None = Field(None, description="By Google's FCM.", examples=[{"key_env": "ACME_FCM_KEY"}])
    webhook: PushService | None = Field(
        None,
        description="By a push service of one's own.",
        examples=[{"url": "https://example.com/push", "secret_env": "ACME_PUSH_SECRET"}],
    )
    deep_link: DeepLink | None = Field(
        None, description="Where a tap leads: the app's messaging screen.", examples=["acmeair://messages"]
    )
    title: Name | None = Field(None, description="Above the words; the brand's name unless said.", examples=["Acme"])
    active_within: LongTime | None = Field(
        None, description="Who is not enrolled has used the app within this time; 30 days unless said."
    )

    @classmethod
    def beside(cls) -> frozenset[str]:
        return frozenset({"deep_link", "title", "active_within"})


class Consumers(Strict):
    """The brand's own database of who uses its app; without it the embedded directory is asked."""

    sql: Select = Field(description="One SELECT that binds :number, the caller's in E.164.", examples=[_SQL])
    url_env: Variable = Field(
        description="The environment variable with the database's URL: postgresql://… or sqlite:///….",
        examples=["ACME_APP_DATABASE_URL"],
    )


def push_of(shape: Push | None, name: Text) -> push.Push | None:
    """`name`: the brand's."""
    if shape is None:
        return None
    if shape.fcm:
        by: push.Fcm | push.PushService = push.Fcm(shape.fcm.key_env)
    else:
        assert shape.webhook is not None  # exactly one is set, the schema holds it
        by = push.PushService(shape.webhook.url, shape.webhook.secret_env, shape.webhook.allow_private)
    within = shape.active_within.seconds if shape.active_within else push.ACTIVE_WITHIN
    return push.Push(by, shape.deep_link or "", shape.title or name, within)


def consumers_of(shape: Consumers | None) -> push.Consumers | None:
    return push.Consumers(shape.sql, shape.url_env) if shape else None
