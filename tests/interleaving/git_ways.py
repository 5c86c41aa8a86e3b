"""What a human does with git, as commands that follow each other."""

from __future__ import annotations

import random
from collections.abc import Sequence

Way = tuple[tuple[str, ...], ...]

_NAME = ("-c", "user.name=Test", "-c", "user.email=test@example.invalid", "-c", "gc.auto=0")


def command(arguments: Sequence[str]) -> tuple[str, ...]:
    """The command line."""
    return ("git", *_NAME, *arguments)


def way(dice: random.Random, paths: Sequence[str], *, busy: bool) -> Way:
    """Something that can be done now.

    Args:
        dice: Choose.
        paths: The files there are.
        busy: git is in the midst of something.
    """
    if busy:
        return (("rebase", "--abort"), ("merge", "--abort"), ("cherry-pick", "--abort"), ("reset", "-q", "--merge"))
    commit = ("commit", "-q", "-a", "-m", f"work {dice.randrange(10**6)}")
    one = dice.choice(paths) if paths else "core/a.py"
    ways: tuple[Way, ...] = (
        (commit,),
        (("add", "-A"), commit),
        (("switch", "-q", "topic"),),
        (("switch", "-q", "main"),),
        (("switch", "-q", "topic"), ("switch", "-q", "main")),
        (("switch", "-q", "-c", f"new{dice.randrange(10**6)}"),),
        (("stash", "-q"), ("stash", "pop", "-q")),
        (("stash", "-q", "-u"),),
        (("stash", "pop", "-q"),),
        (("stash", "pop", "-q"), ("reset", "-q")),
        (commit, ("rebase", "-q", "topic")),
        (commit, ("merge", "-q", "--no-edit", "topic")),
        (commit, ("cherry-pick", "topic")),
        (("reset", "-q", "--hard"),),
        (("reset", "-q", "--hard", "HEAD~1"),),
        (("checkout", "-q", "--", one),),
        (("restore", one),),
        (("rm", "-q", "-f", one),),
        (("mv", one, f"core/by_git{dice.randrange(10**6)}.py"),),
        (("add", one),),
    )
    return dice.choice(ways)
