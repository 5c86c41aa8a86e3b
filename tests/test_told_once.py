"""What is told without a screen is told once."""

from __future__ import annotations

import io
from collections.abc import Sequence

from agent_core import events as ev
from agent_core.conversation import PartnerInfo
from agent_core.fold import fold
from agent_core.headless import Lines
from agent_core.state import State
from tui.plain.telling import Teller

CANDIDATE = "bubblewrap overlay"


def settings(name: str, mode: ev.Mode = "step") -> ev.SettingsTold:
    return ev.SettingsTold(PartnerInfo("chat", name, "m"), mode, CANDIDATE, "python3")


def lines(events: Sequence[ev.AnyEvent]) -> list[str]:
    """What ``pairloop exec`` writes of some events."""
    out, state = io.StringIO(), State()
    write = Lines(out)
    for seq, event in enumerate(events, 1):
        state = fold(state, event)
        write(ev.Entry(seq, 0.0, event), state)
    return out.getvalue().splitlines()


def test_a_server_that_says_who_it_is_has_nothing_else_told_again() -> None:
    first, second, third = lines([settings("its model"), settings("qwen"), settings("qwen", "auto")])
    assert CANDIDATE in first
    assert second == "qwen"
    assert CANDIDATE in third


def test_so_it_is_in_sentences() -> None:
    said: list[str] = []
    teller = Teller(lambda *more: said.extend(more), lambda _: b"")
    teller.tell(settings("its model"), State())
    assert sum(CANDIDATE in line for line in said) == 1
    teller.tell(settings("qwen"), State())
    assert said[-1] == "Partner: qwen, model m."
    assert sum(CANDIDATE in line for line in said) == 1
    teller.tell(settings("qwen", "auto"), State())
    assert sum(CANDIDATE in line for line in said) == 2


def test_a_collision_is_the_word_that_the_task_ends_with() -> None:
    text = "Proposal 1 could not land. It collides with your own edits."
    told = lines([ev.LandingConflicted(1, 0, text, ("a.py:1: both",)), ev.TaskFinished(1, "conflict", text)])
    assert told == [f"\u2717 {text}", "  a.py:1: both"]
    more = f"{text} Nothing was written."
    assert lines([ev.LandingConflicted(1, 0, text, ()), ev.TaskFinished(1, "conflict", more)])[-1] == more
