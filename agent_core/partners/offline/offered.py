"""The repairs that were found and are still to be had: they travel in the partner's own calls, past the tools.

So they are known as long as the conversation is, in a resumed session too, and nothing is searched for twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from agent_core.conversation import Item, ToolCallItem
from agent_core.partners.offline.patches import UnwritableError, edited, envelope
from agent_core.patch.encoding import MARK, text_of
from agent_core.repair.desk import Service
from agent_core.repair.model import Edit, Kind
from agent_core.workspace.tree import content_hash

ASK = "ask_human"
"""The tool that asks which of the repairs is meant."""
KEY = "repairs"
"""Where in a call's arguments they stand."""
_OTHER = re.compile(r"\b(?:next|other|another|different|else|alternatives?)\b", re.IGNORECASE)
_NUMBER = re.compile(r"(?:\b(?:option|repair|number|nr|no)\.?\s*|#|^\s*)(\d{1,2})\b", re.IGNORECASE)
_ORDINALS = ("first", "second", "third", "fourth")


class Offered(msgspec.Struct, frozen=True, omit_defaults=True):
    """A repair that can be proposed.

    Attributes:
        number: By which it is spoken of, from 1.
        says: What it does and where, in words.
        note: What is known of it, in a sentence.
        edits: What it changes.
        before: Hash of each file's content that the edits are about.
        kind: What it mends.
        gives: What the call that tells the repairs apart gives with it; empty where none does.
        rest: What is red still when it has landed, in a sentence.
        drafted: It builds on the draft, and does not take its place.
    """

    number: int
    says: str
    edits: tuple[Edit, ...]
    before: dict[str, str]
    note: str = ""
    kind: Kind = "tests"
    gives: str = ""
    rest: str = ""
    drafted: bool = False


class _Arguments(msgspec.Struct):
    repairs: tuple[Offered, ...] = ()
    options: tuple[str, ...] = ()
    call: str = ""


class Offers(msgspec.Struct, frozen=True):
    """What an earlier call of the partner's held.

    Attributes:
        tool: The call's tool: ``apply_patch`` proposes the first, ``ask_human`` asks which.
        repairs: The repairs.
        options: The answers that were given to choose from, one for each of the first repairs.
        call: The call that tells them apart, as text.
    """

    tool: str
    repairs: tuple[Offered, ...]
    options: tuple[str, ...] = ()
    call: str = ""


def read_offers(call: ToolCallItem) -> Offers:
    """What a call holds; no repairs where it is somebody else's."""
    try:
        found = msgspec.json.decode(call.arguments, type=_Arguments)
    except (msgspec.DecodeError, RecursionError):
        return Offers(call.name, ())
    return Offers(call.name, found.repairs, found.options, found.call)


def touched(items: Iterable[Item]) -> set[str]:
    """The files that repairs in a conversation change: those that may differ from the working tree in a draft."""
    calls = (item for item in items if isinstance(item, ToolCallItem))
    return {edit.path for call in calls for one in read_offers(call).repairs for edit in one.edits}


def chosen(words: str, offers: Offers) -> int | None:
    """Which of the offered repairs some words of the human mean, as an index into them; None where that is not plain.

    Args:
        words: A number, an option or its beginning, an ordinal.
        offers: What was offered.
    """
    plain = " ".join(words.split()).casefold()
    for index, option in enumerate(offers.options):
        if plain and plain == " ".join(option.split()).casefold():
            return index
    if found := _NUMBER.search(words):
        number = int(found.group(1))
        return next((index for index, one in enumerate(offers.repairs) if one.number == number), None)
    for number, ordinal in enumerate(_ORDINALS, 1):
        if re.search(rf"\b{ordinal}\b", plain):
            return next((index for index, one in enumerate(offers.repairs) if one.number == number), None)
    near = [index for index, one in enumerate(offers.repairs) if one.gives and plain == one.gives.casefold()]
    return near[0] if len(near) == 1 else None


def wants_other(words: str) -> bool:
    """Whether some words ask for another repair than the one proposed."""
    return bool(_OTHER.search(words))


def overwritten(repair: Offered, service: Service) -> bool:
    """Whether the human has other texts by now than those a repair is about.

    Args:
        repair: The repair.
        service: Has the files.
    """
    if repair.drafted:
        return False
    texts = ((service.original(path), known) for path, known in repair.before.items())
    return any(text is None or content_hash(text) != known for text, known in texts)


def written(repair: Offered, service: Service, others: Iterable[str]) -> str:
    """The patch that proposes a repair.

    Args:
        repair: The repair.
        service: Has the files.
        others: Files that may hold an earlier repair in the draft, whose place this one takes.

    Raises:
        UnwritableError: Its files are others by now, or it cannot be written as a patch.
    """
    before: dict[str, bytes] = {}
    after: dict[str, bytes] = {}
    for path in sorted({*repair.before, *(() if repair.drafted else others)}):
        now, base = service.files.read(path), service.original(path)
        text = now if repair.drafted else base
        if path not in repair.before and (now == base or now is None or base is None):
            continue
        if now is None or text is None:
            raise UnwritableError(f"{path} is gone")
        if path in repair.before and content_hash(text) != repair.before[path]:
            raise UnwritableError(f"{path} has changed")
        before[path] = now
        after[path] = edited(text, [edit for edit in repair.edits if edit.path == path])
    return envelope(before, after)


def hashes(edits: Sequence[Edit], texts: Mapping[str, str], service: Service) -> tuple[dict[str, str], bool]:
    """What the files are now that edits are about.

    Args:
        edits: The edits.
        texts: What they were when the edits were made, without a byte order mark; those left out count as the same.
        service: Has the files.

    Returns:
        The hash of each, and whether the draft has another text in any of them, which the edits build on.

    Raises:
        UnwritableError: One of them has changed since.
    """
    before: dict[str, str] = {}
    drafted = False
    for path in sorted({edit.path for edit in edits}):
        now = service.files.read(path)
        text = text_of(now) if now is not None else None
        if now is None or text is None or text.removeprefix(MARK) != texts.get(path, text.removeprefix(MARK)):
            raise UnwritableError(f"{path} has changed")
        before[path] = content_hash(now)
        drafted = drafted or now != service.original(path)
    return before, drafted
