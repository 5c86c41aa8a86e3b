"""Skills: folders with a ``SKILL.md``, of which the partner is told the names and reads the rest when it needs it.

The form is that of https://agentskills.io, which other tools share; so are two of the folders.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePath

import msgspec

from agent_core.conversation import Item, UserItem
from agent_core.front_matter import MOST_BYTES, Documents, listed, read_document, read_text
from agent_core.places import user_file
from agent_core.text import counted, estimate_tokens, printable
from agent_core.tools.base import Approver, News, Tool, ToolError, ToolOutput, View, make_spec, read_arguments

FOLDERS = (".pairloop/skills", ".agents/skills", ".claude/skills")
FILE = "SKILL.md"
_NAME = re.compile(r"[\w.-]{1,64}\Z")
_MOST_SKILLS = 60
_MOST_WORDS = 500
_MOST_TOKENS = 2000
_MOST_FILES = 60
_HEADING = "# Skills"
_INTRODUCTION = (
    "How some things are done here. Where one fits the task, read it with read_skill before you begin, and keep to it "
    "unless the human says otherwise."
)


class Skill(msgspec.Struct, frozen=True):
    """A skill.

    Attributes:
        name: Its name.
        description: When it is of use.
        folder: Where it is.
        own: It is the human's own, not the project's.
    """

    name: str
    description: str
    folder: Path
    own: bool

    @property
    def line(self) -> str:
        """It as the partner is told of it."""
        return f"{self.cut} {self.description}"

    @property
    def cut(self) -> str:
        """The same where there is no room for more."""
        return f"- {self.name}:"


class Skills:
    """The skills that there are; an `agent_core.tools.base.ToolSource` of the tool that reads them.

    Args:
        root: The project.
        own: The human's own folder of skills; by default beside their configuration.
    """

    def __init__(self, root: Path, own: Path | None = None) -> None:
        self._root = root
        self._own = own if own is not None else user_file().parent / "skills"
        self._documents = Documents()
        self._known: dict[str, Skill] = {}
        self._offered: bool | None = None
        self._told: News | None = None
        self._said = False

    def look(self) -> Mapping[str, Skill]:
        """What there is now, by name. Where there are several of a name it is the human's own. Reads files."""
        found: dict[str, Skill] = {}
        for folder in FOLDERS:
            for skill in self._in(self._root / folder, own=False):
                found.setdefault(skill.name, skill)
        found |= {skill.name: skill for skill in self._in(self._own, own=True)}
        self._known = dict(sorted(found.items())[:_MOST_SKILLS])
        return self._known

    async def news(self, items: Sequence[Item]) -> tuple[UserItem, ...]:
        """What the partner is to be told of skills: those that its conversation does not name yet.

        Args:
            items: The conversation.
        """
        known = await asyncio.to_thread(self.look)
        if not known:
            return ()
        if self._offered is False:
            if not self._said and self._told is not None:
                self._said = True
                self._told("There are skills in this project now: the partner is told of them in the next session.")
            return ()
        lines = {line for item in items if isinstance(item, UserItem) for line in _told_in(item.text)}
        new = [one.line for one in known.values() if one.line not in lines and one.cut not in lines]
        if not new:
            return ()
        return (UserItem(_words(new, first=not lines)),)

    # -- as a source of tools

    async def begin(self, told: News) -> None:
        """Nothing has to be started."""
        self._told = told

    async def tools(self, approve: Approver, printed: Callable[[str], None]) -> tuple[Tool, ...]:  # noqa: ARG002 - reading needs neither
        """The tool that reads them, where there are any."""
        known = await asyncio.to_thread(self.look)
        self._offered = bool(known)
        return (ReadSkill(self),) if known else ()

    async def close(self) -> None:
        """Nothing has to be ended."""

    @property
    def lines(self) -> tuple[str, ...]:
        """All of them for a human, a line each. Reads files."""
        return tuple(
            f"{skill.name} ({'yours' if skill.own else _relative(skill.folder, self._root)}): {skill.description}"
            for skill in self.look().values()
        )

    def read(self, name: str, file: str) -> str:
        """The text of a skill, or of a file beside it.

        Raises:
            ToolError: There is none.
        """
        skill = self._known.get(name) or self.look().get(name)
        if skill is None:
            raise ToolError(f"There is no skill {name!r}.", f"There are: {', '.join(self._known) or 'none'}.")
        if not skill.own and not skill.folder.resolve().is_relative_to(self._root.resolve()):
            raise ToolError(f"The skill {name!r} is not in the project any more.")
        if not file or file == FILE:
            document = read_document(skill.folder / FILE, skill.folder)
            if document is None:
                raise ToolError(f"The skill {name!r} cannot be read.")
            beside = _beside(skill.folder)
            files = f"\n\n[Beside it, read_skill reads them too: {', '.join(beside)}]" if beside else ""
            return f"{printable(document.body).strip()}{files}"
        # What is hidden is no part of a skill.
        hidden = any(part.startswith(".") for part in PurePath(file).parts)
        text = None if hidden else read_text(skill.folder / file, skill.folder)
        if text is None:
            there = ", ".join(_beside(skill.folder)) or "nothing"
            raise ToolError(
                f"The skill {name!r} has no text file {file!r} of up to {MOST_BYTES:,} bytes.", f"It has: {there}."
            )
        return printable(text)

    def _in(self, folder: Path, *, own: bool) -> list[Skill]:
        found = []
        for path in listed(folder):
            if not _NAME.match(path.name):
                continue
            # The human's own may be links to anywhere; a project's have to be in the project.
            document = self._documents.read(path / FILE, path if own else self._root)
            if document is None or not (description := document.line("description", _MOST_WORDS)):
                continue
            name = document.line("name", 64)
            found.append(Skill(name if _NAME.match(name) else path.name, description, path, own))
        return found


class _Arguments(msgspec.Struct):
    name: str
    file: str = ""


class ReadSkill:
    """The tool ``read_skill``.

    Args:
        skills: Where they are.
    """

    looks = True
    spec = make_spec(
        "read_skill",
        "Read a skill: how something is done here, as named in the conversation. With file: a file that belongs to it.",
        {
            "name": {"type": "string", "description": "The skill's name."},
            "file": {"type": "string", "description": "A file beside it, relative to it. Leave out for the skill."},
        },
        ("name",),
    )

    def __init__(self, skills: Skills) -> None:
        self._skills = skills

    def title(self, arguments: str) -> str:
        """What a call does, for the human."""
        try:
            given = read_arguments(_Arguments, arguments)
        except ToolError:
            return "read a skill"
        return f"read skill {given.name}{f' ({given.file})' if given.file else ''}"

    async def run(self, arguments: str, view: View) -> ToolOutput:  # noqa: ARG002 - skills are in no draft
        """Read it."""
        given = read_arguments(_Arguments, arguments)
        text = await asyncio.to_thread(self._skills.read, given.name, given.file)
        lines = text.count("\n") + 1
        return ToolOutput(text, counted(lines, "line"))


def _words(lines: Sequence[str], *, first: bool) -> str:
    """Skills as the partner is told of them, within bounds: first it is told that, then their descriptions are cut."""
    room = _MOST_TOKENS
    kept: list[str] = []
    for line in lines:
        room -= estimate_tokens(line)
        kept.append(line if room >= 0 else line.partition(":")[0] + ":")
    said = _INTRODUCTION if first else "These are new, or say something else now."
    return "\n".join([_HEADING, "", said, "", *kept])


def _told_in(text: str) -> list[str]:
    if not text.startswith(_HEADING):
        return []
    return [line for line in text.splitlines() if line.startswith("- ")]


def _beside(folder: Path) -> list[str]:
    """Files that belong to a skill, below it."""
    found: list[str] = []
    left = [folder]
    while left and len(found) < _MOST_FILES:
        for path in listed(left.pop()):
            if path.is_symlink():
                continue
            if path.is_dir():
                left.append(path)
            elif path.name != FILE or path.parent != folder:
                found.append(printable(path.relative_to(folder).as_posix()))
    return sorted(found)[:_MOST_FILES]


def _relative(folder: Path, root: Path) -> str:
    return folder.relative_to(root).as_posix()
