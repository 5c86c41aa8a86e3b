"""What the checks find is mended, and the checks say whether it is: the finding is gone and nothing new has come."""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from agent_core.checks.model import CheckResult, Finding
from agent_core.errors import CheckError
from agent_core.repair.beyond.bench import fault_of
from agent_core.repair.beyond.committed import committed_texts
from agent_core.repair.beyond.judging import Judges, by_path
from agent_core.repair.beyond.kinds import kind_of
from agent_core.repair.beyond.mending_syntax import mended_syntax
from agent_core.repair.beyond.names import name_variants
from agent_core.repair.beyond.renames import missing_name, rename_variants
from agent_core.repair.beyond.settling import Item, Settling
from agent_core.repair.beyond.syntax import edits_between
from agent_core.repair.beyond.types import type_variants
from agent_core.repair.ground import Ground
from agent_core.repair.hearing import unless_enough
from agent_core.repair.model import Edit, Kind, Progress, Repair, Variant, with_edits
from agent_core.repair.project import Project

log = logging.getLogger(__name__)
_MOST_FINDINGS = 80
_MOST_VARIANTS = 8
_MODULES = (
    "import json, pkgutil, sys; sys.path = [one for one in sys.path if one]; "
    "print(json.dumps(sorted({one.name for one in pkgutil.iter_modules()})))"
)
_MODULES_SECONDS = 10.0


class Mending:
    """Mends what the checks found in a tree.

    Args:
        ground: The tree.
        project: What is known of the tree's files.
        tell: Told how it gets on.
        enough: Set from outside to have it end soon, with what is known to be good.
        deadline: When it ends, by `time.monotonic`.
        before: Gives a file's text as it was before some change; None for as it was last committed.
    """

    def __init__(  # noqa: PLR0917 - whoever makes one has all of them at hand, in this order
        self,
        ground: Ground,
        project: Project,
        tell: Callable[[Progress], None],
        enough: asyncio.Event,
        deadline: float,
        before: Callable[[str], str | None] | None = None,
    ) -> None:
        self._ground = ground
        self._project = project
        self._tell = tell
        self._enough = enough
        self._deadline = deadline
        self._before = before
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
                self._ground,
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
                repair = await Settling(judges, kind, tell).repair(await self._items(kind, findings, judges))
                found += [repair] if repair is not None else []
        return tuple(found)

    def _say(self, judges: Judges, found: int, trying: str, total: int = 0) -> None:
        self._tell(Progress("mending", judges.tried, total, found, trying))

    # -- what may be done about findings

    async def _items(self, kind: Kind, findings: Sequence[Finding], judges: Judges) -> list[Item]:
        if kind == "lint":
            return await self._by_tool(findings, judges)
        installed = await self._modules() if kind == "names" else frozenset()
        if self._before is None and any(missing_name(one) for one in findings):
            self._before = await committed_texts(self._ground.workspace.root, self._project)
        items: list[Item] = []
        for one in findings[:_MOST_FINDINGS]:
            making = asyncio.to_thread(self._variants, one, installed)
            variants = await unless_enough(making, self._enough, self._deadline - time.monotonic())
            if variants is None:
                break
            if variants:
                items.append(Item([one], variants))
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

    async def _by_tool(self, findings: Sequence[Finding], judges: Judges) -> list[Item]:
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
            items.append(Item(own, [Variant(edits, "fix of the tool", 1.0, says, line)]))
        return items

    async def _modules(self) -> frozenset[str]:
        """The top-level modules that the project's Python can import."""
        if self._installed is None:
            candidate = await self._ground.candidate()
            try:
                argv = (str(self._ground.workspace.interpreter.python), "-I", "-c", _MODULES)
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
