"""What a caller of a played call presses, as it is written on the command line."""

import argparse
import re

from ivr.sandbox.phone import HANG_UP

_ITEM = re.compile(rf"[0-9*#]*|{HANG_UP}")


def pressed(written: str) -> list[str]:
    """`2,1`: one item a prompt; an empty one is silence."""
    items = [item.strip() for item in written.split(",")]
    if wrong := [item for item in items if not _ITEM.fullmatch(item)]:
        allowed = f"an item is of 0 to 9, * and #; nothing is silence, {HANG_UP} hangs up"
        raise argparse.ArgumentTypeError(f"{wrong[0]!r} cannot be pressed; {allowed}")
    return items
