"""Types as text: how a file writes them, what an expression gives, where an annotation stands."""

from __future__ import annotations

import ast
import builtins
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from agent_core.repair.beyond.import_lines import import_edit
from agent_core.repair.beyond.imports import imports_of
from agent_core.repair.beyond.tokens import PAIRS, tokens_of
from agent_core.repair.model import Edit
from agent_core.repair.project import Project
from agent_core.repair.source import Def, Source
from agent_core.repair.templates.vocabulary import FUNCTIONS, bound

ZEROS = {"int": "0", "float": "0.0", "str": '""', "bool": "False", "bytes": 'b""', "list": "[]", "dict": "{}"}
"""What stands for nothing in types that have such a thing."""

_REQUIRES = re.compile(r"^(?:requires-python|python_requires|python)\s*=\s*[\"']?[^\d\n]*3\.(\d+)", re.MULTILINE)
_PART = re.compile(r"[A-Za-z_][\w.]*")
_BUILTINS = frozenset(dir(builtins))
_BARE = frozenset({"list", "dict", "set", "tuple", "frozenset", "type", "Callable", "List", "Dict", "Tuple", "Set"})


def modern(source: Source, project: Project) -> bool:
    """Whether a file writes ``X | None`` and not ``Optional[X]``: as it does so far, else as its Python allows."""
    used = {alias.name for node in imports_of(source) if isinstance(node, ast.ImportFrom) for alias in node.names}
    if re.search(r"(?:->|:)\s*[^=\n]*\|\s*None", source.text):
        return True
    if used & {"Optional", "Union"}:
        return False
    if "annotations" in used:
        return True
    told = [
        int(found) for name in ("pyproject.toml", "setup.cfg") for found in _REQUIRES.findall(project.text(name) or "")
    ]
    return min(told, default=10) >= 10


def optional(source: Source, project: Project, node: ast.expr) -> list[Edit]:
    """The edits that let an annotation be None, too; none where it is so already."""
    said = source.code(node)
    text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    inner = str(node.value) if isinstance(node, ast.Constant) and text else said
    if re.search(r"\bNone\b|^(?:typing\.)?Optional\b", inner):
        return []
    if modern(source, project):
        new = f"{inner} | None"
        return [source.replace(node, f"{said[0]}{new}{said[-1]}" if text else new)]
    return [source.replace(node, f"Optional[{said}]"), *imported(source, "typing", "Optional")]


def imported(source: Source, module: str, name: str) -> list[Edit]:
    """The edit that imports a name, where the file does not have it."""
    if any(binding.name == name for binding in bound(source.tree)):
        return []
    return [import_edit(source, module, name)]


def expressible(source: Source, said: str) -> str:
    """A type as mypy says it, as the file could write it; empty where it has no name for a part of it.

    What allows anything is no answer, and so not expressible either.
    """
    here = {binding.name for binding in bound(source.tree)}
    said = said.replace("builtins.", "")
    if "<" in said or "..." in said.replace(", ...]", "") or "?" in said or '"' in said or "*" in said:
        return ""
    for part in _PART.findall(said):
        last = part.rpartition(".")[2]
        if last == "Any" or (last not in here and (last not in _BUILTINS or last in {"object", "function"})):
            return ""
    return _PART.sub(lambda found: found.group().rpartition(".")[2], said)


# -- what expressions give

_CALLS = {
    "len": "int", "int": "int", "float": "float", "str": "str", "repr": "str", "bool": "bool", "isinstance": "bool",
    "any": "bool", "all": "bool", "ord": "int", "chr": "str", "hash": "int", "id": "int", "bytes": "bytes",
    "callable": "bool", "hasattr": "bool", "issubclass": "bool", "input": "str", "format": "str",
}  # fmt: skip
_METHODS = {
    "strip": "str", "lower": "str", "upper": "str", "join": "str", "format": "str", "replace": "str", "lstrip": "str",
    "rstrip": "str", "title": "str", "decode": "str", "startswith": "bool", "endswith": "bool", "isdigit": "bool",
    "split": "list[str]", "splitlines": "list[str]", "encode": "bytes", "read_text": "str", "read_bytes": "bytes",
    "capitalize": "str", "isoformat": "str", "exists": "bool", "is_file": "bool", "is_dir": "bool", "index": "int",
}  # fmt: skip


def type_of(node: ast.expr | None, source: Source, depth: int = 0) -> str:
    """What an expression gives, as a type in text, as far as its form and its file tell; empty where they do not."""
    if node is None or depth > 4:
        return ""
    maker = next((make for kinds, make in _MAKERS if isinstance(node, kinds)), None)
    return maker(node, source, depth + 1) if maker is not None else ""


def _constant(node: ast.Constant, _source: Source, _depth: int) -> str:
    return "None" if node.value is None else "" if node.value is ... else type(node.value).__name__


def _not(node: ast.UnaryOp, source: Source, depth: int) -> str:
    return "bool" if isinstance(node.op, ast.Not) else type_of(node.operand, source, depth)


def _compound(node: ast.expr, source: Source, depth: int) -> str:
    if isinstance(node, ast.BinOp):
        both = {type_of(node.left, source, depth), type_of(node.right, source, depth)}
        if isinstance(node.op, ast.Div) and both <= {"int", "float"}:
            return "float"
        if isinstance(node.op, ast.Mod) and type_of(node.left, source, depth) == "str":
            return "str"
        return both.pop() if len(both) == 1 else "float" if both == {"int", "float"} else ""
    if isinstance(node, ast.IfExp):
        return union([type_of(node.body, source, depth), type_of(node.orelse, source, depth)])
    if isinstance(node, ast.BoolOp):
        both = {type_of(one, source, depth) for one in node.values}
        return both.pop() if len(both) == 1 else ""
    return ""


def _display(node: ast.expr, source: Source, depth: int) -> str:
    if isinstance(node, ast.Dict):
        keys = union([type_of(one, source, depth) for one in node.keys if one is not None])
        values = union([type_of(one, source, depth) for one in node.values])
        return f"dict[{keys}, {values}]" if keys and values else ""
    if isinstance(node, ast.DictComp):
        key, value = type_of(node.key, source, depth), type_of(node.value, source, depth)
        return f"dict[{key}, {value}]" if key and value else ""
    if isinstance(node, ast.Tuple):
        parts = [type_of(one, source, depth) for one in node.elts]
        return f"tuple[{', '.join(parts)}]" if parts and all(parts) else ""
    kind = "set" if isinstance(node, ast.Set | ast.SetComp) else "list"
    if isinstance(node, ast.ListComp | ast.SetComp):
        inner = type_of(node.elt, source, depth)
    else:
        elements: list[ast.expr] = getattr(node, "elts", [])
        inner = union([type_of(one, source, depth) for one in elements])
    return f"{kind}[{inner}]" if inner else ""


def _call(node: ast.Call, source: Source, _depth: int) -> str:
    if isinstance(node.func, ast.Attribute):
        return _METHODS.get(node.func.attr, "")
    if not isinstance(node.func, ast.Name):
        return ""
    name = node.func.id
    for one in source.tree.body:
        if isinstance(one, ast.ClassDef) and one.name == name:
            return name
        if isinstance(one, FUNCTIONS) and one.name == name:
            plain = one.returns is not None and isinstance(one, ast.FunctionDef)
            return source.code(one.returns) if plain and one.returns is not None else ""
    classes = {
        binding.name for binding in bound(source.tree) if binding.kind == "import" and binding.name[:1].isupper()
    }
    return _CALLS.get(name, "") or (name if name in classes else "")


def _name(node: ast.Name, source: Source, depth: int) -> str:
    function = source.function(node)
    if function is None:
        return ""
    for argument in arguments(function):
        if argument.arg == node.id:
            return source.code(argument.annotation) if argument.annotation is not None else ""
    found = set()
    for one in ast.walk(function):
        if isinstance(one, ast.Assign) and any(isinstance(to, ast.Name) and to.id == node.id for to in one.targets):
            found.add(type_of(one.value, source, depth))
        elif isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and one.target.id == node.id:
            return source.code(one.annotation)
        elif isinstance(one, ast.For) and isinstance(one.target, ast.Name) and one.target.id == node.id:
            inside = re.fullmatch(
                r"(?:list|set|Iterable|Sequence|frozenset)\[([^,]+)\]", type_of(one.iter, source, depth)
            )
            of_range = isinstance(one.iter, ast.Call) and source.code(one.iter.func) == "range"
            found.add("int" if of_range else inside.group(1) if inside else "")
    return found.pop() if len(found) == 1 else ""


_MAKERS: tuple[tuple[type[ast.expr] | tuple[type[ast.expr], ...], Callable[..., str]], ...] = (
    (ast.Constant, _constant),
    (ast.JoinedStr, lambda *_: "str"),
    (ast.Compare, lambda *_: "bool"),
    (ast.UnaryOp, _not),
    ((ast.List, ast.Set, ast.ListComp, ast.SetComp, ast.Dict, ast.DictComp, ast.Tuple), _display),
    (ast.Call, _call),
    (ast.Name, _name),
    ((ast.BinOp, ast.IfExp, ast.BoolOp), _compound),
)


def union(kinds: Iterable[str]) -> str:
    """One type for several, None last; empty where one is not known or they are too many to be meant."""
    some = list(dict.fromkeys(kinds))
    if not some or not all(some):
        return ""
    if set(some) == {"int", "float"}:
        return "float"
    ordered = [one for one in some if one != "None"]
    if len(ordered) > 2:
        return ""
    return " | ".join([*ordered, *(["None"] if "None" in some else [])])


# -- annotations and where they stand


def arguments(function: Def) -> list[ast.arg]:
    """The plain parameters of a function, those by position and those by name."""
    given = function.args
    return [*given.posonlyargs, *given.args, *given.kwonlyargs]


def defaults(function: Def) -> dict[str, ast.expr]:
    """The defaults of parameters, by name."""
    given = function.args
    plain = [*given.posonlyargs, *given.args]
    found = {
        one.arg: default for one, default in zip(plain[len(plain) - len(given.defaults) :], given.defaults, strict=True)
    }
    found.update({one.arg: value for one, value in zip(given.kwonlyargs, given.kw_defaults, strict=True) if value})
    return found


def returns(function: Def) -> list[ast.Return]:
    """The return statements of a function itself."""
    return [one for one in own_nodes(function) if isinstance(one, ast.Return)]


def own_nodes(function: Def) -> Iterator[ast.AST]:
    """The nodes of a function's body, without those of functions and classes in it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop(0)
        yield node
        if not isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.Lambda)):
            waiting.extend(ast.iter_child_nodes(node))


def returns_edit(source: Source, function: Def, said: str) -> Edit | None:
    """The edit that says what a function returns, or says it otherwise."""
    if function.returns is not None:
        return source.replace(function.returns, said)
    start = source.span(function)[0]
    depth, opened = 0, False
    for token in tokens_of(source.text[start : source.span(function.body[0])[0]]):
        if token.kind == "op" and token.text in PAIRS:
            depth, opened = depth + 1, True
        elif token.kind == "op" and token.text in PAIRS.values():
            depth -= 1
            if opened and not depth:
                return source.insert(start + token.end, f" -> {said}")
    return None


def annotation_edit(source: Source, argument: ast.arg, said: str, default: ast.expr | None) -> list[Edit]:
    """The edits that give a parameter a type, blanks around its default's sign as usual then."""
    if argument.annotation is not None:
        return [source.replace(argument.annotation, said)]
    end = source.span(argument)[1]
    if default is None:
        return [source.insert(end, f": {said}")]
    return [Edit(source.path, end, source.span(default)[0], f": {said} = ")]


def usual(project: Project, name: str, source: Source) -> list[str]:
    """The types that parameters of this name have elsewhere in the file and the project, the most usual first."""
    if len(name) < 3:
        # Such a name means another thing everywhere.
        return []
    count: Counter[str] = Counter()
    for node in ast.walk(source.tree):
        if isinstance(node, FUNCTIONS):
            for one in arguments(node):
                if one.arg == name and one.annotation is not None:
                    count[source.code(one.annotation)] += 3
    for functions in project.functions.values():
        for function in functions:
            for one in arguments(function):
                if one.arg == name and one.annotation is not None:
                    count[ast.unparse(one.annotation)] += 1
    return [said for said, _ in count.most_common(3) if "Any" not in said and said not in _BARE]
