"""A brand's own push service: told by a signed webhook whom to push what; a repeat has the same id."""

from collections.abc import Mapping
from typing import Any

from ivr.clients.failure import NeverSent, NotReached, SendError
from ivr.clients.webhook import WebhookDesk

SECONDS = 2.0  # one attempt: a caller waits meanwhile
NOT_ENROLLED = frozenset({404, 410})
BUSY = 429
MAY_HAVE_IT = frozenset({408})


class PushService:
    """Every brand's own. The connections, the signature and the private ranges are those of desks of one's own."""

    def __init__(self, client: WebhookDesk) -> None:
        self._client = client

    def push(self, url: str, secret: str, payload: Mapping[str, Any], allow_private: bool) -> None:
        """Tell it once. Raises NotReached where the consumer is not enrolled, NeverSent, and SendError."""
        try:
            self._client.post(url, secret, payload, self._client.deadline(SECONDS), allow_private)
        except SendError as error:
            raise _sorted(error) from error


def _sorted(error: SendError) -> SendError:
    reason, code = error.reason.replace("The desk", "The push service"), error.code
    if code in NOT_ENROLLED:
        return NotReached("The push service says that this consumer is not enrolled", permanent=True, code=code)
    if isinstance(error, NeverSent) or code == BUSY:
        return NeverSent(reason, code=code, retry_after=error.retry_after)
    if error.permanent or (code is not None and code < 500 and code not in MAY_HAVE_IT):
        return SendError(reason, permanent=True, code=code)
    return SendError(reason, unclear=True, code=code, retry_after=error.retry_after)
