"""What is looked for, tried and found. Frozen; positions are those of Python's strings, lines count from 1."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

Stage = Literal["looking", "trying", "pairs", "comparing", "mending"]
Kind = Literal["tests", "syntax", "names", "lint", "types"]
TrialOutcome = Literal["passed", "failed", "hung", "memory", "crashed", "unusable"]
RunOutcome = Literal["passed", "failed", "error", "skipped", "hung", "crashed"]


class Edit(msgspec.Struct, frozen=True, order=True):
    """Some text of one file in the place of other text.

    Attributes:
        path: The file, relative to the project with ``/``.
        start: Where it begins, as an index into the file's text (line ends as they are in the file).
        end: Where it ends; `start` to insert.
        text: What stands there instead.
    """

    path: str
    start: int
    end: int
    text: str


class Variant(msgspec.Struct, frozen=True):
    """One way in which the program could be changed.

    Attributes:
        edits: What changes; they do not overlap.
        template: Name of the template that made it; of a pair both, joined by ``+``.
        cost: How unusual such a change is: 1.0 for the most ordinary slip, less only where something is wrong for
            certain; of a pair the product.
        says: What it does, as a human would say it: ``<= for <``. Code in it is the project's: untrusted text.
        line: The first line it touches.
    """

    edits: tuple[Edit, ...]
    template: str
    cost: float
    says: str
    line: int

    @property
    def path(self) -> str:
        """The file of its first edit."""
        return self.edits[0].path


class Suspect(msgspec.Struct, frozen=True):
    """A line that may be wrong.

    Attributes:
        path: Its file.
        line: Its number.
        score: How suspicious, from 0 to 1.
        in_traceback: A failing test's traceback goes through it.
    """

    path: str
    line: int
    score: float
    in_traceback: bool = False


class Value(msgspec.Struct, frozen=True):
    """What a name held when a test failed.

    Attributes:
        name: The name, such as ``prices`` or ``self.total``.
        kind: The name of its type.
        text: It as text, shortened.
    """

    name: str
    kind: str
    text: str


class Frame(msgspec.Struct, frozen=True):
    """A place that a failing test's traceback goes through.

    Attributes:
        path: Its file, relative to the project.
        line: The line.
        function: The function's name.
        values: What its names held.
    """

    path: str
    line: int
    function: str
    values: tuple[Value, ...] = ()


class TestRun(msgspec.Struct, frozen=True):
    """One test, run once as the program is.

    Attributes:
        test: Its id, as pytest has it.
        outcome: What came of it.
        seconds: How long it took.
        lines: The lines of the project's files that it executed, in order, by path; empty where that is not known.
        error: Name of the exception's type; empty where it passed.
        message: What the exception says, shortened.
        frames: Where it went through, the project's own frames only, the innermost last.
        wavers: It failed, and passed when it was run again by itself without any change.
    """

    __test__ = False

    test: str
    outcome: RunOutcome
    seconds: float
    lines: Mapping[str, tuple[int, ...]] = {}
    error: str = ""
    message: str = ""
    frames: tuple[Frame, ...] = ()
    wavers: bool = False

    @property
    def bad(self) -> bool:
        """Whether it did not pass, in whatever way."""
        return self.outcome not in {"passed", "skipped"}


class Look(msgspec.Struct, frozen=True):
    """What the tests say of the program as it is.

    Attributes:
        runs: Those that were run.
        fault: Why nothing, or not everything, could be run, in words for a human; empty where all went well.
        safe: Variants can be tried in forks; else each needs a process of its own.
        whole: All tests of the project were run, so that one can be trusted that passes them.
        starting: How many seconds it took until the tests were collected.
    """

    runs: tuple[TestRun, ...] = ()
    fault: str = ""
    safe: bool = True
    whole: bool = True
    starting: float = 0.0


class Plan(msgspec.Struct, frozen=True):
    """A variant that is to be tried.

    Attributes:
        number: By which its trial is known.
        edits: What it changes.
        tests: Ids of the tests it must pass, in the order in which they are run; it ends at the first that fails.
    """

    number: int
    edits: tuple[Edit, ...]
    tests: tuple[str, ...]


class Trial(msgspec.Struct, frozen=True):
    """What came of trying a variant.

    Attributes:
        number: Of its plan.
        outcome: ``passed`` all of them, or what ended it: a test ``failed``; it ``hung`` or took too much ``memory``;
            the process ``crashed``; it was ``unusable`` (not to be compiled or imported).
        passed: How many tests passed.
        test: The test it ended at, if any.
        why: What went wrong, shortened.
        seconds: How long it took.
    """

    number: int
    outcome: TrialOutcome
    passed: int = 0
    test: str = ""
    why: str = ""
    seconds: float = 0.0


class Difference(msgspec.Struct, frozen=True):
    """An input on which repairs that pass all tests do not do the same.

    Attributes:
        call: The call, as text: ``clamp(0, 0, 0)``.
        results: What each repair gives for it, as text, in the order of the repairs; ``raises ValueError``.
        when: In which way the input is special, such as ``items is empty``; empty where it is not.
    """

    call: str
    results: tuple[str, ...]
    when: str = ""


class Repair(msgspec.Struct, frozen=True):
    """A change that mends what it was looked for.

    Attributes:
        variant: The change.
        kind: What it mends.
        passed: How many tests pass with it, the ones that failed included; 0 where tests do not tell.
        whole: All tests of the project passed with it.
        alike: How many other variants behave like it in all that was compared.
        mends: What is mended: ids of tests, or findings in words.
    """

    variant: Variant
    kind: Kind = "tests"
    passed: int = 0
    whole: bool = False
    alike: int = 0
    mends: tuple[str, ...] = ()


class Partial(msgspec.Struct, frozen=True):
    """A change that mends some of what was to be mended, or all of it at the price of something else.

    Attributes:
        variant: The change.
        mends: Ids of the tests that pass with it and fail without.
        fails: Id of the test it was given up at; what comes behind that was not run with it.
        breaks: That test passes without it.
    """

    variant: Variant
    mends: tuple[str, ...]
    fails: str
    breaks: bool


class Wanted(msgspec.Struct, frozen=True):
    """What is to be repaired.

    Attributes:
        tests: Ids of failing tests, or beginnings of ids (a file, a class); empty for all that fail.
        kinds: What may be mended, the first that there is something of; empty for all.
        paths: Files in which it may be mended; empty for all that are not tests.
        seconds: Most time it may take.
        spare: Let everything else on the machine go first.
    """

    tests: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    paths: tuple[str, ...] = ()
    seconds: float = 60.0
    spare: bool = False


class Progress(msgspec.Struct, frozen=True):
    """How a search gets on.

    Attributes:
        stage: What it is at.
        tried: How many variants (when looking: tests) so far.
        total: Out of how many; 0 where that is not known.
        found: How many repairs so far.
        trying: What is being tried, in words.
        seconds: How long it has taken; see `agent_core.repair.clock.Clock`, which knows that.
        limit: How long it may take; 0 as long as that is not known, as the checks have not spoken.
    """

    stage: Stage
    tried: int = 0
    total: int = 0
    found: int = 0
    trying: str = ""
    seconds: float = 0.0
    limit: float = 0.0


class Found(msgspec.Struct, frozen=True):
    """What a search came to.

    Attributes:
        repairs: What was found, the best first; each does something else than the others.
        word: Why there is none, or what is to be known beside them, in a sentence for a human; may be empty.
        differences: Inputs on which the repairs differ, those first that tell most apart.
        failing: The tests it was about, as they ran.
        suspects: The lines it looked at, the most suspicious first.
        tried: How many variants were tried.
        seconds: How long it took.
        ended: Whether it ``finished``, ran ``out of time``, or was ``stopped``.
        texts: The files that repairs touch as they were looked at, without a byte order mark: what the positions of
            edits are about.
        partial: Where some of the failing tests have no repair: changes that come near to one, the nearest first.
    """

    repairs: tuple[Repair, ...] = ()
    word: str = ""
    differences: tuple[Difference, ...] = ()
    failing: tuple[TestRun, ...] = ()
    suspects: tuple[Suspect, ...] = ()
    tried: int = 0
    seconds: float = 0.0
    ended: Literal["finished", "out of time", "stopped"] = "finished"
    texts: Mapping[str, str] = {}
    partial: tuple[Partial, ...] = ()


def with_edits(text: str, edits: Iterable[Edit]) -> str:
    """A file's text with edits carried out.

    Args:
        text: The text.
        edits: Edits of this one file, which do not overlap.

    Raises:
        ValueError: They overlap, or leave the text.
    """
    parts: list[str] = []
    at = 0
    for edit in sorted(edits):
        if not at <= edit.start <= edit.end <= len(text):
            raise ValueError(f"edits of {edit.path} overlap or leave the text")
        parts += (text[at : edit.start], edit.text)
        at = edit.end
    return "".join((*parts, text[at:]))


def joined(first: Variant, second: Variant) -> Variant | None:
    """Two variants at once; None where they touch the same text."""
    edits = tuple(sorted((*first.edits, *second.edits)))
    for one, other in itertools.pairwise(edits):
        if one.path == other.path and (one.end > other.start or one.start == other.start):
            return None
    return Variant(
        edits,
        f"{first.template}+{second.template}",
        first.cost * second.cost,
        f"{first.says}, and {second.says}",
        min(first.line, second.line),
    )
