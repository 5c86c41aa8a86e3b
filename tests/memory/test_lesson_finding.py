"""What is found in events, without a model."""

from __future__ import annotations

import pytest

from agent_core import events as ev
from agent_core.checks.model import CheckResult, Finding, Outcome, Verdict
from agent_core.fold import fold
from agent_core.memory.lesson_finding import Finder, wanted
from agent_core.patch.model import Patch
from agent_core.prompt.replies import FOLLOWS
from agent_core.prompt.review_words import REDO
from agent_core.state import State

ENVIRON = "tests/test_db.py:3: in test_rows\n    os.environ[\"DATABASE_URL\"]\nE   KeyError: 'DATABASE_URL'"


def finding(message: str, detail: str = "", name: str = "test_rows") -> Finding:
    return Finding("pytest", message, "tests/test_db.py", 3, f"tests/test_db.py::{name}", detail=detail)


@pytest.mark.parametrize(
    ("message", "detail", "want"),
    [
        ("KeyError: 'DATABASE_URL'", ENVIRON, "the environment variable DATABASE_URL"),
        ("RuntimeError: environment variable API_HOST is missing", "", "the environment variable API_HOST"),
        ("ImproperlyConfigured: SECRET_NAME must be set", "", "the environment variable SECRET_NAME"),
        ("KeyError: 'NAME'", "d['NAME']", ""),
        ("ModuleNotFoundError: No module named 'psycopg'", "", "the module psycopg"),
        (
            "ConnectionRefusedError: [Errno 111] Connection refused",
            "connect to localhost:5432",
            "a server on port 5432",
        ),
        ("[Errno 111] Connect call failed ('127.0.0.1', 6379)", "", "a server on port 6379"),
        ("FileNotFoundError: [Errno 2] No such file or directory: 'ffmpeg'", "", "the program ffmpeg"),
        ("FileNotFoundError: [Errno 2] No such file or directory: 'a/b.txt'", "", ""),
        ("sh: 1: protoc: not found", "", "the program protoc"),
        ("assert 5 == 6", "", ""),
    ],
)
def test_what_a_failure_is_for_want_of(message: str, detail: str, want: str) -> None:
    found = wanted(finding(message, detail), "pytest")
    assert (found.want if found is not None else "") == want


def checked(*findings: Finding, early: bool = False) -> ev.CheckFinished:
    outcome: Outcome = "failed" if findings else "passed"
    return ev.CheckFinished("baseline", CheckResult("pytest", outcome, "tree", "said", findings, early=early))


def test_what_checks_needed_is_known_when_they_pass_in_a_later_session() -> None:
    first = Finder("one", (), ())
    failing = [finding("KeyError: 'DATABASE_URL'", ENVIRON, name) for name in ("test_a", "test_b")]
    found = first.look(checked(*failing, finding("assert 1 == 2", "", "test_c")), State())
    assert (found.suggestions, len(found.wants), found.over) == ((), 2, ())
    assert first.look(checked(*failing), State()).wants == ()
    later = Finder("two", (), found.wants)
    assert later.look(checked(early=True), State()).suggestions == ()
    found = later.look(checked(), State())
    (one,) = found.suggestions
    assert one.lesson.text == (
        "pytest needs the environment variable DATABASE_URL: without it tests/test_db.py::test_a and 1 more fail"
    )
    assert (one.confirmed, one.green) == (False, False)
    assert set(found.over) == set(one.lesson.fingerprints) == {each.fingerprint for each in failing}
    assert later.look(checked(), State()).suggestions == ()


def test_a_patch_that_mends_it_is_not_what_was_wanted() -> None:
    finder = Finder("one", (), ())
    failing = finding("KeyError: 'DATABASE_URL'", ENVIRON)
    finder.look(checked(failing), State())
    verdict = Verdict("tree", "base", True, (), fixed=(failing,))
    assert finder.look(ev.VerdictReached(1, verdict), State()).over == ()
    found = finder.look(ev.Landed(1), landed(verdict))
    assert found.over == (failing.fingerprint,)
    assert finder.look(checked(), State()).suggestions == ()


def landed(verdict: Verdict) -> State:
    state = State()
    made = ev.ProposalMade(1, 1, "call", Patch(()), "base", "tree", "diff")
    for event in (made, ev.VerdictReached(1, verdict), ev.LandingStarted(1, 1, 0, ()), ev.Landed(1)):
        state = fold(state, event)
    return state


def test_a_test_that_wavers() -> None:
    flaky = finding("assert x", "failed, then passed when run again\n\nmore")
    verdict = Verdict("tree", "base", True, (), flaky=(flaky,))
    (one,) = Finder("one", (), ()).look(ev.VerdictReached(1, verdict), State()).suggestions
    assert one.lesson.text == "tests/test_db.py::test_rows wavers: failed, then passed when run again"
    assert one.lesson.paths == ("tests/test_db.py",)


def test_a_command_that_works_where_another_did_not() -> None:
    finder = Finder("one", (), ())

    def ran(line: str, code: int, output: str = "") -> list[str]:
        finder.look(ev.ShellStarted(line, line), State())
        found = finder.look(ev.ShellFinished(line, code, output, 0.1), State())
        return [one.lesson.text for one in found.suggestions]

    assert ran("pytest -q", 127) == []
    assert ran("ls", 0) == []
    assert ran(".venv/bin/pytest -q", 0) == [
        "Here `.venv/bin/pytest -q` works, where `pytest -q` does not: there is no such command"
    ]
    assert ran(".venv/bin/pytest -q", 0) == []
    assert ran("make test", 2) == []
    assert ran("make check", 0) == []
    finder.look(ev.ToolStarted("c", "run_command", "run python -m tox"), State())
    assert finder.look(ev.ToolFinished("c", False, "exit status 127"), State()).suggestions == ()
    finder.look(ev.ToolStarted("d", "run_command", "run uvx tox"), State())
    (one,) = finder.look(ev.ToolFinished("d", True, "exit status 0"), State()).suggestions
    assert "Here `uvx tox` works" in one.lesson.text


def test_one_word_and_what_the_mode_says_teach_nothing() -> None:
    finder = Finder("one", (), ())
    assert finder.look(ev.Decided(1, "reject", "human", "no"), State()).suggestions == ()
    assert finder.look(ev.Decided(1, "reject", "mode", "breaks three tests"), State()).suggestions == ()
    assert finder.look(ev.Decided(1, "reject", "human"), State()).suggestions == ()
    assert len(finder.look(ev.Decided(1, "reject", "human", "we reject bare excepts"), State()).suggestions) == 1


def test_what_pairloop_has_the_human_say_teaches_nothing_however_often() -> None:
    finder = Finder("one", (), ())
    for words in (FOLLOWS, REDO):
        decided = ev.Decided(1, "steer", "human", words)
        assert [finder.look(decided, State()).suggestions for _ in range(3)] == [(), (), ()]
    own = ev.Decided(1, "steer", "human", "keep the old order of the arguments")
    assert [len(finder.look(own, State()).suggestions) for _ in range(2)] == [0, 1]
