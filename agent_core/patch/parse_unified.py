r"""Reading unified diffs: git's, and bare ones.

Sources: the GNU diffutils manual, "Detailed Description of Unified Format"; git's
``Documentation/diff-generate-patch.txt`` and ``apply.c``; the laxer form Aider teaches its models
(``aider/coders/udiff_prompts.py``)::

    diff:     git_header? ("--- " name LF "+++ " name LF)? hunk*
    git_header: "diff --git " name " " name LF extended*
    extended: ("old mode" | "new mode" | "new file mode" | "deleted file mode") " " octal LF
            | ("rename from" | "rename to" | "copy from" | "copy to") " " name LF
            | "similarity index " percent LF | "index " hash ".." hash (" " octal)? LF
    hunk:     "@@ -" line ("," count)? " +" line ("," count)? " @@" heading? LF (line | bare)+
    line:     (" " | "-" | "+") text LF
    bare:     "\ No newline at end of file" LF

Read leniently, where only one reading makes sense:

- wrong counts (`agent_core.patch.find_unified` says where they still decide) and wrong line numbers, which are hints;
  ``@@ ... @@``, ``@@ @@`` and ``@@`` without numbers, there with a heading that is an anchor as in the envelope:
  git's own heading may be cut short and stands beside a number, so it is none;
- blank context lines that lost their blank; names with dates, in quotes, with any prefix or none;
- CRLF: a hunk whose lines all end alike says nothing of the file's endings; one that has both gives its new lines
  the endings it shows.

Refused: what a text cannot say (binary patches, copies without the content) and what pairloop does not change
(symlinks, submodules).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

import msgspec

from agent_core.errors import PatchRefusedError
from agent_core.file_modes import EXECUTABLE, REGULAR
from agent_core.patch.diff_names import DEV_NULL, lone_name, read_git_names, read_name, same_name
from agent_core.patch.find_unified import NUMBERED, old_start
from agent_core.patch.operations import AddFile, DeleteFile, Hunk, HunkLine, Operation, Sign, UpdateFile
from agent_core.patch.patch_lines import Line, refused, short

DIFF_SHAPE = "Write '--- a/path', '+++ b/path', '@@ -1,3 +1,3 @@' and the lines, each with ' ', '-' or '+' before it."

_MODES = {f"{mode:o}": mode for mode in (REGULAR, EXECUTABLE)}
_EMPTY_BLOB = re.compile(r"(?:e69de29|473a0f4)[0-9a-f]*\.\.0+\b")
_SIGNS: dict[str, Sign] = {" ": " ", "-": "-", "+": "+"}


class _Header(msgspec.Struct):
    """What stands above the hunks of one file."""

    first: Line
    git: tuple[str, str] | None = None
    old: str | None = None
    new: str | None = None
    rename_from: str | None = None
    rename_to: str | None = None
    mode: int = 0
    added: bool = False
    deleted: bool = False
    emptied: bool = False


def parse_unified(lines: Sequence[Line], *, bare: bool = False) -> Operation:
    """Parse the diff of one file.

    Args:
        lines: Its lines, header and hunks.
        bare: The patch it is from writes names without prefixes elsewhere.

    Returns:
        What it asks for.

    Raises:
        PatchRefusedError: It cannot be read, or asks for what cannot be done; the message names the line.
    """
    start = next((at for at, line in enumerate(lines) if line.text.startswith("@@")), len(lines))
    header = _read_header(lines[:start])
    hunks = _read_hunks(lines[start:])
    old, new = header.old, header.new
    added = header.added or old == DEV_NULL
    deleted = header.deleted or new == DEV_NULL
    if added and deleted:
        raise refused(header.first, "is for no file at all: both names are /dev/null.")
    path, move_to = _paths(header, added=added, deleted=deleted, bare=bare)
    if added:
        return AddFile(path, _new_text(hunks), header.first.number, header.mode)
    if deleted:
        shown = _old_lines(hunks) if hunks else () if header.emptied else None
        return DeleteFile(path, header.first.number, shown)
    if not hunks and move_to is None and not header.mode:
        raise refused(header.first, "begins a diff that changes nothing. Give its hunks, or leave it out.")
    return UpdateFile(path, move_to, tuple(hunks), header.first.number, header.mode)


def is_bare(lines: Sequence[Line]) -> bool:
    """Whether the diff of one file shows that its names have no prefixes: both are the same."""
    names: dict[str, str] = {}
    for line in lines[:16]:
        if line.text.startswith("diff --git "):
            git = read_git_names(line.text.removeprefix("diff --git "))
            return git is not None and git[0] == git[1]
        if line.text.startswith(("--- ", "+++ ")):
            names.setdefault(line.text[:3], read_name(line.text[4:]))
    return len(names) == 2 and names["---"] == names["+++"]


def _read_header(lines: Sequence[Line]) -> _Header:
    header = _Header(lines[0])
    for line in lines:
        text = line.text
        if text.startswith("diff --git "):
            header.git = read_git_names(text.removeprefix("diff --git "))
        elif text.startswith("--- "):
            header.old = read_name(text[4:])
        elif text.startswith("+++ "):
            header.new = read_name(text[4:])
        elif text.startswith(("rename from ", "rename old ")):
            header.rename_from = read_name(text[12:])
        elif text.startswith(("rename to ", "rename new ")):
            header.rename_to = read_name(text.partition(" ")[2].partition(" ")[2])
        else:
            _read_mode(header, line)
    return header


def _read_mode(header: _Header, line: Line) -> None:
    """One of the other headers."""
    text = line.text
    if text.startswith(("copy from ", "copy to ")):
        raise refused(line, "asks for a copy, which needs the content. Write the new file with all its lines instead.")
    if text.startswith(("Binary files ", "GIT binary patch")):
        raise refused(line, "is about a binary file, which a patch cannot change.")
    if text.startswith("index "):
        header.emptied = _EMPTY_BLOB.match(text, 6) is not None
        if (mode := text.rpartition(" ")[2]) in {"120000", "160000"}:
            _mode(line, mode)
        return
    kind, _, mode = text.rpartition(" ")
    if kind in {"old mode", "new mode", "new file mode", "deleted file mode"}:
        number = _mode(line, mode)
        header.mode = number if kind.startswith("new") else header.mode
        header.added = header.added or kind == "new file mode"
        header.deleted = header.deleted or kind == "deleted file mode"


def _mode(line: Line, mode: str) -> int:
    if mode in _MODES:
        return _MODES[mode]
    kinds = {"120000": "a symlink", "160000": "a submodule"}
    what = kinds.get(mode, f"the mode {mode!r}")
    raise refused(line, f"is about {what}, which a patch cannot change. Modes are 100644 and 100755.")


def _paths(header: _Header, *, added: bool, deleted: bool, bare: bool) -> tuple[str, str | None]:
    """The path a diff is for, and the one it moves the file to."""
    git = same_name(*header.git, prefixed=True) if header.git else None
    bare = header.git[0] == header.git[1] if header.git else bare
    if added or deleted:
        name = header.new if added else header.old
        if name is None or name == DEV_NULL:
            name = None if git is None else git
        elif git is None or git not in {name, name.partition("/")[2]}:
            name = lone_name(name, "biwo" if added else "aciwo", bare=bare)
        else:
            name = git
        if name is None:
            raise refused(header.first, "names no file. Write '--- a/path' and '+++ b/path' below it.")
        return name, None
    if header.rename_from is not None or header.rename_to is not None:
        if not header.rename_from or not header.rename_to:
            raise refused(
                header.first, "begins a rename without both names. Write 'rename from path' and 'rename to path'."
            )
        _check_rename(header, header.rename_from, header.rename_to)
        return header.rename_from, header.rename_to
    named = git
    if header.old is not None and header.new is not None:
        named = same_name(header.old, header.new, prefixed=header.git is not None)
    if named is None:
        raise refused(
            header.first,
            f"begins a diff of two different files, {short(header.old or '')} and {short(header.new or '')}. Write the "
            "same path in both lines; to move a file, write 'diff --git', 'rename from' and 'rename to' lines above.",
        )
    if git is not None and git != named:
        raise refused(
            header.first, f"names {git}, but the lines below it name {named}. Write the same path in all of them."
        )
    return named, None


def _check_rename(header: _Header, old: str, new: str) -> None:
    """Refuse a rename whose other lines name other files."""
    for said, name in ((header.old, old), (header.new, new)):
        if said is not None and said != name and said.partition("/")[2] != name:
            raise refused(header.first, f"begins a rename from {old} to {new}, but a line below names {said}.")


def _read_hunks(lines: Sequence[Line]) -> list[Hunk]:
    starts = [at for at, line in enumerate(lines) if line.text.startswith("@@")]
    return [_read_hunk(lines[at:end]) for at, end in itertools.pairwise([*starts, len(lines)])]


def _read_hunk(lines: Sequence[Line]) -> Hunk:
    first = lines[0]
    numbered = NUMBERED.match(first.text)
    if first.text.startswith("@@@"):
        raise refused(first, "begins a hunk of a merge. Write the diff against one version of the file.")
    heading = "" if numbered else re.sub(r"^@@(?:[\s.]*@@)?", "", first.text).removesuffix("@@").strip()
    found: list[HunkLine] = []
    slack = 0
    # Where a hunk shows both endings, they are the file's and not those of the text it came in.
    tells = len({line.crlf for line in lines[1:] if line.text[:1] in _SIGNS}) > 1
    for line in lines[1:]:
        text = line.text
        if text.startswith("\\"):
            if found:
                found[-1] = msgspec.structs.replace(found[-1], bare=True)
        elif not text.strip() and text[:1] != " ":
            found.append(HunkLine(" ", ""))
            slack += 1
            continue
        elif text[0] in _SIGNS:
            ending = ("\r\n" if line.crlf else "\n") if tells and text[0] == "+" else ""
            found.append(HunkLine(_SIGNS[text[0]], text[1:], ending=ending))
        else:
            raise _unsigned(line)
        slack = 0
    if not any(line.sign != " " for line in found):
        raise refused(first, "begins a hunk that changes nothing. Mark its lines with '-' or '+', or leave it out.")
    anchors = (heading,) if heading else ()
    return Hunk(tuple(found), first.number, anchors, old_start=old_start(numbered) if numbered else None, slack=slack)


def _unsigned(line: Line) -> PatchRefusedError:
    example = f" {line.text}" if len(line.text) <= 60 else " ..."
    return refused(
        line,
        "begins with neither a blank (the line stays), '-' (it goes) nor '+' (it comes). "
        f"Write {short(example)} if it is context.",
    )


def _one_sided(hunks: Sequence[Hunk], sign: Sign, what: str) -> list[HunkLine]:
    """The lines of a new or deleted file; a blank one between them may have lost its sign."""
    found: list[HunkLine] = []
    for hunk in hunks:
        for line in hunk.lines[: len(hunk.lines) - hunk.slack]:
            if line.sign != sign and (line.sign != " " or line.text):
                message = (
                    f"Line {hunk.number} of the patch begins a hunk of {what}, where all lines begin with '{sign}'."
                )
                raise PatchRefusedError(message, f"The line {short(line.sign + line.text)} does not.")
            found.append(HunkLine(sign, line.text, line.bare))
    return found


def _new_text(hunks: Sequence[Hunk]) -> str:
    lines = _one_sided(hunks, "+", "a new file")
    if not lines:
        return ""
    return "\n".join(line.text for line in lines) + ("" if lines[-1].bare else "\n")


def _old_lines(hunks: Sequence[Hunk]) -> tuple[HunkLine, ...]:
    return tuple(_one_sided(hunks, "-", "a deleted file"))
