"""What a check says: findings, results, and the verdict that compares them with the baseline."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

import msgspec

Outcome = Literal["passed", "failed", "no_tests", "missing", "timeout", "error", "skipped"]
Where = Literal["candidate", "baseline"]
Stage = Literal["first", "affected", "all"]

UNABLE: frozenset[Outcome] = frozenset({"missing", "timeout", "error"})
"""Outcomes of checks that were to judge and could not."""

SYNTAX_CODES = frozenset({"syntax", "invalid-syntax", "E999", "SyntaxError", "IndentationError", "TabError"})
"""Codes of findings in a file that does not parse: the tools that give them say only that, and hide all else."""

_NUMBERS = re.compile(r"0x[0-9a-fA-F]+|\d+")
# In the id of a test with parameters: where an object lay in memory, which is another place in each run.
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{4,}")


def key_of_test(node: str) -> str:
    """What a test is known by from one run to another: its id, without addresses of objects."""
    return _ADDRESS.sub("0x", node)


class Finding(msgspec.Struct, frozen=True):
    """One thing a check said.

    Attributes:
        check: Name of the check, such as ``pytest``.
        message: What is wrong, in one line.
        path: File concerned, relative to the project with ``/``; None when there is none.
        line: 1-based line, or None.
        code: Rule, error class or test id (``F821``, ``arg-type``, ``tests/test_a.py::test_b``).
        text: The source line itself, stripped; what lets the fingerprint survive line shifts.
        detail: More for the one who has to mend it: traceback, assertion, captured output. May be empty.
        near: The stripped lines above and below ``text``, which tell equal lines apart.
        fix: What the tool could mend by itself, in its words; empty when it can't.
    """

    check: str
    message: str
    path: str | None = None
    line: int | None = None
    code: str = ""
    text: str = ""
    detail: str = ""
    near: str = ""
    fix: str = ""

    @property
    def fingerprint(self) -> str:
        """Identity that survives line shifts: check, path, code, message without numbers, source line.

        A test is known by its id alone: the same test failing with another message is the same failure.
        """
        if self.check == "pytest" and self.code:
            parts: tuple[str, ...] = (self.check, key_of_test(self.code))
        else:
            parts = (self.check, self.path or "", self.code, without_numbers(self.message), self.text)
        # The first paint needs what a finding is, and no hash, which is not free to import.
        import hashlib  # noqa: PLC0415

        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]

    @property
    def place(self) -> str:
        """Where it is, as ``path:line``; empty when it has no place."""
        if self.path is None:
            return ""
        return self.path if self.line is None else f"{self.path}:{self.line}"


class CheckResult(msgspec.Struct, frozen=True):
    """What one check said about one tree.

    Attributes:
        check: Name of the check.
        outcome: ``passed`` and ``failed`` are judgements; every other value means it did not judge.
        tree: Hash of the tree that was judged.
        summary: One line for a human, such as ``2 failed, 15 passed``.
        findings: What it found.
        total: Things looked at (tests, files), 0 when not known.
        seconds: Wall time.
        output: Tail of what the tool printed, for a check that did not judge.
        stage: How far it got: ``first`` (the tests that failed before, or are named), ``affected`` (and those that the
            change can reach), ``all``. A check without stages is always at ``all``.
        early: A quick answer that an exact run will confirm or correct; never a reason to land.
        passed: Ids of the tests that passed. Kept in memory and in the cache, left out of events.
        cached: It was not run again: the same tree was judged before by the same tool and configuration.
    """

    check: str
    outcome: Outcome
    tree: str
    summary: str
    findings: tuple[Finding, ...] = ()
    total: int = 0
    seconds: float = 0.0
    output: str = ""
    stage: Stage = "all"
    early: bool = False
    passed: tuple[str, ...] = ()
    cached: bool = False

    @property
    def judged(self) -> bool:
        """Whether the tool really looked and gave a judgement."""
        return self.outcome in {"passed", "failed"}


class Verdict(msgspec.Struct, frozen=True):
    """The candidate compared with the baseline.

    Attributes:
        tree: Hash of the tree that was judged.
        base_tree: Hash of the tree it is compared with.
        green: Nothing broken, every target fixed, and at least one check judged.
        results: One result a check, on the candidate.
        broken: Findings that the baseline did not have, and checks that no longer run.
        fixed: Findings of the baseline that are gone.
        known: Findings that were there before and still are.
        targets_left: Those of ``known`` that the task is about.
        summary: One line for a human.
        flaky: Failures that came and went when the test was run again; no fault of the patch.
        stage: How far the slowest check got; the verdict holds for what was looked at.
        complete: Every check has said its last word about this tree, and what failed newly has been run again. While
            it is False, `green` means no more than green so far: nothing to land by.
        silenced: Findings that the patch would have brought, were it not for what it changes of the checks' own
            settings or for comments it adds that silence them. It is not green while there are any.
        gone: Ids of tests that ran on the base and do not run on the candidate: removed, renamed or skipped.
        notes: What else a human should know before trusting it, a line each.
    """

    tree: str
    base_tree: str
    green: bool
    results: tuple[CheckResult, ...]
    broken: tuple[Finding, ...] = ()
    fixed: tuple[Finding, ...] = ()
    known: tuple[Finding, ...] = ()
    targets_left: tuple[Finding, ...] = ()
    summary: str = ""
    flaky: tuple[Finding, ...] = ()
    stage: Stage = "all"
    complete: bool = True
    silenced: tuple[Finding, ...] = ()
    gone: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def unable(self) -> tuple[str, ...]:
        """Checks that were to judge and could not: they may hide anything, so what the others say is no plain pass."""
        return tuple(one.check for one in self.results if one.outcome in UNABLE)


def without_numbers(message: str) -> str:
    """A message with its numbers and addresses left out: what stays where the same is said of other values."""
    return _NUMBERS.sub("#", message)


def unheard(*_said: object) -> None:
    """Takes what nobody wants to hear."""


class Wish(msgspec.Struct, frozen=True):
    """What is wanted of one run of a check, and who hears how it gets on.

    Attributes:
        progress: Called with (done, total) as it gets on; total 0 when not known.
        partial: Called with what is known after each stage but the last, and with early answers.
        first: Ids of tests to run before all others: those that failed before, and those the task names.
        only: Run nothing but these tests; None for all.
        changed: Paths that differ from the base, from which follows what is affected; None for all the files.
    """

    progress: Callable[[int, int], None] = unheard
    partial: Callable[[CheckResult], None] = unheard
    first: tuple[str, ...] = ()
    only: tuple[str, ...] | None = None
    changed: tuple[str, ...] | None = None


class Blame(msgspec.Struct, frozen=True):
    """Which blocks of a patch a failure comes from.

    Attributes:
        check: The check that fails.
        finding: Fingerprint of the finding.
        blocks: Ids of the blocks: without them it does not fail.
    """

    check: str
    finding: str
    blocks: tuple[str, ...]
