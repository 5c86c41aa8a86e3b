"""Messages of commits in a project's own style, with a partner's words and without."""

from __future__ import annotations

import pytest

from agent_core.prompt.commit_message import Style, made_from, read_answer, request_text, style_of, with_trailer
from agent_core.text import estimate_tokens

TYPED = ["feat(api): add users", "fix: mend the sum", "chore!: drop 3.9", "docs: say so", "Merge it"]
PLAIN = ["Add users", "Mend the sum", "Drop Python 3.9"]
LOWER = ["parser: read twice", "lexer: mend it", "docs/api: say so"]
TICKETS = ["ABC-12 Added users.", "ABC-13 Mended the sum.", "[ABC-14] Dropped it."]


def test_the_style_is_read_off_the_log() -> None:
    assert style_of([]) == Style()
    assert style_of(PLAIN) == Style()
    assert style_of(TYPED) == Style("typed", capital=False)
    assert style_of(LOWER) == Style("area", capital=False)
    assert style_of(TICKETS) == Style("ticket", stop=True, imperative=False)


@pytest.mark.parametrize(
    ("task", "subjects", "message"),
    [
        ("mend the sum of an order", PLAIN, "Mend the sum of an order"),
        ("Mend the sum of an order.", TYPED, "fix: mend the sum of an order"),
        ("What is left?", TYPED, "chore: what is left?"),
        (
            "\n\nHTTP errors are lost\nin the log",
            TYPED,
            "chore: HTTP errors are lost\n\nHTTP errors are lost in the log",
        ),
        ("Add users", TICKETS, "Add users."),
        ("tests/test_a.py::test_b fails", PLAIN, "tests/test_a.py::test_b fails"),
        ("", PLAIN, "Change a.py, b.py"),
        ("\x1b[31mred\x1b[0m", PLAIN, "␛[31mred␛[0m"),
    ],
)
def test_without_a_partner_it_is_made_from_the_task(task: str, subjects: list[str], message: str) -> None:
    assert made_from(task, ["x/a.py", "b.py"], subjects).split("\n")[0] == message.split("\n", maxsplit=1)[0]


def test_a_long_task_has_its_rest_in_the_body() -> None:
    task = "make the totals right " * 8
    subject, _, body = made_from(task, ["a.py"], PLAIN).partition("\n\n")
    assert len(subject) <= 72
    assert subject.startswith("Make the totals right")
    assert body.replace("\n", " ") == task.strip()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("Mend the sum", "Mend the sum"),
        ("```\nMend the sum\n\nIt was off.\n```", "Mend the sum\n\nIt was off."),
        ("Commit message: “x”", "“x”"),
        ('"Mend the sum"', "Mend the sum"),
        ("<think>Hm.\n\nNo.</think>\nMend the sum\nIt was off.", "Mend the sum\n\nIt was off."),
        ("Mend\n\nBody.\n\nSigned-off-by: A <a@b>\nCo-authored-by: B <b@c>", "Mend\n\nBody."),
        ("Mend \x1b[2Jit", "Mend ␛[2Jit"),
        ("", ""),
        ("word " * 40, ""),
    ],
)
def test_an_answer_is_read(answer: str, message: str) -> None:
    assert read_answer(answer) == message


def test_what_is_asked_is_bounded() -> None:
    text = request_text("task " * 10_000, "+line\n" * 100_000, ["subject " * 1000] * 15)
    assert estimate_tokens(text) < 5000
    assert "Conventional Commits" in request_text("", "", TYPED)


def test_the_trailer_comes_once_and_among_its_kind() -> None:
    line = "Assisted-by: x"
    assert with_trailer("Mend", line) == f"Mend\n\n{line}"
    assert with_trailer(f"Mend\n\n{line}", line) == f"Mend\n\n{line}"
    assert with_trailer("Mend\n\nRefs: 1", line) == f"Mend\n\nRefs: 1\n{line}"
    assert with_trailer("fix: mend", line) == f"fix: mend\n\n{line}"
    assert with_trailer("Mend", "") == "Mend"
