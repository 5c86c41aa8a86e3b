"""A session written out: all that happened, no secrets, no escapes, and Markdown that stays valid whatever is in it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_core import events as ev
from agent_core.checks.model import CheckResult, Finding, Verdict
from agent_core.conversation import Usage
from agent_core.export import code, exported, fenced, quoted
from agent_core.journal import SqliteJournal
from agent_core.masking import MASKED, Masker
from agent_core.patch.model import Block, FilePatch, Patch
from agent_core.places import project_state
from agent_core.review import Mark, Review, between
from agent_core.shelf import Shelf, named
from agent_core.story import Proposal, Story, fit_to_show
from agent_core.telling import story_of
from tests.support.command_line import run_pairloop
from tests.support.shop import make_shop
from tests.test_fold import ANY_EVENT

SECRET = "hunter2-hunter2"
PATCH = Patch((FilePatch("a.py", "update", "h1", "h2", 0o100644, 0o100644, (Block("b1", 3, 3, ("x\n",), ("y\n",)),)),))
BROKEN = Finding("pytest", "assert 1 == 2", "t.py", 4, "t.py::test_a", detail="```\nE assert\n```")
VERDICT = Verdict(
    "tree", "base", False, (CheckResult("pytest", "failed", "tree", "1 failed"),), broken=(BROKEN,), summary="red"
)
EVENTS: tuple[ev.AnyEvent, ...] = (
    ev.SessionStarted("s", "/p", "1"),
    ev.Asked(1, "mend *this* `now`\n# no heading\n```\nopen fence"),
    ev.TextStreamed("I wi"),
    ev.AnswerFinished(f"I will, with {SECRET} \x1b[31m\n````\nopen\n", Usage()),
    ev.ToolStarted("c1", "read_file", "read a`b.py"),
    ev.ToolFinished("c1", True, "10 lines"),
    ev.ProposalMade(1, 1, "c2", PATCH, "base", "tree", "--- a\n+++ b\n-```x\n+y\n"),
    ev.VerdictReached(1, VERDICT),
    ev.Diagnosed(1, "it is off by one", "evidence"),
    ev.Reviewed(1, between(Review(), Review({"b1": Mark(False, None, "why y?")}))),
    ev.Decided(1, "reject", "human", "rather z"),
    ev.HumanEdited("b.py", "changed", "-1\n+2\n", "h3", "h4"),
    ev.LandingStarted(3, 1, 0, (ev.FileLanding("a.py", "h1", "h2", 0o100644, 0o100644),)),
    ev.Landed(3),
    ev.TaskFinished(1, "not_green", "stopped"),
)


def entries(events: tuple[ev.AnyEvent, ...] | list[ev.AnyEvent] = EVENTS) -> list[ev.Entry]:
    return [ev.Entry(seq, 1000.0 + seq, event) for seq, event in enumerate(events, 1)]


def told(events: tuple[ev.AnyEvent, ...] | list[ev.AnyEvent] = EVENTS) -> Story:
    return fit_to_show(story_of("s", entries(events)), Masker({"MY_PASSWORD": SECRET}))


def test_everything_is_told() -> None:
    text = exported(told(), "md")
    for words in (
        "## Task 1",
        "> # no heading",
        "### Proposal 1 (attempt 1)",
        "````diff\n--- a\n+++ b\n-```x\n+y\n````",
        "**✗ red**",
        "`t.py:4`",
        "off by one",
        "on `a.py:3`:\n\n> why y?",
        "**Rejected** by you",
        "> rather z",
        "**You changed** `b.py`",
        "**Landed proposal 1** as landing 3: `a.py`",
        "**Task 1 ended: not green.** stopped",
        "- ✓ ``read a`b.py``: 10 lines",
    ):
        assert words in text, words
    assert "I wi\n" not in text
    assert text.count("I will") == 1


def test_whose_an_edit_was_is_told() -> None:
    outside = (
        ev.HumanEdited("b.py", "changed", "", "h3", "h4", "formatter"),
        ev.FilesEdited(("c.py", "d.py"), 0, 2, 0, "unknown"),
        ev.BranchChanged("checkout: moving from main to topic", "main", "topic", "c", ("a.py",), 1),
        ev.LandingWaits(1, "Git is in the midst of a rebase."),
        ev.LandingWaits(1, ""),
    )
    text = exported(told(outside), "md").replace("\\", "")
    assert "**A formatter changed** `b.py`" in text
    assert "Someone changed 2 files: c.py, d.py" in text
    assert "Git checkout: moving from main to topic, 1 file changed" in text
    assert text.count("in the midst of a rebase") == 1


def test_json_holds_the_same_and_reads_back() -> None:
    story = told()
    data = json.loads(exported(story, "json"))
    assert (data["format"], data["version"], data["title"]) == ("pairloop session", 1, "mend *this* `now`")
    kinds = [part["type"] for part in data["parts"]]
    assert kinds == ["task", "words", "tool", "proposal", "edit", "landing", "ended"]
    assert data["parts"][3]["verdict"]["broken"][0]["code"] == "t.py::test_a"
    assert data["parts"][3]["decisions"][0]["reason"] == "rather z"
    assert msgspec.json.decode(exported(story, "json"), type=Story) == story


@pytest.mark.parametrize("form", ["md", "json"])
def test_no_secret_and_no_escape_leaves(form: str) -> None:
    text = exported(told(), "md" if form == "md" else "json")
    assert SECRET not in text
    assert MASKED.strip("[]") in text
    assert "\x1b" not in text
    assert "\\u001b" not in text


@given(st.lists(ANY_EVENT, max_size=20))
@settings(max_examples=60, deadline=None)
def test_whatever_happened_can_be_told(events: list[ev.AnyEvent]) -> None:
    story = told(events)
    assert msgspec.json.decode(exported(story, "json"), type=Story) == story
    text = exported(story, "md")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)


@given(st.text(alphabet="`~ab \n>#", max_size=60))
@settings(max_examples=200, deadline=None)
def test_fences_quotes_and_spans_hold_what_is_in_them(text: str) -> None:
    opening, *inside, closing = fenced(text)
    assert closing == opening.rstrip("abcdefghijklmnopqrstuvwxyz")
    assert len(closing) >= 3
    assert all(len(run) < len(closing) for line in inside for run in re.findall("`+", line))
    assert all(line.startswith(">") for line in quoted(text))
    span = code(text)
    ticks = re.match("`*", span)
    assert ticks is not None
    if span:
        edge = len(ticks.group())
        assert span.endswith("`" * edge)
        assert "\n" not in span
        assert all(len(run) != edge for run in re.findall("`+", span[edge:-edge]))


def test_a_proposal_carried_over_is_told_once_with_all_decisions() -> None:
    made = EVENTS[6]
    assert isinstance(made, ev.ProposalMade)
    again = msgspec.structs.replace(made, tree="other")
    story = told([made, ev.Decided(1, "steer", "human", "more"), again, ev.Decided(1, "accept", "mode")])
    [part] = story.parts
    assert isinstance(part, Proposal)
    assert [(one.decision, one.by) for one in part.decisions] == [("steer", "human"), ("accept", "mode")]


def test_a_part_that_was_taken_is_told_with_its_own_verdict() -> None:
    made = EVENTS[6]
    assert isinstance(made, ev.ProposalMade)
    whole = Verdict(made.tree, "b", True, (), summary="green: breaks nothing")
    part = Verdict("part", "b", False, (), summary="breaks 1")
    took = ev.Reviewed(1, part_tree="part")
    accept = ev.Decided(1, "accept", "human", "", 1, 2)
    text = exported(told([made, ev.VerdictReached(1, whole), took, ev.VerdictReached(1, part), accept]), "md")
    assert "Verdict: **✓ green: breaks nothing**" in text
    assert "Verdict on these parts by themselves: **✗ breaks 1**" in text
    # Of other parts nothing is said by it.
    other = ev.Reviewed(1, part_tree="other")
    story = told([made, took, ev.VerdictReached(1, part), other, ev.VerdictReached(1, part), accept])
    assert "Verdict on these parts by themselves: not known" in exported(story, "md")
    # All of it has its own.
    [one] = told([made, took, ev.VerdictReached(1, part), ev.Decided(1, "accept", "human", "")]).parts
    assert isinstance(one, Proposal)
    assert one.decisions[0].verdict is None


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("key sk-proj-abcdefghijklmnopqrstuvwx1234 end", "key [secret] end"),
        ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "[secret]"),
        ("Authorization: Bearer abcdefghijklmnop1234", "Authorization: Bearer [secret]"),
        ("postgres://me:s3cr3t@db/x", "postgres://me:[secret]@db/x"),
        ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\nrest", "[secret]\n\n\nrest"),
        ("-----BEGIN PRIVATE KEY-----\ncut off", "[secret]\n"),
        ("authorization: bearer abcdefghijklmnop1234", "authorization: bearer [secret]"),
        ("{'Authorization': 'Basic dXNlcjpwYXNz'}", "{'Authorization': 'Basic [secret]'}"),
        ("a basic misunderstanding of tokens", "a basic misunderstanding of tokens"),
        ("task-sk-1 risk-management-of-the-shop", "task-sk-1 risk-management-of-the-shop"),
        ("see https://example.org/a@b", "see https://example.org/a@b"),
        ("a true value", "a true value"),
    ],
)
def test_secrets_are_known_by_their_form(text: str, kept: str) -> None:
    assert Masker({"SOME_TOKEN": "true", "PATH": "/usr/bin/local"})(text) == kept


def test_secrets_are_known_by_the_name_of_their_variable() -> None:
    mask = Masker({"A_TOKEN": "abcdefgh", "B_TOKEN": "abcdefgh-long", "PLAIN": "plain-value", "X": "named-by"}, "X")
    assert mask("abcdefgh-long abcdefgh plain-value named-by") == "[secret] [secret] plain-value [secret]"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("x = ghp_abcdefgh\n[... 9 lines left out ...]\ny", "x = [secret]\n[... 9 lines left out ...]\ny"),
        ("x = abcdefghij\n[... 9 lines left out ...]\ny", "x = [secret]\n[... 9 lines left out ...]\ny"),
        ("x\n[... 12 characters left out ...]\nmnopqrst\ny", "x\n[... 12 characters left out ...]\n[secret]\ny"),
        (
            "x\n[... 2 lines left out ...]\n+MIIabc/+=\n+-----END PRIVATE KEY-----\n+y",
            "x\n[... 2 lines left out ...]\n[secret]\n\n+y",
        ),
        ("nothing here\n[... 2 lines left out ...]\nnor here", "nothing here\n[... 2 lines left out ...]\nnor here"),
    ],
)
def test_secrets_that_a_bound_cut_are_taken_out_too(text: str, kept: str) -> None:
    assert Masker({"A_TOKEN": "abcdefghijklmnopqrst"})(text) == kept


async def test_from_the_command_line(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    status, out, err = await run_pairloop(["export"], project)
    assert (status, out) == (1, "")
    assert "no sessions" in err
    journal = SqliteJournal(project_state(project) / "journal.db")
    journal.create("20260301-104200-abc")
    for event in EVENTS:
        journal.append("20260301-104200-abc", event)
    journal.close()
    status, out, err = await run_pairloop(["sessions", "--json"], project)
    [card] = [json.loads(line) for line in out.splitlines()]
    assert (status, err, card["title"]) == (0, "", "mend *this* `now`")
    assert (card["tasks"], card["attempts"], card["landings"], card["pending"], card["in_use"]) == (1, 1, 1, "", False)
    target = tmp_path / "out.md"
    assert await run_pairloop(["export", "20260301", "-o", str(target)], project) == (0, "", "")
    assert "**Landed proposal 1** as landing 3" in target.read_text()
    status, out, _ = await run_pairloop(["export", "--format", "json"], project)
    assert (status, json.loads(out)["session"]) == (0, card["id"])


async def test_hidden_sessions_keep_what_they_landed(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.db")
    for name in ("s1", "s2"):
        journal.create(name)
        for event in (ev.SessionStarted(name, "/p", "1"), ev.Asked(1, f"task of {name}")):
            journal.append(name, event)
    journal.append("s1", EVENTS[12], durable=True)
    journal.append("s1", EVENTS[13], durable=True)
    shelf = Shelf(tmp_path, Masker({}))
    await shelf.hide("s1", hidden=True)
    assert [card.id for card in await shelf.cards()] == ["s2"]
    assert [one.id for one in journal.sessions()] == ["s2"]
    assert {card.id: card.landings for card in await shelf.cards(hidden=True)} == {"s1": 1, "s2": 0}
    assert [record.stands for record in journal.landings()] == ["landed"]
    await shelf.hide("s1", hidden=False)
    cards = await shelf.cards()
    assert {card.id for card in cards} == {"s1", "s2"}
    assert named(cards, "s2").title == "task of s2"
    path = await shelf.export("s1", "md")
    assert path.stat().st_mode & 0o077 == 0 or path.parent.stat().st_mode & 0o077 == 0
    assert "task of s1" in path.read_text().replace("\\", "")
    journal.close()
    assert project_state(tmp_path) != tmp_path
