"""What one file defines, and which words stand in it."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from agent_core.symbols.languages import MOST_BYTES, Grammar, grammar, language_of
from agent_core.text import printable, shortened

if TYPE_CHECKING:
    from tree_sitter import Node

_LONGEST = 160
_MOST_DEFINITIONS = 2000
_MOST_WORDS = 800
_WORD = re.compile(rb"[A-Za-z_\x80-\xff][\w\x80-\xff]{2,63}", re.ASCII)
_BLANKS = re.compile(r"\s+")
_LEAVES = frozenset({"constant", "name", "word", "variable_name", "type"})


class Definition(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Something with a name.

    Attributes:
        name: Its name.
        kind: ``class``, ``function``, ``method``, ``constant``, ...
        line: The line it begins on, from 1.
        end: Its last line.
        head: What stands there up to its body, in one line.
        depth: How many definitions it is in.
        inside: It is in a function: nobody reaches it from outside.
    """

    name: str
    kind: str
    line: int
    end: int
    head: str
    depth: int = 0
    inside: bool = False


class Tags(msgspec.Struct, frozen=True, array_like=True):
    """What one file has.

    Attributes:
        definitions: What it defines, by line.
        words: The words in it, and how often each stands there.
    """

    definitions: tuple[Definition, ...] = ()
    words: dict[str, int] = {}


class Use(msgspec.Struct, frozen=True):
    """A place where a name stands in code, not in a comment or a text.

    Attributes:
        path: The file.
        line: From 1.
        text: The line.
    """

    path: str
    line: int
    text: str


def tags_of(path: str, data: bytes) -> Tags:
    """What a file has; nothing for one in no language that is known, a binary one, or a huge one."""
    found = _grammar(path, data)
    if found is None:
        return Tags()
    words = Counter(word.decode("utf-8", "replace") for word in _WORD.findall(data))
    return Tags(_definitions(found, found.parse(data), data), dict(words.most_common(_MOST_WORDS)))


def outline(path: str, data: bytes) -> tuple[Definition, ...]:
    """What a file defines, by line."""
    found = _grammar(path, data)
    return () if found is None else _definitions(found, found.parse(data), data)


def uses(path: str, data: bytes, name: str) -> tuple[tuple[Definition, ...], tuple[Use, ...]]:
    """Where a name is defined in a file, and where else it stands in its code.

    Args:
        path: The file.
        data: Its bytes.
        name: The name, letter by letter.
    """
    wanted = name.encode()
    found = _grammar(path, data) if wanted in data else None
    if found is None:
        return (), ()
    root = found.parse(data)
    defined = tuple(one for one in _definitions(found, root, data) if one.name == name)
    heads = {one.line for one in defined}
    lines: dict[int, None] = {}
    for match in re.finditer(rb"(?<![\w\x80-\xff])" + re.escape(wanted) + rb"(?![\w\x80-\xff])", data):
        leaf = root.descendant_for_byte_range(match.start(), match.end())
        if leaf is not None and (leaf.start_byte, leaf.end_byte) == match.span() and _is_name(leaf.type):
            lines[leaf.start_point[0] + 1] = None
    text = data.split(b"\n")
    places = (Use(path, line, _shown(text[line - 1])) for line in lines if line not in heads)
    return defined, tuple(places)


def _grammar(path: str, data: bytes) -> Grammar | None:
    language = language_of(path)
    # Minified code is one line and no use to anybody.
    if not language or len(data) > MOST_BYTES or b"\0" in data[:8000] or len(data) > 5000 * (data.count(b"\n") + 1):
        return None
    return grammar(language)


def _is_name(kind: str) -> bool:
    return kind.endswith("identifier") or kind in _LEAVES


def _definitions(found: Grammar, root: Node, data: bytes) -> tuple[Definition, ...]:
    nodes = sorted(found.definitions(root), key=lambda one: (one[1].start_byte, -one[1].end_byte))
    made: list[Definition] = []
    open_: list[tuple[int, bool]] = []
    last = -1
    for kind, node, name in nodes[:_MOST_DEFINITIONS]:
        if name.start_byte == last:
            continue
        last = name.start_byte
        while open_ and open_[-1][0] <= node.start_byte:
            open_.pop()
        inside = any(function for _, function in open_)
        # What is between a definition and its name (decorators, annotations) is not what one looks for.
        first = node.start_point[0] if node.type != "decorated_definition" else name.start_point[0]
        made.append(
            Definition(
                _shown(data[name.start_byte : name.end_byte]),
                kind,
                first + 1,
                node.end_point[0] + 1,
                _head(node, data),
                len(open_),
                inside,
            )
        )
        open_.append((node.end_byte, kind in {"function", "method"}))
    return tuple(made)


def _head(node: Node, data: bytes) -> str:
    """A definition up to its body, in one line."""
    body = node.child_by_field_name("body")
    if body is None and node.type == "variable_declarator":
        value = node.child_by_field_name("value")
        body = value.child_by_field_name("body") if value is not None else None
    end = body.start_byte if body is not None and body.start_byte > node.start_byte else node.end_byte
    text = data[node.start_byte : min(end, node.start_byte + 2000)]
    if body is None:
        text = text.split(b"\n", 1)[0] if text.count(b"\n") > 12 else text
    return shortened(_shown(text).rstrip(" :{=>"), _LONGEST)


def _shown(text: bytes) -> str:
    line = _BLANKS.sub(" ", printable(text.decode("utf-8", "replace"))).strip()
    return line if len(line) <= 300 else f"{line[:300]} [...]"
