"""Why a number is not texted, in words that a developer of another IVR understands. Pure."""

from collections.abc import Mapping

REASONS: Mapping[str, str] = {
    "no_number": "This is no valid phone number; write it with its country code, like +1 415 555 2671.",
    "region": "The number is of a country that this branch does not text; `regions` in the brand's file allows more.",
    "toll_free": "Toll-free numbers do not get texts.",
    "premium": "Premium-rate numbers are never texted.",
    "shared_cost": "Shared-cost numbers are never texted.",
    "pager": "Pagers are never texted.",
    "ours": "This is a number of the brands' own, which callers dial or texts come from.",
    "opted_out": "The consumer opted out of texts (STOP). Only a START that they text themselves opens it again.",
    "invalid": "Twilio said of an earlier text that this number does not exist (21211). Known for 90 days.",
    "not_mobile": "Twilio said of an earlier text that this is no mobile number (21614). Known for 90 days.",
    "landline": "An earlier text, or Lookup, found a line that takes no texts (21635, 30006). Known for 90 days.",
    "unknown": "An earlier text found that the number is not in use (30005). Known for 90 days.",
    "no_route": "Twilio has no way from this brand's sender to the number (21612). Known for 90 days.",
    "unreachable": "The phone was switched off or out of reach a moment ago (30003). Known for an hour.",
    "blocked": "The carrier or the phone blocks texts of this sender (30004). Known for 90 days.",
    "filtered": "The carrier filtered an earlier text of this sender (30007). Known for a day.",
    "unregistered": "Carriers do not know the sender (30032, 30034); the operator registers it. Known for an hour.",
    "not_on_channel": "Twilio did not find the number on this channel (63003, 63024). Known for 30 days.",
    "not_enrolled": "Nothing says that the consumer uses the brand's app, and no other channel is offered.",
    "had_its_text": "A number that is not the caller's own gets one greeting a day, and this one had it.",
    "too_many": "This caller had three different numbers texted today, which is the most.",
}
OTHERWISE = "Texts do not reach this number."


def reason(word: str) -> str:
    return REASONS.get(word, OTHERWISE)
