"""What the built-in partner does for what is said to it; all that it knows stands in the conversation."""

import json

import pytest

from agent_core.checks.model import CheckResult, Finding
from agent_core.conversation import Item, Request, ToolResultItem, UserItem
from agent_core.partners.offline.partner import OfflineModel
from agent_core.prompt import replies, review_words
from agent_core.repair.desk import Desk
from agent_core.repair.model import Difference, Edit, Found, TestRun
from tests.partners.offline.trying import CLAMP, GREEN, RED, TESTS, Service, Talk, found, repair

FIX = "# Task\n\nfix the failing test"
AT_LEAST = repair("x < low", "x <= low")
OTHER = repair("x > high", "x >= high")
THIRD = repair("return low", "return low + 0")


def mended(one: object = AT_LEAST) -> str:
    edit: Edit = one.variant.edits[0]  # type: ignore[attr-defined]  # a repair
    return CLAMP[: edit.start] + edit.text + CLAMP[edit.end :]


def verdict(words: str, number: int = 1) -> str:
    return f"{replies.verdict_part(number, 'fixes 1, breaks nothing', '')}\n\n{words}"


async def test_the_best_repair_is_proposed_with_what_was_found() -> None:
    talk = Talk(Service(found(AT_LEAST, OTHER, word="`<=` for `<`: all 2 tests pass with it.")))
    words = await talk.told(f"About the project.\n\n{FIX}")
    assert "12 changes tried in 1.5 s. `<=` for `<`: all 2 tests pass with it." in words
    assert "1 other repair does as well: reject this one, or say `next`, for another." in words
    assert talk.proposed() == {"lib/clamp.py": mended()}
    assert talk.service.wanted[0].kinds == ("tests",)
    assert talk.service.wanted[0].seconds == 60.0


async def test_rejected_the_next_one_is_proposed_until_none_is_left() -> None:
    talk = Talk(Service(found(AT_LEAST, OTHER, THIRD)))
    await talk.told(FIX)
    words = await talk.answered(verdict(replies.rejected_part(1, "not that")))
    assert "x >= high for x > high at lib/clamp.py:4" in words
    assert "With it both tests pass." in words
    assert talk.proposed() == {"lib/clamp.py": mended(OTHER)}
    await talk.answered(verdict(replies.rejected_part(2, "")))
    assert talk.proposed() == {"lib/clamp.py": mended(THIRD)}
    proposals = len(talk.items)
    assert "no other repair" in await talk.answered(verdict(replies.rejected_part(3, "")))
    assert len(talk.items) == proposals + 2  # the answer to it, and words
    assert len(talk.service.wanted) == 1


@pytest.mark.parametrize("reason", ["3", "take number 3", "the third one", "#3"])
async def test_a_reason_that_names_another_one(reason: str) -> None:
    talk = Talk(Service(found(AT_LEAST, OTHER, THIRD)))
    await talk.told(FIX)
    await talk.answered(verdict(replies.rejected_part(1, reason)))
    assert talk.proposed() == {"lib/clamp.py": mended(THIRD)}
    await talk.answered(verdict(replies.rejected_part(2, "the next one")))
    assert talk.proposed() == {"lib/clamp.py": mended(AT_LEAST)}


async def test_nothing_else_is_mended_in_the_place_of_what_does_not_exist() -> None:
    talk = Talk(Service(found(AT_LEAST)))
    words = await talk.told("fix tests/test_gone.py")
    assert words.startswith("There is no `tests/test_gone.py`.")
    assert not talk.service.wanted


DIFFERENT = (Difference("clamp(2, 2, 3)", ("2", "3", "2"), "x equals low"),)


async def test_repairs_that_do_different_things_are_a_question() -> None:
    talk = Talk(Service(found(AT_LEAST, OTHER, THIRD, differences=DIFFERENT)))
    await talk.told(FIX)
    assert talk.call.name == "ask_human"
    question = talk.arguments["question"]
    assert question == (
        "3 different repairs pass all tests, and differ when x equals low. What is to come of `clamp(2, 2, 3)`?"
    )
    assert talk.arguments["options"] == [
        "2 (x <= low for x < low at lib/clamp.py:2)",
        "3 (x >= high for x > high at lib/clamp.py:4)",
    ]
    await talk.answered(f"The human answers: {talk.arguments['options'][1]}")
    assert talk.proposed() == {"lib/clamp.py": mended(OTHER)}
    # The others can still be had.
    await talk.answered(verdict(replies.rejected_part(1, "")))
    assert talk.proposed() == {"lib/clamp.py": mended(AT_LEAST)}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("There is no answer: nobody is there.", "Nobody chose, so I assume that `clamp(2, 2, 3)` is to give `2`."),
        ("The human answers: blue", "I can't read that as one of the answers"),
        ("The human answers: 2", ""),
    ],
)
async def test_the_best_one_where_nobody_chooses(answer: str, words: str) -> None:
    talk = Talk(Service(found(AT_LEAST, OTHER, differences=(Difference("clamp(2, 2, 3)", ("2", "3")),))))
    await talk.told(FIX)
    expected = OTHER if answer.endswith(" 2") else AT_LEAST
    assert words in await talk.answered(answer)
    assert talk.proposed() == {"lib/clamp.py": mended(expected)}


async def test_what_is_told_with_an_answer_does_not_take_its_place() -> None:
    service = Service(found(AT_LEAST, OTHER, differences=DIFFERENT), found(OTHER))
    talk = Talk(service)
    await talk.told(FIX)
    result = ToolResultItem(talk.call.call_id, f"The human answers: {talk.arguments['options'][1]}")
    edited = "[The human changed files in their editor. Build on it.]"
    before = list(talk.items)
    talk.items.append(result)
    assert "Nobody chose" not in await talk.told(edited)
    assert talk.proposed() == {"lib/clamp.py": mended(OTHER)}
    # The very file: it is looked for again.
    talk.items = [*before, result]
    service.disk["lib/clamp.py"] += b"# mine\n"
    assert "Files have changed since I asked. I look for a change" in await talk.told(edited)


async def test_without_the_tool_to_ask_the_best_one_is_proposed() -> None:
    talk = Talk(Service(found(AT_LEAST, OTHER, differences=DIFFERENT)), tools=(Talk(Service())._tools[1],))
    await talk.told(FIX)
    assert talk.proposed() == {"lib/clamp.py": mended()}


@pytest.mark.parametrize("text", ["Write a web server", "hello", "explain clamp", "add tests for `clamp`", "Warum?"])
async def test_for_anything_else_it_says_what_it_can_and_what_is_red(text: str) -> None:
    talk = Talk(Service(found(AT_LEAST)))
    words = await talk.told(text)
    assert words.startswith("I understand no words. I repair failing tests, type and lint findings by search")
    assert "pairloop key set" in words
    assert "OPENAI_BASE_URL" in words
    assert "Now 1 test fails (`tests/test_clamp.py::test_low`): say `fix` and I look for a repair." in words
    assert talk.service.wanted == []
    # And then it does.
    await talk.told("fix")
    assert talk.proposed() == {"lib/clamp.py": mended()}


async def test_what_is_not_green_is_mended_on_top_or_another_one_is_taken() -> None:
    types = CheckResult("mypy", "failed", "t", "1", (Finding("mypy", "no", "lib/clamp.py", 2),))
    text = mended()
    annotated = repair("def clamp(x, low, high):", "def clamp(x, low, high) -> int:", text=text, kind="types", passed=0)
    talk = Talk(Service(found(AT_LEAST, OTHER), found(annotated)))
    await talk.told(FIX)
    talk.service.draft = talk.apply()
    talk.service.results = (GREEN[0], types)
    words = await talk.answered(verdict(replies.go_on_part("")))
    assert "brings type findings" in words
    assert (talk.service.wanted[1].kinds, talk.service.wanted[1].paths) == (("types",), ("lib/clamp.py",))
    both = text.replace("high):", "high) -> int:")
    assert talk.proposed() == {"lib/clamp.py": both}
    # Not green either: the next one takes the place of all that is in the draft.
    talk.service.draft = talk.apply()
    words = await talk.answered(verdict(replies.go_on_part(""), 2))
    assert "no other repair" in words


async def test_what_tests_reject_is_not_mended_on_top() -> None:
    types = CheckResult("mypy", "failed", "t", "1", (Finding("mypy", "no", "lib/clamp.py", 2),))
    talk = Talk(Service(found(AT_LEAST, OTHER)))
    await talk.told(FIX)
    talk.service.draft = talk.apply()
    talk.service.results = (RED[0], types)
    await talk.answered(verdict(replies.go_on_part("")))
    assert talk.proposed() == {"lib/clamp.py": mended(OTHER)}
    assert len(talk.service.wanted) == 1


async def test_who_says_yes_is_told_how_to_have_it_or_gets_what_was_offered() -> None:
    talk = Talk(Service(found(AT_LEAST)))
    assert "say `fix` and I look for a repair" in await talk.told("# Task\n\nhello")
    await talk.told("# Task\n\nyes, please")
    assert talk.proposed() == {"lib/clamp.py": mended()}
    assert await talk.answered(verdict(replies.go_on_part("ok"))) == (
        "To have it, accept the proposal: words alone land nothing."
    )
    assert len(talk.service.wanted) == 1


async def test_the_next_one_takes_the_place_of_the_draft_in_other_files_too() -> None:
    other = repair(
        "assert clamp(1, 2, 3) == 2",
        "assert True",
        "tests/test_clamp.py",
        Service().disk["tests/test_clamp.py"].decode(),
    )
    talk = Talk(Service(found(AT_LEAST, other)))
    await talk.told(FIX)
    talk.service.draft = talk.apply()
    await talk.answered(verdict(replies.go_on_part("another, please")))
    assert list(talk.apply()) == ["tests/test_clamp.py"]


async def test_what_is_gone_has_no_draft_whose_place_is_taken() -> None:
    other = repair("def test_high(): ...", "def test_high(): pass", "tests/test_clamp.py", TESTS)
    talk = Talk(Service(found(AT_LEAST, other)))
    await talk.told(FIX)
    del talk.service.disk["lib/clamp.py"]
    await talk.answered(verdict(replies.rejected_part(1, "")))
    assert list(talk.apply()) == ["tests/test_clamp.py"]


async def test_files_that_change_meanwhile_are_looked_at_again() -> None:
    talk = Talk(Service(found(AT_LEAST, OTHER), found(OTHER), found(THIRD)))
    await talk.told(FIX)
    refused = replies.refused("lib/clamp.py: the lines are not there.", "")
    await talk.answered(refused, ok=False)
    assert len(talk.service.wanted) == 2
    assert talk.proposed() == {"lib/clamp.py": mended(OTHER)}
    await talk.answered(refused, ok=False)
    assert talk.proposed() == {"lib/clamp.py": mended(THIRD)}
    assert "do not fit" in await talk.answered(refused, ok=False)
    assert len(talk.service.wanted) == 3
    # What was found before the human's edit is no longer proposed.
    talk = Talk(Service(found(AT_LEAST, OTHER)))
    await talk.told(FIX)
    talk.service.disk["lib/clamp.py"] = b"# mine\n" + talk.service.disk["lib/clamp.py"]
    assert "no other repair" in await talk.answered(verdict(replies.rejected_part(1, "")))


async def test_over_what_the_human_wrote_in_its_place_it_is_looked_for_again() -> None:
    text = f"{CLAMP}# mine\n"
    talk = Talk(Service(found(AT_LEAST, OTHER), found(repair("x < low", "x <= low", text=text))))
    await talk.told(FIX)
    talk.service.disk["lib/clamp.py"] = text.encode()
    words = await talk.answered(verdict(review_words.rest_kept("", anything=False)))
    assert "I look for a change that mends failing tests" in words
    assert talk.proposed() == {"lib/clamp.py": mended() + "# mine\n"}, "the same edit, of another text"


async def test_a_text_that_is_another_by_the_end_of_the_search_is_never_patched() -> None:
    stale = found(AT_LEAST, texts={"lib/clamp.py": f"# before\n{CLAMP}"})
    talk = Talk(Service(stale))
    assert "Something was found." in await talk.told(FIX)
    assert len(talk.items) == 2


async def test_what_fails_still_is_said_with_a_proposal() -> None:
    runs = tuple(TestRun(f"tests/test_clamp.py::test_{name}", "failed", 0.1) for name in ("low", "high"))
    talk = Talk(Service(found(AT_LEAST, failing=runs)))
    assert "After it 1 test still fails: say `fix` when this has landed." in await talk.told(FIX)


async def test_after_a_landing_with_words_it_goes_on_or_says_what_is_red() -> None:
    talk = Talk(Service(found(AT_LEAST), found(OTHER)))
    await talk.told(FIX)
    talk.service.disk |= talk.apply()
    words = await talk.answered(verdict(replies.landed_part(1, "thank you")))
    assert words.startswith("It is in your files. Now 1 test fails")
    talk.service.results = GREEN
    assert await talk.told(replies.NUDGE) == "I have nothing to add to that. Say `fix` and I look again."


async def test_of_several_words_those_count_that_ask_for_something() -> None:
    talk = Talk(Service(found(AT_LEAST), found(OTHER)))
    talk.items.append(UserItem(FIX))
    assert "I look for a change that mends failing tests" in await talk.told("as I said before")
    assert await talk.told("stop") == "I have stopped. Say `fix` and I look again."
    assert len(talk.service.wanted) == 1


@pytest.mark.parametrize("ended", ["stopped", "out of time"])
async def test_a_search_that_ends_early(ended: str) -> None:
    talk = Talk(Service(found(AT_LEAST, ended=ended), Found(ended=ended)))  # type: ignore[arg-type]  # one of them
    words = await talk.told(FIX)
    assert ("stopped" if ended == "stopped" else "the time was over") in words
    assert talk.proposed() == {"lib/clamp.py": mended()}
    assert "No repair was found." in await talk.told("again")


async def test_outside_of_a_session_it_says_so() -> None:
    items: tuple[Item, ...] = (UserItem("fix"),)
    chunks = [one async for one in OfflineModel(Desk()).stream(Request("", items, Talk(Service())._tools, ""))]
    assert "within a session only" in str(chunks[0])


async def test_calls_hold_no_more_than_a_few_repairs() -> None:
    many = [repair("x < low", f"x < low + {number}") for number in range(20)]
    talk = Talk(Service(found(*many)))
    await talk.told(FIX)
    assert [one["number"] for one in talk.arguments["repairs"]] == [1, 2, 3, 4, 5, 6]
    assert len(json.dumps(talk.arguments)) < 4000
