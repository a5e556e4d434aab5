"""How a command ends, and the other way to speak than its result."""

import sys

GOOD, FAILED, USAGE = 0, 1, 2


def tell(line: str) -> None:
    """What is not the result goes to stderr."""
    print(line, file=sys.stderr, flush=True)
