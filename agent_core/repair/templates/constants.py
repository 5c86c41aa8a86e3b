"""Constants: one too many or too few, another of those around, another spelling, a name in the place of ``None``."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterable, Iterator

from agent_core.repair.model import Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source, called_name
from agent_core.repair.templates import Template
from agent_core.repair.templates.exact import editable, replaced
from agent_core.repair.templates.guesses import compatible
from agent_core.repair.templates.seen import constants, constants_of_file, constants_of_tests, said, words

# Texts of one character or none, for one another: what separates, fills or ends.
_MARKS = ("", " ", ",", "\n", "-", "_", ".", "/", ":", ";", "\t", "0")
_MOST_OTHERS = 12
# Others are no slips, and what cannot be written as a number at all is among them.
_LARGEST = 1e15
# A literal that is one, not several in a row: prefix, quotes, what is between them.
LITERAL = re.compile(r"(?i)([rbu]{0,2})('{3}|\"{3}|'|\")(.*)\2", re.DOTALL)


def number(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """Another number: one more, one less, the other sign, those that the function, the file and the tests have."""
    if not isinstance(node, ast.Constant) or not _is_number(node.value) or not editable(source, node):
        return
    old: int | float = node.value  # type: ignore[assignment]  # it is a number
    parent = source.parents.get(node)
    negative = isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.USub)
    place: ast.expr = parent if negative and isinstance(parent, ast.UnaryOp) else node
    value = -old if negative else old
    if not abs(value) < _LARGEST:
        return
    seen: set[str] = {source.code(place)}
    for other, cost in _numbers(value, source, node, project):
        text = _written(other, source.code(node))
        if text not in seen:
            seen.add(text)
            yield from replaced(source, place, text, "number", cost)
    if not negative:
        yield from replaced(source, node, "None", "number", 2.0 if old == 0 else 2.8)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _numbers(value: float, source: Source, node: ast.AST, project: Project) -> Iterator[tuple[int | float, float]]:
    near = 1.0 if abs(value) <= 20 else 1.2 if abs(value) <= 1000 else 1.5
    yield value - 1, near
    yield value + 1, near
    yield from ((other, cost) for other, cost in ((0, 1.5), (1, 1.5), (-1, 1.7), (2, 1.9), (-value, 1.5)))
    for index, other in enumerate(_nearest(value, constants(source.scope(node)).numbers)):
        yield other, 1.7 + 0.1 * index
    for index, other in enumerate(_nearest(value, constants_of_tests(project).numbers)[:6]):
        yield other, 2.2 + 0.1 * index
    if isinstance(value, int):
        yield from ((other, 2.2) for other in (value * 2, value // 2, value * 10, value // 10, value + 2, value - 2))
        yield float(value), 2.6
    else:
        yield from ((other, 2.2) for other in (value * 10, value / 10, value * 2, value / 2, 1 - value))
        if value.is_integer():
            yield int(value), 2.4
    for index, other in enumerate(_nearest(value, constants_of_file(source).numbers)[:8]):
        yield other, 2.4 + 0.1 * index


def _nearest(value: float, others: Iterable[int | float]) -> list[int | float]:
    """Numbers of a kind with one, the nearest first."""
    same = [one for one in others if type(one) is type(value) and one != value]
    return sorted(same, key=lambda one: abs(one - value))[:_MOST_OTHERS]


def _written(value: float, like: str) -> str:
    """A number as it is written, in the base of another."""
    if isinstance(value, int) and value >= 0 and like[:2].lower() in {"0x", "0o", "0b"}:
        return {"x": hex, "o": oct, "b": bin}[like[1].lower()](value)
    return repr(value)


def text(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """Another text: otherwise spelt, without what frames it, one of the function, of the file, of the tests."""
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str | bytes) or not editable(source, node):
        return
    code = source.code(node)
    literal = LITERAL.fullmatch(code)
    if literal is None:
        return
    old = node.value
    plain = old.decode("latin-1") if isinstance(old, bytes) else old
    if len(plain) > 200:
        return
    seen = {plain}
    for other, cost in _texts(plain, source, node, project):
        if other not in seen and not (isinstance(old, bytes) and not other.isascii()):
            seen.add(other)
            yield from replaced(source, node, spelt(other, literal), "text", cost)
    yield from replaced(source, node, "None", "text", 2.6 if plain else 1.6)


def spelt(value: str, literal: re.Match[str]) -> str:
    """A text as a literal with the prefix and the quotes of another, where it can be."""
    prefix, quotes = literal.group(1), literal.group(2)
    raw = "r" in prefix.lower()
    if raw and quotes not in value and not value.endswith("\\") and (len(quotes) == 3 or "\n" not in value):
        return f"{prefix}{quotes}{value}{quotes}"
    rest = prefix.replace("r", "").replace("R", "")
    body = repr(value)[1:-1]
    if repr(value)[0] == "'" and quotes[0] == '"':
        body = body.replace('"', '\\"').replace("\\'", "'")
    elif repr(value)[0] == '"' and quotes[0] == "'":
        body = body.replace("'", "\\'")
    return f"{rest}{quotes[0]}{body}{quotes[0]}"


def _texts(old: str, source: Source, node: ast.AST, project: Project) -> Iterator[tuple[str, float]]:
    of_function = constants(source.scope(node)).texts
    of_tests = constants_of_tests(project).texts
    of_file = constants_of_file(source).texts
    around = (*of_function, *of_tests, *of_file)
    # Only its case, its white space or its frame is wrong.
    folded = _bare(old)
    yield from ((other, 1.1) for other in around if folded and _bare(other) == folded)
    for count in (2, 1):
        if len(old) > 2 * count and old[:count] == old[-count:]:
            yield old[count:-count], 1.6
    yield from ((other, 1.7) for other in (old.lower(), old.upper(), old.capitalize(), old.title()))
    if old.strip():
        yield from ((other, 1.9) for other in (old.strip(), old.rstrip(), old.lstrip(), f"{old} ", f" {old}"))
        if len(old) > 1:
            yield from ((other, 2.2) for other in (old[:-1], old[1:]))
    for index, other in enumerate(_likest(old, of_function)):
        yield other, 1.7 + 0.1 * index
    for index, other in enumerate(_likest(old, of_tests)):
        yield other, 2.0 + 0.1 * index
    for index, other in enumerate(_likest(old, of_file)):
        yield other, 2.2 + 0.1 * index
    if len(old) <= 2:
        yield from ((other, 2.0) for other in _MARKS)
        if old:
            yield old + " ", 1.9
            yield old * 2, 2.4
    else:
        yield "", 2.4


def _bare(value: str) -> str:
    return re.sub(r"[\W_]+", "", value).casefold()


def _likest(old: str, others: Iterable[str]) -> list[str]:
    """The texts of those around that are most like one, all of a kind with it: words for words, marks for marks."""
    wordy = any(map(str.isalnum, old))
    fitting = [one for one in others if one != old and len(one) <= 48 and (any(map(str.isalnum, one)) == wordy)]

    def unlike(other: str) -> float:
        return -difflib.SequenceMatcher(None, old, other, autojunk=False).ratio()

    return sorted(fitting[:200], key=unlike)[:_MOST_OTHERS]


def nothing(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """Something for ``None`` or an empty display: a name nobody reads yet, another, what is said nearby."""
    if not _is_nothing(node) or not isinstance(node, ast.expr) or not editable(source, node):
        return
    if isinstance(source.parents.get(node), ast.Compare | ast.BoolOp):
        return
    empty = source.code(node)
    guess = {ast.List: "list", ast.Dict: "dict"}.get(type(node), "")
    rank = 0
    for word in words(source, node, project):
        if guess and not compatible(guess, word.guess):
            continue
        cost = 1.2 if word.unused else 1.6 + 0.08 * rank
        rank += not word.unused
        if rank < 25 and _is_free(source, node, word.text):
            yield from replaced(source, node, word.text, "nothing", cost)
    made = [one for one in said(source, node) if isinstance(one.node, ast.Call | ast.Subscript | ast.BinOp)]
    for index, one in enumerate([one for one in made if compatible(guess, one.guess)][:16]):
        yield from replaced(source, node, one.text, "nothing", 2.1 + 0.08 * index)
    for index, other in enumerate(("None", "False", "True", "0", "1", '""', "[]", "{}", "()")):
        if other != empty:
            yield from replaced(source, node, other, "nothing", 1.8 + 0.1 * index)


def _is_nothing(node: ast.AST) -> bool:
    match node:
        case ast.Constant(value=None) | ast.List(elts=[]) | ast.Dict(keys=[]):
            return True
    return False


def _is_free(source: Source, node: ast.expr, word: str) -> bool:
    """Whether a word is not what is being assigned, which the value of an assignment cannot be made of."""
    parent = source.parents.get(node)
    targets: list[ast.expr] = getattr(parent, "targets", [])
    return all(source.code(one) != word for one in targets)


def name_for_number(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """A name of the function in the place of a number, or how many there are of what it holds."""
    if not isinstance(node, ast.Constant) or not _is_number(node.value) or not editable(source, node):
        return
    if isinstance(source.parents.get(node), ast.UnaryOp | ast.arguments | ast.keyword):
        return
    rank = 0
    for word in words(source, node, project):
        if not compatible(word.guess, "number") or not _is_free(source, node, word.text):
            if word.guess in {"sized", "list", "text", "tuple"}:
                yield from replaced(source, node, f"len({word.text})", "name for number", 2.6 + 0.05 * rank)
            continue
        cost = (1.6 if word.unused else 2.2) + 0.1 * rank + (0.0 if word.guess else 0.3)
        rank += 1
        if rank < 15:
            yield from replaced(source, node, word.text, "name for number", cost)


def as_others_say(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """What other calls of the same function in the file hand over at the same place."""
    parent = source.parents.get(node)
    call = source.parents.get(parent) if isinstance(parent, ast.keyword) else parent
    if not isinstance(node, ast.Constant) or not isinstance(call, ast.Call) or not editable(source, node):
        return
    name = called_name(call)
    key: str | int = (
        parent.arg or "" if isinstance(parent, ast.keyword) else call.args.index(node) if node in call.args else ""
    )
    seen = {source.code(node)}
    for other in ast.walk(source.tree):
        if not isinstance(other, ast.Call) or other is call or not name or called_name(other) != name:
            continue
        values = {one.arg: one.value for one in other.keywords if one.arg} | dict(enumerate(other.args))
        value = values.get(key)
        if value is None or not editable(source, value) or source.in_text(value):
            continue
        said = source.code(value)
        if said not in seen and len(said) <= 40 and "\n" not in said and len(seen) < 8:
            seen.add(said)
            yield from replaced(source, node, said, "as others say", 1.5 + 0.1 * len(seen))


CONSTANTS: tuple[Template, ...] = (number, text, nothing, name_for_number, as_others_say)
