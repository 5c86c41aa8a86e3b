"""Where a hunk goes, and what is written there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

import msgspec

from agent_core.patch.document import Document
from agent_core.patch.indentation import OldLine, learn, misread, table_of
from agent_core.patch.levels import EXACT, LONG, Level, indent, typographic
from agent_core.patch.operations import HunkLine

SIMILARITY = "similarity"
# A line without one says too little to tell what it is.
WORD = re.compile(r"\w{2,}")

# One line that takes the place of another and is at least so like it is that line, edited.
_EDITED = 0.6
_SHOWN = 14


class Edit(msgspec.Struct, frozen=True):
    """A run of a file's lines and what stands there afterwards.

    Attributes:
        start: 0-based first line that goes; where the new lines come, when none goes.
        end: The line after the last that goes.
        lines: The lines that come, indented as the file is.
    """

    start: int
    end: int
    lines: tuple[HunkLine, ...]

    @property
    def core(self) -> tuple[int, int]:
        """The half-open range of lines that go."""
        return self.start, self.end


class Place(msgspec.Struct, frozen=True):
    """Where a hunk goes.

    Attributes:
        start: 0-based first line of the file that the hunk covers.
        end: The line after the last.
        edits: What it changes, from top to bottom; none for a hunk of nothing but context.
        level: How its lines are like the file's: the name of one of `LEVELS`, or `SIMILARITY`.
        ratio: How much they are, from 0 to 1.
        says_end: The patch says whether its last line ends the file without a newline.
        reindented: Its new lines are indented otherwise than the patch has them.
    """

    start: int
    end: int
    edits: tuple[Edit, ...]
    level: str = EXACT.name
    ratio: float = 1.0
    says_end: bool = False
    reindented: bool = False

    @property
    def core(self) -> tuple[int, int]:
        """The half-open range of file lines between its first and its last change."""
        return (self.edits[0].start, self.edits[-1].end) if self.edits else (self.start, self.start)

    @property
    def note(self) -> str:
        """How it was found, where a human should know; else empty."""
        notes = []
        if self.level == SIMILARITY:
            notes.append(f"was placed by similarity ({self.ratio * 100:.0f} %) at {span(self.start + 1, self.end)}")
        if self.reindented:
            notes.append("its new lines are indented as the file is")
        return "; ".join(notes)


class Unplaced(msgspec.Struct, frozen=True):
    """Why a hunk has no place.

    Attributes:
        reason: Written so that its author can mend it.
        already: What it would make stands in the file.
    """

    reason: str
    already: bool = False


class Spot(NamedTuple):
    """A place that a hunk may mean, before it is known which it does.

    Attributes:
        start: 0-based first line of the file it covers.
        end: The line after the last.
        core: From its first change to after its last.
        lines: The hunk's lines that count.
        level: How they are like the file's; None for by similarity.
        aligned: For each old line the line of the file that it is; None for the lines one after the other.
        ratio: How much they are like the file's.
    """

    start: int
    end: int
    core: tuple[int, int]
    lines: tuple[HunkLine, ...]
    level: Level | None
    aligned: tuple[int | None, ...] | None = None
    ratio: float = 1.0


def span(first: int, last: int) -> str:
    """A range of lines in words."""
    return f"line {first}" if first >= last else f"lines {first}-{last}"


def settle(document: Document, spot: Spot) -> Place | Unplaced:
    """The place at a spot, with new lines that fit the file's indentation.

    Args:
        document: The file.
        spot: The only spot that the hunk can mean.

    Returns:
        The place; or that the new lines stand there already, or why their indentation is not certain.
    """
    there = _stands_at_edge(document, spot)
    if there is not None:
        reason = f"these lines are already there ({there}), so there is nothing to change."
        return Unplaced(reason, already=True)
    aligned = spot.aligned or tuple(range(spot.start, spot.end))
    runs = _runs(spot.lines, aligned, spot.start)
    level = spot.level
    if level is None or level.indents != "same":
        pairs = indent_pairs(document, spot.lines, aligned)
        fresh = [line for run in runs for line in run.added if line.text.strip()]
        table = table_of(pair for pair in pairs if pair is not None)
        if table is not None:
            known = learn(table, [indent(line.text) for line in fresh], document.step)
            runs = [run._replace(known=known) for run in runs]
        else:
            old = [line.text for line in spot.lines if line.sign != "+"]
            runs = [run._replace(known=_known_here(run, old, pairs)) for run in runs]
        for run in runs:
            for line in run.added:
                if line.text.strip() and indent(line.text) not in run.known:
                    return _uncertain(document, spot, line)
            doubtful = _misread(run, spot.lines, pairs)
            if doubtful is not None:
                return _uncertain(document, spot, doubtful)
    edits = tuple(
        Edit(run.start, run.end, tuple(_reindented(line, run.known) for line in run.added))
        for run in runs
        if run.added or run.start < run.end
    )
    return Place(
        spot.start,
        spot.end,
        edits,
        level.name if level is not None else SIMILARITY,
        spot.ratio,
        says_end=any(line.bare for line in spot.lines),
        reindented=any(theirs != ours for run in runs for theirs, ours in run.used()),
    )


class _Run(NamedTuple):
    """Changed lines between two of context.

    Attributes:
        start: Where it begins in the file.
        end: After the last line that goes.
        removed: The hunk's and the file's line number of every line that goes, as pairs of indexes.
        added: The new lines.
        above: How many of the hunk's old lines stand above it.
        near: Indexes among the hunk's old lines of the context directly above and below.
        known: What the new lines' indentations are in the file; empty where they are written as they are.
    """

    start: int
    end: int
    removed: tuple[int, ...]
    added: tuple[HunkLine, ...]
    above: int
    near: tuple[int, ...]
    known: Mapping[str, str] = {}

    def used(self) -> set[tuple[str, str]]:
        """The new lines' indentations in the hunk and in the file."""
        depths = {indent(line.text) for line in self.added if line.text.strip()}
        return {(depth, self.known[depth]) for depth in depths if depth in self.known}


def _runs(lines: Sequence[HunkLine], aligned: Sequence[int | None], start: int) -> list[_Run]:
    """The changed runs of a hunk, where its old lines are aligned with the file's."""
    found: list[_Run] = []
    removed: list[int] = []
    added: list[HunkLine] = []
    old = 0
    for line in [*lines, HunkLine(" ", "")]:
        if line.sign == "+":
            added.append(line)
            continue
        if line.sign == "-":
            removed.append(old)
        elif removed or added:
            found.append(_run(removed, added, old, aligned, start))
            removed, added = [], []
        old += 1
    return found


def _run(removed: list[int], added: list[HunkLine], below: int, aligned: Sequence[int | None], start: int) -> _Run:
    above = below - len(removed) - 1
    near = tuple(at for at in (above, below) if 0 <= at < len(aligned) and aligned[at] is not None)
    if removed:
        gone = [at for index in removed if (at := aligned[index]) is not None]
        first, last = gone[0], gone[-1] + 1
    elif above >= 0 and (at := aligned[above]) is not None:
        first = last = at + 1
    elif below < len(aligned) and (at := aligned[below]) is not None:
        first = last = at
    else:
        first = last = start
    return _Run(first, last, tuple(removed), tuple(added), above + 1, near)


def indent_pairs(
    document: Document, lines: Sequence[HunkLine], aligned: Sequence[int | None]
) -> list[tuple[str, str] | None]:
    """The indentation of each old line in hunk and file; None for blank lines and those that are not aligned."""
    pairs: list[tuple[str, str] | None] = []
    for line, at in zip((line for line in lines if line.sign != "+"), aligned, strict=True):
        if at is None or not line.text.strip() or not document.lines[at].strip():
            pairs.append(None)
        else:
            pairs.append((_plain_indent(line.text), _plain_indent(document.lines[at])))
    return pairs


def _plain_indent(line: str) -> str:
    return typographic(indent(line))


def _stands_at_edge(document: Document, spot: Spot) -> str | None:
    """Where the lines stand already that a hunk adds at the end of the file or at its start; None if they do not.

    The old lines of such a hunk are still found when it has been applied, next to what it added. But nothing follows
    them in the hunk (or comes before them), so they end the file (or begin it) until it is applied.
    """
    lines = spot.lines
    tells = any(line.sign == "+" and WORD.search(line.text) for line in lines)
    if not tells or any(line.sign == "-" for line in lines):
        return None
    start, end = spot.start, spot.end
    if lines[0].sign != "+" and lines[-1].sign == "+":
        end = document.length
    elif lines[0].sign == "+" and lines[-1].sign != "+":
        start = 0
    if end - start != len(lines) or document.lines[start:end] != [line.text for line in lines]:
        return None
    return span(start + 1, end)


def _known_here(run: _Run, lines: Sequence[str], pairs: Sequence[tuple[str, str] | None]) -> dict[str, str]:
    """What new lines' indentations are in a hunk whose indentation goes wrong from line to line.

    A line that is an edited one stands where that stood. Apart from that only what is right everywhere in the hunk
    counts, and only where nothing next to it is wrong.

    Args:
        run: The changed lines.
        lines: The hunk's old lines.
        pairs: The indentations of these in hunk and file.
    """
    removed = [pairs[at] for at in run.removed]
    if len(removed) == len(run.added) == 1 and (pair := removed[0]) is not None:
        (old,), (new,) = (lines[at] for at in run.removed), run.added
        short = max(len(old), len(new.text)) <= LONG
        alike = short and SequenceMatcher(None, old.strip(), new.text.strip(), autojunk=False).ratio() >= _EDITED
        if alike and indent(new.text) == pair[0]:
            return dict([pair])
    meant: dict[str, set[str]] = {}
    for found in pairs:
        if found is not None:
            meant.setdefault(found[0], set()).add(found[1])
    nearby = [found for found in (*removed, *(pairs[at] for at in run.near)) if found is not None]
    if not nearby or any(len(meant[theirs]) > 1 for theirs, _ in nearby):
        return {}
    return table_of((theirs, ours.pop()) for theirs, ours in meant.items() if len(ours) == 1) or {}


def _misread(run: _Run, lines: Sequence[HunkLine], pairs: Sequence[tuple[str, str] | None]) -> HunkLine | None:
    """The first new line whose indentation is rather the file's own than the hunk's, though the old lines say so."""
    old = [
        OldLine(line.text, *pair)
        for line, pair in zip((line for line in lines if line.sign != "+"), pairs, strict=True)
        if pair is not None
    ]
    above = sum(pair is not None for pair in pairs[: run.above])
    gone = sum(pairs[at] is not None for at in run.removed)
    fresh = [line for line in run.added if line.text.strip()]
    number = misread([line.text for line in fresh], old, above, gone, run.known)
    return None if number is None else fresh[number]


def _reindented(line: HunkLine, known: Mapping[str, str]) -> HunkLine:
    if not line.text.strip() or not known:
        return line
    theirs = indent(line.text)
    return msgspec.structs.replace(line, text=known[theirs] + line.text.removeprefix(theirs))


def _uncertain(document: Document, spot: Spot, line: HunkLine) -> Unplaced:
    there = document.lines[spot.start : spot.end]
    shown = "\n".join(f"    {text}" for text in there[:_SHOWN]) + ("\n    ..." if len(there) > _SHOWN else "")
    return Unplaced(
        f"its lines stand at {span(spot.start + 1, spot.end)} with other indentation, and how deep the new line "
        f"{line.text.strip()[:60]!r} belongs there cannot be told. "
        f"Write the lines with the file's own indentation, which is:\n{shown}"
    )
