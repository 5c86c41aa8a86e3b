"""What the partner is told of a human's decision block by block: what was taken, what was not, and why."""

from __future__ import annotations

from collections.abc import Iterable

from agent_core.errors import SelectionError
from agent_core.patch.diff import make_patch, unified
from agent_core.patch.model import Block, FilePatch
from agent_core.patch.select import Content, remainder
from agent_core.review import Mark, Review, choices_of, to_redo
from agent_core.state import ProposalState
from agent_core.text import cap_text
from agent_core.workspace.tree import FileChange, content_hash

REDO = "Redo what collides with my edits, over my text as it is now."
"""What the human says by having blocks done anew."""
_MOST_NAMED = 40
_SHOWN = 60
_PLACE_TOKENS = 600
_SAID_TOKENS = 1500


def said(proposal: ProposalState, content: Content) -> str:
    """What the human said of single blocks and wrote themselves, and where their own edits meet it; may be empty.

    Args:
        proposal: The proposal.
        content: Gives content by hash.
    """
    lines = []
    marks = proposal.review.blocks
    for file, block in _blocks(proposal):
        comment = marks[block.id].comment if block.id in marks else ""
        if comment:
            lines.append(f"On {_place(file, block)} they say: {comment}")
    parts = [cap_text("\n".join(lines), _SAID_TOKENS), _written(proposal, content), _overlaps(proposal)]
    return "\n".join(part for part in parts if part)


def says_anything(proposal: ProposalState) -> bool:
    """Whether the human commented on any block, or wants any done anew."""
    return any(mark.comment for mark in proposal.review.blocks.values()) or bool(to_redo(proposal.review))


def with_said(words: str, proposal: ProposalState, content: Content) -> str:
    """Words about all of a proposal, with what the human said of parts of it."""
    return "\n".join(part for part in (words, said(proposal, content)) if part)


def with_marks(words: str, proposal: ProposalState, content: Content) -> str:
    """Words about a proposal of which nothing landed, with what the human marked in it and said of parts of it."""
    marks = proposal.review.blocks
    lines = [words]
    for wish, verb in ((True, "would take"), (False, "would leave")):
        places = [_place(file, one) for file, one in _blocks(proposal) if marks.get(one.id, Mark()).taken is wish]
        if places:
            lines += [f"Of it they {verb}:", *_named(places)]
    return with_said("\n".join(lines), proposal, content)


def head(number: int) -> str:
    """How what is told of a part that landed begins."""
    return f"[Of proposal {number} the human took a part, which is in their files now."


def part_landed(proposal: ProposalState, content: Content, tokens: int) -> str:
    """The human took a part, and it is in their files.

    Args:
        proposal: The proposal as it was decided on.
        content: Gives content by hash.
        tokens: Most tokens of the diff of what was not taken.
    """
    judged = f" Checked by itself: {proposal.part.summary}." if proposal.part is not None else ""
    lines = [f"{head(proposal.number)}{judged}]"]
    taken, left = _sorted_out(proposal)
    lines += ["Taken:", *_named(taken)]
    if left:
        lines += ["Not taken:", *_named(left)]
    lines += [part for part in (said(proposal, content),) if part]
    if rest := _rest(proposal, content):
        lines += ["What was not taken, as a diff over what was:", cap_text(rest, tokens).rstrip("\n")]
    if proposal.reason:
        lines.append(f"They say of all of it: {proposal.reason}")
    if left or rest:
        end = (
            "Your draft is gone: the files are as in the working tree, with what was taken. Send a patch for what is "
            "left in a way that heeds what they say; if nothing is to be done about it, say so in words."
        )
    else:
        end = (
            "Your draft is gone: the files are as in the working tree. Heed what they say; else say that you are done."
        )
    return "\n".join((*lines, f"[{end}]"))


def leaves_anything(proposal: ProposalState, content: Content) -> bool:
    """Whether anything of a proposal was not taken."""
    return bool(_sorted_out(proposal)[1]) or bool(_rest(proposal, content))


def _blocks(proposal: ProposalState) -> Iterable[tuple[FilePatch, Block]]:
    return ((file, block) for file in proposal.patch.files for block in file.blocks)


def _sorted_out(proposal: ProposalState) -> tuple[list[str], list[str]]:
    """The places of what was taken, and of what was not."""
    taken: list[str] = []
    left: list[str] = []
    review = proposal.review
    for file in proposal.patch.files:
        if not file.blocks:
            (taken if review.files.get(file.path) else left).append(f"{file.path} ({file.kind}, as a whole)")
        for block in file.blocks:
            mark = review.blocks.get(block.id, Mark())
            name = _place(file, block)
            if not mark.taken:
                left.append(name)
            elif mark.lines is not None:
                count = len(block.removed) + len(block.added)
                taken.append(f"{name}: {len(mark.lines)} of its {count} changed lines")
            else:
                taken.append(f"{name}{_how(block, review)}")
    return taken, left


def _how(block: Block, review: Review) -> str:
    """In which form a block was taken, where it is not as it was proposed."""
    side = review.blocks.get(block.id, Mark()).side
    if side == "own":
        return ": as the human wrote it, in the place of your lines and theirs"
    if side == "both":
        return ": below the human's own lines, which stay"
    return ": as the human rewrote it" if block.id in review.edited else ""


def rest_kept(words: str, *, anything: bool) -> str:
    """The partner goes on from a draft that the human's own edits met.

    Args:
        words: What the human says; may be empty.
        anything: Whether anything of the draft goes over their text.
    """
    if anything:
        kept = (
            "[Your draft is over their text now and holds what does not collide with it; the places that do are as in "
            "the working tree. Send a patch for these, over the text that stands there.]"
        )
    else:
        kept = "[Your draft collides with their own edits, so it is gone: the files are as in the working tree.]"
    return f"[The human says:] {words}\n{kept}" if words else kept


def _named(places: list[str]) -> list[str]:
    more = len(places) - _MOST_NAMED
    return [*(f"- {place}" for place in places[:_MOST_NAMED]), *([f"- and {more} more"] if more > 0 else [])]


def _place(file: FilePatch, block: Block) -> str:
    return f"{file.path}:{block.new_start} ({_first(block)})"


def _first(block: Block) -> str:
    """The block's first line that is not blank, in short."""
    sign, lines = ("+", block.added) if block.added else ("-", block.removed)
    text = next((line.strip() for line in lines if line.strip()), "")
    return repr(sign + (text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"))


def _written(proposal: ProposalState, content: Content) -> str:
    """What the human rewrote, from the partner's text to theirs."""
    parts = []
    for one in proposal.review.rewritten:
        before, after = (FileChange(None if name is None else content(name)) for name in (one.before, one.after))
        diff = unified(make_patch({one.path: after}, {one.path: before}.get, {}), _by_hash(before, after))
        text = cap_text(diff, _PLACE_TOKENS).rstrip("\n")
        parts.append(f"The human rewrote {one.path}, from your text to theirs:\n{text}")
    return cap_text("\n".join(parts), _SAID_TOKENS)


def _by_hash(*files: FileChange) -> Content:
    return {content_hash(one.data): one.data for one in files if one.data is not None}.__getitem__


def _overlaps(proposal: ProposalState) -> str:
    """Where the human's edits meet the proposal and theirs stands, with both sides."""
    blocks = {block.id: block for _, block in _blocks(proposal)}
    taken = {name for name, mark in proposal.review.blocks.items() if mark.taken}
    anew = to_redo(proposal.review)
    parts = []
    for one in proposal.overlaps:
        if one.reason or one.block not in blocks:
            parts.append(f"{one.path} collides with their own edits: {one.reason}")
        elif one.block not in taken:
            theirs, yours = ("".join(lines).rstrip("\n") for lines in (one.theirs, blocks[one.block].added))
            wish = " Redo it over their text." if one.block in anew else ""
            parts.append(
                f"{one.path}:{one.start} collides with their own edits, which stand.{wish} They have:\n```\n"
                f"{cap_text(theirs, _PLACE_TOKENS)}\n```\nYou want:\n```\n{cap_text(yours, _PLACE_TOKENS)}\n```"
            )
    return cap_text("\n".join(parts), _SAID_TOKENS)


def _rest(proposal: ProposalState, content: Content) -> str:
    """What was not taken as a unified diff over what was; empty where it cannot be had apart."""
    try:
        rest = remainder(proposal.patch, choices_of(proposal.patch, proposal.review), content)
    except SelectionError:
        return ""
    return unified(rest.patch, rest.contents.__getitem__)
