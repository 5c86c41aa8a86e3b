"""The journal loses nothing it has acknowledged, and says plainly when it cannot be used."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_core import events as ev
from agent_core.conversation import ToolResultItem, UserItem
from agent_core.errors import JournalError
from agent_core.journal import SqliteJournal
from agent_core.workspace.tree import content_hash

HERE = Path(__file__).parent.parent
# Appends as fast as it can and says each number once it has it; every tenth is durable.
WRITER = """
import sys
from pathlib import Path
from agent_core.events import Noted
from agent_core.journal import SqliteJournal

journal, session = SqliteJournal(Path(sys.argv[1])), sys.argv[2]
count = int(sys.argv[3])
if len(sys.argv) == 4:
    journal.create(session)
sys.stdin.readline()
for number in range(count):
    blob = journal.put(b"content %d" % number)
    entry = journal.append(session, Noted("info", f"{number} {blob}"), durable=number % 10 == 0)
    print(entry.seq, flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "journal.db"


@contextmanager
def journal_at(path: Path) -> Iterator[SqliteJournal]:
    journal = SqliteJournal(path)
    try:
        yield journal
    finally:
        journal.close()


def writer(path: Path, session: str, count: int, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        (sys.executable, "-c", WRITER, str(path), session, str(count), *more),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=HERE,
    )


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def note(text: str) -> ev.Noted:
    return ev.Noted("info", text)


def landing(number: int, undoes: int = 0) -> ev.LandingStarted:
    file = ev.FileLanding("a.py", None, "hash", 0, 0o100644)
    return ev.LandingStarted(number, 0 if undoes else 1, undoes, (file,))


def test_what_is_appended_is_read_again_in_order(path: Path) -> None:
    with journal_at(path) as journal:
        journal.create("one")
        journal.create("two")
        told = []
        for number in range(20):
            told.append(journal.append("one", note(f"one {number}"), durable=number % 3 == 0))
            journal.append("two", note(f"two {number}"))
        assert [entry.seq for entry in told] == list(range(1, 21))
        assert list(journal.entries("one")) == told
        assert list(journal.entries("three")) == []
    with journal_at(path) as again:
        assert list(again.entries("one")) == told
        assert again.append("one", note("more")).seq == 21


@pytest.mark.parametrize("seed", range(6))
def test_killed_while_writing_nothing_acknowledged_is_lost(path: Path, seed: int) -> None:
    until = random.Random(seed).randint(1, 400)
    process = writer(path, "s", 1_000_000)
    go(process)
    assert process.stdout is not None
    seen = 0
    for line in process.stdout:
        seen = int(line)
        if seen >= until:
            break
    process.send_signal(signal.SIGKILL)
    # What it had said before it died counts too; the last line may have been cut.
    rest = process.stdout.read()
    whole = [int(line) for line in rest.split("\n")[:-1]]
    seen = max([seen, *whole])
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()
    assert process.stdin is not None
    process.stdin.close()
    with journal_at(path) as journal:
        entries = list(journal.entries("s"))
        assert len(entries) >= seen
        assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
        for number, entry in enumerate(entries):
            assert isinstance(entry.event, ev.Noted)
            said, blob = entry.event.text.split()
            assert int(said) == number
            assert journal.get(blob) == b"content %d" % number
        assert journal.append("s", note("on it goes")).seq == len(entries) + 1


def test_two_processes_write_at_the_same_time(path: Path) -> None:
    with journal_at(path) as journal:
        journal.create("shared")
        own = [writer(path, f"own {number}", 150) for number in range(2)]
        both = [writer(path, "shared", 150, "not mine") for _ in range(2)]
        for process in (*own, *both):
            go(process)
        said = [process.communicate()[0] for process in (*own, *both)]
        assert [process.returncode for process in (*own, *both)] == [0] * 4
        for number in range(2):
            assert [entry.seq for entry in journal.entries(f"own {number}")] == list(range(1, 151))
        # Even one session keeps its order without gaps, and everybody was told the right number.
        entries = list(journal.entries("shared"))
        assert [entry.seq for entry in entries] == list(range(1, 301))
        seqs = [[int(line) for line in text.split()] for text in said[2:]]
        assert sorted(seqs[0] + seqs[1]) == list(range(1, 301))
        for mine in seqs:
            assert mine == sorted(mine)
            texts = [entries[seq - 1].event for seq in mine]
            assert [int(event.text.split()[0]) for event in texts if isinstance(event, ev.Noted)] == list(range(150))


def test_another_process_appends_to_our_session(path: Path) -> None:
    with journal_at(path) as ours, journal_at(path) as theirs:
        ours.create("s")
        assert ours.append("s", landing(1), durable=True).seq == 1
        assert theirs.append("s", ev.Landed(1), durable=True).seq == 2
        assert ours.append("s", note("ours")).seq == 3
        assert [type(entry.event) for entry in ours.entries("s")] == [ev.LandingStarted, ev.Landed, ev.Noted]


def test_what_is_no_unicode_is_kept_all_the_same(path: Path) -> None:
    # Names of files and arguments of the command line can be any bytes.
    name = os.fsdecode(b"gr\xf6\xdfe.py")
    edit = ev.HumanEdited(name, "added", f"+++ b/{name}\n", None, "hash")
    items = ev.ItemsAppended((ToolResultItem("call", f"fine\n{name}"), UserItem("fine")))
    with journal_at(path) as journal:
        journal.create("s")
        kept = [journal.append("s", edit), journal.append("s", items), journal.append("s", ev.Asked(1, name))]
        assert list(journal.entries("s")) == kept
        shown = "gr\ufffd\ufffde.py"
        assert kept[0].event == ev.HumanEdited(shown, "added", f"+++ b/{shown}\n", None, "hash")
        assert kept[1].event == ev.ItemsAppended((ToolResultItem("call", f"fine\n{shown}"), UserItem("fine")))
        assert journal.sessions()[0].title == shown


@given(st.lists(st.binary(max_size=2000), max_size=6))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_contents_come_back_as_they_went(path: Path, contents: list[bytes]) -> None:
    with journal_at(path) as journal:
        hashes = [journal.put(data) for data in contents]
        assert hashes == [content_hash(data) for data in contents]
        assert [journal.get(digest) for digest in hashes] == contents


def test_large_contents_and_unknown_ones(path: Path) -> None:
    with journal_at(path) as journal:
        data = random.Random(1).randbytes(3_000_000)
        assert journal.get(journal.put(data)) == data
        with pytest.raises(JournalError, match="no content with hash 0123456789ab"):
            journal.get("0123456789abcdef")


def test_sessions_are_listed_the_last_used_first(path: Path) -> None:
    with journal_at(path) as journal:
        for name in ("empty", "old", "new"):
            journal.create(name)
            journal.append(name, ev.SessionStarted(name, "/p", "1"))
        journal.append("old", ev.Asked(1, "  mend the sum \nplease"))
        journal.append("new", ev.Asked(1, "a new one"))
        journal.append("new", ev.TaskFinished(1, "answered", ""))
        first = journal.sessions()
        assert [(one.id, one.title, one.events, one.finished) for one in first] == [
            ("new", "a new one", 3, True),
            ("old", "mend the sum", 2, False),
        ]
        assert first[0].started <= first[0].last
        journal.append("old", ev.TaskFinished(1, "interrupted", ""))
        journal.append("old", ev.Asked(2, "again"))
        assert next((one.id, one.title, one.finished) for one in journal.sessions()) == ("old", "mend the sum", False)
        journal.append("old", ev.TaskFinished(2, "landed", ""))
        assert journal.sessions()[0].finished


def test_landings_are_counted_through_the_project(path: Path) -> None:
    with journal_at(path) as journal:
        assert journal.next_landing() == 1
        assert journal.unfinished_landings() == ()
        for name in ("a", "b"):
            journal.create(name)
        journal.append("a", landing(1), durable=True)
        assert journal.next_landing() == 2
        journal.append("b", landing(2), durable=True)
        journal.append("b", landing(3, undoes=2), durable=True)
        assert [(name, event.landing) for name, event in journal.unfinished_landings()] == [
            ("a", 1),
            ("b", 2),
            ("b", 3),
        ]
        journal.append("b", ev.Landed(2), durable=True)
        journal.append("a", ev.LandingAbandoned(1, "cut short"), durable=True)
        assert journal.unfinished_landings() == (("b", landing(3, undoes=2)),)
        journal.append("b", ev.Landed(3), durable=True)
        assert journal.unfinished_landings() == ()
        assert journal.next_landing() == 4


@contextmanager
def unusable(path: Path, reason: str, hint: str = "PAIRLOOP_STATE_DIR") -> Iterator[None]:
    """An error for a human: names the file, says why, and what to do."""
    with pytest.raises(JournalError) as caught:
        yield
    assert caught.value.message.startswith(f"{path}: ")
    assert reason in caught.value.message
    assert hint in caught.value.hint


def test_a_file_that_is_no_journal(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"These are my tax returns. " * 200)
    with unusable(path, "not a database"):
        SqliteJournal(path)
    assert path.read_bytes().startswith(b"These are my tax returns.")


def test_a_newer_format_is_left_alone(path: Path) -> None:
    with journal_at(path) as journal:
        journal.create("s")
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version=7")
    db.close()
    with unusable(path, "newer pairloop (format 7, this one knows 1)"):
        SqliteJournal(path)
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA user_version").fetchone() == (7,)
    db.close()


def test_a_damaged_file_is_found_out_when_it_is_read(path: Path) -> None:
    with journal_at(path) as journal:
        journal.create("s")
        journal.append("s", ev.Asked(1, "x"))
        for number in range(2000):
            journal.append("s", note(f"{number} " + "x" * 50))
        digest = journal.put(os.urandom(20_000))
    data = bytearray(path.read_bytes())
    # Everything behind the pages that say which tables there are.
    data[8 * 4096 :] = os.urandom(len(data) - 8 * 4096)
    path.write_bytes(data)
    with journal_at(path) as journal:
        with unusable(path, "cannot be read"):
            list(journal.entries("s"))
        with unusable(path, "cannot be read"):
            journal.get(digest)
        with unusable(path, "cannot be"):
            journal.append("s", note("more"))


def test_a_damaged_event_or_content_is_named(path: Path) -> None:
    with journal_at(path) as journal:
        journal.create("s")
        journal.append("s", note("good"))
        journal.append("s", note("bad"))
        digest = journal.put(b"some content")
    db = sqlite3.connect(path)
    db.execute("UPDATE events SET body = ? WHERE seq = 2", (b'{"type":"Unheard"}',))
    db.execute("UPDATE blobs SET data = ?", (b"nonsense",))
    db.commit()
    db.close()
    with journal_at(path) as journal:
        with pytest.raises(JournalError, match=r"session s, event 2 cannot be read") as caught:
            list(journal.entries("s"))
        assert str(path) in caught.value.message
        with unusable(path, "cannot be read"):
            journal.get(digest)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "journal.db", tmp_path):
        with unusable(path, "cannot be opened"):
            SqliteJournal(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_without_permission(path: Path) -> None:
    with journal_at(path) as journal:
        journal.create("s")
    path.chmod(0o400)
    path.parent.chmod(0o500)
    try:
        with unusable(path, "cannot be opened"):
            SqliteJournal(path)
        with unusable(path.parent / "other.db", "cannot be opened"):
            SqliteJournal(path.parent / "other.db")
    finally:
        path.parent.chmod(0o700)


def test_a_disk_that_is_full_is_said(path: Path) -> None:
    with journal_at(path) as journal:
        journal.create("s")
        journal.append("s", note("fits"))
        journal._db.execute("PRAGMA max_page_count=12")
        with unusable(path, "cannot be written", "Make room on the disk"):
            journal.append("s", note("x" * 200_000))
        assert journal.append("s", note("fits again")).seq == 2


def test_a_disk_that_fails_is_no_reason_to_move_the_journal_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def prepare(_journal: SqliteJournal) -> None:
        error = sqlite3.OperationalError("disk I/O error")
        # What a full disk gives when the shared index has no room.
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE
        raise error

    monkeypatch.setattr(SqliteJournal, "_prepare", prepare)
    with unusable(path, "cannot be opened", "full or failing"):
        SqliteJournal(path)


def test_a_session_is_begun_once(path: Path) -> None:
    with journal_at(path) as journal:
        journal.create("s")
        with unusable(path, "cannot be written"):
            journal.create("s")


def test_others_cannot_read_the_folder(path: Path) -> None:
    with journal_at(path):
        assert path.parent.stat().st_mode & 0o077 == 0
