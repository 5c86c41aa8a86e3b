"""A human's own text in the place of what is proposed, and taking it back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from agent_core.commands import Rewrite
from agent_core.draft import Draft, disk_reader, draft_of, revised
from agent_core.errors import SelectionError
from agent_core.file_modes import REGULAR
from agent_core.patch import encoding
from agent_core.patch.choices import BlockChoice, Choices
from agent_core.patch.diff import make_patch, split_lines
from agent_core.patch.encoding import NotTextError, text_of
from agent_core.patch.model import Block, FilePatch, Patch
from agent_core.patch.rebase import rebase
from agent_core.patch.select import select
from agent_core.protocols import Workspace
from agent_core.review import Overlap, Rewritten
from agent_core.workspace.tree import FileChange, content_hash

YOURS, PARTNERS, ENDED = "<<<<<<< yours, in the file now", "======= the partner's, in the proposal", ">>>>>>>"
"""Lines around both sides of a place, as they are put before a human to write what is to stand there."""
_ADDED = "A line break was added at the end of what you wrote: it stands between other lines."


class Written(msgspec.Struct, frozen=True):
    """A draft with a human's text in it.

    Attributes:
        draft: The draft.
        before: Hash of the file's content in the draft before; None where it had none.
        after: The same afterwards.
        note: What was done to the text, for the human; empty where it stands as they wrote it.
    """

    draft: Draft
    before: str | None = None
    after: str | None = None
    note: str = ""


def rewritten(patch: Patch, draft: Draft, wish: Rewrite, workspace: Workspace) -> Written:
    """Put a human's text in the place of what is proposed.

    Args:
        patch: What is proposed.
        draft: The draft it is of.
        wish: What they want; a block keeps its name. The text gets the line ending of a file that has only CRLF, and
            the line break it lacks at its end.
        workspace: The project.

    Raises:
        SelectionError: It cannot be written in the file's encoding, or the file is no text.
    """
    path, block, text = wish.path, wish.block, wish.text
    old = draft.changes.get(path)
    there = old.data if old is not None else None
    note = ""
    if block:
        found = next(one for file in patch.files for one in file.blocks if one.id == block)
        if text and not text.endswith("\n") and not _ends_file(found):
            text, note = f"{text}\n", _ADDED
        choices = Choices(default=True, blocks={block: BlockChoice(accepted=True, text=text)})
        selected = select(patch, choices, draft.contents().__getitem__)
        new = draft_of(selected.patch, draft.base, selected.contents.__getitem__)
    else:
        before = draft.before.get(path)
        model = there if there is not None else (before.data if before is not None else None) or b""
        mode = old.mode if old is not None and there is not None else before.mode if before is not None else REGULAR
        new = revised(draft, {path: FileChange(_encoded(path, model, text), mode)}, workspace)
    now = new.changes.get(path)
    # What is no change any more is as it was before the patch.
    after = now.data if now is not None else _base(draft, path)
    return Written(new, _hash(there), _hash(after), note)


def both_sides(overlap: Overlap, block: Block, begun: str = "") -> str:
    """Both sides of a place between lines that cannot land, for a human to make one of them.

    Args:
        overlap: The place.
        block: The block that collides there.
        begun: What they wrote for it before they changed the file there again; stands for the partner's side.
    """
    ours = "".join(overlap.ours or block.added)
    sides = ("".join(overlap.theirs), begun or ours)
    yours, partners = (text if not text or text.endswith("\n") else f"{text}\n" for text in sides)
    second = "======= what you wrote here before" if begun else PARTNERS
    return f"{YOURS}\n{yours}{second}\n{partners}{ENDED}\n"


def own_text(text: str, overlap: Overlap, block: Block) -> str:
    """What a human wrote for a place, as the lines that go there.

    Args:
        text: What they wrote.
        overlap: The place.
        block: The block that collides there.

    Raises:
        SelectionError: Lines are left in it that only told the sides apart.
    """
    sides = (*overlap.theirs, *(overlap.ours or block.added))
    known = {line.rstrip("\r\n") for line in sides}
    text = text.replace("\r\n", "\n")
    for number, line in enumerate(split_lines(text), 1):
        bare = line.rstrip("\n")
        if bare not in known and (bare in {PARTNERS, ENDED} or bare.startswith(("<<<<<<< ", "======= ", ">>>>>>> "))):
            raise SelectionError(
                f"line {number} is {bare!r}, which only tells both sides apart.", "Take out these lines."
            )
    if text and not text.endswith("\n") and not _ends_text(overlap.theirs):
        text += "\n"
    ends = [line for line in sides if line.endswith("\n")]
    return text.replace("\n", "\r\n") if ends and all(line.endswith("\r\n") for line in ends) else text


def taken_back(
    draft: Draft, made: Sequence[Rewritten], content: Callable[[str], bytes], workspace: Workspace
) -> Draft | None:
    """A draft without what a human wrote into it.

    Args:
        draft: The draft, over whichever tree by now.
        made: What they wrote, in order.
        content: Gives content by hash.
        workspace: The project.

    Returns:
        The draft as it was proposed; None when newer changes stand at the same places.
    """
    disk = disk_reader(workspace, draft.base)
    for one in reversed(made):
        there = draft.changes.get(one.path) or disk(one.path)
        data = there.data if there is not None else None
        mode = there.mode if there is not None and data is not None else REGULAR
        if _hash(data) == one.before:
            continue
        target = None if one.before is None else content(one.before)
        if _hash(data) != one.after:
            if target is None or one.after is None:
                return None
            made_of, now = {one.path: FileChange(content(one.after))}, {one.path: FileChange(data)}
            carried = rebase(make_patch({one.path: FileChange(target)}, made_of.get, {}), now.get, content)
            if not carried.clean or not carried.patch.files:
                return None
            target = carried.contents[carried.patch.files[0].after or ""]
        draft = revised(draft, {one.path: FileChange(target, mode)}, workspace)
        if one.was:
            # It counts only where the file is to the letter what it was then.
            was = msgspec.json.decode(content(one.was), type=FilePatch)
            draft = msgspec.structs.replace(draft, named={**draft.named, one.path: was})
    return draft


def _base(draft: Draft, path: str) -> bytes | None:
    before = draft.before.get(path)
    return before.data if before is not None else None


def _hash(data: bytes | None) -> str | None:
    return None if data is None else content_hash(data)


def _ends_file(block: Block) -> bool:
    """Whether the block holds the end of a file that has no line break there."""
    return any(map(_ends_text, (block.removed, block.added)))


def _ends_text(lines: Sequence[str]) -> bool:
    """Whether some lines end a text that has no line break there."""
    return bool(lines) and not lines[-1].endswith("\n")


def _encoded(path: str, model: bytes, text: str) -> bytes:
    """A whole text in the encoding and the line ending of what stood there."""
    old = text_of(model)
    if old is None:
        raise SelectionError(f"{path} is no text.", "Take it or leave it as a whole.")
    ends = [line for line in split_lines(old) if line.endswith("\n")]
    if ends and all(line.endswith("\r\n") for line in ends):
        text = text.replace("\r\n", "\n").replace("\n", "\r\n")
    if text and not text.endswith("\n") and (not old or old.endswith("\n")):
        text += "\r\n" if text.count("\r\n") and ends and ends[0].endswith("\r\n") else "\n"
    try:
        return encoding.rewrite(model, text)
    except NotTextError as error:
        raise SelectionError(f"{path} {error.message}", error.hint) from error
