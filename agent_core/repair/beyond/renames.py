"""A name that is another in one place than in others, after it was changed in some of them only, over all files.

Either the uses follow the definition, or the definition goes back to what the uses have. Texts and comments are left
alone; attributes are renamed only where nothing else in the project has an attribute of the name.
"""

from __future__ import annotations

import ast
import re
import weakref
from collections.abc import Callable, Iterator, Sequence

from agent_core.checks.model import Finding
from agent_core.repair.beyond.nearest import closest
from agent_core.repair.beyond.places import spelt, spelt_in_text
from agent_core.repair.beyond.tokens import tokens_of
from agent_core.repair.beyond.writing import arguments
from agent_core.repair.model import Edit, Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.templates.vocabulary import FUNCTIONS

_MISSING = (
    re.compile(r"has no attribute ['\"](?P<name>\w+)['\"]"),
    re.compile(r"cannot import name ['\"](?P<name>\w+)['\"]"),
    re.compile(r"[Nn]ame ['\"](?P<name>\w+)['\"] is not defined"),
    re.compile(r"Undefined name [`'\"](?P<name>\w+)[`'\"]"),
    re.compile(r"[Uu]nexpected keyword argument ['\"](?P<name>\w+)['\"]"),
)
_MOST_FILES = 400
_MOST = 3


class _Defined:
    """What the project defines: functions, classes, attributes, parameters, names of modules."""

    def __init__(self, project: Project) -> None:
        self.names: dict[str, int] = {}
        self.sources = [source for path in sorted(project.paths)[:_MOST_FILES] if (source := project.source(path))]
        for source in self.sources:
            for name in definitions(source.tree):
                self.names[name] = self.names.get(name, 0) + 1


_kept: weakref.WeakKeyDictionary[Project, _Defined] = weakref.WeakKeyDictionary()


def definitions(tree: ast.AST) -> Iterator[str]:
    """The names that a file defines: of functions, classes, parameters, attributes of self, of a module or class."""
    for node in ast.walk(tree):
        if isinstance(node, FUNCTIONS):
            yield node.name
            yield from (one.arg for one in arguments(node))
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        elif isinstance(node, ast.Module | ast.ClassDef):
            if isinstance(node, ast.ClassDef):
                yield node.name
            plain = (one for one in node.body if isinstance(one, ast.Assign | ast.AnnAssign))
            for one in plain:
                yield from (to.id for to in ast.walk(one) if isinstance(to, ast.Name) and isinstance(to.ctx, ast.Store))


def missing_name(finding: Finding) -> str:
    """The name that a finding says is not there; empty where it says nothing of the kind."""
    return next((found["name"] for one in _MISSING if (found := one.search(finding.message))), "")


def rename_variants(
    project: Project, finding: Finding, before: Callable[[str], str | None] | None = None
) -> Iterator[Variant]:
    """The ways in which a name could be made the same everywhere again.

    Args:
        project: The project.
        finding: What says that a name is not there: of a check, or the error of a test.
        before: Gives a file's text as it was last committed; None where nobody knows.

    Yields:
        Variants that touch as many files as use the name, the likeliest first.
    """
    name = missing_name(finding)
    if not name or (name.startswith("__") and name.endswith("__")):
        return
    if project not in _kept:
        _kept[project] = _Defined(project)
    defined = _kept[project]
    old = _replaced(project, name, before) if before is not None else []
    near = [one for one in closest(name, defined.names, _MOST) if defined.names[one] == 1]
    if defined.names.get(name):
        # It is there, in another place: whoever is meant, it is no rename.
        return
    for rank, other in enumerate(dict.fromkeys((*old, *near))):
        known = 0.0 if other in old else 0.6
        keyword = "keyword" in finding.message
        uses = tuple(_uses(defined.sources, name, keyword=keyword, free=True))
        if uses:
            says = f"{other} for {name}" + (f" in {len(uses)} places" if len(uses) > 1 else "")
            yield _variant(defined, uses, other, 1.0 + known + 0.3 * rank, says)
        back = tuple(_everywhere(defined.sources, other))
        # Back to what it was, where more uses of it are left than of the new one.
        if back and uses:
            cost = 1.2 + known + 0.3 * rank + (0.5 if len(back) > len(uses) + 1 else 0.0)
            yield _variant(defined, back, name, cost, f"{name} for {other}, where it is defined")


def _replaced(project: Project, name: str, before: Callable[[str], str | None]) -> list[str]:
    """What stands now where a name was defined when it was committed: the definitions that have come in its file."""
    found: list[str] = []
    for path in sorted(project.paths)[:_MOST_FILES]:
        now = project.source(path)
        text = before(path) if now is not None else None
        if now is None or text is None or text == now.text or name not in text:
            continue
        try:
            then = list(definitions(ast.parse(text)))
        except (SyntaxError, ValueError, RecursionError):
            continue
        here = list(dict.fromkeys(definitions(now.tree)))
        if name in then and name not in here:
            fresh = [one for one in here if one not in then]
            # The definition at the same place among the others is the one that was renamed.
            ordered = list(dict.fromkeys(then))
            place = ordered.index(name)
            found += sorted(fresh, key=lambda one: (one not in closest(name, fresh), abs(here.index(one) - place)))
    return list(dict.fromkeys(found))[:_MOST]


Place = tuple[str, int, int]


def _uses(sources: Sequence[Source], name: str, *, keyword: bool, free: bool = False) -> Iterator[Place]:
    """Where a name is used; as a keyword only, where it is a parameter; `free`: not where it is a variable."""
    for source in sources:
        if name not in source.text:
            continue
        own = _variable_in(source, name) if free else set[ast.AST]()
        for node in ast.walk(source.tree):
            if own and isinstance(node, ast.Name) and not own.isdisjoint(source.above(node)):
                continue
            if isinstance(node, ast.Name | ast.Attribute) and source.in_text(node):
                called = node.id if isinstance(node, ast.Name) else node.attr
                for start, end in spelt_in_text(node, name, source) if called == name and not keyword else ():
                    yield source.path, start, end
                continue
            if isinstance(node, ast.keyword) and node.arg == name:
                start = source.span(node)[0]
                yield source.path, start, start + len(name)
            elif keyword:
                continue
            elif isinstance(node, ast.Name) and node.id == name:
                yield source.path, *source.span(node)
            elif isinstance(node, ast.Attribute) and node.attr == name:
                yield source.path, *spelt(node, source)
            elif isinstance(node, ast.alias) and node.name == name:
                start = source.span(node)[0]
                yield source.path, start, start + len(name)


def _variable_in(source: Source, name: str) -> set[ast.AST]:
    """The functions, or the module, in which something is put into a variable of a name."""
    return {
        source.scope(node)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store)
    }


def _everywhere(sources: Sequence[Source], name: str) -> Iterator[Place]:
    """Where a name is defined, and used as what is defined there."""
    yield from _uses(sources, name, keyword=False)
    for source in sources:
        if name not in source.text:
            continue
        for node in ast.walk(source.tree):
            if isinstance(node, (*FUNCTIONS, ast.ClassDef)) and node.name == name:
                yield _named(source, node)
            elif isinstance(node, ast.arg) and node.arg == name:
                start = source.span(node)[0]
                yield source.path, start, start + len(name)


def _named(source: Source, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Place:
    """Where the name of a definition stands: behind its ``def`` or ``class``."""
    start, end = source.span(node)
    token = next(
        one
        for one in tokens_of(source.text[start:end])
        if one.kind == "name" and one.text not in {"async", "def", "class"}
    )
    return source.path, start + token.start, start + token.end


def _variant(defined: _Defined, places: tuple[Place, ...], text: str, cost: float, says: str) -> Variant:
    edits = tuple(sorted({Edit(path, start, end, text) for path, start, end in places}))
    first = next(source for source in defined.sources if source.path == edits[0].path)
    return Variant(edits, "rename", cost, says, first.line_at(edits[0].start))
