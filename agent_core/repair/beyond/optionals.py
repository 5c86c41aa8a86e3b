"""What may be None where it must not be: a guard, a default, or a type that says so."""

from __future__ import annotations

import ast
import itertools
import re
from collections import Counter
from collections.abc import Iterator

from agent_core.checks.model import Finding
from agent_core.repair.beyond.calls import argument_of
from agent_core.repair.beyond.places import on_line
from agent_core.repair.beyond.writing import ZEROS, optional
from agent_core.repair.model import Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Def, Source
from agent_core.repair.templates.vocabulary import COMPREHENSIONS, LOOPS

_ATTRIBUTE = re.compile(r'Item "None" of "(?P<type>[^"]*)" has no attribute "(?P<name>\w+)"')
_ARGUMENT = re.compile(r'Argument (?P<which>\d+|"\w+") to "(?P<call>[^"]+)".* has incompatible type "[^"]*None[^"]*"')
_OPERATOR = re.compile(
    r'Unsupported (?:left )?operand types? for (?P<sign>\S+) \("(?P<left>[^"]*)"(?: and "(?P<right>[^"]*)")?'
)
_INDEX = re.compile(r'Value of type "[^"]*None[^"]*" is not indexable')
_RETURN = re.compile(r'Incompatible return value type \(got "[^"]*None[^"]*", expected "(?P<type>[^"]*)"\)')
_LOOPED = ("__iter__", "__aiter__")


def optional_variants(source: Source, project: Project, finding: Finding) -> Iterator[Variant]:
    """Variants for what may be None, see `agent_core.repair.beyond.types`."""
    for node in _suspects(source, finding):
        yield from _guarded(source, node)
        yield from _given(source, node)
        break
    found = _RETURN.search(finding.message)
    if found is None:
        return
    for returned in on_line(source, finding.line, ast.Return):
        function = source.function(returned)
        if (
            function is not None
            and function.returns is not None
            and (edits := optional(source, project, function.returns))
        ):
            yield source.variant("type", 1.3, f"{function.name} may return None", *edits)
        break


def _suspects(source: Source, finding: Finding) -> Iterator[ast.expr]:
    """The expressions that may be None, the likeliest first."""
    said, line = finding.message, finding.line
    if (found := _ATTRIBUTE.search(said)) is not None:
        name = found["name"]
        if name in _LOOPED:
            for loop in on_line(source, line, ast.For):
                yield loop.iter
            for comprehension in on_line(source, line, ast.comprehension):
                yield comprehension.iter
        if name in {"__enter__", "__exit__"}:
            for block in on_line(source, line, ast.With):
                yield from (item.context_expr for item in block.items)
        yield from (node.value for node in on_line(source, line, ast.Attribute) if node.attr == name)
    elif (found := _ARGUMENT.search(said)) is not None:
        yield from argument_of(source, line, found["which"], found["call"])
    elif _INDEX.search(said) is not None:
        yield from (node.value for node in on_line(source, line, ast.Subscript))
    elif _RETURN.search(said) is not None:
        yield from (node.value for node in on_line(source, line, ast.Return) if node.value is not None)
    elif (found := _OPERATOR.search(said)) is not None:
        told = f"{finding.detail} {found['left']}"
        left = "Left operand is of type" in finding.detail or "Both" in finding.detail or found["left"] == "None"
        if "None" in told or "None" in (found["right"] or ""):
            yield from _operands(source, line, left=left)


def _operands(source: Source, line: int | None, *, left: bool) -> Iterator[ast.expr]:
    for node in on_line(source, line, ast.BinOp):
        yield node.left if left else node.right
    for compare in on_line(source, line, ast.Compare):
        yield compare.left if left else compare.comparators[0]
    for added in on_line(source, line, ast.AugAssign):
        yield added.target if left else added.value


def _stable(node: ast.expr) -> bool:
    """Whether looking at an expression twice gives the same, for Python as for mypy."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _guarded(source: Source, node: ast.expr) -> Iterator[Variant]:
    statement = source.statement(node)
    if statement is None or source.in_text(node):
        return
    name = source.code(node)
    stable = _stable(node)
    if stable:
        yield from _within(source, node, name)
    if not _starts_line(source, statement):
        return
    indent, end = source.indent(statement), source.line_end
    unit = "\t" if indent.startswith("\t") else "    "
    start = source.span(statement)[0]
    own = name if stable else _new_name(source, node)
    head = "" if stable else f"{own} = {name}{end}{indent}"
    rest = [] if stable else [source.replace(node, own)]
    for cost, said in _ways_out(source, statement, own):
        guard = f"{head}if {own} is None:{end}{indent}{unit}{said}{end}{indent}"
        dear = cost if stable else cost + 0.4
        yield source.variant("guard", dear, f"{said} where {name} is None", source.insert(start, guard), *rest)
    cost = 1.2 if re.search(r"assert \S+ is not None", source.text) else 2.4
    yield source.variant(
        "guard",
        cost,
        f"assert that {name} is not None",
        source.insert(start, f"{head}assert {own} is not None{end}{indent}"),
        *rest,
    )


def _starts_line(source: Source, statement: ast.stmt) -> bool:
    """Whether something can be put in front of a statement: it begins its line, and is no ``elif``."""
    start = source.span(statement)[0]
    before = source.text[max(source.text.rfind("\n", 0, start), source.text.rfind("\r", 0, start)) + 1 : start]
    return not before.strip() and not source.text.startswith("elif", start)


def _new_name(source: Source, node: ast.expr) -> str:
    """A name for a value that has none: after what it comes from, and not taken in the file."""
    called = node.func if isinstance(node, ast.Call) else node
    last = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
    wanted = {"match": "match", "search": "match", "fullmatch": "match", "get": "value"}.get(last, "found")
    taken = {one.id for one in ast.walk(source.tree) if isinstance(one, ast.Name)}
    return next(
        name
        for name in (wanted, f"{wanted}_", f"the_{wanted}", f"{wanted}_there")
        if name not in taken or name[-1] == "e"
    )


def _ways_out(source: Source, statement: ast.stmt, name: str) -> Iterator[tuple[float, str]]:
    """How a function goes on where it has nothing to go on with, as its neighbours do."""
    function = source.function(statement)
    looped = next((one for one in source.above(statement) if isinstance(one, (*LOOPS, ast.FunctionDef))), None)
    if isinstance(looped, LOOPS) and looped is not statement:
        yield 1.6, "continue"
    if function is not None:
        yield from _returned(source, function)
    error, message = _usual_error(source), f"{name} is missing"
    yield (
        1.7 if function is not None else 1.4,
        f'raise {error}("{message}")' if '"' not in message else f"raise {error}",
    )


def _returned(source: Source, function: Def) -> Iterator[tuple[float, str]]:
    said = source.code(function.returns) if function.returns is not None else ""
    known = [one for one in ast.walk(function) if isinstance(one, ast.Return)]
    if said == "None" or (not said and not any(one.value is not None for one in known)):
        yield 1.0, "return"
    elif "None" in said or said.startswith("Optional"):
        yield 1.0, "return None"
    base = said.partition("[")[0].lower()
    if base in ZEROS:
        yield 1.9, f"return {ZEROS[base]}"


def _usual_error(source: Source) -> str:
    """The exception that a file raises most."""
    count: Counter[str] = Counter()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and isinstance(node.exc.func, ast.Name):
            count[node.exc.func.id] += 1
    usual = [
        name for name, _ in count.most_common() if name in {"ValueError", "RuntimeError", "LookupError", "TypeError"}
    ]
    return usual[0] if usual else "ValueError"


def _within(source: Source, node: ast.expr, name: str) -> Iterator[Variant]:
    """The guard within the expression: in a condition, a comprehension, or what is returned."""
    chain: list[ast.AST] = [node, *source.above(node)]
    for inner, outer in itertools.pairwise(chain):
        if isinstance(outer, ast.comprehension) and inner in outer.ifs:
            edit = source.replace(inner, f"{name} is not None and {source.code(inner)}")
            yield source.variant("guard", 1.1, f"{name} is not None before it", edit)
            return
        if isinstance(outer, COMPREHENSIONS) and isinstance(outer, ast.ListComp | ast.SetComp | ast.GeneratorExp):
            root = name.partition(".")[0]
            last = outer.generators[-1]
            if inner is outer.elt and any(
                isinstance(one, ast.Name) and one.id == root for one in ast.walk(last.target)
            ):
                index = source.span(last.ifs[-1] if last.ifs else last.iter)[1]
                said = f" if {name} is not None" if not last.ifs else f" and {name} is not None"
                yield source.variant("guard", 1.1, f"only where {name} is not None", source.insert(index, said))
                return
        if isinstance(outer, ast.If | ast.While | ast.Assert | ast.IfExp) and inner is outer.test:
            code = source.code(inner)
            said = f"({code})" if isinstance(inner, ast.BoolOp) and isinstance(inner.op, ast.Or) else code
            edit = source.replace(inner, f"{name} is not None and {said}")
            yield source.variant("guard", 1.1, f"{name} is not None before it", edit)
            return
        if isinstance(outer, ast.stmt):
            break


def _given(source: Source, node: ast.expr) -> Iterator[Variant]:
    """What gives None is asked otherwise: by its key, or with a default."""
    asked = node
    if isinstance(node, ast.Name):
        function = source.function(node)
        for one in ast.walk(function) if function is not None else ():
            if isinstance(one, ast.Assign) and any(isinstance(to, ast.Name) and to.id == node.id for to in one.targets):
                asked = one.value
    if not isinstance(asked, ast.Call) or not isinstance(asked.func, ast.Attribute) or asked.keywords:
        return
    if asked.func.attr == "get" and len(asked.args) == 1:
        holder, key = source.code(asked.func.value), source.code(asked.args[0])
        yield source.variant("key", 1.8, f"{holder}[{key}] for get", source.replace(asked, f"{holder}[{key}]"))
        function = source.function(node)
        returned = source.code(function.returns) if function is not None and function.returns is not None else ""
        zero = ZEROS.get(returned.partition("[")[0].lower())
        for rank, default in enumerate(dict.fromkeys(one for one in (zero, "0", '""', "[]", "{}") if one)):
            edit = source.insert(source.span(asked.args[0])[1], f", {default}")
            yield source.variant("key", 2.0 + 0.2 * rank, f"{default} as the default of get", edit)
