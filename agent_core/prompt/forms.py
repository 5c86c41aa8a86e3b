"""What a partner is told of the form of its patches, when it cannot write them in the one it was taught.

The instructions teach the envelope and never change. A partner whose patches cannot be read or placed is told of
another form at the end of the conversation, shown on what it seems to have meant: SEARCH/REPLACE blocks, in which no
line carries a sign, then whole files, in which nothing has to be found.
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from agent_core.conversation import Item, UserItem
from agent_core.errors import PatchRefusedError
from agent_core.patch.arguments import whole_file
from agent_core.patch.encoding import text_of
from agent_core.patch.operations import AddFile, Hunk, UpdateFile, WriteFile
from agent_core.patch.read import read_patch
from agent_core.text import estimate_tokens

Form = Literal["envelope", "blocks", "whole"]

_BLOCKS = "[From now on write a change as a SEARCH/REPLACE block below the path of its file, in your answer."
_WHOLE = "[From now on send whole files: in your answer the path of the file, and below it all of its new text."
_ENVELOPE = "[From now on write changes as patches between '*** Begin Patch' and '*** End Patch'."
_HEADS: dict[str, Form] = {_BLOCKS: "blocks", _WHOLE: "whole", _ENVELOPE: "envelope"}
_MOST_LINES = 12
_AROUND = 2
_MOST_LOOKED_AT = 2_000
_ALIKE = 0.6
EXAMPLE = "greet.py"
"""The file of the examples, which small models take for one of the project's."""
_EXAMPLE = (
    f'{EXAMPLE}\n<<<<<<< SEARCH\n    return "Bye, " + name\n=======\n    return "Hello, " + name\n>>>>>>> REPLACE\n'
)
_ENVELOPE_EXAMPLE = (
    f'*** Begin Patch\n*** Update File: {EXAMPLE}\n@@ def greet(name):\n-    return "Bye, " + name\n'
    '+    return "Hello, " + name\n*** End Patch\n'
)

Read = Callable[[str], bytes | None]


class Meant(msgspec.Struct, frozen=True):
    """What a patch that was not taken seems to have meant, of one file.

    Attributes:
        path: The file; empty where that is not known.
        old: Lines that were to go or to stay.
        new: Lines that were to stand there.
        adds: The file was to be new, as far as can be told.
    """

    path: str = ""
    old: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    adds: bool = False


def form_in(items: Sequence[Item]) -> Form | None:
    """The form that a partner was told of last; None where it was told of none."""
    for item in reversed(items):
        if isinstance(item, UserItem):
            told = [(item.text.rfind(head), form) for head, form in _HEADS.items() if head in item.text]
            if told:
                return max(told)[1]
    return None


def meant_by(patch: str, failures: Sequence[str] = ()) -> Meant:
    """What a patch seems to have meant.

    Args:
        patch: Its text, which need not be readable.
        failures: What of it failed, each beginning with its file: of several files one of these is meant.
    """
    try:
        operations = read_patch(patch).operations
    except PatchRefusedError:
        return Meant()
    failed = [one for one in operations if any(failure.startswith(one.path) for failure in failures)]
    for one in failed or operations:
        if isinstance(one, UpdateFile) and (hunk := _first_change(one.hunks)) is not None:
            old = tuple(line.text for line in hunk.lines if line.sign != "+")
            new = tuple(line.text for line in hunk.lines if line.sign != "-")
            return Meant(one.path, old, new)
        if isinstance(one, AddFile | WriteFile):
            return Meant(one.path, (), tuple(one.text.splitlines()), adds=isinstance(one, AddFile))
    return Meant(operations[0].path) if operations else Meant()


def _first_change(hunks: Sequence[Hunk]) -> Hunk | None:
    return next((hunk for hunk in hunks if not hunk.idle and any(line.sign != " " for line in hunk.lines)), None)


def blocks_note(meant: Meant, read: Read) -> str:
    """Tell a partner of SEARCH/REPLACE blocks.

    Args:
        meant: What its last patch meant.
        read: Gives a file of the project.
    """
    if example := _block(meant, read):
        begin = f"{_BLOCKS} It looks like this:]\n\n{example}\n["
    elif example := _unchanged(meant, read):
        # An example of another file would be sent as it is.
        begin = (
            f"{_BLOCKS} This is one with lines of {meant.path}, which changes nothing yet:]\n\n{example}\n"
            "[Take the lines that your change is about, and write yours between ======= and REPLACE. "
        )
    else:
        begin = f"{_BLOCKS} It looks like this:]\n\n{_EXAMPLE}\n["
    return (
        f"{begin}Between SEARCH and ======= stand lines of the file as they are now, letter by letter; between "
        "======= and REPLACE stands what is to be there instead. For a new file nothing stands between SEARCH and "
        "=======.]"
    )


def whole_note(path: str, read: Read) -> str:
    """Tell a partner of whole files.

    Args:
        path: The file it means to change; empty where that is not known.
        read: Gives a file of the project.
    """
    text = _text(path, read)
    if text is None:
        shown, what = whole_file(EXAMPLE, 'def greet(name):\n    return "Hello, " + name\n'), "It looks like this"
    else:
        shown, what = whole_file(path, text), f"This is {path} as it is now"
    return (
        f"{_WHOLE} {what}:]\n\n{shown}\n"
        "[Send it in this form with your change in it. Every line that stays must be there too: leave nothing out, and "
        "write no '...' in the place of code. A new file is sent in the same form.]"
    )


def envelope_note() -> str:
    """Tell a partner of envelopes again, after another form."""
    return f"{_ENVELOPE} It looks like this:]\n\n{_ENVELOPE_EXAMPLE}"


def note(form: Form, meant: Meant, read: Read) -> str:
    """Tell a partner of a form; see `blocks_note` and `whole_note`."""
    if form == "blocks":
        return blocks_note(meant, read)
    return whole_note(meant.path, read) if form == "whole" else envelope_note()


def shape(form: Form) -> str:
    """A form in a few lines, for a partner that was told of it before."""
    if form == "whole":
        return "The path of the file, and below it between ``` lines all of its new text. Leave nothing out."
    return f"It looks like this:\n{_EXAMPLE if form == 'blocks' else _ENVELOPE_EXAMPLE}"


def fits_whole(path: str, read: Read, tokens: int) -> bool:
    """Whether a file is small enough to be sent whole; one that is new is."""
    text = _text(path, read)
    return text is None or estimate_tokens(text) <= tokens


def _block(meant: Meant, read: Read) -> str:
    """What was meant as a block with lines that the file has; empty where these are not known."""
    text = _text(meant.path, read)
    if text is None and meant.path and read(meant.path) is None:
        new = "".join(f"{line}\n" for line in meant.new)
        return f"{meant.path}\n<<<<<<< SEARCH\n=======\n{new}>>>>>>> REPLACE\n" if new else ""
    lines = (text or "").splitlines()
    old = [line for line in meant.old if line.strip()]
    there = _alike(lines, old)
    if not there or not meant.new or len(meant.new) > _MOST_LINES:
        return ""
    search, new = ("".join(f"{line}\n" for line in some) for some in (there, meant.new))
    return "" if search == new else f"{meant.path}\n<<<<<<< SEARCH\n{search}=======\n{new}>>>>>>> REPLACE\n"


def _unchanged(meant: Meant, read: Read) -> str:
    """A block of a file's own lines in the place of themselves: of those most like what was meant, else the first."""
    lines = (_text(meant.path, read) or "").splitlines()
    wanted = [line.strip() for line in (*meant.old, *meant.new) if line.strip()][:_MOST_LINES]
    likeness = [max((_likeness(line.strip(), one) for one in wanted), default=0.0) for line in lines[:_MOST_LOOKED_AT]]
    best = max(range(len(likeness)), key=likeness.__getitem__, default=0)
    if not likeness or likeness[best] <= _ALIKE:
        best = next((at for at, line in enumerate(lines) if line.strip()), 0)
    before = itertools.takewhile(str.strip, reversed(lines[max(best - _AROUND, 0) : best]))
    after = itertools.takewhile(str.strip, lines[best : best + _AROUND + 1])
    text = "".join(f"{line}\n" for line in (*reversed(list(before)), *after))
    return f"{meant.path}\n<<<<<<< SEARCH\n{text}=======\n{text}>>>>>>> REPLACE\n" if text else ""


def _likeness(line: str, other: str) -> float:
    return difflib.SequenceMatcher(None, line, other).ratio()


def _alike(lines: Sequence[str], old: Sequence[str]) -> Sequence[str]:
    """The lines of a file that some lines most likely stand for; none where they are like nothing in it."""
    if not old or len(old) > _MOST_LINES:
        return ()
    wanted = "\n".join(line.strip() for line in old)
    starts = [
        at
        for at, line in enumerate(lines)
        if difflib.SequenceMatcher(None, line.strip(), old[0].strip()).ratio() > _ALIKE
    ]
    best = _ALIKE
    found: tuple[str, ...] = ()
    for at in starts[:_MOST_LINES]:
        there = lines[at : at + len(old)]
        ratio = difflib.SequenceMatcher(None, "\n".join(line.strip() for line in there), wanted).ratio()
        if ratio > best:
            best, found = ratio, tuple(there)
    return found


def _text(path: str, read: Read) -> str | None:
    data = read(path) if path else None
    return None if data is None else text_of(data)
