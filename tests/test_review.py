"""What is marked in a proposal: it can be taken back, is there again on replay, and comes to exactly its part."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_core import commands
from agent_core import events as ev
from agent_core.decisions import Mark as AnyMark
from agent_core.draft import Draft, draft_of
from agent_core.file_modes import REGULAR
from agent_core.fold import fold, replay
from agent_core.part_taken import Ground, part_of
from agent_core.parts import Parts
from agent_core.patch.diff import make_patch
from agent_core.patch.model import Patch
from agent_core.patch.select import select
from agent_core.proposals import Proposals
from agent_core.review import (
    Mark,
    Overlap,
    Remarked,
    Review,
    Rewritten,
    between,
    choices_of,
    marked,
    remarked,
    takes_all,
    takes_any,
)
from agent_core.reviewing import Reviewing
from agent_core.state import ProposalState, State
from agent_core.workspace.tree import FileChange, FileState, Snapshot, content_hash, tree_hash

BEFORE = {
    "a.py": "".join(f"line {number}\n" for number in range(30)),
    "b.txt": "one\ntwo\nthree\n",
    "bin": "\0\1",
    "gone": "x\n",
}
AFTER = {
    "a.py": BEFORE["a.py"].replace("line 3\n", "").replace("line 9\n", "nine\nand more\n").replace("line 20", "twenty"),
    "b.txt": "one\n2\nthree\nfour",
    "bin": "\0\2",
    "new.py": "fresh\n",
}


def snapshot(files: dict[str, str]) -> Snapshot:
    states = {path: FileState(content_hash(text.encode()), REGULAR) for path, text in files.items()}
    return Snapshot(tree_hash(states), states)


def made(before: dict[str, str], after: dict[str, str]) -> Patch:
    changes = {path: FileChange(after[path].encode() if path in after else None) for path in {*before, *after}}
    old = {path: FileChange(text.encode()) for path, text in before.items()}
    return make_patch(changes, old.get, {})


CONTENTS = {content_hash(text.encode()): text.encode() for text in (*BEFORE.values(), *AFTER.values())}
PATCH = made(BEFORE, AFTER)
BASE = snapshot(BEFORE)
BLOCKS = {block.id: block for file in PATCH.files for block in file.blocks}
PLAIN = tuple(file.path for file in PATCH.files if not file.blocks)


class Desk:
    """A proposal that waits, and what is marked in it; the events are kept as a session keeps them."""

    def __init__(self, tmp_path: Path) -> None:
        self.events: list[ev.AnyEvent] = []
        self.blobs = dict(CONTENTS)
        self.state = State()
        workspace = SimpleNamespace(read=lambda path: BEFORE[path].encode() if path in BEFORE else None, root=tmp_path)
        journal = SimpleNamespace(get=lambda name: self.blobs[name], put=self._put, together=contextlib.nullcontext)
        parts = cast(
            Parts, SimpleNamespace(emit=self.emit, state=lambda: self.state, workspace=workspace, journal=journal)
        )
        self.emit(ev.Asked(1, "x"))
        self.emit(ev.ProposalMade(1, 1, "call", PATCH, BASE.tree, snapshot(AFTER).tree, ""))
        self.emit(ev.DecisionAwaited(1, "why"))
        self.proposals = Proposals(parts)
        self.proposals._draft = draft_of(PATCH, BASE, self.blobs.__getitem__)
        self.reviewing = Reviewing(parts, self.proposals)

    def _put(self, data: bytes) -> str:
        self.blobs[content_hash(data)] = data
        return content_hash(data)

    def emit(self, event: ev.AnyEvent, *, durable: bool = False) -> None:
        self.events.append(event)
        self.state = fold(self.state, event)

    @property
    def proposal(self) -> ProposalState:
        assert self.state.proposal is not None
        return self.state.proposal

    def mark(self, *marks: AnyMark) -> None:
        async def carry_out() -> None:
            for mark in marks:
                await self.reviewing.carry_out(mark)
                await self.reviewing.settle()

        asyncio.run(carry_out())


def lines_of(block: str) -> st.SearchStrategy[tuple[int, ...] | None]:
    count = len(BLOCKS[block].removed) + len(BLOCKS[block].added)
    return st.none() | st.sets(st.integers(0, count - 1)).map(lambda found: tuple(sorted(found)))


@st.composite
def takes(draw: Callable[[st.SearchStrategy[Any]], Any]) -> commands.Take:
    blocks = tuple(draw(st.lists(st.sampled_from(sorted(BLOCKS)), max_size=3, unique=True)))
    files = tuple(draw(st.lists(st.sampled_from(PLAIN), max_size=1)))
    lines = draw(lines_of(blocks[0])) if len(blocks) == 1 else None
    return commands.Take(1, blocks, files, draw(st.sampled_from([True, True, False, None])), lines)


COMMENTS = st.builds(
    commands.Comment, st.just(1), st.sampled_from(sorted(BLOCKS)), st.sampled_from(["", "why?", "no [b]markup[/b]"])
)
REWRITES = st.builds(
    lambda block, text: commands.Rewrite(
        1, next(file.path for file in PATCH.files if block in {one.id for one in file.blocks}), block, text
    ),
    st.sampled_from(sorted(BLOCKS)),
    st.sampled_from(["mine\n", "mine\nand\nmine", "# much\n" * 3]),
)
MARKS = st.lists(takes() | COMMENTS | REWRITES, max_size=8)


@given(MARKS)
@settings(max_examples=40)
def test_every_mark_can_be_taken_back_and_is_there_on_replay(marks: list[AnyMark]) -> None:
    desk = Desk(Path("/nowhere"))
    seen = [(desk.proposal.review, desk.proposal.patch, desk.proposal.part_tree, desk.proposal.note)]
    for mark in marks:
        depth = len(desk.proposal.reviews)
        desk.mark(mark)
        # A mark that changes nothing is none, and needs no taking back.
        assert len(desk.proposal.reviews) - depth in {0, 1}
        if len(desk.proposal.reviews) > depth:
            seen.append((desk.proposal.review, desk.proposal.patch, desk.proposal.part_tree, desk.proposal.note))
    entries = [ev.Entry(number, 0.0, event) for number, event in enumerate(desk.events, 1)]
    assert replay(msgspec.json.decode(msgspec.json.encode(entries), type=list[ev.Entry])) == desk.state
    while len(seen) > 1:
        seen.pop()
        desk.mark(commands.Unmark(1))
        proposal = desk.proposal
        assert (proposal.review, proposal.patch, proposal.part_tree, proposal.note) == seen[-1]
    assert desk.proposal.reviews == ()
    assert desk.proposal.tree == snapshot(AFTER).tree


@given(MARKS)
@settings(max_examples=60)
def test_what_is_taken_is_what_the_selection_makes_and_nothing_else(marks: list[AnyMark]) -> None:
    desk = Desk(Path("/nowhere"))
    desk.mark(*marks)
    proposal, part = desk.proposal, desk.reviewing.part
    assert (part.tree, part.trouble) == (proposal.part_tree, proposal.part_trouble) if part else not proposal.part_tree
    if part is None:
        assert takes_all(proposal.patch, proposal.review) or not takes_any(proposal.patch, proposal.review)
        return
    if part.trouble:
        assert part.patch.files == ()
        return
    wanted = select(proposal.patch, choices_of(proposal.patch, proposal.review), desk.proposals.draft.contents().get)  # type: ignore[arg-type] # all are there
    assert part.patch == wanted.patch
    draft = part.draft()
    assert draft.snapshot.tree == part.tree
    assert draft.patch().paths == part.patch.paths
    for file in proposal.patch.files:
        taken = [one for one in file.blocks if proposal.review.blocks.get(one.id, Mark()).taken]
        brought = {line.rstrip("\n") for one in taken for line in one.added}
        for block in file.blocks:
            if block not in taken:
                there = draft.changes.get(file.path)
                text = (there.data or b"").decode() if there else ""
                own = [line for line in block.added if line.rstrip("\n") not in brought]
                assert not any(line in text for line in own if line not in BEFORE.get(file.path, ""))


def test_marks_are_quick_however_large_the_patch_is(tmp_path: Path) -> None:
    before = {"big.py": "".join(f"line {number}\n" for number in range(12_000))}
    after = {"big.py": "".join(f"line {number}{'!' if number % 6 == 0 else ''}\n" for number in range(12_000))}
    patch = made(before, after)
    blocks = [block.id for block in patch.files[0].blocks]
    assert len(blocks) == 2000
    review = Review({name: Mark(taken=True) for name in blocks[::2]})
    contents = {content_hash(text.encode()): text.encode() for text in (*before.values(), *after.values())}
    base = snapshot(before)
    took = []
    for _ in range(3):
        start = time.process_time()
        part = part_of(patch, review, lambda: contents, Ground(base, lambda _: None))
        took.append(time.process_time() - start)
        assert part is not None
        assert part.tree
    # Some 10 ms on a quiet machine; what is meant is that it does not grow with the square of the blocks.
    assert min(took) < 0.2


def overlapping(theirs: str) -> ev.Overlapped:
    return ev.Overlapped(1, (Overlap("b1", "a.py", 3, (theirs,)),))


def test_an_overlap_takes_back_that_a_block_was_taken_until_it_is_said_again() -> None:
    file = msgspec.structs.replace(PATCH.files[0], blocks=(msgspec.structs.replace(PATCH.files[0].blocks[0], id="b1"),))
    state = fold(State(), ev.ProposalMade(1, 1, "c", Patch((file,)), "b", "t", ""))
    taken = Review({"b1": Mark(taken=True, comment="mine")})
    take = ev.Reviewed(1, Remarked(taken.blocks), "part")
    state = fold(fold(state, take), overlapping("x\n"))
    assert state.proposal is not None
    assert state.proposal.review == Review({"b1": Mark(comment="mine")})
    state = fold(state, take)
    # The same place again is no news; another text there is.
    state = fold(state, overlapping("x\n"))
    assert state.proposal is not None
    assert state.proposal.review == taken
    state = fold(state, overlapping("y\n"))
    assert state.proposal is not None
    assert state.proposal.review.blocks["b1"].taken is None
    assert all(one.blocks.get("b1", Mark()).taken is None for one in state.proposal.reviews)
    assert fold(state, ev.Overlapped(7, ())) == state


def test_what_the_same_marks_come_to_is_no_mark() -> None:
    state = fold(State(), ev.ProposalMade(1, 1, "c", PATCH, "b", "t", ""))
    marks = Remarked({next(iter(BLOCKS)): Mark(taken=True)})
    state = fold(fold(state, ev.Reviewed(1, marks)), ev.Reviewed(1, part_tree="part"))
    assert state.proposal is not None
    assert state.proposal.reviews == (Review(),)
    assert state.proposal.part_tree == "part"


@pytest.mark.parametrize("text", ["mine\r\nand mine\r\n", "mine\nand mine\n", "mine\nand mine"])
def test_a_whole_file_keeps_its_line_endings(tmp_path: Path, text: str) -> None:
    desk = Desk(tmp_path)
    old, new = "a\r\nb\r\n", "a\r\nB\r\n"
    for one in (old, new):
        desk._put(one.encode())
    patch = made({"w.txt": old}, {"w.txt": new})
    desk.emit(ev.ProposalMade(1, 1, "call", patch, "b", "t", ""))
    desk.emit(ev.DecisionAwaited(1, "why"))
    desk.proposals._draft = draft_of(patch, snapshot({"w.txt": old}), desk.blobs.__getitem__)
    desk.mark(commands.Rewrite(1, "w.txt", "", text))
    draft: Draft = desk.proposals.draft
    assert draft.changes["w.txt"].data == b"mine\r\nand mine\r\n"
    assert all(mark.taken for mark in desk.proposal.review.blocks.values())
    desk.mark(commands.Unmark(1))
    assert desk.proposals.draft.changes["w.txt"].data == new.encode()


def test_thousands_of_marks_one_by_one_cost_the_journal_what_each_says() -> None:
    before = {"big.py": "".join(f"line {number}\n" for number in range(12_000))}
    after = {"big.py": "".join(f"line {number}{'!' if number % 6 == 0 else ''}\n" for number in range(12_000))}
    patch = made(before, after)
    blocks = [block.id for block in patch.files[0].blocks]
    state, size = fold(State(), ev.ProposalMade(1, 1, "c", patch, "b", "t", "")), 0
    review = Review()
    for number, name in enumerate(blocks):
        new = marked(review, (name,), taken=number % 3 > 0)
        event = ev.Reviewed(1, between(review, new), part_tree="t" * 64)
        written = msgspec.json.encode(event)
        size += len(written)
        state, review = fold(state, msgspec.json.decode(written, type=ev.Reviewed)), new
    assert state.proposal is not None
    assert state.proposal.review == review
    assert size < 500_000


REVIEWS = st.builds(
    Review,
    st.dictionaries(
        st.sampled_from("abc"), st.builds(Mark, st.none() | st.booleans(), comment=st.sampled_from(["", "x"]))
    ),
    st.dictionaries(st.sampled_from("fg"), st.booleans()),
    st.lists(st.sampled_from("abc"), max_size=2).map(tuple),
    st.lists(st.builds(Rewritten, st.just("f"), st.none(), st.sampled_from("xy")), max_size=2).map(tuple),
)


@given(REVIEWS, REVIEWS)
def test_what_is_another_makes_one_review_of_the_other(old: Review, new: Review) -> None:
    changes = msgspec.json.decode(msgspec.json.encode(between(old, new)), type=Remarked)
    assert remarked(old, changes) == new
    assert bool(changes) == (old != new)
