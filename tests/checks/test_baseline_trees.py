"""One tree can be made of several working trees; what ran over one of them says nothing to who asks over another."""

from __future__ import annotations

import asyncio
from pathlib import Path

from agent_core.checks.baseline import Baseline
from agent_core.checks.model import CheckResult, Wish
from agent_core.checks.tool import result
from agent_core.protocols import Candidate
from agent_core.workspace.tree import with_changes
from tests.projects import make_project, write_files
from tests.workspace.opening import open_with, put


class Reader:
    """Says what the files of the candidate hold, each time when it is allowed to."""

    name = "reader"

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.allowed = asyncio.Event()
        self.runs = 0

    async def run(self, candidate: Candidate, wish: Wish) -> CheckResult:
        self.runs += 1
        self.begun.set()
        await self.allowed.wait()
        done = await candidate.run(("cat", "a.txt", "b.txt"), timeout=30)
        return result(self.name, candidate, "passed", done.stdout.decode(), done=done)


async def test_a_run_over_another_working_tree_is_not_joined(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"a.txt": "a1\n", "b.txt": "b1\n"})
    project = await open_with(root, "bubblewrap")
    reader = Reader()
    baseline = Baseline(project, (reader,), lambda _: None)
    old, over_old = await project.snapshot(), {"a.txt": put("a2\n")}
    wanted = with_changes(old, over_old).tree
    first = asyncio.create_task(baseline.of(old, changes=over_old))
    await asyncio.wait_for(reader.begun.wait(), 30)
    # While that runs the human saves another file; the same tree is made of theirs by other changes now.
    write_files(root, {"b.txt": "b9\n"})
    new, over_new = await project.snapshot(), {"a.txt": put("a2\n"), "b.txt": put("b1\n")}
    assert with_changes(new, over_new).tree == wanted
    second = asyncio.create_task(baseline.of(new, changes=over_new))
    third = asyncio.create_task(baseline.of(new, changes=over_new))
    reader.allowed.set()
    async with asyncio.timeout(60):
        [said], [shared] = await second, await third
        await first
    assert (said.tree, said.summary) == (wanted, "a2 b1")
    assert shared == said
    assert reader.runs == 2
    # What is known for sure stays known, of whatever it is made next, and nothing of the mixture does.
    assert baseline.known(wanted) == (said,)
    write_files(root, {"a.txt": "a2\n", "b.txt": "b1\n"})
    there = await project.snapshot()
    assert there.tree == wanted
    assert await baseline.of(there) == (said,)
    assert reader.runs == 2
    await baseline.close()
    await project.close()


async def test_what_nobody_waits_for_any_more_ends_and_is_closed(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"a.txt": "a1\n", "b.txt": "b1\n"})
    project = await open_with(root, "bubblewrap")
    reader = Reader()
    baseline = Baseline(project, (reader,), lambda _: None)
    old = await project.snapshot()
    baseline.warm(old)
    await asyncio.wait_for(reader.begun.wait(), 30)
    write_files(root, {"b.txt": "b9\n"})
    new = await project.snapshot()
    second = asyncio.create_task(baseline.of(new, changes={"b.txt": put("b1\n")}))
    reader.allowed.set()
    [said] = await asyncio.wait_for(second, 60)
    assert (said.tree, said.summary) == (old.tree, "a1 b1")
    async with asyncio.timeout(30):
        await baseline.close()
    assert not list((project.state / "candidates").iterdir())
    await project.close()
