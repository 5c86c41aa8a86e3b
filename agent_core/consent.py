"""What the partner wants to do and the human has a say in: a rule answers, or they are asked."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

from agent_core import events as ev
from agent_core.decisions import Inbox
from agent_core.errors import PermissionsError
from agent_core.parts import Parts
from agent_core.permission_book import PermissionBook
from agent_core.permissions import Judged, Offer, Rules
from agent_core.tools.base import Permission, ToolError

CALL: ContextVar[str] = ContextVar("call", default="")
"""Id of the tool call that the code at hand belongs to: several may be carried out at the same time."""

_MOST_QUESTIONS = 3


class Consent:
    """Asks the human, one thing at a time.

    Args:
        parts: The session's parts.
        inbox: Where the answers arrive.
    """

    def __init__(self, parts: Parts, inbox: Inbox) -> None:
        self._parts = parts
        self._inbox = inbox
        self._lock = asyncio.Lock()
        self._reasons: dict[str, str] = {}
        self._asked = 0
        self._themselves = ""  # id of the call that the human allowed last

    def begin(self) -> None:
        """Start a task: questions may be asked again."""
        self._asked = 0
        self._reasons.clear()

    def reason(self, call_id: str) -> str:
        """What the human said when they did not allow a call; said once, empty where they said nothing."""
        return self._reasons.pop(call_id, "")

    async def approve(self, wish: Permission) -> bool:
        """Say whether something may be done: a rule does, or the human is asked; see `agent_core.tools.base.Approver`.

        What they want to be kept is kept before it is done.
        """
        call_id, shown = CALL.get(), wish.shown or wish.subject
        rules = self._rules()
        judged = rules.judge(wish.action, wish.subject)
        goes_on = wish.again and self._themselves == call_id
        if goes_on and (judged.answer == "allow" or judged == Judged("ask")):
            return True
        self._themselves = ""
        if judged.answer != "ask":
            allowed = judged.answer == "allow"
            given = ev.ApprovalGiven(call_id, allowed, judged.rule, by="rule", command=shown)
            self._parts.emit(given, durable=True)
            if not allowed:
                self._reasons[call_id] = f"A rule of theirs forbids it for good: {judged.rule}"
            return allowed
        offer = rules.offer(wish.action, wish.subject) if self._parts.permissions is not None else Offer()
        async with self._lock:
            asked = ev.ApprovalAsked(call_id, shown, wish.action, offer.rule, offer.wider)
            word = await self._inbox.approval(asked)
            rule = self._kept(self._parts.permissions, word.always) if word.allowed else ""
            given = ev.ApprovalGiven(call_id, word.allowed, rule, reason=word.reason)
            self._parts.emit(given, durable=True)
        self._themselves = call_id if word.allowed else ""
        if word.reason and not word.allowed:
            self._reasons[call_id] = f"They say: {word.reason}"
        return word.allowed

    async def ask(self, text: str, options: tuple[str, ...]) -> str:
        """Ask the human a question of the partner's.

        Returns:
            The answer; empty where they leave it to the partner.

        Raises:
            ToolError: It has asked enough in this task.
        """
        if self._asked >= _MOST_QUESTIONS:
            raise ToolError(
                f"You have asked {_MOST_QUESTIONS} questions in this task, which is enough.",
                "Decide yourself, and say in your last words what you assumed.",
            )
        self._asked += 1
        call_id = CALL.get()
        async with self._lock:
            answer = await self._inbox.answer(ev.QuestionAsked(call_id, text, options))
            self._parts.emit(ev.QuestionAnswered(call_id, answer), durable=True)
        return answer

    def _rules(self) -> Rules:
        book = self._parts.permissions
        kept: tuple[str, ...] = ()
        try:
            kept = book.rules() if book is not None else ()
        except PermissionsError as error:
            self._parts.emit(ev.Noted("warning", f"{error.message} What is kept there is asked again.", error.hint))
        return Rules(self._parts.config.permissions, kept)

    def _kept(self, book: PermissionBook | None, rules: str) -> str:
        """Keep rules, a line each; gives what was kept."""
        if not rules or book is None:
            return ""
        try:
            book.keep(tuple(rules.split("\n")))
        except PermissionsError as error:
            self._parts.emit(ev.Noted("warning", f"{error.message} It is allowed this once.", error.hint))
            return ""
        return rules
