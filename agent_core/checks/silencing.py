"""How a patch may change what the checks look at, and the same tree without that.

A finding that is gone because a tool was told to look away is not mended. Which ones these are shows when the candidate
is judged once more with the base's settings and without the comments the patch adds.
"""

from __future__ import annotations

import configparser
import io
import re
import tokenize
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import msgspec

from agent_core.workspace.tree import FileChange

Read = Callable[[str], FileChange | None]

_OWN_FILES = {
    "ruff.toml": "ruff",
    ".ruff.toml": "ruff",
    "mypy.ini": "mypy",
    ".mypy.ini": "mypy",
    "pytest.ini": "pytest",
    ".pytest.ini": "pytest",
    "pytest.toml": "pytest",
    ".pytest.toml": "pytest",
}
_SHARED_FILES = {"pyproject.toml", "setup.cfg", "tox.ini"}
_TOOLS = ("ruff", "mypy", "pytest")
_COMMENTS = (
    (
        "ruff",
        re.compile(
            r"#\s*(?:(?:ruff|flake8)\s*:\s*)?noqa\b|#\s*ruff\s*:\s*(?:disable|ignore|file-ignore)\b", re.IGNORECASE
        ),
    ),
    ("mypy", re.compile(r"#\s*type\s*:\s*ignore\b|#\s*mypy\s*:")),
)


class Silencing(msgspec.Struct, frozen=True):
    """What a patch changes of what the checks look at.

    Attributes:
        settings: Check to the file that holds its settings and changes them.
        comments: Check to how many comments are added that silence it.
        without: What makes of the candidate the same tree with the base's settings, and without these comments.
    """

    settings: Mapping[str, str] = {}
    comments: Mapping[str, int] = {}
    without: Mapping[str, FileChange] = {}

    @property
    def checks(self) -> tuple[str, ...]:
        """The checks that look at something else."""
        return tuple(name for name in _TOOLS if name in self.settings or name in self.comments)

    def notes(self, check: str, hidden: int = 0, silenced: int = 0) -> list[str]:
        """What a human is told of a check once it is known what it does not show; nothing for harmless comments."""
        if check not in self.settings and not hidden and not silenced:
            return []
        parts = [self.note(check)]
        if hidden:
            parts.append(f"{hidden} finding{' is' if hidden == 1 else 's are'} hidden by that, not mended")
        if silenced:
            parts.append(f"{silenced} new one{' is' if silenced == 1 else 's are'} not shown")
        return [", ".join(parts)]

    def note(self, check: str) -> str:
        """How a check looks at something else."""
        if check in self.settings:
            return f"the change also touches what {check} looks at ({self.settings[check]})"
        count = self.comments[check]
        return f"the change adds {count} comment{'s' * (count != 1)} that silence{'s' * (count == 1)} {check}"


def find_silencing(paths: Iterable[str], before: Read, after: Read) -> Silencing:
    """Look for it in the files that a patch changes.

    Args:
        paths: The files.
        before: Reads the base; a moved file under its new path.
        after: Reads the candidate.
    """
    settings: dict[str, str] = {}
    comments: Counter[str] = Counter()
    without: dict[str, FileChange] = {}
    for path in sorted(paths):
        old, new = before(path), after(path)
        if (name := path.rpartition("/")[2]) in _OWN_FILES or name in _SHARED_FILES:
            changed = [tool for tool in _TOOLS if _settings(name, old, tool) != _settings(name, new, tool)]
            if changed:
                without[path] = old or FileChange(None)
                settings |= dict.fromkeys(changed, path)
        elif path.endswith((".py", ".pyi")) and new is not None and new.data is not None:
            bare, found = _without_comments((old.data or b"") if old is not None else b"", new.data)
            if found:
                comments += found
                without[path] = msgspec.structs.replace(new, data=bare)
    return Silencing(settings, comments, without)


def _settings(name: str, file: FileChange | None, tool: str) -> object:
    """What a file sets for a tool, in a form that compares; None for nothing."""
    if file is None or file.data is None:
        return None
    if name in _OWN_FILES:
        return file.data if _OWN_FILES[name] == tool else None
    text = file.data.decode("utf-8", "replace")
    if name == "pyproject.toml":
        try:
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError:
            return text
        table = data.get("tool", {}).get(tool) if isinstance(data.get("tool", {}), dict) else None
        return None if table is None else repr(table)
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return text
    names = {"tool:pytest", "pytest"} if tool == "pytest" else {tool}
    found = {
        section: dict(parser[section])
        for section in parser.sections()
        if section in names or section.startswith(f"{tool}-")
    }
    return found or None


def _without_comments(old: bytes, new: bytes) -> tuple[bytes, Counter[str]]:
    """A Python file without the silencing comments of lines that it did not have before, and how many they are."""
    found: Counter[str] = Counter()
    if not any(mark in new for mark in (b"noqa", b"ignore", b"mypy", b"ruff")):
        return new, found
    lines, known = list(io.BytesIO(new)), list(io.BytesIO(old))
    added, removed = Counter(lines) - Counter(known), Counter(known) - Counter(lines)
    # A line that was changed beside its comment keeps it: that is no new one.
    carried = Counter(text for row, _, text in _silencers(old) if removed[known[row]] > 0)
    for row, column, text in _silencers(new):
        if added[lines[row]] <= 0:
            continue
        if carried[text] > 0:
            carried[text] -= 1
            continue
        found.update(tool for tool, pattern in _COMMENTS if pattern.search(text))
        line = lines[row].decode("utf-8", "surrogateescape")
        body = line.rstrip("\r\n")
        start = column + line.startswith("\ufeff")
        lines[row] = (body[:start].rstrip() + line[len(body) :]).encode("utf-8", "surrogateescape")
    return b"".join(lines), found


def _silencers(data: bytes) -> list[tuple[int, int, str]]:
    """Line (from 0), column and text of each comment that silences, of a file that parses; of another one none."""
    found = []
    try:
        tokens = list(tokenize.tokenize(io.BytesIO(data).readline))
    except (tokenize.TokenError, SyntaxError, ValueError):
        return []
    for token in tokens:
        hits = [match.start() for _, pattern in _COMMENTS if (match := pattern.search(token.string))]
        if token.type == tokenize.COMMENT and hits:
            found.append((token.start[0] - 1, token.start[1] + min(hits), token.string[min(hits) :]))
    return found
