"""The findings of a verdict as a tree: by what the patch has to do with them, by cause, each with its evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from agent_core.checks.model import Finding, Verdict
from agent_core.diagnosis.cause import Beside, grouped, is_of_tests
from tui.panes.checks_evidence import PREVIEW, Told, evidence_line, preview, told
from tui.panes.checks_line import Opened, Row
from tui.widgets.lines import BLANK, Line, Piece, clean

MOST = 50
"""Of more branches than that in a group the rest is folded."""
_ALIKE = 4
"""From so many findings on that a tool gives for one rule they share a branch."""


class Group(NamedTuple):
    """Findings with which a patch has the same to do.

    Attributes:
        key: Its name.
        title: What they are.
        sign: Tells them from others without colours.
        style: Of the sign.
        findings: The findings.
        bad: They keep the patch from being green, so what lies behind them is shown.
        opened: Unfolded as long as nobody says otherwise.
    """

    key: str
    title: str
    sign: str
    style: str
    findings: Sequence[Finding]
    bad: bool = False
    opened: bool = True


class Branch(NamedTuple):
    """Findings with one cause.

    Attributes:
        findings: At least one.
        beside: What other tools say that explains it.
    """

    findings: Sequence[Finding]
    beside: Sequence[Beside] = ()


def groups_of(verdict: Verdict) -> list[Group]:
    """The findings of a verdict, the worst first."""
    left = {finding.fingerprint for finding in verdict.targets_left}
    known = tuple(finding for finding in verdict.known if finding.fingerprint not in left)
    groups = (
        Group("broken", "broken by this patch", "✗", "bad", verdict.broken, bad=True),
        Group("left", "still to be fixed", "●", "warn", verdict.targets_left, bad=True),
        Group("silenced", "silenced by this patch", "✗", "bad", verdict.silenced, bad=True),
        Group("fixed", "fixed", "✓" if verdict.complete else "◌", "good", verdict.fixed),
        Group("flaky", "came and went when run again (flaky)", "~", "warn", verdict.flaky),
        Group("known", "was there before" if len(known) == 1 else "were there before", "·", "dim", known, opened=False),
    )
    return [group for group in groups if group.findings]


def branches_of(findings: Sequence[Finding]) -> list[Branch]:
    """Findings by what they have in common: failing tests by their cause, what a tool says by its rule."""
    tests = [finding for finding in findings if is_of_tests(finding)]
    others = [finding for finding in findings if not is_of_tests(finding)]
    branches = [Branch(cause.findings, cause.beside) for cause in grouped(tests, others)]
    rules: dict[tuple[str, str], list[Finding]] = {}
    for finding in others:
        rules.setdefault((finding.check, finding.code), []).append(finding)
    for (_, code), same in rules.items():
        branches += [Branch(same)] if code and len(same) >= _ALIKE else [Branch((one,)) for one in same]
    return branches


def verdict_rows(verdict: Verdict, opened: Opened) -> list[Row]:
    """All of a verdict's findings.

    Args:
        verdict: The verdict.
        opened: What is unfolded.
    """
    rows: list[Row] = []
    for group in groups_of(verdict):
        rows += [Row(BLANK), *_group(group, opened)]
    if verdict.gone:
        rows += [Row(BLANK), *_gone(verdict.gone, opened)]
    return rows


def findings_rows(findings: Sequence[Finding], opened: Opened, key: str, style: str) -> Iterator[Row]:
    """Findings that belong to no verdict, such as those of the tree before any change.

    Args:
        findings: The findings.
        opened: What is unfolded.
        key: Of what they are in.
        style: Of their places.
    """
    yield from _Writer(Group(key, "", "", style, findings), opened).branches(branches_of(findings))


def _fold_sign(*, open_: bool) -> str:
    return "▾ " if open_ else "▸ "


def _group(group: Group, opened: Opened) -> Iterator[Row]:
    open_ = opened(group.key, default=group.opened)
    pieces: list[Piece] = [(f"{len(group.findings):,} {group.title}", group.style)]
    branches = branches_of(group.findings)
    if group.bad and len(branches) < len(group.findings):
        pieces.append((f"  by {len(branches):,} cause{'s' if len(branches) > 1 else ''}", "dim"))
    lead = ((_fold_sign(open_=open_), "faint"), (f"{group.sign} ", group.style))
    yield Row(Line(pieces, lead=lead), group.key, folds=True)
    if open_:
        yield from _Writer(group, opened).branches(branches)


class _Writer:
    """Makes the rows of one group.

    Args:
        group: The group.
        opened: What is unfolded.
    """

    def __init__(self, group: Group, opened: Opened) -> None:
        self._group = group
        self._opened = opened

    def branches(self, branches: Sequence[Branch]) -> Iterator[Row]:
        """All of it, or as much as one wants to see at once."""
        group = self._group
        more = f"{group.key}/more"
        shown = branches if self._opened(more) else branches[:MOST]
        seen: dict[str, int] = {}
        for branch in shown:
            key = f"{group.key}/{branch.findings[0].fingerprint}"
            # The same finding may be there twice: on two lines with the same text.
            number = seen[key] = seen.get(key, 0) + 1
            key += f"#{number}" if number > 1 else ""
            if len(branch.findings) > 1:
                yield from self._cause(branch, f"{key}*")
            else:
                yield from self._finding(branch.findings[0], key, group.key, "  ")
        if len(shown) < len(branches):
            text = f"⋯ {len(branches) - len(shown):,} more"
            yield Row(Line(((text, "faint"),), lead=(("  ▸ ", "faint"),)), more, folds=True, parent=group.key)

    def _cause(self, branch: Branch, key: str) -> Iterator[Row]:
        """Several findings with one cause."""
        group, first, count = self._group, branch.findings[0], len(branch.findings)
        open_ = self._opened(key)
        pieces: list[Piece] = []
        if is_of_tests(first):
            pieces += [(f"{count} failures, 1 cause: ", "strong"), (clean(first.message), "text")]
            if first.place and {finding.place for finding in branch.findings} == {first.place}:
                pieces += [(" at ", "dim"), (clean(first.place), group.style)]
        else:
            pieces += [(f"{count} times {clean(first.code)}  ", "strong"), (clean(first.message), "dim")]
        lead = ((f"  {_fold_sign(open_=open_)}", "faint"),)
        head = Row(Line(pieces, lead=lead, hang=(("      ", ""),)), key, folds=True, parent=group.key)
        yield _about(first, head)._replace(alike=branch.findings)
        for one in branch.beside:
            line = Line(((clean(one.told), "dim"),), lead=(("    ↳ ", "accent"),), hang=(("      ", ""),))
            yield _about(one.finding, Row(line, key, parent=key))
        if open_:
            for number, finding in enumerate(branch.findings):
                yield from self._finding(finding, f"{key}{number}", key, "    ", short=True)
        elif group.bad:
            yield from _preview(first, key, "    ")

    def _finding(self, finding: Finding, key: str, parent: str, indent: str, *, short: bool = False) -> Iterator[Row]:
        """One finding: place, code, message, and what lies behind it where it is unfolded.

        Args:
            finding: The finding.
            key: Its name.
            parent: Key of what it is in.
            indent: How far it is set in.
            short: Its cause is told already, so that it is only named.
        """
        open_, bad = self._opened(key), self._group.bad
        detail = bool(finding.detail.strip())
        pieces: list[Piece] = []
        if finding.place:
            pieces += [(clean(finding.place), self._group.style), ("  ", "")]
        if finding.code:
            within = finding.code.startswith(finding.path or "\0")
            name = finding.code.rpartition("::")[2] if within else finding.code
            pieces.append((clean(name), "accent"))
        if not short:
            gap: list[Piece] = [("  ", "")] if finding.code else []
            pieces += [*gap, (clean(finding.message), "text" if bad else "dim")]
        sign = _fold_sign(open_=open_) if detail else "· "
        line = Line(pieces, lead=((f"{indent}{sign}", "faint"),), hang=((f"{indent}    ", ""),))
        yield _about(finding, Row(line, key, folds=detail, parent=parent))
        if open_:
            for one in told(finding.detail):
                yield _evidence(one, key, finding, f"{indent}  ")
        elif bad and not short:
            yield from _preview(finding, key, f"{indent}  ")
        if finding.fix and bad:
            fix = Line(((clean(finding.fix), "dim"),), lead=((f"{indent}  ", ""), ("x ", "key")))
            yield _about(finding, Row(fix, key, parent=key))


def _about(finding: Finding, row: Row) -> Row:
    """A row that leads to where a finding is."""
    return row._replace(finding=finding, path=finding.path or "", at=finding.line or 0)


def _evidence(one: Told, key: str, finding: Finding, indent: str) -> Row:
    row = _about(finding, Row(evidence_line(one.pieces, indent), key, parent=key))
    return row._replace(path=one.path, at=one.line) if one.path else row


def _preview(finding: Finding, key: str, indent: str) -> Iterator[Row]:
    """The most telling lines of what is folded, and how many more there are."""
    if not finding.detail.strip():
        return
    rows = list(told(finding.detail))
    first, last = preview(finding.detail) if len(rows) > PREVIEW + 1 else (0, len(rows))
    for one in rows[first:last]:
        yield _evidence(one, key, finding, indent)
    if rest := len(rows) - (last - first):
        line = Line(((f"⋯ {rest:,} more lines", "faint"),), lead=((indent, ""),))
        yield _about(finding, Row(line, key, parent=key))


def _gone(gone: Sequence[str], opened: Opened) -> Iterator[Row]:
    """Tests that do not run any more."""
    open_ = opened("gone")
    text = f"{len(gone):,} test{' does' if len(gone) == 1 else 's do'} not run any more"
    yield Row(Line(((text, "warn"),), lead=((_fold_sign(open_=open_), "faint"), ("! ", "warn"))), "gone", folds=True)
    if open_:
        for name in gone:
            line = Line(((clean(name), "dim"),), lead=(("  · ", "faint"),), hang=(("      ", ""),))
            yield Row(line, "gone", parent="gone", path=name.partition("::")[0] if "::" in name else "")
