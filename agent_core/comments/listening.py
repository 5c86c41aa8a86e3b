"""Hears in what the human saves the comments that are words to the partner, and has them obeyed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from agent_core import events as ev
from agent_core.comments.find import may_hold
from agent_core.comments.lexed import MOST_BYTES
from agent_core.comments.news import News, Saved, news
from agent_core.comments.words import context_of, heading, told
from agent_core.errors import JournalError
from agent_core.parts import Parts
from agent_core.state import State
from agent_core.workspace.layering import read_small
from agent_core.workspace.tree import Snapshot

_MOST_ORIGINS = 64
_GOES_ON = frozenset({"answered", "landed", "green", "not_green", "conflict"})
log = logging.getLogger(__name__)


class Words(msgspec.Struct, frozen=True):
    """What a human wants, as comments say it or as it was typed.

    Attributes:
        text: For the human.
        markers: The comments; none where it was typed.
        told: For the partner; empty where that is the same.
        waiting: Number of the proposal that waited for the human when they saved them, 0 when none did: one that had
            not come up yet is not what they wrote about.
        covers: Files in which nothing but the comments is new.
    """

    text: str
    markers: tuple[ev.Marker, ...] = ()
    told: str = ""
    waiting: int = 0
    covers: tuple[str, ...] = ()


class _Heard(msgspec.Struct, frozen=True):
    """Some saves, and when they were heard."""

    saves: tuple[Saved, ...]
    now: Snapshot
    waiting: int


class Comments:
    """Takes up what the human writes in their files for the partner: new comments with ``AI!`` or ``AI?``.

    What git, a formatter, pairloop or somebody unknown wrote is not handed in, and what was there before is not new.

    Args:
        parts: The session's parts.
        text: Gives what a file that has just been edited held before, and holds now; see `EditTracker.text`.
        mask: Takes secrets out of a text.
        wake: Has whoever waits for a decision look again.
    """

    def __init__(
        self,
        parts: Parts,
        text: Callable[[str, str], bytes | None],
        mask: Callable[[str], str],
        wake: Callable[[], None],
    ) -> None:
        self._parts = parts
        self._text = text
        self._mask = mask
        self._wake = wake
        self._heard: asyncio.Queue[_Heard | None] = asyncio.Queue()
        # By file: what it held before the human began to write in it, and the hash of what they wrote last.
        self._origins: dict[str, tuple[bytes, str | None]] = {}
        # Contents whose requests have been taken up: an editor that writes one of them again asks for nothing new.
        tasks = parts.state().tasks
        self._taken_up = {(marker.path, marker.file) for task in tasks for marker in task.markers}

    def heard(self, edits: Sequence[ev.HumanEdited], now: Snapshot) -> None:
        """The human saved files; what comes of it comes later.

        Args:
            edits: Their edits.
            now: The working tree with them.
        """
        if not self._parts.config.watch.comments:
            return
        saves = [saved for edit in edits if (saved := self._saved(edit, now)) is not None]
        if any(may_hold(one.old) or may_hold(one.new) for one in saves):
            self._heard.put_nowait(_Heard(tuple(saves), now, self._parts.state().waiting))

    def listen(self, entry: ev.Entry, _state: State) -> None:
        """Take an event: what comments said to a task that ends is a task of its own, if its partner was not told."""
        if isinstance(entry.event, ev.TaskFinished) and entry.event.outcome in _GOES_ON:
            self._heard.put_nowait(None)

    async def run(self, ask: Callable[[Words], None]) -> None:
        """Have comments obeyed, until cancelled: they become a task, or news for the running one.

        Args:
            ask: Makes them a task.
        """
        while True:
            heard = await self._heard.get()
            try:
                words = self._left() if heard is None else await self._words(heard)
                if words is not None and self._parts.state().task is None:
                    ask(words)
                elif words is not None:
                    steered = ev.Steered(words.text, words.markers, words.told, words.waiting, words.covers)
                    self._parts.emit(steered, durable=True)
                    self._wake()
            except JournalError:
                raise
            except Exception as error:
                log.exception("comments could not be read")
                text = f"The comments in what you saved could not be read: {type(error).__name__}: {error}."
                self._parts.emit(ev.Noted("error", text, "Type what they say."))

    def _saved(self, edit: ev.HumanEdited, now: Snapshot) -> Saved | None:
        """An edit with its contents; None where they are not known."""
        path = edit.path
        old, new = (b"" if digest is None else self._text(path, digest) for digest in (edit.before, edit.after))
        if old is None or new is None:
            self._origins.pop(path, None)
            if may_hold(new):
                text = (
                    f"{path} has a comment for the partner in it, but it is not known whether you have just written it."
                )
                self._parts.emit(ev.Noted("info", text, "Change its words and save it again to have it heard."))
            return None
        if not old and may_hold(new) and any(one.hash == edit.after for at, one in now.files.items() if at != path):
            # A copy of a file brings nothing that its original did not say.
            old = new
        origin, last = self._origins.pop(path, (old, edit.before))
        if last != edit.before:
            origin = old
        self._origins[path] = origin, edit.after
        while len(self._origins) > _MOST_ORIGINS:
            del self._origins[next(iter(self._origins))]
        return Saved(path, edit.after or "", old, new, origin)

    async def _words(self, heard: _Heard) -> Words | None:
        """What is new in some saves; None where it is nothing."""
        found: News = await asyncio.to_thread(news, heard.saves)
        self._taken_up = {(path, file) for path, file in self._taken_up if path not in found.gone}
        markers = tuple(one for one in found.markers if (one.path, one.file) not in self._taken_up)
        if not markers:
            return None
        self._taken_up |= {(one.path, one.file) for one in markers}
        if found.left:
            text = f"{found.left:,} more comments for the partner came at the same time; only the first are taken up."
            self._parts.emit(ev.Noted("warning", text))
        # By far the most files of a project have no words in them, and some have gigabytes of something else.
        read = partial(read_small, self._parts.workspace.root, most=MOST_BYTES)
        context = await asyncio.to_thread(context_of, markers, heard.now.files, read)
        if not context and not any(one.text.strip() for one in markers):
            text = f"The comment at {markers[0].path}:{markers[0].line} does not say what is wanted."
            self._parts.emit(ev.Noted("info", text, "Write it next to AI!, or in other comments marked with AI."))
            return None
        words = await asyncio.to_thread(told, markers, context, read, self._mask)
        return Words(heading(markers, self._mask), markers, words, heard.waiting, found.only)

    def _left(self) -> Words | None:
        """Takes back what the partner was not told in time; None where it is nothing, or a task runs again."""
        state = self._parts.state()
        left = [(at, text, how) for at, (text, how) in enumerate(zip(state.queued, state.pointed, strict=True))]
        left = [one for one in left if one[2].markers]
        if not left or state.task is not None:
            return None
        for at, text, _ in reversed(left):
            self._parts.emit(ev.Withdrawn(at, text), durable=True)
        texts, markers = "\n".join(text for _, text, _ in left), [one for _, _, how in left for one in how.markers]
        return Words(texts, tuple(markers), "\n\n".join(how.told for _, _, how in left))
