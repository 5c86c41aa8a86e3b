"""Rules of a folder are told when it comes into play, once."""

from __future__ import annotations

import json
from pathlib import PurePath

import pytest

from agent_core.conversation import Item, ToolCallItem, UserItem
from agent_core.prompt.folder_rules import FolderRules
from agent_core.prompt.project_docs import project_context

FILES = {
    "AGENTS.md": b"Root.",
    "web/AGENTS.md": b"Web rules.",
    "web/admin/AGENTS.md": b"Admin rules.",
    "lib/AGENTS.md": b"line\n" * 500,
    "web/admin/page.py": b"x = 1\n",
}


def reading(path: str) -> Item:
    return ToolCallItem("c1", "read_file", json.dumps({"path": path}))


def patching(text: str) -> Item:
    return ToolCallItem("c2", "apply_patch", json.dumps({"patch": text}))


def news(rules: FolderRules, items: list[Item]) -> list[str]:
    found = rules.news(items, 200)
    items += found
    return [item.text for item in found]


WEB = "# web/AGENTS.md (the rules for web/)\n\nWeb rules."
ADMIN = "# web/admin/AGENTS.md (the rules for web/admin/)\n\nAdmin rules."


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (reading("./web/admin/page.py"), [WEB, ADMIN]),
        (reading("web/x.py"), [WEB]),
        (reading("web"), [WEB]),
        (patching("*** Begin Patch\n*** Update File: web/x.py\n@@\n-a\n+b\n*** End Patch"), [WEB]),
        (patching("*** Begin Patch\n*** Add File: web/admin/new.py\n+a\n*** End Patch"), [WEB, ADMIN]),
        (reading("other/x.py"), []),
        (reading("/web/x.py"), []),
        (reading("web/../web/x.py"), []),
        (ToolCallItem("c", "read_file", "{"), []),
        (ToolCallItem("c", "read_file", "[1]"), []),
        (ToolCallItem("c", "search", '{"pattern": "web/"}'), []),
    ],
)
def test_they_are_told_once(call: Item, told: list[str]) -> None:
    rules = FolderRules(FILES.get)
    items: list[Item] = [UserItem("Hello")]
    assert news(rules, items) == []
    items.append(call)
    assert news(rules, items) == told
    items.append(call)
    assert news(rules, items) == []
    # A session that goes on knows what was told.
    assert news(FolderRules(FILES.get), items) == []


def test_what_was_told_at_first_is_not_told_again() -> None:
    context = project_context_of(FILES)
    rules = FolderRules(FILES.get)
    assert news(rules, [UserItem(context), reading("web/admin/page.py")]) == []


def test_what_is_long_is_cut() -> None:
    (told,) = news(FolderRules(FILES.get), [reading("lib/a.py")])
    assert told.endswith("more lines of lib/AGENTS.md left out: read_file shows them]")
    assert len(told) < 1000


def project_context_of(files: dict[str, bytes]) -> str:
    return project_context(PurePath("/p/shop"), files.get, files, 8000)


@pytest.mark.parametrize("path", ["a/" * 500_000, "a/" * 500, "x" * 5000 + "/y"])
def test_a_path_that_no_file_has_is_not_gone_through(path: str) -> None:
    looked: list[str] = []
    rules = FolderRules(looked.append)
    assert rules.news((ToolCallItem("c", "read_file", json.dumps({"path": path})),), 100) == ()
    assert looked == []
