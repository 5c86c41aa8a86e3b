"""What the checks find is mended, and the checks say whether it is: the finding is gone and nothing new has come.

All findings of one kind are gone about at once: the likeliest variant of each, in one tree. Where something new comes
of that they are halved until those are found that disturb; these go on with their next variant. So a hundred findings
cost a few runs of the check, not a hundred.
"""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from agent_core.checks.model import CheckResult, Finding
from agent_core.errors import CheckError
from agent_core.protocols import Check, Workspace
from agent_core.repair.beyond.bench import fault_of
from agent_core.repair.beyond.judging import Judged, Judges, by_path
from agent_core.repair.beyond.kinds import kind_of
from agent_core.repair.beyond.mending_syntax import mended_syntax
from agent_core.repair.beyond.names import name_variants
from agent_core.repair.beyond.renames import rename_variants
from agent_core.repair.beyond.syntax import edits_between
from agent_core.repair.beyond.types import type_variants
from agent_core.repair.hearing import unless_enough
from agent_core.repair.model import Edit, Kind, Progress, Repair, Variant, with_edits
from agent_core.repair.project import Project
from agent_core.workspace.tree import Changes, Snapshot

log = logging.getLogger(__name__)
_MOST_FINDINGS = 80
_MOST_VARIANTS = 8
_NAMED = 4
_MODULES = (
    "import json, pkgutil, sys; sys.path = [one for one in sys.path if one]; "
    "print(json.dumps(sorted({one.name for one in pkgutil.iter_modules()})))"
)
_MODULES_SECONDS = 10.0


class _Item:
    """Findings that the same variants may mend."""

    def __init__(self, findings: Sequence[Finding], variants: Sequence[Variant]) -> None:
        self.findings = tuple(findings)
        self.variants = list(variants)

    @property
    def variant(self) -> Variant:
        return self.variants[0]


class Mending:
    """Mends what the checks found in a tree.

    Args:
        workspace: The project.
        checks: Who judges.
        base: The working tree.
        changes: What the tree differs in.
        project: What is known of the tree's files.
        tell: Told how it gets on.
        enough: Set from outside to have it end soon, with what is known to be good.
        deadline: When it ends, by `time.monotonic`.
        before: Gives a file's text as it was last committed, where that is known.
    """

    def __init__(  # noqa: PLR0917 - whoever makes one has all of them at hand, in this order
        self,
        workspace: Workspace,
        checks: Sequence[Check],
        base: Snapshot,
        changes: Changes,
        project: Project,
        tell: Callable[[Progress], None],
        enough: asyncio.Event,
        deadline: float,
        before: Callable[[str], str | None] | None = None,
    ) -> None:
        self._workspace = workspace
        self._checks = checks
        self._base = base
        self._changes = changes
        self._project = project
        self._tell = tell
        self._enough = enough
        self._deadline = deadline
        self._before = before
        self._start = time.monotonic()
        self._installed: frozenset[str] | None = None

    async def repairs(self, kinds: Iterable[Kind], results: Sequence[CheckResult]) -> tuple[Repair, ...]:
        """Mend findings.

        Args:
            kinds: What is mended, in this order: ``syntax``, ``names``, ``lint``, ``types``.
            results: What the checks said of the tree.

        Returns:
            A repair for each kind in which something could be mended, with all of it; for a file that cannot be
            parsed also other readings of it, the best first.

        Raises:
            SandboxError: A candidate could not be made.
        """
        found: list[Repair] = []
        for kind in kinds:
            judges = Judges(
                self._workspace,
                self._checks,
                self._base,
                self._changes,
                before=results,
                enough=self._enough,
                deadline=self._deadline,
            )
            if judges.over:
                break
            findings = [one for result in results for one in result.findings if kind_of(one) == kind]
            tell = functools.partial(self._say, judges, len(found))
            if kind == "syntax":
                found += await mended_syntax(judges, self._project, findings, tell)
            elif findings:
                repair = await _Kind(judges, kind, tell).repair(await self._items(kind, findings, judges))
                found += [repair] if repair is not None else []
        return tuple(found)

    def _say(self, judges: Judges, found: int, trying: str, total: int = 0) -> None:
        now = time.monotonic()
        limit = max(self._deadline - self._start, 0.0)
        self._tell(Progress("mending", judges.tried, total, found, trying, now - self._start, limit))

    # -- what may be done about findings

    async def _items(self, kind: Kind, findings: Sequence[Finding], judges: Judges) -> list[_Item]:
        if kind == "lint":
            return await self._by_tool(findings, judges)
        installed = await self._modules() if kind == "names" else frozenset()
        items: list[_Item] = []
        for one in findings[:_MOST_FINDINGS]:
            making = asyncio.to_thread(self._variants, one, installed)
            variants = await unless_enough(making, self._enough, self._deadline - time.monotonic())
            if variants is None:
                break
            if variants:
                items.append(_Item([one], variants))
        return items

    def _variants(self, finding: Finding, installed: Collection[str]) -> list[Variant]:
        source = self._project.source(finding.path) if finding.path is not None else None
        makers: list[Iterator[Variant]] = [rename_variants(self._project, finding, self._before)]
        if source is not None:
            makers.append(name_variants(source, self._project, finding, installed))
            makers.append(type_variants(source, self._project, finding))
        made = [variant for maker in makers for variant in _made(maker, finding)]
        by_edits: dict[tuple[Edit, ...], Variant] = {}
        for variant in sorted(made, key=lambda one: one.cost):
            if variant.edits not in by_edits and self._usable(variant):
                by_edits[variant.edits] = variant
            if len(by_edits) >= _MOST_VARIANTS:
                break
        return list(by_edits.values())

    def _usable(self, variant: Variant) -> bool:
        """Whether a variant changes something, and all that it touches can be compiled."""
        for path in {edit.path for edit in variant.edits}:
            text = self._project.text(path)
            try:
                new = with_edits(text or "", [edit for edit in variant.edits if edit.path == path])
            except ValueError:
                return False
            if new == text or fault_of(new, compiled=True) is not None:
                return False
        return bool(variant.edits)

    async def _by_tool(self, findings: Sequence[Finding], judges: Judges) -> list[_Item]:
        """What the tools can mend by themselves, a variant a file."""
        fixable = [one for one in findings if one.fix and one.path is not None]
        if not fixable:
            return []
        try:
            changes = await judges.mended({}, fixable)
        except CheckError:
            # It said why when it judged; here it is no help.
            return []
        items = []
        for path, (before, after) in by_path(changes, judges.read).items():
            own = [one for one in fixable if one.path == path]
            says = "; ".join(dict.fromkeys(one.fix for one in own))
            edits = edits_between(path, before, after)
            line = before.count("\n", 0, edits[0].start) + 1
            items.append(_Item(own, [Variant(edits, "fix of the tool", 1.0, says, line)]))
        return items

    async def _modules(self) -> frozenset[str]:
        """The top-level modules that the project's Python can import."""
        if self._installed is None:
            candidate = await self._workspace.candidate(self._base, self._changes, cache="repair", patient=True)
            try:
                argv = (str(self._workspace.interpreter.python), "-I", "-c", _MODULES)
                left = max(self._deadline - time.monotonic(), 0.1)
                done = await candidate.run(argv, timeout=min(_MODULES_SECONDS, left))
            finally:
                await candidate.close()
            try:
                told = json.loads(done.stdout) if done.code == 0 else []
            except ValueError:
                told = []
            self._installed = frozenset(one for one in told if isinstance(one, str))
        return self._installed


def _made(maker: Iterator[Variant], finding: Finding) -> Iterator[Variant]:
    """What may be done about a finding; what fails at it is passed over, as nobody may have thought of such code."""
    for _ in range(_MOST_VARIANTS):
        try:
            variant = next(maker)
        except StopIteration:
            return
        except Exception:
            log.warning("nothing can be done about %s: %s", finding.place, finding.message, exc_info=True)
            return
        yield variant


class _Kind:
    """The mending of one kind of findings."""

    def __init__(self, judges: Judges, kind: Kind, say: Callable[..., None]) -> None:
        self._judges = judges
        self._kind = kind
        self._say = say
        # What ruff can put right afterwards, such as imports that are not in order now.
        self._untidy: list[Finding] = []

    async def repair(self, items: list[_Item]) -> Repair | None:
        """All that can be mended of some findings; None where that is nothing."""
        names = {"syntax", *(one.check for item in items for one in item.findings)}
        good = await self._settled(items, names)
        if not good:
            return None
        # What has been asked so far are only those who found something: at last all others are heard.
        everybody = await self._sifted([], good, {*self._judges.able, "syntax"})
        if everybody is None:
            judged = None
        else:
            good, judged = everybody
        return await self._told(good, judged) if good else None

    async def _settled(self, items: list[_Item], names: Collection[str]) -> list[_Item]:
        """The items of which a variant mends what it should, with that variant in front; good together."""
        good: list[_Item] = []
        pending = [item for item in items if item.variants]
        while pending and not self._judges.over:
            batch: list[_Item] = []
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
        self, good: Sequence[_Item], batch: Sequence[_Item], names: Collection[str]
    ) -> tuple[list[_Item], Judged | None] | None:
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
        kept: list[_Item] = []
        for some in (others, suspects):
            sifted = await self._sifted([*good, *kept], some, names)
            if sifted is None:
                return (kept, None) if kept else None
            kept += sifted[0]
        return kept, None

    async def _judged(self, items: Sequence[_Item], names: Collection[str]) -> Judged | None:
        trying = items[-1].variant.says if len(items) == 1 else f"{len(items)} changes at once"
        self._say(trying, len(items))
        try:
            changes = self._judges.changed(_edits(items))
        except ValueError:
            # Somebody has changed a file meanwhile, to which it does not fit any more.
            return None
        return await self._judges.judge(changes, names)

    async def _told(self, good: Sequence[_Item], judged: Judged | None) -> Repair:
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


def _edits(items: Sequence[_Item]) -> tuple[Edit, ...]:
    """The edits of several items; what they have in common once."""
    return tuple(sorted(dict.fromkeys(edit for item in items for edit in item.variant.edits)))


def fits(variant: Variant, items: Sequence[_Item]) -> bool:
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
