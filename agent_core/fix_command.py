"""``pairloop fix``: the built-in partner without a screen. What it proposes goes the way of every proposal.

With ``--dry-run`` or ``--all`` nothing is proposed: the repairs that were found are told with what they change. What
``--json`` prints then is one JSON object, a `Told`; without them it is what ``pairloop exec --json`` prints.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TextIO

import msgspec

from agent_core import events as ev
from agent_core.check_command import guarded
from agent_core.check_progress import is_terminal
from agent_core.checker import opened
from agent_core.checks.base_tree import Heard
from agent_core.checks.model import CheckResult
from agent_core.draft import Draft, disk_reader
from agent_core.headless import GREEN, INTERRUPTED, NOT_GREEN, Opener, execute
from agent_core.judge import Judge
from agent_core.output import JsonWriter, complain, reader
from agent_core.patch.diff import unified
from agent_core.repair.afresh import AGAIN, Afresh
from agent_core.repair.edited import edited
from agent_core.repair.model import Difference, Found, Kind, Progress, Repair, Wanted
from agent_core.repair.named import meant
from agent_core.repairing import standing
from agent_core.repairs_state import SearchState
from agent_core.session import Session
from agent_core.state import State
from agent_core.text import printable, shortened
from agent_core.workspace.project import Project
from agent_core.workspace.tree import Changes, Snapshot

_CHECKS: Mapping[Kind, tuple[str, ...]] = {
    "tests": ("pytest",),
    "syntax": ("syntax",),
    "names": ("ruff", "mypy", "pytest"),
    "lint": ("ruff",),
    "types": ("mypy",),
}
_WORDS: Mapping[Kind, str] = {
    "tests": "tests",
    "syntax": "syntax",
    "names": "imports",
    "lint": "lint",
    "types": "types",
}
_WIDTH = 100


class FixWish(msgspec.Struct, frozen=True):
    """What is asked for.

    Attributes:
        tests: Ids of tests, or beginnings of ids; empty for whatever fails.
        kind: What may be mended; None for all.
        seconds: How long a search may take.
        every: Where they are only told: every repair that was found, not the best alone.
        json: As JSON.
    """

    tests: tuple[str, ...] = ()
    kind: Kind | None = None
    seconds: float = 60.0
    every: bool = False
    json: bool = False

    @property
    def task(self) -> str:
        """It as a task for the built-in partner."""
        return " ".join(("Fix", *self.tests, *([_WORDS[self.kind]] if self.kind is not None else [])))


class ToldRepair(msgspec.Struct, frozen=True):
    """A repair as ``--json`` has it; see `agent_core.repair.model.Repair`."""

    says: str
    kind: Kind
    path: str
    line: int
    passed: int
    whole: bool
    mends: tuple[str, ...]
    diff: str


class Told(msgspec.Struct, frozen=True):
    """What a search came to, as ``--json`` has it; see `agent_core.repair.model.Found`.

    Attributes:
        exit: The exit code.
    """

    exit: int
    repairs: tuple[ToldRepair, ...]
    differences: tuple[Difference, ...]
    failing: tuple[str, ...]
    word: str
    tried: int
    seconds: float
    ended: str


class Progressing:
    """Shows how a search gets on, in one line of a terminal that is gone when it has ended.

    Args:
        environ: The environment.
        out: The terminal; standard error by default. Nothing is shown where it is none.
    """

    def __init__(self, environ: Mapping[str, str], out: TextIO | None = None) -> None:
        self._out = out or sys.stderr
        self._shown = is_terminal(self._out, environ)
        self._drawn = False

    def show(self, search: SearchState) -> None:
        """Show how far it is."""
        if not self._shown:
            return
        parts = (search.so_far, f"{search.seconds:.0f} of {search.limit:.0f} s" if search.limit else "", search.trying)
        line = f"{search.doing}: {', '.join(part for part in parts if part)}".rstrip(": ")
        text = " ".join(printable(line).split())
        self._write("\r" + (text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…") + "\x1b[K")
        self._drawn = True

    def clear(self) -> None:
        """Take the line away."""
        if self._drawn:
            self._write("\r\x1b[K")
            self._drawn = False

    def _write(self, text: str) -> None:
        with reader(self._out):
            self._out.write(text)


class _Following:
    """Opens a session, shows how its searches get on, and knows whether anything was red in it."""

    def __init__(self, opener: Opener, wish: FixWish, progress: Progressing) -> None:
        self._opener = opener
        self._wish = wish
        self._progress = progress
        self._results: dict[str, CheckResult] = {}
        self._running: set[str] = set()
        self._proposed = False

    async def open(self, resume: str | None) -> Session:
        session = await self._opener.open(resume)
        session.subscribe(self._hear)
        return session

    def _hear(self, entry: ev.Entry, state: State) -> None:
        match entry.event:
            case ev.RepairProgressed() if state.repairs.search is not None:
                self._progress.show(state.repairs.search)
            case ev.RepairEnded():
                self._progress.clear()
            case ev.CheckStarted(check, "baseline"):
                self._running.add(check)
            case ev.CheckFinished("baseline", result):
                self._running.discard(result.check)
                self._results[result.check] = result
            case ev.ProposalMade():
                self._proposed = True

    def is_well(self) -> bool:
        """Whether there was nothing to mend; a check that has not ended, as of tests that hang, does not tell."""
        of = _about(self._wish)
        waited = self._running if of is None else self._running & set(of)
        return not (self._proposed or waited) and nothing_red(tuple(self._results.values()), self._wish)


def _about(wish: FixWish) -> Collection[str] | None:
    """The checks that say what is to be mended; None for all."""
    return _CHECKS[wish.kind] if wish.kind is not None else ("pytest",) if wish.tests else None


def nothing_red(results: Sequence[CheckResult], wish: FixWish) -> bool:
    """Whether checks have judged, and found nothing of what is to be mended.

    Args:
        results: What they say.
        wish: What is to be mended; of tests that are named only those count.
    """
    of = _about(wish)
    about = [one for one in results if of is None or one.check in of]
    if not any(one.judged for one in about) or not all(one.judged or one.outcome == "skipped" for one in about):
        return False
    red = [finding.code for one in about for finding in one.findings]
    if wish.tests and not [test for one in about for test in one.passed if meant(test, wish.tests)]:
        # There are no such tests, or they have not been run.
        return False
    return not [code for code in red if not wish.tests or meant(code, wish.tests)]


async def fix(opener: Opener, wish: FixWish, environ: Mapping[str, str]) -> int:
    """Have the built-in partner propose a repair.

    Args:
        opener: Opens a session with it.
        wish: What is asked for.
        environ: The environment.

    Returns:
        The exit code: those of `agent_core.headless.execute`, and 0 where there is nothing to mend.
    """
    following = _Following(opener, wish, Progressing(environ))
    code = await execute(following, wish.task, json=wish.json)
    return GREEN if code == NOT_GREEN and following.is_well() else code


async def list_repairs(project: Path | None, wish: FixWish, environ: Mapping[str, str]) -> int:
    """Look for repairs, and tell them; nothing is proposed.

    Args:
        project: The project's folder; None for the one that this process stands in.
        wish: What is asked for.
        environ: The environment.

    Returns:
        The exit code: 0 where there is one, or nothing to mend, 1 where there is none, 5 where no tree could be put up.

    Raises:
        ConfigError: The configuration cannot be used.
    """

    async def once() -> int:
        workspace, listed = await opened(project, environ)
        judge = Judge(workspace, [one.check for one in listed if one.on and one.check is not None], _unheard)
        try:
            return await _listed(workspace, judge, wish, Progressing(environ), sys.stdout)
        finally:
            await judge.close()
            await workspace.close()

    return await guarded(once(), lambda: INTERRUPTED)


async def _listed(workspace: Project, judge: Judge, wish: FixWish, progress: Progressing, out: TextIO) -> int:
    from agent_core.repair.finder import Finder  # noqa: PLC0415 - heavy, and not needed for --help

    base = await workspace.snapshot()

    def again() -> None:
        said.clear()
        progress.clear()
        complain(AGAIN)

    afresh = Afresh(workspace.snapshot, again, told=False)

    async def tree() -> tuple[Snapshot, Changes]:
        nonlocal base
        base = await workspace.snapshot()
        afresh.about(base)
        return base, {}

    def tell(told: Progress) -> None:
        progress.show(SearchState(beside=False, what="", **msgspec.structs.asdict(told)))

    said: dict[str, CheckResult] = {}

    async def stands(heard: Heard) -> tuple[CheckResult, ...]:
        def hear(one: CheckResult) -> None:
            said[one.check] = one
            heard(one)

        return await standing(judge, base, {}, hear)

    finder = Finder(workspace, lambda: judge.checks, stands, tree)
    wanted = Wanted(wish.tests, (wish.kind,) if wish.kind is not None else (), seconds=wish.seconds)
    try:
        found = await afresh.find(finder, wanted, tell, asyncio.Event())
    finally:
        progress.clear()
    # What the search did not wait for, as it may hang, nobody waits for after it: it does not tell that all is well.
    results = [said.get(one.name) or _silent(one.name, base) for one in judge.checks]
    well = not found.repairs and nothing_red(results, wish)
    code = GREEN if found.repairs or well else NOT_GREEN
    repairs = found.repairs if wish.every else found.repairs[:1]
    told = [_told(one, workspace, base) for one in repairs]
    with reader(out):
        if wish.json:
            failing = tuple(run.test for run in found.failing)
            JsonWriter(out).write(
                Told(code, tuple(told), found.differences, failing, found.word, found.tried, found.seconds, found.ended)
            )
        else:
            out.writelines(f"{printable(line)}\n" for line in _lines(found, told))
    return code


def _silent(check: str, base: Snapshot) -> CheckResult:
    """What stands for a check that nobody has waited for."""
    return CheckResult(check, "timeout", base.tree, "it was not waited for")


def _told(repair: Repair, workspace: Project, base: Snapshot) -> ToldRepair:
    from agent_core.repair.words import says_of  # noqa: PLC0415 - as above

    changes = edited(repair.variant.edits, workspace.read, base)
    read = disk_reader(workspace, base)
    draft = Draft(base, {path: read(path) for path in changes}, changes)
    contents = draft.contents()
    diff = unified(draft.patch(), contents.__getitem__)
    variant = repair.variant
    return ToldRepair(
        says_of(variant), repair.kind, variant.path, variant.line, repair.passed, repair.whole, repair.mends, diff
    )


def _lines(found: Found, told: Sequence[ToldRepair]) -> list[str]:
    """What is said for a human."""
    lines = [found.word] if found.word else []
    for number, one in enumerate(told, 1):
        if len(told) > 1:
            lines += ["", f"{number}. {shortened(one.says, _WIDTH)} ({one.path}:{one.line})"]
        lines += ["", one.diff.rstrip()]
    if len(told) > 1:
        for different in found.differences[:3]:
            gives = ", ".join(f"{number}: {one}" for number, one in enumerate(different.results, 1))
            lines += ["", f"{different.call} gives {gives}."]
    return lines


def _unheard(_event: ev.AnyEvent) -> None:
    """Nobody follows the checks."""
