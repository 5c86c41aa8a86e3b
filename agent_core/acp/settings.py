"""What can be chosen in an editor: when to be asked, and who proposes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from acp.schema import (
    ConfigOptionUpdate,
    CurrentModeUpdate,
    SessionConfigOptionBoolean,
    SessionConfigOptionSelect,
    SessionConfigSelectOption,
    SessionMode,
    SessionModeState,
)

from agent_core import commands
from agent_core.acp.words import title
from agent_core.errors import PairloopError
from agent_core.events import Mode
from agent_core.state import State

Options = list[SessionConfigOptionSelect | SessionConfigOptionBoolean]
_MODES: dict[Mode, tuple[str, str]] = {
    "step": ("Step", "Ask me at every proposal."),
    "until-green": ("Until green", "Have the partner go on until all checks pass, then ask me."),
    "auto": ("Auto", "Write to my files when all checks pass; ask me otherwise."),
}
_CONFIGURED = "default"


def modes(state: State) -> SessionModeState:
    """When to be asked."""
    return SessionModeState(
        current_mode_id=state.mode,
        available_modes=[SessionMode(id=mode, name=name, description=words) for mode, (name, words) in _MODES.items()],
    )


def options(state: State, partners: Sequence[str]) -> Options:
    """All that can be chosen.

    Args:
        state: The session's state.
        partners: Names of the partners beside the configured one.
    """
    found: Options = [
        _select("mode", "Mode", "When you are asked.", "mode", state.mode, [(m, *_MODES[m]) for m in get_args(Mode)])
    ]
    if partners:
        chosen = state.partner.entry if state.partner is not None else ""
        listed = [(_CONFIGURED, "As configured", ""), *((name, name, "") for name in partners)]
        current = chosen if chosen in partners else _CONFIGURED
        found.append(_select("partner", "Partner", "Who proposes.", "model", current, listed))
    return found


def chosen(config_id: str, value: object, partners: Sequence[str]) -> commands.AnyCommand:
    """What to do to have something chosen.

    Raises:
        PairloopError: There is no such choice.
    """
    if config_id == "mode":
        for mode in _MODES:
            if mode == value:
                return commands.SetMode(mode)
    if config_id == "partner" and isinstance(value, str) and (value == _CONFIGURED or value in partners):
        return commands.UsePartner("" if value == _CONFIGURED else value)
    raise PairloopError(f"There is no {config_id} {value!r} to choose.")


def told(state: State, partners: Sequence[str]) -> tuple[CurrentModeUpdate, ConfigOptionUpdate]:
    """That something was chosen, wherever."""
    return (
        CurrentModeUpdate(session_update="current_mode_update", current_mode_id=state.mode),
        ConfigOptionUpdate(session_update="config_option_update", config_options=options(state, partners)),
    )


def _select(  # noqa: PLR0917 - the fields of one option
    name: str, words: str, about: str, kind: str, current: str, listed: Sequence[tuple[str, str, str]]
) -> SessionConfigOptionSelect:
    return SessionConfigOptionSelect(
        type="select",
        id=name,
        name=words,
        description=about,
        category="mode" if kind == "mode" else "model",
        current_value=current,
        options=[
            SessionConfigSelectOption(value=value, name=title(shown), description=text or None)
            for value, shown, text in listed
        ],
    )
