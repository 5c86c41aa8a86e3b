"""Landings of a project, whichever session made them: taken back and landed again, and each one knows."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_core import commands
from agent_core import events as ev
from agent_core.chat_entries import Notice
from agent_core.errors import LandingConflictError, LandingUnknownError
from agent_core.events import FileLanding
from agent_core.fold import replay
from agent_core.journal import SqliteJournal
from agent_core.landing_log import LandingLog, LandingRecord, landing_records
from agent_core.landings import LandingService, recover
from agent_core.workspace.disk import FileSystem
from agent_core.workspace.landing import Lander
from tests.support.counting import count_lines
from tests.support.running import running, stored
from tests.support.shop import MENDED, RIGHT_AT_ONCE, make_shop
from tests.test_resume import settings as session_settings
from tests.test_resume import write_script
from tests.workspace.landings import lay_out, patch_between

LINES = [f"line {number}\n" for number in range(12)]


class Project:
    """A project without sessions of the engine; every landing is made in one of its own."""

    def __init__(self, folder: Path) -> None:
        self.journal = SqliteJournal(folder / "journal.db")
        self.root = lay_out(folder / "project", {"f": "".join(LINES).encode()})
        self.lock = folder / "lock"

    def service(self, session: str, disk: FileSystem | None = None) -> LandingService:
        if not list(self.journal.entries(session)):
            self.journal.create(session)
            self.journal.append(session, ev.SessionStarted(session, str(self.root), "1"))
        lander = Lander(self.root, self.journal, self.lock, disk=disk)

        def emit(event: ev.AnyEvent, *, durable: bool = False) -> None:
            self.journal.append(session, event, durable=durable)

        return LandingService(self.journal, lander, session, emit)

    @property
    def text(self) -> str:
        return (self.root / "f").read_text()

    async def land(self, line: int, session: str = "s", disk: FileSystem | None = None) -> int:
        """Land a change of one line."""
        new = self.text.replace(f"line {line}\n", f"landed {line}\n")
        patch = patch_between(self.journal, {"f": self.text.encode()}, {"f": new.encode()})
        return (await self.service(session, disk).land(patch, title=f"line {line}")).landing

    def shown(self) -> list[str]:
        return [f"{record.number} {record.stands}" for record in self.journal.landings()]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = Project(tmp_path)
    yield project
    project.journal.close()


async def test_a_landing_of_one_session_is_undone_and_redone_in_others(project: Project) -> None:
    assert await project.land(3, "monday") == 1
    done = await project.service("tuesday").undo(1)
    assert (done.landing, done.undoes, done.about, done.again, done.title) == (2, 1, 1, False, "line 3")
    assert project.text == "".join(LINES)
    done = await project.service("wednesday").redo()
    assert (done.landing, done.undoes, done.about, done.again) == (3, 2, 1, True)
    assert "landed 3\n" in project.text
    done = await project.service("monday").undo()
    assert (done.landing, done.undoes, done.about) == (4, 3, 1)
    assert project.shown() == ["1 undone", "2 landed", "3 undone", "4 landed"]
    first, *_, last = project.journal.landings()
    assert (first.session, first.title, first.by, first.proposal) == ("monday", "line 3", 4, 0)
    assert (last.session, last.about, last.again, last.by) == ("monday", 1, False, 0)
    assert first.at <= last.at
    assert [file.path for file in last.files] == ["f"]


async def test_the_number_of_an_undo_stands_for_what_it_is_about(project: Project) -> None:
    await project.land(3)
    service = project.service("s")
    await service.undo(1)
    assert (await service.undo(2)).again
    assert "landed 3\n" in project.text
    assert (await service.undo(3)).about == 1
    assert project.text == "".join(LINES)
    # 2 stands again by that, and 3 is undone.
    assert (await service.redo(3)).about == 1
    assert "landed 3\n" in project.text
    assert not (await service.redo(2)).again
    assert project.text == "".join(LINES)


async def test_what_cannot_be_undone_or_redone_is_said(project: Project) -> None:
    service = project.service("s")
    with pytest.raises(LandingUnknownError, match="There is no landing to undo"):
        await service.undo()
    with pytest.raises(LandingUnknownError, match="There is no landing to redo"):
        await service.redo()
    with pytest.raises(LandingUnknownError, match="There is no landing 7 in this project"):
        await service.undo(7)
    await project.land(3)
    with pytest.raises(LandingUnknownError, match="Landing 1 stands: it is not undone"):
        await service.redo(1)
    await service.undo(1)
    with pytest.raises(LandingUnknownError, match=r"Landing 1 is undone already \(by 2\)"):
        await service.undo(1)
    with pytest.raises(LandingUnknownError, match="no landing to undo"):
        await service.undo()
    assert project.shown() == ["1 undone", "2 landed"]


async def test_without_a_number_the_last_of_the_session_or_of_the_project(project: Project) -> None:
    await project.land(1, "one")
    await project.land(5, "two")
    await project.land(9, "one")
    service = project.service("two")
    assert (await service.undo(session="two")).about == 2
    with pytest.raises(LandingUnknownError):
        await service.undo(session="two")
    assert (await service.undo()).about == 3
    assert (await service.undo(session="one")).about == 1
    assert (await service.redo(session="two")).about == 2
    assert (await service.redo()).about == 1
    # Landed again last, it is the first to be taken back.
    assert (await service.undo()).about == 1


async def test_a_conflict_changes_nothing_and_names_the_lines(project: Project) -> None:
    await project.land(3)
    (project.root / "f").write_text(project.text.replace("landed 3\n", "mine\nmine\n"))
    before = project.text
    with pytest.raises(LandingConflictError) as caught:
        await project.service("s").undo(1)
    assert caught.value.conflicts == ("f:4-5: was changed here too",)
    assert caught.value.message == "Landing 1 (line 3) can't be taken back over newer changes; nothing was written."
    assert (project.text, project.shown()) == (before, ["1 landed"])


async def test_what_a_human_took_back_already_is_undone_without_a_byte_written(project: Project) -> None:
    await project.land(3)
    (project.root / "f").write_text("".join(LINES))
    assert (await project.service("s").undo(1)).files == ()
    assert project.shown() == ["1 undone", "2 landed"]


class Dead(BaseException):
    """The process ends."""


class Dying(FileSystem):
    """Ends, or fails, at the first file that is put in its place."""

    def __init__(self, error: BaseException, *, after: bool = False) -> None:
        self.error = error
        self.after = after

    def exchange(self, one: Path, other: Path) -> bool:
        if self.after:
            super().exchange(one, other)
        raise self.error


@pytest.mark.parametrize("after", [False, True])
async def test_a_landing_cut_short_is_mended_by_whoever_lands_next(project: Project, after: bool) -> None:
    with pytest.raises(Dead):
        await project.land(3, "dead", Dying(Dead(), after=after))
    assert project.shown() == ["1 started"]
    text = project.text if after else project.text.replace("line 3\n", "landed 3\n")
    assert (await project.service("alive").undo(1)).landing == 2
    assert text != project.text == "".join(LINES)
    assert project.shown() == ["1 undone", "2 landed"]
    said = [entry.event for entry in project.journal.entries("alive")]
    assert any(isinstance(event, ev.Noted) and "it has been completed" in event.text for event in said)
    # The outcome stands in the session that began it.
    assert isinstance(list(project.journal.entries("dead"))[-1].event, ev.Landed)


@pytest.mark.parametrize("again", [False, True])
async def test_an_undo_or_a_redo_cut_short_is_told_as_such(project: Project, again: bool) -> None:
    await project.land(3)
    if again:
        await project.service("s").undo(1)
    dying = project.service("dead", Dying(Dead()))
    with pytest.raises(Dead):
        await (dying.redo(1) if again else dying.undo(1))
    lander = Lander(project.root, project.journal, project.lock)
    (said,) = await recover(project.journal, lander)
    assert said == f"The {'redo' if again else 'undo'} of landing 1 (f) was cut short; it has been completed."
    assert ("landed 3\n" in project.text) is again
    assert project.journal.landings()[0].stands == ("landed" if again else "undone")


async def test_what_could_not_be_written_is_abandoned(project: Project) -> None:
    with pytest.raises(LandingConflictError, match="No space left"):
        await project.land(3, disk=Dying(OSError(errno.ENOSPC, "No space left on device")))
    assert project.shown() == ["1 abandoned"]
    with pytest.raises(LandingUnknownError, match="Landing 1 was never completed"):
        await project.service("s").undo(1)
    assert await project.land(3) == 2


async def test_what_was_edited_while_it_was_taken_back_is_looked_at_again(project: Project) -> None:
    class Editor(FileSystem):
        def exchange(self, one: Path, other: Path) -> bool:
            if other.name == "g":
                raise OSError(errno.EIO, "Input/output error", str(other))
            done = super().exchange(one, other)
            other.write_bytes(b"mine\n")
            return done

    old = {"f": project.text.encode(), "g": b"g\n"}
    lay_out(project.root, old)
    patch = patch_between(project.journal, old, {"f": b"F\n", "g": b"G\n"})
    with pytest.raises(LandingConflictError, match="The landing was broken off") as caught:
        await project.service("s", Editor()).land(patch)
    assert caught.value.unsettled
    # It is not told to be as before, which it is not; the next one brings it to an end.
    assert project.shown() == ["1 started"]
    await project.service("s").land(patch_between(project.journal, {"g": b"g\n"}, {"g": b"GG\n"}))
    assert project.shown() == ["1 abandoned", "2 landed"]
    assert (project.text, (project.root / "g").read_bytes()) == ("mine\n", b"GG\n")


async def test_what_can_be_neither_finished_nor_taken_back_keeps_others_off_its_files(project: Project) -> None:
    class Stuck(FileSystem):
        def create(self, path: Path, mode: int) -> int:
            raise OSError(errno.EIO, "Input/output error", str(path))

    class DyingAtSecond(FileSystem):
        def exchange(self, one: Path, other: Path) -> bool:
            if other.name == "g":
                raise Dead
            return super().exchange(one, other)

    old = {"f": project.text.encode(), "g": b"g\n", "h": b"h\n"}
    lay_out(project.root, old)
    patch = patch_between(project.journal, old, {"f": b"F\n", "g": b"G\n", "h": b"h\n"})
    with pytest.raises(Dead):
        await project.service("dead", DyingAtSecond()).land(patch)
    # Somebody edits one file, so the other one is to be taken back; and that can't be done now.
    (project.root / "g").write_bytes(b"mine\n")
    patch = patch_between(project.journal, {"f": b"F\n"}, {"f": b"FF\n"})
    with pytest.raises(LandingConflictError, match="Landing 1 was cut short and is not mended yet") as caught:
        await project.service("s", Stuck()).land(patch)
    assert caught.value.conflicts == ("f: waits for landing 1 to be mended",)
    assert (project.root / "f").read_bytes() == b"F\n"
    said = [entry.event for entry in project.journal.entries("s")]
    assert any(isinstance(event, ev.Noted) and "can't be mended yet" in event.text for event in said)
    # With files of its own it is another matter.
    await project.service("s").land(patch_between(project.journal, {"h": b"h\n"}, {"h": b"H\n"}))
    assert project.shown() == ["1 abandoned", "2 landed"]
    assert (project.text, (project.root / "g").read_bytes()) == ("".join(LINES), b"mine\n")


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), max_size=25))
def test_where_landings_stand_is_what_a_book_kept_by_hand_says(turns: list[tuple[int, bool]]) -> None:
    """Landings, undos and redos of any of them by any number; the log agrees with the simplest book-keeping."""
    started: list[ev.LandingStarted] = []
    book: dict[int, bool] = {}

    def records() -> tuple[LandingRecord, ...]:
        rows = [("s", float(event.landing), event) for event in started]
        return landing_records(rows, dict.fromkeys((event.landing for event in started), "landed"))

    for number, again in turns:
        new = len(started) + 1
        log = LandingLog(records())
        try:
            record, wanted = log.to_turn(number, again=again)
        except LandingUnknownError:
            started.append(ev.LandingStarted(new, 1, 0, ()))
            book[new] = True
        else:
            assert book[record.number] is not wanted
            book[record.number] = wanted
            last = log.last_link(record).number
            started.append(ev.LandingStarted(new, 0, last, (), about=record.number, again=wanted))
    found = {record.number: record.stands == "landed" for record in records() if not record.undoes}
    assert found == book
    # The session's own state, event by event, comes to the same.
    told = [one for event in started for one in (event, ev.Landed(event.landing))]
    state = replay(ev.Entry(seq, 0.0, event) for seq, event in enumerate(told, 1))
    assert [(one.number, one.stands, one.by) for one in state.landings] == [
        (one.number, one.stands, one.by) for one in records()
    ]


def test_ten_thousand_landings_are_listed_at_once(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.db")
    journal.create("s")
    files = tuple(FileLanding(f"src/{name}.py", "a" * 64, "b" * 64, 0o100644, 0o100644) for name in range(3))
    journal._db.execute("BEGIN")
    for number in range(1, 10_001):
        undoes = number - 1 if number % 4 == 0 else 0
        journal.append("s", ev.LandingStarted(number, 0, undoes, files, about=undoes, title="x"))
        journal.append("s", ev.Landed(number))
    journal._db.execute("COMMIT")
    listed, count = count_lines(journal.landings)
    assert count < 100 * 10_000
    assert len(listed) == 10_000
    assert [one.stands for one in listed[:4]] == ["landed", "landed", "undone", "landed"]
    asked, count = count_lines(lambda: (journal.next_landing(), journal.unfinished_landings()))
    assert asked == (10_001, ())
    assert count < 20 * 10_000
    journal.close()


# -- in the app's session


async def test_yesterdays_landing_is_undone_today_and_yesterdays_session_knows(tmp_path: Path) -> None:
    shop = make_shop(tmp_path / "shop")
    prices = shop / "shop/prices.py"
    broken = prices.read_text()
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    async with running(shop, session_settings(script, "auto")) as here:
        here.submit(commands.Ask("mend total\nplease"))
        await here.seen(ev.TaskFinished)
        assert prices.read_text() == MENDED
        yesterday = here.session.id
    async with running(shop, session_settings(script, "step")) as today:
        await today.seen(ev.SettingsTold)
        today.submit(commands.Undo())
        assert (await today.seen(ev.Noted)).text == "There is no landing to undo."
        today.submit(commands.Undo(1))
        started = await today.seen(ev.LandingStarted)
        assert (started.title, started.about) == ("mend total", 1)
        await today.seen(ev.Landed)
        assert prices.read_text() == broken
        # None of it is taken for a human's edit.
        await today.session._crew.hearing.look()
        assert not today.all(ev.HumanEdited)
    assert stored(shop, yesterday).landings[0].stands == "landed"
    async with running(shop, session_settings(script, "step"), resume=yesterday) as again:
        turned = await again.seen(ev.LandingTurned)
        assert (turned.landing, turned.stands, turned.by) == (1, "undone", 2)
        assert again.state.redoable is not None
        assert any(
            isinstance(one, Notice) and "taken back from another session" in one.text for one in again.state.chat
        )
        again.submit(commands.Redo())
        await again.seen(ev.Landed)
        assert prices.read_text() == MENDED
        assert again.state.undoable is not None
        assert not again.all(ev.Noted)
        again.submit(commands.Redo(1))
        assert (await again.seen(ev.Noted)).text == "Landing 1 stands: it is not undone."
    assert stored(shop, yesterday) == again.state


async def test_what_another_pairloop_takes_back_meanwhile_is_told(tmp_path: Path) -> None:
    shop = make_shop(tmp_path / "shop")
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    async with running(shop, session_settings(script, "auto")) as here:
        here.submit(commands.Ask("mend total"))
        await here.seen(ev.TaskFinished)
        async with running(shop, session_settings(script, "step")) as other:
            await other.seen(ev.SettingsTold)
            other.submit(commands.Undo(1))
            await other.seen(ev.Landed)
        await here.session._crew.hearing.look()
        assert (await here.seen(ev.LandingTurned)).stands == "undone"
        assert (here.state.undoable, here.state.landings[0].stands) == (None, "undone")
        here.submit(commands.Undo(1))
        await here.until(lambda state: any("undone already" in str(entry) for entry in state.chat))


async def test_a_conflict_of_an_undo_is_an_event(tmp_path: Path) -> None:
    shop = make_shop(tmp_path / "shop")
    prices = shop / "shop/prices.py"
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    async with running(shop, session_settings(script, "auto")) as here:
        here.submit(commands.Ask("mend total"))
        await here.seen(ev.TaskFinished)
        mine = MENDED.replace("in prices:", "in prices or ():")
        assert mine != MENDED
        prices.write_text(mine)
        here.submit(commands.Undo())
        conflicted = await here.seen(ev.LandingConflicted)
        assert (conflicted.proposal, conflicted.undoes) == (0, 1)
        assert conflicted.conflicts[0].startswith("shop/prices.py:")
        assert prices.read_text() == mine
        prices.write_text(MENDED)
        here.submit(commands.Undo())
        await here.seen(ev.Landed, 2)
        await asyncio.to_thread(prices.write_text, prices.read_text() + "# mine\n")
        here.submit(commands.Redo())
        await here.seen(ev.Landed, 3)
        assert prices.read_text() == MENDED + "# mine\n"
