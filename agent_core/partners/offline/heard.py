"""What has been said to the built-in partner since its last answer, as far as it can be told for certain.

The phrases are those of `agent_core.prompt.replies` and `agent_core.prompt.review_words`; a test makes all of them
there and reads them here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import msgspec

from agent_core.conversation import Item, ToolCallItem, ToolResultItem, UserItem, turns_so_far
from agent_core.partners.offline.offered import ASK, Offers, read_offers

What = Literal["wish", "answered", "rejected", "landed", "stays", "refused", "again", "stopped", "nothing"]

_TASK = "# Task\n\n"
_FILES = "\n\n[These files belong to it, as they are now:]"
_REJECTED = re.compile(
    r"\[The human rejected proposal \d+\.(?: They said: (?P<said>.*?)| They gave no reason\.) Your draft", re.DOTALL
)
_ACCEPTED = re.compile(
    r"\[The human accepted proposal \d+; it is in their files now\.(?: They said: (?P<said>.*))?\]", re.DOTALL
)
_PART = re.compile(r"\[Of proposal \d+ the human took a part")
_STAYS = re.compile(r"\[The draft stays\.(?: The human says:\] (?P<said>.*)| Find the cause)", re.DOTALL)
_REST = re.compile(
    r"\[(?:The human says:\] (?P<said>.*?)\n\[)?Your draft (?:is over their text|collides with their own)", re.DOTALL
)
_VERDICT = re.compile(r"\[Proposal \d+ was checked: (?P<said>[^\n]*)\]")
_ANSWER = re.compile(r"\AThe human answers: (?P<said>.*)\Z", re.DOTALL)
_REFUSED = "The patch was refused, nothing changed."
_ALREADY = "[It is in your draft or in the files"
_STOPPED = "[Stopped before it was finished"
_STOP = re.compile(
    r"\W*(?:(?:please|ok|okay|no)\W+)*(?:stop|enough|cancel|abort|halt|never ?mind)(?:\W+(?:it|now|that|please))*\W*",
    re.IGNORECASE,
)


class Heard(msgspec.Struct, frozen=True):
    """What there is to act on.

    Attributes:
        what: ``wish``: the human wants something; ``answered``: they, or nobody, answered a question;
            ``rejected``, ``landed``, ``stays`` (not green, or to be changed), ``refused`` (no patch that fits),
            ``again`` (it is there already): what became of a proposal; ``stopped``: cut off in the middle;
            ``nothing``: nothing that it could act on.
        said: The human's words for it; may be empty.
        earlier: What else they said since the last answer, newest first.
        wish: The newest task or wish of theirs in the conversation, for what has to be searched for again.
        offers: The repairs of the call it is about.
        verdict: What the checks said of the proposal, in a line.
        refused: How many patches in a row were refused.
    """

    what: What
    said: str = ""
    earlier: tuple[str, ...] = ()
    wish: str = ""
    offers: Offers = Offers("", ())
    verdict: str = ""
    refused: int = 0


def heard(items: Sequence[Item]) -> Heard:
    """Read what came since the last answer.

    Args:
        items: The conversation.
    """
    _, since = turns_so_far(items)
    calls = {item.call_id: item for item in items if isinstance(item, ToolCallItem)}
    wish = next((words for item in reversed(items) if (words := wish_in(item))), "")
    new, *earlier = [*filter(None, map(wish_in, reversed(items[since:]))), ""]
    found = Heard("nothing", wish=wish)
    for item in items[since:]:
        if isinstance(item, ToolResultItem) and item.call_id in calls:
            offers = read_offers(calls[item.call_id])
            found = msgspec.structs.replace(_outcome(item.output, offers, ok=item.ok), wish=wish)
        elif isinstance(item, UserItem) and item.text.startswith("["):
            # What became of a proposal whose call was answered before.
            last = next((read_offers(one) for one in reversed(list(calls.values())) if read_offers(one).repairs), None)
            if last is not None and last.tool == ASK:
                continue  # of no proposal: it says something else, and the question keeps its answer
            outcome = _outcome(item.text, last or Offers("", ()), ok=True)
            found = found if outcome.what == "nothing" else msgspec.structs.replace(outcome, wish=wish)
    if new and found.what in {"nothing", "stopped"}:
        return Heard("wish", said=new, earlier=tuple(filter(None, earlier)), wish=new)
    if new:
        said = "\n".join(filter(None, (found.said, *reversed(earlier), new)))
        return msgspec.structs.replace(found, said=said)
    return msgspec.structs.replace(found, refused=_refused(items))


def wish_in(item: Item) -> str:
    """The human's own words in an item; empty where it holds none."""
    if not isinstance(item, UserItem):
        return ""
    text = item.text
    if text.startswith(_TASK) or f"\n{_TASK}" in text:
        text = text.rpartition(_TASK)[2]
    elif text.startswith("["):
        return ""
    return text.partition(_FILES)[0].strip()


def stops(text: str) -> bool:
    """Whether some words of the human ask for nothing but an end."""
    return _STOP.fullmatch(text) is not None


def _outcome(output: str, offers: Offers, *, ok: bool) -> Heard:
    """What the result of a call, or what came instead of one, says."""
    verdicts = _VERDICT.findall(output)
    verdict = verdicts[-1] if verdicts else ""
    if offers.tool == ASK:
        answer = _ANSWER.match(output)
        return Heard("answered", answer["said"].strip() if answer else "", offers=offers)
    if _STOPPED in output:
        return Heard("stopped", offers=offers)
    readings: tuple[tuple[What, re.Pattern[str]], ...] = (
        ("rejected", _REJECTED),
        ("landed", _ACCEPTED),
        ("landed", _PART),
        ("stays", _STAYS),
        ("stays", _REST),
    )
    # What is told of the checks comes first and may hold anything: the last words count.
    found = [(match.start(), what, match) for what, pattern in readings for match in pattern.finditer(output)]
    if found:
        _, what, match = max(found, key=lambda one: one[0])
        return Heard(what, (match.groupdict().get("said") or "").strip(), offers=offers, verdict=verdict)
    if _ALREADY in output:
        return Heard("again", offers=offers)
    if output.startswith(_REFUSED) or (not ok and offers.tool == "apply_patch"):
        return Heard("refused", offers=offers)
    return Heard("nothing", offers=offers, verdict=verdict)


def _refused(items: Sequence[Item]) -> int:
    """How many patches in a row were refused, up to now."""
    count = 0
    for item in reversed(items):
        if isinstance(item, ToolResultItem):
            if item.ok:
                break
            count += 1
        elif wish_in(item):
            break
    return count
