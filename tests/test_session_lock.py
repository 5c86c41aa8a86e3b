"""A session belongs to one process, and a look at who has it takes it from nobody."""

from __future__ import annotations

import fcntl
import time
from pathlib import Path

import pytest

from agent_core.errors import JournalError
from agent_core.session_lock import hold, in_use


def test_a_session_is_held_by_one(tmp_path: Path) -> None:
    assert not in_use(tmp_path, "one")
    with hold(tmp_path, "one"):
        assert in_use(tmp_path, "one")
        with pytest.raises(JournalError, match="is open in another pairloop"):
            hold(tmp_path, "one")
        hold(tmp_path, "two").close()
    assert not in_use(tmp_path, "one")
    hold(tmp_path, "one").close()


def test_a_look_at_who_has_it_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hold(tmp_path, "one").close()
    with (tmp_path / "sessions/one.lock").open("ab") as look:
        fcntl.flock(look, fcntl.LOCK_EX | fcntl.LOCK_NB)
        waits: list[float] = []

        def wait(seconds: float) -> None:
            waits.append(seconds)
            fcntl.flock(look, fcntl.LOCK_UN)

        monkeypatch.setattr(time, "sleep", wait)
        with hold(tmp_path, "one"):
            assert in_use(tmp_path, "one")
        assert len(waits) == 1
