"""In which form the partner writes its patches: what is known of it, and the next one where its patches fail."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import get_args

from agent_core import events as ev
from agent_core.conversation import ToolCallItem, UserItem
from agent_core.parts import Parts
from agent_core.patch.stream import patch_text
from agent_core.prompt import forms, replies
from agent_core.prompt.forms import Form, Meant
from agent_core.tools.base import View

_TRIES = 2
"""So many answers in a row that come to nothing are one that fails and the repair that was asked for."""

_ORDER: tuple[Form, ...] = get_args(Form)
_NAMES = {"envelope": "patches", "blocks": "SEARCH/REPLACE blocks", "whole": "whole files"}


class Forms:
    """Keeps count of the answers that come to nothing, and tells the partner of another form.

    Args:
        parts: The session's parts.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._failed = 0
        self._refused = False
        self._builtin = False
        self._meant = Meant()

    @property
    def form(self) -> Form:
        """The form that is asked for now."""
        return forms.form_in(self._parts.state().items) or "envelope"

    @property
    def failing(self) -> bool:
        """Whether its last patch came to nothing."""
        return self._refused

    def opening(self) -> str:
        """What the partner is told of the form at the beginning of a task; empty where there is nothing to tell."""
        self._failed, self._refused, self._builtin, self._meant = 0, False, False, Meant()
        info = self._parts.model.info
        known: Form | None = next((form for form in _ORDER if form == info.form), None)
        if known is None or known == self.form:
            return ""
        return forms.note(known, Meant(), lambda _: None)

    def failed(self, call: ToolCallItem | None = None, failures: Sequence[str] = (), *, meant: bool = False) -> None:
        """An answer came to nothing.

        Args:
            call: The patch of it that was refused, if there was one.
            failures: What of that failed; see `agent_core.errors.PatchRefusedError`.
            meant: It held none, but meant to be one.
        """
        if call is None:
            # Words count where a patch was wanted: behind one that was refused, too.
            self._failed += meant or self._refused
            return
        self._failed += 1
        self._refused = True
        self._builtin = self._builtin or bool(call.raw)
        wanted = forms.meant_by(_patch(call), failures)
        paths = replies.updated_files(call.arguments)
        meant_now = wanted if wanted.path or not paths else Meant(paths[0])
        if meant_now.path != forms.EXAMPLE or not self._meant.path:
            # Who sends the example means what they meant before.
            self._meant = meant_now

    def worked(self) -> None:
        """A patch was taken."""
        self._failed, self._refused = 0, False

    async def switch(self, view: View) -> bool:
        """Go on to the next form, if the one asked for has failed, and also after a repair.

        Args:
            view: The tree as the partner sees it.

        Returns:
            Whether the partner was told of another one.
        """
        if self._failed < _TRIES or self._builtin or self._parts.model.info.pinned:
            return False
        following = await asyncio.to_thread(self._next, view)
        if following is None:
            return False
        self._failed = 0
        self._parts.append(UserItem(await asyncio.to_thread(forms.note, following, self._meant, view.read)))
        text = f"Its patches cannot be used: the partner is asked for {_NAMES[following]} from now on."
        self._parts.emit(ev.Noted("info", text))
        return True

    def _next(self, view: View) -> Form | None:
        following = _ORDER[_ORDER.index(self.form) + 1 :]
        if "whole" in following and not forms.fits_whole(self._meant.path, view.read, self._parts.tool_tokens):
            following = tuple(form for form in following if form != "whole")
        return following[0] if following else None


def _patch(call: ToolCallItem) -> str:
    try:
        return patch_text(json.loads(call.arguments)) or ""
    except (ValueError, RecursionError):
        return ""
