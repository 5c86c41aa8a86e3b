"""Checks that a project shows it has: read off its files, nothing is run to find them."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from agent_core.checks.discover_node import find_node
from agent_core.checks.found import Found, Look
from agent_core.checks.settings import CommandConfig

_TARGETS = ("lint", "test", "check")
_MAKEFILES = ("GNUmakefile", "makefile", "Makefile")
_JUSTFILES = ("justfile", "Justfile", ".justfile")
# Tools whose checks are built in, and the files by which a project that uses Python is known.
_PYTHON_TOOLS = ("ruff", "mypy", "pytest")
_PYTHON_FILES = ("pyproject.toml", "setup.py", "setup.cfg", "requirements.txt")
# What a recipe calls, and the checks found elsewhere that do what it then does; those of a package.json for npm.
_CALLED = {"cargo": ("cargo-check", "cargo-test"), "go": ("go-vet", "go-test")}
_NODE_CALLERS = frozenset({"npm", "npx", "pnpm", "yarn"})


def discover(read: Callable[[str], bytes | None], environ: Mapping[str, str]) -> tuple[Found, ...]:
    """Look for checks of a project's own.

    Args:
        read: The bytes of a file of the project, ignored files included; None when it is not there.
        environ: The environment that commands get; programs are looked for on its PATH.

    Returns:
        What was found, on or off, each with why.
    """
    look = Look(read, environ)
    found = [*find_node(look), *_cargo(look), *_go(look)]
    found += [*_make(look, found), *_just(look, found), *_pre_commit(look), *_environments(look)]
    return tuple(found)


def _needing(look: Look, program: str, found: Found) -> Found:
    """The same, off where its program is not on the PATH."""
    if look.program(program):
        return found
    return Found(found.name, found.command, f"off: it needs {program}, which is not on the PATH", on=False)


def _cargo(look: Look) -> Iterator[Found]:
    if not look.there("Cargo.toml"):
        return
    flags = ("--message-format=json", "--offline", "--workspace")
    hint = "Install Rust"
    check = CommandConfig(run=("cargo", "check", "--all-targets", *flags), parse="cargo")
    yield _needing(look, "cargo", Found("cargo-check", check, "there is a Cargo.toml", hint=hint))
    tests = CommandConfig(run=("cargo", "test", "--no-fail-fast", *flags), parse="cargo")
    yield _needing(look, "cargo", Found("cargo-test", tests, "there is a Cargo.toml", hint=hint))


def _go(look: Look) -> Iterator[Found]:
    if not look.there("go.mod"):
        return
    # Go's cache goes by contents, so that any tree may use it.
    env, hint = (("GOCACHE", "{cache}/go-build"), ("GOFLAGS", "-buildvcs=false")), "Install Go"
    vet = CommandConfig(run=("go", "vet", "./..."), parse="gcc")
    yield _needing(look, "go", Found("go-vet", vet, "there is a go.mod", env=env, hint=hint))
    tests = CommandConfig(run=("go", "test", "-json", "./..."), parse="go-test")
    yield _needing(look, "go", Found("go-test", tests, "there is a go.mod", env=env, hint=hint))


def _make(look: Look, others: Sequence[Found]) -> Iterator[Found]:
    file = next((name for name in _MAKEFILES if look.there(name)), None)
    if file is None:
        return
    header = re.compile(r"^(?P<names>[\w./% -]+?)[ \t]*::?(?![:=])(?P<rest>.*)$")
    recipes = _recipes(look.text(file), header)
    yield from _targets(look, "make", file, recipes, others)


def _just(look: Look, others: Sequence[Found]) -> Iterator[Found]:
    file = next((name for name in _JUSTFILES if look.there(name)), None)
    if file is None:
        return
    header = re.compile(r"^@?(?P<names>[\w-]+)(?:[ \t]+[^:=\n]*)?:(?!=)(?P<rest>.*)$")
    recipes = _recipes(look.text(file), header)
    yield from _targets(look, "just", file, recipes, others)


def _recipes(text: str, header: re.Pattern[str]) -> dict[str, str]:
    """The recipe of each target, with what it depends on."""
    recipes: dict[str, str] = {}
    names: list[str] = []
    for line in text.splitlines():
        if line[:1] in {"\t", " "} or not line.strip():
            for name in names:
                recipes[name] += f"\n{line}"
        elif not line.startswith("#") and (found := header.match(line)):
            names = found["names"].split()
            for name in names:
                recipes[name] = f"{recipes.get(name, '')}\n{found['rest'].strip()}"
        else:
            names = []
    return recipes


def _targets(
    look: Look, program: str, file: str, recipes: Mapping[str, str], others: Sequence[Found]
) -> Iterator[Found]:
    for target in _TARGETS:
        if target not in recipes:
            continue
        command = CommandConfig(run=(program, target), parse="gcc")
        title, why = f"{program}-{target}", f"{file} has a target {target!r}"
        if reason := _covered(look, target, recipes, others):
            yield Found(title, command, f"off: {why}, but {reason}", on=False)
        else:
            yield _needing(look, program, Found(title, command, why, hint=f"Install {program}"))


def _covered(look: Look, target: str, recipes: Mapping[str, str], others: Sequence[Found]) -> str:
    """Why a target would say what other checks say already; empty when it would not."""
    if target == "check" and (parts := [name for name in ("lint", "test") if name in recipes]):
        return f"there {'is' if len(parts) == 1 else 'are'} {' and '.join(parts)} too"
    recipe, seen = recipes[target], {target}
    # What it depends on is part of it.
    waiting = [target]
    while waiting:
        below = set(re.findall(r"[\w-]+", recipes[waiting.pop()])) & recipes.keys() - seen
        seen |= below
        waiting += sorted(below)
        recipe += "".join(f"\n{recipes[name]}" for name in sorted(below))
    called = set(re.findall(r"(?<![\w./-])(?:[\w.-]*/)*([\w-]+)", recipe))
    running = [one.name for one in others if one.on]
    elsewhere = {name for names in _CALLED.values() for name in names}
    does = [tool for tool in _PYTHON_TOOLS if tool in called]
    for name in running:
        callers = {tool for tool, names in _CALLED.items() if name in names} if name in elsewhere else _NODE_CALLERS
        if name in called or callers & called:
            does.append(name)
    if does:
        return f"that calls {', '.join(does)}: checked already"
    if not re.search(r"^[ \t]+\S", recipe, re.MULTILINE) and any(look.there(name) for name in _PYTHON_FILES):
        return "ruff, mypy and pytest look at the project already"
    return ""


def _pre_commit(look: Look) -> Iterator[Found]:
    file = ".pre-commit-config.yaml"
    if not look.there(file):
        return
    command = CommandConfig(run=("pre-commit", "run", "--color=never", "--files", "{files}"), parse="gcc")
    repos = _pre_commit_repos(look.text(file))
    if repos is None:
        yield Found("pre-commit", command, f"off: {file} cannot be read", on=False)
    elif absent := [repo for repo in repos if not _cached(look, *repo)]:
        why = f"off: its hooks need the network once, to fetch {absent[0][0]}: pre-commit install-hooks"
        yield Found("pre-commit", command, why, on=False)
    else:
        found = Found("pre-commit", command, f"there is a {file}, its hooks are fetched", hint="Install pre-commit")
        yield _needing(look, "pre-commit", found)


def _pre_commit_repos(text: str) -> list[tuple[str, str]] | None:
    """The repositories that hooks come from with their revisions, None where that cannot be told."""
    import yaml  # noqa: PLC0415 - few projects have need of it

    try:
        data: Any = yaml.safe_load(text)
        repos = [(str(one["repo"]), str(one.get("rev", ""))) for one in data["repos"]]
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, RecursionError, ValueError):
        return None
    return [repo for repo in repos if repo[0] not in {"local", "meta"}]


def _cached(look: Look, repo: str, rev: str) -> bool:
    """Whether pre-commit has fetched a repository and installed something of it, as its own database says."""
    home = look.environ.get("PRE_COMMIT_HOME")
    cache = look.environ.get("XDG_CACHE_HOME")
    store = Path(home) if home else (Path(cache) if cache else look.home / ".cache") / "pre-commit"
    if not (store / "db.db").is_file():
        return False
    try:
        with closing(sqlite3.connect(f"{(store / 'db.db').as_uri()}?mode=ro", uri=True)) as database:
            # A hook with dependencies of its own has a row under "repo:dependency,dependency".
            rows = database.execute("SELECT repo, path FROM repos WHERE ref = ?", (rev,)).fetchall()
    except sqlite3.Error:
        return False
    folders = [Path(path) for name, path in rows if name == repo or str(name).startswith(f"{repo}:")]
    return any(folder.is_dir() for folder in folders)


def _environments(look: Look) -> Iterator[Found]:
    for name, files in (("tox", ("tox.ini", "tox.toml")), ("nox", ("noxfile.py",))):
        file = next((one for one in files if look.there(one)), None)
        if file is None or (file == "tox.ini" and "[tox" not in look.text(file) and "[testenv" not in look.text(file)):
            continue
        why = f"off: {file} makes environments of its own and installs into them, which needs the network"
        yield Found(name, CommandConfig(run=(name,), parse="gcc"), f"{why}; pytest runs the tests directly", on=False)
