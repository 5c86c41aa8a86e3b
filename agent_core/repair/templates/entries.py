"""An entry that is missing: of a dictionary, of what is handed over by keyword, of a list, made like its neighbours."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from agent_core.repair.model import Edit, Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.templates import Template
from agent_core.repair.templates.constants import LITERAL, spelt
from agent_core.repair.templates.exact import editable, grouped
from agent_core.repair.templates.guesses import guessed
from agent_core.repair.templates.layout import one_line, shown
from agent_core.repair.templates.members import class_around, members, of_class
from agent_core.repair.templates.seen import constants_of_tests, words
from agent_core.repair.templates.vocabulary import local_names, visible, vocabulary

_QUOTED = re.compile(r"""['"]([^'"\s]{1,40})['"]""")
_MOST = 8
_MOST_FORMS = 2
_MOST_TEXTS = 4
_UNKNOWN = ("None", "0", '""', "[]", "False", "{}")


class _Entry(NamedTuple):
    """An entry that could be missing: its key, its value as code, and what it costs in addition."""

    key: str
    value: str
    extra: float


def texts_told(project: Project) -> dict[str, None]:
    """The texts in quotes in what failing tests say went wrong, such as the key of a ``KeyError``."""
    return dict.fromkeys(text for run in project.failing for text in _QUOTED.findall(run.message))


def entry_missing(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """One entry more of a dictionary that is written out."""
    if not isinstance(node, ast.Dict) or not node.keys or not editable(source, node) or source.in_text(node):
        return
    given = {
        key.value: value
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }
    if not given:
        return
    quote = next(source.code(key)[0] for key in node.keys if isinstance(key, ast.Constant) and key.value in given)
    places = [key or value for key, value in zip(node.keys, node.values, strict=True)]
    for entry in _entries(source, node, given, project, plain=True):
        text = f"{quote}{entry.key}{quote}: {entry.value}"
        edit = _added(source, places, text)
        yield source.variant("entry added", 1.4 + entry.extra, f"{shown(text)} added", edit)


def keyword_missing(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """One keyword argument more, handed over like the others: ``size=size`` beside ``name=name``."""
    if not isinstance(node, ast.Call) or not editable(source, node) or source.in_text(node):
        return
    named = [one for one in node.keywords if one.arg is not None]
    if not named or node.keywords[: len(named)] != named:
        return
    given = {one.arg: one.value for one in named if one.arg is not None}
    for entry in _entries(source, node, given, project, plain=False):
        if entry.key.isidentifier():
            text = f"{entry.key}={entry.value}"
            edit = _added(source, [*node.args, *named], text)
            yield source.variant("keyword added", 1.8 + entry.extra, f"{shown(text)} added", edit)


def _added(source: Source, places: Sequence[ast.expr | ast.keyword], text: str) -> Edit:
    """The edit that puts an entry behind the last one, on a line of its own where the others have theirs."""
    last = places[-1]
    end = grouped(source, last)[1] if isinstance(last, ast.expr) else grouped(source, last.value)[1]
    around = source.parents[last]
    if isinstance(around, ast.Dict):
        end = grouped(source, around.values[-1])[1]
    own_line = len(places) > 1 and last.lineno != places[-2].lineno
    gap = f",{source.line_end}{source.indent(last)}" if own_line else ", "
    return source.insert(end, gap + text)


def _entries(
    source: Source, node: ast.expr, given: dict[str, ast.expr], project: Project, *, plain: bool
) -> list[_Entry]:
    """What may be missing beside some entries, the likeliest first.

    Args:
        source: The file.
        node: What has the entries.
        given: Their values, by their keys.
        project: The project.
        plain: A key that failing tests tell may be there with a value of its own.
    """
    told = [key for key in texts_told(project) if key not in given]
    found: list[_Entry] = []
    forms = _forms(source, given)
    for rank, form in enumerate(forms):
        keys = _keys(source, node, form, project, told)
        fitting = [(key, extra) for key, extra in keys if key not in given][:_MOST]
        found += [_Entry(key, form.replace("{}", key), extra + 0.3 * rank) for key, extra in fitting]
    if plain and (not forms or len(given) > 1):
        alike = Counter(code for value in given.values() if (code := one_line(source, value, 30)))
        usual = [code for code, count in alike.most_common(1) if count > 1]
        kind = {guessed(value) for value in given.values()}
        there = [word.text for word in words(source, node, project) if kind == {word.guess}]
        for key in [key for key in told if key in _keys_asked(project)][:2]:
            values = dict.fromkeys((*usual, *there[:2], *_UNKNOWN))
            found += [_Entry(key, value, 0.4 + 0.15 * index) for index, value in enumerate(values)]
    return sorted(found, key=lambda entry: entry.extra)[: 2 * _MOST]


def _keys_asked(project: Project) -> frozenset[str]:
    """The keys that were not there, by what failing tests say."""
    errors = (run.message for run in project.failing if run.error.rpartition(".")[2] == "KeyError")
    return frozenset(key for message in errors for key in _QUOTED.findall(message))


def _forms(source: Source, given: dict[str, ast.expr]) -> list[str]:
    """How values are made of their keys: ``self.{}`` where a key is ``name`` and its value ``self.name``, ``do_{}``."""
    count: Counter[str] = Counter()
    for key, value in given.items():
        code = one_line(source, value, 80)
        if code is None or not key.isidentifier() or "{" in code:
            continue
        form = re.sub(rf"(?<![^\W_]){re.escape(key)}(?![^\W_])", "{}", code)
        count[form] += form != code
    return [form for form, often in count.most_common(_MOST_FORMS) if often]


def _keys(source: Source, node: ast.expr, form: str, project: Project, told: Iterable[str]) -> list[tuple[str, float]]:
    """The names that fit a form, with what each costs in addition."""
    found: dict[str, float] = {}
    class_, around = members(source, node), class_around(source, node)
    tested = set(constants_of_tests(project).texts)
    me = f"{class_.receiver}." if class_ is not None and class_.receiver else ""
    if class_ is not None and around is not None and me and f"{me}{{}}" in form:
        own = [*class_.attributes, *class_.methods]
        below = [
            name
            for one in ast.walk(source.tree)
            if isinstance(one, ast.ClassDef)
            and any(isinstance(base, ast.Name) and base.id == around.name for base in one.bases)
            for name in of_class(source, one).attributes
        ]
        known = {**dict.fromkeys(class_.attributes, 0.5), **dict.fromkeys((n for n in below if n not in own), 0.8)}
        found = {name: extra for name, extra in known.items() if not name.startswith("_")}
    elif re.fullmatch(rf"(?:{re.escape(me)})?\w*{{}}\w*", form) and form != "{}":
        named = re.compile(re.escape(form).replace(r"\{\}", r"([^\W_]\w*)"))
        pool = [f"{me}{name}" for name in (*class_.attributes, *class_.methods)] if class_ is not None and me else []
        matches = [named.fullmatch(name) for name in (*pool, *visible(source, node))]
        found = {match.group(1): 0.2 for match in matches if match is not None}
    elif form == "{}" or form.endswith("({})"):
        used = {one.id for one in ast.walk(source.scope(node)) if isinstance(one, ast.Name)}
        parameters = vocabulary(source, node).parameters
        for name in local_names(source, node):
            found[name] = 0.0 if name in parameters and name not in used else 0.5 if name in parameters else 0.9
    elif "." in form:
        found = {name: 0.0 for name in told if name in project.attributes}
    for name in found:
        found[name] -= 0.4 if name in told else 0.2 if name in tested else 0.0
    ordered = sorted(found.items(), key=lambda pair: pair[1])
    return [(name, extra + 0.06 * index) for index, (name, extra) in enumerate(ordered)]


def text_missing(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """One text more of a list, tuple or set of texts: one that failing tests tell, or that stands in them."""
    if not isinstance(node, ast.List | ast.Tuple | ast.Set) or len(node.elts) < 2 or source.in_text(node):
        return
    given = [one.value for one in node.elts if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    if len(given) != len(node.elts) or not editable(source, node):
        return
    wordy = all(any(map(str.isalnum, text)) for text in given)
    most = max(map(len, given)) + 4
    told = dict.fromkeys([*texts_told(project), *constants_of_tests(project).texts])
    fitting = [
        text
        for text in told
        if text and text not in given and len(text) <= most and wordy == any(map(str.isalnum, text))
    ]
    if all(map(str.isidentifier, given)):
        fitting = [text for text in fitting if text.isidentifier()]
    literal = LITERAL.fullmatch(source.code(node.elts[-1]))
    for index, text in enumerate(fitting[:_MOST_TEXTS]):
        code = repr(text) if literal is None else spelt(text, literal)
        yield source.variant("text added", 2.1 + 0.15 * index, f"{code} added", _added(source, node.elts, code))


ENTRIES: tuple[Template, ...] = (entry_missing, keyword_missing, text_missing)
