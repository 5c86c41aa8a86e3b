"""Telling patches from prose, line by line, with as little looking ahead as it takes.

Whoever reads a whole text and whoever reads it while it streams go the same way, so they agree on what is a patch.
A patch begins where no other reading is left:

- an envelope: ``*** Begin Patch`` and the header of a file as the next line that is not blank; or such a header and
  the lines of a patch below it; or a header right behind the end of another envelope;
- a SEARCH/REPLACE block: its first marker, with a path above it, or the path of the block before when no other
  file has been spoken of since;
- a unified diff: the headers of a file and a hunk, or a header that asks for something by itself.

Fences and here-documents around it belong to it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from typing import Literal, NamedTuple

from agent_core.patch import find_unified
from agent_core.patch.find_blocks import BlockLines, head_width
from agent_core.patch.find_envelope import BEGIN, EnvelopeLines, goes_on_below, is_header, is_marker
from agent_core.patch.find_unified import DiffLines
from agent_core.patch.formats import Format
from agent_core.patch.patch_lines import LONGEST, Line, closes_fence, fence_info, fence_mark, heredoc_word
from agent_core.patch.path_line import may_become_path, mentions, path_of, path_of_fence, same_file

FORMATS: tuple[Format, ...] = ("envelope", "blocks", "unified")

_MOST_HELD = 8
_BEGINNINGS = (
    "apply",
    "bash",
    "sh",
    "zsh",
    "cat",
    "git apply",
    "patch",
    "diff --git",
    "$",
    ">",
    "<",
    "***",
    "--",
    "`",
    "~",
)


class Region(NamedTuple):
    """A patch in a text: an envelope, one block, or the diff of one file.

    Attributes:
        number: Counted from 1.
        format: The format it is in.
        path: Of a block: the path it is for.
        fence: The marks of the fence it stands in, empty without one.
    """

    number: int
    format: Format
    path: str
    fence: str


class Tagged(NamedTuple):
    """A line and what it belongs to.

    Attributes:
        line: The line.
        region: The patch; None for words.
        body: It is a line of the patch itself, not of what is wrapped around it.
    """

    line: Line
    region: Region | None = None
    body: bool = False


class Walker:
    """Takes the lines of a text in order and tells what each belongs to, as soon as that is certain.

    Args:
        forms: The formats to look for.
    """

    def __init__(self, forms: Collection[Format] = FORMATS) -> None:
        self._forms = forms
        self._mode: Literal["words", "inside", "after"] = "words"
        self._out: list[Tagged] = []
        # Among words: lines that may yet belong to a patch, and from which of them on a patch may have begun.
        self._held: list[Line] = []
        self._opening: Format | None = None
        self._opening_at = 0
        self._fence = ""
        # In a patch and after one.
        self._count = 0
        self._region: Region | None = None
        self._lines: EnvelopeLines | BlockLines | DiffLines = BlockLines()
        self._pending: list[Line] = []
        self._closers: list[str] = []
        # The path of the last block, and the files spoken of since.
        self._path = ""
        self._mentioned: set[str] = set()
        # Nothing has been said since an envelope ended.
        self._behind_envelope = False

    @property
    def open_region(self) -> Region | None:
        """The patch in which the text has stopped, if it is in the middle of one."""
        return self._region if self._mode == "inside" else None

    @property
    def inside(self) -> bool:
        """Whether the lines so far end inside a patch."""
        return self._mode == "inside"

    def push(self, line: Line) -> list[Tagged]:
        """Take the next line; gives the lines that have become certain, in order."""
        self._take(deque([line]))
        return self._given()

    def expect_words(self) -> list[Tagged] | None:
        """The next line is going to be words, by its beginning (see `may_matter`).

        Returns:
            The lines that become certain by that; None when the whole line has to be waited for.
        """
        if self._mode == "inside" or self._opening is not None:
            return None
        if self._mode == "after":
            self._held, self._pending = self._pending, []
            self._leave()
        self._release()
        return self._given()

    def finish(self) -> list[Tagged]:
        """The text ends; gives the lines that were not certain."""
        if self._mode == "inside":
            count = self._lines.finish()
            rest = self._settle(count)
            self._mode = "after"
            self._take(deque(rest))
        if self._mode == "after":
            self._held, self._pending = self._pending, []
            self._leave()
        self._opening = None
        self._release()
        return self._given()

    def _given(self) -> list[Tagged]:
        out, self._out = self._out, []
        return out

    def _take(self, todo: deque[Line]) -> None:
        while todo:
            line = todo.popleft()
            if self._mode == "inside":
                self._inside(line, todo)
            elif self._mode == "after":
                self._after(line, todo)
            else:
                self._word(line, todo)

    # Among words.

    def _word(self, line: Line, todo: deque[Line]) -> None:
        text = line.text
        if self._opening is not None:
            answer = self._opens(text)
            if answer == "wait":
                self._held.append(line)
            elif answer == "yes":
                self._begin(self._opening, self._opening_at, line, todo)
            else:
                self._release()
                todo.appendleft(line)
        elif len(text) > LONGEST:
            self._release(line)
        elif "envelope" in self._forms and (is_marker(text, BEGIN) or (text[:1] == "*" and is_header(text))):
            self._open_envelope(line, todo)
        elif "unified" in self._forms and find_unified.may_open(text):
            self._open("unified", line)
        elif "blocks" in self._forms and head_width(text):
            self._begin_block(line, todo)
        elif mark := fence_mark(text):
            self._hold_fence(line, mark)
        else:
            self._hold_or_release(line)

    def _hold_or_release(self, line: Line) -> None:
        text = line.text
        if not text.strip():
            holds = bool(self._held) and any(held.text.strip() for held in self._held[-2:])
        elif heredoc_word(text):
            holds = True
        elif holds := path_of(text) is not None:
            # Only the nearest path counts, with the fence it stands in.
            keep = self._held[-1:] if self._held and fence_mark(self._held[-1].text) else []
            for held in self._held[: len(self._held) - len(keep)]:
                self._put(held)
            self._held = keep
        if holds and len(self._held) < _MOST_HELD:
            self._held.append(line)
        else:
            self._release(line)

    def _hold_fence(self, line: Line, mark: str) -> None:
        if closes_fence(line.text, self._fence):
            self._fence = ""
            # Some models put the path into a fence of its own before the block.
            if len(self._held) > 1 and fence_mark(self._held[-2].text) and path_of(self._held[-1].text):
                self._held.append(line)
            else:
                self._release(line)
            return
        self._fence = mark
        if len(self._held) >= _MOST_HELD:
            self._release()
        self._held.append(line)

    def _open(self, form: Format, line: Line) -> None:
        self._opening, self._opening_at = form, len(self._held)
        self._held.append(line)

    def _open_envelope(self, line: Line, todo: deque[Line]) -> None:
        if self._behind_envelope and is_header(line.text):
            self._begin("envelope", len(self._held), line, todo)
        else:
            self._open("envelope", line)

    def _opens(self, text: str) -> find_unified.Answer:
        if self._opening == "envelope":
            begun = is_marker(self._held[self._opening_at].text, BEGIN)
            opens = is_header(text) if begun else goes_on_below(text)
            return "yes" if opens else "no" if text.strip() else "wait"
        return find_unified.opens([line.text for line in self._held[self._opening_at :]] + [text])

    def _release(self, *more: Line) -> None:
        """What was held is words."""
        for line in (*self._held, *more):
            self._put(line)
        self._held, self._opening = [], None

    def _put(self, line: Line) -> None:
        if line.text.strip():
            self._behind_envelope = False
        if self._path:
            self._mentioned |= mentions(line.text)
        self._out.append(Tagged(line))

    # A patch begins.

    def _begin(self, form: Format, at: int, line: Line, todo: deque[Line]) -> None:
        """A patch has begun with the held line `at`; what is opened before it is wrapped around it."""
        start = at
        for index in range(at - 1, -1, -1):
            text = self._held[index].text
            if fence_mark(text) or heredoc_word(text):
                start = index
            elif text.strip():
                break
        self._enter(form, start, at, "")
        todo.appendleft(line)
        todo.extendleft(reversed(self._held[at:]))
        self._held = []

    def _begin_block(self, line: Line, todo: deque[Line]) -> None:
        start, path = self._block_path()
        if not path:
            self._release(line)
            return
        self._path, self._mentioned = path, set()
        self._enter("blocks", start, len(self._held), path)
        self._held = []
        todo.appendleft(line)

    def _block_path(self) -> tuple[int, str]:
        """From which held line on a block is meant, and its path; empty when there is none."""
        held = self._held
        start = len(held)
        for index in range(len(held) - 1, -1, -1):
            text = held[index].text
            if fence_mark(text):
                start = index
                if fence_info(text) and (path := path_of_fence(text)):
                    return index, path
            elif text.strip():
                named = path_of(text)
                if named is None or not (named.plain or index == len(held) - 1):
                    break
                below = held[index + 1].text if index + 1 < len(held) else ""
                fenced = not below or (fence_mark(below) and not fence_info(below) and index + 2 < len(held))
                above = index > 0 and fence_mark(held[index - 1].text)
                return index - 1 if above and fenced else index, named.path
        others = any(not same_file(name, self._path) for name in self._mentioned)
        return start, "" if others else self._path

    def _enter(self, form: Format, start: int, at: int, path: str) -> None:
        words, wrapper = self._held[:start], self._held[start:at]
        for line in words:
            self._put(line)
        self._count += 1
        self._region = Region(self._count, form, path, self._fence)
        self._out += [Tagged(line, self._region) for line in wrapper]
        self._closers = [self._fence] if self._fence else []
        self._closers += [word for line in wrapper if (word := heredoc_word(line.text))]
        if form == "envelope":
            self._lines = EnvelopeLines(tuple(self._closers))
        else:
            self._lines = BlockLines() if form == "blocks" else DiffLines(self._fence)
        self._mode, self._opening = "inside", None

    # In a patch, and after one.

    def _inside(self, line: Line, todo: deque[Line]) -> None:
        self._pending.append(line)
        count, done = self._lines.take(line.text)
        if not (count or done):
            return
        rest = self._settle(count)
        if done:
            self._mode = "after"
            todo.extendleft(reversed(rest))
        else:
            self._pending = rest

    def _settle(self, count: int) -> list[Line]:
        """Give out pending lines of the patch; returns the others."""
        self._out += [Tagged(line, self._region, body=True) for line in self._pending[:count]]
        rest, self._pending = self._pending[count:], []
        return rest

    def _after(self, line: Line, todo: deque[Line]) -> None:
        """After a patch what was opened around it may close."""
        text = line.text
        closed = next((at for at, closer in enumerate(self._closers) if _closes(text, closer)), None)
        if closed is not None:
            if self._closers[closed] == self._fence:
                self._fence = ""
            del self._closers[closed:]
            self._out += [Tagged(held, self._region) for held in (*self._pending, line)]
            self._pending = []
        elif self._closers and not text.strip():
            self._pending.append(line)
            return
        if closed is None or not self._closers:
            todo.extendleft(reversed(self._pending if closed is not None else [*self._pending, line]))
            self._pending = []
            self._leave()

    def _leave(self) -> None:
        self._behind_envelope = self._region is not None and self._region.format == "envelope"
        self._mode, self._region, self._closers = "words", None, []


def _closes(text: str, closer: str) -> bool:
    return closes_fence(text, closer) if closer[0] in "`~" else text.strip().rstrip(")'\"") == closer


def may_matter(text: str) -> bool:
    """Whether a line among words that has begun like this may be more than words, however it goes on."""
    if len(text) > LONGEST:
        return False
    word = text.lstrip()
    return not word or word.startswith(_BEGINNINGS) or _is_begun(word) or may_become_path(text)


def _is_begun(word: str) -> bool:
    return any(beginning.startswith(word) for beginning in _BEGINNINGS)
