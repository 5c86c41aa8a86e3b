"""Markdown files that begin with settings between two lines of dashes: custom commands, skills.

They come with projects that were cloned, so nothing of them is trusted: files are bounded, settings are read as plain
words, and only files that are where they seem to be are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from agent_core.small_files import open_regular
from agent_core.text import one_line

MOST_BYTES = 100_000
_MOST_SETTINGS = 8_000
_FRONT = re.compile(r"\A---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_PLAIN = re.compile(r"^([A-Za-z][\w-]*):[ \t]*(.*)$", re.MULTILINE)
_MOST_LISTED = 200
_MOST_KEPT = 2000


class Document(msgspec.Struct, frozen=True):
    """A file that was read.

    Attributes:
        settings: What stands between the dashes, as far as it is words.
        body: The rest.
    """

    settings: dict[str, str]
    body: str

    def line(self, key: str, most: int) -> str:
        """A setting as one line that is safe to show; empty where there is none."""
        return one_line(self.settings.get(key, ""), most)


class Documents:
    """Such files, each read anew only where it has changed."""

    def __init__(self) -> None:
        self._read: dict[Path, tuple[tuple[int, ...], Path, Document | None]] = {}

    def read(self, path: Path, within: Path) -> Document | None:
        """As `read_document`."""
        try:
            found = path.stat()
            real = path.resolve(strict=True)
        except (OSError, RuntimeError):
            self._read.pop(path, None)
            return None
        sign = (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_dev)
        known = self._read.get(path)
        if known is None or known[:2] != (sign, real):
            if len(self._read) > _MOST_KEPT:
                self._read.clear()
            known = self._read[path] = (sign, real, read_document(path, within))
        return known[2]


def read_document(path: Path, within: Path) -> Document | None:
    """Read such a file.

    Args:
        path: The file.
        within: The folder that it has to be in, all links followed.

    Returns:
        What is in it; None where there is no such file, or it is none that can be read.
    """
    text = read_text(path, within)
    if text is None:
        return None
    found = _FRONT.match(text)
    if found is None:
        return Document({}, text)
    return Document(_settings(found[1][:_MOST_SETTINGS]), text[found.end() :])


def read_text(path: Path, within: Path, most: int = MOST_BYTES) -> str | None:
    """The text of a regular file that really is in a folder, as long as it is not too large; else None."""
    try:
        real = path.resolve(strict=True)
        if not real.is_relative_to(within.resolve(strict=True)):
            return None
        # Not to wait at what is no file: somebody may exchange it after every look.
        with open_regular(real) as opened:
            data = opened.read(most + 1)
    except (OSError, ValueError, RuntimeError):
        return None
    if len(data) > most or b"\0" in data:
        return None
    return data.decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n")


def listed(folder: Path) -> Iterator[Path]:
    """What is in a folder, by name; nothing where there is none, and no more than anybody would write."""
    try:
        paths = sorted(folder.iterdir())
    except OSError:
        return
    for path in paths[:_MOST_LISTED]:
        if not path.name.startswith("."):
            yield path


def _settings(text: str) -> dict[str, str]:
    """YAML where it is YAML; else line by line, as people write it: ``description: Use this: always``."""
    import yaml  # noqa: PLC0415 - not needed where there are no such files

    try:
        # BaseLoader makes nothing but words, lists and tables of them.
        read = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - it makes no objects
    except (yaml.YAMLError, RecursionError):
        read = None
    if isinstance(read, dict):
        return {str(key): value for key, value in read.items() if isinstance(value, str)}
    return {found[1]: found[2].strip().strip("\"'") for found in _PLAIN.finditer(text)}
