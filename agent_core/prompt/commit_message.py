"""The message of a commit, in the project's own style: asked of the partner, or made from the task without one."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

import msgspec

from agent_core.text import cap_text, printable, shortened

LOOKED_AT = 15
"""So many commits of the log show the style."""
INSTRUCTIONS = """You write the message of one git commit, for a change that is done and reviewed. Answer with the
message alone: no quotes, no code fence, no words around it. The first line says what the commit does, in one line of
at most 72 characters. Only where the reason is not plain from it, add a blank line and at most three short lines that
say why. Never mention who or what wrote the change, and add no trailers such as Signed-off-by."""

_DIFF_TOKENS = 3000
_TASK_TOKENS = 600
_FEW = 3
_SUBJECT = 72
_LONGEST = 120
_WIDTH = 76
_MOST_LINES = 14
_TYPED = re.compile(r"^(?P<type>[a-z]+)(\([^()]+\))?!?: \S")
_AREA = re.compile(r"^[\w./-]+: \S")
_TICKET = re.compile(r"^(\[[A-Z][A-Z0-9]+-\d+\]|[A-Z][A-Z0-9]+-\d+)[: ]")
_TYPES = frozenset({"feat", "fix", "docs", "style", "refactor", "perf", "test", "build", "ci", "chore", "revert"})
_PAST = re.compile(r"^[a-z]+(ed|es|ing)$", re.IGNORECASE)
_TRAILER = re.compile(r"^[A-Za-z0-9-]+: \S")
_THOUGHT = re.compile(r"<think>.*?(</think>|\Z)", re.DOTALL)
_FENCE = re.compile(r"^```[^\n]*\n(.*?)\n?```\s*$", re.DOTALL)
_NAME = re.compile(r"[./\\_:(]\w|\(\)")
_LABEL = re.compile(r"^(commit message|message|subject)\s*:\s*", re.IGNORECASE)
_VERBS = {
    "fix": "fix",
    "mend": "fix",
    "repair": "fix",
    "add": "feat",
    "implement": "feat",
    "support": "feat",
    "allow": "feat",
    "document": "docs",
    "test": "test",
    "refactor": "refactor",
    "rename": "refactor",
    "move": "refactor",
    "simplify": "refactor",
    "clean": "refactor",
    "speed": "perf",
}


class Style(msgspec.Struct, frozen=True):
    """How a project writes the subjects of its commits.

    Attributes:
        form: ``typed`` is Conventional Commits; ``area`` a prefix such as ``parser: ``; ``ticket`` a number such as
            ``ABC-12``; empty for plain sentences.
        capital: The first word begins with a capital.
        stop: It ends with a full stop.
        imperative: It says what the commit does, as a wish, rather than what was done.
    """

    form: str = ""
    capital: bool = True
    stop: bool = False
    imperative: bool = True


def style_of(subjects: Sequence[str]) -> Style:
    """The style of a log.

    Args:
        subjects: Its newest subjects; of too few nothing can be told.
    """
    if len(subjects) < _FEW:
        return Style()
    rest = [_without_prefix(one) for one in subjects]
    words = [one.split(" ", 1)[0] for one in rest if one]
    form = ""
    if _most([_is_typed(one) for one in subjects]):
        form = "typed"
    elif _most([bool(_TICKET.match(one)) for one in subjects]):
        form = "ticket"
    elif _most([bool(_AREA.match(one)) for one in subjects]):
        form = "area"
    return Style(
        form,
        capital=_most([word[:1].isupper() for word in words]),
        stop=_most([one.endswith(".") for one in subjects]),
        imperative=not _most([bool(_PAST.match(word)) for word in words]),
    )


def request_text(task: str, diff: str, subjects: Sequence[str]) -> str:
    """What the partner is asked.

    Args:
        task: What the human had asked for.
        diff: What landed, as a unified diff.
        subjects: The newest subjects of the log.
    """
    style = style_of(subjects)
    parts = [_style_words(style)]
    if subjects:
        # They are examples, not orders, whoever wrote them.
        parts.append(
            "The newest subjects of this project's log:\n" + "\n".join(shortened(one, 150) for one in subjects)
        )
    if task.strip():
        parts.append(f"What was asked for:\n{cap_text(task.strip(), _TASK_TOKENS)}")
    parts.append(f"The change:\n{cap_text(diff, _DIFF_TOKENS)}")
    return "\n\n".join(parts)


def read_answer(answer: str) -> str:
    """The message in a partner's answer; empty where there is none that could be used."""
    text = _THOUGHT.sub("", printable(answer)).strip()
    if fenced := _FENCE.match(text):
        text = fenced.group(1).strip()
    text = _LABEL.sub("", text).strip().strip("\"'`").strip()
    subject, _, body = text.partition("\n")
    subject = subject.lstrip("# ").rstrip()
    if not subject or len(subject) > _LONGEST:
        return ""
    lines = body.strip().splitlines()[:_MOST_LINES]
    # It was asked for none: whom it credits is the human's to say.
    while lines and (not lines[-1].strip() or _TRAILER.match(lines[-1])):
        lines.pop()
    return "\n".join([subject, *(["", *_wrapped(lines)] if lines else [])])


def made_from(task: str, paths: Sequence[str], subjects: Sequence[str]) -> str:
    """A message without a partner: the task's first line, in the log's form as far as that goes.

    Args:
        task: What the human had asked for; may be empty.
        paths: The files that change.
        subjects: The newest subjects of the log.
    """
    style = style_of(subjects)
    line = next((one.strip() for one in printable(task).splitlines() if one.strip()), "")
    line = " ".join(line.split()).rstrip(".:!") or f"Change {_names(paths)}"
    first = line.split(" ", 1)[0]
    # What is written in a way of its own, such as a name, stays as it is.
    if (first[1:].islower() or len(first) == 1) and not _NAME.search(first):
        line = (line[0].upper() if style.capital else line[0].lower()) + line[1:]
    if style.form == "typed":
        line = f"{_VERBS.get(first.lower(), 'chore')}: {line}"
    subject = textwrap.shorten(line, _SUBJECT - style.stop, placeholder=" ...") if len(line) > _SUBJECT else line
    message = f"{subject}." if style.stop and not subject.endswith(".") else subject
    return message if subject == line or not task.strip() else f"{message}\n\n{_paragraph(task)}"


def with_trailer(message: str, trailer: str) -> str:
    """A message with a line at its end, among those of its kind; once."""
    trailer = " ".join(printable(trailer).split())
    message = message.rstrip()
    lines = message.splitlines()
    if not trailer or not message or trailer in lines:
        return message
    last = message.rpartition("\n\n")[2].splitlines() if "\n\n" in message else []
    together = bool(last) and all(_TRAILER.match(line) for line in last)
    return f"{message}{chr(10) if together else chr(10) * 2}{trailer}"


def _most(found: Sequence[bool]) -> bool:
    return sum(found) * 5 >= len(found) * 3 > 0


def _is_typed(subject: str) -> bool:
    found = _TYPED.match(subject)
    return found is not None and found.group("type") in _TYPES


def _without_prefix(subject: str) -> str:
    for form in (_TICKET, _AREA, _TYPED):
        if form.match(subject):
            return subject.split(" ", 1)[1].strip() if " " in subject else subject
    return subject


def _style_words(style: Style) -> str:
    forms = {
        "typed": "This project uses Conventional Commits (type, perhaps a scope in parentheses, a colon).",
        "area": "The subjects of this project begin with the area that changes and a colon.",
        "ticket": "The subjects of this project begin with a ticket's number: leave it out unless it is named here.",
        "": "The subjects of this project have no prefix.",
    }
    mood = "in the imperative" if style.imperative else "in the past tense or as the log does it"
    ends = "with a full stop" if style.stop else "without a full stop"
    case = "with a capital" if style.capital else "in lower case"
    return f"{forms[style.form]} They are written {mood}, begin {case} and end {ends}."


def _wrapped(lines: Sequence[str]) -> list[str]:
    """Lines of a body, none too long; those of lists keep their indentation."""
    found: list[str] = []
    for line in lines:
        indent = "  " if line.lstrip().startswith(("- ", "* ")) else ""
        found += textwrap.wrap(line, _WIDTH, subsequent_indent=indent, break_long_words=False) or [""]
    return found


def _paragraph(task: str) -> str:
    first = next((one for one in printable(task).strip().split("\n\n") if one.strip()), "")
    return textwrap.fill(shortened(" ".join(first.split()), 500), _WIDTH, break_long_words=False)


def _names(paths: Sequence[str]) -> str:
    names = [path.rsplit("/", 1)[-1] for path in paths]
    return ", ".join(names) if len(names) <= 3 else f"{', '.join(names[:2])} and {len(names) - 2} more files"
