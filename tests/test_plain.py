"""The plain line mode: sentences and numbered questions, in the process and through a terminal and pipes."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pexpect
import pytest

from agent_core import events as ev
from agent_core.build import Engine
from agent_core.commands import AnyCommand, Ask, Interrupt, Reject, Withdraw
from agent_core.fold import fold
from agent_core.patch.diff import make_patch
from agent_core.state import ProposalState
from agent_core.workspace.tree import FileChange, content_hash
from tests.projects import git
from tests.support.running import Running, flags, running
from tests.support.shop import MENDED, PRICES, QUICK, RIGHT, RIGHT_AT_ONCE, WRONG, make_shop, tree
from tests.test_parts_landing import judged_part
from tests.test_resume import write_script
from tui.plain import life, orders
from tui.plain.asking import Asking
from tui.plain.choosing import chosen_lines
from tui.plain.console import Console, shown
from tui.plain.diff import diff_of
from tui.plain.talk import Talk
from tui.plain.words import enumeration, sentence

_PATIENCE = 30.0
# C0 controls but tab and newline, DEL, and C1: nothing that a terminal would obey.
_OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
TWO_PARTS = """*** Begin Patch
*** Add File: shop/notes.py
+\"\"\"Notes.\"\"\"
*** Update File: shop/prices.py
@@ def total(prices: list[int], discount: int = 0) -> int:
-    for price in prices[1:]:
+    for price in prices:
*** End Patch"""


# -- words


@pytest.mark.parametrize(
    ("line", "order"),
    [
        ("3", orders.Order("choice", 3)),
        ("Accept", orders.Order("accept")),
        ("/accept", orders.Order("accept")),
        ("go  on", orders.Order("go on")),
        ("undo 4", orders.Order("undo", 4)),
        ("mode auto", orders.Order("mode", text="auto")),
        ("!git status", orders.Order("shell", text="git status")),
        ("/nonsense", orders.Order("unknown", text="/nonsense")),
        ("/usr/bin/python is missing", None),
        ("undo the change in prices.py", None),
        ("accept no negative prices", None),
        ("3 tests fail", None),
        ("//help", None),
        ("٣", None),
    ],
)
def test_only_a_line_that_is_a_command_to_the_letter_is_one(line: str, order: orders.Order | None) -> None:
    assert orders.read(line) == order


def test_every_choice_and_every_command_is_told_of() -> None:
    told = "\n".join(orders.helped())
    assert all(f"{name}: " in told for name in orders.NAMES)
    assert {*orders.CHOICES.values()} <= {*orders.NAMES}


@pytest.mark.parametrize(
    ("text", "lines"),
    [("1", (0,)), ("1 3-4", (0, 2, 3)), ("2,1", (0, 1)), ("5", None), ("0", None), ("3-2", None), ("x", None)],
)
def test_lines_as_a_human_names_them(text: str, lines: tuple[int, ...] | None) -> None:
    assert chosen_lines(text, 4) == lines


def test_sentences_leave_names_as_they_are() -> None:
    assert sentence("tests/a.py::test fails") == "tests/a.py::test fails."
    assert sentence("green: fixes 1") == "Green: fixes 1."
    assert enumeration(["a", "b", "c"]) == "a, b and c"


def test_what_is_shown_is_obeyed_by_no_terminal() -> None:
    line = shown("\x1b[2J\x9b31m\x07\u202eabc\r" + "x" * 100_000)
    assert not _OBEYED.search(line)
    assert "\u202e" not in line
    assert len(line) < 3_000
    assert line.endswith("more characters]")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a\nb\nc\nd\ne\nf\ng\nh\n", "a\nB\nc\nD\ne\nf\nG\nh\ni\n"),
        ("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "2\n3\n4\n5\n5.5\n6\n7\n8\n"),
        ("x\n", "x"),
        ("", "one\ntwo\n"),
        ("one\ntwo\n", ""),
    ],
)
def test_the_hunks_are_those_of_a_unified_diff(tmp_path: Path, old: str, new: str) -> None:
    before, after = old.encode(), new.encode()
    patch = make_patch({"f.txt": FileChange(after)}, {"f.txt": FileChange(before)}.get, {})
    proposal = ProposalState(1, 1, 1, "c", patch, "", "", "")
    contents = {content_hash(one): one for one in (before, after)}
    told = list(diff_of(proposal, contents.__getitem__))
    hunks = [line for line in told if not line.startswith(("File ", "Block "))]
    diff = "\n".join(["--- a/f.txt", "+++ b/f.txt", *hunks, ""])
    (tmp_path / "f.txt").write_bytes(before)
    subprocess.run(["git", "apply", "--unidiff-zero", "-"], cwd=tmp_path, input=diff.encode(), check=True)
    assert (tmp_path / "f.txt").read_bytes() == after
    blocks = [line for line in told if line.startswith("Block ")]
    assert [line.split(",")[0] for line in blocks] == [
        f"Block {number} of {len(blocks)}" for number in range(1, len(blocks) + 1)
    ]


# -- in the process


class Paper(io.StringIO):
    """What was told, and word of more."""

    def __init__(self) -> None:
        super().__init__()
        self.news = asyncio.Event()

    def write(self, text: str) -> int:
        self.news.set()
        return super().write(text)


class Sends:
    """A session as far as words that wait are concerned."""

    def __init__(self, session: Any, sent: list[AnyCommand], queued: tuple[str, ...]) -> None:
        self.state = msgspec.structs.replace(session.state, queued=queued)
        self.submit = sent.append


class Talking:
    """A talk about a real session: what was told, a pipe to type into, and a clock that stands still."""

    def __init__(self, here: Running, out: Paper, keys: int) -> None:
        self.here = here
        self.talk: Talk
        self.now = 0.0
        self._out = out
        self._keys = keys
        self._seen = 0

    @property
    def all(self) -> str:
        return self._out.getvalue()

    async def told(self, text: str) -> str:
        """Wait until something is told after what was waited for before; gives what was told up to there."""
        async with asyncio.timeout(_PATIENCE):
            while (found := self.all.find(text, self._seen)) < 0:
                self._out.news.clear()
                await self._out.news.wait()
        before, self._seen = self._seen, found + len(text)
        return self.all[before : self._seen]

    def type(self, text: str) -> None:
        os.write(self._keys, text.encode())

    def answer(self, text: str) -> None:
        """Type a line after the question has been there for a while."""
        self.now += 1
        self.type(f"{text}\n")


def settings(script: Path, mode: str = "step") -> dict[str, Any]:
    return flags(mode, off=QUICK, partner={"script": str(script)})


@asynccontextmanager
async def talking(project: Path, script: Path, *, watch: bool = False) -> AsyncIterator[Talking]:
    reads, writes = os.pipe()
    out = Paper()
    async with running(project, settings(script), watch=watch) as here:
        talking = Talking(here, out, writes)
        console = Console(reads, out, lambda: None, lambda: talking.now)
        talk = Talk(here.session, console, Asking(console), leave=lambda: None, interrupt=lambda: None)
        talking.talk = talk
        here.session.subscribe(talk.told)

        async def hear() -> None:
            while (typed := await console.line()) is not None:
                talk.hear(typed)

        console.start()
        hearing = asyncio.create_task(hear())
        try:
            yield talking
        finally:
            hearing.cancel()
            console.stop()
            talk.close()
            os.close(writes)
            os.close(reads)
    assert not _OBEYED.search(out.getvalue())


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = make_shop(tmp_path / "shop")
    (root / "pairloop.toml").write_text('[checks]\noff = ["mypy", "pytest"]\n')
    return root


def script_of(path: Path, *turns: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"name": "test", "turns": turns}))
    return path


def patch_turn(patch: str, text: str = "Like this.") -> dict[str, Any]:
    return {"text": text, "calls": [{"name": "apply_patch", "arguments": {"patch": patch}}]}


async def test_an_answer_from_before_the_question_is_none(project: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    before = tree(project)
    async with talking(project, script) as talk:
        await talk.told("Type a task")
        talk.type("mend total\n")
        await talk.told("Proposal 1 waits for your decision")
        # Within the grace: whoever types this cannot have read the question.
        talk.type("1\n")
        await talk.told("That was typed before question 1, so it is not taken as an answer: 1")
        await talk.told("1 accept all of it")
        talk.type("keep it short\n")
        await talk.told("It is kept, and goes along when you reject or go on.")
        assert talk.here.state.waiting == 1
        assert tree(project) == before
        talk.answer("2")
        await talk.told("Why?")
        talk.type("too long\n")
        await talk.told("Rejected proposal 1")
        assert talk.here.state.proposals[0].reason == "keep it short\n\ntoo long"
        assert tree(project) == before


async def test_blocks_are_chosen_one_after_the_other(project: Path, tmp_path: Path) -> None:
    script = script_of(tmp_path / "script.json", patch_turn(TWO_PARTS), {"text": "As you like."})
    async with talking(project, script) as talk:
        await talk.told("Type a task")
        talk.type("mend total\n")
        told = await talk.told("Type a number")
        assert "Block 2 of 2, line 7." in told
        talk.answer("4")
        await talk.told("Do you take block 1?")
        talk.type("c no notes, please\n")
        await talk.told("you said of it: no notes, please")
        await talk.told("Do you take block 1?")
        talk.type("n\n")
        await talk.told("Do you take block 2?")
        # Both at once: the second was typed before its question.
        talk.type("y\n\n")
        await talk.told("That was typed before")
        await talk.told("Taken: 2. Left: 1. 1 comment. Press enter")
        assert tree(project)["shop/prices.py"] != MENDED.encode()
        talk.answer("")
        await talk.told("Landed 1 of 2 parts of proposal 1 as landing 1: shop/prices.py")
        await talk.told("As you like.")
        await talk.told("Type undo to take landing 1 back.")
        assert (project / "shop/prices.py").read_text() == MENDED
        assert not (project / "shop/notes.py").exists()
        assert "no notes, please" in str(talk.here.state.items)
        talk.type("undo\n")
        await talk.told("Took back landing 1")
        assert (project / "shop/prices.py").read_text() == PRICES.lstrip("\n")


async def test_what_is_to_stand_where_the_human_has_written_too(project: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    mine = PRICES.lstrip("\n").replace("prices[1:]", "prices[2:]")
    async with talking(project, script, watch=True) as talk:
        await talk.told("Type a task")
        talk.type("mend total\n")
        await talk.told("Type a number")
        (project / "shop/prices.py").write_text(mine)
        await talk.here.until(lambda state: bool(state.proposal and state.proposal.overlaps))
        await talk.told("Type a number")
        talk.answer("blocks")
        told = await talk.told("What is to stand there? You have written there, too. Type n to keep yours")
        assert "from line 7, what you wrote:\n|     for price in prices[2:]:" in told
        talk.type("t\n")
        await talk.told("Taken: 1.")
        talk.answer("")
        await talk.told("Land")
        await talk.here.until(lambda state: judged_part(state) or state.task is None)
        assert talk.here.state.proposal is not None
        (mark,) = talk.here.state.proposal.review.blocks.values()
        assert (mark.taken, mark.side) == (True, "both")
        part = talk.here.state.proposal.part
        assert part is not None
        # What both come to is no Python, and that is said of exactly that before anything lands.
        assert part.broken
        assert (project / "shop/prices.py").read_text() == mine


async def test_single_lines_and_what_was_said_last(project: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    async with talking(project, script) as talk:
        await talk.told("Type a task")
        talk.type("mend total\n")
        await talk.told("Type a number")
        talk.answer("blocks")
        await talk.told("Do you take block 1?")
        talk.type("l\n")
        told = await talk.told("Type numbers such as")
        assert "1 removes:     for price in prices[1:]:\n2 adds:     for price in prices:" in told
        talk.type("9\n")
        await talk.told("These are no numbers from 1 to 2.")
        await talk.told("Do you take block 1?")
        talk.type("l\n")
        await talk.told("Type numbers such as")
        talk.type("2\n")
        await talk.told("Taken: 1.")
        assert [mark.lines for mark in talk.here.state.proposals[0].review.blocks.values()] == [(1,)]
        talk.type("q\n")
        await talk.told("9 land what is taken, 1 of 1 block")
        talk.answer("10")
        await talk.told("waits for your decision")
        assert not talk.here.state.proposals[0].review


@pytest.mark.parametrize("allowed", [True, False])
async def test_a_command_of_the_partners_is_told_to_the_letter(project: Path, tmp_path: Path, allowed: bool) -> None:
    command = "echo \x1b[2Jone\necho two"
    asks = {"text": "May I?", "calls": [{"name": "run_command", "arguments": {"command": command}}]}
    script = script_of(tmp_path / "script.json", asks, {"text": "Thanks."})
    async with talking(project, script) as talk:
        await talk.told("Type a task")
        talk.type("run it\n")
        told = await talk.told("2 do not allow it")
        assert "The command, 2 lines:\necho \u241b[2Jone\necho two\n1 allow it to run" in told
        talk.type("1\n")
        await talk.told("That was typed before question 1")
        assert talk.here.state.approval is not None
        talk.type("be quick\n")
        await talk.told("The partner hears that at its next step.")
        talk.answer("1" if allowed else "deny")
        await talk.told("It may run." if allowed else "It does not run.")
        await talk.told("Thanks.")
        assert ("exit status 0" in str(talk.here.state.items)) is allowed


async def test_what_the_verdict_turns_to_is_not_decided_by_an_older_answer(project: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    async with talking(project, script) as talk:
        await talk.told("Type a task")
        talk.type("mend total\n")
        await talk.told("Type a number")
        # A check that ends late: what was green so far is not any more.
        state = talk.here.state
        verdict = state.proposals[0].verdict
        assert verdict is not None
        red = msgspec.structs.replace(verdict, green=not verdict.green)
        event = ev.VerdictReached(1, red)
        talk.talk.told(ev.Entry(99, 0.0, event), fold(state, event))
        await talk.told("Question 2. Proposal 1 still waits; its verdict is another now.")
        talk.now += 0.1
        talk.type("1\n")
        await talk.told("That was typed before question 2")
        assert talk.here.state.waiting == 1


async def test_a_dialog_ends_with_its_proposal(project: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    async with talking(project, script) as talk:
        await talk.told("Type a task")
        talk.type("mend total\n")
        await talk.told("Type a number")
        talk.answer("4")
        await talk.told("Do you take block 1?")
        talk.here.submit(Interrupt())
        await talk.told("Proposal 1 does not wait any more.")
        await talk.told("Type a task")
        talk.type("y\n")
        await talk.told("Task 2 begins.")


async def test_many_edits_at_once_are_one_sentence(project: Path, tmp_path: Path) -> None:
    script = script_of(tmp_path / "script.json", {"text": "Hello."}, {"text": "Nothing to do."})
    async with talking(project, script) as talk:
        await talk.told("Type a task")
        talk.type("hello\n")
        await talk.told("Type a task")
        for number in range(40):
            (project / f"new{number:02}.txt").write_text("x\n")
        talk.type("look\n")
        await talk.told("Nothing to do.")
        assert "Someone added new00.txt, new01.txt, new02.txt, new03.txt, new04.txt and 35 other files." in talk.all
        assert talk.all.count("Someone added") == 1


async def test_what_looks_mistyped_is_not_said_before_it_is_typed_again(project: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE, WRONG)
    async with talking(project, script) as talk:
        await talk.told("Type a task")
        talk.here.submit(Ask("mend total"))
        await talk.told("Type a number")
        talk.answer("acept")
        await talk.told("Did you mean accept?")
        assert talk.here.state.waiting == 1
        talk.type("acept\n")
        await talk.told("Going on from proposal 1: acept")


async def test_words_are_taken_back_by_the_number_they_were_told_under(project: Path, tmp_path: Path) -> None:
    async with talking(project, script_of(tmp_path / "script.json")) as talked:
        talk = talked.talk
        sent: list[AnyCommand] = []
        here = Sends(talk._session, sent, ("first", "second"))
        talk._session = here  # type: ignore[assignment]  # as much of one as is asked
        talk._obey(orders.Order("withdraw", 2))
        talk._obey(orders.Order("status"))
        here.state = msgspec.structs.replace(here.state, queued=("second",))
        talk._obey(orders.Order("withdraw", 2))
        talk._obey(orders.Order("withdraw", 3))
        await talked.told("No words wait under the number 3.")
    assert sent == [Withdraw(1, "second")] * 2


async def test_a_lesson_is_told_by_number_and_kept(project: Path, tmp_path: Path) -> None:
    turns = [patch_turn(WRONG), {"text": "I see."}]
    async with talking(project, script_of(tmp_path / "script.json", *turns)) as talked:
        talked.here.submit(Ask("mend it"))
        await talked.told("1 accept all of it")
        talked.here.submit(Reject(1, "we never add one to a price"))
        await talked.told("Worth remembering, lesson 1? We never add one to a price.")
        # Which of them comes first, the words or the lesson, nobody knows.
        await talked.here.seen(ev.TaskFinished)
        talked.answer("keep 2")
        await talked.told("There is no lesson 2.")
        talked.answer("keep 1")
        await talked.told("It is remembered for later sessions.")
        talked.answer("lessons")
        await talked.told("1, kept: We never add one to a price. From what you said when you rejected proposal 1")
        talked.answer("drop 1")
        await talked.told("It is not remembered.")
        assert [one.stands for one in talked.here.state.lessons] == ["dropped"]


async def test_a_command_is_run_and_its_output_shared(project: Path, tmp_path: Path) -> None:
    script = script_of(tmp_path / "script.json", {"text": "I see."})
    async with talking(project, script) as talk:
        await talk.told("Type a task")
        talk.type("!printf 'a\\033[31mb'; touch here\n")
        told = await talk.told("End of the output, exit status 0.")
        assert "a\u241b[31mb" in told
        assert not (project / "here").exists()
        talk.type("share\n")
        await talk.told("It goes along")
        talk.type("what is this?\n")
        await talk.told("I see.")
        assert "Output of `printf" in talk.here.state.tasks[0].text


# -- as a program


@contextmanager
def terminal(project: Path, script: Path, *, arguments: tuple[str, ...] = ("--plain",), **env: str) -> Iterator[Any]:
    """Pairloop in a terminal of its own; everything it wrote is looked at for what a terminal would obey."""
    written = io.StringIO()
    child = pexpect.spawn(
        sys.executable,
        ["-m", "tui", *arguments, "--script", str(script)],
        cwd=str(project),
        env={**os.environ, "TERM": "dumb", "LANG": "C.UTF-8", **env},
        encoding="utf-8",
        codec_errors="replace",
        timeout=60,
    )
    child.logfile_read = written
    child.delaybeforesend = None
    try:
        yield child
    finally:
        child.close(force=True)
    told = written.getvalue().replace("\r\n", "\n")
    # The terminal itself shows what is typed.
    assert not _OBEYED.search(told), repr(_OBEYED.search(told))


def answer(child: Any, text: str) -> None:
    """Type a line when the newest question takes answers."""
    # Whoever waits for the last line of a question has not waited for its grace.
    child.expect([pexpect.TIMEOUT, "\x00"], timeout=0.7)
    child.sendline(text)


def left(child: Any) -> int:
    child.expect("The session has ended")
    child.expect(pexpect.EOF)
    child.wait()
    return int(child.exitstatus)


def test_a_whole_session_in_a_dumb_terminal(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    (project / "pairloop.toml").write_text('[checks]\noff = ["mypy"]\n')
    script = write_script(tmp_path / "script.json", WRONG, RIGHT)
    before = tree(project)
    with terminal(project, script, arguments=()) as child:
        child.expect("Type a task")
        child.sendline("test_total fails")
        child.expect("Check pytest: failed")
        child.expect("Type a number")
        answer(child, "findings")
        child.expect("This proposal breaks:\r\n1. tests/test_prices.py::test_discount fails with")
        child.expect("such as: findings 1")
        child.sendline("findings 1")
        child.expect("assert 182 == 180")
        answer(child, "3")
        child.expect("Proposal 2 waits for your decision: Green")
        child.expect("Type a number")
        assert tree(project) == before
        answer(child, "4")
        child.expect("Do you take block 1")
        child.sendline("y")
        child.expect("Press enter to land")
        child.sendline("")
        child.expect("Landed proposal 2 as landing 1: shop/prices.py")
        assert (project / "shop/prices.py").read_text() == MENDED
        child.expect("Type undo to take landing 1 back")
        child.sendline("undo")
        child.expect("Took back landing 1")
        assert tree(project) == before
        child.sendline("quit")
        assert left(child) == 0


def test_killed_and_resumed(project: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    with terminal(project, script) as child:
        child.expect("Type a task")
        child.sendline("mend total")
        child.expect("Proposal 1 waits")
        child.kill(signal.SIGKILL)
        child.expect(pexpect.EOF)
    with terminal(project, script) as child:
        child.expect("Which session do you want.\r\n1 go on with mend total, .*something is pending\r\n2 begin a new")
        answer(child, "1")
        child.expect("This session's last task: mend total")
        child.expect("Proposal 1 waits")
        child.expect("Type a number")
        answer(child, "1")
        child.expect("Landed proposal 1")
        assert (project / "shop/prices.py").read_text() == MENDED
        child.expect("Type a task")
        child.sendeof()
        assert left(child) == 0


def test_ctrl_c_stops_and_twice_leaves(project: Path, tmp_path: Path) -> None:
    slow = {"text": "Working.", "delay_ms": 60_000, "calls": []}
    script = script_of(tmp_path / "script.json", slow)
    with terminal(project, script) as child:
        child.expect("Type a task")
        child.sendline("wait a minute")
        child.expect("Task 1 begins")
        child.sendintr()
        child.expect("Stopping")
        child.expect("Interrupted")
        child.sendline("status")
        child.expect("No task is worked on")
        child.sendintr()
        child.expect("Ctrl.C again leaves|Leaving")
        if "again" in child.after:
            child.sendintr()
        assert left(child) == 0


def test_a_block_is_edited_in_the_humans_editor(project: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i "s/for price in prices:/for price in list(prices):/" "$1"\n')
    editor.chmod(0o755)
    with terminal(project, script, EDITOR=str(editor), VISUAL="/nonexistent") as child:
        child.expect("Type a task")
        child.sendline("mend total")
        child.expect("Type a number")
        answer(child, "4")
        child.expect("Do you take block 1")
        child.sendline("e")
        child.expect("Taken: 1.")
        child.expect("or type q")
        # The proposal is another by now, so the question may have come again.
        answer(child, "")
        child.expect("Landed proposal 1")
        assert (project / "shop/prices.py").read_text() == MENDED.replace("in prices", "in list(prices)")
        child.sendline("quit")
        assert left(child) == 0


HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e[bold]x[/]\u200b"


def test_hostile_text_is_shown_and_not_obeyed(project: Path, tmp_path: Path) -> None:
    (project / "shop" / "a\x1b[31m.py").write_text("x = 1\n")
    new = f'*** Begin Patch\n*** Add File: shop/odd.py\n+"""{HOSTILE}"""\n+x = "{"y" * 30_000}"\n*** End Patch'
    script = script_of(
        tmp_path / "script.json",
        {"text": f"Hi {HOSTILE}", "calls": [{"name": "list_files", "arguments": {}}]},
        {"text": "x", "calls": [{"name": "read_file", "arguments": {"path": f"no{HOSTILE}"}}]},
        patch_turn(new, f"Take this\r{HOSTILE}"),
    )
    with terminal(project, script) as child:
        child.expect("Type a task")
        child.sendline("be bad")
        child.expect("more characters")
        child.expect("Type a number")
        answer(child, "findings")
        answer(child, "diff 1")
        child.expect("Block 1 of 1")
        child.sendline("!cat shop/a*")
        child.expect("End of the output")
        child.sendline("quit")
        assert left(child) == 0


def spawn(project: Path, script: Path, *arguments: str, **streams: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tui", "--plain", "--script", str(script), *arguments],
        cwd=project,
        text=True,
        stderr=subprocess.PIPE,
        **streams,
    )


def test_through_pipes_to_the_end_of_the_input(project: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    before = tree(project)
    # All of it is there before any question: the task is taken, the answer is not.
    with spawn(project, script, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        out, err = child.communicate("mend total\n1\n", timeout=_PATIENCE)
    assert (child.returncode, err) == (0, "")
    assert "Proposal 1 waits for your decision" in out
    assert "The input has ended." in out
    assert tree(project) == before
    assert not _OBEYED.search(out)


def test_a_file_and_nothing_at_all_are_inputs_too(project: Path, tmp_path: Path) -> None:
    script = script_of(tmp_path / "script.json", {"text": "Nothing to do."})
    (tmp_path / "typed").write_text("look around")
    with (
        (tmp_path / "typed").open() as typed,
        spawn(project, script, stdin=typed, stdout=subprocess.PIPE) as child,
    ):
        out, _ = child.communicate(timeout=_PATIENCE)
    assert "Partner: Nothing to do." in out
    with spawn(project, script, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as child:
        out, _ = child.communicate(timeout=_PATIENCE)
    assert child.returncode == 0
    assert "Type a task" in out


def test_who_reads_no_further_ends_it(project: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    with spawn(project, script, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        child.stdout.readline()
        child.stdout.close()
        child.stdin.write("mend total\n")
        child.stdin.flush()
        assert child.wait(timeout=_PATIENCE) == 0


def test_what_cannot_be_opened_is_said(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    git(project, "status")
    with spawn(project, tmp_path / "none.json", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as child:
        out, err = child.communicate(timeout=_PATIENCE)
    assert child.returncode == 2
    assert "none.json" in err
    assert "Traceback" not in out + err


def test_lines_need_no_screen() -> None:
    code = "import sys, tui.plain.life; print(sorted({'textual', 'rich', 'openai'} & {*sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


async def test_silence_is_broken_now_and_then(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = script_of(tmp_path / "script.json", {"text": "Done.", "delay_ms": 2_500})
    reads, writes = os.pipe()
    monkeypatch.setattr(life, "_QUIET", 1.0)
    with os.fdopen(reads) as source:
        monkeypatch.setattr(sys, "stdin", source)
        os.write(writes, b"take your time\n")
        os.close(writes)
        async with asyncio.timeout(_PATIENCE):
            assert await life.Plain(Engine(project, settings(script), os.environ)).run() == 0
    told = capsys.readouterr().out
    # After one second, after two, after four: however long it takes, there are few of them.
    seconds = [int(found) for found in re.findall(r"The partner is at work. Nothing new for (\d+) second", told)]
    assert seconds
    assert all(after >= 2**index for index, after in enumerate(seconds))
    assert told.index("Nothing new") < told.index("Partner: Done.") < told.index("The input has ended.")
