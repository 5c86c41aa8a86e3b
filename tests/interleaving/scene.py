"""The project that an interleaving plays in, who judges it, and what came of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from agent_core.checks.model import CheckResult, Finding, Wish
from agent_core.protocols import Candidate
from agent_core.workspace.disk import is_temp
from agent_core.workspace.ignore import is_editors
from tests.projects import git, make_project, write_files


class Judge:
    """Judges at once, and finds one tree in eight wrong."""

    name = "pytest"

    async def run(self, candidate: Candidate, wish: Wish) -> CheckResult:
        """Judge a candidate."""
        await asyncio.sleep(0.005)
        if candidate.changed and candidate.tree[0] in "07":
            wrong = Finding("pytest", "wrong", candidate.changed[0], 1, "test_it")
            return CheckResult("pytest", "failed", candidate.tree, "1 failed", (wrong,), total=1)
        return CheckResult("pytest", "passed", candidate.tree, "1 passed", total=1, passed=("test_it",))


@dataclass
class Report:
    """What came of one interleaving.

    Attributes:
        seed: Of its dice.
        steps: What was done, in order.
        wrong: What is not as it has to be.
        count: How often what happened.
    """

    seed: int
    steps: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    count: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        """For whoever has to find out why."""
        again = f"python tests/bench/interleavings.py --seed {self.seed}"
        return "\n".join([f"seed {self.seed} ({again}):", *self.steps, *(f"WRONG: {one}" for one in self.wrong)])


class StuckError(Exception):
    """Nothing comes of what was done."""


def lay_out(root: Path) -> Path:
    """A project with two branches, of which each has lines of its own."""
    lines = {
        name: [f"b{at} = {at}" for at in range(start, start + 14)] for start, name in ((0, "a"), (20, "b"), (40, "c"))
    }
    make_project(root, {f"core/{name}.py": "\n".join(text) + "\n" for name, text in lines.items()})
    # What editors leave behind is not to be committed.
    (root / ".git/info/exclude").write_text("*~\n")
    git(root, "branch", "-M", "main")
    git(root, "switch", "-q", "-c", "topic")
    (root / "core/a.py").write_text("\n".join([*lines["a"], "b60 = 60"]) + "\n")
    write_files(root, {"core/topic.py": "b61 = 61\nb62 = 62\n"})
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "topic")
    git(root, "switch", "-q", "main")
    return root


def tree_of(root: Path) -> dict[str, bytes]:
    """Every file that counts, with its bytes."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if name.startswith(".git/") or is_temp(path.name) or is_editors(name):
            continue
        with contextlib.suppress(OSError):
            if path.is_file():
                found[name] = path.read_bytes()
    return found
