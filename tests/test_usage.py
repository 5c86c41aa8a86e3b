"""``pairloop usage``: what was spent, over all projects and all journals there are."""

from __future__ import annotations

import datetime as dt
import sqlite3
import time
from pathlib import Path

import pytest

from agent_core import events as ev
from agent_core.conversation import PartnerInfo, Usage
from agent_core.forking import fork
from agent_core.journal import SqliteJournal
from agent_core.ledger import By, days_ago, entries, read_ledger, rows
from agent_core.places import project_state, state_dir
from agent_core.spent import Row, table
from tests.support.calling import call

DAY = 24 * 3600.0


def told(model: str) -> ev.SettingsTold:
    return ev.SettingsTold(PartnerInfo("chat", "p", model), "step", "c", "i")


def answered(tokens: int, cost: float | None, model: str = "", partner: str = "") -> ev.AnswerFinished:
    return ev.AnswerFinished("words", Usage(tokens, tokens // 2, 10, 4, cost), model, partner)


def fill(root: Path, session: str, *events: ev.AnyEvent, days: float = 0.0) -> SqliteJournal:
    """A journal of a project, with a session that happened some days ago."""
    journal = SqliteJournal(project_state(root) / "journal.db")
    journal.create(session)
    journal.append(session, ev.SessionStarted(session, str(root), "1"))
    for event in events:
        journal.append(session, event)
    database = sqlite3.connect(project_state(root) / "journal.db")
    with database:
        database.execute("UPDATE events SET at = ? WHERE session = ?", (time.time() - days * DAY, session))
    database.close()
    return journal


@pytest.fixture
def projects(tmp_path: Path) -> Path:
    """Two projects: one with an old session that tells no models, a new one, and a fork of that; one with another."""
    fill(
        tmp_path / "one",
        "s1",
        told("old"),
        answered(1000, None),
        ev.Compacted((), 0, 1, 1, "asked", usage=Usage(100, 0, 10)),
        told("new"),
        answered(500, 0.5),
        days=40,
    ).close()
    journal = fill(
        tmp_path / "one",
        "s2",
        told("new"),
        ev.Asked(1, "x"),
        answered(2000, 1.0, "new", "work"),
        ev.AsideFinished("commit", Usage(10, 0, 5, 0, 0.25), "small", "cheap"),
        ev.TaskFinished(1, "answered", ""),
    )
    copy = fork(journal, "s2")
    journal.append(copy, answered(3, 0.125, "new", "work"))
    journal.close()
    fill(
        tmp_path / "two", "s3", ev.CommitDrafted(1, "m", usage=Usage(7, 0, 7, 0, 2.0)), ev.AnswerFinished("", Usage())
    ).close()
    return state_dir() / "projects"


def test_every_request_counts_once(projects: Path) -> None:
    ledger = read_ledger(projects)
    assert ledger.notes == ()
    found = {(one.session, one.model, one.partner, one.usage.input) for one in ledger.spent if one.session[0] == "s"}
    assert found == {
        ("s1", "old", "", 1000),
        ("s1", "old", "", 100),
        ("s1", "new", "", 500),
        ("s2", "new", "work", 2000),
        ("s2", "small", "cheap", 10),
        ("s3", "", "", 7),
    }
    # What the fork has copied was spent in the other one.
    assert [one.usage.input for one in ledger.spent if one.session[0] != "s"] == [3]


@pytest.mark.parametrize(
    ("by", "costs"),
    [
        ("day", [2.0, 1.125, 0.25, 0.5, None]),
        ("model", [2.0, 1.125, 0.5, 0.25, None]),
        ("project", [2.0, 1.875]),
        ("session", [2.0, 1.25, 0.5, 0.125]),
    ],
)
def test_it_adds_up_by_whatever_it_is_counted(projects: Path, by: By, costs: list[float | None]) -> None:
    spent = read_ledger(projects).spent
    made = entries(spent, by)
    assert [one.usage.cost for one in made] == costs
    assert sum(one.requests for one in made) == len(spent)
    *_, last = rows(made)
    assert (last.label, last.requests, last.usage.cost, last.unpriced) == ("all", 8 - 1, 3.875, 2)


def test_only_some_days(projects: Path) -> None:
    recent = read_ledger(projects, days_ago(30)).spent
    assert {one.session for one in recent} & {"s1"} == set()
    assert len(recent) == 4
    now = dt.datetime.fromtimestamp(1_773_100_000).astimezone()
    firsts = [dt.datetime.fromtimestamp(days_ago(days, now)).astimezone() for days in (1, 10)]
    assert [(now.date() - first.date()).days for first in firsts] == [0, 9]
    assert {(first.hour, first.minute, first.second) for first in firsts} == {(0, 0, 0)}


def test_a_journal_that_cannot_be_read_is_named_and_the_rest_is_told(projects: Path) -> None:
    for name, data in (("broken", b"no database at all" * 100), ("empty", b"")):
        (projects / name).mkdir()
        (projects / name / "journal.db").write_bytes(data)
    (projects / "newer").mkdir()
    newer = sqlite3.connect(projects / "newer" / "journal.db")
    newer.execute("PRAGMA user_version=99")
    newer.close()
    (projects / "no-journal").mkdir()
    ledger = read_ledger(projects)
    assert len(ledger.spent) == 7
    broken, empty, new = ledger.notes
    assert "broken" in broken
    assert "empty" in empty
    assert "written by a newer pairloop (format 99)" in new


def test_a_bad_event_leaves_out_its_journal_only(projects: Path, tmp_path: Path) -> None:
    database = sqlite3.connect(project_state(tmp_path / "two") / "journal.db")
    with database:
        database.execute("INSERT INTO events VALUES ('s3', 99, ?, 'AnswerFinished', ?)", (time.time(), b"{no json"))
    database.close()
    ledger = read_ledger(projects)
    assert len(ledger.notes) == 1
    assert {one.session for one in ledger.spent} >= {"s1", "s2"}


@pytest.mark.usefixtures("projects")
def test_the_command_tells_a_table_or_json(tmp_path: Path) -> None:
    done = call(["usage"], tmp_path)
    assert (done.code, done.err) == (0, "")
    head, *lines = done.out.splitlines()
    assert head.split() == ["day", "requests", "input", "cached", "output", "reasoning", "cost"]
    today = time.strftime("%Y-%m-%d")
    assert f"{today}  new (work)" in done.out
    assert lines[-2].startswith("all ")
    assert lines[-2].endswith("$3.88+")
    assert "prices.toml" in lines[-1]
    listed = call(["usage", "--by", "project", "--json"], tmp_path).lines
    assert [(one["project"], one["requests"]) for one in listed] == [
        (str(tmp_path / "two"), 1),
        (str(tmp_path / "one"), 6),
    ]
    assert listed[0]["usage"] == {"input": 7, "cached": 0, "output": 7, "reasoning": 0, "cost": 2.0}
    recent = call(["usage", "--days", "3", "--by", "session"], tmp_path)
    assert "s1" not in recent.out
    assert call(["usage", "--by", "year"], tmp_path).code == 2
    assert call(["usage", "--days", "0"], tmp_path).code == 2


def test_where_nothing_was_spent_it_says_so(tmp_path: Path) -> None:
    done = call(["usage", "--days", "2"], tmp_path)
    assert (done.code, done.out) == (1, "Nothing was spent in the last 2 days.\n")


def test_a_name_that_would_move_the_cursor_is_shown(tmp_path: Path) -> None:
    fill(tmp_path / "p", "s", answered(1, 1.0, "evil\x1b[2J\nmodel")).close()
    out = call(["usage"], tmp_path).out
    assert "\x1b" not in out
    assert len(out.splitlines()) == 2


def test_a_table_keeps_to_a_width() -> None:
    usage = Usage(10**9, 10**8, 10**7, 5, 1.0)
    wide = Row("a model whose name is much too long for any terminal that there is", 3, usage)
    for width in (60, 80, 100):
        lines = table([wide], "model", width)
        assert max(map(len, lines)) <= width
    assert "reasoning" in table([wide], "model", 140)[0]
