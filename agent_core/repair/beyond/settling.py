"""Which of many changes are good together, found out in few runs of the checks.

All findings of one kind are gone about at once: the likeliest variant of each, in one tree. Where something new comes
of that they are halved until those are found that disturb; these go on with their next variant. So a hundred findings
cost a few runs of the check, not a hundred.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from agent_core.checks.model import Finding
from agent_core.errors import CheckError
from agent_core.repair.beyond.import_lines import together
from agent_core.repair.beyond.judging import Judged, Judges, by_path
from agent_core.repair.beyond.syntax import edits_between
from agent_core.repair.model import Edit, Kind, Repair, Variant

_NAMED = 4


class Item:
    """Findings that the same variants may mend.

    Args:
        findings: The findings; it is enough when one of them is gone.
        variants: What may mend them, the likeliest first.
    """

    def __init__(self, findings: Sequence[Finding], variants: Sequence[Variant]) -> None:
        self.findings = tuple(findings)
        self.variants = list(variants)

    @property
    def variant(self) -> Variant:
        """The one whose turn it is."""
        return self.variants[0]


class Settling:
    """The mending of one kind of findings.

    Args:
        judges: The checks.
        kind: The kind.
        say: Told what is being tried, and how many changes at once.
    """

    def __init__(self, judges: Judges, kind: Kind, say: Callable[..., None]) -> None:
        self._judges = judges
        self._kind = kind
        self._say = say
        # What ruff can put right afterwards, such as imports that are not in order now.
        self._untidy: list[Finding] = []

    async def repair(self, items: list[Item]) -> Repair | None:
        """All that can be mended of some findings; None where that is nothing.

        Raises:
            SandboxError: A candidate could not be made.
        """
        names = {"syntax", *(one.check for item in items for one in item.findings)}
        good = await self._settled(items, names)
        if not good:
            return None
        # What has been asked so far are only those who found something: at last all others are heard.
        everybody = {*self._judges.able, "syntax"}
        sifted = await self._sifted([], good, everybody)
        good, judged = sifted if sifted is not None else (good, None)
        if good and judged is None and not self._judges.over:
            # Some were left out: what stays has not been seen by itself.
            judged = await self._judged(good, everybody)
            if judged is not None and not all(self._can_tidy(one) for one in judged.broken):
                return None
        return await self._told(good, judged) if good else None

    async def _settled(self, items: list[Item], names: Collection[str]) -> list[Item]:
        """The items of which a variant mends what it should, with that variant in front; good together."""
        good: list[Item] = []
        pending = [item for item in items if item.variants]
        while pending and not self._judges.over:
            batch: list[Item] = []
            for item in pending:
                if fits(item.variant, [*good, *batch]):
                    batch.append(item)
            if not batch:
                # What overlaps with what is good already has to do otherwise.
                batch = pending
                for item in batch:
                    item.variants.pop(0)
            else:
                sifted = await self._sifted(good, batch, names)
                if sifted is None:
                    break
                good += sifted[0]
                for item in batch:
                    if item not in good:
                        item.variants.pop(0)
            pending = [item for item in pending if item not in good and item.variants]
        return good

    async def _sifted(
        self, good: Sequence[Item], batch: Sequence[Item], names: Collection[str]
    ) -> tuple[list[Item], Judged | None] | None:
        """Those of some items that do what they should, beside those that are good; None when the time was up."""
        judged = await self._judged([*good, *batch], names)
        if judged is None:
            return None
        new = [one for one in judged.broken if not self._can_tidy(one)]
        if not new:
            self._untidy += judged.broken
            gone = {one.fingerprint for one in judged.fixed}
            mended = [item for item in batch if any(one.fingerprint in gone for one in item.findings)]
            return mended, judged if len(mended) == len(batch) else None
        if len(batch) == 1:
            return [], None
        paths = {one.path for one in new}
        suspects = [item for item in batch if paths & {edit.path for edit in item.variant.edits}]
        others = [item for item in batch if item not in suspects]
        if not suspects or not others:
            middle = len(batch) // 2
            others, suspects = list(batch[:middle]), list(batch[middle:])
        kept: list[Item] = []
        for some in (others, suspects):
            sifted = await self._sifted([*good, *kept], some, names)
            if sifted is None:
                return (kept, None) if kept else None
            kept += sifted[0]
        return kept, None

    async def _judged(self, items: Sequence[Item], names: Collection[str]) -> Judged | None:
        trying = items[-1].variant.says if len(items) == 1 else f"{len(items)} changes at once"
        self._say(trying, len(items))
        try:
            changes = self._judges.changed(_edits(items))
        except ValueError:
            # Somebody has changed a file meanwhile, to which it does not fit any more.
            return None
        return await self._judges.judge(changes, names)

    async def _told(self, good: Sequence[Item], judged: Judged | None) -> Repair:
        edits = _edits(good)
        tidy = await self._tidied(edits) if self._untidy else None
        edits = tidy or edits
        says = list(dict.fromkeys(item.variant.says for item in good))
        more = f"; and {len(says) - _NAMED} more" if len(says) > _NAMED else ""
        variant = Variant(
            edits,
            "+".join(dict.fromkeys(item.variant.template for item in good)),
            max(item.variant.cost for item in good),
            "; ".join(says[:_NAMED]) + more,
            good[0].variant.line if edits[0].path == good[0].variant.path else 1,
        )
        mends = [f"{one.place} {one.message}".strip() for item in good for one in item.findings]
        passed, whole = (judged.passed, judged.whole) if judged is not None and tidy is None else (0, False)
        return Repair(variant, self._kind, passed, whole, 0, tuple(dict.fromkeys(mends)))

    def _can_tidy(self, finding: Finding) -> bool:
        """Whether a tool can put a new finding right, and nothing else along with it."""
        before = self._judges.before(finding.check)
        known = before.findings if before is not None else ()
        return bool(finding.fix) and not any(one.fix and one.path == finding.path for one in known)

    async def _tidied(self, edits: tuple[Edit, ...]) -> tuple[Edit, ...] | None:
        """The edits with what ruff mends of what they brought; None where it cannot, or mends it badly."""
        try:
            changes = self._judges.changed(edits)
            changes = await self._judges.mended(changes, self._untidy)
        except (CheckError, ValueError):
            return None
        judged = await self._judges.judge(changes, {"ruff", "mypy", "syntax"})
        if judged is None or judged.broken:
            return None
        return tuple(
            edit
            for path, (before, after) in by_path(changes, self._judges.read).items()
            for edit in edits_between(path, before, after)
        )


def _edits(items: Sequence[Item]) -> tuple[Edit, ...]:
    """The edits of several items; what they have in common once."""
    return together(dict.fromkeys(edit for item in items for edit in item.variant.edits))


def fits(variant: Variant, items: Sequence[Item]) -> bool:
    """Whether a variant touches nothing else that others touch, unless it does the same there."""
    taken = {edit for item in items for edit in item.variant.edits}
    for edit in variant.edits:
        for other in taken:
            if other == edit or other.path != edit.path:
                continue
            insertions = edit.start == edit.end and other.start == other.end
            if edit.start == other.start and not insertions:
                return False
            if max(edit.start, other.start) < min(edit.end, other.end):
                return False
    return True
