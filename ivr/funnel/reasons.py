"""Why an accepted offer has no text, in a sentence for whoever must do something about it."""

from ivr.flow.refusals import REASONS

_CODES = {
    "30002": "The Twilio account is suspended; see the Twilio Console.",
    "30003": "The phone was switched off or out of reach.",
    "30004": "The carrier or the phone blocks texts of this sender.",
    "30005": "The number is not in use.",
    "30006": "It is a landline, or its carrier takes no texts.",
    "30007": "The carrier filtered the text as spam; look at the greeting's words and the sender's registration.",
    "30008": "The carrier did not say why.",
    "30032": "The toll-free sender is not verified; verify it in the Twilio Console.",
    "30034": "The sender is not registered for A2P 10DLC; register it in the Twilio Console.",
    "21211": "The number does not exist.",
    "21408": "The account may not text this country; allow it under Messaging, Geo permissions.",
    "21606": "The sender is not the account's, or has no texts; check `sender` in the brand's file.",
    "21608": "A trial account texts verified numbers only; upgrade it.",
    "21610": "The consumer opted out of texts (STOP).",
    "21612": "Twilio has no way from this sender to the number.",
    "21614": "The number is no mobile number.",
    "21635": "The number is a landline.",
    "20003": "Twilio refused our credentials; run: python -m ivr doctor",
    "20429": "Twilio was too busy for an hour.",
}
_OURS = {
    "given_up": "It could not be sent within an hour, and was given up; a requeue tries it again.",
    "failed": "Twilio could not deliver it, and did not say why.",
    "other_number": "The caller wanted the text at another number, and keyed none in that could be texted.",
    "no_number": "The caller's number is withheld or no phone number, and none was keyed in.",
    "region": "The number is of a country that the branch does not text; `regions` in the brand's file allows more.",
}


def reason(word: str) -> str:
    """A refusal's word, Twilio's error code, or our own word of a text that is lost."""
    if word.isdigit():
        return _CODES.get(word, f"Twilio's error {word}; see https://www.twilio.com/docs/api/errors/{word}")
    return _OURS.get(word) or REASONS.get(word) or "Texts do not reach this number."
