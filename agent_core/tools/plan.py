"""The partner's plan: what it is going to do, and how far it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from agent_core.conversation import ToolSpec
from agent_core.events.running import PlanStep
from agent_core.partner_words import plan_words
from agent_core.text import shortened
from agent_core.tools.base import ToolError, ToolOutput, View, make_spec

MOST_STEPS = 20
_LONGEST = 200
_SHAPE = 'Expected: {"steps": [{"text": "...", "status": "open"}, ...]}, the status being open, doing or done.'

Stands = Literal["open", "doing", "done"]
_WORDS: dict[Stands, frozenset[str]] = {
    "doing": frozenset(("doing", "inprogress", "active", "current", "started", "running", "wip", "now")),
    "done": frozenset(("done", "completed", "complete", "finished", "true", "yes", "x")),
}
# A line of a list as people write it: a bullet or a number, and a box.
_LINE = re.compile(r"\s*(?:[-*+]|\d+[.)])?\s*(?:\[(?P<box>[ xX~>-]?)\]\s*)?(?P<text>.*)")


class UpdatePlan:
    """The tool ``update_plan``.

    Args:
        told: Told the whole plan.
    """

    # It has an effect, if only on the screen, so that of two in one answer the last one stands.
    looks = False
    spec: ToolSpec = make_spec(
        "update_plan",
        "Tell the human your plan for a task of many steps, and again how far you are. Give all steps each time.",
        {
            "steps": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "text": {"type": "string"},
                        "status": {"type": "string", "enum": ["open", "doing", "done"]},
                    },
                    "required": ["text", "status"],
                    "additionalProperties": False,
                },
            }
        },
        ("steps",),
    )

    def __init__(self, told: Callable[[tuple[PlanStep, ...]], None]) -> None:
        self._told = told

    def title(self, arguments: str) -> str:  # noqa: ARG002 - the plan itself is shown
        """What a call does, for the human."""
        return "plan"

    async def run(self, arguments: str, view: View) -> ToolOutput:  # noqa: ARG002 - it looks at nothing
        """Tell the plan."""
        steps = read_plan(arguments)
        self._told(steps)
        return ToolOutput("The human sees your plan. Go on with it.", plan_words(steps))


def read_plan(arguments: str) -> tuple[PlanStep, ...]:
    """The steps of a call, as models write them: objects, lines of text, or one text with a line each.

    Raises:
        ToolError: There are none, too many, or they cannot be read; says what would be.
    """
    try:
        given = msgspec.json.decode(arguments.strip() or "{}")
    except msgspec.DecodeError as error:
        raise ToolError(f"The arguments do not fit: {error}.", _SHAPE) from error
    if isinstance(given, dict):
        given = next((given[name] for name in ("steps", "plan", "todos", "tasks", "items") if name in given), None)
    if isinstance(given, str):
        given = given.split("\n")
    if not isinstance(given, list):
        raise ToolError("The arguments do not fit: there are no steps.", _SHAPE)
    steps = tuple(step for one in given if (step := _step(one)) is not None)
    if not steps:
        raise ToolError("The plan has no steps.", _SHAPE)
    if len(steps) > MOST_STEPS:
        raise ToolError(f"The plan has {len(steps)} steps: at most {MOST_STEPS} are shown. Make them larger.")
    return steps


def _step(given: Any) -> PlanStep | None:
    """One step; None where it says nothing."""
    if isinstance(given, str):
        found = _LINE.fullmatch(given.replace("\n", " "))
        box, text = (found["box"] or "", found["text"]) if found else ("", given)
        stands: Stands = "done" if box in {"x", "X"} else "doing" if box in {"~", ">", "-"} else "open"
    elif isinstance(given, dict):
        names = ("text", "step", "title", "content", "description", "task", "name")
        text = next((str(given[name]) for name in names if given.get(name)), "")
        how = next((given[name] for name in ("status", "stands", "state", "done", "completed") if name in given), "")
        word = re.sub(r"[^a-z]", "", str(how).lower())
        stands = next((one for one, words in _WORDS.items() if word in words), "open")
    else:
        return None
    text = " ".join(text.split())
    return PlanStep(shortened(text, _LONGEST), stands) if text else None
