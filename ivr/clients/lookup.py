"""Twilio Lookup v2: what kind of line a number is. It costs money for each question."""

from concurrent.futures import Future
from threading import BoundedSemaphore, Thread

from ivr.clients.failure import SendError
from ivr.clients.twilio import Twilio

SECONDS = 1.5  # a caller waits meanwhile, and hears the same when nobody answers
AT_ONCE = 16  # questions of one process; with so many unanswered a caller is not made to wait for another


class Lookup:
    """Threads share it. `seconds`: the longest wait."""

    def __init__(self, twilio: Twilio, seconds: float = SECONDS) -> None:
        self._twilio, self._seconds = twilio, seconds
        self._free = BoundedSemaphore(AT_ONCE)

    def line_type(self, number: str) -> str:
        """The kind of line of an E.164 number, in Twilio's word (mobile, landline, …), "" if it does not say.

        Raises SendError, after a second and a half at the latest: asked in a thread of its own, because no time-out of
        ours ends the search for a host's address.
        """
        if not self._free.acquire(blocking=False):
            raise SendError("Twilio's Lookup has not answered others yet")
        answer: Future[str] = Future()
        Thread(target=self._ask, args=(number, answer), name="lookup", daemon=True).start()
        try:
            return answer.result(self._seconds)
        except TimeoutError:
            raise SendError("Twilio's Lookup did not answer in time") from None

    def _ask(self, number: str, answer: "Future[str]") -> None:
        try:
            kind = self._answered(number)
        except Exception as error:  # raised where somebody waits for it
            answer.set_exception(error)
        else:
            answer.set_result(kind)
        finally:
            self._free.release()

    def _answered(self, number: str) -> str:
        with self._twilio.asked(self._twilio.deadline(SECONDS)) as client:
            found = client.lookups.v2.phone_numbers(number).fetch(fields="line_type_intelligence")
            told = found.line_type_intelligence
            kind = told.get("type") if isinstance(told, dict) else None
        if isinstance(told, dict) and told.get("error_code"):
            raise SendError("Twilio's Lookup does not know", code=int(told["error_code"]))
        return kind if isinstance(kind, str) else ""
