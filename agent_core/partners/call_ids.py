"""Names for tool calls that came without one, or with one that another call has."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from agent_core.conversation import Item, ToolCallItem
from agent_core.errors import PartnerError

MOST_CALLS = 256
"""Calls of one answer: nobody means more."""


def taken_ids(items: Iterable[Item]) -> set[str]:
    """Every call id a conversation has used."""
    return {item.call_id for item in items if isinstance(item, ToolCallItem)}


def make_call_id(turn: int, position: int, *content: str) -> str:
    """A call id that is the same whenever the same answer is read again.

    Args:
        turn: Length of the conversation before the answer.
        position: Which call of the answer it is.
        content: What else tells it apart, such as name and arguments.
    """
    text = "\0".join((str(turn), str(position), *content))
    return "call_" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:20]


def too_many_calls(host: str) -> PartnerError:
    """The error for an answer that calls on and on."""
    return PartnerError("stream", f"{host} sent more than {MOST_CALLS} tool calls in one answer.")


class CallIds:
    """Ids of the calls of one answer: the server's own, unless another call of the conversation has it already.

    Args:
        turn: Length of the conversation before the answer.
        items: The conversation.
        host: The server, for errors.
    """

    def __init__(self, turn: int, items: Iterable[Item], host: str) -> None:
        self._turn = turn
        self._taken = taken_ids(items)
        self._host = host
        self._known: dict[str, str] = {}
        self._done: dict[str, ToolCallItem] = {}

    def of(self, key: str, given: str) -> str:
        """The id of a call.

        Args:
            key: What it is called within the answer.
            given: The server's id for it.

        Raises:
            PartnerError: There are too many.
        """
        if key not in self._known:
            if len(self._known) >= MOST_CALLS:
                raise too_many_calls(self._host)
            own = make_call_id(self._turn, len(self._known)) if given in self._taken else given
            self._taken.add(own)
            self._known[key] = own
        return self._known[key]

    def whole(self, key: str, given: str, name: str, arguments: str) -> ToolCallItem | None:
        """A call that is whole; None where it has been said before: no call is carried out twice.

        Args:
            key: As above.
            given: Likewise.
            name: Name of the tool.
            arguments: Its arguments.

        Raises:
            PartnerError: There are too many.
        """
        call = ToolCallItem(self.of(key, given), name, arguments)
        before = self._done.get(key)
        if before == call:
            return None
        if before is not None:
            # Two calls under one name: servers that count anew, or do not count at all.
            return self.whole(f"{key}\0{len(self._known)}", given, name, arguments)
        self._done[key] = call
        return call
