"""The languages whose code is read for names: which file is in which, and their grammars.

The grammars are tree-sitter's. Each has a query of ours in ``queries/NAME.scm`` that captures a definition as
``@definition.KIND`` and its name as ``@name``. What the grammars bring along themselves differs too much in what it
captures, and some bring nothing.
"""

from __future__ import annotations

import threading
from functools import cache
from importlib import import_module, resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Query

_SUFFIXES = {
    "python": "py pyi",
    "javascript": "js jsx mjs cjs",
    "typescript": "ts mts cts",
    "tsx": "tsx",
    "go": "go",
    "rust": "rs",
    "java": "java",
    "c": "c h",
    "cpp": "cc cpp cxx hpp hh hxx",
    "c_sharp": "cs",
    "ruby": "rb rake",
    "php": "php",
    "bash": "sh bash",
}
_BY_SUFFIX = {suffix: name for name, suffixes in _SUFFIXES.items() for suffix in suffixes.split()}
# Where a package has several languages, or a query serves two.
_PACKAGES = {"tsx": "typescript"}
_FUNCTIONS = {"typescript": "language_typescript", "tsx": "language_tsx", "php": "language_php"}
_QUERIES = {"tsx": "typescript"}
MOST_BYTES = 400_000
"""Longer files are made by programs as a rule; to read them would cost more than it tells."""


class Grammar:
    """What reads one language; made by `grammar`.

    Args:
        parser: Reads a file.
        query: Finds the definitions.
    """

    def __init__(self, parser: Parser, query: Query) -> None:
        self._parser = parser
        self._query = query
        self._lock = threading.Lock()

    def parse(self, data: bytes) -> Node:
        """The tree of a file's text; what is wrong in it is a part of the tree."""
        with self._lock:
            return self._parser.parse(data).root_node

    def definitions(self, root: Node) -> list[tuple[str, Node, Node]]:
        """Kind, definition and name of all that is defined in a tree."""
        from tree_sitter import QueryCursor  # noqa: PLC0415 - 20 ms, for those who look for names

        found: list[tuple[str, Node, Node]] = []
        with self._lock:
            matches = QueryCursor(self._query).matches(root)
        for _, captures in matches:
            name = captures.get("name")
            for label, nodes in captures.items():
                if name and label.startswith("definition."):
                    found.append((label.removeprefix("definition."), nodes[0], name[0]))
        return found


def language_of(path: str) -> str:
    """The language a file is in, by its name; empty for none that is known."""
    name = path.rsplit("/", 1)[-1]
    return _BY_SUFFIX.get(name.rpartition(".")[2].lower(), "") if "." in name else ""


@cache
def grammar(language: str) -> Grammar | None:
    """What reads a language; None where its grammar cannot be had."""
    # 20 ms and more, for those who look for names.
    from tree_sitter import Language as Compiled  # noqa: PLC0415
    from tree_sitter import Parser, Query  # noqa: PLC0415

    try:
        package = import_module(f"tree_sitter_{_PACKAGES.get(language, language)}")
        compiled = Compiled(getattr(package, _FUNCTIONS.get(language, "language"))())
    except (ImportError, AttributeError, ValueError):
        return None
    folder = resources.files("agent_core.symbols") / "queries"
    text = (folder / f"{_QUERIES.get(language, language)}.scm").read_text("utf-8")
    if language in {"typescript", "tsx"}:
        text += (folder / "javascript.scm").read_text("utf-8")
    return Grammar(Parser(compiled), Query(compiled, text))
