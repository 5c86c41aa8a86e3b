"""Reading SEARCH/REPLACE blocks, the patch format Aider teaches its models.

Source: Aider-AI/aider (Apache-2.0), ``aider/coders/editblock_prompts.py`` and ``editblock_coder.py``::

    block:    path LF fence? head line* divider line* tail fence?
    head:     "<<<<<<< SEARCH" LF          five to nine "<"
    divider:  "=======" LF                 five to nine "="
    tail:     ">>>>>>> REPLACE" LF         five to nine ">"

The lines above the divider are replaced by those below it. None above it: a new file. None below: the lines go.

Read leniently, where only one reading makes sense:

- the path before the fence, inside of it, behind its opening marks, or right above the marker, decorated in many ways
  (`agent_core.patch.path_line`); said once for several blocks; any fence or none; a block that is indented; CRLF;
- no ``>>>>>>> REPLACE`` before the next block, or before the end of the fence where there is only one such end;
- several lines like the divider: the one that is as long as both other markers; those inside a merge conflict that is
  content are content. What is left undecided by that is refused;
- a line of nothing but ``...`` stands for lines left out, if there are as many on both sides. In Python such a line is
  code too: it is taken for that as the whole body of what stands above it, and where there are fewer of them below the
  divider or new ones among lines that are only added.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from agent_core.errors import PatchRefusedError
from agent_core.patch.find_blocks import divider_width, head_width, tail_width
from agent_core.patch.line_diff import changed_ranges
from agent_core.patch.operations import AddFile, Hunk, HunkLine, Operation, UpdateFile
from agent_core.patch.patch_lines import Line, closes_fence, fence_mark, refused
from agent_core.patch.path_line import path_of

BLOCK_SHAPE = (
    "Write the file's path on a line of its own, then '<<<<<<< SEARCH', the lines as the file has them, '=======', "
    "the new lines, '>>>>>>> REPLACE'."
)
_CONFLICT = re.compile(r"(?:<{7}|>{7})(?: (?!SEARCH|REPLACE)|$)")


def parse_blocks(lines: Sequence[Line], path: str, fence: str, *, closed: bool) -> tuple[Operation, ...]:
    """Parse what stands in one place: a block, or several when all but the last have lost their last line.

    Args:
        lines: The lines, from the first marker on.
        path: The file they are for.
        fence: The marks of the fence they stand in, empty without one.
        closed: The last one ends where `lines` do, also without its ``>>>>>>> REPLACE``.

    Returns:
        One operation a block; `join_blocks` makes one a file of them.

    Raises:
        PatchRefusedError: It cannot be read; the message names the line and what to write instead.
    """
    width = head_width(lines[0].text)
    starts = [at for at, line in enumerate(lines) if head_width(line.text) == width]
    found: list[Operation] = []
    for start, end in itertools.pairwise([*starts, len(lines)]):
        block, following = list(lines[start:end]), ""
        if end < len(lines):
            block, following = _cut(block, fence)
        elif not closed and not tail_width(block[-1].text):
            raise refused(lines[start], f"begins a block that has no end. {_tail(width)} after its new lines.")
        found.append(_parse_block(block, path))
        path = following or path
    return tuple(found)


def join_blocks(operations: Sequence[Operation]) -> list[Operation]:
    """Make one operation of the blocks of one file that follow each other."""
    joined: list[Operation] = []
    for operation in operations:
        last = joined[-1] if joined else None
        if (
            isinstance(operation, UpdateFile)
            and isinstance(last, UpdateFile)
            and not (operation.ordered or last.ordered)
            and last.path == operation.path
        ):
            hunks = last.hunks + operation.hunks
            joined[-1] = UpdateFile(last.path, None, hunks, last.number, ordered=False)
        else:
            joined.append(operation)
    return joined


def _tail(width: int) -> str:
    return f"Write '{'>' * width} REPLACE'"


def _cut(block: list[Line], fence: str) -> tuple[list[Line], str]:
    """A block without last line that another one follows, without what belongs to that one, and the other's path."""
    width = head_width(block[0].text)
    closing = [at for at, line in enumerate(block) if closes_fence(line.text, fence)]
    if len(closing) > 1 and not any(line.text.strip() for line in block[closing[-1] + 1 :]):
        # It opens the fence of the block that follows.
        closing.pop()
    rest = [line.text for line in block[closing[-1] + 1 :] if not fence_mark(line.text)] if closing else []
    named = [found for text in rest if (found := path_of(text))]
    other = [text for text in rest if text.strip() and not path_of(text)]
    if len(closing) == 1 and not other and len(named) < 2:
        return block[: closing[0]], named[0].path if named else ""
    last = next((line for line in reversed(block) if line.text.strip()), block[0])
    name = path_of(last.text)
    if closing or (name is not None and name.plain):
        raise refused(block[0], f"begins a block whose end cannot be told. {_tail(width)} after its new lines.")
    return block, ""


def _parse_block(block: list[Line], path: str) -> Operation:
    head = block[0]
    indent = head.text[: len(head.text) - len(head.text.lstrip())]
    if indent and all(line.text.startswith(indent) or not line.text.strip() for line in block):
        block = [Line(line.number, line.text[len(indent) :]) for line in block]
    width, tail = head_width(head.text), tail_width(block[-1].text)
    inner = block[1:-1] if tail and len(block) > 1 else block[1:]
    at = _divider(head, inner, width, tail or width)
    search = [line.text for line in inner[:at]]
    replace = [line.text for line in inner[at + 1 :]]
    if not any(text.strip() for text in search):
        return AddFile(path, "".join(f"{text}\n" for text in replace), head.number)
    if search == replace:
        raise refused(
            head, "begins a block that changes nothing. Write the new lines below '=======', or leave it out."
        )
    return UpdateFile(path, None, tuple(_hunks(head, search, replace)), head.number, ordered=False)


def _divider(head: Line, inner: Sequence[Line], width: int, tail: int) -> int:
    """Which line parts the two sides."""
    every = [at for at, line in enumerate(inner) if divider_width(line.text)]
    inside = _in_conflicts(inner) if len(every) > 1 else set()
    places = [at for at in every if at not in inside]
    if not places:
        raise refused(
            head, f"begins a block without a '{'=' * width}' line. Write it between the old lines and the new ones."
        )
    alike = [at for at in places if divider_width(inner[at].text) == width == tail]
    if len(alike) == 1 or len(places) == 1:
        at = (alike if len(alike) == 1 else places)[0]
        above = inner[at - 1].text.strip() if at else ""
        if alike or len(above) != divider_width(inner[at].text):
            return at
    numbers = ", ".join(str(inner[at].number) for at in places)
    more = next((n for n in (9, 8, 7, 6, 5) if n not in {divider_width(line.text) for line in inner}), 9)
    raise refused(
        head,
        f"begins a block in which more than one line may be the divider (lines {numbers}). Write all three markers of "
        f"this block with {more} characters, such as '{'=' * more}', or choose lines that have none like it.",
    )


def _in_conflicts(inner: Sequence[Line]) -> set[int]:
    """The lines that stand in the middle of a merge conflict that is content."""
    marks = [(at, line.text[0]) for at, line in enumerate(inner) if _CONFLICT.match(line.text)]
    pairs = itertools.pairwise(marks)
    return {at for (start, mark), (end, other) in pairs if mark + other == "<>" for at in range(start, end)}


def _hunks(head: Line, search: Sequence[str], replace: Sequence[str]) -> list[Hunk]:
    """The hunks of a block: one, or one a stretch between lines that are left out."""
    old, new = _elided(head, search, replace)
    found: list[Hunk] = []
    for before, after in zip(_stretches(search, old), _stretches(replace, new), strict=True):
        if not any(text.strip() for text in before):
            if before != after:
                raise refused(
                    head, "begins a block whose new lines beside '...' have no place. Give the lines around them."
                )
            continue
        lines = _signed(before, after)
        slack = 0
        while lines[-1 - slack].sign == " " and not lines[-1 - slack].text.strip():
            slack += 1
        found.append(Hunk(tuple(lines), head.number, slack=slack))
    if not any(line.sign != " " for hunk in found for line in hunk.lines):
        raise refused(
            head, "begins a block that changes nothing. Write the new lines below '=======', or leave it out."
        )
    return found


def _signed(before: Sequence[str], after: Sequence[str]) -> list[HunkLine]:
    lines: list[HunkLine] = []
    at = 0
    for a, b, c, d in changed_ranges(before, after):
        lines += [HunkLine(" ", text) for text in before[at:a]]
        lines += [HunkLine("-", text) for text in before[a:b]]
        lines += [HunkLine("+", text) for text in after[c:d]]
        at = b
    return lines + [HunkLine(" ", text) for text in before[at:]]


def _stretches(lines: Sequence[str], elisions: Sequence[int]) -> list[Sequence[str]]:
    """The lines between those that stand for others."""
    bounds = [-1, *elisions, len(lines)]
    return [lines[start + 1 : end] for start, end in itertools.pairwise(bounds)]


def _elided(head: Line, search: Sequence[str], replace: Sequence[str]) -> tuple[list[int], list[int]]:
    """Which ``...`` lines of both sides stand for lines left out."""
    old = [at for at, text in enumerate(search) if text.strip() == "..."]
    new = [at for at, text in enumerate(replace) if text.strip() == "..."]
    if len(old) == len(new):
        pairs = [(a, b) for a, b in zip(old, new, strict=True) if not (_is_body(search, a) and _is_body(replace, b))]
        return [a for a, _ in pairs], [b for _, b in pairs]
    if len(old) < len(new):
        # A line that stands for others would lose them; one that is code does not stand where lines go.
        lost = [(c, d) for a, b, c, d in changed_ranges(search, replace) if b > a]
        if any(c <= at < d for at in new for c, d in lost):
            raise refused(
                head,
                "begins a block with a '...' line below '=======' that has no partner above it. Write the lines "
                "themselves, or the same '...' line on both sides for lines that stay.",
            )
    return [], []


def _is_body(lines: Sequence[str], at: int) -> bool:
    """Whether a ``...`` line is code: the whole body of a Python function or class."""
    above = next((text for text in reversed(lines[:at]) if text.strip()), "")
    below = next((text for text in lines[at + 1 :] if text.strip()), "")
    depth = _depth(lines[at])
    return above.rstrip().endswith(":") and _depth(above) < depth and (not below or _depth(below) < depth)


def _depth(text: str) -> int:
    return len(text) - len(text.lstrip())


def no_path(line: Line) -> PatchRefusedError:
    """The refusal of a block for which no path is found."""
    return refused(
        line,
        "begins a block without a path. Write the file's path, relative to the project, alone on the line above it, "
        "also where the file is the same as before but another one has been spoken of since.",
    )
