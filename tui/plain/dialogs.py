"""Questions that lead to further questions: a reason, block after block, a text in the editor."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine

from agent_core import commands as cmd
from agent_core.state import ProposalState
from tui.editors import EditorError
from tui.engine import Session
from tui.plain.asking import Asking
from tui.plain.choosing import Choosing
from tui.plain.console import Console, Typed
from tui.plain.questions import proposal_of
from tui.plain.words import sentence
from tui.plain.writing import write

_EFFECT = 5.0  # seconds to wait for what a mark comes to
log = logging.getLogger(__name__)


class Dialogs:
    """Leads one dialog at a time.

    Args:
        session: What they are about.
        console: Where they are led.
        asking: Asks.
        decide: Hands in what came of one.
        speak: Takes words that were written for the partner.
        ended: Told when one has ended.
    """

    def __init__(
        self,
        session: Session,
        console: Console,
        asking: Asking,
        *,
        decide: Callable[[cmd.Reject | cmd.Land], None],
        speak: Callable[[str], None],
        ended: Callable[[], None],
    ) -> None:
        self.say = console.say
        self.content = session.content
        self.is_editing = False
        """Whether the terminal is the editor's."""
        self.about = 0
        """The proposal that the dialog is about, 0 for none."""
        self._session = session
        self._console = console
        self._asking = asking
        self._decide = decide
        self._speak = speak
        self._ended = ended
        self._task: asyncio.Task[None] | None = None
        self._effect: asyncio.Future[None] | None = None

    @property
    def open(self) -> bool:
        """Whether there is one."""
        return self._task is not None

    def takes(self, typed: Typed) -> bool:
        """Whether a line answers what is asked just now, and not what was asked before."""
        return self._asking.waits and not self._asking.too_early(typed)

    def reject(self) -> None:
        """Ask why a proposal is rejected."""
        self._begin(self._reject)

    def choose(self) -> None:
        """Ask about the proposal's blocks."""
        self._begin(self._choose)

    def write(self) -> None:
        """Have a text for the partner written in the editor."""
        self._task = asyncio.get_running_loop().create_task(self._run(self._write()))

    def leave(self) -> bool:
        """Stop it; what was said in it so far stays. Whether there was one that could be stopped."""
        if self._task is None or self.is_editing:
            return False
        self._task.cancel()
        return True

    def effect(self) -> None:
        """Something that was wanted has shown its effect."""
        if self._effect is not None and not self._effect.done():
            self._effect.set_result(None)

    def _begin(self, dialog: Callable[[int], Coroutine[None, None, None]]) -> None:
        number = self._session.state.waiting
        if not number:
            self.say("No proposal waits for a decision now.")
            return
        self.about = number
        self._task = asyncio.get_running_loop().create_task(self._run(dialog(number)))

    async def _run(self, dialog: Coroutine[None, None, None]) -> None:
        try:
            await dialog
        except asyncio.CancelledError:
            pass
        except Exception as error:
            log.exception("a dialog failed")
            self.say(f"That did not work: {type(error).__name__}: {error}. The log has the details.")
        self._task, self.about = None, 0
        self._ended()

    async def _reject(self, number: int) -> None:
        reason = await self._asking.ask("Why? The partner is told. An empty line says nothing.")
        self._decide(cmd.Reject(number, reason))

    async def _choose(self, number: int) -> None:
        if (land := await Choosing(number, self._asking, self).run()) is not None:
            self._decide(land)

    async def _write(self) -> None:
        try:
            text = await self.edit("", "words.md")
        except EditorError as error:
            self.say(sentence(error.message), error.hint)
            return
        if text is None or not text.strip():
            self.say("Nothing was written.")
        else:
            self._speak(text.strip())

    # -- what choosing needs

    def proposal(self, number: int) -> ProposalState:
        """A proposal as it is now."""
        return proposal_of(self._session.state, number)

    async def carry_out(self, command: cmd.AnyCommand) -> None:
        """Hand in a mark, and wait until it is made or refused."""
        self._effect = asyncio.get_running_loop().create_future()
        self._session.submit(command)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_EFFECT):
                await self._effect

    async def edit(self, text: str, name: str) -> str | None:
        """Have the human edit a text; see `tui.plain.writing.write`."""
        self.is_editing = True
        try:
            return await write(self._console, text, name)
        finally:
            self.is_editing = False
