"""The repository a project is in, for those who write to it by the human's explicit wish.

What runs when: to look at a repository (which files, which commit, which branch) git is called as everywhere here, in
an environment in which the repository's own configuration starts no program (`agent_core.workspace.ignore`). A commit
is another matter: whoever asks for one asks for what ``git commit`` does in their shell, so what makes the commit and
what turns files into what git keeps of them (``own=True``) runs in the human's own environment: their hooks, their
filters such as Git LFS, their signing program. No editor is opened and nothing is asked on the terminal.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from agent_core.errors import CommitError
from agent_core.keys.known import KNOWN
from agent_core.process import Completed, run, run_blocking
from agent_core.workspace.git import find_root
from agent_core.workspace.git_operation import GitFolder, how_to_end, operation_in, operation_words
from agent_core.workspace.ignore import git_environment

_SECONDS = 120.0
_CAP = 400_000_000
_ARGUMENTS = 400
SUBMODULE = 0o160000

# What an outer git command sets, such as the one whose hook started this process.
_OUTER = (
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX", "GIT_NAMESPACE"),
    *("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_SHALLOW_FILE", "GIT_GRAFT_FILE"),
    *("GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS"),
)


class Stored(msgspec.Struct, frozen=True):
    """A file as git keeps it: its mode and the name of its content."""

    mode: int
    blob: str


class Repository:
    """A repository with a work tree; made by `open_repository`.

    Attributes:
        root: The project's folder.
        prefix: The project's folder as the repository names it: empty, or with a ``/`` at the end.
        top: The top of the work tree.
        folder: The git folder of this work tree.
        index: The file of its index.
        nothing: The name that stands for no content.
    """

    def __init__(
        self,
        root: Path,
        top: Path,
        prefix: str,
        folder: Path,
        index: Path,
        *,
        sha256: bool = False,
        terminal: bool = False,
    ) -> None:
        self.root = root
        self.top = top
        self.prefix = prefix
        self.folder = folder
        self.index = index
        self.nothing = "0" * (64 if sha256 else 40)
        self._terminal = terminal

    def environment(self, index: Path | None, tree: Path | None, *, own: bool) -> dict[str, str]:
        """The environment of a git command.

        Args:
            index: Another index than the human's.
            tree: Another work tree than the human's.
            own: With all that the human's configuration and the repository's own start; see this module.
        """
        env = own_environment(os.environ, terminal=self._terminal) if own else git_environment(os.environ)
        if index is not None:
            env["GIT_INDEX_FILE"] = str(index)
        if tree is not None:
            env |= {"GIT_DIR": str(self.folder), "GIT_WORK_TREE": str(tree)}
        return env

    async def git(
        self,
        *arguments: str,
        index: Path | None = None,
        tree: Path | None = None,
        own: bool = False,
        stdin: bytes = b"",
        fine: Sequence[int] = (0,),
    ) -> bytes:
        """Run a git command at the top of the work tree.

        Args:
            arguments: Its arguments.
            index: See `environment`.
            tree: Likewise.
            own: Likewise.
            stdin: What it reads.
            fine: Exit codes that are no failure.

        Returns:
            What it printed.

        Raises:
            CommitError: It failed; says why.
        """
        done = await run(
            ("git", *arguments),
            cwd=tree or self.top,
            timeout=_SECONDS,
            env=self.environment(index, tree, own=own),
            stdin=stdin,
            cap=_CAP,
        )
        return _output(done, arguments, fine)

    def git_at_once(self, *arguments: str, index: Path | None = None, fine: Sequence[int] = (0,)) -> bytes:
        """`git` for what must not be interrupted any more: a few milliseconds, in which everything waits."""
        environment = self.environment(index, None, own=False)
        done = run_blocking(("git", *arguments), cwd=self.top, timeout=_SECONDS, env=environment)
        return _output(done, arguments, fine)

    async def stored(self, paths: Iterable[str], index: Path | None = None) -> dict[str, Stored]:
        """What an index has of some paths (from the top); those it has not are not in it.

        Raises:
            CommitError: A path has conflicts that are not resolved.
        """
        found: dict[str, Stored] = {}
        wanted = sorted(set(paths))
        for at in range(0, len(wanted), _ARGUMENTS):
            some = wanted[at : at + _ARGUMENTS]
            listed = await self.git("--literal-pathspecs", "ls-files", "-s", "-z", "--", *some, index=index)
            for path, stage, entry in index_entries(listed):
                if stage:
                    raise CommitError(
                        f"{path}: has conflicts in git's index that are not resolved.",
                        "Resolve them and `git add` the file, then try again.",
                    )
                found[path] = entry
        return {path: found[path] for path in wanted if path in found}

    async def blob(self, name: str) -> bytes:
        """The content of that name."""
        return await self.git("cat-file", "blob", name)

    async def keep(self, data: bytes) -> str:
        """Put content into the repository as it is; gives its name."""
        # Nothing to read means that there is nothing to wait for: the file is empty.
        return (await self.git("hash-object", "-w", "--stdin", stdin=data)).decode().strip()

    def index_info(self, changes: Mapping[str, Stored | None]) -> bytes:
        """What ``git update-index -z --index-info`` reads.

        Args:
            changes: What is to be there by path; None for nothing.
        """
        # What goes comes first, as it may stand where a folder comes.
        ordered = sorted(changes.items(), key=lambda change: change[1] is not None)
        entries = ((path, entry or Stored(0, self.nothing)) for path, entry in ordered)
        return b"".join(b"%06o %s\t%s\0" % (one.mode, one.blob.encode(), os.fsencode(path)) for path, one in entries)

    def head(self) -> str:
        """The commit that is checked out; empty before the first one."""
        return self.git_at_once("rev-parse", "--verify", "--quiet", "HEAD^{commit}", fine=(0, 1, 128)).decode().strip()

    async def branch(self) -> str:
        """The branch that is checked out; empty where HEAD is none."""
        said = await self.git("symbolic-ref", "--short", "-q", "HEAD", fine=(0, 1))
        return said.decode("utf-8", "replace").strip()

    def refuse_under_way(self) -> None:
        """Refuse to commit in the midst of something: the commit would become a part of it.

        Raises:
            CommitError: git is in the midst of something.
        """
        if (operation := operation_in(GitFolder(self.folder, self.folder))) is not None:
            raise CommitError(
                f"git is in the midst of {operation_words(operation)}: nothing was committed.",
                f"{how_to_end(operation)}, then try again.",
            )


def own_environment(environ: Mapping[str, str], *, terminal: bool = False) -> dict[str, str]:
    """The human's own environment for git, without the partners' keys and what belongs to an outer git command.

    No editor is opened.

    Args:
        environ: The environment variables.
        terminal: Whoever signs may ask on the terminal; elsewhere that would be written over what is shown there.
    """
    env = {name: value for name, value in KNOWN.without(environ).items() if name not in _OUTER}
    if not terminal:
        env.pop("GPG_TTY", None)
    return env | {"GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": "true"}


def index_entries(listed: bytes) -> Iterator[tuple[str, int, Stored]]:
    """Path, stage and content of each entry of ``git ls-files -s -z``."""
    for record in listed.split(b"\0"):
        head, tab, path = record.partition(b"\t")
        if tab:
            mode, name, stage = head.decode("ascii").split(" ")
            yield os.fsdecode(path), int(stage), Stored(int(mode, 8), name)


def said_by(done: Completed) -> str:
    """Why a git command failed, in its own words."""
    if done.timed_out:
        return "it took too long"
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    errors = [line for line in lines if line.startswith(("fatal:", "error:"))] or lines
    return errors[0].partition(": ")[2].rstrip(".") or errors[0] if errors else f"exit status {done.code}"


def _output(done: Completed, arguments: Sequence[str], fine: Sequence[int]) -> bytes:
    if done.code in fine and not done.timed_out:
        return done.stdout
    name = next((one for one in arguments if not one.startswith("-")), "")
    raise CommitError(f"git {name} failed: {said_by(done)}.")


async def open_repository(root: Path, *, terminal: bool = False) -> Repository:
    """The repository that a project's folder is in.

    Args:
        root: The project's folder.
        terminal: See `own_environment`.

    Raises:
        CommitError: It is in none (one that ignores it does not count), or there is no git.
    """
    none = CommitError(f"{root} is in no git repository.", "`git init` makes one.")
    if not await asyncio.to_thread(lambda: (root / ".git").exists() or find_root(root) != root):
        raise none
    wanted = ("--absolute-git-dir", "--show-toplevel", "--git-path", "index", "--show-object-format", "--show-prefix")
    try:
        done = await run(("git", "rev-parse", *wanted), cwd=root, timeout=_SECONDS, env=git_environment(os.environ))
    except FileNotFoundError as error:
        raise CommitError("git is not installed.") from error
    if done.code != 0:
        raise CommitError(f"git cannot use the repository of {root}: {said_by(done)}.", none.hint)
    folder, top, index, form, prefix, *_ = os.fsdecode(done.stdout).split("\n")
    return Repository(root, Path(top), prefix, Path(folder), root / index, sha256=form == "sha256", terminal=terminal)
