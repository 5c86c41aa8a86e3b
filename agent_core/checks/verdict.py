"""The verdict: what the checks say about a candidate, compared with what they said about its base. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from agent_core.checks.model import CheckResult, Finding, Verdict

# Where a file does not parse, these tools say only that; whatever else they had to say is hidden, not gone.
_SYNTAX_CODES = {"syntax", "invalid-syntax", "E999", "SyntaxError", "IndentationError", "TabError"}
LOST = "no-longer-judges"
FEWER = "fewer-tests"


def judge(
    base_results: Sequence[CheckResult], results: Sequence[CheckResult], targets: Collection[Finding] = ()
) -> Verdict:
    """Compare a candidate with its base.

    Findings are compared as multisets of fingerprints, check by check. A check that judged the base and does not
    judge the candidate breaks something; one that judges neither is named and blocks nothing.

    Args:
        base_results: One result a check, about the base.
        results: One result a check, about the candidate.
        targets: Findings of the base that the task is about; as long as one is left the verdict is not green.
    """
    before = {result.check: result for result in base_results}
    broken: list[Finding] = []
    fixed: list[Finding] = []
    known: list[Finding] = []
    for result in results:
        base = before.get(result.check)
        old = base.findings if base is not None and base.judged else ()
        if result.judged or result.outcome == "skipped":
            new_broken, gone, same = _compare(old, result.findings)
            broken += new_broken
            if base is not None and gone and _runs_fewer(base, result):
                broken.append(_fewer(base, result))
            fixed += gone
            known += same
        elif base is not None and base.judged:
            broken.append(_lost(result))
            known += old
    wanted = Counter(finding.fingerprint for finding in targets)
    left = []
    for finding in known:
        if wanted[finding.fingerprint] > 0:
            wanted[finding.fingerprint] -= 1
            left.append(finding)
    judged = any(result.judged for result in results)
    green = judged and not broken and not left
    return Verdict(
        tree=results[0].tree if results else "",
        base_tree=base_results[0].tree if base_results else "",
        green=green,
        results=tuple(results),
        broken=tuple(broken),
        fixed=tuple(fixed),
        known=tuple(known),
        targets_left=tuple(left),
        summary=_summary(results, judged=judged, broken=broken, fixed=fixed, known=known, left=left),
    )


def _compare(old: Sequence[Finding], new: Sequence[Finding]) -> tuple[list[Finding], list[Finding], list[Finding]]:
    """The multiset difference of two lists of findings of one check: broken, fixed, known."""
    unmatched = Counter(finding.fingerprint for finding in old)
    added: list[Finding] = []
    known: list[Finding] = []
    for finding in new:
        if unmatched[finding.fingerprint] > 0:
            unmatched[finding.fingerprint] -= 1
            known.append(finding)
        else:
            added.append(finding)
    gone: list[Finding] = []
    # Of several equal ones the last are the ones that are gone: which, nobody can tell.
    for finding in reversed(old):
        if unmatched[finding.fingerprint] > 0:
            unmatched[finding.fingerprint] -= 1
            gone.insert(0, finding)
    now, then = _Blockers(new), _Blockers(old)
    fixed = [finding for finding in gone if not now.hide(finding)]
    known += [finding for finding in gone if now.hide(finding)]
    # A test that could not be collected did not pass before; one that fails now is this patch's to answer for.
    revealed = [finding for finding in added if finding.check != "pytest" and then.hide(finding)]
    broken = [finding for finding in added if finding.check == "pytest" or not then.hide(finding)]
    return broken, fixed, known + revealed


class _Blockers:
    """What in a list of findings kept the tool from looking further.

    mypy stops at a syntax error anywhere, ruff says nothing else about such a file, and tests of a file that
    cannot be collected do not run, which is no success of theirs.
    """

    def __init__(self, findings: Iterable[Finding]) -> None:
        self._files: set[str | None] = set()
        self._nodes: set[str] = set()
        for finding in findings:
            if finding.check == "pytest" and "::" not in finding.code:
                self._nodes.add(finding.code)
            elif finding.check != "pytest" and finding.code in _SYNTAX_CODES:
                self._files.add(finding.path)

    def hide(self, finding: Finding) -> bool:
        """Whether a finding may be there and not have been seen."""
        if finding.check == "pytest":
            file, separator, _ = finding.code.partition("::")
            return bool(separator) and file in self._nodes
        if finding.code in _SYNTAX_CODES:
            return False
        return bool(self._files) if finding.check == "mypy" else finding.path in self._files


def _lost(result: CheckResult) -> Finding:
    """The finding that a check no longer judges."""
    message = f"{result.check} judged before this patch and cannot any more: {result.summary}"
    return Finding(result.check, message, code=LOST, detail=result.output)


def _runs_fewer(base: CheckResult, result: CheckResult) -> bool:
    """Whether tests are gone for another reason than that their file can't be collected, which is told already."""
    uncollected = any("::" not in finding.code for finding in result.findings)
    return result.check == "pytest" and base.total > result.total and not uncollected


def _fewer(base: CheckResult, result: CheckResult) -> Finding:
    """The finding that failures are gone and tests too: a test that does not run is not mended."""
    missing = base.total - result.total
    what = "1 test that ran before does" if missing == 1 else f"{missing} tests that ran before do"
    return Finding(
        result.check, f"{what} not run any more: removing or skipping a failing test mends nothing", code=FEWER
    )


def _counted(findings: Sequence[Finding]) -> str:
    """How many findings of which check, such as ``3 (pytest 2, mypy 1)``."""
    counts = Counter(finding.check for finding in findings)
    return f"{len(findings)} ({', '.join(f'{check} {count}' for check, count in counts.items())})"


def _summary(
    results: Sequence[CheckResult],
    *,
    judged: bool,
    broken: Sequence[Finding],
    fixed: Sequence[Finding],
    known: Sequence[Finding],
    left: Sequence[Finding],
) -> str:
    """One line for a human."""
    lost = {finding.check for finding in broken if finding.code == LOST}
    silent = [result for result in results if not result.judged and result.outcome != "skipped"]
    silent_text = "".join(
        f"; no tests ran ({result.summary})" if result.outcome == "no_tests" else f"; {result.check} could not run"
        for result in silent
        if result.check not in lost
    )
    if not judged and not broken:
        return f"no check could judge this{silent_text}"
    breaks = f"breaks {_counted(broken)}" if broken else "breaks nothing"
    fixes = f"fixes {len(fixed)}" if fixed else ""
    still = f"{len(left)} of the task's own {'failure is' if len(left) == 1 else 'failures are'} left" if left else ""
    rest = f"{len(known)} known" if known else ""
    if broken or left:
        return ", ".join(part for part in (breaks, fixes, still, rest) if part) + silent_text
    told = ", ".join(part for part in (fixes, breaks) if part)
    return f"green: {told}{f'; {rest}' if rest else ''}{silent_text}"
