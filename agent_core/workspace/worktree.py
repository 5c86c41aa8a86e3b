"""A git worktree for a session of its own: made, found again, and told of at the end.

It lies beside the project, in ``PROJECT.worktrees/BRANCH``, as editors do it too: there paths that lead out of the
project go on working, humans find it, and neither the project's searches nor its watchers see it, as they would inside.
What belongs to the session (journal, caches) is kept by path as for every project, so opening the same branch again
goes on there.

Making one runs neither the repository's hooks nor filters that its own configuration names; the human's own, such as
Git LFS, do run (`agent_core.workspace.git.without_filters`).
"""

from __future__ import annotations

import os
import re
import secrets
import shlex
import time
from pathlib import Path

import msgspec

from agent_core.errors import ConfigError
from agent_core.process import Completed, run_blocking
from agent_core.text import counted
from agent_core.workspace.git import without_filters
from agent_core.workspace.ignore import git_environment

_SECONDS = 20.0
_CHECKOUT_SECONDS = 900.0
_UNUSUAL = re.compile(r"[^A-Za-z0-9._-]+")


class Worktree(msgspec.Struct, frozen=True):
    """Where a session works beside the human's checkout.

    Attributes:
        root: The project's folder in it.
        top: Its own top.
        branch: The branch it is on.
        main: The top of the human's checkout.
        made: It was made just now.
    """

    root: Path
    top: Path
    branch: str
    main: Path
    made: bool


def open_worktree(project: Path, branch: str) -> Worktree:
    """The worktree of a branch; made where there is none yet.

    Args:
        project: The project's folder, in the human's checkout.
        branch: The branch; one that is not there is begun at the commit that is checked out. Empty for a new one with
            a name of its own.

    Raises:
        ConfigError: There is no repository, or git cannot make it; says why.
    """
    top = _said(project, "rev-parse", "--show-toplevel")
    if top is None:
        raise ConfigError(f"--worktree: {project} is in no git repository.", "`git init` makes one.")
    if _said(project, "rev-parse", "--verify", "-q", "HEAD^{commit}") is None:
        raise ConfigError("--worktree: there is no commit yet that it could begin at.", "Commit something first.")
    inside = os.path.relpath(project, top)
    # Two that begin in the same second, as from a script, must not get the same files.
    branch = branch or f"pairloop/{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
    if _said(project, "check-ref-format", "--branch", branch) is None or branch.startswith("-"):
        raise ConfigError(f"--worktree: {branch!r} is no name for a branch.")
    main, others = _worktrees(project)
    found = others.get(branch)
    if found == Path(top) == main:
        raise ConfigError(
            f"--worktree: {branch} is checked out in the project itself.", "Name another branch, or leave the name out."
        )
    made = found is None or not found.is_dir()
    place = _make(project, main, branch) if found is None or made else found
    root = place / inside
    if not root.is_dir():
        raise ConfigError(f"--worktree: {branch} has no folder {inside}.", f"The worktree is {place}.")
    return Worktree(root, place, branch, main, made)


def farewell(worktree: Worktree) -> str:
    """What is said of a worktree when its session ends: where it is, how to go on, to merge and to remove it."""
    ahead = _said(worktree.top, "rev-list", "--count", "HEAD", "--not", f"--exclude={worktree.branch}", "--branches")
    status = _said(worktree.top, "status", "--porcelain", "--ignore-submodules=dirty") or ""
    changed = len([line for line in status.splitlines() if line])
    facts = [f"{ahead} commit{'' if ahead == '1' else 's'} of its own" if ahead not in {None, "0"} else "no commit yet"]
    if changed:
        facts.append(f"{counted(changed, 'file')} not committed")
    quoted = shlex.quote(str(worktree.top))
    return (
        f"The worktree stays in {worktree.top}, on branch {worktree.branch} ({', '.join(facts)}).\n"
        f"  go on    pairloop --worktree={shlex.quote(worktree.branch)}\n"
        f"  merge    git -C {shlex.quote(str(worktree.main))} merge {shlex.quote(worktree.branch)}\n"
        f"  remove   git -C {shlex.quote(str(worktree.main))} worktree remove {quoted}\n"
    )


def _make(project: Path, main: Path, branch: str) -> Path:
    place = main.with_name(f"{main.name}.worktrees") / (_UNUSUAL.sub("-", branch).strip("-.") or "worktree")
    if place.exists():
        raise ConfigError(f"--worktree: {place} is there already, and no worktree of {branch}.", "Move it away.")
    known = _said(project, "rev-parse", "--verify", "-q", f"refs/heads/{branch}") is not None
    new = () if known else ("-b", branch)
    arguments = ("worktree", "add", "-q", "--no-checkout", *new, "--", str(place), *((branch,) if known else ("HEAD",)))
    # What was removed by hand is forgotten first, or its branch would count as checked out. Others that are not there
    # just now, as on a disk that is not mounted, are the human's business.
    remove = ("worktree", "remove", "--force", "--", str(place))
    _git(project, *remove)
    done = _git(project, *arguments)
    if done.code == 0 and not done.timed_out:
        # In there other parts of the configuration count (`includeIf`): filters are looked for where they would run.
        done = _git(place, "reset", "-q", "--hard", "--no-recurse-submodules", seconds=_CHECKOUT_SECONDS)
        if done.code != 0 or done.timed_out:
            _git(project, *remove)
    if done.code != 0 or done.timed_out:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = lines[-1].removeprefix("fatal: ").rstrip(".") if lines else "git took too long"
        raise ConfigError(f"--worktree: git cannot make {place}: {reason}.")
    return place


def _worktrees(project: Path) -> tuple[Path, dict[str, Path]]:
    """The main checkout, and where each branch is checked out."""
    said = _said(project, "worktree", "list", "--porcelain") or ""
    places: dict[str, Path] = {}
    first: Path | None = None
    here = project
    for line in said.splitlines():
        word, _, rest = line.partition(" ")
        if word == "worktree":
            here = Path(rest)
            first = first or here
        elif word == "branch":
            places[rest.removeprefix("refs/heads/")] = here
    return first or project, places


def _git(folder: Path, *arguments: str, seconds: float = _SECONDS) -> Completed:
    environment = git_environment(os.environ, without_filters(folder))
    try:
        return run_blocking(("git", *arguments), cwd=folder, timeout=seconds, env=environment)
    except FileNotFoundError as error:
        raise ConfigError("--worktree: git is not installed.") from error


def _said(folder: Path, *arguments: str) -> str | None:
    """What git printed; None where it failed."""
    done = _git(folder, *arguments)
    return os.fsdecode(done.stdout).strip("\n") if done.code == 0 and not done.timed_out else None
