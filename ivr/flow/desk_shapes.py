"""The shape of `desk:` in a brand's file: LivePerson, a desk of the brand's own, or LivePerson's own connector."""

from pydantic import Field, model_validator

from ivr.flow.scalars import Name, Url, Variable, YesOrNo, fault
from ivr.flow.shapes import OneOf, Strict


class LivePerson(Strict):
    """LivePerson LiveEngage, by its Connector API; the branch's skill routes, the campaign is for its reports."""

    campaign: Name | None = Field(None, description="The campaign's id, with `engagement`.", examples=["1244787870"])
    engagement: Name | None = Field(None, description="The engagement's id, with `campaign`.", examples=["1246064870"])

    @model_validator(mode="after")
    def _together(self) -> "LivePerson":
        if bool(self.campaign) != bool(self.engagement):
            raise fault("campaign and engagement go together; write both or neither")
        return self


class Webhook(Strict):
    """A desk of one's own, by a signed webhook."""

    url: Url = Field(description="Where the consumer's texts go, signed.")
    secret_env: Variable = Field(
        description="The environment variable with the secret of the signatures.", examples=["ACME_DESK_SECRET"]
    )
    allow_private: YesOrNo = Field(False, description="yes lets the URL lead into a private network.", examples=["yes"])


class Native(Strict):
    """LivePerson owns the number's texts; only the greeting is ours."""


class Desk(OneOf):
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
