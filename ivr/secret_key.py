"""The secret key of a deployment on SQLite: made at its first start, kept beside the database from then on."""

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

LEAST = 32  # characters


class NoSecretKey(Exception):
    """There is none. The message is one clear sentence for the operator."""


def kept_beside(database: Path) -> str:
    """The key in `<database>.key`. Processes that start at once agree on one. Raises NoSecretKey."""
    place = database.with_name(f"{database.name}.key")
    try:
        if not place.exists():
            _make(place)
        key = place.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NoSecretKey(
            f"{place}: the secret key cannot be kept there ({type(error).__name__}); make the directory writable, "
            "or set SECRET_KEY."
        ) from None
    if len(key) < LEAST:
        raise NoSecretKey(f"{place}: this is no secret key; put the old one back, or set SECRET_KEY.")
    return key


def _make(place: Path) -> None:
    """Written whole under another name, and linked: of several that do so at once the first one's stays."""
    descriptor, draft = tempfile.mkstemp(prefix=f"{place.name}.", dir=place.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, place)
    finally:
        Path(draft).unlink()
