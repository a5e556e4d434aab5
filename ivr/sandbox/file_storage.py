"""LivePerson's file storage: what agents send, at URLs that are signed and live for a minute."""

import hmac
from dataclasses import dataclass, field

LIFE = 60  # seconds, of a URL
# One transparent pixel.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360000000020001e221bc330000000049454e44ae426082"
)


@dataclass(slots=True)
class FileStorage:
    secret: str
    files: dict[str, bytes] = field(default_factory=dict)  # by relative path

    def put(self, relative_path: str, content: bytes = PNG) -> None:
        if not relative_path.startswith("/"):
            raise ValueError(f"{relative_path}: a relative path of LivePerson's begins with a slash")
        self.files[relative_path] = content

    def query(self, relative_path: str, now: float) -> dict[str, str]:
        """What makes a URL of the path, for a minute."""
        expires = str(int(now) + LIFE)
        return {"temp_url_sig": self._signature(relative_path, expires), "temp_url_expires": expires}

    def allows(self, relative_path: str, query: dict[str, str], now: float) -> bool:
        expires, given = query.get("temp_url_expires", ""), query.get("temp_url_sig", "")
        good = hmac.compare_digest(given.encode(), self._signature(relative_path, expires).encode())
        return good and int(expires) >= now

    def _signature(self, relative_path: str, expires: str) -> str:
        return hmac.digest(self.secret.encode(), f"{expires} {relative_path}".encode(), "sha256").hex()
