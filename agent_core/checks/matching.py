"""Which findings of two runs of a check are the same: by fingerprint, with neighbour lines between equals. Pure."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import msgspec

from agent_core.checks.model import SYNTAX_CODES, CheckResult, Finding, key_of_test


class Compared(msgspec.Struct, frozen=True):
    """What one check says of the candidate, next to what it said of the base.

    Attributes:
        broken: Findings that the base does not have.
        fixed: Findings of the base that are mended; of a test, that it passes now.
        known: Findings of both, and those of the base that may still be there and cannot be seen.
        unrun: Failures of the base whose test does not run any more, so that nothing is mended.
        gone: Ids of tests that passed on the base and do not run any more.
    """

    broken: tuple[Finding, ...] = ()
    fixed: tuple[Finding, ...] = ()
    known: tuple[Finding, ...] = ()
    unrun: tuple[Finding, ...] = ()
    gone: tuple[str, ...] = ()


def renamed(finding: Finding, moves: Mapping[str, str]) -> Finding:
    """A finding of the base as it reads after files were moved.

    Args:
        finding: The finding.
        moves: Old path to new path.
    """
    path = finding.path
    code = moved_test(finding.code, moves)
    if code == finding.code and (path is None or path not in moves):
        return finding
    message = finding.message
    if path is not None and path in moves:
        message, path = message.replace(path, moves[path]), moves[path]
    return msgspec.structs.replace(finding, path=path, code=code, message=message)


def moved_test(node: str, moves: Mapping[str, str]) -> str:
    """The id of a test after files were moved."""
    file, separator, rest = node.partition("::")
    return f"{moves[file]}{separator}{rest}" if file in moves else node


def compare(base: CheckResult | None, result: CheckResult, moves: Mapping[str, str]) -> Compared:
    """Compare what a check says of a candidate with what it said of its base.

    As long as the result is of a stage before the last, a test that has not run yet is neither mended nor gone.

    Args:
        base: About the base; None or not a judgement where nothing is known of it.
        result: About the candidate: a judgement, or that there was nothing to look at.
        moves: Old path to new path of every moved file.
    """
    if base is not None and not base.judged:
        base = None
    old = [renamed(finding, moves) for finding in base.findings] if base is not None else []
    tests = result.check == "pytest" or bool(result.passed) or bool(base is not None and base.passed)
    new = result.findings
    added, known, missing = _matched(old, new, tests=tests)
    now, then = Blockers(new), Blockers(old)
    hidden = [finding for finding in missing if now.hide(finding)]
    missing = [finding for finding in missing if not now.hide(finding)]
    # A test that could not be collected did not pass before; one that fails now is this patch's to answer for.
    revealed = [finding for finding in added if finding.check != "pytest" and then.hide(finding)]
    broken = [finding for finding in added if finding.check == "pytest" or not then.hide(finding)]
    if not tests or base is None or not (result.passed or base.passed):
        partial = result.stage != "all"
        return Compared(tuple(broken), () if tests and partial else tuple(missing), (*known, *hidden, *revealed))
    ran = _Ran(result)
    fixed = [finding for finding in missing if ran.mends(finding)]
    unrun: tuple[Finding, ...] = ()
    gone: tuple[str, ...] = ()
    if result.stage == "all":
        unrun = tuple(finding for finding in missing if not ran.mends(finding))
        before = (moved_test(node, moves) for node in base.passed)
        gone = tuple(node for node in before if not ran.has(node) and not now.hides_test(node))
    return Compared(tuple(broken), tuple(fixed), (*known, *hidden, *revealed), unrun, gone)


class _Ran:
    """The tests that ran, whatever came of them."""

    def __init__(self, result: CheckResult) -> None:
        self._passed = {key_of_test(node) for node in result.passed}
        self._all = self._passed | {key_of_test(finding.code) for finding in result.findings}
        self._files = {node.partition("::")[0] for node in self._all}

    def has(self, node: str) -> bool:
        return key_of_test(node) in self._all

    def mends(self, finding: Finding) -> bool:
        """Whether a failure that is gone is gone because its test passes, or its file can be collected."""
        if "::" in finding.code:
            return key_of_test(finding.code) in self._passed
        return not finding.code.endswith(".py") or finding.code in self._files


def _matched(
    old: Sequence[Finding], new: Sequence[Finding], *, tests: bool
) -> tuple[list[Finding], list[Finding], list[Finding]]:
    """The multiset difference of findings of one check: only in new, in both (as new has them), only in old."""

    def key(finding: Finding) -> str:
        # A test is known by its id, whichever tool ran it.
        return f"::{key_of_test(finding.code)}" if tests and "::" in finding.code else finding.fingerprint

    before: dict[str, list[int]] = defaultdict(list)
    for index, finding in enumerate(old):
        before[key(finding)].append(index)
    after: dict[str, list[int]] = defaultdict(list)
    for index, finding in enumerate(new):
        after[key(finding)].append(index)
    same_old: set[int] = set()
    same_new: set[int] = set()
    for name, there in after.items():
        pairs = _paired([(one, old[one].near) for one in before.get(name, ())], [(one, new[one].near) for one in there])
        same_old.update(one for one, _ in pairs)
        same_new.update(other for _, other in pairs)
    added = [finding for index, finding in enumerate(new) if index not in same_new]
    both = [finding for index, finding in enumerate(new) if index in same_new]
    return added, both, [finding for index, finding in enumerate(old) if index not in same_old]


def _paired(old: Sequence[tuple[int, str]], new: Sequence[tuple[int, str]]) -> list[tuple[int, int]]:
    """Pair as many as there are of equal findings, those with the same neighbours first, then with one of them."""
    looks: tuple[Callable[[str], Collection[str]], ...] = (
        lambda near: (near,),
        lambda near: (f"<{near.partition(chr(10))[0]}", f">{near.partition(chr(10))[2]}"),
        lambda _near: ("",),
    )
    pairs: list[tuple[int, int]] = []
    left, right = list(old), list(new)
    for look in looks:
        waiting: dict[str, deque[int]] = defaultdict(deque)
        for index, near in left:
            for mark in look(near):
                waiting[mark].append(index)
        free = {index for index, _ in left}
        rest = []
        for other in right:
            found = _first([waiting[mark] for mark in look(other[1])], free)
            if found is None:
                rest.append(other)
            else:
                free.discard(found)
                pairs.append((found, other[0]))
        left, right = [one for one in left if one[0] in free], rest
    return pairs


def _first(queues: Iterable[deque[int]], free: Collection[int]) -> int | None:
    """The first of some queues that is still free; those that are not are dropped on the way."""
    for queue in queues:
        while queue:
            found = queue.popleft()
            if found in free:
                return found
    return None


class Blockers:
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
            elif finding.check != "pytest" and finding.code in SYNTAX_CODES:
                self._files.add(finding.path)

    def hide(self, finding: Finding) -> bool:
        """Whether a finding may be there and not have been seen."""
        if finding.check == "pytest":
            return self.hides_test(finding.code)
        if finding.code in SYNTAX_CODES:
            return False
        return bool(self._files) if finding.check == "mypy" else finding.path in self._files

    def hides_test(self, node: str) -> bool:
        """Whether a test may be there and not have been collected: its file or a folder above it could not be."""
        file, separator, _ = node.partition("::")
        if not separator or not self._nodes:
            return False
        return file in self._nodes or any(node and file.startswith(f"{node}/") for node in self._nodes)
