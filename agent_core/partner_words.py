"""What the partner wants and plans, in words and signs."""

from __future__ import annotations

from collections.abc import Sequence

from agent_core.events.running import Action, PlanStep

WISHES: dict[Action, str] = {"run": "run a command", "fetch": "fetch an address", "mcp": "use a tool of a server"}
"""What the partner wants to do that needs a word."""

PLAN_SIGNS = {"open": "○", "doing": "▸", "done": "✓"}


def plan_words(steps: Sequence[PlanStep]) -> str:
    """How far a plan is, in a line."""
    done = sum(step.stands == "done" for step in steps)
    doing = next((step.text for step in steps if step.stands == "doing"), "")
    return f"{done} of {len(steps)} done{f', now: {doing}' if doing else ''}"


def plan_text(steps: Sequence[PlanStep]) -> str:
    """All of a plan, a line each step."""
    return "\n".join(f"{PLAN_SIGNS[step.stands]} {step.text}" for step in steps)
