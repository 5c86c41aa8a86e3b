"""What git says about a project: for the status line and for finding the project's root."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import msgspec

from agent_core.errors import ConfigError
from agent_core.keys.known import KNOWN
from agent_core.process import run_blocking
from agent_core.sandbox.environment import is_secret
from agent_core.workspace.git_operation import GitFolder, Operation, git_folder, operation_in, rebased_branch
from agent_core.workspace.ignore import git_environment
from agent_core.workspace.linked import main_checkout

_SECONDS = 10.0
_REPOSITORYS = frozenset({"local", "worktree"})
"""The scopes of the settings that a repository brings along."""


class GitStatus(msgspec.Struct, frozen=True):
    """Where a repository stands.

    Attributes:
        branch: Name of the branch; the abbreviated commit when detached.
        detached: HEAD is no branch.
        empty: There is no commit yet.
        dirty: How many paths differ from the last commit, new files included.
        operation: What it is in the midst of; None when it is in nothing.
        linked: It is a worktree beside the main checkout.
    """

    branch: str
    detached: bool = False
    empty: bool = False
    dirty: int = 0
    operation: Operation | None = None
    linked: bool = False


def _top(path: Path) -> Path | None:
    """The nearest folder, from a path up, that holds a ``.git``."""
    for folder in (path, *path.parents):
        marker = folder / ".git"
        if (marker / "HEAD").is_file() or marker.is_file():
            return folder
    return None


def find_root(path: Path) -> Path:
    """The top of the git work tree a folder is in, else the folder itself.

    A repository that ignores the folder (dotfiles in the home folder, say) does not count.
    """
    path = Path(os.path.realpath(path))
    top = _top(path)
    if top is None or top == path:
        return path
    try:
        ignored = run_blocking(
            ("git", "check-ignore", "-q", "."), cwd=path, timeout=_SECONDS, env=git_environment(os.environ)
        )
    except OSError:
        return top
    return path if ignored.code == 0 else top


def folder_of(root: Path) -> GitFolder | None:
    """Git's folder for the repository that a project's folder is in; None where it is in none that counts."""
    return git_folder(find_root(root))


def operation_of(root: Path) -> Operation | None:
    """What git is in the midst of in a project; None when it is in nothing, or there is no repository."""
    folder = folder_of(root)
    return operation_in(folder) if folder is not None else None


def current_folder() -> Path:
    """The folder that this process stands in, links resolved.

    Raises:
        ConfigError: It has been removed.
    """
    try:
        return Path(os.path.realpath(Path.cwd()))
    except FileNotFoundError as error:
        raise ConfigError("The current folder has been removed.", "Go to one that is there.") from error


def project_root(chosen: Path | None) -> Path:
    """The project to work on.

    Args:
        chosen: The folder the human named; taken as it is. None: the work tree that this process stands in.

    Raises:
        ConfigError: The folder named is none, or the one this process stands in has been removed; or it is all there
            is on this machine.
    """
    if chosen is None:
        root = find_root(current_folder())
    elif chosen.is_dir():
        root = Path(os.path.realpath(chosen))
    else:
        raise ConfigError(f"{chosen} is not a folder.", "Give the project's folder with --project.")
    if root == root.parent:
        raise ConfigError(f"{root} is the whole machine, not a project.", "Give the project's folder with --project.")
    return root


def without_filters(root: Path, *, everywhere: bool = False) -> tuple[tuple[str, str], ...]:
    """Settings that switch off the content filters a repository itself configures.

    Comparing files and reading them as a checkout writes them would run them.

    Args:
        root: A folder of the repository.
        everywhere: Also those that the human configures for all their repositories.
    """
    wanted = r"^filter\..*\.(clean|smudge|process|required)$"
    command = ("git", "config", "--show-scope", "--includes", "-z", "--name-only", "--get-regexp", wanted)
    try:
        done = run_blocking(command, cwd=root, timeout=_SECONDS, env=git_environment(os.environ))
    except OSError:
        return ()
    # Pairs of a scope and a name; what `git config --worktree` has set is the repository's, too.
    said = [os.fsdecode(part) for part in done.stdout.split(b"\0")]
    found = zip(said[::2], said[1::2], strict=False)
    names = dict.fromkeys(name for scope, name in found if everywhere or scope in _REPOSITORYS)
    return tuple((name, "false" if name.endswith(".required") else "") for name in names)


def _status(root: Path) -> GitStatus | None:
    # Importing GitPython costs a tenth of a second, and it fails where there is no git.
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    from git import Git  # noqa: PLC0415
    from git.exc import CommandError  # noqa: PLC0415

    command = Git(root)
    environment = git_environment(os.environ, without_filters(root))
    # The library adds to the whole environment: what is a secret there is said to be empty.
    hidden = {name: "" for name, value in os.environ.items() if is_secret(name) or KNOWN.are_in(value)}
    command.update_environment(**(hidden | environment))
    # Submodules have configurations of their own, which nobody has looked at.
    options = ("--porcelain=v2", "--branch", "-z", "--ignore-submodules=dirty")
    try:
        said = str(command.status(*options, kill_after_timeout=_SECONDS))
    except CommandError:
        return None
    head, branch, dirty = "", "", 0
    records = iter(said.split("\0"))
    for record in records:
        if record.startswith("# branch.oid "):
            head = record.removeprefix("# branch.oid ")
        elif record.startswith("# branch.head "):
            branch = record.removeprefix("# branch.head ")
        elif record and not record.startswith("#"):
            dirty += 1
            if record.startswith("2 "):
                # A rename has its old path in a record of its own.
                next(records, None)
    folder = folder_of(root)
    operation = operation_in(folder) if folder is not None else None
    if branch == "(detached)" and folder is not None and (rebased := rebased_branch(folder)):
        # Only for as long as it takes: it is where the human is, and will be again.
        branch = rebased
    detached = branch == "(detached)"
    linked = main_checkout(root) is not None
    return GitStatus(head[:8] if detached else branch, detached, head == "(initial)", dirty, operation, linked)


async def status(root: Path) -> GitStatus | None:
    """Where the repository of a folder stands; None when it is in none, or git cannot say."""
    return await asyncio.to_thread(_status, root)


def submodules(root: Path) -> tuple[str, ...]:
    """The folders of a project that are repositories of their own, as ``.gitmodules`` names them."""
    if not (root / ".gitmodules").is_file():
        return ()
    command = ("git", "config", "-z", "-f", ".gitmodules", "--get-regexp", r"^submodule\..*\.path$")
    try:
        done = run_blocking(command, cwd=root, timeout=_SECONDS, env=git_environment(os.environ))
    except OSError:
        return ()
    return tuple(os.fsdecode(entry.partition(b"\n")[2]) for entry in done.stdout.split(b"\0") if b"\n" in entry)
