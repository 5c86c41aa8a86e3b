"""One comparison of two trees from beginning to end: both are judged, and the verdict is told as it comes."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence

import msgspec

from agent_core.checks.baseline import bound_to
from agent_core.checks.bench import Bench, Trees
from agent_core.checks.choosing import reconfigures
from agent_core.checks.matching import moved_test
from agent_core.checks.model import CheckResult, Finding, Verdict, Wish
from agent_core.checks.runner import QUICK, run_checks, side_by_side
from agent_core.checks.second_look import SecondLook
from agent_core.checks.silencing import find_silencing
from agent_core.checks.targets import find_targets
from agent_core.checks.verdict import Aside, judge
from agent_core.errors import first_cause
from agent_core.protocols import Candidate, Check
from agent_core.workspace.tree import Changes, FileChange, with_changes

_NODE = re.compile(r"[\w./-]+\.py::[\w:.\[\]-]+")
_MOST_FIRST = 1000
_MOST_RESTLESS = 3
_RESTLESS = "some files are saved again and again with the same content: it was judged while that went on"


class Case:
    """One comparison.

    Args:
        bench: What it shares with others.
        trees: What is compared.
        task: What the human asked for, which names the targets; None for none.
        on_verdict: Takes verdicts that are not complete, whenever they say something else than the one before.
    """

    def __init__(self, bench: Bench, trees: Trees, task: str | None, on_verdict: Callable[[Verdict], None]) -> None:
        self._bench = bench
        self._trees = trees
        self._task = task
        self._on_verdict = on_verdict
        self._changed = trees.changed()
        self._moves = trees.all_moves()
        self._base: dict[str, CheckResult] = {}
        self._said: dict[str, CheckResult] = {}
        self._ended: set[str] = set()
        self._targets: tuple[Finding, ...] | None = None
        self._told: object = None
        self._news = asyncio.Event()

    async def run(self) -> Verdict:
        """Compare them.

        Returns:
            The complete verdict; one that is not complete, and not green, when the working tree was changed meanwhile.

        Raises:
            SandboxError: A tree could not be put up.
        """
        bench, trees = self._bench, self._trees
        touched = bench.workspace.touched
        candidate = await bench.workspace.candidate(trees.base, trees.after, cache="candidate")
        try:
            checks = tuple(bound_to(check, candidate, self._changed) for check in bench.checks)
            base, results = await self._both(candidate, checks)
            verdict = await self._concluded(candidate, checks, base, results)
        finally:
            await candidate.close()
        # Where there is no check, no result says which tree it is about.
        verdict = msgspec.structs.replace(verdict, tree=candidate.tree)
        if (await bench.workspace.snapshot()).tree != trees.base.tree:
            return _void(verdict, "the files were changed while they were checked: this is about neither tree")
        if bench.workspace.touched != touched:
            restless = bench.memory.restless
            restless[candidate.tree] += 1
            if restless[candidate.tree] < _MOST_RESTLESS:
                return _void(
                    verdict, "files were saved and put back while they were checked: this may be about neither"
                )
            # Something writes all the time what is there already. It is judged as it is, and not remembered.
            return msgspec.structs.replace(verdict, notes=(*verdict.notes, _RESTLESS))
        del bench.memory.restless[candidate.tree]
        if not verdict.flaky:
            bench.baseline.keep(dict(zip(checks, results, strict=True)))
        return verdict

    async def _both(
        self, candidate: Candidate, checks: Sequence[Check]
    ) -> tuple[tuple[CheckResult, ...], tuple[CheckResult, ...]]:
        """What all checks say about the base and about the candidate."""
        bench, trees = self._bench, self._trees
        try:
            async with asyncio.TaskGroup() as group:
                teller = group.create_task(self._tell())
                base = group.create_task(
                    bench.baseline.of(trees.base, self._changed, changes=trees.before, heard=self._heard_base)
                )
                said = group.create_task(
                    run_checks(
                        checks,
                        candidate,
                        "candidate",
                        bench.emit,
                        wish=lambda _check: Wish(first=self._first(), changed=self._changed),
                        heard=self._heard,
                        slots=bench.slots,
                    )
                )
                await asyncio.wait((base, said))
                teller.cancel()
        except BaseExceptionGroup as errors:
            raise first_cause(errors) from errors
        return base.result(), said.result()

    # -- telling how it gets on

    def _heard_base(self, said: CheckResult) -> None:
        self._base[said.check] = said
        self._news.set()

    def _heard(self, said: CheckResult) -> None:
        self._said[said.check] = said
        if said.stage == "all" and not said.early:
            self._ended.add(said.check)
        self._news.set()

    async def _tell(self) -> None:
        """Tell what is known whenever that is something else."""
        names = [check.name for check in self._bench.checks]
        quick = {name for name in names if name in QUICK}
        while True:
            await self._news.wait()
            self._news.clear()
            waiting = [name for name in names if name not in self._ended or name not in self._base]
            if quick & set(waiting) or not waiting:
                continue
            targets = await self._find_targets() if "pytest" in self._base else ()
            self._say_so_far(targets, waiting)

    def _say_so_far(self, targets: Sequence[Finding], waiting: Collection[str], aside: Aside | None = None) -> None:
        names = [check.name for check in self._bench.checks]
        base = [self._base[name] for name in names if name in self._base]
        results = [self._said[name] for name in names if name in self._said]
        verdict = judge(base, results, targets, moves=self._moves, aside=aside, waiting=waiting)
        compared = frozenset(name for name in self._said if name in self._base)
        sorts = (verdict.broken, verdict.fixed, verdict.targets_left, verdict.flaky)
        telling = (
            verdict.green,
            verdict.stage,
            compared,
            tuple(waiting),
            *(frozenset(Counter(finding.fingerprint for finding in sort).items()) for sort in sorts),
        )
        if telling != self._told:
            self._told = telling
            self._on_verdict(verdict)

    # -- what is wanted

    def _first(self) -> tuple[str, ...]:
        """The tests to run before all others: those that failed before, and those that the task names."""
        base = self._base.get("pytest")
        failing = [finding.code for finding in base.findings] if base is not None else []
        if base is None:
            tree = with_changes(self._trees.base, self._trees.before).tree
            known = self._bench.baseline.known(tree)
            failing = [finding.code for said in known if said.check == "pytest" for finding in said.findings]
        nodes = [moved_test(node, self._moves) for node in failing]
        ids = dict.fromkeys((*_NODE.findall(self._task or ""), *self._bench.memory.failed, *nodes))
        return tuple(node for node in ids if "::" in node)[:_MOST_FIRST]

    async def _find_targets(self) -> tuple[Finding, ...]:
        """The failures of the base that the task is about, once what the tests say of it is known."""
        if self._task is None:
            return ()
        if self._targets is None:
            files = with_changes(self._trees.base, self._trees.after).files
            base = tuple(self._base.values())
            # It reads and parses what the failing tests import.
            self._targets = await asyncio.to_thread(
                find_targets, self._task, base, self._changed, files, lambda path: _data(self._read_after(path))
            )
        return self._targets

    def _read_after(self, path: str) -> FileChange | None:
        return self._read(path, self._trees.after)

    def _read_before(self, path: str) -> FileChange | None:
        back = {new: old for old, new in self._moves.items()}
        return self._read(back.get(path, path), self._trees.before)

    def _read(self, path: str, changes: Changes) -> FileChange | None:
        if path in changes:
            return None if changes[path].data is None else changes[path]
        state = self._trees.base.files.get(path)
        data = self._bench.workspace.read(path) if state is not None else None
        return FileChange(data, state.mode) if state is not None and data is not None else None

    # -- the last word

    async def _concluded(
        self,
        candidate: Candidate,
        checks: Sequence[Check],
        base: tuple[CheckResult, ...],
        results: tuple[CheckResult, ...],
    ) -> Verdict:
        """The complete verdict, once what is doubtful has been looked at again."""
        bench, memory = self._bench, self._bench.memory
        look = SecondLook(bench, self._trees, self._changed, self._moves)
        if any(said.cached for said in base):
            base, self._targets = await look.confirmed(base, results), None
        self._base = {said.check: said for said in base}
        self._said = {said.check: said for said in results}
        targets = await self._find_targets()
        silencing = await asyncio.to_thread(find_silencing, self._changed, self._read_before, self._read_after)
        doubt = look.doubt(checks, self._base, self._said, targets)
        if doubt is not None or silencing.checks:
            self._say_so_far(targets, ())
        settled, without = await side_by_side(
            look.settled(candidate, doubt, self._base, self._said), look.without(silencing, self._base, self._said)
        )
        memory.wavers.update(settled.wavers)
        memory.failed = tuple(one.code for said in results if said.check == "pytest" for one in said.findings)
        if settled.wavers and doubt is not None:
            bench.baseline.distrust(doubt[0].name)
            for said in (*base, *results):
                await bench.baseline.forget(doubt[0], said.tree)
        wavers = {**look.remembered(doubt), **settled.wavers}
        notes = (*without.notes, *await asyncio.to_thread(self._reconfigured))
        aside = Aside(wavers, without.hidden, without.silenced, settled.confirmed, notes)
        return judge(base, results, targets, moves=self._moves, aside=aside)

    def _reconfigured(self) -> tuple[str, ...]:
        """What a human is told where the change would have other checks run, or have them run something else."""

        def read(changes: Changes) -> Callable[[str], bytes | None]:
            def one(path: str) -> bytes | None:
                return changes[path].data if path in changes else self._bench.workspace.read(path)

            return one

        files = reconfigures(self._changed, read(self._trees.before), read(self._trees.after))
        if not files:
            return ()
        text = f"the change also touches how the project is checked ({', '.join(files)})"
        return (f"{text}; it was judged by the checks as they were chosen before",)


def _void(verdict: Verdict, note: str) -> Verdict:
    """A verdict that is good for nobody, and says why."""
    summary = f"{note}; {verdict.summary}"
    return msgspec.structs.replace(verdict, green=False, complete=False, notes=(*verdict.notes, note), summary=summary)


def _data(file: FileChange | None) -> bytes | None:
    return None if file is None else file.data
