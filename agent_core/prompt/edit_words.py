"""What the partner is told of edits that were not its own: facts, bounded."""

from __future__ import annotations

from collections.abc import Sequence

from agent_core.chat_entries import Edit, Edits, GitMove
from agent_core.text import cap_text

_EDIT_TOKENS = 1500
_EDITED_BY = {
    "human": "[The human changed files in their editor. Their text stands; build on it.]",
    "formatter": "[A formatter went over what had just landed. The text stands as it left it.]",
    "pairloop": "[Another pairloop of this project landed something or took it back. Build on the text as it is now.]",
    "unknown": "[Files changed, and not by you; who did it is not known. Their text stands; build on it.]",
}


def edits_item(edits: Sequence[Edit | Edits | GitMove]) -> str:
    """Tells of edits that were not ours, and of git's, as facts."""
    lines, by = [], ""
    for edit in edits:
        if isinstance(edit, GitMove):
            by = ""
            lines.append(_moved(edit))
            continue
        if edit.by != by:
            by = edit.by
            lines.append(_EDITED_BY[by])
        if isinstance(edit, Edits):
            lines.append(_many(edit))
            continue
        lines.append(f"{edit.path} was {edit.kind}.")
        if edit.diff:
            lines.append(edit.diff)
    return cap_text("\n".join(lines), _EDIT_TOKENS)


def _many(edits: Edits) -> str:
    kinds = (("added", edits.added), ("changed", edits.changed), ("deleted", edits.deleted))
    did = ", ".join(f"{count} {kind}" for kind, count in kinds if count)
    return f"{edits.count} files at once ({did}): {_named(edits.paths, edits.count)}. Read them before you change them."


def _named(paths: Sequence[str], count: int) -> str:
    return ", ".join(paths) + (f" and {count - len(paths)} more" if count > len(paths) else "")


def _moved(move: GitMove) -> str:
    where = f"from {move.was} to {move.branch}" if move.was != move.branch else f"on {move.branch}"
    if not move.count:
        return f"[The human used git ({move.what}), {where}. No file changed by it.]"
    names = _named(move.paths, move.count)
    return (
        f"[The human used git ({move.what}), {where}. By it changed: {names}. Read them again before you change them.]"
    )
