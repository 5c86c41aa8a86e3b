"""What ``pairloop check`` tells: one `Report`, as a JSON object or as lines for a human.

With ``--json`` one object is printed for each verdict, on a line of its own. The field names of `Report`, `Said` and
`Told` are stable; new ones may come.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from agent_core.checks.model import CheckResult, Finding, Outcome, Stage, Verdict
from agent_core.diagnosis.cause import grouped, is_of_tests
from agent_core.diagnosis.listing import EARLIER
from agent_core.text import cap_text, printable

UNBROKEN, BROKEN, USAGE, UNJUDGED = 0, 1, 2, 5
"""Exit codes."""

Word = Literal["unbroken", "broken", "unjudged"]
Kind = Literal["broken", "silenced", "found", "flaky", "fixed", "known"]
_WORDS: dict[int, Word] = {UNBROKEN: "unbroken", BROKEN: "broken", UNJUDGED: "unjudged"}
_BAD: tuple[Kind, ...] = ("broken", "silenced", "found")
_SILENT: frozenset[Outcome] = frozenset({"missing", "timeout", "error"})
_TITLES: dict[Kind, str] = {
    "broken": "Broken",
    "silenced": "Silenced: new, but not shown any more as the checks are told to look away",
    "found": "Found",
    "flaky": "Flaky: failed and passed, so no fault of the change",
    "fixed": "Fixed",
    "known": "Known: there before",
}
SIGNS: dict[str, str] = {"passed": "✓", "failed": "✗", "skipped": "·", "no_tests": "·"}
"""Signs of outcomes; all others did not judge."""
_DETAIL_TOKENS = 400
_OUTPUT_LINES = 6


class Said(msgspec.Struct, frozen=True):
    """What one check said of the working tree.

    Attributes:
        check: Its name.
        outcome: ``passed`` and ``failed`` are judgements; ``skipped`` and ``no_tests``: there was nothing to look at;
            ``missing``, ``timeout`` and ``error``: it could not run.
        summary: One line for a human.
        total: Things looked at, 0 when not known.
        seconds: Wall time.
        stage: How far it got: ``first``, ``affected`` or ``all``.
        output: The end of what it printed, where it could not run.
        earlier: It was not run now: an earlier run judged the same files with the same tools and settings.
    """

    check: str
    outcome: Outcome
    summary: str
    total: int
    seconds: float
    stage: Stage
    output: str
    earlier: bool


class Told(msgspec.Struct, frozen=True):
    """One finding.

    Attributes:
        kind: ``broken``: the base does not have it. ``silenced``: the same, were it not that the change makes a check
            look away. ``found``: there is no base to compare with. ``flaky``, ``fixed``, ``known``.
        check: Who says so.
        path: File, relative to the project; null when there is none.
        line: 1-based line, or null.
        code: Rule, error class or test id.
        message: What is wrong, in one line.
        text: The source line.
        detail: Traceback, assertion, captured output; may be empty.
        fix: What the tool could mend by itself; empty when it can't.
        fingerprint: Its identity over line shifts.
    """

    kind: Kind
    check: str
    path: str | None
    line: int | None
    code: str
    message: str
    text: str
    detail: str
    fix: str
    fingerprint: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict about the working tree.

    Attributes:
        verdict: ``unbroken``, ``broken``, or ``unjudged``: nothing is known to be broken, but a check could not run.
        exit: The exit code that belongs to it: 0, 1 or 5.
        project: The project's folder.
        base: The revision it is compared with, as it was named; null when there is none.
        commit: Its full name, where it is a commit.
        tree: Hash of the tree that was judged.
        base_tree: Hash of the tree it is compared with; empty when there is none.
        stage: How far the slowest check got.
        complete: Every check has said its last word.
        summary: One line for a human.
        results: What each check said.
        findings: The findings, broken ones first; only those in the paths that were asked for.
        elsewhere: How many broken, silenced or found ones are in other paths.
        gone: Ids of tests that ran on the base and do not run any more.
        notes: What else a human should know.
    """

    verdict: Word
    exit: int
    project: str
    base: str | None
    commit: str | None
    tree: str
    base_tree: str
    stage: Stage
    complete: bool
    summary: str
    results: tuple[Said, ...]
    findings: tuple[Told, ...]
    elsewhere: int
    gone: tuple[str, ...]
    notes: tuple[str, ...]


class Base(msgspec.Struct, frozen=True):
    """What the working tree is compared with.

    Attributes:
        name: As the human names it.
        commit: Full name of the commit, where it is one.
    """

    name: str
    commit: str | None = None


def make_report(
    verdict: Verdict, project: Path, base: Base | None, wanted: Callable[[Finding], bool], *, unsettled: str = ""
) -> Report:
    """What is told of a verdict.

    Args:
        verdict: The verdict; where there is no base, all that was found is in its `Verdict.broken`.
        project: The project's folder.
        base: What it is compared with.
        wanted: Whether a finding is in the paths that were asked for.
        unsettled: Why it is about no tree at all; empty when it is about one.
    """
    new: Kind = "broken" if base is not None else "found"
    kinds: list[tuple[Kind, Iterable[Finding]]] = [
        (new, verdict.broken),
        ("silenced", verdict.silenced),
        ("flaky", verdict.flaky),
        ("fixed", verdict.fixed),
        ("known", verdict.known),
    ]
    every = [(kind, finding) for kind, findings in kinds for finding in findings]
    shown = tuple(_told(kind, finding) for kind, finding in every if wanted(finding))
    bad = sum(kind in _BAD for kind, _ in every)
    here = sum(one.kind in _BAD for one in shown)
    silent = any(said.outcome in _SILENT for said in verdict.results)
    judged = any(said.judged for said in verdict.results)
    code = UNJUDGED if unsettled or silent or not judged else UNBROKEN
    if here and not unsettled:
        code = BROKEN
    return Report(
        verdict=_WORDS[code],
        exit=code,
        project=str(project),
        base=base.name if base is not None else None,
        commit=base.commit if base is not None else None,
        tree=verdict.tree,
        base_tree=verdict.base_tree if base is not None else "",
        stage=verdict.stage,
        complete=verdict.complete,
        summary=unsettled or (verdict.summary if base is not None else _found(verdict)),
        results=tuple(_said(result) for result in verdict.results),
        findings=shown,
        elsewhere=bad - here,
        gone=verdict.gone,
        notes=verdict.notes,
    )


def _told(kind: Kind, one: Finding) -> Told:
    return Told(
        kind, one.check, one.path, one.line, one.code, one.message, one.text, one.detail, one.fix, one.fingerprint
    )


def _said(result: CheckResult) -> Said:
    output = "" if result.judged else result.output
    return Said(
        result.check,
        result.outcome,
        result.summary,
        result.total,
        result.seconds,
        result.stage,
        output,
        result.cached,
    )


def _found(verdict: Verdict) -> str:
    """The summary where nothing is compared."""
    found = f"{len(verdict.broken)} found" if verdict.broken else "nothing found"
    silent = [said.check for said in verdict.results if said.outcome in _SILENT]
    if not any(said.judged for said in verdict.results):
        found = "no check could judge this"
    tail = f"; could not run: {', '.join(silent)}" if silent else ""
    return f"{found}{tail} (there is no commit to compare with)"


class Lines:
    """Writes reports for a human.

    Args:
        root: The project's folder.
        here: The folder that paths are shown relative to, if the project's files are reached from it.
        every: Leave nothing out: known findings too, the names of all tests, and all that was said of a failure.
        paint: Colours a text by a name: ``bad``, ``good``, ``weak``, ``strong``.
    """

    def __init__(self, root: Path, here: Path, *, every: bool, paint: Callable[[str, str], str]) -> None:
        self._root = root
        self._here = here if here == root or root in here.parents else None
        self._every = every
        self._paint = paint

    def of(self, report: Report) -> Iterator[str]:
        """The lines of a report, without what each check said; every one is safe to print."""
        for kind, title in _TITLES.items():
            findings = [_finding(one) for one in report.findings if one.kind == kind]
            if findings and (kind != "known" or self._every):
                yield ""
                since = f" since {report.base}" if kind == "broken" else ""
                yield self._paint(f"{title}{since}", "bad" if kind in _BAD else "strong")
                yield from self._findings(findings, detail=kind in {*_BAD, "flaky"})
        yield from self._silent(report.results)
        yield ""
        yield self._last(report)

    def _findings(self, findings: Sequence[Finding], *, detail: bool) -> Iterator[str]:
        tests = [one for one in findings if is_of_tests(one)]
        for group in grouped(tests):
            yield f"  {self._at(group.first)}{group.who}{printable(group.first.message)} ({group.first.check})"
            names = group.all_names if self._every else group.names
            yield from (f"      {printable(line.strip())}" for line in names.splitlines())
            if detail:
                yield from self._detail(group.first)
        for one in (one for one in findings if not is_of_tests(one)):
            code = f" [{printable(one.code)}]" if one.code else ""
            yield f"  {self._at(one)}{printable(one.message)}{code} ({one.check})"
            if detail:
                yield from self._detail(one)

    def _at(self, finding: Finding) -> str:
        """Where it is, so that an editor jumps there."""
        if finding.path is None:
            return ""
        full = self._root / finding.path
        shown = str(full) if self._here is None else os.path.relpath(full, self._here)
        line = "" if finding.line is None else f":{finding.line}"
        return f"{printable(shown)}{line}: "

    def _detail(self, finding: Finding) -> Iterator[str]:
        if finding.detail:
            yield from self._block(finding.detail if self._every else cap_text(finding.detail, _DETAIL_TOKENS))

    def _block(self, text: str) -> Iterator[str]:
        yield from (self._paint(f"      | {printable(line)}", "weak") for line in text.splitlines())

    def _silent(self, results: Iterable[Said]) -> Iterator[str]:
        silent = [said for said in results if said.outcome in _SILENT]
        if silent:
            yield ""
            yield self._paint("Could not run", "bad")
        for said in silent:
            yield f"  {said.check}: {printable(said.summary)}"
            yield from self._block("\n".join(said.output.strip().splitlines()[-_OUTPUT_LINES:]))

    def _last(self, report: Report) -> str:
        sign, colour = {UNBROKEN: ("✓", "good"), BROKEN: ("✗", "bad")}.get(report.exit, ("!", "bad"))
        parts = [self._paint(f"{sign} {printable(report.summary)}", colour)]
        if report.elsewhere:
            parts.append(f"{report.elsewhere} more in files that were not asked for")
        if earlier := [said.check for said in report.results if said.earlier]:
            parts.append(f"{', '.join(earlier)}: {EARLIER}")
        if not report.complete and report.exit != UNJUDGED:
            parts.append("so far: not everything has run")
        return "; ".join(parts)


def _finding(one: Told) -> Finding:
    return Finding(one.check, one.message, one.path, one.line, one.code, one.text, one.detail, fix=one.fix)
