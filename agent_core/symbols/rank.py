"""Which names of a project matter for a task: PageRank over who uses whose names, drawn towards what the task says.

The idea is Aider's (https://aider.chat/2023/10/22/repomap.html): files are nodes, a name used in one and defined in
another is an edge, and the walk begins at the files that the task speaks of. Here those are found by the parts of
words: a task that says "wheel filenames" means ``parse_wheel_filename``.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache

import msgspec

from agent_core.symbols.tags import Definition, Tags

_DAMPING = 0.7
_ROUNDS = 20
_COMMON = 8
"""A name that more files define says little about any of them."""
_MOST_USED = 4
_MOST_WALKED = 1500
_PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
# Written as code: with an underscore, a capital inside, a call's bracket behind it, or in backticks.
_AS_CODE = re.compile(r"\b(?=\w*_|\w*[a-z][A-Z])[A-Za-z_]\w{2,}|\b[A-Za-z_]\w{2,}(?=\(|`)")
_PATHLIKE = re.compile(r"[\w./-]+")
_ENDINGS = re.compile(r"(?:ations?|ings?|ers?|ed|es|s|e)$")
_DULL = frozenset(
    re.findall(
        r"\w+",
        "the and for with from into that this when not are was has have all any but can use add fix make new get set "
        "test file code class function method def return error should does instead only",
    )
)


class Ranked(msgspec.Struct, frozen=True):
    """A definition, and how much it matters.

    Attributes:
        path: Its file.
        definition: What it is.
        score: The more the better.
    """

    path: str
    definition: Definition
    score: float


@lru_cache(maxsize=100_000)
def parts_of(text: str) -> frozenset[str]:
    """The parts of the words in a text or a name, without endings: ``parseWheels`` has ``pars`` and ``wheel``."""
    found = (_stem(part.lower()) for part in _PART.findall(text))
    return frozenset(part for part in found if len(part) > 2 and part not in _DULL)


def _stem(word: str) -> str:
    if word in _DULL:
        return word
    short = _ENDINGS.sub("", word)
    return short if len(short) > 2 else word


class Wish(msgspec.Struct, frozen=True):
    """What a map is made for.

    Attributes:
        task: The words of the task, and of what is wrong now.
        recent: Files changed lately, the latest first.
    """

    task: str = ""
    recent: tuple[str, ...] = ()


def rank(files: Mapping[str, Tags], wish: Wish) -> tuple[dict[str, float], list[Ranked]]:
    """How much files, and what they define, matter for a task.

    Args:
        files: What the files have, by path.
        wish: What it is for.

    Returns:
        Scores of the files that may matter, and what they define, the best first. The same for the same, whatever the
        order.
    """
    matter = _Matter(sorted(files), files, wish)
    # Of a huge project only the part is walked that the task may be about: nobody waits for the rest.
    paths = sorted(sorted(files, key=lambda path: (-matter.start[path], path))[:_MOST_WALKED])
    defined: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        for name in dict.fromkeys(one.name for one in files[path].definitions if not one.inside):
            defined[name].append(path)
    edges = _edges(paths, files, defined, matter.named)
    scores = _walk(paths, edges, matter.start)
    ranked = _definitions(paths, files, scores, edges, matter)
    return {path: scores[path] + matter.start[path] for path in paths}, ranked


class _Matter:
    """What the task speaks of: names letter by letter, and where the parts of its words stand."""

    def __init__(self, paths: Sequence[str], files: Mapping[str, Tags], wish: Wish) -> None:
        self.named = frozenset(_AS_CODE.findall(wish.task))
        wanted = parts_of(wish.task)
        holders: Counter[str] = Counter()
        inside: dict[str, dict[str, float]] = {}
        for path in paths:
            inside[path] = _parts_in(path, files[path], wanted)
            holders.update(inside[path].keys())
        count = len(paths) or 1
        self.worth = {part: math.log(1 + count / (1 + holders[part])) for part in holders}
        mentioned = set(_PATHLIKE.findall(wish.task))
        recent = {path: 1.0 / (2 + at) for at, path in enumerate(wish.recent)}
        raw = {
            path: sum(self.worth[part] * weight for part, weight in sorted(inside[path].items()))
            + _mention(path, mentioned)
            + recent.get(path, 0.0)
            for path in paths
        }
        # What nothing is said of may matter all the same; tests are read when they are named.
        raw = {path: (value + 0.05) * (0.4 if _is_test(path) else 1.0) for path, value in raw.items()}
        total = sum(raw.values()) or 1.0
        self.start = {path: value / total for path, value in raw.items()}

    def of(self, name: str) -> float:
        """How much the task speaks of a name."""
        if name in self.named:
            return 6.0
        return sum(self.worth.get(part, 0.0) for part in sorted(parts_of(name)))


def _parts_in(path: str, tags: Tags, wanted: frozenset[str]) -> dict[str, float]:
    """Which of the task's words a file has, and how much that says: in its path, its names, or its text."""
    found: dict[str, float] = {}
    if not wanted:
        return found
    for word in tags.words:
        for part in parts_of(word) & wanted:
            found.setdefault(part, 0.3)
    for one in tags.definitions:
        for part in parts_of(one.name) & wanted:
            found[part] = 1.0
    for part in parts_of(path) & wanted:
        found[part] = 2.0
    return found


def _mention(path: str, mentioned: Collection[str]) -> float:
    name = path.rsplit("/", 1)[-1]
    if path in mentioned or any(one.endswith("/" + path) for one in mentioned):
        return 20.0
    return 10.0 if name in mentioned else 0.0


def _is_test(path: str) -> bool:
    return bool(re.search(r"(^|/)(tests?|testing|spec)(/|$)|(^|/)(test_|conftest)|[._]test\.|_spec\.", path))


Edges = dict[str, dict[str, dict[str, float]]]
"""Who uses: whose: which name, and how much."""


def _edges(
    paths: Sequence[str], files: Mapping[str, Tags], defined: Mapping[str, list[str]], named: Collection[str]
) -> Edges:
    worth = {name: _worth(name, len(owners), named) for name, owners in defined.items()}
    edges: Edges = {}
    for path in paths:
        out: dict[str, dict[str, float]] = defaultdict(dict)
        for word, times in files[path].words.items():
            owners = defined.get(word, ())
            if not owners or len(owners) > 4 * _COMMON or path in owners:
                continue
            weight = worth[word] * math.sqrt(min(times, _MOST_USED)) / len(owners)
            for owner in owners:
                out[owner][word] = weight
        edges[path] = dict(out)
    return edges


def _worth(name: str, owners: int, named: Collection[str]) -> float:
    value = 1.0
    if name in named:
        value *= 10.0
    if len(name) >= 8 and ("_" in name.strip("_") or re.search(r"[a-z][A-Z]", name)):
        value *= 4.0
    if name.startswith("_"):
        value *= 0.2
    return value * 0.1 if owners > _COMMON else value


def _walk(paths: Sequence[str], edges: Edges, start: Mapping[str, float]) -> dict[str, float]:
    """PageRank by repeated steps, beginning anew at `start`."""
    at = {path: number for number, path in enumerate(paths)}
    begin = [start[path] for path in paths]
    steps: list[list[tuple[int, float]]] = []
    for path in paths:
        weights = {at[owner]: sum(names.values()) for owner, names in edges[path].items()}
        whole = sum(weights.values())
        steps.append([(owner, weight / whole) for owner, weight in weights.items()] if whole else [])
    now = begin
    for _ in range(_ROUNDS):
        after = [(1 - _DAMPING) * value for value in begin]
        lost = 0.0
        for source, value in enumerate(now):
            if not steps[source]:
                lost += value
            for owner, share in steps[source]:
                after[owner] += _DAMPING * value * share
        now = [value + _DAMPING * lost * begin[number] for number, value in enumerate(after)]
    return dict(zip(paths, now, strict=True))


def _definitions(
    paths: Iterable[str], files: Mapping[str, Tags], scores: Mapping[str, float], edges: Edges, matter: _Matter
) -> list[Ranked]:
    """The definitions, each with the part of its file's score that comes in over its name."""
    came: dict[tuple[str, str], float] = defaultdict(float)
    for path, owners in edges.items():
        total = sum(sum(names.values()) for names in owners.values())
        for owner, names in owners.items():
            for name, weight in names.items():
                came[owner, name] += scores[path] * weight / total
    ranked = []
    for path in paths:
        own = scores[path] / (1 + len(files[path].definitions))
        for one in files[path].definitions:
            if one.inside:
                continue
            score = (came[path, one.name] + own) * (1.0 + matter.of(one.name))
            score *= 0.5 if one.name.startswith("_") else 1.0
            ranked.append(Ranked(path, one, score))
    return sorted(ranked, key=lambda one: (-one.score, one.path, one.definition.line))
