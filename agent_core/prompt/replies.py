"""What the partner is told by pairloop: verdicts, decisions, human edits, interruptions."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence

from agent_core.conversation import AssistantItem, Item, ToolCallItem, ToolResultItem, UserItem
from agent_core.errors import PatchRefusedError
from agent_core.patch.operations import AddFile
from agent_core.patch.read import read_patch
from agent_core.patch.stream import PatchText, patch_text
from agent_core.prompt.forms import Form, shape
from agent_core.state import ProposalState

_MOST_SHOWN = 3
_MOST_BLAMED = 5
# The header of an envelope's file, of a diff's old side, and a path above SEARCH, with or without a fence between.
_HEADER = re.compile(
    r"^[ \t]*\*\*\* (?:Update|Delete) File:[ \t]*(.+?)[ \t]*$"
    r"|^--- a/([^\t\n]+)"
    r"|^[#*` \t]*([^\s`*:]+)[*`: \t]*\n(?:[`~]{3,}.*\n)?<{5,9} ?SEARCH",
    re.MULTILINE,
)

ENDLESS = (
    "[Your answer was cut off here, as {why}. Nothing of it was carried out. Go on in another way, and be brief: call "
    "a tool, or say in a few words what is to be known.]"
)


def first_item(context: str, checks: str, task: str) -> str:
    """The first words of a session: the project, what its checks say now, and the task."""
    parts = [part for part in (context, checks) if part]
    return "\n\n".join([*parts, f"# Task\n\n{task}"]) if parts else task


def task_part(task: str, files: str) -> str:
    """A task with the files it speaks of."""
    if not files:
        return task
    end = "[If you change these files, the '-' lines of your patch must be lines of them, letter by letter.]"
    return f"{task}\n\n[These files belong to it, as they are now:]\n\n{files}\n\n{end}"


def refused(reason: str, files: str, *, others: bool = False) -> str:
    """A patch could not be taken.

    Args:
        reason: Why.
        files: The files it was meant for, so that it can be written again at once.
        others: Other patches of the same answer were taken.
    """
    text = f"The patch was refused, nothing changed.\n{reason}"
    if others:
        text += "\nThe other patches of your answer are in the draft: send this one alone."
    return f"{text}\n\n[As it is now:]\n{files}" if files else text


def already(reason: str) -> str:
    """A patch asked for nothing that is not there."""
    return (
        f"{reason}\n[It is in your draft or in the files, so nothing was done. If that is all, say so in words; else "
        "send what is still missing.]"
    )


def updated_files(arguments: str) -> tuple[str, ...]:
    """The files that a patch in a call's arguments means to change, as far as it can be read."""
    # Arguments that were cut short are no JSON, but what there is of the patch can be had.
    text = PatchText().feed(arguments) or _whole(arguments) or arguments.replace("\\n", "\n")
    try:
        wanted = [one.path for one in read_patch(text).operations if not isinstance(one, AddFile)]
    except PatchRefusedError:
        # What cannot be read may have its headers all the same, or the path above a block.
        wanted = [next(filter(None, found)) for found in _HEADER.findall(text)]
    return tuple(dict.fromkeys(wanted))[:_MOST_SHOWN]


def _whole(arguments: str) -> str | None:
    try:
        return patch_text(json.loads(arguments))
    except (ValueError, RecursionError):
        return None


def verdict_part(number: int, summary: str, evidence: str, note: str = "") -> str:
    """What the checks said about a proposal.

    Args:
        number: The proposal.
        summary: The verdict.
        evidence: What is wrong with it.
        note: How its patch was read and placed, where that was not plain.
    """
    read = f"[How it was read: {note}]" if note else ""
    return "\n".join(part for part in (f"[Proposal {number} was checked: {summary}]", read, evidence) if part)


def blame_part(proposal: ProposalState) -> str:
    """Which blocks of a proposal its failures come from, by running it with blocks left out."""
    places = {
        block.id: f"{file.path}:{block.new_start} ({_first(block.added or block.removed)})"
        for file in proposal.patch.files
        for block in file.blocks
    }
    broken = proposal.verdict.broken if proposal.verdict is not None else ()
    names = {finding.fingerprint: finding.code or finding.message for finding in broken}
    causes: dict[tuple[str, ...], list[str]] = {}
    for blame in proposal.blames:
        causes.setdefault(blame.blocks, []).append(names.get(blame.finding, blame.check))
    lines = [f"[Found by leaving blocks of proposal {proposal.number} out:]"]
    for blocks, failures in causes.items():
        where = " together with ".join(places[block] for block in blocks if block in places)
        more = f" and {len(failures) - _MOST_BLAMED} more" if len(failures) > _MOST_BLAMED else ""
        lines.append(f"{', '.join(failures[:_MOST_BLAMED])}{more}: broken by the change at {where}")
    idle = [places[block] for block in proposal.unneeded if block in places]
    if idle:
        more = f" and {len(idle) - _MOST_BLAMED} more" if len(idle) > _MOST_BLAMED else ""
        lines.append(f"No check needs the change at {', '.join(idle[:_MOST_BLAMED])}{more}")
    return "\n".join(lines)


def _first(lines: Sequence[str]) -> str:
    """The first line that is not blank, in short."""
    text = next((line.strip() for line in lines if line.strip()), "")
    return repr(text if len(text) <= 60 else f"{text[:59]}…")


def mended_note(tools: Sequence[str], rules: Sequence[str], paths: Sequence[str]) -> str:
    """What tools mended in a draft because the human wanted it."""
    what = f" ({', '.join(rules)})" if any(rules) else ""
    return f"At the human's wish {' and '.join(tools)} mended{what} in {', '.join(paths)}: read it before changing it."


def landed_part(number: int, reason: str = "") -> str:
    """The human took all of it."""
    why = f" They said: {reason}" if reason else ""
    return f"[The human accepted proposal {number}; it is in their files now.{why}]"


def rejected_part(number: int, reason: str) -> str:
    """The human dropped it."""
    why = f" They said: {reason}" if reason else " They gave no reason."
    return (
        f"[The human rejected proposal {number}.{why} Your draft is gone: the files are as in the working tree. "
        "Try another way.]"
    )


def go_on_part(words: str) -> str:
    """The draft stays; the partner revises it."""
    if words:
        return f"[The draft stays. The human says:] {words}"
    return "[The draft stays. Find the cause, then send a patch on top of it that mends this.]"


def unanswered(items: Sequence[Item]) -> tuple[str, ...]:
    """Ids of the tool calls that have no result yet, in order."""
    answered = {item.call_id for item in items if isinstance(item, ToolResultItem)}
    return tuple(item.call_id for item in items if isinstance(item, ToolCallItem) and item.call_id not in answered)


def cut_short(items: Sequence[Item]) -> tuple[ToolResultItem, ...]:
    """Results for calls that never got one because the human or a crash stopped them."""
    return tuple(
        ToolResultItem(call_id, "[Stopped before it was finished; nothing of it is in the human's files.]", ok=False)
        for call_id in unanswered(items)
    )


FOLLOWS = "See the comments in the code."
NUDGE = (
    "[The checks are not green and your last message called no tool. Send the next patch with apply_patch now; if you "
    "cannot mend it, say why in one sentence.]"
)
HELD = "Taken into the draft. It is not checked yet: another patch of your answer was refused. Send that one alone."
LOST = "It was taken into the draft, but the human's edits overlap with it, so the draft is gone."
TAKEN = "Taken into the draft; it is checked together with your next patch."
INTERRUPTED = "[The human stopped you here. Wait for what they say next.]"


def not_a_call(form: Form) -> str:
    """Words that speak of a patch and hold none."""
    what = "Your message speaks of a patch but holds none that can be read, and it called no tool."
    return f"[{what} Send the whole change now, nothing else, in exactly this form. {shape(form)}]"


def code_in_words(form: Form) -> str:
    """Words with code in them, which may be meant as a change."""
    old = "" if form == "whole" else ", with the old lines as they are in the file"
    return (
        "[Code in your message changes nothing. If you mean it as a change, send it now, nothing else"
        f"{old}, in exactly this form. {shape(form)}]"
    )


def not_sent(form: Form) -> str:
    """Words behind a patch that was refused."""
    return (
        "[Nothing is changed: your last patch was not taken, and this message holds no other. Send the whole change "
        f"now, nothing else, in exactly this form. {shape(form)}]"
    )


REPEATED = (
    "Do it in another way. If what the human has said asks for exactly this all the same, send it again as it is, and "
    "say why."
)
EMPTY = "[Your answer was empty. Send the patch with apply_patch now; if nothing is to be changed, say so in words.]"


def last_words(items: Sequence[Item]) -> str:
    """The words of the partner's newest answer; empty when there are none in it."""
    answer = itertools.takewhile(lambda item: not isinstance(item, UserItem | ToolResultItem), reversed(items))
    return "\n\n".join(item.text for item in reversed(list(answer)) if isinstance(item, AssistantItem)).strip()


_PATCH_SIGNS = ("*** Begin Patch", "*** Update File", "apply_patch", "<<<<<<< SEARCH", ">>>>>>> REPLACE")


def looks_like_patch(text: str) -> bool:
    """Whether words mean to be a patch or a call of the patch tool, though they could not be read as one."""
    return any(sign in text for sign in _PATCH_SIGNS)


SAME_AGAIN = "[You sent exactly the same again, and the answer is the same again. Do something else.]"


SAME_RESULT = (
    "[You made this call before, and its result is the same: it stands above. Go on from it; do not call this again.]"
)
_WORTH_FOLDING = 300


def refused_again(times: int) -> str:
    """What the human is told of a patch that comes again, and is refused for the same reason."""
    return f"The same patch came again and was refused for the same reason, {times} times now."


def was_told(items: Sequence[Item], call: ToolCallItem, text: str) -> bool:
    """Whether a call has had the same long result before, which still stands in the conversation.

    Args:
        items: The conversation.
        call: The call.
        text: Its result.
    """
    if len(text) < _WORTH_FOLDING:
        return False
    same = {
        item.call_id
        for item in items
        if isinstance(item, ToolCallItem)
        and (item.name, item.arguments) == (call.name, call.arguments)
        and item.call_id != call.call_id
    }
    return any(isinstance(item, ToolResultItem) and item.call_id in same and item.output == text for item in items)


def said_again(items: Sequence[Item]) -> bool:
    """Whether the partner's last two calls and their answers were the same, and nobody else spoke in between."""
    calls = [item for item in items if isinstance(item, ToolCallItem)][-2:]
    if len(calls) < 2 or (calls[0].name, calls[0].arguments) != (calls[1].name, calls[1].arguments):
        return False
    answers = {item.call_id: item.output for item in items if isinstance(item, ToolResultItem)}
    if answers.get(calls[1].call_id) not in {SAME_RESULT, answers.get(calls[0].call_id)}:
        return False
    between = items[items.index(calls[0]) :]
    return not any(isinstance(item, UserItem) and item.text != SAME_AGAIN for item in between)


def holds_code(text: str) -> bool:
    """Whether words hold a fenced block of code."""
    return text.count("```") > 1
