"""Which requests in the code somebody has just written: compared by what they say, never by where they stand."""

from __future__ import annotations

import difflib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from agent_core.comments.find import Request, lines_of, may_hold, request_of, requests
from agent_core.comments.removal import without
from agent_core.events import Marker

MOST = 20
"""So many requests at once are taken up."""


class Saved(msgspec.Struct, frozen=True):
    """A file that a human saved.

    Attributes:
        path: The file.
        file: Hash of its content now; empty where it is gone.
        old: Its content before; empty where there was none.
        new: Its content now, likewise.
        origin: What it held before they began to write in it: a comment may be saved while it is being written.
    """

    path: str
    file: str
    old: bytes
    new: bytes
    origin: bytes


class News(msgspec.Struct, frozen=True):
    """What came of some saves.

    Attributes:
        markers: The requests that are new, in the order of the files.
        left: How many there were beyond `MOST`.
        gone: Files from which the human took a request out.
        only: Files in which nothing but these requests is new.
    """

    markers: tuple[Marker, ...]
    left: int
    gone: tuple[str, ...]
    only: tuple[str, ...]


def news(saves: Sequence[Saved]) -> News:
    """The requests that are new by some saves of the same moment.

    One that went from one of the files to another, or from one line to another, is not new; one that says something
    else than before is.
    """
    before = {save.path: requests(save.old, save.path) if may_hold(save.old) else [] for save in saves}
    after = {save.path: requests(save.new, save.path) if may_hold(save.new) else [] for save in saves}
    missing: Counter[tuple[str, ...]] = Counter()
    come: list[tuple[Saved, Request]] = []
    gone = []
    for save in saves:
        had, has = _keys(before[save.path]), _keys(after[save.path])
        if lost := had - has:
            missing += lost
            gone.append(save.path)
        by_key: defaultdict[tuple[str, ...], list[Request]] = defaultdict(list)
        for one in after[save.path]:
            by_key[one.key].append(one)
        for key, count in (has - had).items():
            come += [(save, one) for one in _changed_first(save, by_key[key])[:count]]
    found: list[Marker] = []
    left = 0
    for save, one in sorted(come, key=lambda pair: (pair[0].path, pair[1].comments[0].line)):
        if missing[one.key]:
            missing[one.key] -= 1
        elif len(found) < MOST:
            found.append(_own(save, one).marker(save.path, save.file))
        else:
            left += 1
    only = tuple(save.path for save in saves if _nothing_else(save, [one for one in found if one.path == save.path]))
    return News(tuple(found), left, tuple(gone), only)


def _nothing_else(save: Saved, found: Sequence[Marker]) -> bool:
    """Whether a file is, but for some requests, as it was before the human began to write; blanks apart."""
    return bool(found) and without(save.new, save.path, found)[0].split() == save.origin.split()


def _keys(found: Iterable[Request]) -> Counter[tuple[str, ...]]:
    return Counter(one.key for one in found)


def _changed_first(save: Saved, same: list[Request]) -> list[Request]:
    """Requests that say the same, those first whose lines were changed."""
    if len(same) < 2:
        return same
    old, new = lines_of(save.old), lines_of(save.new)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False) if len(old) + len(new) < 4000 else None
    changed = (
        set()
        if matcher is None
        else {line for tag, _, _, start, end in matcher.get_opcodes() if tag != "equal" for line in range(start, end)}
    )
    return sorted(same, key=lambda one: all(comment.line not in changed for comment in one.comments))


def _own(save: Saved, request: Request) -> Request:
    """A request without the comments around it that had been there before the human began to write."""
    if len(request.comments) == 1:
        return request
    there = {line.strip() for line in lines_of(save.origin)}
    lines = lines_of(save.new)
    first, last = request.marked[0], request.marked[-1]
    while first > 0 and lines[request.comments[first - 1].line].strip() not in there:
        first -= 1
    while last + 1 < len(request.comments) and lines[request.comments[last + 1].line].strip() not in there:
        last += 1
    return request_of(request.comments[first : last + 1])
