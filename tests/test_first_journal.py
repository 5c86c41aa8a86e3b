"""A journal of the first version is resumed, listed, taken back and landed again.

``data/first_journal.json`` was written by it: a task in mode ``auto``, whose patch changes, adds, deletes and moves a
file, and landed.
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from agent_core import commands
from agent_core.journal import SqliteJournal
from agent_core.places import project_state
from tests.projects import make_project
from tests.support.calling import call
from tests.support.running import flags, running
from tests.support.shop import QUICK, tree

FIRST = json.loads((Path(__file__).parent / "data/first_journal.json").read_text("utf-8"))
SESSION = FIRST["events"][0][2]["session"]
BEFORE = {"a.py": "x = 1\n", "gone.py": "z = 0\n", "old name.py": "first = 1\nsecond = 2\n"}
AFTER = {"a.py": "x = 2\n", "moved.py": "first = 1\nzweite = 2\n", "sub/new.py": "y = 1\n"}


def write_journal(project: Path, events: list[Any]) -> None:
    """Write rows as they were, not as events would be encoded now."""
    path = project_state(project) / "journal.db"
    journal = SqliteJournal(path)
    for content in FIRST["contents"]:
        journal.put(content.encode())
    journal.create(SESSION)
    journal.close()
    rows = (
        (SESSION, seq, at, kind, json.dumps(body).replace("/home/somebody/project", str(project)).encode())
        for seq, (at, kind, body) in enumerate(events, 1)
    )
    db = sqlite3.connect(path)
    with db:
        db.executemany("INSERT INTO events (session, seq, at, kind, body) VALUES (?, ?, ?, ?, ?)", rows)
    db.close()


def texts(project: Path) -> dict[str, str]:
    return {path: data.decode() for path, data in tree(project).items()}


def test_what_landed_is_listed_taken_back_and_landed_again(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", BEFORE)
    for path in BEFORE:
        (project / path).unlink()
    for path, text in AFTER.items():
        (project / path).parent.mkdir(exist_ok=True)
        (project / path).write_text(text)
    write_journal(project, FIRST["events"])
    [line] = call(["log", "--json"], project).lines
    assert (line["landing"], line["stands"], line["proposal"]) == (1, "landed", 1)
    assert sorted(file["path"] for file in line["files"]) == sorted({*BEFORE, *AFTER})
    assert call(["undo"], project).code == 0
    assert texts(project) == BEFORE
    assert call(["redo", "1"], project).code == 0
    assert texts(project) == AFTER


@pytest.mark.parametrize("last", ["ProposalMade", "VerdictReached"])
async def test_what_was_cut_short_goes_on(tmp_path: Path, last: str) -> None:
    project = make_project(tmp_path / "project", BEFORE)
    kinds = [kind for _, kind, _ in FIRST["events"]]
    write_journal(project, FIRST["events"][: kinds.index(last) + 1])
    (tmp_path / "script.json").write_text('{"turns": []}')
    settings = flags("step", off=QUICK, partner={"script": str(tmp_path / "script.json")})
    async with running(project, settings, resume=SESSION) as here:
        # In the mode it was in: what is green lands.
        await here.until(lambda state: state.task is None)
        assert texts(project) == AFTER
        here.submit(commands.Undo())
        await here.until(lambda state: state.landings[-1].undoes == 1 and state.landings[-1].stands == "landed")
        assert texts(project) == BEFORE
