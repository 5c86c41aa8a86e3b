"""Choosing what of a proposal lands: its blocks, one after the other."""

from __future__ import annotations

import re
from typing import Protocol

from agent_core.commands import AnyCommand, Comment, Land, Rewrite, Settle, Take, Unmark
from agent_core.errors import PairloopError
from agent_core.patch.model import Block
from agent_core.review import Overlap, Side
from agent_core.rewriting import both_sides, own_text
from agent_core.state import ProposalState
from agent_core.text import counted
from tui.editors import EditorError
from tui.plain.asking import Asking
from tui.plain.diff import Part, mark_of, numbered_lines, part_of, parts_of, place_of
from tui.plain.words import numbers, sentence

_LONG = (
    "Type y to take it, n to leave it, s to skip it, c to say something of it, l for single lines, e to edit it,"
    " b to go back, u to take back the last word, q to stop choosing."
)
_SHORT = "y, n, s, c, l, e, b, u or q; ? tells what they mean."
_MET = (
    "You have written there, too. Type n to keep yours, y to have the partner's in its place, t for both, yours first,"
    " o to have the partner do it anew over yours, e to write it yourself; s, c, l, b, u and q as ever."
)
_MET_SHORT = "n for yours, y for the partner's, t for both, o for anew, e to write it; s, c, l, b, u or q."
_RANGE = re.compile(r"(\d{1,6})(?:-(\d{1,6}))?")


class Desk(Protocol):
    """What choosing needs of whoever runs the session."""

    def say(self, *texts: str) -> None:
        """Write lines."""

    def proposal(self, number: int) -> ProposalState:
        """A proposal as it is now."""

    async def carry_out(self, command: AnyCommand) -> None:
        """Hand in a command, and wait until it has shown its effect."""

    async def edit(self, text: str, name: str) -> str | None:
        """Have the human edit a text; None when they left it as it was.

        Raises:
            EditorError: They could not.
        """

    def content(self, digest: str) -> bytes:
        """Content by hash."""


class Choosing:
    """Asks about the blocks of a proposal.

    Args:
        number: Number of the proposal.
        asking: Asks.
        desk: Does what was answered.
    """

    def __init__(self, number: int, asking: Asking, desk: Desk) -> None:
        self.number = number
        self._asking = asking
        self._desk = desk
        self._say = desk.say
        self._do = desk.carry_out

    @property
    def _now(self) -> ProposalState:
        return self._desk.proposal(self.number)

    async def run(self) -> Land | None:
        """Ask about every block, and then whether what is taken is to land.

        Returns:
            The wish to land it; None when it is not to land now. What was said of blocks stays either way.
        """
        at, words, met = 0, _LONG, False
        while at < len(parts := parts_of(self._now.patch)):
            self._say("", *part_of(self._now, parts[at], len(parts), self._desk.content))
            question = f"Do you take block {parts[at].number}? {words}"
            if place_of(self._now, parts[at]) is not None:
                question = f"What is to stand there? {_MET_SHORT if met else _MET}"
                met = True
            answer = await self._asking.ask(question)
            words = _SHORT
            step = await self._obey(answer.strip(), parts[at])
            if step is None:
                break
            if self._now.decision is not None:
                return None
            at = max(at + step, 0)
        return await self._end()

    async def _obey(self, answer: str, part: Part) -> int | None:
        """Do what was answered; gives by how many blocks to go on, None to stop."""
        letter, _, rest = answer.partition(" ")
        if rest and letter.lower() != "c":
            letter = "?"
        step: int | None = 0
        match letter.lower():
            case "y" | "yes" | "take":
                step = await self._take(part, taken=True)
            case "n" | "no" | "leave":
                step = await self._take(part, taken=False)
            case "s" | "skip" | "":
                step = 1
            case "b" | "back":
                step = -1
            case "q" | "quit":
                step = None
            case "u":
                await self._do(Unmark(self.number))
            case "c":
                await self._comment(part, rest)
            case "l":
                step = await self._lines(part)
            case "t" | "both" | "o" | "redo" as word:
                step = await self._settle(part, "both" if word in {"t", "both"} else "redo")
            case "e":
                step = await self._rewrite(part)
            case _:
                self._say(_LONG)
        return step

    async def _take(self, part: Part, *, taken: bool, lines: tuple[int, ...] | None = None) -> int:
        mark = mark_of(self._now, part)
        if (mark.taken, mark.lines) != (taken, lines):
            if part.block is not None:
                await self._do(Take(self.number, blocks=(part.block.id,), taken=taken, lines=lines))
            else:
                await self._do(Take(self.number, files=(part.file.path,), taken=taken))
        return 1

    async def _settle(self, part: Part, side: Side, text: str = "") -> int:
        if part.block is None or place_of(self._now, part) is None:
            self._say("You have not written there, so there is only the partner's: y takes it, n leaves it.")
            return 0
        await self._do(Settle(self.number, part.block.id, side, text))
        return 1

    async def _comment(self, part: Part, words: str) -> None:
        if part.block is None:
            self._say("There is nothing to be said of a file as a whole; words go along when you reject or go on.")
            return
        text = words or await self._asking.ask("What do you say of it? An empty line takes back what you said.")
        if text.strip() != mark_of(self._now, part).comment:
            await self._do(Comment(self.number, part.block.id, text.strip()))
        self._say("Said. Do you take the block?")

    async def _lines(self, part: Part) -> int:
        block = part.block
        if block is None:
            self._say("It has no lines.")
            return 0
        total = len(block.removed) + len(block.added)
        answer = await self._asking.ask(
            "Which lines do you take?", *numbered_lines(block), "Type numbers such as 1 3-5; an empty line goes back."
        )
        if not answer.strip():
            return 0
        chosen = chosen_lines(answer, total)
        if chosen is None:
            self._say(f"These are no numbers from 1 to {total}.")
            return 0
        everything = len(chosen) == total
        return await self._take(part, taken=True, lines=None if everything else chosen)

    async def _rewrite(self, part: Part) -> int:
        block: Block | None = part.block
        if block is None:
            self._say("It has no lines that could be edited here.")
            return 0
        place = place_of(self._now, part)
        try:
            if place is not None:
                return await self._write_place(part, block, place)
            new = await self._desk.edit("".join(block.added), part.file.path)
        except EditorError as error:
            self._say(sentence(error.message), error.hint)
            return 0
        if new is None:
            self._say("It was left as it was.")
            return 0
        await self._do(Rewrite(self.number, part.file.path, block.id, new))
        return 1

    async def _write_place(self, part: Part, block: Block, place: Overlap) -> int:
        """Have the human write what is to stand in the place of both sides."""
        mark = mark_of(self._now, part)
        text = mark.text if mark.taken and mark.text else both_sides(place, block, mark.text)
        while True:
            new = await self._desk.edit(text, part.file.path)
            if new is None:
                self._say("It was left as it was.")
                return 0
            try:
                own_text(new, place, block)
            except PairloopError as error:
                self._say(sentence(error.message), error.hint)
                answer = await self._asking.ask("Press enter to go on writing, or type q to leave it.")
                if answer.strip():
                    return 0
                text = new
                continue
            return await self._settle(part, "own", new)

    async def _end(self) -> Land | None:
        proposal = self._now
        taken, left, unsaid = self._sorted(proposal)
        if not proposal.review:
            self._say("Nothing is said of any block.")
            return None
        told = [f"{word}: {numbers(found)}." for word, found in (("Taken", taken), ("Left", left)) if found]
        told += [f"Nothing said of {numbers(unsaid)}."] if unsaid else []
        comments = sum(bool(mark.comment) for mark in proposal.review.blocks.values())
        told += [f"{counted(comments, 'comment')}."] if comments else []
        if taken:
            words = "Press enter to land what is taken and send the rest back"
        else:
            words = "Nothing is taken. Press enter to send all of it back with what you said"
        answer = await self._asking.ask(f"{' '.join(told)} {words}, or type q to decide later.")
        if answer.strip().lower() in {"", "land"}:
            return Land(self.number)
        self._say("Not landed. What you said of the blocks stays.")
        return None

    @staticmethod
    def _sorted(proposal: ProposalState) -> tuple[list[int], list[int], list[int]]:
        """The numbers of the blocks that are taken, left, and of which nothing was said."""
        found: dict[bool | None, list[int]] = {True: [], False: [], None: []}
        for part in parts_of(proposal.patch):
            found[mark_of(proposal, part).taken].append(part.number)
        return found[True], found[False], found[None]


def chosen_lines(text: str, total: int) -> tuple[int, ...] | None:
    """Lines as a human names them, from 1, such as ``1 3-5``, as the engine numbers them, from 0.

    Args:
        text: What was typed.
        total: How many lines there are.

    Returns:
        The lines in order; None when something else was typed, or a line that there is none of.
    """
    found: set[int] = set()
    for word in text.replace(",", " ").split():
        match = _RANGE.fullmatch(word)
        if match is None:
            return None
        first = int(match[1])
        last = int(match[2] or first)
        if not 1 <= first <= last <= total:
            return None
        found.update(range(first - 1, last))
    return tuple(sorted(found)) or None
