"""Tests in stages: those that failed or are named, those a change can affect, then the rest; or only some of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from agent_core.checks.affected import load_touches, warm_modules
from agent_core.checks.model import CheckResult, Wish
from agent_core.checks.pytest import PytestCheck
from agent_core.workspace.project import Project
from tests.checks.conftest import THIS_PYTHON, Open, candidate_of

CHECK = PytestCheck(THIS_PYTHON, timeout=60)

# Each test file writes its name down, so that the order can be seen.
SHOP = {
    "shop/__init__.py": "",
    "shop/prices.py": "def price(): return 3\n",
    "shop/names.py": "def name(): return 'ada'\n",
    "shop/plugins/__init__.py": "",
    "shop/plugins/one.py": "VALUE = 1\n",
    "shop/load.py": """
        import importlib
        from pathlib import Path

        def load(name):
            return importlib.import_module("shop.plug" + "ins." + name)

        def greeting():
            return Path(__file__).with_name("greeting.txt").read_text()
    """,
    "shop/greeting.txt": "hello\n",
    "README.md": "A shop.\n",
    "tests/test_a_names.py": "from shop.names import name\ndef test_name(): assert name() == 'ada'\n",
    "tests/test_b_prices.py": """
        from shop.prices import price
        def test_price(): assert price() == 3
        def test_more(): assert price() > 0
    """,
    "tests/test_c_load.py": """
        from shop.load import load, greeting
        def test_load(): assert load("one").VALUE == 1
        def test_greeting(): assert greeting() == "hello\\n"
    """,
    "tests/test_d_other.py": "def test_other(): pass\n",
    "conftest.py": "def pytest_runtest_logstart(nodeid): print('RAN', nodeid)\n",
    "pytest.ini": "[pytest]\naddopts = -p no:cacheprovider\npythonpath = .\n",
}


async def judge(
    project: Project,
    files: Mapping[str, str | None] | None = None,
    *,
    first: Sequence[str] = (),
    only: Sequence[str] | None = None,
    changed: Sequence[str] | None = None,
) -> tuple[CheckResult, list[CheckResult]]:
    """The result about a project with changes over it, and what was said before it."""
    candidate = await candidate_of(project, files)
    partial: list[CheckResult] = []
    try:
        wish = Wish(
            partial=partial.append,
            first=tuple(first),
            only=None if only is None else tuple(only),
            changed=candidate.changed if changed is None else tuple(changed),
        )
        return await CHECK.run(candidate, wish), partial
    finally:
        await candidate.close()


def told(partial: Sequence[CheckResult]) -> list[tuple[str, str, str]]:
    return [(result.stage, result.outcome, result.summary) for result in partial]


async def test_failed_before_then_affected_then_the_rest(opened: Open) -> None:
    project = await opened(SHOP)
    change = {"shop/prices.py": "def price(): return 4\n"}
    last, partial = await judge(project, change, first=["tests/test_d_other.py::test_other", "tests/gone.py::test_x"])
    assert told(partial) == [
        ("first", "passed", "first: 1 of 6 passed"),
        ("affected", "failed", "affected: 1 failed, 2 passed of 6"),
    ]
    assert partial[0].passed == ("tests/test_d_other.py::test_other",)
    assert [finding.code for finding in partial[1].findings] == ["tests/test_b_prices.py::test_price"]
    assert (last.stage, last.outcome, last.summary) == ("all", "failed", "1 failed, 5 passed")
    assert last.passed == (
        "tests/test_d_other.py::test_other",
        "tests/test_b_prices.py::test_more",
        "tests/test_a_names.py::test_name",
        "tests/test_c_load.py::test_load",
        "tests/test_c_load.py::test_greeting",
    )


async def test_a_stage_with_nothing_in_it_is_left_out(opened: Open) -> None:
    project = await opened(SHOP)
    last, partial = await judge(project)
    assert (last.outcome, last.summary, partial) == ("passed", "6 passed", [])
    # Whatever may hang on it is everything.
    last, partial = await judge(project, {"conftest.py": "x = 1\n"})
    assert (last.outcome, partial) == ("passed", [])
    everything = [f"tests/test_{name}.py" for name in ("a_names", "b_prices", "c_load", "d_other")]
    last, partial = await judge(project, first=everything)
    assert (last.outcome, partial) == ("passed", [])


async def test_a_change_that_no_test_is_known_to_reach_is_told(opened: Open) -> None:
    project = await opened({**SHOP, "tools/deploy.py": "x = 1\n"})
    last, partial = await judge(project, {"tools/deploy.py": "x = 2\n"})
    assert (last.outcome, partial) == ("passed", [])
    assert last.summary == "6 passed; no test is known to reach tools/deploy.py"


async def test_what_a_run_touched_is_known_the_next_time(opened: Open) -> None:
    project = await opened(SHOP)
    plugin = {"shop/plugins/one.py": "VALUE = 2\n"}
    text = {"shop/greeting.txt": "hi\n"}
    # Who reads the text cannot be seen: it may be everybody.
    last, partial = await judge(project, text)
    assert (last.outcome, partial) == ("failed", [])
    for change in (plugin, text):
        last, partial = await judge(project, change)
        assert told(partial) == [("affected", "failed", "affected: 1 failed, 1 passed of 6")]
        assert last.summary == "1 failed, 5 passed"
    # Those that failed might have read it, had they got so far.
    last, partial = await judge(project, {"README.md": "Another.\n"})
    assert told(partial) == [("affected", "passed", "affected: 2 of 6 passed")]
    # It was there, and nobody read it.
    last, partial = await judge(project, {"README.md": "Another.\n"})
    assert (last.outcome, partial, last.summary) == ("passed", [], "6 passed")


async def test_what_the_map_misses_is_caught_by_the_last_stage(opened: Open) -> None:
    # The test looks for the file's existence, which nobody hears of.
    files = {**SHOP, "tests/test_e.py": "import os\ndef test_e(): assert not os.path.exists('shop/new.py')\n"}
    project = await opened(files)
    await judge(project)
    change = {"shop/new.py": "", "shop/prices.py": "def price(): return 3.0\n"}
    last, partial = await judge(project, change)
    assert told(partial) == [("affected", "passed", "affected: 2 of 7 passed")]
    assert (last.outcome, last.findings[0].code) == ("failed", "tests/test_e.py::test_e")


async def test_a_deleted_module_affects_who_imports_it(opened: Open) -> None:
    project = await opened(SHOP)
    last, partial = await judge(project, {"shop/prices.py": None})
    # Collected first of all: what cannot be is known at once.
    assert last.summary == "1 file cannot be collected, 4 passed"
    assert partial == []


async def test_tests_that_start_programs_may_be_affected_by_anything(opened: Open) -> None:
    start = """
        import subprocess, sys
        def test_e(): subprocess.run([sys.executable, '-c', 'import shop.alone'], check=True)
    """
    project = await opened({**SHOP, "shop/alone.py": "x = 1\n", "tests/test_e.py": start})
    await judge(project)
    _, partial = await judge(project, {"shop/prices.py": "def price(): return 3.0\n"})
    assert told(partial) == [("affected", "passed", "affected: 3 of 7 passed")]
    last, partial = await judge(project, {"shop/alone.py": "raise OSError\n"})
    assert told(partial) == [("affected", "failed", "affected: 1 failed of 7")]
    assert last.summary == "1 failed, 6 passed"


async def test_only_some_tests_in_their_natural_order(opened: Open) -> None:
    project = await opened(SHOP)
    wanted = ["tests/test_d_other.py::test_other", "tests/test_b_prices.py::test_price", "tests/test_a_names.py"]
    last, partial = await judge(project, only=wanted)
    assert (last.outcome, last.summary, partial) == ("passed", "3 passed", [])
    assert last.passed == ("tests/test_a_names.py::test_name", *reversed(wanted[:2]))


async def test_only_a_test_that_is_none_is_an_error_that_keeps_the_rest(opened: Open) -> None:
    project = await opened(SHOP)
    wanted = ["tests/test_a_names.py::test_name", "tests/test_a_names.py::test_gone", "nowhere.py::test_x"]
    last, _ = await judge(project, {"shop/names.py": "def name(): return 'eve'\n"}, only=wanted)
    assert last.outcome == "error"
    assert last.summary.startswith(
        "not collected, so nothing is known of it: nowhere.py::test_x, tests/test_a_names.py::test_gone"
    )
    assert [finding.code for finding in last.findings] == ["tests/test_a_names.py::test_name"]
    last, _ = await judge(project, only=["nowhere.py::test_x"])
    assert (last.outcome, last.passed) == ("error", ())


async def test_only_tests_of_a_file_that_cannot_be_collected_fail_with_its_error(opened: Open) -> None:
    project = await opened(SHOP)
    last, _ = await judge(project, {"shop/names.py": "1 +\n"}, only=["tests/test_a_names.py::test_name"])
    assert last.outcome == "failed"
    assert [finding.code for finding in last.findings] == ["tests/test_a_names.py"]


@pytest.mark.parametrize("options", ["", "-p xdist.plugin -n 2"])
async def test_parameters_classes_and_workers(opened: Open, options: str) -> None:
    body = """
        import pytest

        class TestIt:
            @pytest.mark.parametrize("text", ["a/b::c", "[x]", "é", "y" * 600])
            def test_one(self, text): assert text != "[x]"

        def test_two(): pass
    """
    project = await opened({"pytest.ini": f"[pytest]\naddopts = {options}\n", "test_a.py": body})
    last, partial = await judge(project, first=["test_a.py::test_two"], changed=["test_a.py"])
    assert partial == []
    assert last.summary == "1 failed, 4 passed" + (
        ", in one stage: pytest-xdist deals its tests out" if options else ""
    )
    [failing] = last.findings
    ids = (failing.code, *last.passed)
    assert len(set(ids)) == 5
    assert all(len(name) <= 500 for name in ids)
    again, _ = await judge(project, only=ids)
    assert (again.summary, set(again.passed)) == ("1 failed, 4 passed", set(last.passed))
    again, _ = await judge(project, only=[failing.code])
    assert (again.outcome, again.total) == ("failed", 1)


async def test_files_stay_whole_and_fixtures_are_made_once(opened: Open) -> None:
    project = await opened(
        {
            "conftest.py": """
                import pytest
                made = []

                @pytest.fixture(scope="session")
                def house(): made.append("house")

                @pytest.fixture(scope="package")
                def room(house): made.append("room")
            """,
            "a/__init__.py": "",
            "b/__init__.py": "",
            **{
                f"{folder}/test_{name}.py": """
                    state = []
                    def test_one(room): state.append(1)
                    def test_two(room): assert state == [1]
                    def test_made():
                        from conftest import made
                        assert made.count("house") == 1 and made.count("room") <= 2
                """
                for folder in "ab"
                for name in "xyz"
            },
        }
    )
    # The last test of each file stands in for the file.
    last, partial = await judge(project, first=["b/test_y.py::test_two"], changed=["a/test_z.py", "b/test_x.py"])
    assert told(partial) == [
        ("first", "passed", "first: 3 of 18 passed"),
        ("affected", "passed", "affected: 9 of 18 passed"),
    ]
    assert (last.outcome, last.summary) == ("passed", "18 passed")
    order = list(dict.fromkeys(name.partition("::")[0] for name in last.passed))
    assert order == [
        f"{place}.py" for place in ("b/test_y", "a/test_z", "b/test_x", "a/test_x", "a/test_y", "b/test_z")
    ]


async def test_tests_that_say_their_order_keep_it(opened: Open) -> None:
    mark = "import pytest\n@pytest.mark.order(1)\ndef test_a(): pass\n"
    project = await opened(
        {"pytest.ini": "[pytest]\nmarkers = order\n", "test_a.py": mark, "test_b.py": SHOP["tests/test_d_other.py"]}
    )
    last, partial = await judge(project, first=["test_b.py::test_other"])
    assert (last.summary, partial) == ("2 passed, in one stage: its tests have to keep their order", [])
    assert last.passed == ("test_a.py::test_a", "test_b.py::test_other")


async def test_third_party_modules_are_worth_warming_and_the_projects_own_never(opened: Open) -> None:
    body = "import yaml, shop, hypothesis\ndef test_a(): pass\n"
    project = await opened({"shop.py": "", "test_a.py": body})
    candidate = await candidate_of(project)
    assert warm_modules(candidate.cache) == ()
    await CHECK.run(candidate, Wish())
    warm = warm_modules(candidate.cache)
    await candidate.close()
    assert {"yaml", "yaml.nodes"} <= set(warm)
    assert not {name for name in warm if name.partition(".")[0] in {"shop", "test_a", "pytest", "pairloop_pytest"}}
    assert len(warm) <= 2000


async def test_garbage_in_the_cache_is_no_news(opened: Open) -> None:
    project = await opened(SHOP)
    candidate = await candidate_of(project)
    folder = candidate.cache / "pytest"
    folder.mkdir(parents=True)
    (folder / "touches.json").write_text('{"reads": 3}')
    (folder / "imports.json").symlink_to("/etc/passwd")
    await candidate.close()
    last, partial = await judge(project, {"shop/names.py": "def name(): return 'bob'\n"})
    assert told(partial) == [("affected", "failed", "affected: 1 failed of 6")]
    assert last.summary == "1 failed, 5 passed"
    assert load_touches(candidate.cache).complete
