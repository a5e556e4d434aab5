"""Links to the files that consumers and agents send each other: on our own host, and nobody can guess one."""

import hmac
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class FileLinks:
    public_url: str
    secret_key: str = field(repr=False)

    def url(self, message_id: str, place: int) -> str:
        """Of the file at `place` in a text's media. The same one each time: a desk's echo is compared with it."""
        return f"{self.public_url}/files/{message_id}/{place}/{self._mark(message_id, place)}"

    def is_right(self, message_id: str, place: int, mark: str) -> bool:
        return hmac.compare_digest(mark.encode(), self._mark(message_id, place).encode())

    def _mark(self, message_id: str, place: int) -> str:
        return hmac.new(self.secret_key.encode(), f"file {message_id} {place}".encode(), "sha256").hexdigest()[:32]
