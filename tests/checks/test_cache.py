"""Judgements of earlier sessions: found again for the same tree, tool and environment only, and never trusted alone."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from agent_core.checks import cache as cache_module
from agent_core.checks.cache import Cache
from agent_core.checks.chosen import default_checks
from agent_core.checks.command import CommandCheck
from agent_core.checks.model import CheckResult, Finding
from agent_core.checks.pytest import PytestCheck
from agent_core.checks.ruff import RuffCheck
from agent_core.checks.settings import CommandConfig
from agent_core.checks.stamp import environment_stamp, quick_stamp
from agent_core.checks.syntax import SyntaxCheck
from agent_core.config_tables import ChecksConfig, Config
from agent_core.draft import Draft
from agent_core.events import AnyEvent, CheckFinished
from agent_core.judge import Judge
from agent_core.workspace.project import Project, open_project
from tests.checks.conftest import THIS_PYTHON, changes
from tests.projects import make_project, write_files

RUFF = RuffCheck(THIS_PYTHON)
SAID = CheckResult(
    "ruff",
    "failed",
    "tree",
    "1 found",
    (Finding("ruff", "bad", "a.py", 1, "F401", "import os", near="a\nb", fix="remove it"),),
    total=3,
    passed=("x",),
)


def test_what_was_kept_is_found_for_the_same_work_only(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "state" / "verdicts.sqlite")
    assert cache.find(RUFF, "tree", "stamp") is None
    cache.keep(RUFF, SAID, "stamp")
    found = Cache(tmp_path / "state" / "verdicts.sqlite").find(RUFF, "tree", "stamp")
    assert found == msgspec.structs.replace(SAID, cached=True)
    assert cache.find(RUFF, "other tree", "stamp") is None
    assert cache.find(RUFF, "tree", "other stamp") is None
    assert cache.find(RuffCheck(THIS_PYTHON, timeout=1), "tree", "stamp") is None
    assert cache.find(PytestCheck(THIS_PYTHON), "tree", "stamp") is None
    assert cache.find(RUFF, "tree", "") is None, "an environment that cannot be seen is never the same"
    cache.forget(RUFF, "tree", "stamp")
    assert cache.find(RUFF, "tree", "stamp") is None
    some = SyntaxCheck(THIS_PYTHON, paths=("a.py",))
    cache.keep(some, msgspec.structs.replace(SAID, check="syntax"), "stamp")
    assert cache.find(SyntaxCheck(THIS_PYTHON, paths=("b.py",)), "tree", "stamp") is None
    assert cache.find(some, "tree", "stamp") is not None


@pytest.mark.parametrize(
    "unfit",
    [
        {"outcome": "error"},
        {"outcome": "timeout"},
        {"outcome": "no_tests"},
        {"outcome": "skipped"},
        {"stage": "affected"},
        {"early": True},
        {"cached": True},
        {"check": "mypy"},
        {"tree": ""},
    ],
)
def test_what_is_no_last_word_is_not_kept(tmp_path: Path, unfit: Mapping[str, object]) -> None:
    cache = Cache(tmp_path / "verdicts.sqlite")
    said = msgspec.structs.replace(SAID, **unfit)
    cache.keep(RUFF, said, "stamp")
    assert cache.find(RUFF, said.tree, "stamp") is None


def test_what_commands_of_the_projects_own_say_is_not_kept(tmp_path: Path) -> None:
    check = CommandCheck("ruff", CommandConfig(run="true"))
    cache = Cache(tmp_path / "verdicts.sqlite")
    cache.keep(check, SAID, "stamp")
    assert cache.find(check, "tree", "stamp") is None


def test_damage_costs_what_was_kept_and_nothing_else(tmp_path: Path) -> None:
    store = tmp_path / "verdicts.sqlite"
    cache = Cache(store)
    cache.keep(RUFF, SAID, "stamp")
    store.write_bytes(b"no database at all, but long enough to be taken for one" * 40)
    assert cache.find(RUFF, "tree", "stamp") is None
    cache.keep(RUFF, SAID, "stamp")
    assert cache.find(RUFF, "tree", "stamp") is not None
    with sqlite3.connect(store) as database:
        body = bytearray(database.execute("SELECT body FROM said").fetchone()[0])
        body[len(body) // 2] ^= 0xFF
        database.execute("UPDATE said SET body = ?", (bytes(body),))
    database.close()
    assert cache.find(RUFF, "tree", "stamp") is None
    with sqlite3.connect(store) as database:
        database.execute("DROP TABLE said")
        database.execute("CREATE TABLE said (other TEXT)")
        database.execute("PRAGMA user_version=99")
    database.close()
    cache.keep(RUFF, SAID, "stamp")
    assert cache.find(RUFF, "tree", "stamp") is not None, "another format is begun anew"
    store.unlink()
    store.mkdir()
    cache.keep(RUFF, SAID, "stamp")
    assert cache.find(RUFF, "tree", "stamp") is None


def test_it_stays_small_and_young(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(tmp_path / "verdicts.sqlite", most=3000)
    for number in range(40):
        noise = os.urandom(200).hex()
        cache.keep(RUFF, msgspec.structs.replace(SAID, tree=f"tree {number}", summary=noise), "stamp")
        # Used all the time, so it stays.
        assert cache.find(RUFF, "tree 0", "stamp") is not None
    with sqlite3.connect(tmp_path / "verdicts.sqlite") as database:
        count, size = database.execute("SELECT count(*), total(length(body)) FROM said").fetchone()
    database.close()
    assert 2 <= count < 20
    assert size <= 3000
    assert cache.find(RUFF, "tree 39", "stamp") is not None
    assert cache.find(RUFF, "tree 5", "stamp") is None
    monkeypatch.setattr(cache_module, "_OLDEST_SECONDS", 0)
    assert cache.find(RUFF, "tree 39", "stamp") is None


async def test_several_may_write_at_once(tmp_path: Path) -> None:
    caches = [Cache(tmp_path / "verdicts.sqlite") for _ in range(4)]

    def work(number: int) -> None:
        for count in range(10):
            tree = f"{number} {count}"
            caches[number].keep(RUFF, msgspec.structs.replace(SAID, tree=tree), "stamp")

    await asyncio.gather(*(asyncio.to_thread(work, number) for number in range(4)))
    assert all(caches[0].find(RUFF, f"{number} {count}", "stamp") for number in range(4) for count in range(10))


def environment(root: Path) -> Path:
    """A virtual environment with pytest in it, as links to the one that runs this; gives its packages' folder."""
    packages = root / ".venv" / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    packages.mkdir(parents=True)
    (root / ".venv" / "bin").mkdir()
    (root / ".venv" / "bin" / "python").symlink_to(os.path.realpath(sys.executable))
    home = Path(os.path.realpath(sys.executable)).parent
    (root / ".venv" / "pyvenv.cfg").write_text(f"home = {home}\ninclude-system-site-packages = false\n")
    for name in ("pytest", "_pytest", "py.py", "pluggy", "iniconfig", "packaging", "pygments"):
        (packages / name).symlink_to(Path(sys.modules["pytest"].__file__ or "").parent.parent / name)
    return packages


async def project_at(root: Path, files: Mapping[str, str]) -> Project:
    await asyncio.to_thread(make_project, root, {**files, ".gitignore": ".venv\ndata.txt\n"})
    await asyncio.to_thread(environment, root)
    return await reopened(root)


async def reopened(root: Path) -> Project:
    return await open_project(root, Config(), {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})


async def test_the_stamp_is_another_when_the_answer_could_be(tmp_path: Path) -> None:
    project = await project_at(tmp_path / "project", {"a.py": "x = 1\n"})
    root, packages = project.root, project.root / ".venv/lib"
    [packages] = packages.glob("*/site-packages")
    first = environment_stamp(project)
    assert first
    assert environment_stamp(await reopened(root)) == first
    quick = quick_stamp(project)
    (packages / "lib").mkdir()
    (packages / "lib" / "code.py").write_text("x = 1\n")
    assert quick_stamp(project) != quick, "a package came"
    second = environment_stamp(project)
    (packages / "lib" / "code.py").write_text("x = 12\n")
    third = environment_stamp(project)
    assert len({first, second, third}) == 3
    (packages / "lib" / "__pycache__").mkdir()
    (packages / "lib" / "__pycache__" / "code.pyc").write_bytes(b"compiled")
    assert environment_stamp(project) == third, "compiled code follows from the rest"
    other = await open_project(root, Config(), {**os.environ, "PYTHONHASHSEED": "1"})
    assert environment_stamp(other) not in {"", third}


async def test_there_is_no_stamp_where_something_lies_out_of_sight(tmp_path: Path) -> None:
    project = await project_at(tmp_path / "project", {"a.py": "x = 1\n"})
    [packages] = (project.root / ".venv/lib").glob("*/site-packages")
    (packages / "own.pth").write_text(f"{project.root}/src\n")
    assert environment_stamp(project), "an editable install of the project itself is part of the tree"
    (packages / "other.pth").write_text(f"{tmp_path}/elsewhere\n")
    assert environment_stamp(project) == ""
    (packages / "other.pth").unlink()
    (packages / "__editable___other_finder.py").write_text(f"MAPPING = {{'other': '{tmp_path}/elsewhere'}}\n")
    assert environment_stamp(project) == ""
    (packages / "__editable___other_finder.py").unlink()
    config = project.root / ".venv" / "pyvenv.cfg"
    config.write_text(config.read_text().replace("false", "true"))
    assert environment_stamp(project) == ""


FILES = {
    "shop.py": "def total(prices):\n    return sum(prices)\n",
    "test_shop.py": """
        from pathlib import Path

        from shop import total

        def test_total():
            assert total([1, 2]) == 3

        def test_data():
            assert Path("data.txt").exists()
        """,
}


def heard(events: list[AnyEvent]) -> dict[str, bool]:
    """Which checks of the baseline were found in the cache."""
    return {
        one.result.check: one.result.cached
        for one in events
        if isinstance(one, CheckFinished) and one.where == "baseline"
    }


async def test_the_next_session_has_its_baseline_at_once_and_does_not_trust_it_alone(tmp_path: Path) -> None:
    project = await project_at(tmp_path / "project", FILES)
    checks = default_checks(project.interpreter, ChecksConfig(off=("mypy",)))
    draft = Draft(
        await project.snapshot(), changes=changes({"shop.py": "def total(prices):\n    return sum(prices) + 0\n"})
    )
    events: list[AnyEvent] = []
    judge = Judge(project, checks, events.append)
    first = await judge.verdict(draft, "")
    await judge.close()
    assert [one.code for one in first.known] == ["test_shop.py::test_data"]
    assert heard(events) == {"syntax": False, "ruff": False, "pytest": False}
    # What a test reads and git ignores comes in between: nothing that is looked at tells.
    write_files(project.root, {"data.txt": "here\n"})
    events.clear()
    project = await reopened(project.root)
    judge = Judge(project, checks, events.append)
    second = await judge.verdict(draft, "")
    assert heard(events)["pytest"], "it was found"
    assert (second.green, second.fixed, second.known) == (True, (), ()), "and not believed where it matters"
    await judge.close()
    # What was judged as a candidate is the baseline once it has landed.
    write_files(project.root, {"shop.py": "def total(prices):\n    return sum(prices) + 0\n"})
    events.clear()
    judge = Judge(project, checks, events.append)
    assert "passed" in await judge.known(await project.snapshot(), wait=30)
    await judge.close()
    assert heard(events)["pytest"]
