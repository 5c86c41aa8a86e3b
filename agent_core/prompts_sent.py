"""``pairloop log --prompts``: what was sent to the partner in a session, request by request, read off its journal.

``--json`` prints one `PromptLine` a line; its field names, and those of `CompactionLine` under ``compaction``, are
stable. Secrets are masked.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from agent_core import events as ev
from agent_core.build import Engine
from agent_core.conversation import AssistantItem, Item, ReasoningItem, ToolCallItem, ToolResultItem, Usage, UserItem
from agent_core.errors import JournalError
from agent_core.fold import fold
from agent_core.item_text import item_text, items_tokens
from agent_core.landing_report import heading, wants_colour
from agent_core.output import JsonWriter, complain, write_out
from agent_core.shelf import named
from agent_core.state import State
from agent_core.text import counted, printable

DONE, NOTHING = 0, 1
_MOST_LISTED = 8
_LINE = 90


class CompactionLine(msgspec.Struct, frozen=True):
    """A compaction before a request.

    Attributes:
        why: ``full``, ``refused`` or ``asked``.
        summed: How many items a summary stands for.
        cut: How many texts lost their middle.
        before: Tokens before it.
        after: Tokens after it, estimated.
        by: Who wrote the summary: ``partner`` or ``pairloop``.
        input: Tokens that were sent to have it written, in a request of its own.
        output: Tokens of the answer to that.
    """

    why: str
    summed: int
    cut: int
    before: int
    after: int
    by: str
    input: int
    output: int


class PromptLine(msgspec.Struct, frozen=True):
    """One request; the JSON object of ``pairloop log --prompts --json``.

    Attributes:
        step: Its number in the session, from 1.
        at: When it was sent, in seconds since the epoch.
        items: How many items its input had.
        same: How many of them, from the first, are those of the request before, so that a cache may have them.
        new_tokens: About how many tokens the others have.
        input: Tokens sent, as the provider counted them; null where it did not, or no answer came.
        cached: How many of those came from the provider's cache; null likewise.
        output: Tokens of the answer; null likewise.
        cost: US dollars; null where that is not known.
        compaction: What was compacted since the request before; null when nothing was.
        new: The other items, in full; null unless they were asked for.
    """

    step: int
    at: float
    items: int
    same: int
    new_tokens: int
    input: int | None
    cached: int | None
    output: int | None
    cost: float | None
    compaction: CompactionLine | None
    new: tuple[Item, ...] | None


def prompts(entries: Iterable[ev.Entry]) -> tuple[PromptLine, ...]:
    """Every request of a session, oldest first, with what was new in it.

    Args:
        entries: The session's events, oldest first.
    """
    found: list[PromptLine] = []
    state, before = State(), State().items
    compaction, summary = None, Usage()
    for entry in entries:
        match entry.event:
            case ev.ItemsAppended() | ev.CompactionUndone():
                state = fold(state, entry.event)
            case ev.AsideFinished("summary", usage):
                summary = usage
            case ev.Compacted() as event:
                state = fold(state, event)
                compaction, summary = _compaction(event, summary), Usage()
            case ev.PromptSent(step, items):
                sent = state.items[:items]
                same = _same(before, sent)
                new = sent[same:]
                line = PromptLine(
                    step, entry.at, len(sent), same, items_tokens(new), None, None, None, None, compaction, new
                )
                found.append(line)
                before, compaction = sent, None
            case ev.AnswerFinished(_, usage) if found and found[-1].input is None and (usage.input or usage.output):
                counts = {"input": usage.input, "cached": usage.cached, "output": usage.output, "cost": usage.cost}
                found[-1] = msgspec.structs.replace(found[-1], **counts)
            case _:
                pass
    return tuple(found)


def _compaction(event: ev.Compacted, summary: Usage) -> CompactionLine:
    usage = event.usage + summary
    return CompactionLine(
        event.why, event.summed, event.cut, event.before, event.after, event.by, usage.input, usage.output
    )


def _same(old: tuple[Item, ...], new: tuple[Item, ...]) -> int:
    """How many items two inputs have in common, from the first."""
    count = 0
    for one, other in zip(old, new, strict=False):
        if one != other:
            break
        count += 1
    return count


async def log_prompts(engine: Engine, *, session: str, number: int, count: int, full: bool, json: bool) -> int:
    """List what was sent to the partner, newest first.

    Args:
        engine: Of the project.
        session: Id of the session or the beginning of it; empty for the one used last.
        number: Only this request, with what is new in it in full; 0 for all.
        count: Only the last so many; 0 for all.
        full: With what is new in each, in full.
        json: As JSON lines.

    Returns:
        The exit code: 0 told, 1 there is no such session or request.

    Raises:
        PairloopError: The configuration or the journal cannot be used.
    """
    shelf = engine.shelf()
    try:
        card = named(await shelf.cards(hidden=True), session)
    except JournalError as error:
        complain(error.message, error.hint)
        return NOTHING
    lines = [line for line in reversed(prompts(await shelf.entries(card.id))) if number in {0, line.step}]
    if number and not lines:
        complain(f"There is no request {number} in session {card.id}.", "`pairloop log --prompts` lists them.")
        return NOTHING
    chosen, shown = lines[: count or None], full or bool(number)
    if json:
        writer = JsonWriter(sys.stdout)
        done = write_out(writer.line(_as_data(line, shelf.mask, full=shown)) for line in chosen)
        return DONE if done else NOTHING
    colour = wants_colour(sys.stdout)
    head = "" if number else f"session {card.id}: {counted(len(lines), 'request')}\n"
    texts = ("".join(f"{text}\n" for text in _told(line, shelf.mask, full=shown, colour=colour)) for line in chosen)
    return DONE if write_out([printable(head), *texts]) else NOTHING


def _as_data(line: PromptLine, mask: Callable[[str], str], *, full: bool) -> Any:
    return _masked(msgspec.to_builtins(line if full else msgspec.structs.replace(line, new=None)), mask)


def _masked(value: Any, mask: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return printable(mask(value))
    if isinstance(value, dict):
        return {key: _masked(one, mask) for key, one in value.items()}
    return [_masked(one, mask) for one in value] if isinstance(value, list | tuple) else value


def _told(line: PromptLine, mask: Callable[[str], str], *, full: bool, colour: bool) -> Iterator[str]:
    """A request as a human reads it."""
    new = line.new or ()
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(line.at))
    yield heading(
        f"{line.step}  {at}  {counted(line.items, 'item')} ({len(new)} new)  {_counted(line)}",
        colour=colour,
    )
    if line.compaction is not None:
        yield f"    compacted before it: {_compacted(line.compaction)}"
    if full:
        for item in new:
            yield f"  {_who(item)}"
            yield from (f"    {text}" for text in _shown(item, mask).split("\n"))
        return
    for item in new[:_MOST_LISTED]:
        words = " ".join(_shown(item, mask).split())
        yield f"    {_who(item)}: {words if len(words) <= _LINE else words[: _LINE - 1] + '…'}"
    if len(new) > _MOST_LISTED:
        yield f"    and {len(new) - _MOST_LISTED} more"


def _counted(line: PromptLine) -> str:
    if line.input is None:
        return f"about {line.new_tokens:,} tokens new, not counted by the server"
    share = f" ({100 * (line.cached or 0) // line.input}% cached)" if line.input else ""
    cost = f", ${line.cost:.4f}" if line.cost is not None else ""
    return f"{line.input:,} tokens in{share}, {line.output or 0:,} out{cost}"


def _compacted(line: CompactionLine) -> str:
    parts = [f"about {line.before:,} tokens became {line.after:,}"]
    if line.summed:
        aside = f" ({line.input:,} tokens in, {line.output:,} out)" if line.input or line.output else ""
        parts.append(f"{line.summed} items summed up by {'the partner' if line.by == 'partner' else 'pairloop'}{aside}")
    if line.cut:
        parts.append(f"{line.cut} cut")
    return ", ".join(parts)


def _who(item: Item) -> str:
    match item:
        case UserItem():
            return "told"
        case AssistantItem():
            return "the partner said"
        case ReasoningItem():
            return "the partner's reasoning"
        case ToolCallItem(_, name):
            return f"the partner called {printable(name)}"
        case ToolResultItem(_, _, ok):
            return "it was answered" if ok else "it was answered, as failed"


def _shown(item: Item, mask: Callable[[str], str]) -> str:
    """An item's text, fit to be shown; what is encrypted only as how long it is."""
    match item:
        case ReasoningItem(raw):
            return f"[{len(raw):,} characters, encrypted]"
        case ToolCallItem(_, _, arguments):
            return printable(mask(arguments))
        case _:
            return printable(mask(item_text(item)))
