"""What the human does to the working tree is heard once, whole, and told from what pairloop wrote itself."""

from __future__ import annotations

import asyncio
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent_core.config_tables import Config, SandboxConfig
from agent_core.events import FileLanding, HumanEdited
from agent_core.masking import Masker
from agent_core.workspace import edits
from agent_core.workspace.edits import EditTracker
from agent_core.workspace.project import Project, open_project
from agent_core.workspace.tree import content_hash
from tests.projects import make_project

FILES = {".gitignore": "*.log\n", "a.py": "one\ntwo\nthree\n", "b.py": "b\n", "deep/c.py": "c\n"}


@pytest.fixture
async def project(tmp_path: Path) -> Project:
    root = make_project(tmp_path / "project", FILES)
    return await open_project(root, Config(sandbox=SandboxConfig(candidate="copy")), os.environ)


@pytest.fixture
async def tracker(project: Project) -> EditTracker:
    tracker = EditTracker(project)
    await tracker.start()
    return tracker


def digest(text: str) -> str:
    return content_hash(text.encode())


def landing(path: str, before: str | None, after: str | None) -> FileLanding:
    return FileLanding(
        path,
        None if before is None else digest(before),
        None if after is None else digest(after),
        0 if before is None else 0o100644,
        0 if after is None else 0o100644,
    )


async def heard(tracker: EditTracker) -> list[tuple[str, str]]:
    return [(edit.path, edit.kind) for edit in (await tracker.look())[1]]


async def test_nothing_happened(project: Project, tracker: EditTracker) -> None:
    start = tracker.seen
    os.utime(project.root / "a.py")
    (project.root / "a.py").write_text(FILES["a.py"])
    (project.root / "noise.log").write_text("ignored")
    assert await tracker.look() == (start, ())


async def test_what_the_human_did_comes_with_its_diff(project: Project, tracker: EditTracker) -> None:
    root = project.root
    (root / "a.py").write_text("one\n2\nthree\n")
    (root / "b.py").unlink()
    (root / "new.py").write_text("new\n")
    now, found = await tracker.look()
    assert now == tracker.seen == await project.snapshot()
    assert found == (
        HumanEdited(
            "a.py",
            "changed",
            "--- a/a.py\n+++ b/a.py\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three",
            digest(FILES["a.py"]),
            digest("one\n2\nthree\n"),
        ),
        HumanEdited("b.py", "deleted", "--- a/b.py\n+++ b/b.py\n@@ -1 +0,0 @@\n-b", digest("b\n"), None),
        HumanEdited("new.py", "added", "--- a/new.py\n+++ b/new.py\n@@ -0,0 +1 @@\n+new", None, digest("new\n")),
    )
    assert await tracker.look() == (now, ())


async def test_each_edit_is_compared_with_the_last_look(project: Project, tracker: EditTracker) -> None:
    for number in range(3):
        (project.root / "b.py").write_text(f"{number}\n")
        (edit,) = (await tracker.look())[1]
        assert edit.diff.split("\n")[3:] == [f"-{number - 1 if number else 'b'}", f"+{number}"]
    (project.root / "b.py").write_text("b\n")
    (project.root / "b.py").unlink()
    assert await heard(tracker) == [("b.py", "deleted")]
    (project.root / "b.py").write_text("again\n")
    assert await heard(tracker) == [("b.py", "added")]


async def test_a_rename_is_both_its_ends(project: Project, tracker: EditTracker) -> None:
    (project.root / "deep").rename(project.root / "deeper")
    assert await heard(tracker) == [("deep/c.py", "deleted"), ("deeper/c.py", "added")]


async def test_an_editor_that_writes_beside_and_renames(project: Project, tracker: EditTracker) -> None:
    (project.root / "a.py~").write_text("one\n")
    (project.root / "a.py~").replace(project.root / "a.py")
    assert await heard(tracker) == [("a.py", "changed")]


async def test_modes_and_links(project: Project, tracker: EditTracker) -> None:
    (project.root / "a.py").chmod(0o755)
    (project.root / "link").symlink_to("a.py")
    edits = (await tracker.look())[1]
    assert [(edit.path, edit.kind, edit.diff) for edit in edits] == [
        ("a.py", "changed", ""),
        ("link", "added", "--- a/link\n+++ b/link\n@@ -0,0 +1 @@\n+a.py"),
    ]


async def test_binary_files_have_no_diff(project: Project, tracker: EditTracker) -> None:
    (project.root / "a.py").write_bytes(b"\0\1\2")
    (edit,) = (await tracker.look())[1]
    assert (edit.kind, edit.diff) == ("changed", "")
    (project.root / "a.py").write_text("text again\n")
    (edit,) = (await tracker.look())[1]
    assert (edit.kind, edit.diff) == ("changed", "")
    (project.root / "a.py").write_text("and more\n")
    assert "+and more" in (await tracker.look())[1][0].diff


async def test_huge_files_are_heard_but_not_read(project: Project) -> None:
    huge = project.root / "huge.bin"
    with huge.open("wb") as file:
        file.truncate(400_000_000)
    tracker = EditTracker(project)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await tracker.start()
    with huge.open("ab") as file:
        file.write(b"x")
    (edit,) = (await tracker.look())[1]
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert (edit.path, edit.kind, edit.diff) == ("huge.bin", "changed", "")
    assert grown * (1 if sys.platform == "darwin" else 1024) < 100_000_000


async def test_long_diffs_are_cut(project: Project, tracker: EditTracker) -> None:
    (project.root / "a.py").write_text("".join(f"line {number}\n" for number in range(5000)))
    (edit,) = (await tracker.look())[1]
    assert len(edit.diff) < 2500
    assert "lines left out" in edit.diff


async def test_secrets_are_not_in_diffs_however_they_are_cut(project: Project) -> None:
    key = (
        "-----BEGIN PRIVATE KEY-----\n"
        + "".join(f"MIIB{number:060}\n" for number in range(400))
        + "-----END PRIVATE KEY-----\n"
    )
    (project.root / "key.pem").write_text(key)
    (project.root / "settings.py").write_text("URL = 'x'\nTOKEN = 'hidden-value-1'\n")
    tracker = EditTracker(project, Masker({"MY_TOKEN": "hidden-value-1"}))
    await tracker.start()
    # In the middle of the key: neither its beginning nor its end is in the diff.
    (project.root / "key.pem").write_text(key.replace(f"MIIB{200:060}", "MIIBchanged"))
    (project.root / "new.pem").write_text(key)
    (project.root / "settings.py").write_text(
        "URL = 'y'\nTOKEN = 'hidden-value-1'\nAUTH = 'authorization: bearer abcdefghijklmnop'\n"
    )
    found = {edit.path: edit.diff for edit in (await tracker.look())[1]}
    assert found["key.pem"].endswith("(only what looks like a secret differs)")
    assert not any(word in diff for word in ("MIIB", "hidden", "abcdefgh") for diff in found.values())
    assert "+TOKEN" not in found["settings.py"]
    assert " TOKEN = '[secret]'" in found["settings.py"]
    assert "@@ -1,2 +1,3 @@" in found["settings.py"]


async def test_a_file_saved_again_while_it_is_read_is_told_as_it_is(
    project: Project, tracker: EditTracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Project.read
    saved: list[str] = []

    def read(self: Project, path: str) -> bytes | None:
        if not saved:
            saved.append(path)
            (project.root / "b.py").write_text("second\n")
        return real(self, path)

    (project.root / "b.py").write_text("first\n")
    monkeypatch.setattr(Project, "read", read)
    (edit,) = (await tracker.look())[1]
    assert (edit.after, edit.diff.split("\n")[3:]) == (digest("second\n"), ["-b", "+second"])
    assert await heard(tracker) == []


async def test_texts_there_was_no_time_for_are_read_later(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edits, "_AT_ONCE", 0)
    tracker = EditTracker(project)
    await tracker.start()
    (project.root / "a.py").write_text("1\n")
    (edit,) = (await tracker.look())[1]
    assert edit.diff == "", "nobody knows what it was"
    await tracker.read_ahead()
    (project.root / "b.py").write_text("2\n")
    (edit,) = (await tracker.look())[1]
    assert edit.diff.split("\n")[3:] == ["-b", "+2"]


async def test_memory_is_bounded(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edits, "_MOST_TOTAL", 40)
    for name in "xyz":
        (project.root / f"{name}.txt").write_text(name * 14 + "\n")
    tracker = EditTracker(project)
    await tracker.start()
    assert tracker._kept == sum(map(len, tracker._texts.values())) <= 40
    # What there is no room for is heard all the same, only without a diff.
    (project.root / "z.txt").write_text("z\n")
    (project.root / "a.py").write_text("1\n")
    found = (await tracker.look())[1]
    assert [(edit.path, bool(edit.diff)) for edit in found] == [("a.py", True), ("z.txt", False)]
    assert tracker._kept == sum(map(len, tracker._texts.values())) <= 40


# -- what pairloop writes itself


async def test_a_landing_is_no_human_edit(project: Project, tracker: EditTracker) -> None:
    tracker.expect(
        [landing("a.py", FILES["a.py"], "ours\n"), landing("b.py", "b\n", None), landing("n.py", None, "n\n")]
    )
    (project.root / "a.py").write_text("ours\n")
    (project.root / "b.py").unlink()
    (project.root / "n.py").write_text("n\n")
    (project.root / "deep/c.py").write_text("theirs\n")
    assert await heard(tracker) == [("deep/c.py", "changed")]
    # Only once: whoever makes the same later is the human.
    (project.root / "a.py").write_text("theirs\n")
    (edit,) = (await tracker.look())[1]
    assert edit.diff.split("\n")[3:] == ["-ours", "+theirs"]
    (project.root / "a.py").write_text("ours\n")
    assert await heard(tracker) == [("a.py", "changed")]


async def test_an_edit_over_a_landing_is_heard(project: Project, tracker: EditTracker) -> None:
    tracker.expect([landing("b.py", "b\n", "ours\n")])
    (project.root / "b.py").write_text("ours\nand mine\n")
    assert await heard(tracker) == [("b.py", "changed")]
    # And what was expected is not waited for any longer.
    (project.root / "b.py").write_text("ours\n")
    assert await heard(tracker) == [("b.py", "changed")]


async def test_looked_at_just_before_it_is_written(project: Project, tracker: EditTracker) -> None:
    (project.root / "b.py").write_text("mine\n")
    tracker.expect([landing("b.py", "mine\n", "mine and ours\n")])
    assert await heard(tracker) == [("b.py", "changed")]
    (project.root / "b.py").write_text("mine and ours\n")
    assert await heard(tracker) == []


async def test_a_landing_that_did_not_happen_is_forgotten(project: Project, tracker: EditTracker) -> None:
    files = [landing("b.py", "b\n", "ours\n")]
    tracker.expect(files)
    tracker.forget(files)
    (project.root / "b.py").write_text("ours\n")
    assert await heard(tracker) == [("b.py", "changed")]


async def test_a_landing_seen_half_way_and_taken_back(project: Project, tracker: EditTracker) -> None:
    files = [landing("b.py", "b\n", "ours\n"), landing("n.py", None, "ours\n")]
    tracker.expect(files)
    for file in files:
        (project.root / file.path).write_text("ours\n")
    assert await heard(tracker) == []
    (project.root / "b.py").write_text("b\n")
    (project.root / "n.py").unlink()
    tracker.forget(files)
    assert await heard(tracker) == []
    (project.root / "b.py").write_text("ours\n")
    assert await heard(tracker) == [("b.py", "changed")]


# -- several at once, and cut off


async def test_several_looks_at_once_report_each_edit_once(project: Project, tracker: EditTracker) -> None:
    (project.root / "a.py").write_text("1\n")
    (project.root / "b.py").write_text("2\n")
    looks = await asyncio.gather(*(tracker.look() for _ in range(6)))
    found = [edit.path for _, edits_ in looks for edit in edits_]
    assert sorted(found) == ["a.py", "b.py"]
    assert {now.tree for now, _ in looks} == {tracker.seen.tree}


async def test_a_look_that_is_cut_off_loses_nothing(project: Project, tracker: EditTracker) -> None:
    """Wherever a look is cancelled, the next one reports what the human did, with its diff."""
    cut = 0
    for steps in range(60):
        (project.root / "b.py").write_text(f"{steps} new\n")
        look = asyncio.ensure_future(tracker.look())
        for _ in range(steps):
            await asyncio.sleep(0)
        look.cancel()
        try:
            found = (await look)[1]
        except asyncio.CancelledError:
            cut += 1
            found = (await tracker.look())[1]
        (edit,) = found
        assert edit.diff.endswith(f"+{steps} new")
    assert cut > 0


@pytest.mark.parametrize("where", ["_compare", "_take_stock"])
async def test_a_look_cut_off_while_it_reads(
    project: Project, tracker: EditTracker, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    real = asyncio.to_thread

    async def slowly(work: Callable[..., Any], *args: Any) -> Any:
        result = await real(work, *args)
        if getattr(work, "__name__", "") == where:
            begun.set()
            await go_on.wait()
        return result

    (project.root / "b.py").write_text("mine\n")
    monkeypatch.setattr(asyncio, "to_thread", slowly)
    look = asyncio.ensure_future(tracker.look())
    await begun.wait()
    look.cancel()
    with pytest.raises(asyncio.CancelledError):
        await look
    go_on.set()
    (edit,) = (await tracker.look())[1]
    assert edit.diff.split("\n")[3:] == ["-b", "+mine"]
