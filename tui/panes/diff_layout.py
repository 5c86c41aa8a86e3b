"""Where everything stands in a diff, and its lines, each made when it is drawn.

A diff is a list of sections: single lines, unchanged regions, blocks. Only these are made at once, so that a diff of
any length opens in no time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import accumulate, chain, islice
from typing import overload

from agent_core.patch.model import Block, FilePatch
from tui.panes.diff_lines import GUTTER, BesideLine, CodeText, Look, shown
from tui.panes.diff_make import Gutter, LineMaker
from tui.panes.diff_places import Fold, Section, Stop, base_fold, height, row_of
from tui.panes.diff_signs import Notes
from tui.panes.diff_stale import Stales, lines_above, lines_below, rows_of
from tui.panes.diff_words import Row, beside
from tui.widgets.lines import BLANK, Line, clean
from tui.widgets.wrap import breaks

CONTEXT = 3
"""Unchanged lines shown around a block."""
QUICK = 500
"""Patches with more blocks are put side by side without comparing their lines."""
_KEPT = 4000


class DiffLines(Sequence[Line]):
    """The lines of a diff.

    Args:
        head: Stands above all files.
        files: The files of the patch.
        texts: What their lines have in common.
        header: Makes the line above a file.
        look: How they are drawn.
        gutter: What stands before a line.
        notes: What stands above blocks and below them, by the block's id, and below the headers of files, by path.
        opened: Unchanged regions that are shown.
        stale: Blocks at whose places the human has written too.
    """

    def __init__(
        self,
        head: Sequence[Line],
        files: Sequence[FilePatch],
        texts: Sequence[CodeText],
        header: Callable[[int], Line],
        *,
        look: Look,
        gutter: Gutter,
        notes: tuple[Notes, Notes, Notes],
        opened: Collection[Fold] = (),
        stale: Stales | None = None,
    ) -> None:
        self.stops: list[Stop] = []
        self._files = files
        self._texts = texts
        self._look = look
        self._header = header
        self._maker = LineMaker(files, texts, look, gutter)
        self._above, self._below, self._under = notes
        self._opened = opened
        self._stale = stale or {}
        self._quick = sum(len(file.blocks) for file in files) > QUICK
        self._sections: list[Section] = []
        self._firsts: list[int] = []
        self._count = 0
        self._made: dict[int, Line] = {}
        self.headers: list[int] = []
        """Index of each file's header."""
        self._head = len(head)
        for line in head:
            self._add(Section(-1, line), 1)
        for at, file in enumerate(files):
            if self._count:
                self._add(Section(-1, BLANK), 1)
            self._lay_file(at, file)

    def set_head(self, head: Sequence[Line]) -> bool:
        """Put other lines above all files; whether they are as many."""
        if len(head) != self._head:
            return False
        self._sections[: self._head] = [Section(-1, line) for line in head]
        return True

    # -- Laying out

    def _add(self, section: Section, count: int) -> None:
        self._sections.append(section)
        self._firsts.append(self._count)
        self._count += count

    def _lay_file(self, at: int, file: FilePatch) -> None:
        self.headers.append(self._count)
        if not file.blocks:
            self.stops.append(Stop(f"/{file.path}", at, -1, self._count, 1))
        self._add(Section(at, is_header=True), 1)
        for line in self._under.get(file.path, ()):
            self._add(Section(at, line), 1)
        following, shift = 1, 0
        end = len(self._texts[at].sides.before.lines)
        for index, block in enumerate(file.blocks):
            self._lay_between(at, following, block.old_start - 1, shift, (index == 0, False))
            self._lay_block(at, index, block)
            following = block.old_start + len(block.removed)
            shift = block.new_start + len(block.added) - following
        if file.blocks:
            self._lay_between(at, following, end, shift, (False, True))

    def _lay_between(self, at: int, first: int, last: int, shift: int, edges: tuple[bool, bool]) -> None:
        """Unchanged lines between two blocks, or at the edges of the file; folded in the middle."""
        last = min(last, len(self._texts[at].sides.before.lines))
        head, tail = (0 if edge else CONTEXT for edge in edges)
        count = last - first + 1
        if count <= 0:
            return
        fold = (self._files[at].path, first)
        if count <= head + tail + 1 or fold in self._opened:
            self._add(Section(at, start=first, shift=shift), count)
            return
        if head:
            self._add(Section(at, start=first, shift=shift), head)
        self._add(Section(at, self._fold_line(at, count - head - tail), fold=fold), 1)
        if tail:
            self._add(Section(at, start=last - tail + 1, shift=shift), tail)

    def _fold_line(self, at: int, count: int) -> Line:
        text = f"⋯ {count} unchanged line{'s' if count != 1 else ''}"
        digits = self._texts[at].digits
        pad = digits + 4 if self._look.beside else 2 * digits + 5
        return Line(((text, "faint"),), lead=((" " * pad, ""),))

    def _lay_block(self, at: int, index: int, block: Block) -> None:
        stale, both = self._stale.get(block.id), self._look.beside
        above, below = self._above.get(block.id, ()), self._below.get(block.id, ())
        if stale is not None:
            opened = base_fold(block) in self._opened
            above = (*above, *lines_above(stale, block, both=both, opened=opened))
            below = (*lines_below(stale), *below)
        for line in above:
            self._add(Section(at, line, index), 1)
        count = len(block.removed) + len(block.added)
        rows: Sequence[Row] = ()
        if stale is not None and block.added:
            rows = rows_of(stale, block, both=both, quick=self._quick)
            count = len(rows)
        elif both:
            rows = beside(block.removed, block.added, quick=self._quick)
            count = len(rows)
        self.stops.append(Stop(block.id, at, index, self._count, count))
        self._add(Section(at, None, index, rows=rows), count)
        for line in below:
            self._add(Section(at, line, index), 1)

    # -- Being lines

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Line: ...
    @overload
    def __getitem__(self, index: slice) -> list[Line]: ...
    def __getitem__(self, index: int | slice) -> Line | list[Line]:
        """A line, made now if it has not been."""
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(self._count))]
        if index < 0:
            index += self._count
        line = self._made.get(index)
        if line is None:
            if not 0 <= index < self._count:
                raise IndexError(index)
            if len(self._made) >= _KEPT:
                self._made.clear()
            section, at = self._at(index)
            line = section.line or self._make(section, at)
            self._made[index] = line
        return line

    def forget(self) -> None:
        """Have the lines made anew: their gutters say something else now."""
        self._made.clear()

    def _make(self, section: Section, at: int) -> Line:
        if section.is_header:
            return self._header(section.file)
        if section.block < 0:
            return self._maker.unchanged(section.file, section.start + at, section.shift)
        block = self._files[section.file].blocks[section.block]
        stale = self._stale.get(block.id)
        if section.rows and self._look.beside:
            row, first = section.rows[at], at == 0
            if stale is not None and block.added:
                theirs = stale.lines, stale.overlap.start
                return self._maker.settling(section.file, section.block, row, theirs, first=first)
            return self._maker.beside(section.file, section.block, row, first=first)
        row = row_of(section, at, len(block.removed))
        return self._maker.changed(section.file, section.block, row, first=at == 0)

    def _at(self, index: int) -> tuple[Section, int]:
        at = bisect_right(self._firsts, index) - 1
        return self._sections[at], index - self._firsts[at]

    def file_of(self, file: int) -> FilePatch:
        """A file of the patch."""
        return self._files[file]

    def fold_at(self, index: int) -> Fold | None:
        """The unchanged region that a line stands for."""
        return self._at(index)[0].fold

    def block_at(self, index: int) -> tuple[int, int]:
        """The file and the block that a line belongs to, notes included; -1 for none."""
        section, _ = self._at(index)
        return section.file, section.block

    def folds_by(self, stop: Stop) -> Iterator[Fold]:
        """The unchanged regions before and after a block, shown or not."""
        file = self._files[stop.file]
        if stop.block >= 0:
            before = file.blocks[stop.block - 1] if stop.block else None
            yield file.path, before.old_start + len(before.removed) if before else 1
            block = file.blocks[stop.block]
            yield file.path, block.old_start + len(block.removed)
            if block.id in self._stale:
                yield base_fold(block)

    def every_fold(self) -> Iterator[Fold]:
        """All unchanged regions, shown or not."""
        for file in self._files:
            yield file.path, 1
            for block in file.blocks:
                yield file.path, block.old_start + len(block.removed)
                if block.id in self._stale:
                    yield base_fold(block)

    def places(self, stop: Stop, row: int) -> tuple[int, ...]:
        """Which lines of a block one of its rows shows, the removed ones counted first."""
        if stop.block < 0:
            return ()
        block = self._files[stop.file].blocks[stop.block]
        rows = self._at(stop.first + row)[0].rows
        if not rows:
            return (row,)
        old, new = rows[row]
        if block.id in self._stale and block.added:
            old = None  # on that side stands what the human has now
        both = (old, None if new is None else len(block.removed) + new)
        return tuple(place for place in both if place is not None)

    def text_of(self, index: int) -> str:
        """The text of a line, without making it where that is not needed."""
        line = self._made.get(index)
        if line is None:
            section, at = self._at(index)
            if section.line is None and not section.is_header and not self._look.beside:
                if section.block < 0:
                    return clean(self._texts[section.file].sides.before.lines[section.start + at - 1])
                block = self._files[section.file].blocks[section.block]
                old, new = row_of(section, at, len(block.removed))
                if old is not None:
                    return shown(block.removed[old], block.old_start + old)
                return shown(block.added[new or 0], block.new_start + (new or 0))
            line = self[index]
        return line.text

    # -- Measuring

    def starts(self, width: int) -> list[int]:
        """The row at which each line begins at a width of the view, and one more: how many rows there are."""
        starts = [0]
        at = 0
        rooms = [self._room(file, width) for file in range(len(self._files))]
        ends = chain(self._firsts[1:], (self._count,))
        for section, first, end in zip(self._sections, self._firsts, ends, strict=True):
            if section.line is not None or section.is_header:
                at += len(self[first].rows(width))
                starts.append(at)
                continue
            room, fits = rooms[section.file]
            if self._is_beside_theirs(section):
                # Theirs are no lines of the file as the patch has it: how wide they are is not known.
                starts.extend(islice(accumulate(self._heights(section, 0, room, fits=False), initial=at), 1, None))
            elif fits and not (section.block >= 0 and self._is_marked(section)):
                starts.extend(range(at + 1, at + 1 + end - first))
            else:
                heights = self._heights(section, end - first, room, fits=fits)
                starts.extend(islice(accumulate(heights, initial=at), 1, None))
            at = starts[-1]
        return starts

    def _room(self, file: int, width: int) -> tuple[tuple[int, int], bool]:
        """Cells there are for old lines of a file and for new ones, and whether each line surely fits."""
        of = self._texts[file]
        if self._look.beside:
            left, right = BesideLine.halves(width)
            rooms = max(left - of.digits - GUTTER - 3, 8), max(right - of.digits - 3, 8)
        else:
            rooms = (max(width - 2 * of.digits - GUTTER - 4, 8),) * 2
        return rooms, not self._look.wrap or of.widest <= min(rooms)

    def _is_beside_theirs(self, section: Section) -> bool:
        """Whether a section has the human's own lines on its left."""
        if section.block < 0 or not section.rows or not self._look.beside:
            return False
        return self._files[section.file].blocks[section.block].id in self._stale

    def _is_marked(self, section: Section) -> bool:
        """Whether something is said at the end of a line of a block, for which there has to be room, too."""
        if not self._look.wrap:
            return False
        block = self._files[section.file].blocks[section.block]
        if block.old_start == 1 or block.new_start == 1:
            return True
        return any(lines and lines[-1][-1:] != "\n" for lines in (block.removed, block.added))

    def _heights(self, section: Section, count: int, rooms: tuple[int, int], *, fits: bool) -> Iterable[int]:
        """Rows of each line of a section. Where every line fits, what is said at the end of some may still not."""
        if section.block < 0:
            lines = self._texts[section.file].sides.before.lines
            room = min(rooms)
            return (height(line, room) for line in lines[section.start - 1 : section.start - 1 + count])
        block = self._files[section.file].blocks[section.block]

        def changed(line: str, number: int, room: int) -> int:
            # Most lines end as most do; what is said at the end of the others makes them longer.
            if line[-1:] == "\n" and number != 1 and line[-2:-1] != "\r":
                return 1 if fits else height(line[:-1], room)
            text = shown(line, number) + self._maker.mark(block, line, number)
            return len(breaks(text, room, words=False))

        left, start = block.removed, block.old_start
        if (stale := self._stale.get(block.id)) is not None and block.added and self._look.beside:
            left, start = stale.overlap.theirs, stale.overlap.start
        removed = [changed(line, number, rooms[0]) for number, line in enumerate(left, start)]
        added = [changed(line, number, rooms[1]) for number, line in enumerate(block.added, block.new_start)]
        if not self._look.beside:
            return added if section.rows else chain(removed, added)
        return (max(1 if old is None else removed[old], 1 if new is None else added[new]) for old, new in section.rows)
