"""Commands of the human's or the project's own: Markdown files that become a task, ``/name words``.

A file's text is the task: it is shown in the chat like any other, and nothing of it is run.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

import msgspec

from agent_core.front_matter import Document, Documents, listed
from agent_core.places import user_file

FOLDER = ".pairloop/commands"
_CALL = re.compile(r"/([\w-]{1,64})(?:[ \t\n]+(.*))?\Z", re.DOTALL)
_NAME = re.compile(r"[\w-]{1,64}\Z")
_PLACE = re.compile(r"\$(?:ARGUMENTS\b|([1-9])(?!\d)|\$)")
_MOST_WORDS = 200


class CustomCommand(msgspec.Struct, frozen=True):
    """A command.

    Attributes:
        name: What is written after the slash.
        description: What it does, in a line.
        hint: What may follow it.
        body: The task, with places for words that follow.
        own: It is the human's own, not the project's.
    """

    name: str
    description: str
    hint: str
    body: str
    own: bool

    @property
    def usage(self) -> str:
        """How it is written."""
        return f"/{self.name} {self.hint}".rstrip()

    def task(self, words: str) -> str:
        """The task.

        ``$ARGUMENTS`` stands for all words that follow, ``$1`` to ``$9`` for one of them (in quotation marks it may
        have blanks), ``$$`` for a dollar sign. Words for which there is no place come at the end.

        Args:
            words: What follows the command.
        """
        words = words.strip()
        single, placed = _words(words), False

        def one(found: re.Match[str]) -> str:
            nonlocal placed
            if found[0] == "$$":
                return "$"
            placed = True
            if not found[1]:
                return words
            index = int(found[1]) - 1
            return single[index] if index < len(single) else ""

        text = _PLACE.sub(one, self.body).strip()
        return f"{text}\n\n{words}".strip() if words and not placed else text


class CustomCommands:
    """The commands that there are. They are read anew each time: files come and go. Its methods read files.

    Args:
        root: The project.
        own: The human's own folder of commands; by default beside their configuration.
    """

    def __init__(self, root: Path, own: Path | None = None) -> None:
        self._root = root
        self._own = own if own is not None else user_file().parent / "commands"
        self._documents = Documents()

    def all(self) -> Mapping[str, CustomCommand]:
        """All of them, by name. Where both have one of a name it is the human's own."""
        found = {one.name: one for one in self._in(self._root / FOLDER, self._root, own=False)}
        # The human's own may be links to anywhere.
        found |= {one.name: one for one in self._in(self._own, None, own=True)}
        return dict(sorted(found.items()))

    def task(self, text: str) -> str:
        """What a line asks for.

        Args:
            text: A task, or the call of a command.

        Returns:
            The command's task; the text itself where it calls none.
        """
        called = _CALL.match(text.strip())
        if called is None:
            return text
        command = self.all().get(called[1])
        return text if command is None else command.task(called[2] or "") or text

    def _in(self, folder: Path, within: Path | None, *, own: bool) -> list[CustomCommand]:
        found = []
        for path in listed(folder):
            if path.suffix == ".md" and _NAME.match(path.stem):
                document = self._documents.read(path, within if within is not None else path.resolve().parent)
                if document is not None and document.body.strip():
                    found.append(_command(path.stem, document, own=own))
        return found


def _command(name: str, document: Document, *, own: bool) -> CustomCommand:
    first = next((line.strip("# \t") for line in document.body.splitlines() if line.strip("# \t")), "")
    description = document.line("description", _MOST_WORDS) or Document({"first": first}, "").line("first", _MOST_WORDS)
    hint = document.line("argument-hint", _MOST_WORDS)
    if not hint and any(found[0] != "$$" for found in _PLACE.finditer(document.body)):
        hint = "[words]"
    return CustomCommand(name, description, hint, document.body.strip(), own)


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()
