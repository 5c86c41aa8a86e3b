r"""Paths as models write them above a SEARCH/REPLACE block: bare, decorated, labelled, or behind a fence.

What is taken off follows Aider's ``strip_filename`` (Aider-AI/aider, ``aider/coders/editblock_coder.py``): ``#``,
backticks, ``**``, a trailing colon, ``\_`` for ``_``; and what models write besides: ``File:``, a comment's
marks. Unlike there nothing is compared with the names of files: a line is a path by how it looks, or it is none.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from agent_core.patch.patch_lines import fence_info, fence_mark

_LONGEST = 300
_WRAPPED = re.compile(r"<!--\s*(.*?)\s*-->|/\*\s*(.*?)\s*\*/")
_LEAD = re.compile(r"(?:#+|//+|--|;+)\s*")
_ITEM = re.compile(r"(?:[-*+]|\d{1,3}[.)])\s+(?=[`*\"'])")
_LABEL = re.compile(r"(?:file(?:[ _-]?(?:name|path))?|path)\s*:\s*(?=[^/\s])", re.IGNORECASE)
_MARKS = "`*\"'"
_NO_PATH = re.compile(r"[\x00-\x1f\x7f<>{}|;?!\"`*]|://|\.\.\.|[.:&]$")
# Code rather than a path, unless there are a folder and an extension (``app/(shop)/page.tsx``).
_CODE = re.compile(r"[()=,']")
_EXTENSION = re.compile(r"[^\s/]\.\w{1,12}$|(?:^|/)\.\w[\w.-]*$")
_BARE_NAMES = re.compile(
    r"(?:gnu)?makefile|dockerfile|containerfile|licen[sc]e|copying|readme|changelog|authors|notice|procfile|rakefile|"
    r"gemfile|brewfile|jenkinsfile|justfile|vagrantfile|pipfile|codeowners|version|manifest|build|workspace",
    re.IGNORECASE,
)
_SUFFIX = re.compile(
    r"py|pyi|pyx|ipynb|js|jsx|mjs|cjs|ts|tsx|vue|svelte|html|htm|css|scss|"
    r"less|md|rst|txt|toml|yaml|yml|json|jsonc|cfg|ini|conf|env|c|h|cc|cpp"
    r"|cxx|hpp|hh|cs|go|rs|java|kt|kts|scala|rb|php|pl|lua|sh|bash|zsh|"
    r"fish|sql|xml|svg|lock|swift|m|mm|dart|ex|exs|erl|hs|ml|r|jl|tf|"
    r"proto|gradle|cmake|mk|bat|ps1"
)
_TOKEN = re.compile(r"`?[\w@./\\-]+[`(]?")


class Named(NamedTuple):
    """A path that a line names.

    Attributes:
        path: The path, undecorated.
        plain: It looks like a path by itself; otherwise it could be any word.
    """

    path: str
    plain: bool


def path_of(text: str) -> Named | None:
    """The path that a line consists of.

    Args:
        text: A line, or the words behind a fence.

    Returns:
        The path; None when the line holds anything else.
    """
    word = text.strip()
    if not word or len(word) > _LONGEST or fence_mark(word):
        return None
    if wrapped := _WRAPPED.fullmatch(word):
        word = wrapped.group(1) or wrapped.group(2) or ""
    word = word[item.end() :] if (item := _ITEM.match(word)) else word
    word = word[lead.end() :] if (lead := _LEAD.match(word)) else word
    said = colon = False
    while True:
        bare = word.strip().strip(_MARKS)
        said = said or word.strip()[:1] in tuple(_MARKS)
        colon = colon or bare.endswith(":")
        bare = bare.rstrip(":")
        if label := _LABEL.match(bare):
            bare, said = bare[label.end() :], True
        if bare == word:
            break
        word = bare
    word = word.replace("\\_", "_")
    if not word or _NO_PATH.search(word):
        return None
    if _CODE.search(word) and not ("/" in word and _EXTENSION.search(word)):
        return None
    plain = "/" in word or _EXTENSION.search(word) is not None or _BARE_NAMES.fullmatch(word) is not None
    if re.search(r"\s", word):
        return Named(word, plain=True) if said and _EXTENSION.search(word) else None
    if not plain and colon and not said:
        return None
    return Named(word, plain or said)


def path_of_fence(text: str) -> str:
    """The path behind an opening fence (``python:src/a.py``, ``python title="src/a.py"``), else empty."""
    for word in fence_info(text).split()[:3]:
        name = re.sub(r"^(?:\w+:|(?:title|file|filename|path)=)", "", word, count=1)
        named = path_of(name)
        if named is not None and ("/" in named.path or _EXTENSION.search(named.path)):
            return named.path
    return ""


def mentions(text: str) -> set[str]:
    """The files that a sentence speaks of: names of a known kind, and what has a slash in backticks."""
    found = set()
    for token in _TOKEN.findall(text[:20_000]):
        word = token.strip("`").rstrip(".").removeprefix("./")
        known = _SUFFIX.fullmatch(word.rpartition(".")[2]) is not None and not word.startswith(".")
        if ("." in word and known) or ("/" in word and token[0] == token[-1] == "`"):
            found.add(word)
    return found


def same_file(mention: str, path: str) -> bool:
    """Whether a file spoken of may be the file of that path."""
    path = path.removeprefix("./")
    return path == mention or path.endswith(f"/{mention}")


def may_become_path(text: str) -> bool:
    """Whether a line that has begun like this may be one that `path_of` takes, however it goes on."""
    word = text.lstrip()
    if not re.search(r"\s", word.rstrip()):
        return len(word.rstrip()) <= _LONGEST
    item = re.match(r"(?:[-*+]|\d{1,3}[.)])\s+(.?)", word)
    if item and (not item.group(1) or item.group(1) in _MARKS):
        return True
    return word[0] in "#/;<`\"'" or word.startswith(("**", "--")) or re.match(r"(?i)file|path", word) is not None
