"""Judges the working tree of a project against a revision, the way proposals are judged against the working tree."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from agent_core import config as configuration
from agent_core.check_progress import Board
from agent_core.check_report import Base, Report, make_report
from agent_core.checks.bench import Trees
from agent_core.checks.chosen import Listed, chosen
from agent_core.checks.model import Finding, Verdict
from agent_core.checks.runner import QUICK
from agent_core.checks.verdict import judge
from agent_core.errors import ConfigError
from agent_core.events import AnyEvent, CheckFinished, CheckProgressed, CheckStaged, CheckStarted
from agent_core.judge import Judge
from agent_core.protocols import Check
from agent_core.workspace.back_to import Same, back_to
from agent_core.workspace.git import current_folder, project_root
from agent_core.workspace.project import Project, open_project
from agent_core.workspace.revision import commit_of, head_of, open_revision
from agent_core.workspace.tree import Snapshot

Upto = Literal["first", "affected", "all"]
_TRIES = 3
_UNSETTLED = "the files were changed while they were checked, again and again"


class CheckWish(msgspec.Struct, frozen=True):
    """What is asked of ``pairloop check``.

    Attributes:
        paths: Files and folders that are reported of; all when empty.
        base: The revision to compare with; None for HEAD, where there is one.
        upto: ``first``: only the checks that answer at once. ``affected``: no more tests than the change can reach.
        json: As JSON.
        every: Leave nothing out, see `Lines`.
    """

    paths: tuple[Path, ...] = ()
    base: str | None = None
    upto: Upto = "all"
    json: bool = False
    every: bool = False


class Checker:
    """Judges the working tree of one project, as often as it is asked to; made by `open_checker`.

    Args:
        project: The project.
        checks: Who judges.
        wish: What is asked for.
        paths: What is reported of, relative to the project; everything when empty.
        board: Hears how the checks get on.
    """

    def __init__(
        self, project: Project, checks: Sequence[Check], wish: CheckWish, paths: Sequence[str], board: Board
    ) -> None:
        self.project = project
        self._checks = tuple(checks)
        self._names = [check.name for check in self._checks]
        self._wish = wish
        self._paths = paths
        self._board = board
        self._judge: Judge | None = None
        self._same: Same = set()
        self._looked_for = False
        self._alone_now = False

    async def report(self, now: Snapshot | None = None) -> Report:
        """Judge the working tree.

        Args:
            now: The working tree, where it is known.

        Raises:
            ConfigError: There is no such revision, or one of the paths is nowhere.
            SandboxError: A tree could not be put up.
        """
        base, verdict, settled = await self._once(now or await self.project.snapshot())
        for _ in range(_TRIES - 1):
            if settled:
                break
            # Whatever still runs was begun for files that are no more.
            await self.forget()
            self._board.give_up()
            base, verdict, settled = await self._once(await self.project.snapshot())
        self._board.end()
        unsettled = "" if settled else _UNSETTLED
        return make_report(verdict, self.project.root, base, self._wanted, unsettled=unsettled)

    async def forget(self) -> None:
        """End what runs, and know nothing any more of what was judged."""
        if self._judge is not None:
            judge_, self._judge = self._judge, None
            await judge_.close()

    async def close(self) -> None:
        """End everything."""
        await self.forget()
        await self.project.close()

    async def _once(self, now: Snapshot) -> tuple[Base | None, Verdict, bool]:
        """One verdict, and whether it is about a tree that is still there."""
        base, trees = await self._trees(now)
        self._check_paths(now, trees)
        self._board.begin(self._names)
        touched = self.project.touched
        if trees is not None and trees.changed():
            verdict = await self._compared(trees)
        else:
            verdict = await self._alone(now, compared=trees is not None)
        settled = (await self.project.snapshot()).tree == now.tree and self.project.touched == touched
        return base, verdict, settled

    async def _trees(self, now: Snapshot) -> tuple[Base | None, Trees | None]:
        """What is compared; nothing where there is no commit."""
        root = self.project.root
        name = self._wish.base
        if name is None:
            commit = await head_of(root)
            if commit is None:
                return None, None
            base = Base("HEAD", commit)
        else:
            base = Base(name, await commit_of(root, name))
        revision = await open_revision(root, base.commit or base.name)
        before = await back_to(revision, now, self.project.read, self._same)
        return base, Trees(now, {}, before)

    async def _alone(self, now: Snapshot, *, compared: bool) -> Verdict:
        """What the checks say of the working tree: of nothing new where it is the base itself, else all of it."""
        judge_ = self._judging()
        self._alone_now = True
        try:
            # What was judged earlier shows what is known; it does not decide that there is nothing wrong.
            results = await judge_.standing(now, () if compared else sorted(now.files), anew=not compared)
        finally:
            self._alone_now = False
        self._board.recall(results)
        return judge(results if compared else (), results)

    def _judging(self) -> Judge:
        if self._judge is None:
            self._judge = Judge(self.project, self._checks, self._hear)
        return self._judge

    def _hear(self, event: AnyEvent) -> None:
        """Show how checks get on; those of the base are what was asked for, where that is all there is."""
        if self._alone_now and isinstance(event, CheckStarted | CheckProgressed | CheckStaged | CheckFinished):
            event = msgspec.structs.replace(event, where="candidate")
        self._board(event)

    async def _compared(self, trees: Trees) -> Verdict:
        """The verdict of the judge; the one so far as soon as it goes as far as was asked for."""
        enough: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()

        def so_far(verdict: Verdict) -> None:
            if self._is_enough(verdict) and not enough.done():
                enough.set_result(verdict)

        task = asyncio.create_task(self._judging().compare(trees, None, so_far))
        try:
            await asyncio.wait((task, enough), return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait([task])
        return enough.result() if task.cancelled() else task.result()

    def _is_enough(self, verdict: Verdict) -> bool:
        """Whether all but the tests have said their last word, and these have got through what the change can reach."""
        return (
            self._wish.upto == "affected"
            and verdict.stage == "affected"
            and len(verdict.results) == len(self._names)
            and not any(said.early for said in verdict.results)
            and self._board.based.issuperset(self._names)
        )

    # -- paths

    def _check_paths(self, now: Snapshot, trees: Trees | None) -> None:
        """See to it once that the paths are somewhere.

        Raises:
            ConfigError: One is not.
        """
        if self._looked_for:
            return
        self._looked_for = True
        there = {*now.files, *(trees.before if trees is not None else ())}
        for path in self._paths:
            if path and path not in there and not any(one.startswith(f"{path}/") for one in there):
                raise ConfigError(f"{path}: there is no file of the project at or below it.", "Ignored files are none.")

    def _wanted(self, finding: Finding) -> bool:
        """Whether a finding is in the paths that were asked for; one that is nowhere always is."""
        if not self._paths or finding.path is None:
            return True
        # A test fails in the code it tests, and belongs to its own file, too.
        places = {finding.path, finding.code.partition("::")[0] if "::" in finding.code else finding.path}
        return any(
            not path or place == path or place.startswith(f"{path}/") for path in self._paths for place in places
        )


def _relative(root: Path, paths: Sequence[Path]) -> tuple[str, ...]:
    """Paths as the human gave them, relative to the project; empty for the project itself.

    Raises:
        ConfigError: One leads out of it.
    """
    found = []
    for path in paths:
        # The folder is resolved, the file is not: a link is a file of the project.
        full = Path(os.path.normpath(path))
        full = Path(os.path.realpath(full.parent)) / full.name if full != root else full
        if full != root and root not in full.parents:
            raise ConfigError(f"{path}: lies outside of the project {root}.", "Name the project with --project.")
        found.append("" if full == root else full.relative_to(root).as_posix())
    return tuple(found)


async def opened(project: Path | None, environ: Mapping[str, str]) -> tuple[Project, tuple[Listed, ...]]:
    """Open a project, and choose its checks.

    Args:
        project: Its folder; None for the one that this process stands in.
        environ: The environment.

    Raises:
        ConfigError: The configuration cannot be used.
        SandboxError: The isolation insisted on does not work here.
    """
    root = project_root(project)
    settings = configuration.load(root, {}, environ)
    workspace = await open_project(root, settings, environ)
    return workspace, chosen(settings.checks, workspace.interpreter, workspace.read, environ)


@contextlib.asynccontextmanager
async def open_checker(
    project: Path | None, wish: CheckWish, environ: Mapping[str, str], board: Board
) -> AsyncIterator[Checker]:
    """Open a project to judge it.

    Args:
        project: Its folder; None for the one that this process stands in. Paths are relative to it if it is given.
        wish: What is asked for.
        environ: The environment.
        board: Hears how the checks get on.

    Raises:
        ConfigError: The configuration cannot be used, a path leads out of the project, or no check is on.
        SandboxError: The isolation insisted on does not work here.
    """
    above = current_folder() if project is None else project
    paths = _relative(project_root(project), [above / path for path in wish.paths])
    workspace, listed = await opened(project, environ)
    checks = [one.check for one in listed if one.on and one.check is not None]
    if wish.upto == "first":
        checks = [check for check in checks if check.name in QUICK]
    checker = Checker(workspace, checks, wish, paths, board)
    try:
        if not checks:
            raise ConfigError("No check is on.", "`pairloop check --list` says why.")
        yield checker
    finally:
        await checker.close()
