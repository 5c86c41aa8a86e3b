"""Texts of the project's files, where their functions are, and variants of both.

Part of `pairloop_repair`, for Python 3.8 and later: standard library only. PYTEST_DONT_REWRITE
"""

from __future__ import annotations
import __future__

import ast
import os
import re
import types
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # Path, start, end, text: as `agent_core.repair.model.Edit`.
    Edit = tuple[str, int, int, str]

_BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile(r"\r\n?|\n")


class Body:
    """A function that stands in no other one, as text.

    Attributes:
        node: The function.
        classes: The classes around it, outermost first.
        start: Where its first line begins, decorators included, as an index into the text.
        end: Where the line behind it begins.
        inside: Where its first statement's line begins.
    """

    def __init__(self, node: Any, classes: tuple[ast.ClassDef, ...], starts: Sequence[int]) -> None:
        self.node = node
        self.classes = classes
        self.line = min([node.lineno, *(one.lineno for one in node.decorator_list)])
        first = node.body[0]
        self.start = starts[self.line - 1]
        self.end = starts[node.end_lineno]
        decorated = getattr(first, "decorator_list", None)
        line = min([first.lineno, *(one.lineno for one in decorated or ())])
        # A statement on the line of the head: what is before it may be the head's, such as a default.
        self.inside = starts[line - 1] if line > _head_end(node) else self.end + 1

    @property
    def qualname(self) -> str:
        """Its name with those of its classes."""
        return ".".join([*(one.name for one in self.classes), self.node.name])


def _head_end(node: Any) -> int:
    """The last line on which something of a function's head stands."""
    ends: list[int] = [node.lineno]
    ends += [getattr(one, "end_lineno", None) or 0 for one in ast.walk(node.args)]
    if node.returns is not None:
        ends.append(node.returns.end_lineno)
    return max(ends)


class Text:
    """A file of the project.

    Args:
        path: Relative to the project, where we are.

    Raises:
        OSError: It cannot be read.
        ValueError: It is not UTF-8, or no Python.
        SyntaxError: It is no Python.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.real = os.path.abspath(path)  # noqa: PTH100 - as modules have it
        with open(path, "rb") as file:  # noqa: PTH123 - quick
            data = file.read()
        self._bom = data.startswith(_BOM)
        self.text = data.decode("utf-8-sig")
        self._tree: Any = None
        self._bodies: list[Body] = []
        self._flags = 0

    def edited(self, edits: Sequence[Edit]) -> bytes:
        """The whole file with edits of it carried out."""
        text = carried_out(self.text, 0, len(self.text), edits)
        return (_BOM if self._bom else b"") + text.encode("utf-8", "surrogatepass")

    def _parse(self) -> None:
        if self._tree is not None:
            return
        self._tree = ast.parse(self.text)
        starts = [0]
        for line in _lines(self.text):
            starts.append(starts[-1] + len(line))
        # The last line may have no end.
        starts.append(len(self.text))
        self._bodies = [Body(node, classes, starts) for node, classes in _functions(self._tree.body, ())]
        for node in self._tree.body:
            if isinstance(node, ast.ImportFrom) and node.module == "__future__":
                for alias in node.names:
                    self._flags |= getattr(__future__, alias.name).compiler_flag

    @property
    def tree(self) -> ast.Module:
        """It parsed."""
        self._parse()
        tree: ast.Module = self._tree
        return tree

    @property
    def bodies(self) -> list[Body]:
        """Its functions that stand in no other one."""
        self._parse()
        return self._bodies

    def grouped(self, edits: Sequence[Edit]) -> list[tuple[Body, list[Edit]]] | None:
        """Edits by the function in whose body they are; None where one is in none."""
        groups: dict[int, tuple[Body, list[Edit]]] = {}
        for edit in edits:
            body = next((one for one in self.bodies if one.inside <= edit[1] and edit[2] <= one.end), None)
            if body is None:
                return None
            groups.setdefault(id(body), (body, []))[1].append(edit)
        return list(groups.values())

    def compiled(self, body: Body, edits: Sequence[Edit] = ()) -> types.CodeType:
        """A function by itself, within classes of the same names, compiled so that its lines have their numbers.

        Raises:
            SyntaxError: It is no Python with the edits.
            ValueError: Likewise.
        """
        heads = [" " * one.col_offset + "class " + one.name + ":\n" for one in body.classes]
        if not heads and body.node.col_offset:
            heads = ["if 1:\n"]
        before = "\n" * max(body.line - 1 - len(heads), 0) + "".join(heads)
        own = carried_out(self.text, body.start, body.end, edits)
        code: types.CodeType = compile(before + own, self.real, "exec", flags=self._flags, dont_inherit=True)
        return code


def carried_out(text: str, start: int, end: int, edits: Sequence[Edit]) -> str:
    """A part of a text with edits that lie in it carried out."""
    parts: list[str] = []
    at = start
    for _, first, last, new in sorted(edits):
        parts += (text[at:first], new)
        at = last
    return "".join([*parts, text[at:end]])


def _lines(text: str) -> Iterator[str]:
    """Its lines, as the parser sees them: not cut at form feeds and the like."""
    at = 0
    for found in _LINE_END.finditer(text):
        yield text[at : found.end()]
        at = found.end()
    if at < len(text):
        yield text[at:]


def _functions(
    nodes: Sequence[ast.stmt], classes: tuple[ast.ClassDef, ...]
) -> Iterator[tuple[Any, tuple[ast.ClassDef, ...]]]:
    """The functions among statements and all that stands in them, but not those within other functions."""
    for node in nodes:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node, classes
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node.body, (*classes, node))
        else:
            for name in ("body", "orelse", "finalbody"):
                inner = getattr(node, name, None)
                if isinstance(inner, list):
                    yield from _functions(inner, classes)
            for handler in getattr(node, "handlers", ()):
                yield from _functions(handler.body, classes)


class Texts:
    """Those of several files, read once."""

    def __init__(self) -> None:
        self._texts: dict[str, Text] = {}

    def of(self, path: str) -> Text:
        """A file; see `Text`."""
        if path not in self._texts:
            self._texts[path] = Text(path)
        return self._texts[path]

    def by_path(self, edits: Sequence[Edit]) -> list[tuple[Text, list[Edit]]]:
        """Edits by file."""
        paths = dict.fromkeys(edit[0] for edit in edits)
        return [(self.of(path), [edit for edit in edits if edit[0] == path]) for path in paths]

    def swappable(self, edits: Sequence[Edit]) -> bool:
        """Whether edits lie within functions' bodies, so that what is loaded can be changed."""
        try:
            return all(text.grouped(own) is not None for text, own in self.by_path(edits))
        except (OSError, ValueError, SyntaxError, RecursionError):
            return False

    def whole(self, edits: Sequence[Edit]) -> dict[str, bytes]:
        """The edited files, whole: absolute path -> bytes."""
        return {text.real: text.edited(own) for text, own in self.by_path(edits)}
