"""Orders that answer nothing that is asked: they are carried out as they are, whatever waits."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from agent_core import commands as cmd
from agent_core.decisions import decides_now
from agent_core.errors import PermissionsError
from agent_core.events import Mode
from tui.engine import Session
from tui.plain.lessons import lessons_of, settle
from tui.plain.memory import remembered
from tui.plain.orders import Order
from tui.plain.partners import Partners
from tui.plain.wishes import rule_lines


class Errands:
    """Carries them out.

    Args:
        session: The session.
        say: Tells the human something.

    Attributes:
        orders: What is done for an order, by its name.
    """

    def __init__(self, session: Session, say: Callable[..., None]) -> None:
        self._session = session
        self._say = say
        self._runs = 0
        partners = Partners(session, say, session.submit)
        self.orders: Mapping[str, Callable[[Order], None]] = {
            "shell": lambda order: self._shell(order.text),
            "undo": lambda order: session.submit(cmd.Undo(order.number)),
            "redo": lambda order: session.submit(cmd.Redo(order.number)),
            "end it": lambda _: session.submit(cmd.EndTool()),
            "retry": lambda _: session.submit(cmd.RetryNow()),
            "repair": lambda order: session.submit(cmd.TakeRepair(order.number)),
            "repairs on": lambda _: session.submit(cmd.SwitchRepairs(on=True)),
            "repairs off": lambda _: session.submit(cmd.SwitchRepairs(on=False)),
            "permissions": lambda _: self._tell_rules(),
            "mode": lambda order: self._mode(order.text),
            "model": lambda order: partners.obey(order.number, order.text),
            "remember": lambda order: self._remember(order.text),
            "forget": lambda order: self._rewrite(order.text),
            "restore": lambda order: self._rewrite(order.text, back=True),
            "compact": lambda _: session.submit(cmd.Compact()),
            "uncompact": lambda _: session.submit(cmd.Uncompact()),
            "lessons": lambda _: say(*lessons_of(session.state)),
            "keep": lambda order: self._settle(order.number, kept=True),
            "drop": lambda order: self._settle(order.number, kept=False),
            "mcp": lambda _: session.submit(cmd.Tell("mcp")),
            "skills": lambda _: session.submit(cmd.Tell("skills")),
            "commands": lambda _: session.submit(cmd.Tell("commands")),
        }

    def _tell_rules(self) -> None:
        try:
            self._say(*rule_lines(self._session.rules()))
        except PermissionsError as error:
            self._say(str(error))

    def _mode(self, text: str) -> None:
        mode: Mode = "auto" if text == "auto" else "until-green" if text == "until-green" else "step"
        if decides_now(mode, self._session.state):
            self._say(f"{mode.capitalize()} would decide on what waits: do that first.")
            return
        self._session.submit(cmd.SetMode(mode))

    def _shell(self, line: str) -> None:
        self._runs += 1
        self._session.submit(cmd.Shell(f"plain-{os.getpid()}-{self._runs}", line))

    def _settle(self, lesson: int, *, kept: bool) -> None:
        if trouble := settle(self._session.state, lesson, kept=kept, submit=self._session.submit):
            self._say(trouble)

    def _remember(self, text: str) -> None:
        if (command := remembered(text, self._session.state)) is not None:
            self._session.submit(command)
        else:
            self._say("What is to be remembered? Type /remember and the words.")

    def _rewrite(self, entry: str, *, back: bool = False) -> None:
        if entry:
            self._session.submit(cmd.Memorize("", entry, back))
        else:
            self._say("Which entry? Type memory to see their names.")
