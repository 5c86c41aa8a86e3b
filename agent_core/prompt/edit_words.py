"""What the partner is told of edits that were not its own: facts, bounded."""

from __future__ import annotations

from collections.abc import Sequence

from agent_core.state import Edit, GitMove
from agent_core.text import cap_text

_EDIT_TOKENS = 1500
_EDITED_BY = {
    "human": "[The human changed files in their editor. Their text stands; build on it.]",
    "formatter": "[A formatter went over what had just landed. The text stands as it left it.]",
    "unknown": "[Files changed, and not by you; who did it is not known. Their text stands; build on it.]",
}


def edits_item(edits: Sequence[Edit | GitMove]) -> str:
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
        lines.append(f"{edit.path} was {edit.kind}.")
        if edit.diff:
            lines.append(edit.diff)
    return cap_text("\n".join(lines), _EDIT_TOKENS)


def _moved(move: GitMove) -> str:
    where = f"from {move.was} to {move.branch}" if move.was != move.branch else f"on {move.branch}"
    if not move.count:
        return f"[The human used git ({move.what}), {where}. No file changed by it.]"
    names = ", ".join(move.paths) + (
        f" and {move.count - len(move.paths)} more" if move.count > len(move.paths) else ""
    )
    return (
        f"[The human used git ({move.what}), {where}. By it changed: {names}. Read them again before you change them.]"
    )
