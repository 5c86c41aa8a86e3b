"""Changes that come near to a repair: with them some of the failing tests pass, or all of them and another fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from agent_core.repair.hunt import Hunt
from agent_core.repair.model import Edit, Partial

_MOST = 3
_MOST_ALIKE = 2


def partial_repairs(hunts: Iterable[Hunt], left: Collection[str]) -> tuple[Partial, ...]:
    """What was tried and mends some of the tests that nothing was found for; those first that mend most.

    Args:
        hunts: All that was looked for.
        left: Ids of the tests that nothing was found for.
    """
    found: dict[tuple[Edit, ...], tuple[float, Partial]] = {}
    for hunt in hunts:
        for one in hunt.tried:
            mends = tuple(test for test in hunt.tests if test in one.mends and test in left)
            at = hunt.ended.get(one.variant.edits, "")
            known = found.get(one.variant.edits)
            if mends and at and (known is None or len(known[1].mends) < len(mends)):
                found[one.variant.edits] = (one.weight, Partial(one.variant, mends, at, at not in hunt.tests))
    ordered = sorted(found.values(), key=lambda row: (-len(row[1].mends), -row[0]))
    alike: Counter[tuple[str, ...]] = Counter()
    kept = []
    for _, partial in ordered:
        alike[partial.mends] += 1
        if alike[partial.mends] <= _MOST_ALIKE:
            kept.append(partial)
    return tuple(kept[:_MOST])
