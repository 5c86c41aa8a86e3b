"""What the partner is told about the project before it looks for itself: its rules, its README, its files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePath, PurePosixPath

import msgspec

from agent_core.prompt.code_style import how_it_is_built
from agent_core.prompt.readme import undecorated
from agent_core.text import estimate_tokens, printable

RULES = "AGENTS.md"
"""What the rules of a project, or of a folder in it, are called."""
# What others call theirs: looked for where there is none of ours.
_OTHER_RULES = ("CLAUDE.md", ".github/copilot-instructions.md", "GEMINI.md", ".cursorrules")
_CONTRIBUTING = ("CONTRIBUTING.md", ".github/CONTRIBUTING.md", "docs/CONTRIBUTING.md", "CONTRIBUTING.rst")
# Most of it is about pull requests.
_CONTRIBUTING_TOKENS = 800
_READMES = ("README.md", "README.rst", "README.txt", "README")
_ABOUT = "what this project is"
_ROOTS = "the rules of this project"
_CONTRIBUTE = "how to contribute"
_LISTED_DEPTH = 4
_LISTED_MOST = 400
# The listing gets this part of the budget; documents that are short leave it more.
_LISTING_SHARE = 4
# A document is not begun for less than this many tokens, where there are many.
_LEAST = 150
_NAMED_MOST = 10


def _name(path: str) -> str:
    """A path fit to stand in a line."""
    return printable(path).replace("\n", "\u240a")


class _Section(msgspec.Struct, frozen=True):
    title: str
    path: str
    text: str

    @property
    def heading(self) -> str:
        return f"# {_name(self.path)} ({_name(self.title)})"


def rules_heading(path: str) -> str:
    """The line above the rules of a folder."""
    return _Section(f"the rules for {PurePosixPath(path).parent}/", path, "").heading


def _depth(path: str) -> tuple[int, str]:
    return path.count("/"), path


def document(read: Callable[[str], bytes | None], path: str) -> str | None:
    """A file as text fit to be shown; None when it is missing, empty or binary."""
    data = read(path)
    if data is None or b"\0" in data[:8000]:
        return None
    return printable(data.decode("utf-8", "replace").removeprefix("\ufeff")).strip("\n") or None


def _documents(paths: Sequence[str]) -> list[tuple[str, str]]:
    """Title and path of the documents to show, most telling first."""
    present = set(paths)
    rules = sorted((path for path in paths if PurePosixPath(path).name == RULES), key=_depth)
    chosen: list[tuple[str, str]] = []
    for path in rules:
        folder = str(PurePosixPath(path).parent)
        chosen.append((_ROOTS if folder == "." else f"the rules for {folder}/", path))
    by_case = {path.lower(): path for path in sorted(present, reverse=True) if "/" not in path}
    readme = next((by_case[name.lower()] for name in _READMES if name.lower() in by_case), None)
    # The root's rules, then what the project is, then the rules of its parts.
    at = sum(1 for _, path in chosen if "/" not in path)
    own = chosen[:at] or [(_ROOTS, path) for path in _OTHER_RULES if path in present][:1]
    about = [(_ABOUT, readme)] if readme else []
    contributing = [(_CONTRIBUTE, path) for path in _CONTRIBUTING if path in present][:1]
    return own + about + chosen[at:] + contributing


def cut_head(text: str, path: str, tokens: int) -> str:
    """The first whole lines of a text that fit a budget, and a line that names what was cut.

    Args:
        text: The text.
        path: Its file, for the one who wants to read on.
        tokens: Most tokens to give, the naming line included.

    Returns:
        The text, its head with the cut named, or nothing when not even one line fits.
    """
    if estimate_tokens(text) <= tokens:
        return text
    lines = text.split("\n")
    total = len(lines)
    note = f"[... {total} more lines of {path} left out: read_file shows them]"
    room = tokens - estimate_tokens(note) - 1
    kept: list[str] = []
    size = 0
    for line in lines:
        size += len(line.encode("utf-8", "replace")) + 1
        if size > room * 4:
            break
        kept.append(line)
    if not kept:
        return ""
    return "\n".join([*kept, f"[... {total - len(kept)} more lines of {path} left out: read_file shows them]"])


def file_listing(paths: Iterable[str], tokens: int) -> str:
    """The project's files, one a line: near the root by name, deeper ones as counts of their folder.

    Args:
        paths: Relative paths with ``/``.
        tokens: Most tokens to give.
    """
    near: set[str] = set()
    folders: Counter[str] = Counter()
    for path in paths:
        parts = path.split("/")
        if len(parts) <= _LISTED_DEPTH:
            near.add(path)
        else:
            folders["/".join(parts[:_LISTED_DEPTH]) + "/"] += 1
    entries = sorted(near) + [f"{folder} ({count} files)" for folder, count in sorted(folders.items())]
    entries = sorted(_name(entry) for entry in entries)
    kept: list[str] = []
    size = 0
    for entry in entries[:_LISTED_MOST]:
        size += len(entry.encode("utf-8", "replace")) + 1
        # Some room is kept for the line that names the cut.
        if size > (tokens - 20) * 4:
            break
        kept.append(entry)
    if len(kept) < len(entries):
        kept.append(f"[... {len(entries) - len(kept)} more left out: list_files shows them]")
    listing = "\n".join(kept)
    return listing if estimate_tokens(listing) <= tokens else ""


def shares(sizes: Sequence[int], total: int) -> list[int]:
    """How much of a budget each one gets: what it needs, or an equal part of what the smaller ones leave.

    Args:
        sizes: What each needs.
        total: What there is.
    """
    out = [0] * len(sizes)
    left = max(total, 0)
    for rank, at in enumerate(sorted(range(len(sizes)), key=sizes.__getitem__)):
        out[at] = min(sizes[at], left // (len(sizes) - rank))
        left -= out[at]
    return out


def _left_out(paths: Sequence[str]) -> str:
    named = ", ".join(_name(path) for path in paths[:_NAMED_MOST])
    more = f" and {len(paths) - _NAMED_MOST} more" if len(paths) > _NAMED_MOST else ""
    return f"[Not shown here: {named}{more}. read_file shows them.]"


def _fit(title: str, path: str, text: str) -> str:
    """A document as it is shown where there is room for it."""
    if title == _ABOUT:
        return undecorated(text)
    return cut_head(text, path, _CONTRIBUTING_TOKENS) if title == _CONTRIBUTE else text


def project_context(
    root: PurePath, read: Callable[[str], bytes | None], paths: Iterable[str], budget_tokens: int, own: str = ""
) -> str:
    """The project's own documents and a listing of its files, within a budget.

    Args:
        root: The project's folder, for its name; it is not looked into.
        read: Gives the bytes of a file by its relative path, None when it is not there.
        paths: Every file of the project that is not ignored, relative, with ``/``.
        budget_tokens: Most tokens of the whole, by `agent_core.text.estimate_tokens`.
        own: The human's own rules, for all their projects.

    Returns:
        Sections, each under a heading that names its file: the human's own rules, AGENTS.md of the root, README, how
        it is built and written, deeper AGENTS.md files, CONTRIBUTING, the listing. What was cut or did not fit is
        named. Empty for an empty project.
    """
    known = sorted(set(paths))
    sections = [
        _Section(title, path, _fit(title, path, text))
        for title, path in _documents(known)
        if (text := document(read, path)) is not None
    ]
    sources, facts = how_it_is_built(read, known)
    if facts:
        at = sum(1 for section in sections if section.title in {_ABOUT, _ROOTS})
        sections.insert(at, _Section("how it is built and written", sources, facts))
    if own:
        sections.insert(
            0, _Section("the human's own rules, for all projects; the project's go before them", RULES, own)
        )
    room = budget_tokens - budget_tokens // _LISTING_SHARE
    shown = sections[: max(room // _LEAST, 1)]
    parts: list[str] = []
    missing = [section.path for section in sections[len(shown) :]]
    needed = [estimate_tokens(section.heading) + estimate_tokens(section.text) + 2 for section in shown]
    for section, share in zip(shown, shares(needed, room), strict=True):
        body = cut_head(section.text, section.path, share - estimate_tokens(section.heading) - 2)
        if body:
            parts.append(f"{section.heading}\n\n{body}")
        else:
            missing.append(section.path)
    if missing:
        parts.append(_left_out(missing))
    heading = f"# The files of {_name(root.name) or 'the project'}"
    left = budget_tokens - estimate_tokens("\n\n".join([*parts, heading])) - 2
    if listing := file_listing(known, left):
        parts.append(f"{heading}\n\n{listing}")
    whole = "\n\n".join(parts)
    # A budget too small even for the line that names what is missing.
    return whole if estimate_tokens(whole) <= budget_tokens else ""
