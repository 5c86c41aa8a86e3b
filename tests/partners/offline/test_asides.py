"""What it says beside the conversation: messages of commits out of the change, and nothing where it has no words."""

import pytest

from agent_core.conversation import Request, UserItem
from agent_core.partners.offline.asides import said_aside, what_changes
from agent_core.prompt import commit_message, compaction


def diff(*lines: str, path: str = "shop/prices.py") -> str:
    return "\n".join((f"diff --git a/{path} b/{path}", f"--- a/{path}", f"+++ b/{path}", "@@ -1,3 +1,3 @@", *lines, ""))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (diff(" def total(items):", "-    if n < 3:", "+    if n <= 3:"), "Mend total: <= for <"),
        (diff("     x = 1", "-    return a - b", "+    return a + b"), "Mend prices: + for -"),
        (diff(" def f(a):", "+    if a is None:", "+        return 0"), "Mend f: add if a is None : return 0"),
        (diff(" def f(a):", "-    a += 1"), "Mend f: drop a += 1"),
        (diff(" def f(a):", f"-    {'a' * 50}", f"+    {'b' * 50}"), "Mend f"),
        (diff("-a", "+b") + diff("-a", "+b", path="shop/cart.py"), "Mend prices, cart"),
        ("", ""),
    ],
)
def test_a_change_in_a_few_words(text: str, words: str) -> None:
    assert what_changes(text) == words


def test_messages_have_the_style_of_the_log() -> None:
    change = diff(" def total(items):", "-    if n < 3:", "+    if n <= 3:")

    def message(*log: str) -> str:
        text = commit_message.request_text("fix", change, log)
        return said_aside(Request(commit_message.INSTRUCTIONS, (UserItem(text),), (), ""))

    assert message() == "Mend total: <= for <"
    assert message("fix: a thing", "feat: another", "docs: more") == "fix: mend total: <= for <"
    assert commit_message.read_answer(message("One", "Two", "Three")) == "Mend total: <= for <"


def test_summaries_are_left_to_pairloop() -> None:
    assert said_aside(Request(compaction.INSTRUCTIONS.format(words=9), (UserItem("x"),), (), "")) == ""
