"""`pairloop check` of a tree that was judged before: what is found again is said to be, and never decides."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from agent_core.checks.chosen import default_checks
from agent_core.config_tables import ChecksConfig
from agent_core.diagnosis.listing import EARLIER
from agent_core.draft import Draft
from agent_core.events import AnyEvent, CheckFinished
from agent_core.judge import Judge
from tests.checks.test_cache import environment, reopened
from tests.projects import make_project, write_files
from tests.support.calling import call

FILES = {
    "pairloop.toml": '[checks]\noff = ["mypy"]\n',
    "test_data.py": """
        from pathlib import Path

        def test_fine():
            assert True

        def test_data():
            assert Path("data.txt").exists()
        """,
    ".gitignore": ".venv\ndata.txt\n",
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    root = make_project(tmp_path / "project", FILES)
    environment(root)
    return root


def said_by_pytest(said: Any) -> tuple[str, bool]:
    """What pytest said, and whether an earlier run had."""
    [one] = [one for one in said["results"] if one["check"] == "pytest"]
    return one["summary"], one["earlier"]


def test_a_clean_tree_is_judged_once_and_the_next_session_knows(root: Path) -> None:
    first = call(["check", "--json"], root).json
    again = call(["check", "--json"], root).json
    assert (first["verdict"], again["verdict"]) == ("unbroken", "unbroken")
    assert said_by_pytest(first) == ("1 failed, 1 passed", False)
    assert said_by_pytest(again) == ("1 failed, 1 passed", True)
    assert first["tree"] == again["tree"] == again["base_tree"]
    lines = call(["check"], root).out.splitlines()
    assert any(line.startswith("✗ pytest") and line.endswith("1 failed, 1 passed (earlier)") for line in lines)
    assert lines[-1].endswith(f"; pytest: {EARLIER}")
    asyncio.run(_a_session_knows(root))


async def _a_session_knows(root: Path) -> None:
    """A session that is opened after it takes it over, and its partner is told how old it is."""
    project = await reopened(root)
    events: list[AnyEvent] = []
    judge = Judge(project, default_checks(project.interpreter, ChecksConfig(off=("mypy",))), events.append)
    base = await project.snapshot()
    for told in (await judge.known(base, wait=60), await judge.report(Draft(base))):
        assert f"pytest: failed, 1 failed, 1 passed ({EARLIER})" in told
        assert told.count(EARLIER) == 1
    await judge.close()
    await project.close()
    said = [one.result for one in events if isinstance(one, CheckFinished) and one.result.check == "pytest"]
    assert [one.cached for one in said] == [True]


def test_it_never_decides(root: Path) -> None:
    call(["check"], root)
    # The environment of the tests is another now, though nothing shows it.
    write_files(root, {"data.txt": "here\n"})
    assert said_by_pytest(call(["check", "--json"], root).json)[1]
    write_files(root, {"other.py": "x = 1\n"})
    said = call(["check", "--json"], root).json
    assert said_by_pytest(said) == ("2 passed", False)
    assert not said["findings"], "neither fixed nor known"


def test_where_there_is_no_commit_all_is_judged_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    root = make_project(tmp_path / "project", FILES, commit=False)
    environment(root)
    for _ in range(2):
        done = call(["check", "--json"], root)
        assert done.code == 1
        assert said_by_pytest(done.json) == ("1 failed, 1 passed", False)
    write_files(root, {"data.txt": "here\n"})
    done = call(["check", "--json"], root)
    assert done.code == 0
    assert said_by_pytest(done.json) == ("2 passed", False)
