"""From changes to a patch of blocks with stable ids, and from a patch to a unified diff."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from agent_core.patch.diff_names import DEV_NULL, quote_name
from agent_core.patch.encoding import NotTextError, decode_alike, text_of
from agent_core.patch.line_diff import changed_ranges
from agent_core.patch.model import Block, BlockNames, FileKind, FilePatch, Patch
from agent_core.workspace.tree import Changes, FileChange, content_hash

_CONTEXT = 3
_EMPTY = content_hash(b"")


def split_lines(text: str) -> list[str]:
    r"""The lines of a text, ended by ``\n`` only, each with its ending."""
    pieces = text.split("\n")
    last = pieces.pop()
    lines = [f"{piece}\n" for piece in pieces]
    return [*lines, last] if last else lines


def make_patch(changes: Changes, before: Callable[[str], FileChange | None], moves: Mapping[str, str]) -> Patch:
    """Describe changes as a patch.

    Args:
        changes: What every changed path becomes.
        before: A path's file before the changes, None when there was none.
        moves: New path to old path, for files that were moved; both are in `changes`. One that was moved in the place
            of another file is described as an update of that one.

    Returns:
        The patch. Files that stay as they are are left out; binary ones have no blocks.
    """
    files = []
    sources = {new: old for new, old in moves.items() if _is_move(new, old, changes, before)}
    moved_away = set(sources.values())
    for path in sorted(changes):
        change = changes[path]
        if path in moved_away:
            continue
        file = _file(path, sources.get(path), change, before)
        if file is not None:
            files.append(file)
    return Patch(tuple(files))


def _is_move(new: str, old: str, changes: Changes, before: Callable[[str], FileChange | None]) -> bool:
    """Whether a file comes to a free name and leaves its own one free."""
    if new not in changes or changes[new].data is None or old not in changes or changes[old].data is not None:
        return False
    there = before(new)
    return there is None or there.data is None


def _file(
    path: str, moved_from: str | None, change: FileChange, before: Callable[[str], FileChange | None]
) -> FilePatch | None:
    found = before(moved_from or path)
    old = found.data if found is not None else None
    old_mode = found.mode if found is not None and old is not None else 0
    new, new_mode = change.data, change.mode if change.data is not None else 0
    if (old, old_mode, moved_from) == (new, new_mode, None):
        return None
    kind: FileKind = "add" if old is None else "delete" if new is None else "update"
    return FilePatch(
        path=path,
        kind="move" if moved_from is not None and kind == "update" else kind,
        before=None if old is None else content_hash(old),
        after=None if new is None else content_hash(new),
        before_mode=old_mode,
        after_mode=new_mode,
        blocks=make_blocks(path, old or b"", new or b""),
        moved_from=moved_from if kind == "update" else None,
    )


def make_blocks(path: str, old: bytes, new: bytes) -> tuple[Block, ...]:
    """The changed runs between two contents of a file.

    Args:
        path: Path of the file; part of the blocks' ids.
        old: Content before.
        new: Content after.

    Returns:
        The blocks, from top to bottom; none when one of the contents is binary, or when they are in different
        encodings, so that lines alike in both are not the same bytes.
    """
    try:
        alike = decode_alike(old, new)
    except NotTextError:
        return ()
    return () if alike is None else _blocks(path, *map(split_lines, alike[0]))


def _blocks(path: str, old: Sequence[str], new: Sequence[str]) -> tuple[Block, ...]:
    names, blocks = BlockNames(path), []
    for a, b, c, d in changed_ranges(old, new):
        removed, added = tuple(old[a:b]), tuple(new[c:d])
        blocks.append(Block(names.name(removed, added), a + 1, c + 1, removed, added))
    return tuple(blocks)


def unified(patch: Patch, content: Callable[[str], bytes]) -> str:
    """Write a patch as a unified diff as git does, with three lines of context; ``git apply`` reads it.

    Args:
        patch: The patch.
        content: Gives content by hash.
    """
    return "".join(_unified_file(file, content) for file in patch.files)


def _unified_file(file: FilePatch, content: Callable[[str], bytes]) -> str:
    old_name, new_name = quote_name(f"a/{file.old_path}"), quote_name(f"b/{file.path}")
    out = [f"diff --git {old_name} {new_name}\n"]
    if file.before is None:
        out.append(f"new file mode {file.after_mode:06o}\n")
    elif file.after is None:
        out.append(f"deleted file mode {file.before_mode:06o}\n")
    elif file.before_mode != file.after_mode:
        out.append(f"old mode {file.before_mode:06o}\nnew mode {file.after_mode:06o}\n")
    if file.moved_from is not None:
        out.append(f"rename from {quote_name(file.moved_from)}\nrename to {quote_name(file.path)}\n")
    left = DEV_NULL if file.before is None else old_name
    right = DEV_NULL if file.after is None else new_name
    if file.blocks:
        old = text_of(content(file.before)) if file.before is not None else ""
        # A tab after a name with blanks keeps other tools from reading a date into it.
        out += [f"{sign} {name}{chr(9) * (' ' in name)}\n" for sign, name in (("---", left), ("+++", right))]
        out += _hunks(file.blocks, split_lines(old or ""))
    elif (file.before or _EMPTY) != (file.after or _EMPTY):
        out.append(f"Binary files {left} and {right} differ\n")
    return "".join(out)


def _hunks(blocks: Sequence[Block], old: Sequence[str]) -> list[str]:
    """The hunks of one file; blocks whose contexts meet share one."""
    groups: list[list[Block]] = []
    for block in blocks:
        last = groups[-1][-1] if groups else None
        if last is not None and block.old_start - (last.old_start + len(last.removed)) <= 2 * _CONTEXT:
            groups[-1].append(block)
        else:
            groups.append([block])
    return [text for group in groups for text in _hunk(group, old)]


def _hunk(group: Sequence[Block], old: Sequence[str]) -> list[str]:
    first, last = group[0], group[-1]
    start = max(first.old_start - 1 - _CONTEXT, 0)
    end = min(last.old_start - 1 + len(last.removed) + _CONTEXT, len(old))
    body: list[str] = []
    at = start
    for block in group:
        body += [_signed(" ", line) for line in old[at : block.old_start - 1]]
        body += [_signed("-", line) for line in block.removed]
        body += [_signed("+", line) for line in block.added]
        at = block.old_start - 1 + len(block.removed)
    body += [_signed(" ", line) for line in old[at:end]]
    old_count = end - start
    new_count = old_count + sum(len(block.added) - len(block.removed) for block in group)
    new_start = first.new_start - 1 - (first.old_start - 1 - start)
    return [f"@@ -{_range(start, old_count)} +{_range(new_start, new_count)} @@\n", *body]


def _range(start: int, count: int) -> str:
    """A range as diff writes it: an empty one names the line before it, a count of one is left out."""
    if count == 0:
        return f"{start},0"
    return f"{start + 1}" if count == 1 else f"{start + 1},{count}"


def _signed(sign: str, line: str) -> str:
    return f"{sign}{line}" if line.endswith("\n") else f"{sign}{line}\n\\ No newline at end of file\n"
