"""The one way a send fails, raised by every client and caught in delivery alone."""


class SendError(Exception):
    """Something was not sent.

    `permanent`: the same request will fail again. `unclear`: the other side may have done it all the same; never
    repeat it blindly. `code`: the other side's own number for it. `retry_after`: seconds it asked us to wait.
    """

    def __init__(
        self,
        reason: str,
        *,
        permanent: bool = False,
        unclear: bool = False,
        code: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent
        self.unclear = unclear
        self.code = code
        self.retry_after = retry_after


class ConversationClosed(SendError):
    """The desk's conversation takes nothing any more: what was to go there goes to a new one."""


class NeverSent(SendError):
    """Nothing of it left this machine, or the other side said that it did nothing: another way may be tried at once."""


class NotReached(SendError):
    """The other side says that this consumer cannot be reached through it; another channel may."""
