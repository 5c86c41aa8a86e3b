"""Hunks without a format, for tests: from lines with signs, from two texts, and as weak models retype them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agent_core.patch.diff import make_blocks, split_lines
from agent_core.patch.fit import Fitted, fit
from agent_core.patch.operations import Hunk, HunkLine, Sign
from agent_core.patch.place import Place, Unplaced

Retype = Callable[[HunkLine], HunkLine]


def hunk(*lines: str, number: int = 1, anchors: tuple[str, ...] = (), old_start: int | None = None) -> Hunk:
    """A hunk of lines that begin with their signs."""
    signed = []
    for line in lines:
        assert line[0] in " -+"
        sign: Sign = "+" if line[0] == "+" else "-" if line[0] == "-" else " "
        signed.append(HunkLine(sign, line[1:]))
    return Hunk(tuple(signed), number, anchors, old_start=old_start)


def between(old: str, new: str, context: int) -> list[Hunk]:
    """The hunks from one text to another, one a block."""
    lines = [line.removesuffix("\n") for line in split_lines(old)]
    hunks: list[Hunk] = []
    for block in make_blocks("f", old.encode(), new.encode()):
        first, last = block.old_start - 1, block.old_start - 1 + len(block.removed)
        start = max(first - context, 0)
        signed = [HunkLine(" ", line) for line in lines[start:first]]
        signed += [HunkLine("-", line.removesuffix("\n")) for line in block.removed]
        signed += [HunkLine("+", line.removesuffix("\n")) for line in block.added]
        signed += [HunkLine(" ", line) for line in lines[last : last + context]]
        hunks.append(Hunk(tuple(signed), len(hunks) + 1, old_start=start + 1))
    return hunks


def retyped(hunks: Sequence[Hunk], how: Retype) -> list[Hunk]:
    """Hunks with every line written otherwise."""
    return [Hunk(tuple(map(how, hunk.lines)), hunk.number, hunk.anchors, hunk.at_end) for hunk in hunks]


def unnumbered(hunks: Sequence[Hunk]) -> list[Hunk]:
    """Hunks without their line numbers."""
    return retyped(hunks, lambda line: line)


def result(text: str, *hunks: Hunk, ordered: bool = True) -> str:
    """What becomes of a text; all hunks have to have their places."""
    fitted = fit(text, hunks, ordered=ordered)
    assert fitted.text is not None, reasons(fitted)
    return fitted.text


def reasons(fitted: Fitted) -> list[str]:
    """Why hunks have no place."""
    return [answer.reason for answer in fitted.answers if isinstance(answer, Unplaced)]


def refusal(text: str, *hunks: Hunk, ordered: bool = True) -> str:
    """Why the only hunk without a place has none."""
    fitted = fit(text, hunks, ordered=ordered)
    assert fitted.text is None
    (reason,) = reasons(fitted)
    return reason


def the_place(text: str, one: Hunk) -> Place:
    """Where the only hunk goes."""
    (answer,) = fit(text, [one]).answers
    assert isinstance(answer, Place), answer
    return answer
