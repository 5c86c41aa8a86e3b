"""Repairs that the built-in partner has looked for: how the search gets on is told, and it can be ended early."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from agent_core import commands, repairing
from agent_core import events as ev
from agent_core.checks.model import CheckResult, Finding, Verdict
from agent_core.fold import fold
from agent_core.prompt.repair_words import evidence
from agent_core.repair import afresh
from agent_core.repair.model import Found, Progress, Suspect, Wanted
from agent_core.repairing import Told, what_words
from agent_core.state import State
from agent_core.text import estimate_tokens
from agent_core.workspace.tree import FileState, Snapshot
from tests.support.finding import BREAKS, FAILING, MENDS, SUSPECT, FakeFinder, found
from tests.support.running import flags, running
from tests.support.shop import make_shop


async def test_a_search_is_told_and_ends_early_with_what_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_shop(tmp_path / "shop")
    finder = FakeFinder(found(MENDS), held=True)
    finder.put(monkeypatch)
    settings = flags(off=("mypy", "ruff", "syntax"), partner={"use": "builtin"})
    async with asyncio.timeout(60), running(project, settings) as here:
        here.submit(commands.EndSearch())
        assert (await here.seen(ev.Noted)).text == "No repair is looked for now."
        here.submit(commands.Ask("fix"))
        state = await here.until(lambda state: bool(state.repairs.search and state.repairs.search.tried))
        search = state.repairs.search
        assert search is not None
        assert (search.beside, search.so_far, search.doing) == (False, "3 tried", "trying repairs")
        here.submit(commands.EndSearch())
        here.submit(commands.EndSearch())
        await here.seen(ev.RepairEnded)
        assert len(here.all(ev.RepairHurried)) == 1
        assert finder.enough == 1
        await here.seen(ev.TaskFinished)
        assert not any(one.beside for one in here.all(ev.RepairSought)), "nobody is there to look beside"
        # An interrupt ends one for good.
        here.submit(commands.Ask("fix again"))
        await here.until(lambda state: state.repairs.search is not None and bool(finder.running))
        here.submit(commands.Interrupt())
        await here.until(lambda state: state.task is None)
        assert here.all(ev.RepairEnded)[-1].ended == "stopped"
        assert finder.cancelled == 1
        assert here.state.repairs.search is None


async def test_a_search_is_left_for_words_that_ask_for_something_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_shop(tmp_path / "shop")
    finder = FakeFinder(found(MENDS), held=True, keeps=True)
    finder.put(monkeypatch)
    settings = flags(off=("mypy", "ruff", "syntax"), partner={"use": "builtin"})
    async with asyncio.timeout(60), running(project, settings) as here:
        here.submit(commands.Ask("fix"))
        await here.until(lambda state: bool(state.repairs.search and state.repairs.search.tried))
        here.submit(commands.Steer("good luck"))
        here.submit(commands.Steer("only the types"))
        await here.seen(ev.RepairSought, 2)
        assert finder.enough == 1
        assert here.all(ev.RepairSought)[1].what == "type findings"
        assert here.all(ev.RepairEnded)[0].found == 0
        assert not here.all(ev.ProposalMade), "what was found is not what is wanted now"
        here.submit(commands.Steer("stop"))
        await here.seen(ev.TaskFinished)
        assert finder.enough == 2
        assert "I have stopped." in here.state.chat[-1].text  # type: ignore[union-attr]  # it is what was said
        assert here.state.queued == ()


def test_progress_is_told_a_few_times_a_second_and_at_every_turn() -> None:
    told: list[ev.AnyEvent] = []
    tell = Told(told.append, beside=True)
    for tried in range(100):
        tell(Progress("trying", tried, 100))
    assert len(told) == 1
    tell(Progress("trying", 100, 100, found=1))
    tell(Progress("pairs", 101, 100, found=1))
    assert [(one.stage, one.found) for one in told if isinstance(one, ev.RepairProgressed)] == [
        ("trying", 0),
        ("trying", 1),
        ("pairs", 1),
    ]
    assert tell.last.tried == 101


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (Wanted(), "what fails"),
        (Wanted(("tests/test_a.py::test_b",)), "tests/test_a.py::test_b"),
        (Wanted(("a", "b")), "2 tests"),
        (Wanted(kinds=("lint", "types")), "lint findings and type findings"),
    ],
)
def test_what_is_wanted_is_said_in_a_few_words(wanted: Wanted, words: str) -> None:
    assert what_words(wanted) == words


def test_evidence_names_what_helps_lines_and_values_within_its_bounds() -> None:
    broken = Finding("ruff", "Undefined name `undefined_name`", "shop/prices.py", 9, "F821")
    verdict = Verdict("t", "b", green=False, results=(), broken=(broken,))
    text = evidence(found(BREAKS), None, [(BREAKS, verdict)], lambda _path, _line: "for price in prices[1:]:")
    assert "makes tests/test_prices.py::test_total pass, but breaks: ruff: Undefined name" in text
    assert f"- Suspicious: {SUSPECT.path}:{SUSPECT.line} `for price in prices[1:]:`, where price = 2." in text
    many = Found(suspects=tuple(Suspect("shop/prices.py", line, 0.5) for line in range(1, 9)), failing=(FAILING,))
    assert estimate_tokens(evidence(many, MENDS, [], lambda _path, _line: "x" * 1000)) <= 200
    assert not evidence(Found(), None, [], lambda _path, _line: "")


def test_what_a_search_learnt_waits_for_the_next_request() -> None:
    state = fold(State(), ev.RepairSought(beside=True, what="1 failing test"))
    assert state.repairs.search is not None
    assert len(state.chat) == 1
    state = fold(state, ev.RepairEnded(beside=True, evidence="[this]"))
    assert state.repairs.untold == ("[this]",)
    state = fold(fold(state, ev.PromptSent(1, 1)), ev.RepairSought(beside=True, what="1 failing test"))
    assert not state.repairs.untold
    assert len(state.chat) == 1, "it is told once"
    assert fold(state, ev.SessionResumed("1.0")).repairs.search is None


def test_a_repair_that_not_every_check_could_judge_is_told_as_such() -> None:
    unable = CheckResult("mypy", "missing", "t", "not there")
    assert evidence(
        Found(), None, [(MENDS, Verdict("t", "b", green=False, results=(unable,)))], lambda *_: ""
    ).endswith("but not every check could judge.")


class FollowingFinder(FakeFinder):
    """A finder that looks which tree it is about, as a real one does; finds what it is told to in the n-th.

    Attributes:
        texts: What it was to repair, a search each.
    """

    def __init__(self, project: Path, *, held: int = 0, result: Found | None = None) -> None:
        super().__init__(result or found(MENDS), held=bool(held), keeps=True)
        self._project = project
        self._held = held
        self.texts: list[str] = []
        self._tree: Callable[[], Awaitable[object]] | None = None

    async def find(self, wanted: Wanted, tell: Callable[[Progress], None], enough: asyncio.Event) -> Found:
        """See `agent_core.repair.desk.Repairs`."""
        assert self._tree is not None
        await self._tree()
        self.texts.append((self._project / "shop/prices.py").read_text())
        if len(self.texts) > self._held:
            self.go.set()
        return await super().find(wanted, tell, enough)

    def put(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Have it find in every session from now on."""

        async def finder_of(_parts: object, _judge: object, tree: Callable[[], Awaitable[object]]) -> FollowingFinder:
            self._tree = tree
            return self

        monkeypatch.setattr(repairing, "finder_of", finder_of)


@pytest.mark.parametrize("watch", [True, False])
async def test_a_search_begins_again_over_files_that_change_under_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, watch: bool
) -> None:
    project = make_shop(tmp_path / "shop")
    finder = FollowingFinder(project, held=1)
    finder.put(monkeypatch)
    monkeypatch.setattr(afresh, "_LOOKS_LEAST", 0.2)
    settings = flags(off=("mypy", "ruff", "syntax"), partner={"use": "builtin"})
    async with asyncio.timeout(60), running(project, settings, watch=watch) as here:
        here.submit(commands.Ask("fix"))
        await here.until(lambda state: bool(state.repairs.search and state.repairs.search.tried))
        changed = finder.texts[0] + "\n\ndef more() -> int:\n    return 1\n"
        (project / "shop/prices.py").write_text(changed)
        await here.until(lambda _: any(one.text == afresh.AGAIN for one in here.all(ev.Noted)))
        await here.seen(ev.RepairEnded)
        assert finder.texts[1:] == [changed], "it is the new text that is searched in"
        assert len(here.all(ev.RepairSought)) == len(here.all(ev.RepairEnded)) == 1
        assert not here.all(ev.RepairHurried), "the human did not ask for it"


async def test_a_search_goes_on_where_what_changes_is_no_part_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_shop(tmp_path / "shop")
    finder = FollowingFinder(project, held=1)
    finder.put(monkeypatch)
    settings = flags(off=("mypy", "ruff", "syntax"), partner={"use": "builtin"})
    async with asyncio.timeout(60), running(project, settings, watch=True) as here:
        here.submit(commands.Ask("fix"))
        await here.until(lambda state: bool(state.repairs.search and state.repairs.search.tried))
        (project / "README.md").write_text("# A better shop\n")
        await here.seen(ev.HumanEdited)
        finder.go.set()
        proposal = await here.seen(ev.ProposalMade)
        assert [one.path for one in proposal.patch.files] == ["shop/prices.py"]
        assert len(finder.texts) == 1


async def test_files_that_change_for_ever_end_a_search(monkeypatch: pytest.MonkeyPatch) -> None:
    trees = [Snapshot(str(number), {"a.py": FileState(str(number), 0o644)}) for number in range(100)]
    again: list[int] = []

    async def look() -> Snapshot:
        return trees[len(seconds)]

    seconds: list[float] = []
    now = 0.0
    monkeypatch.setattr(afresh, "time", SimpleNamespace(monotonic=lambda: now))

    class Restless:
        async def find(self, wanted: Wanted, tell: Callable[[Progress], None], enough: asyncio.Event) -> Found:
            nonlocal now
            following.about(await look())
            seconds.append(wanted.seconds)
            following.heard(await look())
            assert enough.is_set(), "it is told to leave"
            now += 20.0
            return found(MENDS)

    following = afresh.Afresh(look, lambda: again.append(1), told=True)
    async with asyncio.timeout(20):
        ended = await following.find(Restless(), Wanted(seconds=60.0), lambda _: None, asyncio.Event())
    assert not ended.repairs, "what was found is about files that are no more"
    assert "again and again" in ended.word
    # Twice as long in all, and no beginning for less than a fifth.
    assert seconds == [60.0, 60.0, 60.0, 60.0, 40.0, 20.0]
    assert ended.seconds == 120.0
    assert len(again) == len(seconds) - 1


async def test_who_has_had_enough_of_a_search_over_other_files_gets_nothing_untrue() -> None:
    first, second = (Snapshot(one, {"a.py": FileState(one, 0o644)}) for one in "ab")
    enough = asyncio.Event()

    async def look() -> Snapshot:
        return second

    class Ended:
        async def find(self, _wanted: Wanted, _tell: Callable[[Progress], None], left: asyncio.Event) -> Found:
            following.about(first)
            enough.set()
            await left.wait()
            return found(MENDS)

    following = afresh.Afresh(look, lambda: None, told=True)
    async with asyncio.timeout(20):
        ended = await following.find(Ended(), Wanted(), lambda _: None, enough)
    assert (ended.repairs, ended.ended) == ((), "stopped")
    assert "Files have changed since the search began" in ended.word


@pytest.mark.parametrize(
    ("path", "expected"),
    [("a.py", True), ("data.json", True), ("tests/said.md", True), ("README.md", False), (".pairloop/a.py", False)],
)
def test_what_a_search_has_to_do_with(path: str, *, expected: bool) -> None:
    before = Snapshot("a", {"b.py": FileState("0", 0o644)})
    now = Snapshot("b", {**before.files, path: FileState("1", 0o644)})
    assert afresh.moves(before, now) is expected
    assert afresh.moves(now, before) is expected
    assert not afresh.moves(now, now)
