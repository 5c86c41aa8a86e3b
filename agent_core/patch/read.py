"""Reading a patch in whatever format a model wrote it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent_core.errors import PatchRefusedError
from agent_core.patch.find import Found, find_regions
from agent_core.patch.find_blocks import head_width, is_crowded_head, tail_width
from agent_core.patch.find_envelope import BEGIN, END, HEADERS, is_header, is_marker
from agent_core.patch.formats import Format, Reading
from agent_core.patch.operations import Operation
from agent_core.patch.parse_blocks import BLOCK_SHAPE, join_blocks, no_path, parse_blocks
from agent_core.patch.parse_envelope import ENVELOPE_SHAPE, parse_envelope
from agent_core.patch.parse_unified import DIFF_SHAPE, is_bare, parse_unified
from agent_core.patch.patch_lines import Line, fence_mark, heredoc_word, refused, short, split_patch
from agent_core.patch.walk import FORMATS
from agent_core.patch.whole import WHOLE_SHAPE, parse_whole

_ENVELOPE: tuple[Format, ...] = ("envelope",)
_HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@")
# What cannot be a bullet point or a number: a line of a hunk that has come off it.
_SIGNED = re.compile(r"[+-](?![\s+-]|\d+\b)\S|[+-] {2,}\S|@@(?:\s|$)")


def read_patch(text: str, form: Format | None = None) -> Reading:
    """Read a patch.

    Args:
        text: The patch; prose, fences or a here-document may be around it. Several patches count as one, in their
            order.
        form: Its format; found out when not given.

    Returns:
        What it asks for.

    Raises:
        PatchRefusedError: It cannot be read, or not without leaving out what looks like a part of it. The message
            names the line and says what would be right.
    """
    lines = split_patch(text)
    forms = FORMATS if form is None else (form,)
    found, words = find_regions(lines, forms)
    if not found:
        whole = parse_whole(lines) if form in {None, "whole"} else ()
        return Reading("whole", whole) if whole else _unwrapped(lines, forms)
    _check_words(words, found, forms)
    bare = any(patch.format == "unified" and is_bare(patch.body) for patch in found)
    operations: list[Operation] = []
    for patch in found:
        if patch.format == "envelope":
            operations += parse_envelope(patch.body)
        elif patch.format == "blocks":
            operations += parse_blocks(patch.body, patch.region.path, patch.region.fence, closed=patch.closed)
        else:
            operations.append(parse_unified(patch.body, bare=bare))
    return Reading(found[0].format, tuple(join_blocks(operations)), _notes(found))


def _notes(found: Sequence[Found]) -> tuple[str, ...]:
    formats = dict.fromkeys(patch.format for patch in found)
    return (f"It mixes formats: {', '.join(formats)}.",) if len(formats) > 1 else ()


def _check_words(words: Sequence[Line], found: Sequence[Found], forms: Sequence[Format]) -> None:
    """Refuse to pass over what looks like a part of the patch."""
    for line in words:
        text = line.text
        if "blocks" in forms and head_width(text) and text[0] == "<":
            raise no_path(line)
        if "blocks" in forms and is_crowded_head(text):
            raise _crowded(line)
        if "blocks" in forms and tail_width(text) and text[0] == ">":
            raise refused(line, f"ends a block that has no beginning. {BLOCK_SHAPE}")
        if "envelope" in forms and text[:1] == "*" and (is_marker(text, BEGIN) or is_header(text)):
            raise refused(line, f"stands outside of the patch. {ENVELOPE_SHAPE}")
        if "envelope" in forms and text[:1] == "*" and is_marker(text, END):
            raise refused(line, "ends a patch that has no beginning. Begin every line of a hunk with ' ', '-' or '+'.")
        if "unified" in forms and _HUNK.match(text):
            raise refused(line, f"begins a hunk that belongs to no file. {DIFF_SHAPE}")
    _check_leftovers(words, found)


def _check_leftovers(words: Sequence[Line], found: Sequence[Found]) -> None:
    """Refuse lines of a hunk behind a diff's end, which a line without a sign has cut off."""
    ends = {patch.body[-1].number: patch.body[-1] for patch in found if patch.format == "unified"}
    if not ends:
        return
    borders = {**{patch.body[0].number: patch.body[0] for patch in found}, **ends}
    cut: Line | None = None
    inside = False
    for line in sorted((*words, *borders.values())):
        if line.number in borders:
            cut = None
            inside = line.number in ends
            continue
        if inside and cut is None and line.text.strip():
            cut = line
        if inside and cut is not None and _SIGNED.match(line.text):
            raise refused(
                line,
                f"looks like a line of the hunk above, which has ended before line {cut.number}. Begin every line of a "
                "hunk with ' ', '-' or '+', or leave out what does not belong to it.",
            )


def _unwrapped(lines: Sequence[Line], forms: Sequence[Format]) -> Reading:
    """Read what has lost its first line, or say what is wrong with it."""
    if "envelope" in forms:
        bare = _bare_envelope(lines)
        if bare is not None:
            return Reading("envelope", parse_envelope(bare))
    for line in lines:
        if "blocks" in forms and head_width(line.text):
            raise no_path(line)
        if "blocks" in forms and is_crowded_head(line.text):
            raise _crowded(line)
        if "unified" in forms and _HUNK.match(line.text):
            raise refused(line, f"begins a hunk that belongs to no file. {DIFF_SHAPE}")
        if "unified" in forms and line.text.startswith(("diff --git ", "+++ ")):
            raise refused(line, f"begins a diff without a hunk. {DIFF_SHAPE}")
    if len(forms) == 1:
        shape = {"envelope": ENVELOPE_SHAPE, "blocks": BLOCK_SHAPE, "unified": DIFF_SHAPE, "whole": WHOLE_SHAPE}[
            forms[0]
        ]
        raise PatchRefusedError(f"This is not a patch in the format asked for ({forms[0]}).", shape)
    raise PatchRefusedError(
        "This is not a patch: there is no line '*** Begin Patch'.",
        f"{ENVELOPE_SHAPE} SEARCH/REPLACE blocks below a file's path and unified diffs with '---' and '+++' lines are "
        "taken too.",
    )


def _crowded(line: Line) -> PatchRefusedError:
    return refused(line, f"has more on it than the marker. {BLOCK_SHAPE}")


def _bare_envelope(lines: Sequence[Line]) -> tuple[Line, ...] | None:
    """The lines of an envelope that begins with a file's header; None when there is none."""
    begin = next((at for at, line in enumerate(lines) if is_marker(line.text, BEGIN)), None)
    if begin is not None:
        line = next((line for line in lines[begin + 1 :] if line.text.strip()), None)
        if line is None or is_marker(line.text, END):
            raise PatchRefusedError(f"The patch is empty: after '*** Begin Patch' comes {HEADERS}.", ENVELOPE_SHAPE)
        message = f"Line {line.number} of the patch, {short(line.text)}, is not a file header."
        raise PatchRefusedError(message, f"After '*** Begin Patch' comes {HEADERS}.")
    start = next((at for at, line in enumerate(lines) if is_header(line.text)), None)
    if start is None or any(_is_words(line.text) for line in lines[:start]):
        return None
    indent = lines[start].text[: len(lines[start].text) - len(lines[start].text.lstrip())]
    begun = [*lines[:start], Line(lines[start].number, f"{indent}*** Begin Patch"), *lines[start:]]
    found, words = find_regions(begun, _ENVELOPE)
    _check_words(words, found, _ENVELOPE)
    return found[0].body


def _is_words(text: str) -> bool:
    return bool(text.strip()) and not fence_mark(text) and not heredoc_word(text)
