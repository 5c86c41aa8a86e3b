r"""Reading the apply_patch envelope, the patch format Codex teaches its models.

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
- words, a fence or a here-document (``apply_patch <<'EOF'``) around the envelope; several envelopes in a row;
- no ``*** Begin Patch`` before a file header that has lines of a patch below it; a file's section right behind
  ``*** End Patch``; no ``*** End Patch`` at the end of the text;
- no ``@@`` before the first hunk; several ``@@`` lines in a row; a unified diff's ``@@ -1,2 +1,3 @@`` and file names;
- a context line without its leading blank, where it stands in the file as it is;
- an added file without lines is an empty file;
- ``\ No newline at end of file`` after a line, as in unified diffs.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent_core.errors import PatchRefusedError
from agent_core.patch.find_envelope import BEGIN, END, HEADER, HEADERS, MOVE, is_header, is_marker
from agent_core.patch.find_unified import NUMBERED, old_start
from agent_core.patch.operations import AddFile, DeleteFile, Hunk, HunkLine, Operation, Sign, UpdateFile
from agent_core.patch.patch_lines import Line, refused, short

ENVELOPE_SHAPE = "Write '*** Begin Patch', file headers with their hunks, '*** End Patch'."
_END_OF_FILE = "*** end of file"
# What stands around patches and between them: never read as a line of the file that has lost its sign.
_NO_CONTEXT = ("***", "```", "~~~", "<<<<<<<", "=======", ">>>>>>>", "diff --git ")
_SIGNS: dict[str, Sign] = {" ": " ", "-": "-", "+": "+"}


def parse_envelope(lines: Sequence[Line]) -> tuple[Operation, ...]:
    """Parse an apply_patch envelope.

    Args:
        lines: Its lines, with its markers where it has them, and with nothing around it; see the module's docstring
            for what is read leniently.

    Returns:
        What it asks for, in its order.

    Raises:
        PatchRefusedError: It cannot be read; the message names the line and what to write instead.
    """
    body, indent = list(lines), ""
    if body and is_marker(body[0].text, BEGIN):
        first = body.pop(0).text
        indent = first[: len(first) - len(first.lstrip())]
    if indent and all(line.text.startswith(indent) or not line.text.strip() for line in body):
        body = [Line(line.number, line.text[len(indent) :]) for line in body]
    if body and is_marker(body[-1].text, END):
        body.pop()
    if not any(line.text.strip() for line in body):
        raise PatchRefusedError(f"The patch is empty: after '*** Begin Patch' comes {HEADERS}.", ENVELOPE_SHAPE)
    padded = bool(indent) or next(line.text for line in body if line.text.strip())[:1].isspace()
    return tuple(_Parser(body, padded=padded).operations())


class _Parser:
    """Goes down the lines of one envelope."""

    def __init__(self, body: list[Line], *, padded: bool) -> None:
        self._body = body
        # Its markers are indented, so an indented marker inside a hunk is one too.
        self._padded = padded
        self._at = 0

    def operations(self) -> list[Operation]:
        """Everything up to the end."""
        found: list[Operation] = []
        while (line := self._peek()) is not None:
            self._at += 1
            if not line.text.strip() or is_marker(line.text, BEGIN):
                continue
            header = HEADER.match(line.text.strip())
            if header is None:
                raise refused(line, f"is not a file header. Write {HEADERS} before the lines of a file.")
            kind, path = header.group(1).casefold(), header.group(2).strip()
            if not path:
                raise refused(line, "names no file. Write its path, relative to the project, after the colon.")
            if kind == "add":
                found.append(self._add(line, path))
            elif kind == "delete":
                found.append(DeleteFile(path, line.number))
            else:
                found.append(self._update(line, path))
        return found

    def _peek(self) -> Line | None:
        return self._body[self._at] if self._at < len(self._body) else None

    def _is_section(self, text: str) -> bool:
        """Whether a line inside a file's lines begins the next file."""
        if text[:1].isspace() and not self._padded:
            return False
        return is_header(text) or is_marker(text, BEGIN)

    def _add(self, header: Line, path: str) -> AddFile:
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
            elif not is_marker(line.text, _END_OF_FILE) and (lines or not line.text.startswith("@@")):
                # A line that would begin a hunk says nothing of a file in which all is new.
                raise refused(line, "stands in a new file without a '+'. Begin every line of a new file with '+'.")
        return AddFile(path, "\n".join(lines) + ("" if bare or not lines else "\n"), header.number)

    def _update(self, header: Line, path: str) -> UpdateFile:
        move_to = None
        line = self._peek()
        if line is not None and (move := MOVE.match(line.text.strip())):
            self._at += 1
            move_to = move.group(1).strip()
            if not move_to:
                raise refused(line, "names no file. Write the new path after the colon.")
        self._skip_file_names()
        hunks: list[Hunk] = []
        while (line := self._peek()) is not None and not self._is_section(line.text):
            if not line.text.strip():
                self._at += 1
                continue
            hunks.append(self._hunk())
        if not hunks and move_to is None:
            raise refused(header, "has no hunks. Write '@@' and the lines to change below it.")
        return UpdateFile(path, move_to, tuple(hunks), header.number)

    def _skip_file_names(self) -> None:
        """Pass over the ``---`` and ``+++`` lines of a unified diff."""
        texts = [line.text for line in self._body[self._at : self._at + 3]]
        if len(texts) == 3 and all(map(str.startswith, texts, ("--- ", "+++ ", "@@"))):
            self._at += 2

    def _at_anchor(self) -> bool:
        """Whether an ``@@`` line is next, blank lines apart."""
        rest = (self._body[at].text for at in range(self._at, len(self._body)))
        ahead = next((text for text in rest if text.strip()), "")
        return (ahead.strip() if self._padded else ahead).startswith("@@")

    def _hunk(self) -> Hunk:
        first = self._body[self._at]
        anchors: list[str] = []
        start = None
        while self._at_anchor() and (line := self._peek()) is not None:
            self._at += 1
            text = line.text.strip()
            if numbered := NUMBERED.match(text):
                start = old_start(numbered)
            elif anchor := text.removeprefix("@@").removesuffix("@@").strip():
                anchors.append(anchor)
        lines, slack, at_end, unsigned = self._hunk_lines()
        if not any(line.sign != " " for line in lines):
            raise refused(first, "begins a hunk that changes nothing. Mark its lines with '-' or '+', or leave it out.")
        return Hunk(tuple(lines), first.number, tuple(anchors), at_end, start, slack, unsigned)

    def _hunk_lines(self) -> tuple[list[HunkLine], int, bool, int]:
        """The lines of a hunk, with what `Hunk` calls slack, at_end and unsigned."""
        lines: list[HunkLine] = []
        slack = unsigned = 0
        while (line := self._peek()) is not None and not self._is_section(line.text):
            text = line.text
            if text.startswith("@@"):
                break
            self._at += 1
            if not text.strip() and text[:1] != " ":
                lines.append(HunkLine(" ", ""))
                slack += 1
                continue
            if is_marker(text, _END_OF_FILE) and (self._padded or not text[0].isspace()):
                return lines, slack, True, unsigned
            if text.startswith("\\") and lines:
                lines[-1] = HunkLine(lines[-1].sign, lines[-1].text, bare=True)
                continue
            if text[0] in _SIGNS:
                lines.append(HunkLine(_SIGNS[text[0]], text[1:]))
            else:
                if text.startswith(_NO_CONTEXT):
                    raise _unsigned(line)
                lines.append(HunkLine(" ", text))
                unsigned = unsigned or line.number
            slack = 0
        return lines, slack, False, unsigned


def _unsigned(line: Line) -> PatchRefusedError:
    text = line.text
    if MOVE.match(text):
        return refused(line, "must come directly after '*** Update File: path'.")
    if text.startswith("***"):
        return refused(line, f"is no marker. The markers are {HEADERS}, '*** Move to: path' and '*** End Patch'.")
    example = f" {text}" if len(text) <= 60 else " ..."
    return refused(
        line,
        "begins with neither a blank (the line stays), '-' (it goes) nor '+' (it comes). "
        f"Write {short(example)} if it is context.",
    )
