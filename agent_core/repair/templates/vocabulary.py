"""The names of a function, what they seem to hold, and which of them is likeliest to be meant at a place."""

from __future__ import annotations

import ast
import difflib
import weakref
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from agent_core.repair.project import Project
from agent_core.repair.source import Scope, Source
from agent_core.repair.templates.guesses import annotated, compatible, guessed, held

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
LOOPS = (ast.For, ast.AsyncFor, ast.While)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_CALLABLE = frozenset({"function", "class", "import"})
_NO_VALUE = _CALLABLE | {"receiver"}


class Binding(NamedTuple):
    """A name and how it came about.

    Attributes:
        name: The name.
        kind: ``parameter``, ``receiver`` (``self``), ``local``, ``loop``, ``function``, ``class`` or ``import``.
        line: Where it is bound first.
        guess: What it seems to hold, see `guesses`; empty where nobody knows.
    """

    name: str
    kind: str
    line: int
    guess: str = ""


class Vocabulary:
    """The words of one function, or of a module outside of its functions.

    Args:
        scope: The function, class or module.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.bindings: dict[str, Binding] = {}
        self.uses: dict[str, list[int]] = {}
        self.called: set[str] = set()
        self._collect(scope)

    def _collect(self, scope: Scope) -> None:
        for binding in bound(scope):
            known = self.bindings.get(binding.name)
            if known is None:
                self.bindings[binding.name] = binding
            elif not known.guess and binding.guess:
                self.bindings[binding.name] = known._replace(guess=binding.guess)
        seen: dict[str, str] = {}
        for node in ast.walk(scope):
            if isinstance(node, ast.Name):
                self.uses.setdefault(node.id, []).append(node.lineno)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                self.called.add(node.func.id)
            for name, guess in _by_use(node):
                seen.setdefault(name, guess)
        for name, guess in seen.items():
            if (known := self.bindings.get(name)) is not None and not known.guess:
                self.bindings[name] = known._replace(guess=guess)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Its parameters, without ``self`` and ``cls``."""
        return tuple(one.name for one in self.bindings.values() if one.kind == "parameter")


def _by_use(node: ast.AST) -> Iterator[tuple[str, str]]:
    """What the way in which names are used tells of them."""
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        yield node.value.id, "sized"
    elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension) and isinstance(node.iter, ast.Name):
        yield node.iter.id, "sized"
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"len", "sum", "sorted"}:
        for one in node.args:
            if isinstance(one, ast.Name):
                yield one.id, "sized"
    elif isinstance(node, ast.BinOp) and not isinstance(node.op, ast.Add | ast.Mod | ast.Mult):
        for one in (node.left, node.right):
            if isinstance(one, ast.Name) and isinstance(node.op, ast.Sub | ast.Div | ast.FloorDiv | ast.Pow):
                yield one.id, "number"
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
        guess = {"append": "list", "extend": "list", "add": "set", "items": "dict", "keys": "dict", "split": "text"}
        if node.func.attr in guess:
            yield node.func.value.id, guess[node.func.attr]


def bound(scope: Scope) -> Iterator[Binding]:
    """The names bound in a scope itself, in no order; not those of comprehensions and of scopes within it."""
    if isinstance(scope, ast.Lambda):
        return
    if isinstance(scope, FUNCTIONS):
        yield from _parameters(scope)
    stack: list[ast.AST] = list(reversed(scope.body))
    while stack:
        node = stack.pop()
        if isinstance(node, FUNCTIONS):
            yield Binding(node.name, "function", node.lineno, "callable")
        elif isinstance(node, ast.ClassDef):
            yield Binding(node.name, "class", node.lineno, "callable")
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                yield Binding(alias.asname or alias.name.partition(".")[0], "import", node.lineno)
        elif not isinstance(node, (ast.Lambda, *COMPREHENSIONS)):
            yield from _bound_by(node)
            stack.extend(reversed(list(ast.iter_child_nodes(node))))


def _bound_by(node: ast.AST) -> Iterator[Binding]:
    if isinstance(node, ast.For | ast.AsyncFor):
        for name, guess in _targets(node.target, node.iter):
            yield Binding(name, "loop", node.lineno, guess)
    elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        yield Binding(node.targets[0].id, "local", node.lineno, guessed(node.value))
    elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple) and isinstance(node.value, ast.Tuple):
        for target, value in zip(node.targets[0].elts, node.value.elts, strict=False):
            if isinstance(target, ast.Name):
                yield Binding(target.id, "local", node.lineno, guessed(value))
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield Binding(node.target.id, "local", node.lineno, annotated(node.annotation))
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield Binding(node.id, "local", node.lineno)
    elif isinstance(node, ast.ExceptHandler) and node.name:
        yield Binding(node.name, "local", node.lineno, "exception")
    elif isinstance(node, ast.MatchAs | ast.MatchStar) and node.name:
        yield Binding(node.name, "local", node.lineno)


def _targets(target: ast.expr, iterable: ast.expr) -> Iterator[tuple[str, str]]:
    function = iterable.func.id if isinstance(iterable, ast.Call) and isinstance(iterable.func, ast.Name) else ""
    names = [one for one in ast.walk(target) if isinstance(one, ast.Name)]
    for index, name in enumerate(names):
        counts = function == "range" or (function == "enumerate" and index == 0)
        yield name.id, "number" if counts else ""


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Binding]:
    given = function.args
    plain = [*given.posonlyargs, *given.args]
    defaults: list[ast.expr | None] = [None] * (len(plain) - len(given.defaults))
    for argument, default in zip(
        [*plain, *given.kwonlyargs], [*defaults, *given.defaults, *given.kw_defaults], strict=True
    ):
        kind = "receiver" if argument.arg in {"self", "cls"} else "parameter"
        guess = annotated(argument.annotation) or (guessed(default) if default is not None else "")
        yield Binding(argument.arg, kind, function.lineno, guess)
    if given.vararg is not None:
        yield Binding(given.vararg.arg, "parameter", function.lineno, "tuple")
    if given.kwarg is not None:
        yield Binding(given.kwarg.arg, "parameter", function.lineno, "dict")


_kept: weakref.WeakKeyDictionary[Source, dict[ast.AST, Vocabulary]] = weakref.WeakKeyDictionary()


def vocabulary(source: Source, node: ast.AST) -> Vocabulary:
    """The words of the function around a node, or of the module; made once for each."""
    return _of_scope(source, source.scope(node))


def _of_scope(source: Source, scope: Scope) -> Vocabulary:
    kept = _kept.setdefault(source, {})
    if scope not in kept:
        kept[scope] = Vocabulary(scope)
    return kept[scope]


def visible(source: Source, node: ast.AST) -> dict[str, Binding]:
    """The names that can be read at a node, those of inner scopes first; a local that comes to be later is none."""
    found: dict[str, Binding] = {}
    last = node.lineno  # type: ignore[attr-defined]  # asked of nodes with a place only
    inner = True
    for one in source.above(node):
        if isinstance(one, COMPREHENSIONS):
            for generator in one.generators:
                for name, guess in _targets(generator.target, generator.iter):
                    found.setdefault(name, Binding(name, "loop", one.lineno, guess))
        elif isinstance(one, ast.Lambda):
            for argument in (*one.args.posonlyargs, *one.args.args, *one.args.kwonlyargs):
                found.setdefault(argument.arg, Binding(argument.arg, "loop", one.lineno))
        elif inner and isinstance(one, LOOPS):
            last = max(last, one.end_lineno or last)
        elif isinstance(one, (*FUNCTIONS, ast.Module)) or (inner and isinstance(one, ast.ClassDef)):
            for binding in _of_scope(source, one).bindings.values():
                if not inner or binding.kind in {"parameter", "receiver"} or binding.line <= last:
                    found.setdefault(binding.name, binding)
            if isinstance(one, FUNCTIONS):
                inner = False
    return found


def is_bound(source: Source, node: ast.AST, name: str) -> bool:
    """Whether a name is bound in any scope around a node, were it later."""
    scopes = (one for one in source.above(node) if isinstance(one, (*FUNCTIONS, ast.ClassDef, ast.Module)))
    return name in visible(source, node) or any(name in _of_scope(source, one).bindings for one in scopes)


def local_names(source: Source, node: ast.AST) -> dict[str, Binding]:
    """Of what is `visible` what was made by the function itself: no functions, classes, modules, nor the module's."""
    own = vocabulary(source, node).bindings
    return {
        name: binding
        for name, binding in visible(source, node).items()
        if binding.kind not in _NO_VALUE and (name in own or binding.kind == "loop") and name != "_"
    }


def dotted(node: ast.expr) -> str:
    """A name, or an attribute of an attribute of one, as it is written; empty for all else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (value := dotted(node.value)):
        return f"{value}.{node.attr}"
    return ""


def likeness(one: str, other: str) -> float:
    """How alike two names are, from 0 to 1: by their letters, or by the words they are made of."""
    if one == other:
        return 1.0
    parts, others = set(one.lower().strip("_").split("_")), set(other.lower().strip("_").split("_"))
    shared = len(parts & others) / max(len(parts | others), 1)
    return max(shared, difflib.SequenceMatcher(None, one.lower(), other.lower(), autojunk=False).ratio())


def closest(name: str, others: Iterable[str], *, least: float = 0.6, most: int = 5) -> list[str]:
    """Names like one, the most alike first."""
    matcher = difflib.SequenceMatcher(None, "", name.lower(), autojunk=False)
    scored: list[tuple[float, str]] = []
    for other in set(others) - {name}:
        matcher.set_seq1(other.lower())
        if matcher.real_quick_ratio() < least and "_" not in name:
            continue
        if (score := likeness(name, other)) >= least:
            scored.append((-score, other))
    return [other for _, other in sorted(scored)[:most]]


def guess_of(binding: Binding | None, name: str, values: Mapping[str, tuple[str, str]]) -> str:
    """What a name holds: as it was seen when a test failed, else as the code tells."""
    if name in values:
        return held(values[name][0])
    return binding.guess if binding is not None else ""


def others(
    source: Source, node: ast.AST, project: Project, name: str, *, called: bool = False, most: int = 15
) -> list[str]:
    """Names that may have been meant at a node instead of one, the likeliest first.

    Args:
        source: The file.
        node: The place.
        project: Tells what names held when a test failed.
        name: What stands there.
        called: Whether it is called there: functions are offered only for functions.
        most: At most so many.
    """
    words = vocabulary(source, node)
    there = visible(source, node)
    line: int = node.lineno  # type: ignore[attr-defined]  # asked of nodes with a place only
    values = project.values(source.path, line)
    meant = guess_of(there.get(name), name, values)
    scored: list[tuple[float, str]] = []
    for other, binding in there.items():
        fits_call = binding.kind in _CALLABLE or other in words.called
        if other in {name, "_", "self", "cls"} or other.startswith("__") or called != fits_call:
            continue
        alike = likeness(name, other)
        uses = words.uses.get(other, [])
        own = other in words.bindings or binding.kind == "loop"
        if not own and not uses and alike < 0.5:
            continue
        guess = guess_of(binding, other, values)
        score = alike + (0.6 if own else 0.0)
        if meant and guess:
            score += 0.6 if meant == guess else 0.2 if compatible(meant, guess) else -1.0
        score += 0.5 / (1 + min((abs(line - use) for use in uses), default=20) / 4)
        scored.append((-score, other))
    return [other for _, other in sorted(scored)[:most]]
