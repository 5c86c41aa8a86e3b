"""Which lines may be wrong: by what failing tests execute and passing ones do not, and by where the tests failed.

The score of a line is Ochiai's (Abreu, Zoeteweij and van Gemund, "On the Accuracy of Spectrum-based Fault
Localization", TAIC PART 2007): of the failing tests that execute it, over the square root of all failing tests times
all tests that execute it. Lines of the tracebacks, and lines near to them, are raised.
"""

from __future__ import annotations

import ast
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from agent_core.repair.mentioned import mentioned
from agent_core.repair.model import Suspect, TestRun
from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.spans import header_end, is_statement, statement_lines

MOST = 400
_SPECTRUM = 0.7
_INNERMOST = 0.3
_OUTWARD = 0.6
_NEAR = 0.08
_LIKELY = 0.03
_AT_IMPORT = 0.3
_USED = 0.5
_FAINT = 0.05
_MENTIONED = 0.6
_Line = tuple[str, int]


def localise(
    failing: Sequence[TestRun],
    passing: Sequence[TestRun],
    project: Project,
    allowed: Callable[[str], bool],
) -> tuple[Suspect, ...]:
    """The lines that may be wrong, the most suspicious first.

    Args:
        failing: Tests that fail, for one reason as far as one can tell.
        passing: Tests that pass.
        project: The project.
        allowed: Whether something may be changed in a file.

    Returns:
        The first lines of statements; at most `MOST`.
    """
    statements: dict[str, Mapping[int, int]] = {}

    def first_line(path: str, line: int) -> _Line:
        if path not in statements:
            source = project.source(path)
            statements[path] = {} if source is None else statement_lines(source)
        return path, statements[path].get(line, line)

    scores = _spectrum(failing, passing, first_line, allowed)
    traced = _traced(failing, first_line, allowed)
    if not scores:
        for place in _called(failing, project, allowed):
            scores[place] = max(scores.get(place, 0.0), _USED * _SPECTRUM)
    for place, score in traced.items():
        scores[place] = scores.get(place, 0.0) + score
    for path in {path for path, _ in scores}:
        source = project.source(path)
        if source is not None:
            _shade(source, scores, [line for one, line in traced if one == path])
    executed = {path for run in failing for path in run.lines if allowed(path)}
    for place, score in mentioned(failing, passing, project, executed).items():
        scores[place] = max(scores.get(place, 0.0), _MENTIONED * score)
    found = [
        Suspect(path, line, min(score, 1.0), (path, line) in traced)
        for (path, line), score in scores.items()
        if line > 0 and project.source(path) is not None
    ]
    found.sort(key=lambda one: (-one.score, one.path, one.line))
    return tuple(found[:MOST])


def _spectrum(
    failing: Sequence[TestRun],
    passing: Sequence[TestRun],
    first_line: Callable[[str, int], _Line],
    allowed: Callable[[str], bool],
) -> dict[_Line, float]:
    bad, good = _executed(failing, first_line, allowed), _executed(passing, first_line, allowed)
    known = sum(1 for run in failing if any(map(allowed, run.lines)))
    return {
        place: _SPECTRUM * count / math.sqrt(known * (count + good[place])) for place, count in bad.items() if known
    }


def _executed(
    runs: Iterable[TestRun], first_line: Callable[[str, int], _Line], allowed: Callable[[str], bool]
) -> Counter[_Line]:
    """How many of the tests execute each statement."""
    count: Counter[_Line] = Counter()
    for run in runs:
        count.update({first_line(path, line) for path, lines in run.lines.items() if allowed(path) for line in lines})
    return count


def _traced(
    failing: Sequence[TestRun], first_line: Callable[[str, int], _Line], allowed: Callable[[str], bool]
) -> dict[_Line, float]:
    """What the lines of tracebacks are raised by: the innermost most, each further out less."""
    found: defaultdict[_Line, float] = defaultdict(float)
    for run in failing:
        weight = _INNERMOST
        for frame in reversed(run.frames):
            if allowed(frame.path):
                place = first_line(frame.path, frame.line)
                found[place] = max(found[place], weight)
                weight *= _OUTWARD
    return dict(found)


def _shade(source: Source, scores: dict[_Line, float], traced: Sequence[int]) -> None:
    """Raise what is near the traceback and what decides or computes; bring in what ran when the file was imported."""
    path = source.path
    nodes = {line: node for line, nodes in source.by_line.items() if (node := next(filter(is_statement, nodes), None))}
    traced_in = {source.scope(nodes[line]): line for line in traced if line in nodes}
    top: dict[ast.AST, float] = {}
    used: dict[str, float] = {}
    for line, node in nodes.items():
        score = scores.get((path, line))
        if score is None:
            continue
        scope = source.scope(node)
        at_import = _at_import(source, node)
        if at_import:
            score *= _AT_IMPORT
        else:
            near = traced_in.get(scope)
            score += 0.0 if near is None else _NEAR / (1 + abs(near - line) / 5)
            score += _LIKELY if isinstance(node, _TELLING) else 0.0
            top[scope] = max(top.get(scope, 0.0), score)
            for name in _names(node):
                used[name] = max(used.get(name, 0.0), score)
        scores[path, line] = score
    for line, node in nodes.items():
        if _at_import(source, node):
            scores[path, line] = max(scores.get((path, line), 0.0), _imported(node, top, used))


_TELLING = ast.If | ast.While | ast.Return | ast.Assign | ast.AugAssign | ast.AnnAssign | ast.For | ast.Assert


def _at_import(source: Source, node: ast.AST) -> bool:
    return source.function(node) is None


def _imported(node: ast.AST, top: Mapping[ast.AST, float], used: Mapping[str, float]) -> float:
    """How suspicious a line is that ran at the import, by what suspicious lines there are of it."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        # Its defaults, names and decorators.
        return max(_AT_IMPORT * top.get(node, 0.0), _FAINT)
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = [one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)]
        return max([_USED * used.get(name, 0.0) for name in names] + [_FAINT])
    if isinstance(node, ast.Import | ast.ImportFrom):
        names = [(one.asname or one.name).partition(".")[0] for one in node.names]
        return max([_AT_IMPORT * used.get(name, 0.0) for name in names] + [_FAINT])
    return _FAINT


def _names(node: ast.AST) -> set[str]:
    """Names and attributes that a statement uses itself, its body apart."""
    last = header_end(node)
    found = set()
    waiting: list[ast.AST] = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, ast.Name):
            found.add(one.id)
        elif isinstance(one, ast.Attribute):
            found.add(one.attr)
        waiting += [child for child in ast.iter_child_nodes(one) if getattr(child, "lineno", 0) <= last]
    return found


def _called(failing: Sequence[TestRun], project: Project, allowed: Callable[[str], bool]) -> list[_Line]:
    """Where nobody knows what tests execute: the statements of the functions that they name, and those name, and so on.

    A function is known by its name alone, so this is a guess; two steps from the test are enough to be useful.
    """
    names: set[str] = set()
    for path, name in dict.fromkeys(_function_of(run.test) for run in failing):
        source = project.source(path)
        for node in () if source is None else source.defined.get(name, ()):
            names |= _all_names(node)
    found: dict[_Line, None] = {}
    looked: set[ast.AST] = set()
    for _ in range(2):
        more: set[str] = set()
        for path in sorted(path for path in project.paths if names and path.endswith(".py") and allowed(path)):
            source = project.source(path)
            if source is None:
                continue
            for function in (one for name in source.defined.keys() & names for one in source.defined[name]):
                if function not in looked:
                    looked.add(function)
                    more |= _all_names(function)
                    found.update(dict.fromkeys((path, node.lineno) for node in _inside(function)))
        names = more
    return list(found)


def _function_of(test: str) -> tuple[str, str]:
    """File and name of a test's function."""
    path, _, rest = test.partition("::")
    return path, rest.partition("[")[0].rpartition("::")[2]


def _all_names(node: ast.AST) -> set[str]:
    return {
        one.id if isinstance(one, ast.Name) else one.attr
        for one in ast.walk(node)
        if isinstance(one, ast.Name | ast.Attribute)
    }


def _inside(function: ast.AST) -> list[ast.stmt]:
    return [node for node in ast.walk(function) if isinstance(node, ast.stmt) and node is not function]
