"""Twilio Lookup v2: what kind of line a number is. It costs money for each question."""

from ivr.clients.failure import SendError
from ivr.clients.twilio import Twilio

SECONDS = 1.5  # a caller waits meanwhile, and hears the same when nobody answers


class Lookup:
    def __init__(self, twilio: Twilio) -> None:
        self._twilio = twilio

    def line_type(self, number: str) -> str:
        """The kind of line of an E.164 number, in Twilio's word (mobile, landline, …), "" if it does not say.

        Raises SendError, after a second and a half at the latest.
        """
        with self._twilio.asked(self._twilio.deadline(SECONDS)) as client:
            found = client.lookups.v2.phone_numbers(number).fetch(fields="line_type_intelligence")
            told = found.line_type_intelligence
            kind = told.get("type") if isinstance(told, dict) else None
        if isinstance(told, dict) and told.get("error_code"):
            raise SendError("Twilio's Lookup does not know", code=int(told["error_code"]))
        return kind if isinstance(kind, str) else ""
