"""Net calls saved: within each branch against who heard no offer, or who declined; of all branches the sum of these.

Branches are never mixed: where their shares differ, who heard no offer would be of other branches than who did.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ivr.traffic import clusters
from ivr.traffic.clusters import Value
from ivr.traffic.intervals import Range
from ivr.traffic.occasions import Group, Occasion

# Whose calls are saved, and against whom.
CONTROL: tuple[tuple[Group, ...], Group] = (("texted", "untexted", "declined"), "held")
DECLINED: tuple[tuple[Group, ...], Group] = (("texted",), "declined")


@dataclass(frozen=True, slots=True)
class Compared:
    """The two sides of each branch where both have callers enough; `left_out`: branches where they have not."""

    sides: Mapping[str, tuple[Sequence[Value], Sequence[Value]]]
    left_out: Sequence[str]

    def saved(self) -> Range | None:
        return clusters.total(list(self.sides.values()))

    def times(self, each: Mapping[str, float]) -> Range | None:
        """In a unit that differs by branch; None where it is not known of one."""
        if not self.sides or not each.keys() >= self.sides.keys():
            return None
        return clusters.total(list(self.sides.values()), [each[branch] for branch in self.sides])


def compared(over: Sequence[Occasion], groups: tuple[tuple[Group, ...], Group]) -> Compared:
    """`over`: occasions whose seven days are."""
    ours, theirs = groups
    both: dict[str, tuple[list[Value], list[Value]]] = {}
    for one in over:
        if one.group in ours or one.group == theirs:
            sides = both.setdefault(one.branch, ([], []))
            sides[one.group == theirs].append((one.caller, float(one.calls)))
    enough = {branch: sides for branch, sides in sorted(both.items()) if clusters.enough(*sides)}
    return Compared(enough, [branch for branch, sides in sorted(both.items()) if sides[0] and branch not in enough])
