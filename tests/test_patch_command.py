"""`pairloop patch apply`: real projects, every exit code, and never a byte that was not asked for."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from agent_core.build import Engine
from agent_core.patch_command import Outcome
from agent_core.places import project_state
from tests.projects import git, make_project, write_files
from tests.support.calling import call
from tests.support.shipping import (
    BLOCKS,
    ENVELOPE,
    TOWN,
    UNIFIED,
    WITH_SCHOOL,
    everything,
    make_town,
    read,
    replace_line,
)

FORMATS = {"envelope": ENVELOPE, "blocks": BLOCKS, "unified": UNIFIED}
PROSE = "Here is what I would do:\n\n{}\nThat is all.\n"


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("told", [True, False])
def test_each_format_is_applied(tmp_path: Path, form: str, told: bool) -> None:
    root = make_town(tmp_path / "town")
    arguments = ["--format", form] if told else []
    done = call(["patch", "apply", *arguments], root, FORMATS[form])
    assert done == (0, "update town.txt +1 -1\nlanding 1; `pairloop undo 1` takes it back\n", "")
    assert read(root) == WITH_SCHOOL
    assert call(["undo"], root).code == 0
    assert read(root) == TOWN


@pytest.mark.parametrize("form", ["envelope", "unified"])
def test_words_around_it_do_no_harm(tmp_path: Path, form: str) -> None:
    root = make_town(tmp_path / "town")
    assert call(["patch", "apply"], root, PROSE.format(f"```\n{FORMATS[form]}```\n")).code == 0
    assert read(root) == WITH_SCHOOL


@pytest.mark.parametrize(("form", "text"), [("blocks", ENVELOPE), ("unified", BLOCKS), ("envelope", UNIFIED)])
def test_a_format_insisted_on_is_the_only_one(tmp_path: Path, form: str, text: str) -> None:
    root = make_town(tmp_path / "town")
    before = everything(root)
    done = call(["patch", "apply", "--format", form, "--json"], root, text)
    assert (done.code, done.err, done.json["status"]) == (1, "", "refused")
    assert done.json["message"]
    assert everything(root) == before


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "The patch is empty"),
        (b" \n\n", "The patch is empty"),
        (b"\xef\xbb\xbf", "The patch is empty"),
        (b"just words\n", "*** Begin Patch"),
        (ENVELOPE.replace("a school", "Größe").encode("latin-1"), "not UTF-8 (line 6)"),
        (ENVELOPE.encode("utf-16"), "not UTF-8 (line 1)"),
        (replace_line("town.txt", "house 99", "x").encode(), "town.txt"),
        (replace_line("gone.txt", "x", "y").encode(), "there is no such file"),
        (replace_line("twon.txt", "x", "y").encode(), "town.txt"),
        (replace_line("../outside.txt", "x", "y").encode(), "leads out of the project"),
        (replace_line("/etc/passwd", "x", "y").encode(), "absolute"),
        (b"*** Begin Patch\n*** Add File: .git/hooks/pre-commit\n+x\n*** End Patch\n", "git's own files"),
    ],
)
def test_refusals_write_nothing(tmp_path: Path, data: bytes, word: str) -> None:
    root = make_town(tmp_path / "town")
    before = everything(root)
    done = call(["patch", "apply"], root, data)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("pairloop: ")
    assert word in done.err
    told = call(["patch", "apply", "--json"], root, data)
    assert (told.code, told.err, told.json["status"], told.json["landing"]) == (1, "", "refused", None)
    assert word in f"{told.json['message']} {told.json['hint']}"
    assert everything(root) == before
    assert call(["log"], root).out == "Nothing has landed here yet.\n"


def test_a_byte_order_mark_before_the_patch_is_no_part_of_it(tmp_path: Path) -> None:
    root = make_town(tmp_path / "town")
    assert call(["patch", "apply"], root, b"\xef\xbb\xbf" + UNIFIED.encode()).code == 0
    assert read(root) == WITH_SCHOOL


def test_one_part_that_fails_refuses_all_and_tells_which(tmp_path: Path) -> None:
    root = make_town(tmp_path / "town")
    before = everything(root)
    patch = ENVELOPE.replace("*** End Patch", "*** Update File: country/road.txt\n@@\n-west\n+east\n*** End Patch")
    told = call(["patch", "apply", "--json"], root, patch).json
    assert told["status"] == "refused"
    [failure] = told["failures"]
    assert "country/road.txt" in failure
    assert any("town.txt" in part for part in told["fine"])
    assert everything(root) == before


def test_lines_added_at_the_end_are_not_added_twice(tmp_path: Path) -> None:
    root = make_town(tmp_path / "town")
    diff = "--- a/country/road.txt\n+++ b/country/road.txt\n@@ -1,2 +1,3 @@\n north\n south\n+east\n"
    assert call(["patch", "apply"], root, diff).code == 0
    before = everything(root)
    done = call(["patch", "apply", "--json"], root, diff)
    assert (done.code, done.json["already"]) == (1, True)
    assert everything(root) == before


def test_applied_already(tmp_path: Path) -> None:
    root = make_town(tmp_path / "town")
    assert call(["patch", "apply"], root, ENVELOPE).code == 0
    before = everything(root)
    done = call(["patch", "apply", "--json"], root, ENVELOPE)
    assert (done.code, done.json["status"], done.json["already"]) == (1, "refused", True)
    assert "already" in done.json["message"]
    assert everything(root) == before


def test_every_kind_of_change_has_its_line(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"a.txt": "a\n", "b.txt": "b\n", "c.txt": "c\n", "run.sh": "x\n"})
    patch = """\
diff --git a/a.txt b/a.txt
deleted file mode 100644
--- a/a.txt
+++ /dev/null
@@ -1 +0,0 @@
-a
diff --git a/b.txt b/d/b.txt
rename from b.txt
rename to d/b.txt
--- a/b.txt
+++ b/d/b.txt
@@ -1 +1,2 @@
 b
+bb
diff --git a/new.sh b/new.sh
new file mode 100755
--- /dev/null
+++ b/new.sh
@@ -0,0 +1 @@
+n
diff --git a/run.sh b/run.sh
old mode 100644
new mode 100755
"""
    done = call(["patch", "apply"], root, patch)
    assert done.code == 0, done.err
    assert done.out.splitlines()[:-1] == [
        "delete a.txt +0 -1",
        "move   b.txt -> d/b.txt +1 -0",
        "add    new.sh +1 -0",
        "update run.sh +0 -0 mode 100644 -> 100755",
    ]
    assert {path.name for path in root.iterdir()} == {".git", "c.txt", "d", "new.sh", "run.sh"}
    assert os.access(root / "run.sh", os.X_OK)
    assert os.access(root / "new.sh", os.X_OK)
    [line] = call(["log", "--json"], root).lines
    kinds = [(file["kind"], file["path"], file["moved_from"]) for file in line["files"]]
    assert kinds == [
        ("delete", "a.txt", None),
        ("move", "d/b.txt", "b.txt"),
        ("add", "new.sh", None),
        ("update", "run.sh", None),
    ]
    assert call(["undo"], root).code == 0
    assert {path.name for path in root.iterdir()} == {".git", "a.txt", "b.txt", "c.txt", "run.sh"}
    assert not os.access(root / "run.sh", os.X_OK)


# -- where it is applied


def test_paths_are_relative_to_the_current_folder(tmp_path: Path) -> None:
    root = make_town(tmp_path / "town")
    assert call(["patch", "apply"], root / "country", replace_line("road.txt", "north", "west")).code == 0
    assert read(root, "country/road.txt") == "west\nsouth\n"
    assert call(["patch", "apply"], root / "country", replace_line("../town.txt", "house 1", "inn")).code == 0
    assert read(root) == TOWN.replace("house 1\n", "inn\n", 1)
    before = everything(root)
    for path, word in (("town.txt", "country/town.txt"), ("../../town.txt", "project"), ("/town.txt", "absolute")):
        done = call(["patch", "apply"], root / "country", replace_line(path, "house 2", "x"))
        assert done.code == 1
        assert word in done.err
        assert "relative to country/" in done.err
    assert everything(root) == before
    # All of it is one project with one log.
    assert len(call(["log", "--json"], root / "country").lines) == 2


def test_a_move_out_of_the_current_folder(tmp_path: Path) -> None:
    root = make_town(tmp_path / "town")
    patch = "*** Begin Patch\n*** Update File: road.txt\n*** Move to: ../way.txt\n*** End Patch\n"
    assert call(["patch", "apply"], root / "country", patch).code == 0
    assert read(root, "way.txt") == "north\nsouth\n"
    assert not (root / "country/road.txt").exists()


def test_no_repository(tmp_path: Path) -> None:
    root = tmp_path / "plain"
    write_files(root, {"town.txt": TOWN})
    assert call(["patch", "apply"], root, UNIFIED).code == 0
    assert read(root) == WITH_SCHOOL
    assert call(["undo", "1"], root).code == 0
    assert read(root) == TOWN
    assert {path.name for path in root.iterdir()} == {"town.txt"}


def test_project_names_the_folder_to_apply_to(tmp_path: Path) -> None:
    root = make_town(tmp_path / "town")
    assert call(["patch", "apply", "--project", str(root)], tmp_path, ENVELOPE).code == 0
    assert read(root) == WITH_SCHOOL
    assert call(["undo", "--project", str(root)], tmp_path).code == 0
    assert read(root) == TOWN
    # A folder named is a project of its own, which a patch does not leave.
    country = ["--project", str(root / "country")]
    assert call(["patch", "apply", *country], root, replace_line("../town.txt", "house 1", "x")).code == 1
    assert call(["patch", "apply", *country], root, replace_line("road.txt", "north", "west")).code == 0
    done = call(["patch", "apply", "--project", str(tmp_path / "nowhere")], root, ENVELOPE)
    assert (done.code, done.out) == (2, "")
    assert "nowhere is not a folder" in done.err


# -- what it would do


def test_check_writes_nothing(tmp_path: Path) -> None:
    root = make_town(tmp_path / "town")
    before = everything(root)
    done = call(["patch", "apply", "--check"], root, BLOCKS)
    assert done == (0, "update town.txt +1 -1\nThe patch would apply.\n", "")
    assert everything(root) == before
    assert call(["log"], root).out == "Nothing has landed here yet.\n"
    assert call(["patch", "apply", "--check"], root, replace_line("town.txt", "nothing", "x")).code == 1


def test_the_json_has_its_stable_shape(tmp_path: Path) -> None:
    root = make_town(tmp_path / "town")
    checked = call(["patch", "apply", "--check", "--json"], root, UNIFIED)
    assert checked.code == 0
    assert set(checked.json) == set(Outcome.__struct_fields__)
    [file] = checked.json["files"]
    [block] = file.pop("blocks")
    assert file == {
        "kind": "update",
        "path": "town.txt",
        "moved_from": None,
        "added": 1,
        "removed": 1,
        "old_mode": "100644",
        "new_mode": "100644",
        "binary": False,
    }
    assert isinstance(block.pop("id"), str)
    assert block == {"old_start": 3, "new_start": 3, "removed": 1, "added": 1}
    applied = call(["patch", "apply", "--json"], root, UNIFIED)
    assert applied.json == {
        **checked.json,
        "status": "applied",
        "landing": 1,
        "message": "landing 1; `pairloop undo 1` takes it back",
    }


# -- a part of it


TWO_HOUSES = """\
*** Begin Patch
*** Update File: town.txt
@@
-house 3
+a school
@@
-house 12
+a mill
*** Update File: country/road.txt
@@
-north
+west
*** End Patch
"""


def test_only_some_blocks_and_files(tmp_path: Path) -> None:
    root = make_town(tmp_path / "town")
    files = call(["patch", "apply", "--check", "--json"], root, TWO_HOUSES).json["files"]
    [road, town] = files
    [_, mill] = town["blocks"]
    done = call(["patch", "apply", "--only", mill["id"], "--only", road["path"]], root, TWO_HOUSES)
    assert done.code == 0
    assert read(root) == TOWN.replace("house 12\n", "a mill\n")
    assert read(root, "country/road.txt") == "west\nsouth\n"
    assert call(["undo"], root).code == 0
    assert (read(root), read(root, "country/road.txt")) == (TOWN, "north\nsouth\n")


def test_only_what_is_in_it(tmp_path: Path) -> None:
    root = make_town(tmp_path / "town")
    before = everything(root)
    done = call(["patch", "apply", "--json", "--only", "town.txt", "--only", "nonsense"], root, TWO_HOUSES)
    assert (done.code, done.json["status"]) == (1, "refused")
    assert "nonsense" in done.json["message"]
    assert everything(root) == before


def test_a_moved_file_goes_by_either_name(tmp_path: Path) -> None:
    root = make_town(tmp_path / "town")
    files = "*** Update File: town.txt\n*** Move to: city.txt\n*** Delete File: country/road.txt\n"
    move = f"*** Begin Patch\n{files}*** End Patch"
    assert call(["patch", "apply", "--only", "town.txt"], root, move).code == 0
    assert not (root / "town.txt").exists()
    assert (root / "country/road.txt").exists()


# -- against a revision


def test_a_patch_against_an_older_revision_is_merged(tmp_path: Path) -> None:
    root = make_town(tmp_path / "town")
    moved_on = TOWN.replace("house 2\n", "two houses\n").replace("house 18\n", "a pond\n")
    (root / "town.txt").write_text(moved_on)
    # Here the context is not what it was; there it is.
    assert call(["patch", "apply"], root, UNIFIED).code == 1
    done = call(["patch", "apply", "--base", "HEAD", "--json"], root, UNIFIED)
    assert (done.code, done.json["status"]) == (0, "applied")
    assert read(root) == moved_on.replace("house 3\n", "a school\n")
    assert call(["undo"], root).code == 0
    assert read(root) == moved_on


def test_a_patch_against_an_older_revision_that_collides(tmp_path: Path) -> None:
    root = make_town(tmp_path / "town")
    (root / "town.txt").write_text(TOWN.replace("house 3\n", "a church\n"))
    before = everything(root)
    done = call(["patch", "apply", "--base", "HEAD"], root, UNIFIED)
    assert (done.code, done.out) == (3, "")
    assert "town.txt:3" in done.err
    for check in ([], ["--check"]):
        told = call(["patch", "apply", "--base", "HEAD", "--json", *check], root, UNIFIED)
        assert (told.code, told.json["status"]) == (3, "conflict")
        assert told.json["conflicts"][0].startswith("town.txt:3")
    assert everything(root) == before
    assert call(["log"], root).out == "Nothing has landed here yet.\n"


def test_a_file_that_is_gone_since_the_revision(tmp_path: Path) -> None:
    root = make_town(tmp_path / "town")
    git(root, "rm", "-q", "town.txt")
    git(root, "commit", "-qm", "no town")
    assert call(["patch", "apply", "--base", "HEAD"], root, UNIFIED).code == 1
    assert call(["patch", "apply", "--base", "HEAD~1"], root, UNIFIED).code == 3
    assert not (root / "town.txt").exists()


def test_what_is_there_already_since_the_revision(tmp_path: Path) -> None:
    root = make_town(tmp_path / "town")
    (root / "town.txt").write_text(WITH_SCHOOL)
    before = everything(root)
    for check in ([], ["--check"]):
        done = call(["patch", "apply", "--base", "HEAD", "--json", *check], root, UNIFIED)
        assert (done.code, done.json["status"], done.json["already"]) == (1, "refused", True)
    assert everything(root) == before
    assert call(["log"], root).out == "Nothing has landed here yet.\n"


def test_a_revision_in_a_subfolder(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"country/town.txt": TOWN})
    (root / "country/town.txt").write_text(f"{TOWN}a pond\n")
    first, second = replace_line("town.txt", "house 3", "a school"), replace_line("town.txt", "house 12", "a mill")
    done = call(["patch", "apply", "--base", "HEAD"], root / "country", first)
    assert done.code == 0, done.err
    done = call(["patch", "apply", "--base", "HEAD", "--project", str(root / "country")], tmp_path, second)
    assert done.code == 0, done.err
    assert read(root, "country/town.txt") == WITH_SCHOOL.replace("house 12\n", "a mill\n") + "a pond\n"


def test_the_revision_is_read_as_a_checkout_writes_it(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {".gitattributes": "*.txt text eol=crlf\n", "town.txt": TOWN})
    crlf = TOWN.replace("\n", "\r\n").replace("house 18", "a pond")
    (root / "town.txt").write_bytes(crlf.encode())
    done = call(["patch", "apply", "--base", "HEAD"], root, UNIFIED)
    assert done.code == 0, done.err
    assert read(root) == crlf.replace("house 3", "a school")


def test_no_program_of_the_repository_is_run(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {".gitattributes": "*.txt filter=evil\n", "town.txt": TOWN})
    git(root, "config", "filter.evil.smudge", f"touch {tmp_path / 'ran'}; cat")
    git(root, "config", "filter.evil.required", "true")
    assert call(["patch", "apply", "--base", "HEAD"], root, UNIFIED).code == 0
    assert read(root) == WITH_SCHOOL
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("revision", "word"),
    [("nowhere", "nowhere"), ("-x", "not the name"), ("", "not the name"), ("HEAD:town.txt", "not a tree object")],
)
def test_a_revision_that_is_not_there(tmp_path: Path, revision: str, word: str) -> None:
    root = make_town(tmp_path / "town")
    before = everything(root)
    done = call(["patch", "apply", f"--base={revision}", "--json"], root, UNIFIED)
    assert (done.code, done.out) == (2, "")
    assert word in done.err
    assert everything(root) == before


def test_a_revision_where_there_is_no_repository(tmp_path: Path) -> None:
    write_files(tmp_path / "plain", {"town.txt": TOWN})
    done = call(["patch", "apply", "--base", "HEAD"], tmp_path / "plain", UNIFIED)
    assert done.code == 2
    assert "not a git repository" in done.err
    assert read(tmp_path / "plain") == TOWN


@pytest.mark.parametrize(
    "arguments",
    [["patch"], ["patch", "apply", "--format", "ed"], ["patch", "apply", "x"], ["undo", "x"], ["log", "-n", "0"]],
)
def test_usage(tmp_path: Path, arguments: list[str]) -> None:
    done = call(arguments, tmp_path, UNIFIED)
    assert (done.code, done.out) == (2, "")
    assert "usage: pairloop" in done.err


@pytest.mark.parametrize("command", [["patch", "apply"], ["undo"], ["redo"], ["log"]])
def test_help_has_examples_and_exit_codes(tmp_path: Path, command: list[str]) -> None:
    done = call([*command, "--help"], tmp_path)
    assert done.code == 0
    assert f"pairloop {' '.join(command)}" in done.out.split("examples:")[1]
    assert "exit codes:" in done.out


# -- what a terminal is not to obey


def test_what_a_patch_says_is_shown_not_obeyed(tmp_path: Path) -> None:
    root = make_town(tmp_path / "town")
    done = call(["patch", "apply"], root, replace_line("town.txt", "house \x1b[31m99", "\x1b]0;x\x07"))
    assert done.code == 1
    assert "\x1b" not in done.err
    assert "\x07" not in done.err


def test_names_that_are_no_unicode_do_not_break_the_json(tmp_path: Path) -> None:
    root = make_town(tmp_path / "town")
    (root / os.fsdecode(b"twon\xff.txt")).write_text("x\n")
    done = call(["patch", "apply", "--json"], root, replace_line("twon.txt", "x", "y"))
    assert (done.code, done.json["status"]) == (1, "refused")


# -- beside the rest of pairloop


async def test_it_is_no_session_to_be_resumed(tmp_path: Path) -> None:
    root = make_town(tmp_path / "town")
    done = await asyncio.to_thread(call, ["patch", "apply", "--project", str(root)], tmp_path, UNIFIED)
    assert done.code == 0
    assert await Engine(root, {}, os.environ, finished=True).previous() is None
    # Journals hold code: nobody else looks into their folder.
    assert project_state(root).stat().st_mode & 0o077 == 0


def test_a_patch_made_by_git_diff(tmp_path: Path) -> None:
    one, other = make_town(tmp_path / "one"), make_town(tmp_path / "other")
    (one / "town.txt").write_text(WITH_SCHOOL)
    (one / "inn.txt").write_text("an inn")
    git(one, "add", "-N", "inn.txt")
    done = call(["patch", "apply", "--json"], other, git(one, "diff"))
    assert json.loads(done.out)["format"] == "unified"
    assert (read(other), read(other, "inn.txt")) == (WITH_SCHOOL, "an inn")
