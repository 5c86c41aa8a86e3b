"""Whatever comes in between: no line of the human's is lost, none comes back, and the journal tells the true story.

Some of many; all of them, and more: ``python tests/bench/interleavings.py --count 200``, or
``PAIRLOOP_INTERLEAVINGS=200 pytest tests/interleaving``.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent_core.workspace.edits import edit_between
from tests.interleaving.ledger import Ledger, written
from tests.interleaving.telling import Telling
from tests.interleaving.walk import interleave

_COUNT = int(os.environ.get("PAIRLOOP_INTERLEAVINGS", "16"))
_AT_ONCE = 4
# Each of these has shown a defect once.
_SHOWN = (30, 41, 59, 74, 1005, 1015, 1033)


def seeds() -> list[tuple[int, ...]]:
    every = (*_SHOWN, *range(5000, 5000 + _COUNT - len(_SHOWN)))[:_COUNT]
    return [every[at : at + _AT_ONCE] for at in range(0, len(every), _AT_ONCE)]


@pytest.mark.parametrize("chunk", seeds(), ids=lambda chunk: "-".join(map(str, chunk)))
async def test_no_line_is_lost_and_the_journal_is_true(tmp_path: Path, chunk: tuple[int, ...]) -> None:
    for seed in chunk:
        report = await interleave(seed, tmp_path / str(seed), steps=10, beside_git=False)
        assert not report.wrong, str(report)


# -- that would be found out


def test_a_line_that_is_lost_or_comes_back_is_found_out() -> None:
    old, new = b"h1 = 1\nh2 = 2\n", b"h1 = 1\nh3 = 3\n"
    ledger = Ledger({"a.py": old})
    ledger.begin("a.py")
    ledger.saved("a.py", old, new)
    ledger.end()
    assert ledger.wrong({"a.py": new}) == []
    assert ledger.wrong({"a.py": b"h1 = 1\n"}) == ["h3 is not in a.py any more"]
    assert ledger.wrong({"a.py": new + b"h2 = 2\n"}) == ["h2 is in a.py, where nobody put it"]
    # What a landing deletes is gone, and is there again when it is taken back.
    for number, (before, after) in enumerate([(new, b"p1 = 1\nh3 = 3\n"), (b"p1 = 1\nh3 = 3\n", new)]):
        ledger.started(number, written([("a.py", before, after)]))
        ledger.ended(number, landed=True)
        assert ledger.wrong({"a.py": after}) == []
        assert ledger.wrong({"a.py": before})


def test_a_line_that_a_landing_and_a_save_fight_for_is_left_open_until_all_is_at_rest() -> None:
    old, new = b"h1 = 1\nh2 = 2\n", b"h2 = 2\n"
    ledger = Ledger({"a.py": old})
    ledger.begin("a.py")
    ledger.started(1, written([("a.py", old, new)]))
    ledger.ended(1, landed=True)
    ledger.end()
    assert ledger.wrong({"a.py": old}) == ledger.wrong({"a.py": new}) == []
    ledger.rest({"a.py": new})
    assert ledger.wrong({"a.py": old})


def test_a_journal_that_is_not_true_is_found_out() -> None:
    telling = Telling({"a.py": b"1\n", "b.py": b"1\n"})
    telling.hear(edit_between("a.py", b"1\n", b"2\n"), 1.0)
    assert telling.wrong == []
    assert [line.partition(" ")[0] for line in telling.missing({"a.py": b"3\n", "b.py": b"1\n", "c.py": b""})] == [
        "a.py",
        "c.py",
    ]
    assert [line for line in telling.who(beside_git=True) if "never wrote that" in line]
    telling.hear(edit_between("b.py", b"2\n", b"3\n"), 2.0)
    assert len(telling.wrong) == 1
