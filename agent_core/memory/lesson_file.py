"""The project's file of lessons: Markdown that a human may write in, read and changed bullet by bullet.

A bullet is a lesson. What pairloop knows of it besides its words stands after it in a comment that Markdown does not
show::

    - Tests need DATABASE_URL. <!-- lesson: env-0f3c2a1b9d | from: session 20260301-1042 | files: tests/test_db.py -->

A bullet without a comment is a lesson as well, known by its words. Whatever else is in the file stays as it is.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

import msgspec

from agent_core.errors import LessonError
from agent_core.events import Lesson
from agent_core.file_modes import REGULAR
from agent_core.memory.lessons import is_id, lesson_id, make_lesson, one_line
from agent_core.workspace.disk import TEMP_PREFIX, TEMP_SUFFIX, FileSystem, permissions, regular

HEAD = """# What pairloop remembers of this project

<!--
One bullet, one lesson: change the words, remove bullets or add your own, as you like. What stands in a comment after a
bullet is where it came from, and the files and failures that bring it up again.
-->

"""
_RULES = "# What pairloop remembers stays on this machine; `pairloop memory share` has git take it along.\n"
_SHARED = "# pairloop memory: {name} is shared.\n"
_ITSELF = "/.gitignore\n"
_LARGEST = 512 * 1024
_MOST_LESSONS = 1000
_TRIES = 8
_BULLET = re.compile(r"[-*+][ \t]+(?=\S)")
_FENCE = re.compile(r" {0,3}(```|~~~)")
_NOTE = re.compile(r"<!--(?P<inside>(?:(?!<!--).)*?)-->[ \t\r\n]*\Z", re.DOTALL)
# What would end a value, an item of a list, or the comment.
_ENDS = re.compile(r"[%|<>\t\n]|-(?=-)|\A\s|\s\Z")


class Bullet(msgspec.Struct, frozen=True):
    """A lesson as it stands in the file.

    Attributes:
        lesson: What it says.
        start: Its first line, from 0.
        end: The line after its last.
    """

    lesson: Lesson
    start: int
    end: int


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+\Z", text)


def bullets(text: str) -> tuple[Bullet, ...]:
    """The lessons in a file's text, from top to bottom; of two with the same id the second is known by its words."""
    lines, seen = _lines(text), set[str]()
    found: list[Bullet] = []
    for start, end in _spans(lines):
        lesson = _read("".join(lines[start:end]))
        if lesson is not None and lesson.id in seen:
            lesson = msgspec.structs.replace(lesson, id=lesson_id("file", lesson.text))
        if lesson is not None and lesson.id not in seen and len(found) < _MOST_LESSONS:
            seen.add(lesson.id)
            found.append(Bullet(lesson, start, end))
    return tuple(found)


def _spans(lines: list[str]) -> Iterator[tuple[int, int]]:
    """Where bullets begin and end: not in fenced code, nor in a comment of its own."""
    index = 0
    while index < len(lines):
        line = lines[index]
        if fence := _FENCE.match(line):
            index = _after(lines, index + 1, partial(_closes, fence[1]))
        elif line.lstrip().startswith("<!--"):
            index = _after(lines, index, lambda one: "-->" in one)
        elif _BULLET.match(line):
            end = index + 1
            while end < len(lines) and lines[end].strip() and lines[end][0] in " \t":
                end += 1
            yield index, end
            index = end
        else:
            index += 1


def _closes(fence: str, line: str) -> bool:
    return line.lstrip(" ").startswith(fence)


def _after(lines: list[str], index: int, ends: Callable[[str], bool]) -> int:
    while index < len(lines) and not ends(lines[index]):
        index += 1
    return index + 1


def _read(text: str) -> Lesson | None:
    """A lesson from the lines of its bullet; None where it says nothing."""
    note = _NOTE.search(text)
    fields: dict[str, str] = {}
    if note is not None:
        pairs = (part.split(":", 1) for part in note["inside"].split("|"))
        fields = {pair[0].strip(): pair[1].strip() for pair in pairs if len(pair) == 2}
        text = text[: note.start()]
    said = one_line(_BULLET.sub("", text, count=1).replace("&lt;!--", "<!--").replace("\r", " "))
    if not said:
        return None
    name = fields.get("lesson", "")
    lesson = make_lesson(
        "file",
        [said],
        said,
        unquote(fields.get("from", "")) or "the project's memory file",
        paths=_listed(fields.get("files", "")),
        fingerprints=_listed(fields.get("failures", "")),
    )
    return msgspec.structs.replace(lesson, id=name) if is_id(name) else lesson


def _listed(text: str) -> list[str]:
    return [unquote(part.strip()) for part in text.split(",") if part.strip()]


def _escaped(text: str) -> str:
    return _ENDS.sub(lambda match: "".join(f"%{byte:02X}" for byte in match.group().encode()), text)


def _listing(values: Iterable[str]) -> str:
    return ", ".join(_escaped(value).replace(",", "%2C") for value in values)


def bullet(lesson: Lesson, newline: str = "\n") -> str:
    """A lesson as a line of the file."""
    fields = {
        "lesson": lesson.id,
        "from": _escaped(lesson.source),
        "files": _listing(lesson.paths),
        "failures": _listing(lesson.fingerprints),
    }
    note = " | ".join(f"{key}: {value}" for key, value in fields.items() if value)
    return f"- {one_line(lesson.text).replace('<!--', '&lt;!--')} <!-- {note} -->{newline}"


def with_lesson(text: str, lesson: Lesson) -> str:
    """A file's text with a lesson in it: in the place of the one of its id, else after the last one."""
    newline = "\r\n" if "\r\n" in text else "\n"
    lines, there = _lines(text), bullets(text)
    mine = next((one for one in there if one.lesson.id == lesson.id), None)
    if mine is not None:
        return "".join((*lines[: mine.start], bullet(lesson, newline), *lines[mine.end :]))
    if not text.strip():
        return HEAD + bullet(lesson)
    if not there and lessons_of(f"{text}{newline}- x"):
        at = len(lines)
    elif not there:
        # At the end it would stand in code or in a comment that nobody has closed.
        return bullet(lesson, newline) + newline + text
    else:
        at = there[-1].end
    if not lines[at - 1].endswith("\n"):
        lines[at - 1] += newline
    gap = "" if there or not lines[at - 1].strip() else newline
    return "".join((*lines[:at], gap + bullet(lesson, newline), *lines[at:]))


def without_lesson(text: str, name: str) -> str:
    """A file's text without the lesson of an id."""
    lines = _lines(text)
    for one in bullets(text):
        if one.lesson.id == name:
            return "".join((*lines[: one.start], *lines[one.end :]))
    return text


class LessonFile:
    """The file on the disk.

    Args:
        root: The project's folder.
        name: The file, relative to it.
        disk: Carries out the effects.
    """

    def __init__(self, root: Path, name: str, disk: FileSystem | None = None) -> None:
        self._root = root
        self.name = name
        self._path = root / name
        self._disk = disk or FileSystem()

    @property
    def ignored(self) -> bool:
        """Whether the folder's own rules keep git away from it."""
        return f"/{self._path.name}" in self._rules().splitlines()

    def read(self) -> str | None:
        """What it says; None when there is none. Bytes that are no UTF-8 come as lone surrogates.

        Raises:
            LessonError: It is a link, no regular file, too large, or cannot be read.
        """
        data = self._data()
        return None if data is None else data.decode("utf-8", "surrogateescape")

    def change(self, how: Callable[[str], str]) -> None:
        """Change it, whatever a human writes into it meanwhile; made with its folder when it is not there.

        Args:
            how: Gives the new text for the one there is; called again where that is another by then.

        Raises:
            LessonError: It cannot be read or written.
        """
        try:
            for _ in range(_TRIES):
                before = self._data()
                text = "" if before is None else before.decode("utf-8", "surrogateescape")
                after = how(text).encode("utf-8", "surrogateescape")
                if after == (before or b"") or self._put(before, after):
                    return
        except OSError as error:
            raise LessonError(f"{self.name}: cannot be written: {error.strerror or error}.") from error
        raise LessonError(f"{self.name}: is being changed all the time.", "Try again when nobody writes to it.")

    def share(self, *, shared: bool) -> None:
        """Have git take the file along, or leave it out again; the project's own rules are never touched.

        Raises:
            LessonError: The rules cannot be written.
        """
        rule, said = f"/{self._path.name}\n", _SHARED.format(name=self._path.name)
        if shared == (not self.ignored):
            return
        rules = LessonFile(self._root, f"{self.name.rsplit('/', 1)[0]}/.gitignore", self._disk)

        def changed(text: str) -> str:
            rest = "".join(line for line in _lines(text) if line not in {rule, said, _RULES, _ITSELF})
            # Rules that others wrote may be meant for all.
            return (said if shared else _RULES + rule) + (rest or _ITSELF)

        rules.change(changed)

    def _rules(self) -> str:
        found = regular(self._path.parent / ".gitignore")
        return "" if found is None else found[0].decode("utf-8", "replace")

    def _data(self) -> bytes | None:
        above = [self._root / folder for folder in PurePosixPath(self.name).parents if folder.parts]
        for folder in (*reversed(above), self._path):
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                if stat.S_ISLNK(folder.lstat().st_mode):
                    raise LessonError(f"{self.name}: {folder.name} is a symlink, which is not followed.")
        found = regular(self._path)
        if found is None:
            if os.path.lexists(self._path):
                raise LessonError(f"{self.name}: is no file that can be read.")
            return None
        if len(found[0]) > _LARGEST:
            raise LessonError(f"{self.name}: is larger than {_LARGEST // 1024} KB.", "Remove what is not needed.")
        return found[0]

    def _put(self, before: bytes | None, after: bytes) -> bool:
        """Write new content in the place of what was read; False when something else stands there by now."""
        folder = self._path.parent
        if not folder.is_dir():
            self._disk.make_dir(folder)
        name = self._path.name
        if before is None and name != ".gitignore" and name not in self._rules():
            self.share(shared=False)
        temp = folder / f"{TEMP_PREFIX}lessons-{secrets.token_hex(6)}{TEMP_SUFFIX}"
        descriptor = self._disk.create(temp, 0o666)
        try:
            self._disk.write(descriptor, after)
            fresh = stat.S_IMODE(os.fstat(descriptor).st_mode)
            old = regular(self._path)
            self._disk.chmod(descriptor, permissions(old[1] if old else None, fresh, REGULAR))
            self._disk.sync(descriptor)
            if not self._place(temp, before):
                return False
        finally:
            os.close(descriptor)
            with contextlib.suppress(FileNotFoundError):
                self._disk.unlink(temp)
        self._disk.sync_dir(folder)
        return True

    def _place(self, temp: Path, before: bytes | None) -> bool:
        if before is None:
            try:
                self._disk.place(temp, self._path)
            except FileExistsError:
                return False
            return True
        if not self._disk.exchange(temp, self._path):
            if self._data() != before:
                return False
            self._disk.replace(temp, self._path)
            return True
        displaced = regular(temp)
        if displaced is not None and displaced[0] == before:
            return True
        # A save came between: it takes its place again.
        self._disk.exchange(temp, self._path)
        return False


def lessons_of(text: str | None) -> tuple[Lesson, ...]:
    """The lessons in a file's text."""
    return tuple(one.lesson for one in bullets(text or ""))


def with_lessons(text: str, lessons: Iterable[Lesson]) -> str:
    """A file's text with several lessons in it."""
    for lesson in lessons:
        text = with_lesson(text, lesson)
    return text
