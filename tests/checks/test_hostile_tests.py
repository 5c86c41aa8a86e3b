"""Tests are foreign code: what they do to the place where their report is written reaches nothing outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_core.checks.pytest import PytestCheck
from tests.checks.conftest import THIS_PYTHON, Open, run_one

CHECK = PytestCheck(THIS_PYTHON, timeout=60)
BEGIN = """
import os
import shutil
from pathlib import Path

import pairloop_pytest

def test_deed():
    cache = next(place for place in Path(pairloop_pytest.__file__).parents if place.name == "pytest").parent
"""


@pytest.mark.parametrize(
    "deed",
    [
        # The whole folder is a link to somewhere else.
        "shutil.rmtree(cache / 'pytest'); (cache / 'pytest').symlink_to({victim!r})",
        # The plug-in's file is a link to a file of the human's.
        "copy = Path(pairloop_pytest.__file__); copy.unlink(); copy.symlink_to({victim!r} + '/mine.txt')",
    ],
)
async def test_nothing_is_written_through_links_that_a_test_leaves(opened: Open, tmp_path: Path, deed: str) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "mine.txt").write_text("mine")
    project = await opened({"test_deed.py": f"{BEGIN}    {deed.format(victim=str(victim))}\n"})
    await run_one(CHECK, project)
    result = await run_one(CHECK, project, {"test_deed.py": "def test_fine(): pass\n"})
    assert result.outcome == "passed", result
    assert [path.name for path in victim.iterdir()] == ["mine.txt"]
    assert (victim / "mine.txt").read_text() == "mine"


async def test_a_pipe_in_place_of_the_report_holds_nobody_up(opened: Open) -> None:
    deed = "(report,) = cache.glob('pytest/run-*/report.jsonl'); report.unlink(); os.mkfifo(report); os._exit(0)"
    result = await run_one(CHECK, await opened({"test_deed.py": f"{BEGIN}    {deed}\n"}))
    assert result.outcome == "error", result
