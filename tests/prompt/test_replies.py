"""What pairloop tells the partner."""

from __future__ import annotations

import json

import pytest

from agent_core.conversation import AssistantItem, Item, ToolCallItem, ToolResultItem, UserItem
from agent_core.prompt import replies
from agent_core.prompt.named_files import named_files


def call(number: int, patch: str) -> tuple[Item, Item]:
    return ToolCallItem(f"c{number}", "apply_patch", patch), ToolResultItem(f"c{number}", "refused")


def test_the_same_call_twice_is_noticed_until_the_human_speaks() -> None:
    assert not replies.said_again(call(1, "a"))
    assert not replies.said_again((*call(1, "a"), *call(2, "b")))
    assert replies.said_again((UserItem("mend it"), *call(1, "a"), AssistantItem("hm"), *call(2, "a")))
    assert replies.said_again((*call(1, "a"), *call(2, "a"), UserItem(replies.SAME_AGAIN), *call(3, "a")))
    assert not replies.said_again((*call(1, "a"), UserItem("try it again"), *call(2, "a")))
    allowed = (ToolCallItem("c2", "apply_patch", "a"), ToolResultItem("c2", "done"))
    assert not replies.said_again((*call(1, "a"), *allowed)), "another answer is news"


def test_every_call_gets_an_answer() -> None:
    items = (*call(1, "a"), ToolCallItem("c2", "read_file", "{}"), ToolCallItem("c3", "read_file", "{}"))
    assert replies.unanswered(items) == ("c2", "c3")
    assert [result.call_id for result in replies.cut_short(items)] == ["c2", "c3"]


def test_the_files_of_a_refused_patch_are_found_in_its_arguments() -> None:
    arguments = (
        '{"patch": "*** Begin Patch\\n*** Update File: a b.py\\n@@\\n-x\\n+y\\n*** Delete File: c.py\\n*** End Patch"}'
    )
    assert replies.updated_files(arguments) == ("a b.py", "c.py")
    assert replies.updated_files("{") == ()


BLOCKS = "Here it is:\n\nsrc/a.py\n```python\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n```\n"
UNIFIED = "--- a/src/a.py\n+++ b/src/a.py\n@@ -1 +1 @@\n-x\n+y\n--- /dev/null\n+++ b/new.py\n@@ -0,0 +1 @@\n+y\n"


@pytest.mark.parametrize(
    "patch",
    [
        BLOCKS,
        UNIFIED,
        "*** Begin Patch\n*** Update File: src/a.py\n@@\n-x\n+y\n*** Add File: new.py\n+y\n*** End Patch",
        # What cannot be read has its headers all the same.
        BLOCKS.replace(">>>>>>> REPLACE", "").replace("=======", ""),
        UNIFIED.replace("-x\n", "?x\n"),
        "*** Begin Patch\n*** Update File: src/a.py\nno sign\n*** End Patch",
    ],
)
def test_the_files_of_a_refused_patch_are_found_in_every_format(patch: str) -> None:
    assert replies.updated_files(json.dumps({"patch": patch})) == ("src/a.py",)
    # Arguments that are no JSON: cut short, or never any.
    assert replies.updated_files(json.dumps({"patch": patch})[:-2]) == ("src/a.py",)


def test_a_refused_patch_among_others_is_to_come_alone() -> None:
    assert "send this one alone" in replies.refused("why", "", others=True)
    assert "alone" not in replies.refused("why", "files")
    assert replies.refused("why", "files").endswith("[As it is now:]\nfiles")


def test_words_that_mean_to_be_a_patch() -> None:
    assert replies.looks_like_patch("<<<<<<< SEARCH\nx")
    assert replies.looks_like_patch("I call apply_patch now.")
    assert not replies.looks_like_patch("I changed one line:\n@@ -1 +1 @@\n-x\n+y")


FILES = {
    "shop/__init__.py": b"",
    "shop/prices.py": b"x = 1\n",
    "shop/sub/prices.py": b"",
    "shop/tax.py": b"y = 1\n",
    "tests/test_prices.py": b"from shop.prices import x\n",
}


def test_a_task_goes_with_the_files_it_names() -> None:
    def named(task: str) -> tuple[str, ...]:
        return named_files(task, tuple(FILES), FILES.get)

    assert named("mend shop/tax.py, please.") == ("shop/tax.py",)
    assert named("tax.py is wrong") == ("shop/tax.py",)
    assert named("prices.py is wrong") == (), "which of the two is meant?"
    assert named("tests/test_prices.py::test_x fails") == ("shop/prices.py",)
    assert named("rewrite `./tests/test_prices.py` for shop/tax.py") == ("shop/tax.py", "shop/prices.py")
    assert named("what is in here? e.g. 3.5") == ()
