"""Edits take effect wherever they are: in functions of every kind, and in what runs while all is imported."""

from __future__ import annotations

from pathlib import Path

from agent_core.repair.model import Edit, Plan
from tests.repair.forked import bench, by_name

# Name of the test -> the code, of which RIGHT stands where WRONG would have to, and what must hold.
CASES = {
    "function": ("def f(x):\n    return x - 1\n", "x - 1", "x + 1", "f(1) == 2"),
    "method": ("class A:\n    def f(self):\n        return 1\n", "return 1", "return 2", "A().f() == 2"),
    "static": ("class A:\n    @staticmethod\n    def f():\n        return 1\n", "return 1", "return 2", "A.f() == 2"),
    "klass": ("class A:\n    @classmethod\n    def f(cls):\n        return 1\n", "return 1", "return 2", "A.f() == 2"),
    "prop": ("class A:\n    @property\n    def f(self):\n        return 1\n", "return 1", "return 2", "A().f == 2"),
    "mangled": (
        "class A:\n    __x = 2\n    def f(self):\n        return 1\n",
        "return 1",
        "return self.__x",
        "A().f() == 2",
    ),
    "upper": (
        "class A:\n    def f(self):\n        return 1\n\nclass B(A):\n    def f(self):\n        return super().f()\n",
        "super().f()",
        "super().f() + 1",
        "B().f() == 2",
    ),
    # A function that becomes another kind of closure has to be made anew.
    "newly_upper": (
        "class A:\n    def f(self):\n        return 2\n\nclass B(A):\n    def f(self):\n        return 0\n",
        "return 0",
        "return super().f()",
        "B().f() == 2",
    ),
    "in_class": (
        "class A:\n    class B:\n        if True:\n            def f(self):\n                return 1\n",
        "return 1",
        "return 2",
        "A.B().f() == 2",
    ),
    "cached": (
        "import functools\n@functools.lru_cache\ndef f(x):\n    return x\n\nf(1)\n",
        "return x",
        "return x + 1",
        "f(1) == 2",
    ),
    "caches": (
        "from functools import *\ndef g(x):\n    return x\n\n@lru_cache\ndef f(x):\n    return g(x)\n\nFIRST = f(1)\n",
        "return x\n",
        "return x + 1\n",
        "f(1) == FIRST == 2",
    ),
    "wrapped": (
        "from functools import *\ndef d(g):\n    return wraps(g)(lambda x: g(g(x)))\n\n@d\ndef f(x):\n    return x\n",
        "return x\n",
        "return x + 1\n",
        "f(0) == 2",
    ),
    "wrapper": (
        "def twice(g):\n    def h(x):\n        return g(x)\n    return h\n\n@twice\ndef f(x):\n    return x + 1\n",
        "return g(x)",
        "return g(g(x))",
        "f(0) == 2",
    ),
    "decorator": (
        "def twice(g):\n    return g\n\n@twice\ndef f(x):\n    return x + 1\n",
        "    return g\n",
        "    return lambda x: g(g(x))\n",
        "f(0) == 2",
    ),
    "closure": (
        "def make(n):\n    def inner(x):\n        return x\n    return inner\n\nf = make(1)\n",
        "return x\n",
        "return x + n\n",
        "f(1) == 2",
    ),
    "generator": ("def f():\n    for x in (1, 2):\n        yield 1\n", "yield 1", "yield x", "list(f()) == [1, 2]"),
    "newly_generator": ("def f():\n    return [0]\n", "return [0]", "yield 1", "list(f()) == [1]"),
    "coroutine": (
        "import asyncio\nasync def g():\n    return 1\n\ndef f():\n    return asyncio.run(g())\n",
        "return 1",
        "await asyncio.sleep(0); return 2",
        "f() == 2",
    ),
    "inner": (
        "def f(xs):\n    return [y for y in (lambda zs: [z for z in zs if z > 1])(xs)]\n",
        "z > 1",
        "z >= 1",
        "f([1, 2]) == [1, 2]",
    ),
    "one_line": ("def f(x, y=1): return x\n", "return x", "return x + 1", "f(1) == 2"),
    "default": ("def f(x, y=1):\n    return x + y\n", "y=1", "y=2", "f(0) == 2"),
    "head": ("def f(x,\n      y=1):\n    return x + y\n", "y=1", "y=2", "f(0) == 2"),
    "constant": ("N = 1\ndef f():\n    return N\n", "N = 1", "N = 2", "f() == 2"),
    "attribute": ("class A:\n    n = 1\n", "n = 1", "n = 2", "A.n == 2"),
    "base": ("class A:\n    n = 2\n\nclass B:\n    n = 1\n\nclass C(B):\n    pass\n", "C(B)", "C(A)", "C.n == 2"),
    "table": (
        "def build():\n    return {1: 1}\n\nTABLE = build()\n",
        "{1: 1}",
        "{1: 2}",
        "TABLE[1] == 2",
    ),
    "added": ("def f(x):\n    y = x\n    return y\n", "    return y\n", "    y += 1\n    return y\n", "f(1) == 2"),
    "first": ("def f(x):\n    return x\n", "    return x\n", "    x += 1\n    return x\n", "f(1) == 2"),
    "future": (
        "from __future__ import annotations\ndef f():\n    x: nothing = 1\n    return x\n",
        "return x",
        "return x + 1",
        "f() == 2",
    ),
    "crlf": ("def f(x):\r\n    '''é\r\n    '''\r\n    return x\r\n", "return x\r\n", "return x + 1\r\n", "f(1) == 2"),
    "marked": ("\ufeffE = 'é'; F = 'ü'\ndef f(x):\n    'äöü'; return x\n", "return x", "return x + 1", "f(1) == 2"),
    "feed": ("A = 1\n\f\ndef f(x):\n    s = '\x0b'\n    return x\n", "return x", "return x + 1", "f(1) == 2"),
    "registered": (
        "KNOWN = {}\ndef known(g):\n    KNOWN[g.__name__] = g\n    return g\n\n@known\ndef f():\n    return 1\n",
        "return 1",
        "return 2",
        "KNOWN['f']() == 2",
    ),
}


async def test_an_edit_takes_effect_whatever_it_is_in(tmp_path: Path) -> None:
    files = {}
    for name, (code, _, _, holds) in CASES.items():
        files[f"m_{name}.py"] = code
        files[f"test_{name}.py"] = f"from m_{name} import *\ndef test_{name}(): assert {holds}\n"
    async with bench(tmp_path, files) as lab:
        look = await lab.look()
        plans, offsets = [], {name: 1 if CASES[name][0].startswith("\ufeff") else 0 for name in CASES}
        for number, (name, (_, old, new, _)) in enumerate(CASES.items()):
            edit = lab.edit(f"m_{name}.py", old, new)
            # Positions are those of the text without its mark.
            place = Edit(edit.path, edit.start - offsets[name], edit.end - offsets[name], edit.text)
            plans.append(Plan(number, (place,), (f"test_{name}.py::test_{name}",)))
        trials = await lab.tried(plans)
    assert {name: run.outcome for name, run in by_name(look).items()} == {f"test_{name}": "failed" for name in CASES}
    told = {name: (trials[number].outcome, trials[number].why) for number, name in enumerate(CASES)}
    assert told == dict.fromkeys(CASES, ("passed", ""))


async def test_nothing_is_imported_anew_for_what_is_in_a_function(tmp_path: Path) -> None:
    files = {
        "m.py": "import os\nPID = os.getpid()\ndef f():\n    return 1\n",
        "test_m.py": "import os\nfrom m import PID, f\ndef test_m(): assert f() == 2 and PID != os.getpid()\n",
    }
    async with bench(tmp_path, files) as lab:
        edits = (
            (lab.edit("m.py", "return 1", "return 2"),),
            (lab.edit("m.py", "def f():\n    return 1", "f = int('2').__int__"),),
        )
        trials = await lab.tried([Plan(number, one, ("test_m.py::test_m",)) for number, one in enumerate(edits)])
    assert (trials[0].outcome, trials[1].outcome) == ("passed", "failed")


async def test_what_tests_are_made_of_can_be_edited_too(tmp_path: Path) -> None:
    files = {
        "conftest.py": "import pytest\n@pytest.fixture\ndef one(): return 2\n",
        "tools.py": "def two():\n    return 3\n",
        "test_it.py": """
            def test_one(one): assert one == 1
            def test_two():
                import tools
                assert tools.two() == 2
            """,
    }
    async with bench(tmp_path, files) as lab:
        await lab.look()
        trials = await lab.tried(
            [
                Plan(1, (lab.edit("conftest.py", "return 2", "return 1"),), ("test_it.py::test_one",)),
                # Imported by nobody before the test runs.
                Plan(2, (lab.edit("tools.py", "return 3", "return 2"),), ("test_it.py::test_two",)),
                Plan(3, (lab.edit("test_it.py", "one == 1", "one == 2"),), ("test_it.py::test_one",)),
                Plan(4, (lab.edit("test_it.py", "one == 1", "one == 3"),), ("test_it.py::test_one",)),
                # Nothing of the ones before stays.
                Plan(5, (lab.edit("conftest.py", "return 2", "return +1"),), ("test_it.py::test_one",)),
            ]
        )
    assert {number: trial.outcome for number, trial in sorted(trials.items())} == {
        1: "passed",
        2: "passed",
        3: "passed",
        4: "failed",
        5: "passed",
    }


async def test_of_a_file_that_can_be_collected_all_tests_pass_that_are_not_skipped_even_where_there_are_none(
    tmp_path: Path,
) -> None:
    files = {
        "pytest.ini": "[pytest]\naddopts = --doctest-modules\n",
        "shop.py": "from prices import LOW\n",
        "prices.py": "def price():\n    return 1\nLOW = pric()\n",
        "test_shop.py": """
            import pytest, shop
            def test_low(): assert shop.LOW == 1
            @pytest.mark.skip
            def test_later(): assert False
            """,
    }
    async with bench(tmp_path, files) as lab:
        bad = tuple(run.test for run in (await lab.look()).runs)
        trials = await lab.tried(
            [
                Plan(1, (lab.edit("prices.py", "pric()", "price()"),), bad),
                Plan(2, (lab.edit("prices.py", "pric()", "price() + 1"),), bad),
                Plan(4, (lab.edit("prices.py", "pric()", "price()"),), (*bad, "prices.py::gone")),
            ]
        )
    assert set(bad) == {"shop.py", "prices.py", "test_shop.py"}
    assert {number: trial.outcome for number, trial in sorted(trials.items())} == {
        1: "passed",
        2: "failed",
        4: "failed",
    }
    assert (trials[1].passed, trials[2].test) == (3, "test_shop.py::test_low")


async def test_edits_of_several_files_go_together_and_a_whole_suite_is_run_in_the_end(tmp_path: Path) -> None:
    files = {
        "a.py": "from b import LOW\ndef a():\n    return LOW + 2\n",
        "b.py": "LOW = 0\ndef b():\n    return 1\n",
        "test_a.py": "from a import a\ndef test_a(): assert a() == 2\n",
        "test_b.py": "from a import a\nfrom b import b\ndef test_b(): assert a() == b() == 2\n",
        "test_c.py": "from b import LOW\ndef test_c(): assert LOW == 1\n",
    }
    tests = ("test_b.py::test_b", "test_a.py::test_a", "test_c.py::test_c")
    async with bench(tmp_path, files) as lab:
        await lab.look()
        low, a, b = (
            lab.edit("b.py", "LOW = 0", "LOW = 1"),
            lab.edit("a.py", "+ 2", "+ 1"),
            lab.edit("b.py", "return 1", "return 2"),
        )
        trials = await lab.tried([Plan(1, (a, low, b), tests), Plan(2, (b,), tests), Plan(3, (low, b), tests)])
    told = {number: (trial.outcome, trial.passed, trial.test) for number, trial in sorted(trials.items())}
    assert told == {1: ("passed", 3, ""), 2: ("failed", 2, tests[2]), 3: ("failed", 0, tests[0])}
