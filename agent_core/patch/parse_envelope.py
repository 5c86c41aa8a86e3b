"""Reading the apply_patch envelope, the patch format Codex teaches its models.

Source: openai/codex, ``codex-rs/apply-patch`` (Apache-2.0): ``apply_patch_tool_instructions.md`` and the grammar
in ``src/parser.rs``::

    start:          begin_patch operation+ end_patch
    begin_patch:    "*** Begin Patch" LF
    end_patch:      "*** End Patch" LF?
    operation:      add_file | delete_file | update_file
    add_file:       "*** Add File: " path LF ("+" text LF)+
    delete_file:    "*** Delete File: " path LF
    update_file:    "*** Update File: " path LF ("*** Move to: " path LF)? hunk*
    hunk:           ("@@" | "@@ " text) LF ((" " | "-" | "+") text LF)+ ("*** End of File" LF)?

Read leniently, where only one reading makes sense:

- markers with blanks around them; a whole envelope that is indented; CRLF; markers in any case;
- words, a fence or a here-document (``apply_patch <<'EOF'``) around the envelope; several envelopes one after the other;
- no ``*** Begin Patch`` when the text begins with a file header; no ``*** End Patch`` at the end of the text;
- no ``@@`` before the first hunk; several ``@@`` lines in a row; a unified diff's ``@@ -1,2 +1,3 @@``;
- a blank context line without its leading blank; an added file without lines is an empty file;
- ``\\ No newline at end of file`` after a line, as in unified diffs.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from agent_core.errors import PatchRefusedError
from agent_core.patch.operations import AddFile, DeleteFile, Hunk, HunkLine, Operation, Sign, UpdateFile

_BEGIN = "*** begin patch"
_END = "*** end patch"
_END_OF_FILE = "*** end of file"
_HEADER = re.compile(r"\*\*\* (Add|Update|Delete) File:\s*(.*)", re.IGNORECASE)
_MOVE = re.compile(r"\*\*\* (?:Move|Rename) to:\s*(.*)", re.IGNORECASE)
_NUMBERED = re.compile(r"@@ -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@")
_FENCE = re.compile(r"\s*(`{3,}|~{3,})")
_HEREDOC = re.compile(r"<<-?\s*(['\"]?)(\w+)\1\s*\)?\s*$")
_SIGNS: dict[str, Sign] = {" ": " ", "-": "-", "+": "+"}
_HEADERS = "'*** Add File: path', '*** Update File: path' or '*** Delete File: path'"


class _Line(NamedTuple):
    """A line of the patch text with its number there."""

    number: int
    text: str


class _Envelope(NamedTuple):
    """The lines between two markers.

    Attributes:
        body: Without the markers themselves.
        padded: Its markers are indented, so an indented marker inside a hunk is one too.
    """

    body: list[_Line]
    padded: bool


def _is_marker(text: str, marker: str) -> bool:
    return text.strip().casefold() == marker


def _is_header(text: str) -> bool:
    return _HEADER.match(text.strip()) is not None


def _lines(text: str) -> list[_Line]:
    return [_Line(number, line.removesuffix("\r")) for number, line in enumerate(text.split("\n"), 1)]


def _next_text(lines: list[_Line], start: int) -> str:
    """The next line that is not blank, empty at the end."""
    return next((line.text for line in lines[start:] if line.text.strip()), "")


def _closers(lines: list[_Line]) -> tuple[str, ...]:
    """What may end the wrapper that was opened before an envelope: a fence, the word of a here-document."""
    found: list[str] = []
    for line in lines:
        if fence := _FENCE.match(line.text):
            mark = fence.group(1)
            found = [word for word in found if word != mark] if mark in found else [*found, mark]
        if heredoc := _HEREDOC.search(line.text):
            found.append(heredoc.group(2))
    return tuple(found)


def _cut_wrapper(body: list[_Line], closers: tuple[str, ...]) -> list[_Line]:
    """End an envelope without end marker where what was opened around it closes."""
    for index, line in enumerate(body):
        if line.text.strip() in closers and line.text[:1] not in _SIGNS:
            return body[:index]
    return body


def _dedent(body: list[_Line], indent: str) -> list[_Line]:
    """Take the begin marker's indentation off, if every line has it."""
    if indent and all(line.text.startswith(indent) or not line.text.strip() for line in body):
        return [_Line(line.number, line.text[len(indent) :]) for line in body]
    return body


def _envelopes(text: str) -> list[_Envelope]:
    """Every envelope of a text, in order."""
    lines = _lines(text)
    found: list[_Envelope] = []
    index = after_last = 0
    while index < len(lines):
        if not (_is_marker(lines[index].text, _BEGIN) and _is_header(_next_text(lines, index + 1))):
            index += 1
            continue
        begin = lines[index].text
        indent = begin[: len(begin) - len(begin.lstrip())]
        rest = _dedent_prefix(lines[index + 1 :], indent)
        padded = bool(indent) or _next_text(rest, 0)[:1].isspace()
        end = _end_of(rest, padded=padded)
        body = rest[:end] if end is not None else _cut_wrapper(rest, _closers(lines[after_last:index]))
        found.append(_Envelope(body, padded))
        index = after_last = len(lines) if end is None else index + 1 + end + 1
    return found


def _dedent_prefix(lines: list[_Line], indent: str) -> list[_Line]:
    """Dedent the lines up to the end marker, or all of them."""
    end = next((i for i, line in enumerate(lines) if line.text.rstrip().casefold() == indent + _END), None)
    if end is None:
        return _dedent(lines, indent)
    return _dedent(lines[: end + 1], indent) + lines[end + 1 :]


def _end_of(lines: list[_Line], *, padded: bool) -> int | None:
    """Where the end marker is.

    An indented one could be a line of context. It is a marker when the others are indented too, or when
    nothing but the end of a wrapper follows.
    """
    for index, line in enumerate(lines):
        if not _is_marker(line.text, _END):
            continue
        if padded or not line.text[:1].isspace():
            return index
        rest = [other.text.strip() for other in lines[index + 1 :] if other.text.strip()]
        if not any(word.startswith(("***", "@@", "+", "-")) for word in rest):
            return index
    return None


def find_envelope(text: str) -> str | None:
    """Find a patch in a model's prose.

    Args:
        text: Any text.

    Returns:
        Everything between the markers, with them (several envelopes become one); None when there is no patch.
    """
    found = _envelopes(text)
    if not found:
        return None
    body = [line.text for envelope in found for line in envelope.body]
    return "\n".join(["*** Begin Patch", *body, "*** End Patch"])


def parse_envelope(text: str) -> tuple[Operation, ...]:
    """Parse an apply_patch envelope.

    Args:
        text: The patch, possibly wrapped; see the module's docstring for what is read leniently.

    Returns:
        What it asks for, in its order.

    Raises:
        PatchRefusedError: It cannot be read; the message names the line and what to write instead.
    """
    found = _envelopes(text)
    if not found:
        found = [_bare(text)]
    operations: list[Operation] = []
    for envelope in found:
        operations += _Parser(envelope).operations()
    return tuple(operations)


def _bare(text: str) -> _Envelope:
    """The envelope of a text that has no begin marker but starts with a file header."""
    lines = _lines(text)
    start = next((index for index, line in enumerate(lines) if _is_header(line.text)), None)
    before = lines[: start or 0]
    wrapped = all(
        not line.text.strip() or _FENCE.match(line.text) or _HEREDOC.search(line.text) or _is_marker(line.text, _BEGIN)
        for line in before
    )
    if start is None or not wrapped:
        if any(_is_marker(line.text, _BEGIN) for line in lines):
            message = f"The patch is empty: after '*** Begin Patch' comes {_HEADERS}."
        else:
            message = "This is not a patch: there is no line '*** Begin Patch'."
        raise PatchRefusedError(message, "Write '*** Begin Patch', file headers with their hunks, '*** End Patch'.")
    rest = lines[start:]
    end = _end_of(rest, padded=rest[0].text[:1].isspace())
    body = rest[:end] if end is not None else _cut_wrapper(rest, _closers(before))
    return _Envelope(body, rest[0].text[:1].isspace())


class _Parser:
    """Goes down the lines of one envelope."""

    def __init__(self, envelope: _Envelope) -> None:
        self._body = envelope.body
        self._padded = envelope.padded
        self._at = 0

    def operations(self) -> list[Operation]:
        """Everything up to the end."""
        found: list[Operation] = []
        while (line := self._peek()) is not None:
            self._at += 1
            if not line.text.strip() or _is_marker(line.text, _BEGIN):
                continue
            header = _HEADER.match(line.text.strip())
            if header is None:
                raise _refused(line, f"is not a file header. Write {_HEADERS} before the lines of a file.")
            kind, path = header.group(1).casefold(), header.group(2).strip()
            if not path:
                raise _refused(line, "names no file. Write its path, relative to the project, after the colon.")
            if kind == "add":
                found.append(self._add(line, path))
            elif kind == "delete":
                found.append(DeleteFile(path, line.number))
            else:
                found.append(self._update(line, path))
        return found

    def _peek(self) -> _Line | None:
        return self._body[self._at] if self._at < len(self._body) else None

    def _is_section(self, text: str) -> bool:
        """Whether a line inside a file's lines begins the next file."""
        if text[:1].isspace() and not self._padded:
            return False
        return _is_header(text) or _is_marker(text, _BEGIN)

    def _add(self, header: _Line, path: str) -> AddFile:
        lines: list[str] = []
        blanks = 0
        bare = False
        while (line := self._peek()) is not None and not self._is_section(line.text):
            self._at += 1
            if not line.text.strip():
                blanks += 1
            elif line.text.startswith("+"):
                lines += [""] * (blanks if lines else 0) + [line.text[1:]]
                blanks = 0
            elif line.text.startswith("\\") and lines:
                bare = True
            elif not _is_marker(line.text, _END_OF_FILE):
                raise _refused(line, "stands in a new file without a '+'. Begin every line of a new file with '+'.")
        return AddFile(path, "\n".join(lines) + ("" if bare or not lines else "\n"), header.number)

    def _update(self, header: _Line, path: str) -> UpdateFile:
        move_to = None
        line = self._peek()
        if line is not None and (move := _MOVE.match(line.text.strip())):
            self._at += 1
            move_to = move.group(1).strip()
            if not move_to:
                raise _refused(line, "names no file. Write the new path after the colon.")
        hunks: list[Hunk] = []
        while (line := self._peek()) is not None and not self._is_section(line.text):
            if not line.text.strip():
                self._at += 1
                continue
            hunks.append(self._hunk())
        if not hunks and move_to is None:
            raise _refused(header, "has no hunks. Write '@@' and the lines to change below it.")
        return UpdateFile(path, move_to, tuple(hunks), header.number)

    def _hunk(self) -> Hunk:
        first = self._body[self._at]
        anchors: list[str] = []
        old_start = None
        while (line := self._peek()) is not None and (line.text.strip().startswith("@@") or not line.text.strip()):
            self._at += 1
            text = line.text.strip()
            if numbered := _NUMBERED.match(text):
                old_start = int(numbered.group(1)) or None
            elif anchor := text.removeprefix("@@").removesuffix("@@").strip():
                anchors.append(anchor)
        lines, slack, at_end = self._hunk_lines()
        if not any(line.sign != " " for line in lines):
            raise _refused(
                first, "begins a hunk that changes nothing. Mark its lines with '-' or '+', or leave it out."
            )
        return Hunk(tuple(lines), first.number, tuple(anchors), at_end, old_start, slack)

    def _hunk_lines(self) -> tuple[list[HunkLine], int, bool]:
        """The lines of a hunk, how many at the end are blank and unsigned, and whether the file ends there."""
        lines: list[HunkLine] = []
        slack = 0
        while (line := self._peek()) is not None and not self._is_section(line.text):
            text = line.text
            if text.startswith("@@"):
                break
            self._at += 1
            if not text:
                lines.append(HunkLine(" ", ""))
                slack += 1
                continue
            if _is_marker(text, _END_OF_FILE) and (self._padded or not text[0].isspace()):
                return lines, slack, True
            if text.startswith("\\") and lines:
                lines[-1] = HunkLine(lines[-1].sign, lines[-1].text, bare=True)
                continue
            if text[0] not in _SIGNS:
                raise _unsigned(line)
            lines.append(HunkLine(_SIGNS[text[0]], text[1:]))
            slack = 0
        return lines, slack, False


def _refused(line: _Line, what: str) -> PatchRefusedError:
    return PatchRefusedError(f"Line {line.number} of the patch, {_short(line.text)}, {what}")


def _unsigned(line: _Line) -> PatchRefusedError:
    text = line.text
    if _MOVE.match(text):
        return _refused(line, "must come directly after '*** Update File: path'.")
    if text.startswith("***"):
        return _refused(line, f"is no marker. The markers are {_HEADERS}, '*** Move to: path' and '*** End Patch'.")
    example = f" {text}" if len(text) <= 60 else " ..."
    return _refused(
        line,
        "begins with neither a blank (the line stays), '-' (it goes) nor '+' (it comes). "
        f"Write {_short(example)} if it is context.",
    )


def _short(text: str) -> str:
    """A line of the patch, quoted, cut to a readable length."""
    return repr(text if len(text) <= 80 else text[:77] + "...")
