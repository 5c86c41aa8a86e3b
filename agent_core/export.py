"""A session as a document: Markdown for people, JSON for programs.

Whatever stands in a session, the Markdown stays valid and what was said stays told apart from what pairloop says: words
are quoted, code is fenced by more backticks than it holds (CommonMark 0.31, 4.5), names are code spans (6.1).
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from agent_core.outside_words import capitalized
from agent_core.outside_words import who as whose
from agent_core.story import (
    AnyPart,
    Edit,
    Ended,
    Judged,
    Landing,
    Note,
    Proposal,
    Shell,
    Story,
    Task,
    Told,
    Tool,
    Words,
)

Format = Literal["md", "json"]

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~&])")
_DECISIONS = {"accept": "Accepted", "reject": "Rejected", "steer": "Sent back"}
_SIGNS = {True: "✓", False: "✗"}
_MOST_KNOWN = 200


def exported(story: Story, form: Format) -> str:
    """A session as a document.

    Args:
        story: What happened, fit to be shown (`agent_core.story.fit_to_show`).
        form: Markdown or JSON.
    """
    if form == "json":
        return msgspec.json.format(msgspec.json.encode(story), indent=2).decode() + "\n"
    return "\n".join(_document(story)) + "\n"


def inline(text: str) -> str:
    """A text in one line that Markdown shows as it is."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def code(text: str) -> str:
    """A text as a code span, whatever backticks are in it."""
    text = " ".join(text.split())
    if not text:
        return ""
    ticks = "`" * (_longest(text) + 1)
    pad = " " if text[0] == "`" or text[-1] == "`" else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def fenced(text: str, language: str = "") -> list[str]:
    """Lines of a text as a block of code, its fence longer than any run of backticks in it."""
    fence = "`" * max(3, _longest(text) + 1)
    return [f"{fence}{language}", *text.rstrip("\n").split("\n"), fence]


def quoted(text: str) -> list[str]:
    """Lines of a text as a quotation: what is opened in it is closed at its end."""
    return [f"> {line}".rstrip() for line in text.strip("\n").split("\n")]


def _longest(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def _document(story: Story) -> Iterator[str]:
    yield f"# {inline(story.title) or 'A session'}"
    yield ""
    partner = f", with {code(story.partner)}" if story.partner else ""
    yield f"pairloop session {code(story.session)}, {_when(story.started)} to {_when(story.last)}{partner}."
    tools: list[Tool] = []
    for part in story.parts:
        if isinstance(part, Tool):
            tools.append(part)
            continue
        if tools:
            yield ""
            yield from map(_tool, tools)
            tools.clear()
        yield ""
        yield from _part(part)
    if tools:
        yield ""
        yield from map(_tool, tools)


def _tool(tool: Tool) -> str:
    sign = "…" if tool.ok is None else _SIGNS[tool.ok]
    return f"- {sign} {code(tool.title)}" + (f": {inline(tool.summary)}" if tool.summary else "")


def _part(part: AnyPart) -> Iterator[str]:
    match part:
        case Task():
            yield from (f"## Task {part.number}", "", *quoted(part.text))
        case Words():
            who = "You" if part.who == "human" else "Partner"
            yield from (f"**{who}**{' (cut off)' if part.cut else ''}:", "", *quoted(part.text))
        case Proposal():
            yield from _proposal(part)
        case Landing():
            yield from _landing(part)
        case Edit():
            yield f"**{capitalized(whose(part.by))} {part.kind}** {code(part.path)}"
            if part.diff:
                yield from ("", *fenced(part.diff, "diff"))
        case Shell():
            end = "did not end" if part.code is None else f"exit status {part.code}"
            yield f"**You ran** {code(part.line)}: {end}"
            if part.output.strip():
                yield from ("", *fenced(part.output, "text"))
        case Note():
            sign = {"info": "·", "warning": "!", "error": "✗"}[part.level]
            yield f"{sign} {inline(part.text)}"
            if part.hint:
                yield from ("", *quoted(part.hint))
        case Ended():
            words = f" {inline(part.text)}" if part.text else ""
            yield f"**Task {part.task} ended: {part.outcome.replace('_', ' ')}.**{words}"


def _proposal(part: Proposal) -> Iterator[str]:
    whose = "found without a model" if part.by == "repair" else f"attempt {part.attempt}"
    yield f"### Proposal {part.number} ({whose})"
    if part.note:
        yield from ("", inline(part.note))
    yield from ("", *fenced(part.diff, "diff"))
    if part.verdict is None:
        yield from ("", "Verdict: none, the checks had not spoken.")
    else:
        yield from _verdict(part.verdict)
    if part.diagnosis:
        yield from ("", f"Why: {inline(part.diagnosis)}")
    for remark in part.remarks:
        yield from ("", f"**You**, on {code(remark.place)}:", "", *quoted(remark.text))
    for decision in part.decisions:
        share = f" ({decision.taken} of {decision.of} parts)" if decision.of else ""
        by = "you" if decision.by == "human" else "the mode"
        yield from ("", f"**{_DECISIONS[decision.decision]}{share}** by {by}, {_when(decision.at)}.")
        if decision.of:
            said = "not known" if decision.verdict is None else _summed_up(decision.verdict)
            yield from ("", f"Verdict on these parts by themselves: {said}")
        if decision.reason:
            yield from ("", *quoted(decision.reason))


def _summed_up(verdict: Judged) -> str:
    sign = _SIGNS[verdict.green] if verdict.complete or not verdict.green else "◌"
    return f"**{sign} {inline(verdict.summary)}**"


def _verdict(verdict: Judged) -> Iterator[str]:
    yield from ("", f"Verdict: {_summed_up(verdict)}", "")
    yield from (f"- {code(one.check)} {one.outcome}: {inline(one.summary)}" for one in verdict.checks)
    yield from (f"- {inline(note)}" for note in verdict.notes)
    groups: Sequence[tuple[str, Sequence[Told], bool]] = (
        ("Broken by it", verdict.broken, True),
        ("Still to be fixed", verdict.left, True),
        ("Silenced by it", verdict.silenced, True),
        ("Fixed", verdict.fixed, False),
        ("Flaky", verdict.flaky, False),
    )
    for title, findings, detail in groups:
        if findings:
            yield from ("", f"{title}:", "")
        for one in findings[:_MOST_KNOWN]:
            what = ": ".join(filter(None, (code(one.place), code(one.code), inline(one.message))))
            yield f"- {code(one.check)} {what}"
            if detail and one.detail.strip():
                yield from ("", *(f"  {line}".rstrip() for line in fenced(one.detail, "text")), "")
        if len(findings) > _MOST_KNOWN:
            yield f"- and {len(findings) - _MOST_KNOWN} more"
    if verdict.known:
        yield from ("", f"{verdict.known} findings were there before.")


def _landing(part: Landing) -> Iterator[str]:
    what = {
        "landing": f"Landed proposal {part.proposal}" if part.proposal else "Landed",
        "undo": f"Took back landing {part.about}",
        "redo": f"Landed landing {part.about} again",
    }[part.kind]
    end = {"landed": "", "abandoned": ", which was given up: nothing of it was written", "open": ", not completed"}
    paths = ", ".join(map(code, part.files)) or "nothing was left to write"
    yield f"**{what}** as landing {part.landing}{end[part.outcome]}: {paths}"
