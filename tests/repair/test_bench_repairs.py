"""The measuring of repairs measures: cases are cut and put together, offers judged, on a project of a few lines."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from agent_core.repair.model import Suspect
from tests.bench.fresh_inputs import compared, probed, touched
from tests.bench.mutants import drawn
from tests.bench.real_bugs import reverted
from tests.bench.repair_cases import (
    Case,
    Result,
    Verdict,
    between,
    broken,
    cases,
    chosen,
    packages,
    read_lines,
    write_lines,
)
from tests.bench.repair_report import report
from tests.bench.repair_trees import opened
from tests.bench.repair_trying import place_of, same_program

RIGHT = '''\
"""Prices."""


def rounded(price, step=5):
    """A price, rounded down to a step."""
    return price // step * step


class Shop:
    def __init__(self, prices):
        self.prices = prices

    def cheapest(self, count):
        for price in sorted(self.prices)[:count]:
            yield rounded(price)
'''
TESTS = """\
from prices import Shop, rounded


def test_rounded():
    assert rounded(17) == 15


def test_cheapest():
    assert list(Shop([17, 23, 9]).cheapest(2)) == [5, 15]
"""


def case_of(wrong: str) -> Case:
    line, was, now = between(RIGHT, wrong)
    return Case("mutant-shop-01", "shop", "1.0", "prices.py", line, was, now, "Number_1")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "prices.py").write_text(RIGHT)
    (root / "test_prices.py").write_text(TESTS)
    # The bench's environments are of the packages' own; here ours does.
    (root / ".venv").symlink_to(Path(sys.prefix), target_is_directory=True)
    (root / ".gitignore").write_text(".venv\n")
    shutil.rmtree(root / "__pycache__", ignore_errors=True)
    return root


@pytest.mark.parametrize(
    "wrong", [RIGHT.replace("* step", "* 5"), RIGHT.replace("class Shop", "\n\nclass Shop"), RIGHT[40:]]
)
def test_a_case_makes_the_wrong_program_of_the_right_one(wrong: str) -> None:
    assert broken(RIGHT, case_of(wrong)) == wrong


def test_a_case_of_another_release_is_refused() -> None:
    with pytest.raises(ValueError, match="other lines at 6"):
        broken(RIGHT.replace("price //", "price /"), case_of(RIGHT.replace("* step", "* 5")))


def test_layout_and_comments_are_no_difference_between_programs() -> None:
    assert same_program(RIGHT, RIGHT.replace("price // step", "( price//step )"))
    assert not same_program(RIGHT, RIGHT.replace("//", "/"))
    assert not same_program(RIGHT, "def broken(:")


def test_what_two_releases_differ_in_is_put_back_a_function_at_a_time() -> None:
    older = (
        RIGHT.replace("* step\n", "* 5\n").replace("[:count]", "[count:]").replace("self, prices", "self, all_prices")
    )
    put_back = dict(reverted(older, RIGHT))
    assert put_back == {
        "rounded": RIGHT.replace("* step\n", "* 5\n"),
        "Shop.cheapest": RIGHT.replace("[:count]", "[count:]"),
    }
    assert not dict(reverted(RIGHT.replace("A price, rounded", "Rounded"), RIGHT))


def test_of_mutations_at_one_place_one_of_each_kind_is_drawn_and_always_the_same() -> None:
    names = ("core/ReplaceBinaryOperator_Add_Sub", "core/ReplaceBinaryOperator_Add_Mul", "core/NumberReplacer")
    specs = [{"path": "a.py", "start": [line, 0], "operator": name} for line in (1, 2) for name in names]
    some = drawn(specs, 8)
    assert len(some) == 4
    assert some == drawn(list(reversed(specs)), 8)


def test_the_place_of_a_wrong_line_is_that_of_its_statement() -> None:
    text = "def total(rows):\n    return sum(\n        row.price\n        for row in rows\n    )\n"
    suspects = (Suspect("a.py", 1, 0.5), Suspect("b.py", 2, 0.9), Suspect("a.py", 2, 0.3))
    assert place_of(text, 4, 1, "a.py", suspects) == 3
    assert place_of(text, 4, 1, "c.py", suspects) == 0


def test_functions_that_differ_are_known_and_begin_with_the_probe() -> None:
    assert touched(RIGHT, RIGHT.replace("[:count]", "[count:]")) == {"Shop.cheapest"}
    assert touched(RIGHT, RIGHT + "\nSTEP = 5\n") == {"rounded", "Shop.__init__", "Shop.cheapest"}
    text = probed(RIGHT, {"rounded", "Shop.cheapest"})
    assert text.count("fresh_probe") == 2
    assert "'rounded', locals()); return price" in text
    compile(text, "prices.py", "exec")


async def test_programs_are_told_apart_by_inputs_that_no_test_has(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(shop.parent / "state"))
    async with opened(shop) as tree:
        suite = await tree.suite({}, seconds=60.0)
        same = await compared(
            tree, {"prices.py": RIGHT}, {"prices.py": RIGHT.replace("price // step", "(price // step)")}
        )
        other = await compared(tree, {"prices.py": RIGHT}, {"prices.py": RIGHT.replace("* step\n", "* 5\n")})
    assert not suite.failed, suite.said
    assert (same.inputs, same.differs) == (0, 0), "nothing differs, and nothing is asked"
    assert other.inputs >= 5
    assert other.differs >= 1
    assert other.example.startswith("rounded")


def test_the_report_counts_by_package_and_in_all(tmp_path: Path) -> None:
    verdicts: tuple[Verdict, ...] = ("equal", "alike", "plausible", "none")
    some = [Case(f"mutant-p-{verdict}", "p", "1", "a.py", 1, (), (), "Number_1") for verdict in verdicts]
    results = [Result(f"mutant-p-{verdict}", verdict, first=2.0, seconds=3.0) for verdict in verdicts]
    write_lines(tmp_path / "results.jsonl", results)
    kept = {result.name: result for result in read_lines(tmp_path / "results.jsonl", Result)}
    assert list(kept.values()) == results
    whole = next(line for line in report(some, kept).splitlines() if line.startswith("all"))
    assert whole.split() == ["all", "4", "3", "75%", "1", "1", "67%", "0", "2.0", "3.0"]


def test_the_tables_are_of_releases_that_are_known_by_their_hash() -> None:
    known = packages()
    every = [*cases("mutants"), *cases("bugs")]
    assert len(cases("mutants")) >= 100
    assert len({case.name for case in every}) == len(every)
    for case in every:
        assert len(known.by_name[case.package].releases[case.version]) == 64
        assert case.was != case.now
    assert [case.name for case in chosen(every, limit=3)] == [
        every[0].name,
        every[len(every) // 3].name,
        every[2 * len(every) // 3].name,
    ]
