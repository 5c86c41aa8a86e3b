"""Putting all hunks of one file into its text: found, or refused with the reasons, and never in part.

Hunks that a format promises to stand from top to bottom are all about the file as it is. Where it does not
(SEARCH/REPLACE blocks) a hunk may also build on what the hunks before it made: its lines are looked for in the text
with these applied, and there again they must stand in one place.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from agent_core.patch.document import Document
from agent_core.patch.levels import EXACT, SPACELESS
from agent_core.patch.locate import candidates, leading, locate, several
from agent_core.patch.operations import Hunk
from agent_core.patch.order import changes_nothing
from agent_core.patch.place import Edit, Place, Spot, Unplaced, settle
from agent_core.patch.rebuild import rebuild

# Each block that may build on another is looked up in a text of its own: so many characters all of them.
_MOST_WORK = 200_000_000


class Fitted(msgspec.Struct, frozen=True):
    """What becomes of hunks in a text.

    Attributes:
        text: The text with all of them in it; None when one has no place.
        answers: For each hunk its place, or why it has none.
    """

    text: str | None
    answers: tuple[Place | Unplaced, ...]


def fit(text: str, hunks: Sequence[Hunk], *, ordered: bool = True) -> Fitted:
    """Put hunks into a text.

    Args:
        text: The file's text.
        hunks: The hunks, as the patch has them.
        ordered: They are promised to stand from top to bottom.

    Returns:
        The text with all of them, or the refusals. The places of a hunk that builds on another are counted in the
        text in which it was found.
    """
    document = Document(text, len(hunks))
    answers = locate(document, hunks, ordered=ordered)
    places = [answer for answer in answers if isinstance(answer, Place)]
    whole = len(places) == len(hunks)
    if ordered or (whole and _apart(document, hunks, places)):
        return Fitted(rebuild(document, places) if whole else None, answers)
    if len(text) * len(hunks) > _MOST_WORK:
        many = Unplaced("may build on one of the many blocks above it. Send fewer blocks for this file at once.")
        return Fitted(None, tuple(many if isinstance(answer, Place) else answer for answer in answers))
    return _Succession(document, hunks).fit(answers)


def _apart(document: Document, hunks: Sequence[Hunk], places: Sequence[Place]) -> bool:
    """Whether no hunk can stand in what the hunks before it made, as far as its lines alone tell."""
    made: set[str] = set()
    for hunk, place in zip(hunks, places, strict=True):
        if any(line.sign != "+" and SPACELESS.key(line.text) in made for line in hunk.lines):
            return False
        for edit in place.edits:
            made.update(SPACELESS.key(line.text) for line in edit.lines)
            # Lines that come together where others went make a run that was not there before.
            made.update(map(SPACELESS.key, document.lines[max(edit.start - 1, 0) : edit.start]))
    return True


class _Succession:
    """Puts in one hunk after the other, each into the text that the ones before have left."""

    def __init__(self, document: Document, hunks: Sequence[Hunk]) -> None:
        self._now = document
        self._hunks = hunks
        self._edits: list[Edit] = []
        self._made: list[tuple[int, int]] = []

    def fit(self, answers: Sequence[Place | Unplaced]) -> Fitted:
        """Put all of them in.

        Args:
            answers: Where each of them stands in the text as it was at first.
        """
        settled: list[Place | Unplaced] = []
        for number, answer in enumerate(answers):
            found = self._now_at(number, answer)
            # Where it is the same place, it is told as in the file.
            same = isinstance(answer, Place) and isinstance(found, Place) and found.level == answer.level
            settled.append(answer if same else found)
            if isinstance(found, Place):
                self._put(found)
        whole = all(isinstance(answer, Place) for answer in settled)
        return Fitted(self._now.bom + self._now.body if whole else None, tuple(settled))

    def _now_at(self, number: int, answer: Place | Unplaced) -> Place | Unplaced:
        """Where a hunk stands in the text as it is now."""
        moved = self._moved(answer) if isinstance(answer, Place) else None
        if not self._edits or changes_nothing(self._hunks[number]):
            return moved or answer
        last = number == len(self._hunks) - 1
        above = leading(self._hunks, number)
        spots = candidates(self._now, self._hunks[number], above=above, last=last, lenient=False)
        if isinstance(spots, Unplaced):
            return moved or (answer if isinstance(answer, Unplaced) else spots)
        if moved is None:
            return (
                settle(self._now, spots[0]) if len(spots) == 1 else Unplaced(several(self._now, spots, ordered=False))
            )
        made = [spot for spot in spots if spot.core != moved.core and self._is_made(spot)]
        if made:
            return Unplaced(
                f"matches at line {moved.start + 1}, and at line {made[0].start + 1} in what a hunk before it makes "
                "(lines counted with that in place). Give more context lines so that only one place is meant."
            )
        here = next((spot for spot in spots if spot.core == moved.core), None)
        return moved if here is None else self._as_written(moved, here)

    def _as_written(self, moved: Place, here: Spot) -> Place | Unplaced:
        """A hunk at one place in the first text and in this one: as it is in the one that it was made for."""
        now = settle(self._now, here)
        if moved.level == EXACT.name or (isinstance(now, Place) and now.edits == moved.edits):
            return moved
        if here.level is EXACT:
            return now
        return Unplaced(
            "its new lines would be indented otherwise in the file than in what a hunk before it makes of it. "
            "Copy the lines from the file, with their indentation."
        )

    def _is_made(self, spot: Spot) -> bool:
        """Whether some of what stands at a spot was not there, or not together, before."""
        return any(start < spot.end and spot.start < end for start, end in self._made)

    def _moved(self, place: Place) -> Place | None:
        """A place of the first text in the text as it is now; None when it has been changed since."""
        edits = []
        for edit in place.edits:
            start, end = edit.start, edit.end
            for earlier in self._edits:
                if start < earlier.end and earlier.start < end:
                    return None
                if start >= earlier.end:
                    more = len(earlier.lines) - (earlier.end - earlier.start)
                    start, end = start + more, end + more
            edits.append(Edit(start, end, edit.lines))
        if not edits:
            return place
        by = edits[0].start - place.edits[0].start
        end = place.end + edits[-1].end - place.edits[-1].end
        return msgspec.structs.replace(place, start=place.start + by, end=end, edits=tuple(edits))

    def _put(self, place: Place) -> None:
        """Put a hunk into the text; its edits are noted from the last to the first, so that each counts by itself."""
        if not place.edits:
            return
        self._now = Document(rebuild(self._now, [place]), len(self._hunks))
        for edit in reversed(place.edits):
            more = len(edit.lines) - (edit.end - edit.start)
            self._made = [_after(made, edit, more) for made in self._made]
            self._made.append((edit.start, edit.start + len(edit.lines)))
            self._edits.append(edit)


def _after(made: tuple[int, int], edit: Edit, more: int) -> tuple[int, int]:
    """A range of lines after an edit, with what the edit makes of it."""
    start, end = made
    if start >= edit.end:
        return start + more, end + more
    if end <= edit.start:
        return made
    return min(start, edit.start), max(end, edit.end) + more
