"""A `ForkingLab` on a project of a few files, as the search has it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from textwrap import dedent

from agent_core.config_tables import Config
from agent_core.repair.forking import ForkingLab
from agent_core.repair.model import Edit, Look, Plan, TestRun, Trial
from agent_core.workspace.project import open_project
from tests.checks.conftest import THIS_PYTHON, candidate_of
from tests.projects import make_project


class Bench:
    """A lab, and the texts of its project.

    Attributes:
        lab: The lab.
        texts: The files as they are.
        root: The project's folder.
    """

    def __init__(self, lab: ForkingLab, texts: Mapping[str, str], root: Path) -> None:
        self.lab = lab
        self.texts = texts
        self.root = root

    def edit(self, path: str, old: str, new: str) -> Edit:
        """The edit that puts a text in the place of the only one that reads so."""
        text = self.texts[path]
        assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
        at = text.index(old)
        return Edit(path, at, at + len(old), new)

    async def look(self, *tests: str, seconds: float = 20.0) -> Look:
        """Look at tests."""
        return await self.lab.look(tests, seconds=seconds)

    async def tried(self, plans: Sequence[Plan], *, seconds: float = 30.0) -> dict[int, Trial]:
        """What came of plans, by their number."""
        async with contextlib.aclosing(self.lab.trials(plans, seconds=seconds)) as trials:
            return {trial.number: trial async for trial in trials}


@contextlib.asynccontextmanager
async def bench(folder: Path, files: Mapping[str, str], *, workers: int = 2) -> AsyncIterator[Bench]:
    """A lab on a project of files; those that begin with a line end are dedented."""
    texts = {path: dedent(text).lstrip("\n") if text.startswith("\n") else text for path, text in files.items()}
    root = make_project(folder / "project", texts)
    for path, text in texts.items():
        # As they are: line ends too.
        (root / path).write_bytes(text.encode())
    project = await open_project(root, Config(), {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
    lab = ForkingLab(await candidate_of(project, cache="repair"), THIS_PYTHON, workers=workers, spare=False)
    try:
        yield Bench(lab, texts, root)
    finally:
        await lab.close()
        await project.close()


def by_name(look: Look) -> dict[str, TestRun]:
    """The runs of a look, by the last part of their ids."""
    return {run.test.rpartition("::")[2]: run for run in look.runs}
