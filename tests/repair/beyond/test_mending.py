"""What real checks find in real projects is mended, and they are content then."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from agent_core.checks.model import CheckResult, Finding, Wish
from agent_core.checks.mypy import MypyCheck
from agent_core.checks.pytest import PytestCheck
from agent_core.checks.ruff import RuffCheck
from agent_core.checks.syntax import SyntaxCheck
from agent_core.protocols import Candidate, Check
from agent_core.repair.beyond.judging import Judges
from agent_core.repair.beyond.mending import Mending
from agent_core.repair.edited import edited
from agent_core.repair.ground import Ground
from agent_core.repair.model import Kind, Progress, Repair
from agent_core.repair.project import Project as Known
from agent_core.workspace.project import Project
from tests.checks.conftest import THIS_PYTHON, Open
from tests.projects import write_files

RUFF, MYPY, SYNTAX, PYTEST = (
    RuffCheck(THIS_PYTHON),
    MypyCheck(THIS_PYTHON),
    SyntaxCheck(THIS_PYTHON),
    PytestCheck(THIS_PYTHON),
)
STRICT = {
    "pyproject.toml": '[tool.mypy]\nstrict = true\nfiles = ["shop"]\n[tool.pytest.ini_options]\npythonpath = ["."]\n'
}


async def said(project: Project, checks: Sequence[Check]) -> list[CheckResult]:
    candidate = await project.candidate(await project.snapshot(), {}, cache="base")
    try:
        return [await check.run(candidate, Wish()) for check in checks]
    finally:
        await candidate.close()


async def mend(
    project: Project,
    kinds: Iterable[Kind],
    checks: Sequence[Check],
    *,
    results: Sequence[CheckResult] | None = None,
    enough: asyncio.Event | None = None,
    heard: list[Progress] | None = None,
) -> tuple[Repair, ...]:
    base = await project.snapshot()
    known = Known([path for path in base.files if path.endswith(".py")], project.read)
    mending = Mending(
        Ground(project, tuple(checks), base, {}),
        known,
        (heard if heard is not None else []).append,
        enough or asyncio.Event(),
        time.monotonic() + 60,
    )
    return await mending.repairs(kinds, await said(project, checks) if results is None else results)


def texts(project: Project, repair: Repair) -> dict[str, str]:
    changes = edited(repair.variant.edits, project.read)
    return {path: (change.data or b"").decode() for path, change in changes.items()}


def carry_out(project: Project, repair: Repair) -> None:
    for path, change in edited(repair.variant.edits, project.read).items():
        (project.root / path).write_bytes(change.data or b"")


async def test_undefined_names_are_mended_together_in_one_run(opened: Open) -> None:
    project = await opened(
        {
            "shop/__init__.py": "",
            "shop/cart.py": "def total(prices):\n    return math.fsum(pricse)\n\n\nwhere = Path('.')\n",
            "shop/till.py": "import jsno\n\n\ndef pay(x):\n    return json.dumps(defaultdict(list))\n",
        }
    )
    heard: list[Progress] = []
    (repair,) = await mend(project, ["names"], [SYNTAX, RUFF], heard=heard)

    assert texts(project, repair) == {
        "shop/cart.py": (
            "import math\nfrom pathlib import Path\n\n\n"
            "def total(prices):\n    return math.fsum(prices)\n\n\nwhere = Path('.')\n"
        ),
        "shop/till.py": (
            "import json\nfrom collections import defaultdict\n\nimport jsno\n\n\n"
            "def pay(x):\n    return json.dumps(defaultdict(list))\n"
        ),
    }
    assert repair.kind == "names"
    assert len(repair.mends) == 5
    assert {one.stage for one in heard} == {"mending"}
    # All five in one tree, and then once by all the checks.
    assert heard[-1].tried <= 2


async def test_types_are_mended_until_mypy_is_content(opened: Open) -> None:
    project = await opened(
        {
            **STRICT,
            "shop/__init__.py": "",
            "shop/cart.py": """
                from __future__ import annotations

                import re


                class Cart:
                    def __init__(self) -> None:
                        self.items = []
                        self.name: str | None = None

                    def add(self, item: str):
                        self.items.append(item)

                    def title(self) -> str:
                        return self.name.upper()

                    def size(self) -> str:
                        return len(self.items)


                def total(prices: list, rate: float = None) -> float:
                    if rate:
                        return sum(prices) * rate
                    return 0.0


                def first(text: str) -> str:
                    return re.search("a", text).group(0)


                print(total([1.5], raet=1.0))
            """,
        }
    )
    (repair,) = await mend(project, ["types"], [SYNTAX, MYPY])
    carry_out(project, repair)

    (after,) = await said(project, [MYPY])
    assert after.outcome == "passed"
    text = (project.root / "shop/cart.py").read_text()
    assert "ignore" not in text
    assert "Any" not in text
    assert "prices: list[float], rate: float | None = None" in text


async def test_a_repair_that_brings_something_new_is_not_made(opened: Open) -> None:
    project = await opened(
        {
            **STRICT,
            "shop/__init__.py": "",
            # As a list of anything it could not be summed; and what is returned is used as a text elsewhere.
            "shop/cart.py": "def total(prices: list) -> int:\n    return sum(prices)\n",
            "shop/till.py": "from shop.cart import total\n\n\ndef pay() -> str:\n    return total([1, 2])\n",
        }
    )
    (repair,) = await mend(project, ["types"], [SYNTAX, MYPY])

    assert texts(project, repair)["shop/cart.py"] == "def total(prices: list[int]) -> int:\n    return sum(prices)\n"


async def test_tools_mend_what_they_safely_can(opened: Open) -> None:
    project = await opened({"shop.py": "import os\nimport sys\n\n\ndef f(x):\n    y = 1\n    return sys.path + x\n"})
    (repair,) = await mend(project, ["lint"], [SYNTAX, RUFF])

    assert texts(project, repair) == {"shop.py": "import sys\n\n\ndef f(x):\n    y = 1\n    return sys.path + x\n"}
    assert repair.mends == ("shop.py:1 `os` imported but unused",)


async def test_what_tests_break_on_is_left_out(opened: Open) -> None:
    project = await opened(
        {
            "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["."]\n',
            "shop.py": "import json\n\n\ndef f(x):\n    return x\n",
            "tax.py": "import sys\n\n\ndef g(x):\n    return x\n",
            "test_shop.py": "import shop\nimport tax\n\n\ndef test_f():\n    assert shop.json and tax.g(1) == 1\n",
        }
    )
    (repair,) = await mend(project, ["lint"], [SYNTAX, RUFF, PYTEST])

    # Nobody uses json but a test, by way of what imports it.
    assert set(texts(project, repair)) == {"tax.py"}
    assert (repair.passed, repair.whole) == (1, True)


async def test_the_reading_with_which_most_tests_pass_is_first(opened: Open) -> None:
    project = await opened(
        {
            "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["."]\n',
            "shop.py": "def f(x):\n<<<<<<< HEAD\n    return x\n=======\n    return x + 1\n>>>>>>> other\n",
            "test_shop.py": "import shop\n\n\ndef test_f():\n    assert shop.f(1) == 2\n",
        }
    )
    found = await mend(project, ["syntax"], [SYNTAX, RUFF, PYTEST])

    assert texts(project, found[0]) == {"shop.py": "def f(x):\n    return x + 1\n"}
    assert found[0].passed == 1
    assert len(found) == 1


async def test_all_files_that_cannot_be_parsed_are_mended_at_once(opened: Open) -> None:
    project = await opened({"a.py": "def f(x)\n    return x\n", "b.py": "x = [1, 2\ny = 3\n", "c.py": "z = 1\n"})
    (repair,) = await mend(project, ["syntax"], [SYNTAX, RUFF])

    assert texts(project, repair) == {"a.py": "def f(x):\n    return x\n", "b.py": "x = [1, 2]\ny = 3\n"}


async def test_a_rename_since_the_last_commit_is_completed_over_files(opened: Open) -> None:
    project = await opened(
        {
            "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["."]\n',
            "cart.py": "class Cart:\n    def total(self):\n        return 1\n",
            "till.py": "def pay(cart):\n    return cart.total() + cart.total()\n",
            "test_till.py": "from cart import Cart\nfrom till import pay\n\n\ndef test_it(): assert pay(Cart()) == 2\n",
        }
    )
    cart = project.root / "cart.py"
    cart.write_text(cart.read_text().replace("total", "due"))
    (repair,) = await mend(project, ["names"], [SYNTAX, PYTEST])

    assert texts(project, repair) == {"till.py": "def pay(cart):\n    return cart.due() + cart.due()\n"}
    assert repair.passed == 1


async def test_marks_and_line_ends_stay(opened: Open) -> None:
    project = await opened({"a.py": ""})
    (project.root / "a.py").write_bytes(b"\xef\xbb\xbfimport os\r\n\r\nx = json.dumps(os.sep)\r\n")
    (repair,) = await mend(project, ["names"], [SYNTAX, RUFF])
    carry_out(project, repair)

    assert (
        project.root / "a.py"
    ).read_bytes() == b"\xef\xbb\xbfimport json\r\nimport os\r\n\r\nx = json.dumps(os.sep)\r\n"


class _Slow(msgspec.Struct, frozen=True):
    """A check that takes for ever once it is asked about a repair."""

    asked: asyncio.Event

    @property
    def name(self) -> str:
        return "ruff"

    async def run(self, candidate: Candidate, wish: Wish) -> CheckResult:
        self.asked.set()
        await asyncio.Event().wait()
        raise AssertionError


async def _hanging(opened: Open, enough: asyncio.Event) -> tuple[asyncio.Task[tuple[Repair, ...]], asyncio.Event]:
    project = await opened({"a.py": "x = json.dumps(1)\n"})
    asked = asyncio.Event()
    finding = Finding("ruff", "Undefined name `json`", "a.py", 1, "F821", "x = json.dumps(1)")
    result = CheckResult("ruff", "failed", (await project.snapshot()).tree, "1 found", (finding,))
    mending = mend(project, ["names"], [_Slow(asked)], results=[result], enough=enough)
    task = asyncio.create_task(mending)
    async with asyncio.timeout(30):
        await asked.wait()
    return task, asked


async def test_enough_ends_it_at_once(opened: Open) -> None:
    enough = asyncio.Event()
    task, _ = await _hanging(opened, enough)
    enough.set()
    async with asyncio.timeout(30):
        assert await task == ()


async def test_it_can_be_cancelled(opened: Open) -> None:
    task, _ = await _hanging(opened, asyncio.Event())
    task.cancel()
    async with asyncio.timeout(30):
        await asyncio.wait([task])
    assert task.cancelled()


async def test_a_file_changed_meanwhile_is_no_trouble(opened: Open) -> None:
    project = await opened({"a.py": "value = 1\nx = json.dumps(value)\n"})
    results = await said(project, [RUFF])
    base = await project.snapshot()
    known = Known(["a.py"], project.read)
    assert known.source("a.py") is not None
    await asyncio.to_thread(write_files, Path(project.root), {"a.py": "x\n"})
    mending = Mending(Ground(project, (RUFF,), base, {}), known, lambda _: None, asyncio.Event(), time.monotonic() + 30)

    assert isinstance(await mending.repairs(["names"], results), tuple)


async def test_findings_on_one_line_do_not_look_new(opened: Open) -> None:
    project = await opened({"a.py": "def f(total):\n    return totla + nothing_of_the_kind\n"})
    results = await said(project, [RUFF])
    judges = Judges(
        Ground(project, (RUFF,), await project.snapshot(), {}),
        before=results,
        enough=asyncio.Event(),
        deadline=time.monotonic() + 30,
    )
    (repair,) = await mend(project, ["names"], [RUFF], results=results)
    judged = await judges.judge(judges.changed(repair.variant.edits), {"ruff"})

    assert judged is not None
    assert judged.broken == ()
    assert [one.message for one in judged.fixed] == ["Undefined name `totla`"]
