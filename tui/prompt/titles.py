"""What Enter would do now: the title of the prompt, and what stands in it while it is empty."""

from __future__ import annotations

from agent_core.state import State

ASK = "What should be changed?  @ a file, / an action, ! a command in the sandbox."
STEER = "Say what should be different; the partner hears it at its next step."
DECIDE = "Say what should be different, and Enter goes on with it."
ANSWER = "The number of an answer, or other words, and Enter."
ANSWER_FREELY = "Your answer, and Enter."
DENY = "Say what to do instead, and Enter denies it with these words."
REASON = "Why? Enter alone gives no reason, Esc goes back."


def title_for(state: State) -> tuple[str, str]:
    """The title, and what stands there."""
    if state.question is not None:
        return "answer", ANSWER if state.question.options else ANSWER_FREELY
    if state.approval is not None:
        return "deny", DENY
    if state.waiting:
        return "steer", DECIDE
    return ("steer", STEER) if state.task is not None else ("ask", ASK)
