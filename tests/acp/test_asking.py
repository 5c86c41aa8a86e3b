"""What an editor is asked: what it cannot show to its end is not allowed for good."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_core.acp.asking import question
from agent_core.acp.telling import Teller
from agent_core.state import ApprovalState, State


def teller() -> Teller:
    return Teller(Path("/p"), lambda _: b"", lambda _: None)


@pytest.mark.parametrize(
    ("rule", "wider", "offered"),
    [
        ("run pytest a", "run pytest *", ["always", "wider"]),
        ("run cd a\nrun mypy b", "", ["always"]),
        (f"run pytest {'a' * 200} --evil", "run pytest *", ["wider"]),
        ("run echo 'a  b'", "", []),
        ("run echo '`'", "", ["always"]),
    ],
)
def test_only_a_rule_that_is_seen_as_a_whole_can_be_kept(rule: str, wider: str, offered: list[str]) -> None:
    asked = question(State(approval=ApprovalState("c", "pytest a", "run", rule, wider)), teller())
    assert asked is not None
    names = {option.option_id: option.name for option in asked.options}
    assert [name for name in names if name in {"always", "wider"}] == offered
    assert all(names[name].endswith(text.replace("\n", " and ")) for name, text in (("wider", wider),) if name in names)
    assert {"allow", "reject"} <= names.keys()
