"""An edit in a few lines: what changed, with a line around it, bounded, and without the secrets in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from agent_core.patch.encoding import readable
from agent_core.patch.line_diff import Change, changed_ranges
from agent_core.text import cap_text

_DIFF_TOKENS = 600
_AROUND = 1
_ONLY_SECRETS = "(only what looks like a secret differs)"
_LONG_LINE = 2000


def compact_diff(path: str, old: bytes | None, new: bytes | None, mask: Callable[[str], str] = str) -> str:
    """A unified diff with one line around each change, cut in its middle where it is long.

    Args:
        path: The file.
        old: Its bytes before, none where there was no file; None where they are not known.
        new: Its bytes afterwards.
        mask: Takes secrets out of a text, and leaves its lines where they are.

    Returns:
        Empty when a side is binary or not known.
    """
    texts = [None if side is None else readable(side) for side in (old, new)]
    if texts[0] is None or texts[1] is None:
        return ""
    # Masked as a whole: of a key that is cut, or of which a hunk shows the middle, nothing tells what it is.
    before, after = (mask(text).splitlines() for text in texts if text is not None)
    changes = changed_ranges(before, after)
    head = [f"--- a/{path}", f"+++ b/{path}"]
    if not changes:
        return "\n".join([*head, _ONLY_SECRETS]) if texts[0].splitlines() != texts[1].splitlines() else ""
    lines = [*head, *_hunks(changes, before, after)]
    return cap_text("\n".join(line[:_LONG_LINE] for line in lines), _DIFF_TOKENS)


def _hunks(changes: Sequence[Change], old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    group: list[Change] = []
    for change in changes:
        if group and change[0] - group[-1][1] > 2 * _AROUND:
            yield from _hunk(group, old, new)
            group = []
        group.append(change)
    yield from _hunk(group, old, new)


def _hunk(group: Sequence[Change], old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    before = min(group[0][0], group[0][2], _AROUND)
    after = min(len(old) - group[-1][1], len(new) - group[-1][3], _AROUND)
    start, end = group[0][0] - before, group[-1][1] + after
    yield f"@@ -{_range(start, end)} +{_range(group[0][2] - before, group[-1][3] + after)} @@"
    at = start
    for old_start, old_end, new_start, new_end in group:
        yield from (f" {line}" for line in old[at:old_start])
        yield from (f"-{line}" for line in old[old_start:old_end])
        yield from (f"+{line}" for line in new[new_start:new_end])
        at = old_end
    yield from (f" {line}" for line in old[at:end])


def _range(start: int, end: int) -> str:
    """A run of lines as unified diffs name it."""
    count = end - start
    return f"{start + 1}" if count == 1 else f"{start + 1 if count else start},{count}"
