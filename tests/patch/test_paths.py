from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent_core.errors import PatchRefusedError
from agent_core.patch.paths import check_path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "src").mkdir(parents=True)
    (root / "src" / "a.py").write_text("x = 1\n")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("s\n")
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "inner").symlink_to("src")
    (root / "link.py").symlink_to("src/a.py")
    (root / "dangling").symlink_to("nowhere")
    os.mkfifo(root / "pipe")
    return root


@pytest.mark.parametrize(
    ("path", "normal"),
    [
        ("src/a.py", "src/a.py"),
        ("./src//./a.py", "src/a.py"),
        ("src/../src/a.py", "src/a.py"),
        ("new/deep/b.py", "new/deep/b.py"),
        (".gitignore", ".gitignore"),
        (".github/workflows/ci.yml", ".github/workflows/ci.yml"),
        ("a b/\u00e9.txt", "a b/\u00e9.txt"),
        ("~notes", "~notes"),
        ("...", "..."),
        (".git.x", ".git.x"),
        (".gitx/a", ".gitx/a"),
        ("git~2", "git~2"),
        ("a.git/b", "a.git/b"),
        ("aux.c", "aux.c"),
    ],
)
def test_paths_inside_the_project(project: Path, path: str, normal: str) -> None:
    assert check_path(project, path) == normal


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("", "empty path"),
        ("  ", "empty path"),
        ("/etc/passwd", "/etc/passwd: absolute paths"),
        ("~/x", "absolute paths"),
        ("C:/x", "absolute paths"),
        ("C:\\x", "absolute paths"),
        ("src\\a.py", "backslashes"),
        ("../outside/secret", "../outside/secret: leads out of the project"),
        ("src/../../outside/secret", "leads out of the project"),
        (".git/hooks/pre-commit", "git's own files"),
        (".GIT/config", "git's own files"),
        ("src/../.git/config", "git's own files"),
        ("sub/.git/config", "git's own files"),
        (".git", "git's own files"),
        (".git./config", "git's own files"),
        ("git~1/config", "git's own files"),
        (".g\u200cit/config", "git's own files"),
        (".GIT /config", "git's own files"),
        (".git. . ./config", "git's own files"),
        (".git::$INDEX_ALLOCATION/config", "git's own files"),
        (".git . :x/config", "git's own files"),
        ("GIT~1. /config", "git's own files"),
        ("git~1:stream", "git's own files"),
        ("\ufeff.g\u202ei\u206ft\u200f/config", "git's own files"),
        ("\u2060.git", "git's own files"),
        ("~", "absolute paths"),
        ("a\0b", "control character"),
        ("a\nb", "control character"),
        ("\udcff", "not valid Unicode"),
        ("src", "is a folder"),
        ("src/", "is a folder"),
        ("new/", "is a folder"),
        (".", "is a folder"),
        ("src/a.py/b", "src/a.py is a file, not a folder"),
        ("pipe", "not a regular file"),
        ("out/secret", "out is a symlink that leads out of the project"),
        ("out/new", "out is a symlink that leads out of the project"),
        ("inner/a.py", "goes through the symlink inner. Name the file itself: src/a.py"),
        ("link.py", "is a symlink. Name the file itself: src/a.py"),
        ("dangling", "is a symlink"),
        ("a" * 300, "cannot be looked at"),
    ],
)
def test_paths_that_are_refused(project: Path, path: str, said: str) -> None:
    with pytest.raises(PatchRefusedError) as caught:
        check_path(project, path)
    assert said in str(caught.value)


def test_a_project_reached_through_a_symlink_is_fine(project: Path) -> None:
    alias = project.parent / "alias"
    alias.symlink_to(project)
    assert check_path(alias, "src/a.py") == "src/a.py"
    with pytest.raises(PatchRefusedError, match=r"Name the file itself: src/a\.py"):
        check_path(alias, "link.py")


def test_an_absolute_path_into_the_project_is_told_its_name(project: Path) -> None:
    with pytest.raises(PatchRefusedError, match=r"absolute paths are not allowed. .* project's root: src/a\.py\."):
        check_path(project, f"{project}/src/../src/a.py")
    with pytest.raises(PatchRefusedError) as caught:
        check_path(project, f"{project}/../outside/secret")
    assert "secret" not in caught.value.hint


def test_a_name_that_gets_free(project: Path) -> None:
    (project / "src" / "sub").mkdir()
    (project / "src" / "sub" / "b.py").write_text("b\n")
    assert check_path(project, "src/a.py/new", {"src/a.py"}) == "src/a.py/new"
    assert check_path(project, "src", {"src/a.py", "src/sub/b.py", "other"}) == "src"
    for gone in (set[str](), {"src/a.py"}, {"src/sub/b.py"}, {"src"}):
        with pytest.raises(PatchRefusedError, match="src: is a folder"):
            check_path(project, "src", gone)
    with pytest.raises(PatchRefusedError, match=r"src/a\.py is a file"):
        check_path(project, "src/a.py/new", {"src"})


def test_what_is_no_file_does_not_go(project: Path) -> None:
    (project / "hollow" / "inside").mkdir(parents=True)
    with pytest.raises(PatchRefusedError, match="hollow: is a folder"):
        check_path(project, "hollow", {"hollow", "hollow/inside"})
    with pytest.raises(PatchRefusedError, match="pipe is a file, not a folder"):
        check_path(project, "pipe/x", {"pipe"})


def test_a_link_in_a_folder_is_no_file_that_goes(project: Path) -> None:
    (project / "src" / "link").symlink_to(project.parent / "outside")
    with pytest.raises(PatchRefusedError, match="is a folder"):
        check_path(project, "src", {"src/a.py"})
    with pytest.raises(PatchRefusedError, match="through the symlink inner"):
        check_path(project, "inner/a.py/x", {"inner/a.py", "src/a.py", "inner"})
    with pytest.raises(PatchRefusedError, match=r"through the symlink link\.py"):
        check_path(project, "link.py/x", {"link.py"})
