"""Which places hold secrets, and how a system's owner gets a sandbox."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from agent_core.places import state_dir
from agent_core.sandbox.remedy import remedy
from agent_core.sandbox.secrets import Hidden, hidden_places, homes
from tests.projects import write_files


def found(home: Path, project: Path, **variables: str) -> list[str]:
    """What is hidden of a home, by relative paths."""
    hidden = hidden_places({"HOME": str(home), **variables}, project)
    places = (*hidden.folders, *hidden.files)
    return sorted(str(place.relative_to(home)) for place in places if place.is_relative_to(home))


def test_only_what_is_there_and_by_its_real_path(tmp_path: Path) -> None:
    home = tmp_path / "home"
    write_files(
        home, {"real/ssh/id": "", ".npmrc": "", ".zsh_history": "", ".config/google-chrome-beta/x": "", "a": ""}
    )
    (home / ".ssh").symlink_to("real/ssh")
    (home / ".netrc").symlink_to("nowhere")
    assert found(home, tmp_path / "p") == [".config/google-chrome-beta", ".npmrc", ".zsh_history", "real/ssh"]


def test_what_is_in_the_project_is_its_own(tmp_path: Path) -> None:
    write_files(tmp_path, {"p/.npmrc": "", "p/home/.ssh/id": "", ".npmrc": ""})
    assert found(tmp_path, tmp_path / "p") == [".npmrc"]
    assert found(tmp_path / "p" / "home", tmp_path / "p") == []


def test_what_is_below_something_hidden_is_not_named_again(tmp_path: Path) -> None:
    write_files(tmp_path, {".docker/config.json": "", ".aws/credentials": "", "cargo/credentials.toml": ""})
    variables = {"DOCKER_CONFIG": str(tmp_path / ".docker/config.json"), "CARGO_HOME": str(tmp_path / "cargo")}
    assert found(tmp_path, tmp_path / "p", **variables) == [".aws", ".docker", "cargo/credentials.toml"]


def test_what_we_keep_ourselves_is_hidden(tmp_path: Path) -> None:
    state_dir().mkdir(parents=True)
    assert state_dir() in hidden_places({"HOME": str(tmp_path)}, tmp_path / "p").folders


def test_what_is_hidden_has_a_below(tmp_path: Path) -> None:
    hidden = Hidden((tmp_path / "a",), (tmp_path / "b",))
    assert tmp_path / "a" / "x" in hidden
    assert tmp_path / "b" in hidden
    assert tmp_path / "ab" not in hidden


def test_the_accounts_home_counts_whatever_the_variable_says(tmp_path: Path) -> None:
    assert homes({"HOME": str(tmp_path)})[0] == tmp_path
    assert Path.home() in homes({"HOME": str(tmp_path)}) or Path.home() == Path("/")
    assert homes({"HOME": "/"}) == homes({})
    assert homes({"SUDO_UID": "nobody's"}) == homes({"SUDO_UID": "4294967290"}) == homes({})


@pytest.mark.skipif(sys.platform != "linux", reason="about Linux")
@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n", "profile pairloop-bwrap /opt/bwrap "),
        ("proc/sys/kernel/unprivileged_userns_clone", "0\n", "kernel.unprivileged_userns_clone=1"),
        ("proc/sys/user/max_user_namespaces", "0\n", "user.max_user_namespaces"),
        (".dockerenv", "", "This container"),
        ("proc/sys/kernel/apparmor_restrict_unprivileged_userns", "0\n", "The kernel has to allow"),
    ],
)
def test_the_remedy_is_for_this_system(tmp_path: Path, file: str, text: str, says: str) -> None:
    write_files(tmp_path, {file: text})
    assert says in remedy(Path("/opt/bwrap"), tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="about Linux")
def test_the_remedy_without_bubblewrap(tmp_path: Path) -> None:
    assert "bubblewrap" in remedy(None, tmp_path)
