"""An import put into a file, where its order has it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable

from agent_core.repair.model import Edit
from agent_core.repair.source import Source


def import_edit(source: Source, module: str, name: str, *, alias: str = "", own: bool = False) -> Edit:
    """The edit with which a file imports something.

    Args:
        source: The file.
        module: The module.
        name: What of it; empty for the module itself.
        alias: What it is called in the file, where that is something else.
        own: Whether the module is the project's.
    """
    said = f"{name or module} as {alias}" if alias and alias != (name or module) else name or module
    top = [node for node in source.tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    if name:
        for node in top:
            if isinstance(node, ast.ImportFrom) and not node.level and node.module == module:
                edit = _among(source, node, said)
                if edit is not None:
                    return edit
    line = f"from {module} import {said}" if name else f"import {said}"
    key = (_section(module, own=own), bool(name), module.lower())
    owns = {
        node: (_section_of(source, node, top), isinstance(node, ast.ImportFrom), _module(node).lower()) for node in top
    }
    end = source.line_end
    before = [node for node in top if owns[node] < key]
    last = max(before, key=lambda node: node.lineno) if before else None
    behind = [node for node in top if last is None or node.lineno > last.lineno]
    # The first of its section stands in front of the others of it; one of a section of its own stands apart.
    if behind and (last is None or (owns[last][0] != key[0] and owns[behind[0]][0] == key[0])):
        gap = "" if owns[behind[0]][0] == key[0] else end
        return source.insert(source.span(behind[0])[0], f"{line}{end}{gap}")
    if last is not None:
        gap = "" if owns[last][0] == key[0] else end
        return source.insert(source.span(last)[1], f"{end}{gap}{line}")
    return _first_import(source, line)


def _among(source: Source, node: ast.ImportFrom, said: str) -> Edit | None:
    """A name put in among those that are imported from the same module, where its order has it."""
    if any(alias.name == "*" for alias in node.names):
        return None
    behind = None
    for alias in node.names:
        if _member_key(alias.name) < _member_key(said):
            behind = alias
    spread = node.lineno != node.names[-1].lineno and node.names[0].lineno != node.names[-1].lineno
    if behind is None:
        first = node.names[0]
        gap = f",{source.line_end}{' ' * first.col_offset}" if spread else ", "
        return source.insert(source.span(first)[0], f"{said}{gap}")
    gap = f",{source.line_end}{' ' * behind.col_offset}" if spread else ", "
    return source.insert(source.span(behind)[1], f"{gap}{said}")


def _member_key(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest, as isort and ruff have it."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, name


def _module(node: ast.Import | ast.ImportFrom) -> str:
    return "." * node.level + (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name


def _section(module: str, *, own: bool) -> int:
    """Of the future, of the standard library, of others, of the project."""
    if module == "__future__":
        return 0
    if module.startswith("."):
        return 4
    if own:
        return 3
    return 1 if module.partition(".")[0] in sys.stdlib_module_names else 2


def _section_of(source: Source, node: ast.Import | ast.ImportFrom, top: list[ast.Import | ast.ImportFrom]) -> int:
    section = _section(_module(node), own=False)
    if section != 2:
        return section
    # The project's own are told from others by the blank line between them, where both are there.
    place = top.index(node)
    for one in range(place, 0, -1):
        apart = top[one].lineno > (top[one - 1].end_lineno or 0) + 1
        if apart and _section(_module(top[one - 1]), own=False) == 2:
            return 3
    package = source.path.removeprefix("src/").partition("/")[0]
    return 3 if _module(node).partition(".")[0] == package else 2


def _first_import(source: Source, line: str) -> Edit:
    """An import in a file that has none: behind its docstring."""
    end, body = source.line_end, source.tree.body
    first = body[0] if body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        index = source.span(first)[1]
        rest = source.text[index:]
        blank = rest.startswith((f"{end}{end}", end + " ")) or not rest.strip()
        return source.insert(index, f"{end}{end}{line}" + ("" if blank else end))
    index = 0
    text = source.text
    while text.startswith("#", index):
        index = text.find("\n", index) + 1 or len(text)
    apart = isinstance(first, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    return source.insert(index, f"{line}{end}{end}{end if apart else ''}")


def together(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """Edits of any files, in which imports that are put in at one place stand among one another as they should.

    Args:
        edits: The edits; each import was put in as if it were the only one.
    """
    alone: list[Edit] = []
    shared: dict[tuple[str, int, str, str], list[str]] = {}
    for edit in edits:
        line = edit.text.strip()
        if edit.start == edit.end and "\n" not in line and line.startswith(("import ", "from ")):
            lead, _, trail = edit.text.partition(line)
            shared.setdefault((edit.path, edit.start, lead, trail), []).append(line)
        else:
            alone.append(edit)
    for (path, index, lead, trail), lines in shared.items():
        said = trail or lead
        end = "\r\n" if "\r\n" in said else "\n"
        text = ""
        for line in sorted(lines, key=_line_key):
            apart = text and _line_key(line)[0] != _line_key(text.rpartition(end)[2] or text)[0]
            text += f"{end * (2 if apart else 1) if text else ''}{line}"
        alone.append(Edit(path, index, index, f"{lead}{text}{trail}"))
    return tuple(sorted(alone))


def _line_key(line: str) -> tuple[int, bool, str]:
    module = line.split()[1]
    return _section(module, own=False), line.startswith("from "), module.lower()
