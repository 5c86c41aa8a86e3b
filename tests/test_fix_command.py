"""``pairloop fix``: the built-in partner without a screen, on a real project with a real bug."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from agent_core.checks.model import CheckResult, Finding
from agent_core.fix_command import FixWish, Progressing, nothing_red
from agent_core.repairs_state import SearchState
from tests.support.shop import MENDED, PRICES, make_shop, theirs
from tui.subcommands import carry_out

_TEST = "tests/test_prices.py::test_total"
_OFF = '[checks]\noff = ["mypy", "ruff", "syntax"]\n'


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The project, with the checks that a repair of a test needs."""
    project = make_shop(tmp_path / "shop")
    (project / "pairloop.toml").write_text(_OFF)
    return project


def test_a_repair_is_proposed_and_landed_where_that_is_wanted(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert carry_out(["fix", _TEST, "--yes", "--project", str(shop)]) == 0
    said = capsys.readouterr().out
    assert "proposal 1" in said
    assert "Landed as landing 1." in said
    assert (shop / "shop/prices.py").read_text() != PRICES.lstrip("\n")
    assert carry_out(["fix", "--project", str(shop)]) == 0, "nothing is left to mend"
    assert "proposal" not in capsys.readouterr().out


def test_repairs_are_told_and_none_is_proposed(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = theirs(shop)
    assert carry_out(["fix", "--dry-run", "--json", "--kind", "tests", "--project", str(shop)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["exit"] == 0
    (repair,) = told["repairs"]
    assert (repair["path"], repair["kind"], repair["whole"]) == ("shop/prices.py", "tests", True)
    assert _TEST in told["failing"]
    assert "-    for price in prices[1:]:" in repair["diff"]
    assert theirs(shop) == before


def test_where_nothing_is_found_it_says_why(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shop / "shop/prices.py").write_text(MENDED)
    (shop / "tests/test_prices.py").write_text("def test_never():\n    assert 1 == 2\n")
    assert carry_out(["fix", "--dry-run", "--seconds", "3", "--project", str(shop)]) == 1
    assert capsys.readouterr().out.strip()


def test_tests_that_hang_are_not_waited_for_nor_taken_for_nothing_to_mend(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (shop / "pairloop.toml").write_text('[checks]\noff = ["mypy", "syntax"]\n')
    (shop / "tests/test_prices.py").write_text("import time\n\n\ndef test_never():\n    time.sleep(500)\n")
    for more in ((), ("--dry-run",)):
        assert carry_out(["fix", "--seconds", "1", *more, "--project", str(shop)]) == 1
    assert "no repair" in capsys.readouterr().out.lower()


def test_nothing_is_red_where_checks_have_judged_and_found_nothing_that_counts() -> None:
    failed = CheckResult("pytest", "failed", "t", "1 failed", (Finding("pytest", "assert", code=_TEST),))
    types = CheckResult("mypy", "failed", "t", "1 error", (Finding("mypy", "wrong", code="arg-type"),))
    assert not nothing_red((failed,), FixWish())
    assert not nothing_red((failed,), FixWish(("tests/test_other.py",))), "there is no such test"
    passed = CheckResult("pytest", "passed", "t", "1 passed", passed=("tests/test_other.py::test_all",))
    assert nothing_red((passed,), FixWish(("tests/test_other.py",)))
    assert not nothing_red((failed,), FixWish(("tests/test_prices.py",)))
    assert nothing_red((CheckResult("pytest", "passed", "t", "3 passed"), types), FixWish(kind="tests"))
    assert not nothing_red((CheckResult("pytest", "passed", "t", "3 passed"), types), FixWish())
    assert not nothing_red((CheckResult("pytest", "missing", "t", "not there"),), FixWish())
    assert not nothing_red((), FixWish())


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_one_line_of_a_terminal_that_is_gone_at_the_end() -> None:
    out = _Terminal()
    progress = Progressing({"TERM": "xterm"}, out)
    progress.show(SearchState(False, "", "trying", 214, 0, 1, "\x1b[31m<= for <\nin a.py", 6.0, 60.0))
    progress.clear()
    progress.clear()
    assert out.getvalue() == ("\rtrying repairs: 214 tried, 1 found, 6 of 60 s, ␛[31m<= for < in a.py\x1b[K\r\x1b[K")
    nowhere = io.StringIO()
    Progressing({}, nowhere).show(SearchState(False, ""))
    assert not nowhere.getvalue()
