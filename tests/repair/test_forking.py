"""The lab that forks: looking at the tests of a project, and trying variants of it."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from agent_core.repair.model import Plan, TestRun
from tests.repair.forked import bench, by_name

SHOP = {
    "shop.py": """
        LIMIT = 3

        class Cart:
            def __init__(self, owner):
                self.owner = owner
                self.items = []

            def add(self, price, count=1):
                self.items += [price] * count

            def total(self):
                found = 0
                for price in self.items:
                    found += price
                return check(found)

        def check(value):
            if value > 100:
                raise ValueError(f"too much: {value}")
            return value

        def unused():
            return 1
        """,
    "test_shop.py": """
        import pytest
        from shop import Cart

        def test_empty():
            assert Cart("me").total() == 0

        def test_two():
            cart = Cart("me")
            cart.add(60, 2)
            assert cart.total() == 120

        @pytest.mark.skip
        def test_skipped(): pass

        @pytest.mark.parametrize("price", [1, 2])
        def test_one(price):
            cart = Cart("me")
            cart.add(price)
            assert cart.total() == price + 1
        """,
    "test_broken.py": """
        import json
        import shops
        def test_nothing(): pass
        """,
}


async def test_a_look_tells_how_each_test_went_and_what_it_executed(tmp_path: Path) -> None:
    heard: list[TestRun] = []
    async with bench(tmp_path, SHOP) as lab:
        look = await lab.lab.look((), seconds=20, hear=heard.append)
    runs = by_name(look)
    assert (look.fault, look.safe, look.whole) == ("", True, True)
    assert {name: run.outcome for name, run in runs.items()} == {
        "test_broken.py": "error",
        "test_empty": "passed",
        "test_two": "failed",
        "test_skipped": "skipped",
        "test_one[1]": "failed",
        "test_one[2]": "failed",
    }
    assert {run.test for run in heard} == {run.test for run in look.runs}
    broken, two = runs["test_broken.py"], runs["test_two"]
    assert (broken.error, broken.message) == ("ModuleNotFoundError", "No module named 'shops'")
    assert [(frame.path, frame.line) for frame in broken.frames] == [("test_broken.py", 2)]
    assert runs["test_empty"].lines["shop.py"] == (4, 5, 6, 11, 12, 13, 15, 17, 18, 20)
    assert two.lines["shop.py"] == (4, 5, 6, 8, 9, 11, 12, 13, 14, 15, 17, 18, 19)
    assert 22 not in two.lines["shop.py"]
    assert (two.error, two.message) == ("ValueError", "too much: 120")
    assert [(frame.path, frame.line, frame.function) for frame in two.frames] == [
        ("test_shop.py", 10, "test_two"),
        ("shop.py", 15, "total"),
        ("shop.py", 19, "check"),
    ]
    held = {value.name: (value.kind, value.text) for value in two.frames[1].values}
    assert held["found"] == ("int", "120")
    assert held["self.items"] == ("list", "[60, 60]")


async def test_those_asked_for_come_first_and_then_those_of_their_files(tmp_path: Path) -> None:
    files = {
        f"test_{name}.py": f"def test_1(): pass\ndef test_2(): assert {value}\n"
        for name, value in (("a", 1), ("b", 0), ("c", 1))
    }
    async with bench(tmp_path, files) as lab:
        look = await lab.look("test_b.py::test_2")
    assert [run.test for run in look.runs] == [
        "test_b.py::test_2",
        "test_b.py::test_1",
        "test_a.py::test_1",
        "test_a.py::test_2",
        "test_c.py::test_1",
        "test_c.py::test_2",
    ]


async def test_a_variant_passes_all_its_tests_or_ends_at_the_first_that_fails(tmp_path: Path) -> None:
    tests = tuple(f"test_shop.py::{name}" for name in ("test_two", "test_empty", "test_skipped"))
    async with bench(tmp_path, SHOP) as lab:
        await lab.look()
        right, wrong = lab.edit("shop.py", "> 100", "> 200"), lab.edit("shop.py", "found = 0", "found = 1")
        trials = await lab.tried(
            [
                Plan(1, (right,), tests),
                Plan(2, (wrong,), tests),
                Plan(3, (right, wrong), tests[1:]),
                Plan(4, (lab.edit("shop.py", "found += price", "found += "),), tests),
                # At module level, and in what nobody executes.
                Plan(5, (lab.edit("shop.py", "LIMIT = 3", "LIMIT = ("),), tests),
                Plan(6, (lab.edit("shop.py", "LIMIT = 3", "LIMIT = nothing"),), tests),
                Plan(7, (lab.edit("shop.py", "return 1", "return 2"),), tests[1:]),
                Plan(8, (right,), ("test_shop.py::test_gone",)),
                # A whole file that cannot be collected as it is.
                Plan(9, (lab.edit("test_broken.py", "import shops", "import shop"),), ("test_broken.py",)),
                # What is skipped with it, and is not without it, does not pass.
                Plan(10, (lab.edit("shop.py", "found = 0", "found = __import__('pytest').skip('no')"),), tests),
            ]
        )
    told = {number: (trial.outcome, trial.passed, trial.test) for number, trial in sorted(trials.items())}
    assert told == {
        1: ("passed", 3, ""),
        2: ("failed", 0, tests[0]),
        3: ("failed", 0, tests[1]),
        4: ("unusable", 0, ""),
        5: ("unusable", 0, ""),
        6: ("unusable", 0, tests[0]),
        7: ("passed", 2, ""),
        8: ("failed", 0, "test_shop.py::test_gone"),
        9: ("passed", 1, ""),
        10: ("failed", 0, tests[0]),
    }
    assert trials[10].why == "it was skipped"
    assert trials[2].why == "ValueError: too much: 121"
    assert trials[6].why == "NameError: name 'nothing' is not defined"


async def test_a_variant_that_loops_or_takes_memory_without_end_is_given_up(tmp_path: Path) -> None:
    files = {
        "grow.py": """
            def grow(n):
                found = []
                while n > 0:
                    n -= 1
                    found.append(n)
                return found
            """,
        "test_grow.py": "from grow import grow\ndef test_grow(): assert len(grow(3)) == 3\n",
    }
    test = ("test_grow.py::test_grow",)
    async with bench(tmp_path, files) as lab:
        await lab.look()
        trials = await lab.tried(
            [
                Plan(1, (lab.edit("grow.py", "        n -= 1\n        found.append(n)", "        pass"),), test),
                Plan(2, (lab.edit("grow.py", "n -= 1", "found = [found] * 10**9"),), test),
                Plan(3, (lab.edit("grow.py", "return found", "import os; os.abort()"),), test),
                Plan(4, (lab.edit("grow.py", "return found", "return found "),), test),
            ]
        )
    assert {number: trial.outcome for number, trial in sorted(trials.items())} == {
        1: "hung",
        2: "memory",
        3: "crashed",
        4: "passed",
    }
    assert trials[1].test == test[0]
    assert trials[3].why == "its process ended by SIGABRT"


async def test_closing_trials_ends_what_runs_at_once(tmp_path: Path) -> None:
    files = {
        "nap.py": "def nap():\n    return 0\n",
        "test_nap.py": "from nap import nap\ndef test_nap(): assert nap() == 0\n",
    }
    async with bench(tmp_path, files) as lab:
        quick, slow = lab.edit("nap.py", "return 0", "return 00"), "__import__('time').sleep(60)"
        plans = [Plan(1, (quick,), ("test_nap.py::test_nap",))]
        plans += [
            Plan(number, (lab.edit("nap.py", "return 0", f"return {slow}"),), ("test_nap.py::test_nap",))
            for number in (2, 3)
        ]
        async with asyncio.timeout(30):
            async with contextlib.aclosing(lab.lab.trials(plans, seconds=60)) as trials:
                first = await anext(trials)
            assert first.outcome == "passed"
            # The time is the most that it may take, not what it takes.
            assert await lab.tried(plans[1:], seconds=0.5) == {}


async def test_what_pytest_complains_of_is_told(tmp_path: Path) -> None:
    files = {"pytest.ini": "[pytest]\naddopts = --nothing-of-that-name\n", "test_a.py": "def test_a(): pass\n"}
    async with bench(tmp_path, files) as lab:
        look = await lab.look()
        assert "unrecognized arguments: --nothing-of-that-name" in look.fault
        assert (look.runs, look.whole) == ((), False)
        trials = await lab.tried([Plan(1, (lab.edit("test_a.py", "pass", "..."),), ("test_a.py::test_a",))])
    assert trials[1].outcome == "unusable"


async def test_tests_that_start_a_python_of_their_own_are_not_for_forks(tmp_path: Path) -> None:
    start = "subprocess.run([sys.executable, '-c', 'exit(1)']).returncode"
    files = {
        # What is started while all is imported, or by a test that passes, is no matter.
        "test_a.py": f"import subprocess, sys\n{start}\ndef test_a(): assert 0\ndef test_b(): assert {start}\n",
        "test_c.py": f"import subprocess, sys\ndef test_c(): assert {start} == 0\n",
    }
    async with bench(tmp_path, {"test_a.py": files["test_a.py"]}) as lab:
        assert (await lab.look()).safe
    async with bench(tmp_path / "other", files) as lab:
        assert not (await lab.look("test_c.py")).safe


async def test_what_a_python_executes_that_a_test_starts_is_seen(tmp_path: Path) -> None:
    files = {
        "shop.py": "def twice(x):\n    return x * 3\n\n\ndef other():\n    return 1\n\n\nprint(twice(2))\n",
        "site/sitecustomize.py": "import builtins\nbuiltins.ours = 1\n",
        "asks.py": "import sys\nprint(ours, [one for one in sys.path if 'lines-' in one], 'pytest' in sys.modules)\n",
        "test_shop.py": """
            import os, subprocess, sys

            def said(*words, **more):
                return subprocess.run([sys.executable, *words], capture_output=True, text=True, **more).stdout

            def test_file(): assert said("shop.py") == "4\\n"
            def test_module(): assert said("-m", "shop", env={"PATH": os.environ["PATH"]}) == "4\\n"
            def test_child(): assert said("-c", f"import os; os.system('{sys.executable} shop.py')") == "4\\n"
            def test_alone(): assert said("-I", "shop.py") == "4\\n"
            def test_site(): assert said("asks.py", env={"PYTHONPATH": "site"}) == "1 [] False\\n"
            def test_environment(): assert "lines-" not in str(os.environ)
            """,
    }
    async with bench(tmp_path, files) as lab:
        runs = by_name(await lab.look())
    seen = {name: run.lines.get("shop.py") for name, run in runs.items()}
    lines = (1, 2, 5, 9)
    assert {path for run in runs.values() for path in run.lines} <= set(files)
    assert seen == dict.fromkeys(seen) | {"test_file": lines, "test_module": lines, "test_child": lines}
    assert [name for name, run in runs.items() if run.outcome == "passed"] == ["test_site", "test_environment"]


async def test_workers_that_import_anew_are_not_for_forks_either(tmp_path: Path) -> None:
    files = {
        "shop.py": "def one():\n    return 2\n",
        "test_a.py": """
            import multiprocessing
            from shop import one

            def ask(method):
                with multiprocessing.get_context(method).Pool(1) as pool:
                    return pool.apply(one)

            def test_a(): assert ask("fork") == 1
            """,
    }
    async with bench(tmp_path, files) as lab:
        assert (await lab.look()).safe
    files["test_a.py"] = files["test_a.py"].replace('"fork"', '"spawn"')
    async with bench(tmp_path / "other", files) as lab:
        assert not (await lab.look()).safe


async def test_variants_are_tried_anew_where_the_project_keeps_threads(tmp_path: Path) -> None:
    files = {
        "busy.py": """
            import threading

            STOP = threading.Event()
            threading.Thread(target=STOP.wait, daemon=True).start()

            def one():
                return 2
            """,
        "test_busy.py": "from busy import one\ndef test_one(): assert one() == 1\n",
    }
    async with bench(tmp_path, files) as lab:
        look = await lab.look()
        test = ("test_busy.py::test_one",)
        trials = await lab.tried(
            [
                Plan(1, (lab.edit("busy.py", "return 2", "return 1"),), test),
                Plan(2, (lab.edit("busy.py", "return 2", "return 3"),), test),
            ]
        )
        assert await lab.lab.behaviour([Plan(1, (lab.edit("busy.py", "return 2", "return 1"),), test)], seconds=5) == (
            (),
        )
    assert not look.safe
    assert (trials[1].outcome, trials[2].outcome) == ("passed", "failed")


async def test_a_test_whose_id_is_long_is_known_by_it(tmp_path: Path) -> None:
    files = {
        "shop.py": "def one():\n    return 2\n",
        "test_shop.py": """
            import pytest
            from shop import one

            @pytest.mark.parametrize("name", ["z" * 1000, "y" * 1000])
            def test_one(name): assert one() == 1
            """,
    }
    async with bench(tmp_path, files) as lab:
        look = await lab.look()
        tests = tuple(run.test for run in look.runs)
        trials = await lab.tried([Plan(1, (lab.edit("shop.py", "2", "1"),), tests), Plan(2, (), tests)])
    assert [len(test) for test in tests] == [500, 500]
    assert (trials[1].outcome, trials[1].passed) == ("passed", 2), trials[1].why
    assert (trials[2].outcome, trials[2].test) == ("failed", tests[0])
