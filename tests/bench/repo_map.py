"""The repo map: how long it takes, cold and warm, and whether it shows what a task is going to change.

    .venv/bin/python -m tests.bench.repo_map FOLDER_OF_REPOSITORIES [--commits 30] [--tokens 1500]

For each of the last commits of each repository: the tree before it is mapped with the commit's subject as the task; of
the source files that the commit changes, how many are on the map? Beside it, what a listing of the same size in
alphabetical order shows, and one of the files by their PageRank without any task.
"""

from __future__ import annotations

import argparse
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from statistics import mean, median

from agent_core.symbols.languages import language_of
from agent_core.symbols.rank import Wish
from agent_core.symbols.repo_map import draw
from agent_core.symbols.tags import Tags, tags_of
from agent_core.text import estimate_tokens

COLUMNS = ("map", "sources", "no task", "a-z", "tokens", "ms", "cold s")

_known: dict[str, Tags] = {}


def git(repository: Path, *arguments: str) -> str:
    done = subprocess.run(("git", "-C", repository, *arguments), capture_output=True, check=True)
    return done.stdout.decode("utf-8", "replace")


def tree(repository: Path, revision: str) -> dict[str, Tags]:
    """The source files of a revision."""
    found: dict[str, Tags] = {}
    for line in git(repository, "ls-tree", "-r", revision).splitlines():
        about, _, path = line.partition("\t")
        _, kind, blob = about.split()
        if kind != "blob" or not language_of(path):
            continue
        if blob not in _known:
            data = subprocess.run(("git", "-C", repository, "cat-file", "blob", blob), capture_output=True, check=True)
            _known[blob] = tags_of(path, data.stdout)
        found[path] = _known[blob]
    return found


def commits(repository: Path, count: int) -> Iterator[tuple[str, str, list[str]]]:
    """Parent, subject, and the source files changed that were there before."""
    wanted = git(repository, "log", "--no-merges", f"-{count}", "--format=%H %s", "HEAD", "--", "*.py").splitlines()
    for line in wanted:
        commit, _, subject = line.partition(" ")
        changed = git(repository, "diff-tree", "--no-commit-id", "--name-only", "-r", "--diff-filter=M", commit)
        paths = [path for path in changed.splitlines() if language_of(path)]
        if paths:
            yield f"{commit}^", subject, paths


def recent(repository: Path, revision: str) -> tuple[str, ...]:
    said = git(repository, "log", "-20", "--format=", "--name-only", revision)
    return tuple(dict.fromkeys(path for path in said.splitlines() if path))[:40]


def shown(drawn: str) -> set[str]:
    return {line.removesuffix(":") for line in drawn.splitlines() if line.endswith(":") and not line.startswith(" ")}


def alphabetical(files: Mapping[str, Tags], tokens: int) -> set[str]:
    """As many files with their first names as fit."""
    kept, left = set(), tokens
    for path in sorted(files):
        text = "\n".join([f"{path}:", *(f"{one.line:>5} {one.head}" for one in files[path].definitions[:6])])
        left -= estimate_tokens(text)
        if left < 0:
            break
        kept.add(path)
    return kept


def share(wanted: Iterable[str], found: set[str]) -> float:
    paths = list(wanted)
    return sum(path in found for path in paths) / len(paths)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--commits", type=int, default=30)
    parser.add_argument("--tokens", type=int, default=1500)
    parser.add_argument("--verbose", action="store_true")
    given = parser.parse_args()
    print(f"{'repository':<16}{'files':>6}{'tasks':>6}" + "".join(f"{name:>8}" for name in COLUMNS))
    every: list[tuple[float, float, float]] = []
    for repository in sorted(
        path for path in given.folder.iterdir() if (path / "HEAD").exists() or (path / ".git").exists()
    ):
        rows: list[tuple[float, float, float]] = []
        source: list[float] = []
        times: list[float] = []
        sizes: list[int] = []
        count, cold = 0, 0.0
        for parent, subject, changed in commits(repository, given.commits):
            begun = time.perf_counter()
            files = tree(repository, parent)
            cold = cold or time.perf_counter() - begun
            lately = recent(repository, parent)
            begun = time.perf_counter()
            drawn = draw(files, Wish(subject, lately), given.tokens)
            times.append(time.perf_counter() - begun)
            sizes.append(estimate_tokens(drawn))
            there = [path for path in changed if path in files]
            if not there:
                continue
            on_map = shown(drawn)
            rows.append(
                (
                    share(there, on_map),
                    share(there, shown(draw(files, Wish(), given.tokens))),
                    share(there, alphabetical(files, given.tokens)),
                )
            )
            if code := [path for path in there if "test" not in path]:
                source.append(share(code, on_map))
                if given.verbose and not source[-1]:
                    print("  missed:", subject, code)
            count = len(files)
        every += rows
        line = [mean(row[at] for row in rows) for at in range(3)]
        print(
            f"{repository.name:<16}{count:>6}{len(rows):>6}{line[0]:>8.0%}{mean(source):>8.0%}{line[1]:>8.0%}{line[2]:>8.0%}"
            f"{max(sizes):>8}{median(times) * 1000:>8.0f}{cold:>8.2f}"
        )
    print(f"{'all':<22}{len(every):>6}" + "".join(f"{mean(row[at] for row in every):>8.0%}" for at in (0, 1, 2)))


if __name__ == "__main__":
    main()
