"""Asking the human a question, with answers to choose from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from agent_core.conversation import ToolSpec
from agent_core.text import shortened
from agent_core.tools.base import ToolError, ToolOutput, View, make_spec, read_arguments

MOST_OPTIONS = 4
_LONGEST_OPTION = 200
_LONGEST_QUESTION = 2_000
_LEFT_TO_YOU = (
    "There is no answer: nobody is there, or they leave it to you. Decide yourself, and say in your last words what "
    "you assumed."
)

Asker = Callable[[str, tuple[str, ...]], Awaitable[str]]
"""Asks a question with options; gives the answer, empty where there is none."""


class _Option(msgspec.Struct):
    """An option as an object, which many models write."""

    label: str = ""
    text: str = ""
    description: str = ""


class _AskArguments(msgspec.Struct):
    question: str
    options: list[str | int | float | _Option] | str = []


class AskHuman:
    """The tool ``ask_human``.

    Args:
        ask: Asks.
    """

    looks = False
    spec: ToolSpec = make_spec(
        "ask_human",
        "Ask the human one short question that you cannot answer by looking, when it decides what you do.",
        {
            "question": {"type": "string"},
            "options": {
                "type": "array",
                "items": {"type": "string"},
                "description": f"Answers to choose from, at most {MOST_OPTIONS}; they may write another.",
            },
        },
        ("question",),
    )

    def __init__(self, ask: Asker) -> None:
        self._ask = ask

    def title(self, arguments: str) -> str:
        """What a call does, for the human."""
        try:
            return f"ask: {read_arguments(_AskArguments, arguments).question.strip() or '?'}"
        except ToolError:
            return "ask"

    async def run(self, arguments: str, view: View) -> ToolOutput:  # noqa: ARG002 - it looks at nothing
        """Ask, and wait for the answer."""
        wanted = read_arguments(_AskArguments, arguments)
        question = wanted.question.strip()
        if not question:
            raise ToolError("The question is empty.")
        options = _options(wanted.options)
        if len(options) > MOST_OPTIONS:
            raise ToolError(f"There are {len(options)} options, and at most {MOST_OPTIONS} are allowed.")
        answer = await self._ask(shortened(question, _LONGEST_QUESTION), options)
        if not answer:
            return ToolOutput(_LEFT_TO_YOU, "left to the partner")
        return ToolOutput(f"The human answers: {answer}", "answered")


def _options(given: list[str | int | float | _Option] | str) -> tuple[str, ...]:
    """The options that say anything, each once; models write them as lines too."""
    found: list[str] = []
    for one in given.split("\n") if isinstance(given, str) else given:
        text = (one.label or one.text or one.description) if isinstance(one, _Option) else str(one)
        # Each is a line, and one of a few.
        found.append(shortened(" ".join(text.split()), _LONGEST_OPTION))
    return tuple(dict.fromkeys(text for text in found if text))
