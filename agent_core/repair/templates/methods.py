"""Methods and functions in pairs: ``lower`` for ``upper``, ``min`` for ``max``; flags turned round."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping

from agent_core.repair.model import Edit, Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source, called_name
from agent_core.repair.templates import Template
from agent_core.repair.templates.exact import editable, put, replaced
from agent_core.repair.templates.layout import shown
from agent_core.repair.templates.vocabulary import visible

_FAMILIES_OF_METHODS: tuple[tuple[str, ...], ...] = (
    ("lower", "upper", "casefold", "title", "capitalize", "swapcase"),
    ("strip", "lstrip", "rstrip"),
    ("startswith", "endswith"),
    ("removeprefix", "removesuffix"),
    ("split", "rsplit", "splitlines", "partition", "rpartition"),
    ("partition", "rpartition"),
    ("find", "rfind", "index", "rindex"),
    ("ljust", "rjust", "center", "zfill"),
    ("append", "extend", "add", "appendleft"),
    ("append", "insert"),
    ("extend", "extendleft", "update"),
    ("add", "discard", "update"),
    ("remove", "discard", "pop"),
    ("pop", "popleft", "popitem"),
    ("items", "keys", "values"),
    ("get", "pop", "setdefault"),
    ("update", "setdefault"),
    ("encode", "decode"),
    ("isdigit", "isdecimal", "isnumeric", "isalnum", "isalpha"),
    ("isspace", "isalpha", "isalnum"),
    ("isupper", "islower", "istitle"),
    ("isidentifier", "isalnum"),
    ("match", "fullmatch", "search"),
    ("findall", "finditer"),
    ("sub", "subn"),
    ("start", "end", "span"),
    ("group", "groups", "groupdict"),
    ("union", "intersection", "difference", "symmetric_difference"),
    ("issubset", "issuperset", "isdisjoint"),
    ("intersection_update", "difference_update", "update"),
    ("read", "readline", "readlines"),
    ("write", "writelines"),
    ("bisect_left", "bisect_right", "bisect"),
    ("insort_left", "insort_right", "insort"),
    ("heappush", "heappop", "heapify"),
    ("nlargest", "nsmallest"),
    ("copy", "deepcopy"),
    ("floor", "ceil", "trunc"),
    ("sin", "cos", "tan"),
    ("log", "log2", "log10", "log1p"),
    ("total_seconds", "seconds"),
    ("utcnow", "now", "today"),
    ("isoformat", "strftime"),
    ("strftime", "strptime"),
    ("acquire", "release"),
    ("sort", "reverse"),
    ("values", "elements"),
    ("dumps", "dump"),
    ("loads", "load"),
    ("quote", "quote_plus"),
    ("unquote", "unquote_plus"),
    ("dirname", "basename"),
    ("abspath", "realpath"),
    ("exists", "isfile", "isdir", "is_file", "is_dir", "lexists"),
    ("stem", "name", "suffix", "suffixes"),
    ("product", "permutations", "combinations", "combinations_with_replacement"),
    ("combinations", "permutations"),
    ("takewhile", "dropwhile", "filterfalse"),
    ("quotient", "remainder"),
    ("most_common", "elements"),
)
_FAMILIES_OF_FUNCTIONS: tuple[tuple[str, ...], ...] = (
    ("min", "max"),
    ("min", "sum"),
    ("max", "sum", "len"),
    ("any", "all"),
    ("sorted", "reversed", "list"),
    ("floor", "ceil", "round", "int", "trunc"),
    ("int", "float", "round", "str", "bool"),
    ("str", "repr", "ascii"),
    ("list", "tuple", "set", "sorted", "frozenset"),
    ("isinstance", "issubclass"),
    ("hasattr", "getattr"),
    ("map", "filter"),
    ("ord", "chr"),
    ("hex", "bin", "oct"),
    ("enumerate", "reversed", "iter", "list"),
    ("range", "enumerate", "len"),
    ("print", "str"),
    ("type", "isinstance"),
    ("bisect_left", "bisect_right"),
    ("copy", "deepcopy"),
    ("nlargest", "nsmallest"),
    ("product", "permutations", "combinations", "combinations_with_replacement"),
    ("dict", "list", "set"),
    ("next", "iter"),
    ("divmod", "pow"),
    ("zip", "zip_longest", "product"),
    ("deque", "list"),
    ("OrderedDict", "dict", "defaultdict"),
)
_BUILTINS = frozenset(dir(builtins))
# What may be handed over in addition, with what it costs: code of an argument.
_ADDED: Mapping[str, tuple[tuple[str, float], ...]] = {
    "sorted": (("reverse=True", 1.6),),
    "sort": (("reverse=True", 1.6),),
    "enumerate": (("1", 1.5), ("start=1", 2.5)),
    "round": (("1", 2.2), ("2", 2.0)),
    "splitlines": (("keepends=True", 2.0),),
    "split": (("1", 1.8), ("None", 2.4)),
    "rsplit": (("1", 1.6),),
    "min": (("default=None", 2.4), ("default=0", 2.4)),
    "max": (("default=None", 2.4), ("default=0", 2.4)),
    "next": (("None", 1.8),),
    "getattr": (("None", 1.8),),
    "pop": (("0", 1.5), ("None", 2.0)),
    "group": (("1", 1.5),),
    "sum": (("[]", 2.4),),
    "replace": (("1", 2.2),),
}


def _partners(families: tuple[tuple[str, ...], ...]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for family in families:
        for name in family:
            found.setdefault(name, {}).update(dict.fromkeys(other for other in family if other != name))
    return {name: tuple(others) for name, others in found.items()}


_METHODS = _partners(_FAMILIES_OF_METHODS)
_FUNCTIONS = _partners(_FAMILIES_OF_FUNCTIONS)


def other_method(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """Another method of the same family."""
    if not isinstance(node, ast.Attribute) or not editable(source, node):
        return
    start, end = source.span(node)
    if not source.text[start:end].endswith(node.attr):
        return
    for index, other in enumerate(_METHODS.get(node.attr, ())):
        edit = Edit(source.path, end - len(node.attr), end, other)
        yield source.variant("other method", 1.1 + 0.12 * index, f".{other} for .{node.attr}", edit)


def other_function(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """Another function of the same family, one that is there to be called."""
    if not isinstance(node, ast.Name) or node.id not in _FUNCTIONS or not editable(source, node):
        return
    there = visible(source, node)
    called = source.is_called(node)
    for index, other in enumerate(_FUNCTIONS[node.id]):
        if other in _BUILTINS or other in there:
            yield from replaced(source, node, other, "other function", (1.1 if called else 1.8) + 0.12 * index)


def argument_of_kind(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """An argument that a well-known function may be handed in addition: ``reverse=True``, ``pop(0)``."""
    if not isinstance(node, ast.Call) or not editable(source, node) or source.in_text(node):
        return
    name = called_name(node)
    if any(isinstance(one, ast.Starred | ast.GeneratorExp) for one in node.args):
        return
    end = source.span(node)[1] - 1
    inside = source.text[source.span(node.func)[1] : end]
    if "#" in inside or inside.rstrip().endswith(","):
        return
    comma = ", " if node.args or node.keywords else ""
    given = {one.arg for one in node.keywords}
    for argument, cost in _ADDED.get(name, ()):
        keyword = argument.partition("=")[0] if "=" in argument else ""
        if keyword in given or (not keyword and given):
            continue
        edit = source.insert(end, comma + argument)
        yield source.variant("argument of kind", cost, f"{argument} handed to {shown(name)}", edit)


def at_the_other_end(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """``insert(0, x)`` for ``append(x)``, ``x.join(y)`` for ``y.join(x)``, and the like."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not editable(source, node):
        return
    owner, arguments = node.func.value, node.args
    if node.keywords or any(isinstance(one, ast.Starred | ast.GeneratorExp) for one in arguments):
        return
    if len(arguments) == 1:
        exchanged = put(source, owner, source.code(arguments[0])), put(source, arguments[0], source.code(owner))
        if exchanged[0] is not None and exchanged[1] is not None:
            said = f"{shown(source.code(arguments[0]))}.{node.func.attr}({shown(source.code(owner))})"
            yield source.variant("at the other end", 2.4, said, exchanged[0], exchanged[1])
    text = source.code(owner)
    match node.func.attr, arguments:
        case "append", [item]:
            yield from replaced(source, node, f"{text}.insert(0, {source.code(item)})", "at the other end", 1.6)
            yield from replaced(source, node, f"{text}.extend({source.code(item)})", "at the other end", 1.3)
        case "extend", [item]:
            yield from replaced(source, node, f"{text}.append({source.code(item)})", "at the other end", 1.3)
        case "insert", [_, item]:
            yield from replaced(source, node, f"{text}.append({source.code(item)})", "at the other end", 1.4)


METHODS: tuple[Template, ...] = (other_method, other_function, argument_of_kind, at_the_other_end)
