"""What happens in a session that is worth knowing in later ones; found without a model.

Proposed are: what fixed a failure, once that has landed green; what checks failed for want of, once they pass; tests
that waver; what the human said when they rejected something, and what they say again and again; commands that work
where another did not.

A green landing is one whose verdict, on exactly the tree that landed, is complete and green, with every check able to
judge. It confirms what it says itself where the failure had outlived an earlier attempt of the task: what did not help
is known then, too. A failure that was fixed at once is proposed only; a green landing that fixes it once more, in the
same files, confirms that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from agent_core import events as ev
from agent_core.checks.model import CheckResult, Finding, Verdict, key_of_test
from agent_core.diagnosis.cause import is_of_tests
from agent_core.memory.lesson_store import Want
from agent_core.memory.lessons import alike, make_lesson, one_line, words_of
from agent_core.patch.model import Patch
from agent_core.prompt.replies import FOLLOWS
from agent_core.prompt.review_words import REDO
from agent_core.state import LandingState, ProposalState, State

HEARD = (
    ev.Decided,
    ev.Steered,
    ev.VerdictReached,
    ev.Landed,
    ev.CheckFinished,
    ev.ShellStarted,
    ev.ShellFinished,
    ev.ToolStarted,
    ev.ToolFinished,
)
"""Events that something can be found in."""

_STYLE = frozenset({"syntax", "ruff"})
_NOT_THEIRS = frozenset({FOLLOWS, REDO})  # what pairloop has them say
_MESSAGE = 120
_CODE = 80
_MOST_SAID = 400
_NOT_FOUND = frozenset({126, 127})
_RUN = "run_command"
_VARIABLE = (
    re.compile(r"\b(?:KeyError: )'([A-Z][A-Z0-9_]{2,})'(?=[\s\S]*\benviron\b)"),
    re.compile(r"\benviron\b[\s\S]*\bKeyError: '([A-Z][A-Z0-9_]{2,})'"),
    re.compile(r"\b[Ee]nvironment variable:? [`'\"]?([A-Z][A-Z0-9_]{2,})\b"),
    re.compile(r"\b([A-Z][A-Z0-9_]{2,})[`'\"]? (?:environment variable|(?:is|was|must be) (?:not )?set\b)"),
)
_MODULE = re.compile(r"\bNo module named '([A-Za-z_][\w.]*)'")
_REFUSED = re.compile(r"[Cc]onnection refused|could not connect to server|ECONNREFUSED|Connect call failed")
_PORT = re.compile(r"(?:\bport[ =:]+|[\w.\]]:|', )(\d{2,5})\b")
_PROGRAM = (
    re.compile(r"No such file or directory: '([\w.+-]+)'"),
    re.compile(r"\b([\w.+-]+): (?:command )?not found\b"),
)


class Suggestion(msgspec.Struct, frozen=True):
    """A lesson that may be worth it.

    Attributes:
        lesson: The lesson.
        confirmed: A green landing bears it out.
        green: It is from a green landing, which bears out what was proposed earlier.
    """

    lesson: ev.Lesson
    confirmed: bool = False
    green: bool = False


class Found(msgspec.Struct, frozen=True):
    """What an event came to.

    Attributes:
        suggestions: Lessons.
        wants: What failures were for want of.
        over: Fingerprints of failures that are over.
        undone: A landing that was taken back, so that what it taught is void; 0 for none.
    """

    suggestions: tuple[Suggestion, ...] = ()
    wants: tuple[Want, ...] = ()
    over: tuple[str, ...] = ()
    undone: int = 0


class Finder:
    """Looks at what happens in one session.

    Args:
        session: Its id.
        said: What the human said to the partner in this project before, oldest first.
        wants: What failures were for want of.
    """

    def __init__(self, session: str, said: Sequence[str], wants: Sequence[Want]) -> None:
        self._source = f"session {session}"
        self._said = list(said)[-_MOST_SAID:]
        self._wants = {(want.want, want.finding): want for want in wants}
        self._lines: dict[str, str] = {}
        self._failed: dict[str, str] = {}
        self._learned: set[int] = set()

    def look(self, event: ev.AnyEvent, state: State) -> Found:
        """See what there is in an event.

        Args:
            event: What happened.
            state: What is true since.
        """
        match event:
            case ev.Decided(number, "reject", "human", reason) if reason:
                return Found(self._rejected(number, reason))
            case ev.Decided(by="human", reason=text) | ev.Steered(text):
                return Found(tuple(self._said_again(text)))
            case ev.VerdictReached(number, verdict):
                return self._judged(state, number, verdict)
            case ev.Landed(number):
                return self._landed(state, number)
            case ev.CheckFinished(where, result):
                return self._passed(result) if where == "baseline" else Found()
            case _:
                return Found(tuple(self._ran(event)))

    # -- what the human said

    def _rejected(self, proposal: int, reason: str) -> tuple[Suggestion, ...]:
        self._hear(reason)
        if len(words_of(reason)) < 2:
            return ()
        source = f"what you said when you rejected proposal {proposal}, {self._source}"
        return (Suggestion(make_lesson("said", [reason], reason, source)),)

    def _said_again(self, text: str) -> Iterator[Suggestion]:
        if text in _NOT_THEIRS:
            return
        if len(words_of(text)) >= 2:
            times = 1 + sum(alike(text, before) for before in self._said)
            if times > 1:
                first = next(before for before in self._said if alike(text, before))
                source = f"you said it {times} times, last in {self._source}"
                # Known by what was said first: each time it is said again it is the same lesson.
                yield Suggestion(make_lesson("said", [first], text, source))
        self._hear(text)

    def _hear(self, text: str) -> None:
        self._said = [*self._said, text][-_MOST_SAID:]

    # -- what the checks said

    def _judged(self, state: State, number: int, verdict: Verdict) -> Found:
        if not verdict.complete:
            return Found()
        suggestions = tuple(self._wavering(finding) for finding in verdict.flaky if finding.code)
        landing = next((one for one in state.landings if one.proposal == number and _stands(one)), None)
        # What was accepted early is checked to the end after it has landed.
        landed = self._landed(state, landing.number) if landing is not None else Found()
        return msgspec.structs.replace(landed, suggestions=(*suggestions, *landed.suggestions))

    def _wavering(self, finding: Finding) -> Suggestion:
        how = finding.detail.split("\n", 1)[0]
        text = f"{finding.code} wavers: {_short(how) or 'it fails now and then'}"
        keys = [finding.check, key_of_test(finding.code)]
        paths = [finding.path] if finding.path else []
        return Suggestion(
            make_lesson("flaky", keys, text, self._source, paths=paths, fingerprints=[finding.fingerprint])
        )

    def _passed(self, result: CheckResult) -> Found:
        """What the project as it is came to: what fails for want of something, and what failed so and passes now."""
        if not result.judged or result.early:
            return Found()
        wants = [want for finding in result.findings if (want := wanted(finding, result.check)) is not None]
        fails = {finding.fingerprint for finding in result.findings}
        over = [
            want
            for want in self._wants.values()
            if want.check == result.check and want.finding not in fails and result.stage == "all"
        ]
        for want in over:
            del self._wants[want.want, want.finding]
        new = tuple(want for want in wants if (want.want, want.finding) not in self._wants)
        self._wants |= {(want.want, want.finding): want for want in wants}
        by_want: dict[str, list[Want]] = {}
        for want in over:
            by_want.setdefault(want.want, []).append(want)
        suggestions = tuple(self._needed(result.check, name, those) for name, those in by_want.items())
        return Found(suggestions, new, tuple(want.finding for want in over))

    def _needed(self, check: str, name: str, wants: Sequence[Want]) -> Suggestion:
        more = f" and {len(wants) - 1} more fail" if len(wants) > 1 else " fails"
        text = f"{check} needs {name}: without it {wants[0].name}{more}"
        lesson = make_lesson(
            "env",
            [check, name],
            text,
            self._source,
            paths=(want.path for want in wants if want.path),
            fingerprints=(want.finding for want in wants),
        )
        return Suggestion(lesson)

    # -- what landed

    def _landed(self, state: State, number: int) -> Found:
        landing = next((one for one in state.landings if one.number == number), None)
        if landing is None:
            return Found()
        if landing.undoes:
            return Found() if landing.again else Found(undone=landing.about)
        verdict = _verdict_of(next((one for one in state.proposals if one.number == landing.proposal), None))
        fixed = {one.fingerprint for one in verdict.fixed} if verdict is not None else set()
        # What a patch has mended was wanting in the code.
        over = tuple(one.finding for one in self._wants.values() if one.finding in fixed)
        self._wants = {key: one for key, one in self._wants.items() if one.finding not in fixed}
        return Found(tuple(self._fixed(state, landing)), over=over)

    def _fixed(self, state: State, landing: LandingState) -> Iterator[Suggestion]:
        """What the failures were fixed by that are gone since a landing; told once a landing."""
        proposal = next((one for one in state.proposals if one.number == landing.proposal), None)
        verdict = _verdict_of(proposal)
        if proposal is None or verdict is None or not is_green(verdict) or landing.number in self._learned:
            return
        self._learned.add(landing.number)
        before = [one.verdict for one in state.proposals if one.task == proposal.task and one.number < proposal.number]
        tried = [
            {one.fingerprint for one in (*v.broken, *v.known, *v.targets_left)} for v in before if v and v.complete
        ]
        fixed = [one for one in verdict.fixed if one.check not in _STYLE]
        hard = [one for one in fixed if any(one.fingerprint in failed for failed in tried)]
        # A type that was wrong and was put right at once teaches nothing.
        told = hard or [one for one in fixed if is_of_tests(one) or one.check != "mypy"]
        if not told:
            return
        paths = [file.path for file in landing.files]
        times = max(sum(one.fingerprint in failed for failed in tried) for one in told)
        more = f" and {len(told) - 1} more" if len(told) > 1 else ""
        helped = f"; {times} earlier {'attempt' if times == 1 else 'attempts'} did not help" if times else ""
        text = f"{_named(told[0])}{more}: fixed in {_listed(paths)}{_gist(proposal.patch)}{helped}"
        failures = [one.fingerprint for one in told]
        lesson = make_lesson(
            "fix",
            [*sorted(failures), *sorted(paths)],
            text,
            f"{self._source}, landing {landing.number}",
            paths=(*paths, *(one.path for one in told if one.path)),
            fingerprints=failures,
        )
        yield Suggestion(lesson, confirmed=bool(hard), green=True)

    # -- commands

    def _ran(self, event: ev.AnyEvent) -> Iterator[Suggestion]:
        match event:
            case ev.ShellStarted(name, line):
                self._lines[name] = line
            case ev.ToolStarted(name, tool, title) if tool == _RUN:
                self._lines[name] = title.removeprefix("run ")
            case ev.ShellFinished(name, code, output, _, killed) if name in self._lines and not killed:
                yield from self._ended(self._lines.pop(name), code, output)
            case ev.ToolFinished(name, _, summary) if name in self._lines:
                status = re.fullmatch(r"exit status (\d+)", summary)
                line = self._lines.pop(name)
                if status is not None:
                    yield from self._ended(line, int(status[1]), "")

    def _ended(self, line: str, code: int, output: str) -> Iterator[Suggestion]:
        line = one_line(line)
        if code in _NOT_FOUND or (code and _MODULE.search(output)):
            found = _MODULE.search(output)
            self._failed[line] = found.group() if found else "there is no such command"
        elif not code:
            for failed, why in tuple(self._failed.items()):
                if failed != line and _programs(failed) & _programs(line):
                    del self._failed[failed]
                    text = f"Here `{_short(line)}` works, where `{_short(failed)}` does not: {why}"
                    yield Suggestion(make_lesson("run", [failed, line], text, self._source))


def is_green(verdict: Verdict) -> bool:
    """Whether a landing with this verdict on what landed is a green one."""
    return verdict.green and verdict.complete and not verdict.unable


def wanted(finding: Finding, check: str) -> Want | None:
    """What a failure is for want of, as far as what was said of it tells; None where it does not.

    Args:
        finding: The failure.
        check: Of which check.
    """
    text = f"{finding.message}\n{finding.detail}"
    want = ""
    if found := next((match for form in _VARIABLE if (match := form.search(text))), None):
        want = f"the environment variable {found[1]}"
    elif found := _MODULE.search(text):
        want = f"the module {found[1]}"
    elif _REFUSED.search(text):
        port = _PORT.search(text)
        want = f"a server on port {port[1]}" if port else "a server that takes its connections"
    elif found := next((match for form in _PROGRAM if (match := form.search(text))), None):
        want = f"the program {found[1]}"
    name = finding.code or finding.place or check
    return Want(want, finding.fingerprint, check, one_line(name), finding.path or "") if want else None


def _stands(landing: LandingState) -> bool:
    return landing.stands == "landed" and not landing.undoes and not landing.inherited


def _verdict_of(proposal: ProposalState | None) -> Verdict | None:
    """The verdict on what landed of a proposal."""
    if proposal is None:
        return None
    return proposal.part if proposal.of else proposal.verdict


def _named(finding: Finding) -> str:
    name = finding.code if "::" in finding.code else f"{finding.check} at {finding.place}" if finding.path else ""
    message = _short(finding.message.split("\n", 1)[0])
    return f"{name or finding.check} ({message})" if message else name or finding.check


def _short(text: str, most: int = _MESSAGE) -> str:
    text = one_line(text)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _listed(paths: Sequence[str]) -> str:
    return ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")


def _gist(patch: Patch) -> str:
    """What a patch does: its lines where it is one of a few, else how many."""
    blocks = [block for file in patch.files for block in file.blocks]
    if len(blocks) == 1:
        old, new = _said_lines(blocks[0].removed), _said_lines(blocks[0].added)
        if len(old) <= 1 and len(new) == 1:
            after = f"`{_short(new[0], _CODE)}`"
            return f": `{_short(old[0], _CODE)}` became {after}" if old else f": {after} was added"
    return f" (+{sum(file.added for file in patch.files)} -{sum(file.removed for file in patch.files)} lines)"


def _said_lines(lines: Iterable[str]) -> list[str]:
    return [line.strip() for line in lines if line.strip()]


def _programs(line: str) -> set[str]:
    """The words of a command line that name what is run: no options, without folders."""
    return {word.rsplit("/", 1)[-1] for word in line.split() if not word.startswith("-") and "=" not in word}
