"""Which of what the built-in partner can do a text asks for: by names that exist in the project, and a few plain words.

It understands no sentences, and says so. What it takes from a text is written down here, and nothing else is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

import msgspec

from agent_core.patch.encoding import readable
from agent_core.repair.desk import Files
from agent_core.repair.model import Kind, Wanted
from agent_core.repair.named import meant

KINDS: dict[Kind, frozenset[str]] = {
    "tests": frozenset({"test", "tests", "failing", "fail", "fails", "failed", "failure", "failures", "pytest"}),
    "syntax": frozenset({"syntax", "syntaxerror", "indentation"}),
    "names": frozenset({"import", "imports", "undefined", "nameerror", "importerror"}),
    "lint": frozenset({"lint", "linter", "ruff", "style"}),
    "types": frozenset({"type", "types", "mypy", "typing", "annotation", "annotations"}),
}
REPAIR = frozenset({
    "fix", "fixes", "repair", "mend", "heal", "cure", "correct", "solve", "resolve", "debug", "find", "search", "go",
    "continue", "again", "retry", "going", "green", "red", "broken", "unbreak", "wrong", "bug", "bugs", "error",
    "errors",
})  # fmt: skip
"""Words that ask for a repair."""
OTHER = frozenset({
    "add", "write", "create", "implement", "build", "make", "refactor", "rename", "remove", "delete", "move", "update",
    "upgrade", "improve", "optimize", "optimise", "simplify", "convert", "translate", "explain", "describe", "document",
    "review", "why", "what", "how", "who", "when", "where", "should", "could", "can",
})  # fmt: skip
"""Words that ask for something else, whatever they name."""
_WORD = re.compile(r"[A-Za-z]+")
# A file, perhaps with a test in it; what stands in brackets may hold anything but white space.
_NODE = re.compile(r"[\w./\\-]+\.pyi?(?:::[\w:]+(?:\[[^\]\s]*\])?)?")
_FOLDER = re.compile(r"[\w.-]+(?:/[\w.-]+)*/")
_NAME = re.compile(r"`([A-Za-z_][\w.]*)(?:\(\))?`|\b([A-Za-z_]\w*)\(\)|\b([A-Za-z]\w*_\w*|_\w+|[A-Z][a-z]+[A-Z]\w*)\b")
# "Make the tests pass", which names neither a repair nor what is wrong; not "add a test that passes".
_PASS = re.compile(r"\b(?:make|get|have|let)\b[^.!?]*\btests?\b[^.!?]*\b(?:pass|succeed|run)\b", re.IGNORECASE)
# Whatever it is that is to be well: nothing comes behind it that would say what else it is to do.
_WELL = re.compile(
    r"\b(?:make|get|have|let|turn)\b.*\b(?:pass(?:es|ing)?|succeed|works?|green|happy)(?:\W+(?:again|now|please|too))*\W*\Z"
    r"|\b(?:does|do|did)(?:n't| not) work\b",
    re.IGNORECASE,
)
_ALL = frozenset({"it", "this", "everything", "all", "them", "these", "suite", "build", "check", "checks"})
_YES = re.compile(
    r"\W*(?:(?:yes|yep|yeah|sure|ok|okay|please|do (?:it|that|so)|(?:and )?the (?:rest|others)|all of (?:it|them))"
    r"\b\W*)+",
    re.IGNORECASE,
)
_BESIDE_NAMES = frozenset(
    {"only", "just", "try", "in", "at", "the", "file", "function", "and", "no", "instead", "please"}
)
_MOST_FILES = 2000
_MOST_SAID = 2000  # characters; a sentence with a wish in it is no longer


class Wish(msgspec.Struct, frozen=True):
    """What a text asks for.

    Attributes:
        wanted: It, for the search.
        plain: It asks for a repair, or names what one can be about; else it may ask for anything.
        missing: Files and tests it names that there are none of.
    """

    wanted: Wanted
    plain: bool
    missing: tuple[str, ...] = ()


def wish_of(text: str, files: Files, seconds: float) -> Wish:
    """Read a text.

    Args:
        text: The human's words.
        files: The project's files, for the names that exist.
        seconds: How long a search may take.
    """
    paths = frozenset(files.paths())
    tests: list[str] = []
    within: list[str] = []
    missing: list[str] = []
    for node in _NODE.findall(text):
        path, _, name = node.replace("\\", "/").removeprefix("./").partition("::")
        known = path if path in paths else _by_name(path, paths)
        if not known:
            missing.append(node)
        elif name or is_test(known):
            tests.append(f"{known}::{name}" if name else known)
        else:
            within.append(known)
    rest = _NODE.sub(" ", text)
    for folder in _FOLDER.findall(rest):
        inside = sorted(path for path in paths if path.startswith(folder) and path.endswith(".py"))
        tests += [folder] if any(map(is_test, inside)) else []
        within += () if any(map(is_test, inside)) else inside
    names = list(dict.fromkeys(name.rpartition(".")[2] for found in _NAME.findall(rest) for name in found if name))
    if names:
        found_tests, found_files = _defined(names, sorted(paths), files)
        # "test_a in test_shop.py" is one test, and not the whole file.
        tests = [one for one in tests if one not in found_tests.values()] + [*found_tests]
        within += found_files
        missing += [name for name in names if name.startswith("test_") and name not in found_tests]
    words = {word.lower() for word in _WORD.findall(_NAME.sub(" ", rest))}
    kinds = tuple(kind for kind, said in KINDS.items() if said & words)
    if tests and set(kinds) <= {"tests"}:
        kinds = ("tests",)
    said = text[-_MOST_SAID:]
    well = bool(_WELL.search(said)) and bool(kinds or tests or within or _ALL & words)
    repair = bool(REPAIR & words) or bool(_PASS.search(said)) or well
    wanted = Wanted(tuple(dict.fromkeys(tests)), kinds, tuple(dict.fromkeys(within)), seconds)
    # Who asks for tests to be written, or why something is so, names tests too.
    plain = repair or (bool(kinds or tests) and not OTHER & words) or "fail" in words or "fails" in words
    plain = plain or (bool(within) and words <= _BESIDE_NAMES)
    return Wish(wanted, plain, tuple(dict.fromkeys(missing)))


def agrees(text: str) -> bool:
    """Whether a text says yes, and nothing else."""
    return _YES.fullmatch(text) is not None


def asks_for(wish: Wish, mends: Sequence[str], paths: Iterable[str], *, whole: bool) -> bool:
    """Whether a wish asks for a repair that has been found already.

    Args:
        wish: The wish.
        mends: Ids of the tests that pass with the repair and failed before.
        paths: The files it changes.
        whole: All tests pass with it.
    """
    wanted = wish.wanted
    if not wish.plain or (wanted.kinds and "tests" not in wanted.kinds):
        return False
    if wanted.paths and not set(paths) <= set(wanted.paths):
        return False
    return whole or not wanted.tests or any(meant(one, wanted.tests) for one in mends)


def is_test(path: str) -> bool:
    """Whether a file's name is that of tests, as pytest looks for them."""
    name = PurePosixPath(path).name
    return name.endswith(".py") and (name.startswith("test_") or name.endswith("_test.py"))


def _by_name(path: str, paths: Iterable[str]) -> str:
    """The one file whose path ends so; empty where there is none, or several."""
    found = [one for one in paths if one.endswith(f"/{path}")]
    return found[0] if len(found) == 1 else ""


def _defined(names: list[str], paths: list[str], files: Files) -> tuple[dict[str, str], list[str]]:
    """The tests of these names with their files, and the files that define functions or classes of them."""
    wanted = re.compile(
        rf"^[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+({'|'.join(map(re.escape, names))})\b", re.MULTILINE
    )
    tests: dict[str, str] = {}
    within: list[str] = []
    for path in [one for one in paths if one.endswith(".py")][:_MOST_FILES]:
        data = files.read(path)
        text = readable(data) if data is not None else None
        for name in dict.fromkeys(wanted.findall(text)) if text else ():
            if is_test(path):
                # Within a class its id is longer than that: the bare name finds it wherever it stands.
                tests[name] = path
            else:
                within.append(path)
    return tests, within
