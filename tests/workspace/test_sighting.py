"""What may be a step between two states of a file, and for how long nobody believes it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from agent_core.workspace.sighting import sight, unfinished


@pytest.mark.parametrize(
    ("before", "after", "until"),
    [
        ("a line\n", "", 0.3),  # emptied, to be filled again
        ("a line\n", "half of a", 0.075),
        ("a line\n", "x" * 4095 + "\n", 0.075),  # as much as is written at once
        ("a line\n", "another\n", 0.0),
        ("no end", "no end, either", 0.0),
    ],
)
def test_what_looks_unfinished_is_believed_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str, after: str, until: float
) -> None:
    path = tmp_path / "a.py"
    path.write_text(before)
    last = sight(str(path), None)
    path.write_text(after)
    now = sight(str(path), last)
    assert now is not None
    for since, doubted in ((0.0, until > 0), (until - 0.01, until > 0), (until + 0.01, False)):
        when = now.ctime + round(since * 1e9)
        monkeypatch.setattr(time, "time_ns", lambda when=when: when)
        assert unfinished(str(path), last, now) is doubted, since
