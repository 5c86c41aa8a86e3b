"""What processes leave behind that are killed is removed by the next one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from agent_core.workspace.leftovers import run_folder


def test_folders_of_processes_that_have_died_are_removed_and_no_other_ones(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    mine, elsewhere = run_folder(tmp_path, "tests"), tmp_path / "elsewhere"
    elsewhere.mkdir()
    others = {"touches.json", f"run-{os.getppid()}-a", f"run-{gone.pid}-link", "run-x"}
    for name in (f"run-{gone.pid}-a", f"run-{os.getppid()}-a", "run-x"):
        (tmp_path / "tests" / name / "deep").mkdir(parents=True)
    (tmp_path / "tests" / "touches.json").touch()
    (tmp_path / "tests" / f"run-{gone.pid}-link").symlink_to(elsewhere)
    new = run_folder(tmp_path, "tests")
    assert {path.name for path in (tmp_path / "tests").iterdir()} == {*others, mine.name, new.name}
    assert elsewhere.is_dir()


def test_a_link_that_a_command_put_there_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "tests").symlink_to(elsewhere)
    assert run_folder(tmp_path, "tests").parent == tmp_path / "tests"
    assert list(elsewhere.iterdir()) == []
