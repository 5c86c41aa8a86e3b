"""Which failures of the baseline a task is about: a verdict is not green while they are left."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from agent_core.checks.imports import ImportGraph, Read
from agent_core.checks.model import CheckResult, Finding


def find_targets(
    task: str,
    base_results: Sequence[CheckResult],
    changed: Collection[str],
    files: Iterable[str],
    read: Read,
) -> tuple[Finding, ...]:
    """Choose the failing tests that a patch for a task has to mend.

    Those that the task names, by node id, path or bare name; where it names none, those whose test module reaches
    a changed file through imports, or is itself changed.

    Args:
        task: What the human asked for.
        base_results: What the checks say about the base.
        changed: The paths the patch touches.
        files: All paths of the candidate.
        read: Gives the bytes of a file of the candidate.
    """
    failing = [
        finding
        for result in base_results
        if result.check == "pytest" and result.judged
        for finding in result.findings
        if module_of(finding)
    ]
    if not failing:
        return ()
    named = tuple(finding for finding in failing if named_in(task, finding))
    if named:
        return _most_exactly(task, named)
    graph = ImportGraph(files, read)
    touched = set(changed)
    near = {module for module in {module_of(finding) for finding in failing} if touched & graph.reached(module)}
    return tuple(finding for finding in failing if module_of(finding) in near)


def module_of(finding: Finding) -> str:
    """The test file of a finding of pytest; empty where it is about none."""
    module = finding.code.partition("::")[0]
    return module if module.endswith(".py") else ""


def named_in(text: str, finding: Finding) -> bool:
    """Whether a text names a test: its node id, its file's path, or its function or class as a word."""
    module, *names = _parts(finding.code)
    return _stands_in(text, module) or any(_stands_in(text, name) for name in names)


def _parts(node: str) -> list[str]:
    """A node id without its parameters: the file, then classes and function."""
    return node.partition("[")[0].split("::")


def _stands_in(text: str, name: str) -> bool:
    """Whether a name stands in a text, not as a part of a longer one."""
    return bool(name) and re.search(rf"(?<![\w/.-]){re.escape(name)}(?![\w-]|\.\w|/)", text) is not None


def _most_exactly(task: str, named: Sequence[Finding]) -> tuple[Finding, ...]:
    """Of the tests a task names, those it names by function, if there are any: "fix test_a in tests/test_x.py"."""
    exact = [finding for finding in named if _stands_in(task, finding.code)]
    exact = exact or [
        finding for finding in named if len(parts := _parts(finding.code)) > 1 and _stands_in(task, parts[-1])
    ]
    return tuple(exact or named)
