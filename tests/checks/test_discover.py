"""What projects show they have, what is on and why; and what the configuration makes of it."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from agent_core.checks.chosen import Listed, chosen, default_checks
from agent_core.checks.command import CommandCheck
from agent_core.checks.discover import discover
from agent_core.checks.found import REPORT, Found
from agent_core.checks.globs import matching
from agent_core.checks.pytest import PytestCheck
from agent_core.checks.settings import CommandConfig
from agent_core.config import load
from agent_core.config_tables import ChecksConfig
from tests.checks.conftest import THIS_PYTHON, Open, program, run_one

BIN = "node_modules/.bin"


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A PATH with a program of every name that is looked for, none of which does anything."""
    for name in ("node", "npm", "cargo", "go", "make", "just", "pre-commit"):
        program(tmp_path / "bin" / name, "#!/bin/sh\n")
    return tmp_path / "bin"


def seen(files: Mapping[str, str], path: Path, **environ: str) -> dict[str, Found]:
    texts = {name: dedent(text).lstrip("\n").encode() for name, text in files.items()}
    return {one.name: one for one in discover(texts.get, {"PATH": str(path), **environ})}


def on(found: Mapping[str, Found]) -> list[str]:
    return [name for name, one in found.items() if one.on]


def package(**content: Any) -> str:
    return json.dumps(content)


def test_nothing_is_found_in_nothing(tools: Path) -> None:
    assert seen({}, tools) == {}
    assert seen({"package.json": "{", "Cargo.toml2": "", "Makefile": ""}, tools) == {}
    assert seen({"package.json": "[]"}, tools) == {}
    assert seen({"package.json": '{"scripts": 3, "devDependencies": ["eslint"]}'}, tools) == {}


def test_node(tools: Path) -> None:
    files = {
        "package.json": package(
            scripts={"lint": "eslint --fix src --ext .ts --max-warnings=0 -f stylish", "test": "vitest"},
            devDependencies={"eslint": "9", "typescript": "5", "vitest": "2"},
        ),
        "eslint.config.js": "",
        "tsconfig.json": "{}",
        **{f"{BIN}/{tool}": "" for tool in ("eslint", "tsc", "vitest", "jest")},
    }
    found = seen(files, tools)
    assert on(found) == ["eslint", "tsc", "vitest"], "jest is there for another's sake"
    eslint = found["eslint"].command
    assert eslint.run == (f"{BIN}/eslint", "src", "--ext", ".ts", "--max-warnings=0", "-f", "json", "-o", REPORT)
    assert (eslint.parse, eslint.report, eslint.warnings) == ("json", REPORT, True)
    assert matching(eslint.when, ["a.ts", "src/b.vue", "x.py", "src/.eslintrc"]) == (
        "a.ts",
        "src/b.vue",
        "src/.eslintrc",
    )
    assert found["tsc"].command.run == (f"{BIN}/tsc", "--noEmit", "--pretty", "false")
    assert found["vitest"].command.run == (f"{BIN}/vitest", "run", "--reporter=junit", f"--outputFile={REPORT}")
    assert found["vitest"].env == (("CI", "true"),)


def test_node_that_is_not_there_or_not_installed(tools: Path, tmp_path: Path) -> None:
    files = {"package.json": package(devDependencies={"eslint": "9"}), "eslint.config.js": ""}
    bare = seen(files, tools)["eslint"]
    assert (bare.on, bare.why) == (
        False,
        "off: package.json names eslint, but node_modules has none: npm install",
    )
    installed = {**files, f"{BIN}/eslint": ""}
    assert seen(installed, tools)["eslint"].on
    assert "not on the PATH" in seen(installed, tmp_path)["eslint"].why
    del installed["eslint.config.js"]
    assert "no configuration" in seen(installed, tools)["eslint"].why


def test_a_tsconfig_that_only_refers_to_others(tools: Path) -> None:
    files = {
        "package.json": package(devDependencies={"typescript": "5"}),
        f"{BIN}/tsc": "",
        "tsconfig.json": """
            {
              // "files": ["old.ts"],
              "files": [], /* and "references": */
              "references": [{ "path": "./tsconfig.app.json" }, {"path": "./it's"}],
            }
            """,
    }
    run = seen(files, tools)["tsc"].command.run
    assert isinstance(run, str)
    assert f"{BIN}/tsc -p ./tsconfig.app.json --noEmit --pretty false || code=$?" in run
    assert """-p './it'"'"'s' --noEmit""" in run


def test_other_scripts(tools: Path) -> None:
    scripts = {"lint": "biome check .", "test": "node --test", "typecheck": "tsc", "build": "x"}
    found = seen({"package.json": package(scripts=scripts)}, tools)
    assert on(found) == ["npm-lint", "npm-test", "npm-typecheck"]
    assert found["npm-lint"].command.run == ("npm", "run", "--silent", "lint")
    assert found["npm-test"].command.parse == "junit"
    assert "biome check ." in found["npm-lint"].why
    unsaid = {"test": 'echo "Error: no test specified" && exit 1'}
    assert seen({"package.json": package(scripts=unsaid)}, tools) == {}


def test_cargo_and_go(tools: Path, tmp_path: Path) -> None:
    found = seen({"Cargo.toml": "", "go.mod": "module m\n"}, tools)
    assert on(found) == ["cargo-check", "cargo-test", "go-vet", "go-test"]
    assert found["cargo-test"].command.parse == "cargo"
    assert ("GOCACHE", "{cache}/go-build") in found["go-test"].env
    assert all("not on the PATH" in one.why for one in seen({"Cargo.toml": "", "go.mod": ""}, tmp_path).values())


MAKE = {
    "other tools": ("lint:\n\tclang-tidy src/*.c\n", "make-lint", ""),
    "a path": ("test: prog\n\t./prog --self-test\nprog: a.c\n", "make-test", ""),
    "ruff": ("lint:\n\truff check .\n\tclang-tidy\n", None, "calls ruff"),
    "a venv's pytest": ("test:\n\t@.venv/bin/pytest -q\n", None, "calls pytest"),
    "python -m": ("test:\n\tpython -m pytest\n", None, "calls pytest"),
    "below": ("test: unit\nunit:\n\tpytest\n", None, "calls pytest"),
    "names that look so": ("test:\n\t./pytest-like-thing\n", "make-test", ""),
    "cargo": ("test:\n\tcargo test\n", None, "calls cargo-check, cargo-test: checked already"),
    "an assignment": ("test := 3\nlint = 4\n", None, None),
    "several at once": ("lint test:\n\tx\n", "make-lint make-test", ""),
    "check beside test": ("check: test\ntest:\n\tx\n", "make-test", "there is test too"),
    "check alone": ("check::\n\tx\n", "make-check", ""),
    "a comment": ("# lint: all\n", None, None),
    "a circle": ("lint: test\ntest: lint\n", None, "look at the project already"),
}


@pytest.mark.parametrize(("text", "expected", "why"), MAKE.values(), ids=MAKE.keys())
def test_targets_of_a_makefile(tools: Path, text: str, expected: str | None, why: str | None) -> None:
    files = {"Makefile": text, "Cargo.toml": "", "pyproject.toml": ""}
    found = {name: one for name, one in seen(files, tools).items() if name.startswith("make-")}
    assert on(found) == (expected or "").split()
    off = [one.why for one in found.values() if not one.on]
    if why is None:
        assert off == []
    elif why:
        assert off
        assert all(why in one for one in off)


def test_a_justfile(tools: Path) -> None:
    text = "set shell := ['sh']\n\nlint *args:\n    biome check {{args}}\n\ntest:\n    pytest\n"
    found = seen({"justfile": text}, tools)
    assert on(found) == ["just-lint"]
    assert found["just-lint"].command.run == ("just", "lint")
    assert "calls pytest" in found["just-test"].why


def test_pre_commit_is_on_where_its_hooks_are_fetched(tools: Path, tmp_path: Path) -> None:
    files = {
        ".pre-commit-config.yaml": """
            repos:
              - repo: https://example.invalid/hooks
                rev: v1
                hooks: [{id: x}]
              - repo: local
                hooks: [{id: y, name: y, language: system, entry: true}]
            """
    }
    home = {"PRE_COMMIT_HOME": str(tmp_path / "store")}
    assert (
        "need the network once, to fetch https://example.invalid/hooks" in seen(files, tools, **home)["pre-commit"].why
    )
    (tmp_path / "store" / "repo1").mkdir(parents=True)
    with sqlite3.connect(tmp_path / "store" / "db.db") as database:
        database.execute("CREATE TABLE repos (repo TEXT, ref TEXT, path TEXT)")
        database.execute(
            "INSERT INTO repos VALUES (?, 'v1', ?)", ("https://example.invalid/hooks", str(tmp_path / "store/repo1"))
        )
    database.close()
    assert seen(files, tools, **home)["pre-commit"].on
    shutil.rmtree(tmp_path / "store" / "repo1")
    assert not seen(files, tools, **home)["pre-commit"].on
    (tmp_path / "store" / "db.db").write_text("garbage")
    assert not seen(files, tools, **home)["pre-commit"].on
    for broken in ("repos: [", "3", "repos: 3", "!!python/object/apply:os.system ['touch /tmp/x']"):
        assert "cannot be read" in seen({".pre-commit-config.yaml": broken}, tools)["pre-commit"].why


def test_tox_and_nox_are_off(tools: Path) -> None:
    found = seen({"tox.ini": "[testenv]\n", "noxfile.py": ""}, tools)
    assert list(found) == ["tox", "nox"]
    assert all(not one.on and "network" in one.why for one in found.values())
    assert seen({"tox.ini": "[flake8]\n"}, tools) == {}


def listed(config: ChecksConfig, files: Mapping[str, str], path: Path) -> dict[str, Listed]:
    texts = {name: text.encode() for name, text in files.items()}
    return {one.name: one for one in chosen(config, THIS_PYTHON, texts.get, {"PATH": str(path)})}


def configured(tmp_path: Path, text: str) -> ChecksConfig:
    (tmp_path / "pairloop.toml").write_text(dedent(text))
    return load(tmp_path, {}, {}).checks


MAKEFILE = {"Makefile": "test:\n\t./selftest\nlint:\n\truff check .\n"}


def test_all_checks_are_listed_with_why(tools: Path, tmp_path: Path) -> None:
    config = configured(
        tmp_path,
        """
        [checks]
        off = ["mypy"]
        [checks.pytest]
        run = "tox -e py"
        timeout = 5
        [checks.make-lint]
        on = true
        [checks.make-test]
        on = false
        [checks.spelling]
        run = ["codespell", "{files}", "it's"]
        [checks.later]
        run = "x"
        on = false
        [checks.nowhere]
        on = true
        """,
    )
    found = listed(config, MAKEFILE, tools)
    assert [(one.name, one.on, one.source) for one in found.values()] == [
        ("syntax", True, "built-in"),
        ("ruff", True, "built-in"),
        ("mypy", False, "built-in"),
        ("make-lint", True, "found"),
        ("make-test", False, "found"),
        ("pytest", True, "configured"),
        ("spelling", True, "configured"),
        ("later", False, "configured"),
        ("nowhere", False, "configured"),
    ]
    assert found["mypy"].why == "off: the configuration lists it under checks.off"
    assert found["pytest"].why == "the configuration has it, in place of the built-in one"
    assert found["make-lint"].why.startswith("switched on in the configuration; Makefile has a target 'lint', but")
    assert found["make-test"].why == "off: so the configuration says"
    assert found["spelling"].runs == """codespell '{files}' 'it'"'"'s'"""
    assert "nothing of this name was found" in found["nowhere"].why
    assert all(one.why and (one.runs or one.name == "nowhere") for one in found.values())
    replaced = found["pytest"].check
    assert isinstance(replaced, CommandCheck)
    assert replaced.timeout == 5
    checks = default_checks(THIS_PYTHON, config, {k: v.encode() for k, v in MAKEFILE.items()}.get, {"PATH": str(tools)})
    assert [one.name for one in checks] == ["syntax", "ruff", "make-lint", "pytest", "spelling"]
    assert len(set(checks)) == len(checks), "equal checks are one to the baseline"


def test_a_found_check_is_changed_in_part(tools: Path) -> None:
    config = ChecksConfig(timeout=9, commands={"make-test": CommandConfig(when=("*.c",), timeout=3)})
    check = listed(config, MAKEFILE, tools)["make-test"].check
    assert isinstance(check, CommandCheck)
    assert (check.command.run, check.command.when, check.timeout) == (("make", "test"), ("*.c",), 3)
    built_in = listed(ChecksConfig(timeout=9, commands={"pytest": CommandConfig(timeout=3)}), {}, tools)
    assert built_in["pytest"].check == PytestCheck(THIS_PYTHON, 3)
    assert built_in["pytest"].source == "built-in"


def test_nothing_is_looked_for_where_that_is_switched_off(tools: Path) -> None:
    assert list(listed(ChecksConfig(discover=False), MAKEFILE, tools)) == ["syntax", "ruff", "mypy", "pytest"]


GLOBS = [
    ("*.py", ["a.py", "x/y/b.py"], ["a.pyc", "a.py/x"]),
    ("src/*.py", ["src/a.py"], ["src/x/a.py", "a/src/a.py"]),
    ("src/**/*.py", ["src/a.py", "src/x/y/a.py"], ["a.py", "srcs/a.py"]),
    ("**/test/**", ["test/a", "x/test/y/z"], ["test", "tests/a"]),
    ("docs/", ["docs/a", "docs/x/y"], ["docs", "x/docs/a"]),
    ("./a/?.{c,h}", ["a/x.c", "a/y.h"], ["a/xy.c", "a/x.d"]),
    ("[!a]*.[ch]", ["b.c", "x/bb.h"], ["a.c", "b.x"]),
    ("**", ["a", "a/b"], []),
    ("a.(b)+^$", ["a.(b)+^$"], ["a.b"]),
    ("{a,b", ["{a,b"], ["a"]),
    ("[", ["["], ["a"]),
]


@pytest.mark.parametrize(("glob", "good", "bad"), GLOBS)
def test_globs(glob: str, good: list[str], bad: list[str]) -> None:
    assert matching([glob], [*good, *bad]) == tuple(good)


def test_a_glob_takes_no_time() -> None:
    assert matching(["*a" * 50 + "b", "**/" * 50 + "b", "{a,b}" * 30], ["a" * 250, "/".join("a" * 120)]) == ()


async def test_a_real_makefile_judges(opened: Open) -> None:
    files = {"Makefile": "test: prog\n\t./prog\nprog: a.c\n\tgcc -o $@ a.c\n", "a.c": "int main() { return 0; }\n"}
    project = await opened(files)
    checks = default_checks(project.interpreter, ChecksConfig(), project.read, os.environ)
    assert [one.name for one in checks] == ["syntax", "ruff", "mypy", "pytest", "make-test"]
    good = await run_one(checks[-1], project)
    bad = await run_one(checks[-1], project, {"a.c": "int main() { return 3; }\n"})
    assert (good.outcome, bad.outcome) == ("passed", "failed")
    assert "Error 3" in bad.findings[0].detail


@pytest.mark.skipif(shutil.which("npm") is None, reason="there is no npm")
async def test_real_tests_of_node_judge(opened: Open) -> None:
    test = "const t = require('node:test'); const a = require('node:assert');\nt('adds', () => a.equal(1 + 1, 2));\n"
    project = await opened({"package.json": package(scripts={"test": "node --test"}), "a.test.js": test})
    (check,) = (
        one
        for one in default_checks(project.interpreter, ChecksConfig(), project.read, os.environ)
        if one.name == "npm-test"
    )
    good = await run_one(check, project)
    bad = await run_one(check, project, {"a.test.js": test.replace(", 2)", ", 3)")})
    assert (good.outcome, good.summary) == ("passed", "1 test passed"), good
    assert (bad.outcome, bad.summary) == ("failed", "1 failed, 0 passed"), bad
    assert bad.findings[0].code.endswith("adds")


@pytest.mark.skipif(shutil.which("cargo") is None, reason="there is no cargo")
async def test_a_real_crate_judges(opened: Open) -> None:
    lib = "pub fn two() -> i32 {\n    2\n}\n\n#[test]\nfn is_two() {\n    assert_eq!(two(), 2);\n}\n"
    project = await opened(
        {
            "Cargo.toml": '[package]\nname = "x"\nversion = "0.1.0"\nedition = "2021"\n',
            "src/lib.rs": lib,
            ".gitignore": "target/\nCargo.lock\n",
        }
    )
    checks = {one.name: one for one in default_checks(project.interpreter, ChecksConfig(), project.read, os.environ)}
    good = await run_one(checks["cargo-test"], project)
    assert (good.outcome, good.total, good.passed) == ("passed", 1, ("x::is_two",)), good
    bad = await run_one(checks["cargo-test"], project, {"src/lib.rs": lib.replace("    2\n", "    3\n")})
    assert [(one.place, one.code) for one in bad.findings] == [("src/lib.rs:7", "x::is_two")]
    broken = await run_one(checks["cargo-check"], project, {"src/lib.rs": lib.replace("    2\n", '    "2"\n')})
    assert [(one.place, one.code, one.text) for one in broken.findings] == [("src/lib.rs:2", "E0308", '"2"')]
