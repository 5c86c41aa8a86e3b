"""Which failing tests are to be mended, by what the test check says; or why none are."""

from __future__ import annotations

from agent_core.checks.model import CheckResult, Finding
from agent_core.repair import words
from agent_core.repair.model import Wanted
from agent_core.repair.named import meant


def asked(tests: CheckResult, wanted: Wanted) -> list[str]:
    """The ids of the tests, files and folders that fail, and are to be mended."""
    failing = [one.code for one in tests.findings if "::" in one.code or one.code.endswith(".py") or _unloaded(one)]
    return [test for test in failing if not wanted.tests or meant(test, wanted.tests)]


def _unloaded(finding: Finding) -> bool:
    """Whether it is of a folder whose ``conftest.py`` cannot be imported."""
    return finding.message.startswith("ConftestImportFailure")


def unable(tests: CheckResult) -> bool:
    """Whether the tests could not be run, for a reason that may lie in the program: what they import at first fails."""
    return tests.outcome == "error" and not tests.findings


def nothing_asked(tests: CheckResult | None, wanted: Wanted) -> str:
    """Why no test is to be mended, in a sentence for a human; empty where some are, or may be.

    Args:
        tests: What the test check says; None where there is none.
        wanted: What is wanted.
    """
    if tests is None or tests.outcome == "no_tests":
        return words.NO_TESTS
    if tests.outcome == "missing":
        return words.not_run(tests.summary)
    if unable(tests) or asked(tests, wanted):
        return ""
    passing = [test for test in tests.passed if meant(test, wanted.tests)]
    if wanted.tests and passing:
        return words.passing_now(passing)
    if tests.outcome == "passed":
        return words.unknown_tests(wanted.tests) if wanted.tests else words.NO_TEST_FAILS
    return ""
