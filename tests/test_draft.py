"""A draft grows by patches, and is carried over to whatever the human makes of the working tree meanwhile."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_core.config_tables import Config, SandboxConfig
from agent_core.draft import Draft, Rebased, draft_of, rebase, take
from agent_core.errors import PatchRefusedError
from agent_core.view import DraftView
from agent_core.workspace.project import Project, open_project
from agent_core.workspace.tree import FileChange, content_hash
from tests.projects import make_project

LINES = [f"line {number}" for number in range(12)]
TEXT = "".join(f"{line}\n" for line in LINES)


@pytest.fixture
async def project(tmp_path: Path) -> Project:
    root = make_project(
        tmp_path / "project", {"a.txt": TEXT, "b.txt": "one\ntwo\n", "run.sh": "echo 1\n", "go.sh": "echo 1\n\nexit\n"}
    )
    return await open_project(root, Config(sandbox=SandboxConfig(candidate="copy")), os.environ)


async def fresh(project: Project) -> Draft:
    return Draft(await project.snapshot())


async def carried(draft: Draft, project: Project) -> Rebased:
    return await rebase(draft, await project.snapshot(), project)


def update(path: str, *hunks: str, move: str = "") -> str:
    moved = f"*** Move to: {move}\n" if move else ""
    body = "".join(f"@@\n{hunk}\n" for hunk in hunks)
    return f"*** Begin Patch\n*** Update File: {path}\n{moved}{body}*** End Patch"


def add(path: str, text: str) -> str:
    return f"*** Begin Patch\n*** Add File: {path}\n+{text}\n*** End Patch"


def delete(path: str) -> str:
    return f"*** Begin Patch\n*** Delete File: {path}\n*** End Patch"


def text_of(draft: Draft, path: str) -> str:
    data = draft.changes[path].data
    assert data is not None
    return data.decode()


# -- taking patches


async def test_a_patch_builds_on_the_draft(project: Project) -> None:
    first = take(await fresh(project), update("b.txt", "-one\n+1"), project)
    second = take(first.draft, update("b.txt", " 1\n-two\n+2"), project)
    assert (first.note, second.note) == ("", "")
    assert text_of(second.draft, "b.txt") == "1\n2\n"
    assert second.draft.before["b.txt"] == FileChange(b"one\ntwo\n", 0o100644)
    assert [(file.path, file.kind, file.removed, file.added) for file in second.draft.patch().files] == [
        ("b.txt", "update", 2, 2)
    ]
    assert (project.root / "b.txt").read_text() == "one\ntwo\n"


async def test_a_patch_that_fits_only_the_working_tree_replaces_the_draft(project: Project) -> None:
    first = take(await fresh(project), update("b.txt", "-one\n+1"), project).draft
    both = take(first, add("c.txt", "new"), project).draft
    again = take(both, update("b.txt", "-one\n+uno"), project)
    assert again.note == "It fits the files as they are in the working tree, so it replaces the earlier draft."
    assert text_of(again.draft, "b.txt") == "uno\ntwo\n"
    assert set(again.draft.changes) == {"b.txt"}


async def test_a_patch_that_names_no_file_is_for_the_one_with_its_old_lines_in_the_draft(project: Project) -> None:
    draft = take(await fresh(project), update("b.txt", "-one\n+1"), project).draft
    taken = take(draft, "*** Begin Patch\n@@\n-1\n+first\n*** End Patch", project)
    assert text_of(taken.draft, "b.txt") == "first\ntwo\n"
    assert taken.note == "It names no file; of all files only b.txt has its old lines."
    with pytest.raises(PatchRefusedError, match="not a file header"):
        take(draft, "*** Begin Patch\n@@\n-one\n+first\n*** End Patch", project)


async def test_a_patch_that_fits_nowhere_leaves_the_draft(project: Project) -> None:
    draft = take(await fresh(project), update("b.txt", "-one\n+1"), project).draft
    with pytest.raises(PatchRefusedError) as caught:
        take(draft, update("b.txt", "-three\n+3"), project)
    # It is told of the draft it has to build on, not of the working tree.
    assert "1" in caught.value.message
    assert text_of(draft, "b.txt") == "1\ntwo\n"
    for nonsense in ("", "*** Begin Patch\n*** End Patch", update("../x", "-a\n+b"), delete("no.txt")):
        with pytest.raises(PatchRefusedError):
            take(draft, nonsense, project)


async def test_a_patch_that_restores_the_base_leaves_nothing(project: Project) -> None:
    draft = take(await fresh(project), update("b.txt", "-one\n+1"), project).draft
    with pytest.raises(PatchRefusedError, match="nothing is left to propose"):
        take(draft, update("b.txt", "-1\n+one"), project)
    added = take(draft, add("c.txt", "new"), project).draft
    less = take(added, delete("c.txt"), project).draft
    assert (less.changes, less.before) == (draft.changes, draft.before)
    assert less.snapshot == draft.snapshot
    deleted = take(draft, delete("run.sh"), project).draft
    back = take(deleted, add("run.sh", "echo 1"), project).draft
    assert set(back.changes) == {"b.txt"}


async def test_moves(project: Project) -> None:
    (project.root / "run.sh").chmod(0o755)
    once = take(await fresh(project), update("run.sh", "-echo 1\n+echo 2", move="bin/go.sh"), project).draft
    assert once.moves == {"bin/go.sh": "run.sh"}
    assert once.changes == {"run.sh": FileChange(None, 0), "bin/go.sh": FileChange(b"echo 2\n", 0o100755)}
    twice = take(once, update("bin/go.sh", "-echo 2\n+echo 3", move="go"), project).draft
    assert twice.moves == {"go": "run.sh"}
    assert set(twice.changes) == {"run.sh", "go"}
    (file,) = twice.patch().files
    assert (file.kind, file.moved_from, file.path, file.after_mode) == ("move", "run.sh", "go", 0o100755)
    kept = take(twice, add("extra", "x"), project).draft
    home = take(kept, update("go", "-echo 3\n+echo 1", move="run.sh"), project).draft
    assert set(home.changes) == {"extra"}
    assert home.moves == {}


async def test_the_view_shows_the_draft(project: Project) -> None:
    draft = take(await fresh(project), update("run.sh", "-echo 1\n+echo 2", move="go"), project).draft
    view = DraftView(project, draft)
    assert view.paths() == ("a.txt", "b.txt", "go", "go.sh")
    assert (view.read("go"), view.read("run.sh"), view.read("b.txt")) == (b"echo 2\n", None, b"one\ntwo\n")
    done = await view.run(("sh", "go"), timeout=20)
    assert (done.code, done.stdout) == (0, b"2\n")


UNIFIED = "--- a/b.txt\n+++ b/b.txt\n@@ -1,2 +1,2 @@\n-one\n+1\n two\n"
BLOCKS = "b.txt\n```\n<<<<<<< SEARCH\none\n=======\n1\n>>>>>>> REPLACE\n```\n"


@pytest.mark.parametrize("patch", [update("b.txt", "-one\n+1"), UNIFIED, BLOCKS])
async def test_every_format_is_taken(project: Project, patch: str) -> None:
    taken = take(await fresh(project), patch, project)
    assert (text_of(taken.draft, "b.txt"), taken.note) == ("1\ntwo\n", "")


async def test_how_it_was_read_is_noted(project: Project) -> None:
    both = take(await fresh(project), f"{UNIFIED}\n{add('c.txt', 'new')}", project)
    assert "mixes formats" in both.note
    assert set(both.draft.changes) == {"b.txt", "c.txt"}
    other = UNIFIED.replace("+1\n", "+uno\n")
    again = take(both.draft, f"{other}\n{add('d.txt', 'new')}", project)
    assert again.note.startswith("It fits the files as they are in the working tree")
    assert again.note.endswith("It mixes formats: unified, envelope.")


async def test_what_is_there_already_is_no_patch(project: Project) -> None:
    empty = await fresh(project)
    draft = take(empty, update("b.txt", "-one\n+1"), project).draft
    first = " line 0\n-line 1\n+ONE\n line 2"
    whole = update("b.txt", "-one\n-two\n+1\n+two")
    for base, patch in [
        (draft, update("b.txt", "-one\n+1")),
        (draft, update("b.txt", "-one\n+1\n two")),
        (draft, whole),
        # Not a revision that drops the rest of the draft.
        (take(draft, add("c.txt", "new"), project).draft, update("b.txt", "-one\n+1")),
        (take(draft, update("a.txt", first, "-line 5\n+FIVE"), project).draft, update("a.txt", first)),
        (take(draft, update("a.txt", "-line 1\n+ONE"), project).draft, update("b.txt", "-one\n+1\n two")),
        (take(empty, add("c.txt", "new"), project).draft, add("c.txt", "new")),
        (empty, add("run.sh", "echo 1")),
    ]:
        with pytest.raises(PatchRefusedError) as caught:
            take(base, patch, project)
        assert caught.value.already
    with pytest.raises(PatchRefusedError) as caught:
        take(draft, update("b.txt", "-three\n+3"), project)
    assert not caught.value.already


async def test_one_of_several_that_belong_together_does_not_replace_the_others(project: Project) -> None:
    draft = take(await fresh(project), update("b.txt", "-one\n+1"), project).draft
    revision = update("b.txt", "-one\n+uno")
    assert text_of(take(draft, revision, project).draft, "b.txt") == "uno\ntwo\n"
    with pytest.raises(PatchRefusedError):
        take(draft, revision, project, may_replace=False)
    assert text_of(take(draft, update("b.txt", "-two\n+2"), project, may_replace=False).draft, "b.txt") == "1\n2\n"


async def test_a_move_onto_a_file_that_goes_says_that_it_goes(project: Project) -> None:
    both = "*** Begin Patch\n*** Delete File: b.txt\n*** Update File: run.sh\n*** Move to: b.txt\n*** End Patch"
    draft = take(await fresh(project), both, project).draft
    first = take(await fresh(project), delete("b.txt"), project).draft
    for made in (draft, take(first, update("run.sh", move="b.txt"), project).draft):
        assert [(file.path, file.kind) for file in made.patch().files] == [("b.txt", "update"), ("run.sh", "delete")]
        assert await carried(made, project) == Rebased(made)


# -- carrying over


async def test_nothing_changed_nothing_happens(project: Project) -> None:
    draft = take(await fresh(project), update("b.txt", "-one\n+1"), project).draft
    assert await carried(draft, project) == Rebased(draft)


async def test_other_files_of_the_human_become_the_base(project: Project) -> None:
    draft = take(await fresh(project), update("b.txt", "-one\n+1"), project).draft
    (project.root / "mine.txt").write_text("mine\n")
    after = await carried(draft, project)
    assert after.conflicts == ()
    assert "mine.txt" in after.draft.base.files
    assert after.draft.changes == draft.changes
    assert after.draft.snapshot.tree != draft.snapshot.tree


@st.composite
def two_sides(draw: st.DrawFn) -> tuple[dict[int, str], dict[int, str]]:
    """What the human and the draft make of some lines; no two lines of different sides are neighbours."""
    kinds = st.sampled_from(["replaced", "removed", "split"])
    owner = draw(st.lists(st.sampled_from(["", "human", "draft"]), min_size=len(LINES), max_size=len(LINES)))
    for index in range(1, len(LINES)):
        if {owner[index - 1], owner[index]} == {"human", "draft"}:
            owner[index] = ""
    sides = {who: {at: draw(kinds) for at, side in enumerate(owner) if side == who} for who in ("human", "draft")}
    sides["draft"] = sides["draft"] or ({0: "replaced"} if not owner[0] and owner[1] != "human" else {})
    return sides["human"], sides["draft"]


def becomes(who: str, at: int, kind: str) -> list[str]:
    return {"replaced": [f"{who} {at}"], "removed": [], "split": [LINES[at], f"{who} below {at}"]}[kind]


def edited(*sides: tuple[str, dict[int, str]]) -> str:
    lines = []
    for at, line in enumerate(LINES):
        made = [becomes(who, at, side[at]) for who, side in sides if at in side]
        lines += made[0] if made else [line]
    return "".join(f"{line}\n" for line in lines)


def hunks(who: str, side: dict[int, str]) -> list[str]:
    return ["\n".join([f"-{LINES[at]}", *(f"+{line}" for line in becomes(who, at, kind))]) for at, kind in side.items()]


@given(two_sides())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_what_does_not_touch_survives_from_both_sides(
    project: Project, sides: tuple[dict[int, str], dict[int, str]]
) -> None:
    human, ours = sides
    if not ours:
        return
    file = project.root / "a.txt"
    file.write_text(TEXT)
    draft = take(await fresh(project), update("a.txt", *hunks("draft", ours)), project).draft
    assert text_of(draft, "a.txt") == edited(("draft", ours))
    file.write_text(edited(("human", human)))
    after = await carried(draft, project)
    assert after.conflicts == ()
    assert text_of(after.draft, "a.txt") == edited(("human", human), ("draft", ours))
    assert after.draft.before["a.txt"] == FileChange(edited(("human", human)).encode(), 0o100644)
    # Carrying over what is carried over changes nothing.
    assert await carried(after.draft, project) == Rebased(after.draft)


@given(
    st.integers(0, len(LINES) - 1), st.sampled_from(["replaced", "removed"]), st.sampled_from(["replaced", "removed"])
)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_what_touches_is_said_and_nothing_is_done(project: Project, at: int, mine: str, theirs: str) -> None:
    file = project.root / "a.txt"
    file.write_text(TEXT)
    draft = take(await fresh(project), update("a.txt", *hunks("draft", {at: theirs})), project).draft
    file.write_text(edited(("human", {at: mine})))
    after = await carried(draft, project)
    if mine == theirs == "removed":
        # Both did the same: nothing of the draft is left, and nothing collides.
        assert (after.conflicts, after.draft.changes) == ((), {})
        return
    assert after.draft is draft
    assert len(after.conflicts) == 1
    sides = [
        repr(f"{who} {at}") if made == "replaced" else "nothing" for who, made in (("human", mine), ("draft", theirs))
    ]
    assert after.conflicts[0].startswith(f"a.txt:{at + 1}: the file has {sides[0]}, the proposal {sides[1]}")


async def test_blocks_keep_their_names_where_a_fresh_diff_would_draw_others(project: Project) -> None:
    draft = take(await fresh(project), update("a.txt", "-line 1\n+ONE", "-line 3\n+THREE"), project).draft
    names = [block.id for block in draft.patch().files[0].blocks]
    (project.root / "a.txt").write_text(TEXT.replace("line 2\n", ""))
    after = (await carried(draft, project)).draft
    assert [block.id for block in after.patch().files[0].blocks] == names
    # So they do in the next base, and when the draft is made again from its patch.
    (project.root / "c.txt").write_text("mine\n")
    later = (await carried(after, project)).draft
    assert [block.id for block in later.patch().files[0].blocks] == names
    known = {
        content_hash(one.data): one.data
        for one in (*later.before.values(), *later.changes.values())
        if one and one.data
    }
    assert draft_of(later.patch(), later.base, known.__getitem__) == later
    # A patch on top of it draws them anew.
    more = take(later, update("a.txt", "-ONE\n+one"), project).draft
    assert text_of(more, "a.txt").startswith("line 0\none\nTHREE\n")
    assert [block.added for block in more.patch().files[0].blocks] == [("one\n", "THREE\n")]


async def test_the_human_did_the_same(project: Project) -> None:
    draft = take(await fresh(project), update("b.txt", "-one\n+1"), project).draft
    draft = take(draft, add("c.txt", "new"), project).draft
    draft = take(draft, delete("run.sh"), project).draft
    (project.root / "b.txt").write_text("1\ntwo\n")
    (project.root / "c.txt").write_text("new\n")
    after = await carried(draft, project)
    assert after.conflicts == ()
    assert set(after.draft.changes) == {"run.sh"}
    (project.root / "run.sh").unlink()
    assert (await carried(after.draft, project)).draft.changes == {}


async def test_files_that_came_and_went(project: Project) -> None:
    draft = take(await fresh(project), update("b.txt", "-one\n+1"), project).draft
    draft = take(draft, add("c.txt", "ours"), project).draft
    draft = take(draft, delete("run.sh"), project).draft
    (project.root / "b.txt").unlink()
    (project.root / "c.txt").write_text("theirs\n")
    (project.root / "run.sh").write_text("echo 2\n")
    after = await carried(draft, project)
    assert set(after.conflicts) == {
        "b.txt: the human deleted or moved it, the draft changed it",
        "c.txt: the human added it, the draft added it with another text",
        "run.sh: the human changed it, the draft deleted it",
    }
    assert after.draft is draft


@pytest.mark.parametrize("more", ["", "# mine\n"])
async def test_the_humans_mode_stays(project: Project, more: str) -> None:
    draft = take(await fresh(project), update("go.sh", "-echo 1\n+echo 2"), project).draft
    script = project.root / "go.sh"
    script.write_text(f"echo 1\n\nexit\n{more}")
    script.chmod(0o755)
    after = await carried(draft, project)
    assert after.draft.changes["go.sh"] == FileChange(f"echo 2\n\nexit\n{more}".encode(), 0o100755)
    (file,) = after.draft.patch().files
    assert (file.before_mode, file.after_mode) == (0o100755, 0o100755)


async def test_a_link_is_no_text(project: Project) -> None:
    draft = take(await fresh(project), update("b.txt", "-one\n+1"), project).draft
    (project.root / "b.txt").unlink()
    (project.root / "b.txt").symlink_to("one\ntwo\n")
    after = await carried(draft, project)
    assert after.conflicts == ("b.txt: the human changed it, the draft changed it, and one of them is a symlink",)


async def test_an_edit_goes_with_a_moved_file(project: Project) -> None:
    draft = take(await fresh(project), update("a.txt", "-line 1\n+LINE 1", move="moved.txt"), project).draft
    (project.root / "a.txt").write_text(TEXT + "mine\n")
    after = await carried(draft, project)
    assert after.conflicts == ()
    assert text_of(after.draft, "moved.txt") == TEXT.replace("line 1\n", "LINE 1\n") + "mine\n"
    (file,) = after.draft.patch().files
    assert (file.kind, file.moved_from, file.removed, file.added) == ("move", "a.txt", 1, 1)
    (project.root / "a.txt").write_text(TEXT.replace("line 1\n", "mine 1\n"))
    assert (await carried(draft, project)).conflicts == ("a.txt:2: the file has 'mine 1', the proposal 'LINE 1'",)
    (project.root / "a.txt").unlink()
    assert (await carried(draft, project)).conflicts == (
        "a.txt: the human deleted or moved it, the draft moved it to moved.txt",
    )
    (project.root / "a.txt").write_text(TEXT)
    (project.root / "moved.txt").write_text(TEXT.replace("line 1\n", "LINE 1\n"))
    assert (await carried(draft, project)).draft.changes == {"a.txt": FileChange(None, 0)}
    (project.root / "a.txt").write_text(TEXT + "mine\n")
    taken = ("moved.txt: the draft moved a.txt there, but it exists",)
    assert (await carried(draft, project)).conflicts == taken
    (project.root / "a.txt").write_text(TEXT)
    (project.root / "moved.txt").write_text("mine\n")
    assert (await carried(draft, project)).conflicts == taken


async def test_binary_files_are_not_merged(project: Project) -> None:
    draft = take(await fresh(project), update("b.txt", "-one\n+1"), project).draft
    (project.root / "b.txt").write_bytes(b"\0\1\2")
    after = await carried(draft, project)
    assert after.draft is draft
    assert len(after.conflicts) == 1
