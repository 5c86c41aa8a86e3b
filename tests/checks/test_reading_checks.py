"""The checks that read code: syntax, ruff and mypy, with good, bad and broken tools."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from agent_core.checks.model import CheckResult, Wish
from agent_core.checks.mypy import MypyCheck
from agent_core.checks.ruff import RuffCheck
from agent_core.checks.syntax import SyntaxCheck
from agent_core.errors import CheckError
from agent_core.workspace.interpreter import Interpreter
from tests.checks.conftest import THIS_PYTHON, Open, candidate_of, program, run_one

SYNTAX = SyntaxCheck(THIS_PYTHON)
RUFF = RuffCheck(THIS_PYTHON)
MYPY = MypyCheck(THIS_PYTHON)
NOWHERE = Interpreter(Path("/nowhere/python"), "nowhere")


def places(result: CheckResult) -> list[tuple[str, str]]:
    return [(finding.place, finding.code) for finding in result.findings]


async def test_syntax_looks_at_what_changed(opened: Open) -> None:
    project = await opened({"old.py": "def broken(:\n", "a.py": "x = 1\n", "gone.py": "x = 1\n"})
    result = await run_one(SYNTAX, project, {"a.py": "x = 2\n", "gone.py": None})
    assert (result.outcome, result.summary, result.total) == ("passed", "1 file parses", 1)


async def test_syntax_errors_have_their_place(opened: Open) -> None:
    project = await opened({"a.py": "x = 1\n"})
    result = await run_one(
        SYNTAX,
        project,
        {
            "a.py": "x = 1\n\ndef f(:\n    pass\n",
            "b.py": "if True:\nx = 1\n",
            "nul.py": "x = 1\0\n",
            "good.pyi": "x: int\n",
            "p.toml": "[a]\nb = \n",
            "q.json": '{\n "a": 1,,\n}\n',
            "tsconfig.json": "{ // fine here\n}\n",
            "good.json": "[1]\n",
        },
    )
    assert result.outcome == "failed"
    assert result.summary == "5 of 8 files do not parse"
    assert places(result) == [
        ("p.toml:2", "TOML"),
        ("q.json:2", "JSON"),
        ("a.py:3", "SyntaxError"),
        ("b.py:2", "IndentationError"),
        (result.findings[4].place, result.findings[4].code),
    ]
    assert result.findings[4].path == "nul.py"
    assert result.findings[2].text == "def f(:"


async def test_syntax_without_changed_files_is_skipped_and_can_be_bound_to_paths(opened: Open) -> None:
    project = await opened({"a.py": "def f(:\n", "b.py": "x = 1\n"})
    assert (await run_one(SYNTAX, project)).outcome == "skipped"
    candidate = await candidate_of(project)
    bound = SYNTAX.bound(candidate, ["a.py", "new.py", "README.md"])
    assert bound.paths == ("a.py",)
    assert bound == SYNTAX.bound(candidate, ["a.py"])
    result = await bound.run(candidate, Wish())
    await candidate.close()
    assert (result.outcome, places(result)) == ("failed", [("a.py:1", "SyntaxError")])


async def test_syntax_never_runs_the_file(opened: Open) -> None:
    project = await opened({"a.py": "x = 1\n"})
    result = await run_one(SYNTAX, project, {"a.py": "raise SystemExit(1)\n"})
    assert result.outcome == "passed"


async def test_a_python_that_cannot_compile_is_no_judge(opened: Open) -> None:
    project = await opened({"a.py": "x = 1\n"})
    assert (await run_one(SyntaxCheck(NOWHERE), project, {"a.py": "y = 1\n"})).outcome == "missing"
    fake = project.root / "bin" / "python"
    program(fake, "#!/bin/sh\necho garbage\n")
    result = await run_one(SyntaxCheck(Interpreter(fake, "fake")), project, {"a.py": "y = 1\n"})
    assert result.outcome == "error"


async def test_ruff_without_configuration_has_a_small_safe_rule_set(opened: Open) -> None:
    project = await opened(
        {
            "a.py": "import os\nx = 1;\ny = undefined_name\n",
            "sub/b.py": "def f(:\n",
            "match.py": "type X[T] = list[T]\n",
        }
    )
    before = (project.root / "a.py").read_text()
    result = await run_one(RUFF, project)
    assert result.outcome == "failed"
    assert {("a.py:1", "F401"), ("a.py:3", "F821")} <= set(places(result))
    assert ("sub/b.py:1", "invalid-syntax") in places(result)
    assert not any(code.startswith("E7") for _, code in places(result)), "style is nobody's business here"
    assert (project.root / "a.py").read_text() == before
    assert not (project.root / ".ruff_cache").exists()


async def test_ruff_obeys_the_projects_configuration(opened: Open) -> None:
    files = {"a.py": "import os\nx = 1;\n", "sub/b.py": "import os\n"}
    config = {"pyproject.toml": "[tool.ruff]\nextend-exclude = ['sub']\n[tool.ruff.lint]\nselect = ['E703']\n"}
    project = await opened({**files, **config})
    result = await run_one(RUFF, project)
    assert places(result) == [("a.py:2", "E703")]
    assert result.findings[0].text == "x = 1;"
    assert result.summary == "1 found in 1 file"
    clean = await run_one(RUFF, project, {"a.py": "import os\n"})
    assert (clean.outcome, clean.total) == ("passed", 2)


async def test_ruff_says_what_is_wrong_with_its_configuration(opened: Open) -> None:
    result = await run_one(RUFF, await opened({"a.py": "x = 1\n", "ruff.toml": "no-such-setting = 1\n"}))
    assert result.outcome == "error"
    assert "exit status 2" in result.summary
    assert "no-such-setting" in result.output


async def test_ruff_without_python_files_is_skipped(opened: Open) -> None:
    assert (await run_one(RUFF, await opened({"README.md": "hello\n"}))).outcome == "skipped"


@pytest.mark.parametrize(
    ("script", "outcome", "words"),
    [
        ("echo garbage", "error", "no list of findings"),
        ("exit 1", "error", "no list of findings"),
        ("kill -SEGV $$", "error", "signal"),
        ("yes 'all work and no play makes a dull boy, all work and no play' | head -c 100000000", "error", "no list"),
        ("trap '' TERM; while :; do sleep 1; done", "timeout", "not finished after 1 s"),
    ],
)
async def test_a_ruff_that_misbehaves_is_never_a_pass(opened: Open, script: str, outcome: str, words: str) -> None:
    project = await opened({"a.py": "x = 1\n", ".gitignore": ".venv\n"})
    program(project.root / ".venv" / "bin" / "ruff", f"#!/bin/sh\n{script}\n")
    interpreter = Interpreter(Path(sys.executable), ".venv", project.root / ".venv")
    result = await run_one(RuffCheck(interpreter, timeout=1 if outcome == "timeout" else 60), project)
    assert result.outcome == outcome, result
    assert words in result.summary
    assert len(result.output) <= 4000


async def test_mypy_without_configuration_judges_the_changed_files_mildly(opened: Open) -> None:
    project = await opened(
        {
            "old.py": "x: int = 'no'\n",
            "a.py": "import old\nimport not_installed\n",
            "tools/conftest.py": "",
            "tests/conftest.py": "",
        }
    )
    assert (await run_one(MYPY, project)).outcome == "skipped"
    changed = {
        "a.py": "import old\nimport not_installed\n\ndef f(a: int) -> str:\n    return a\n",
        "tools/conftest.py": "x = 1\n",
        "tests/conftest.py": "x = 1\n",
    }
    result = await run_one(MYPY, project, changed)
    assert result.outcome == "failed", result
    assert places(result) == [("a.py:5", "return-value")]
    assert result.findings[0].text == "return a"
    assert result.summary == "1 error in 1 file"
    candidate = await candidate_of(project)
    assert MYPY.bound(candidate, ["a.py", "new.py", "x.md"]).paths == ("a.py",)
    await candidate.close()


async def test_mypy_with_configuration_judges_the_project(opened: Open) -> None:
    project = await opened(
        {
            "mypy.ini": "[mypy]\nstrict = true\n",
            "src/shop/__init__.py": "",
            "src/shop/a.py": "def total(a: int) -> int:\n    return a\n",
            "src/shop/b.py": "from shop.a import total\n\nprice: int = total(3)\n",
        }
    )
    first = await run_one(MYPY, project)
    assert (first.outcome, first.summary) == ("passed", "no type errors"), first
    candidate = await candidate_of(project)
    assert MYPY.bound(candidate, ["src/shop/a.py"]) == MYPY
    await candidate.close()
    # The cache is warm now: a change in one file still shows in the other.
    result = await run_one(MYPY, project, {"src/shop/a.py": "def total(a: str) -> int:\n    return 1\n"})
    assert places(result) == [("src/shop/b.py:3", "arg-type")]


async def test_mypy_takes_the_files_of_the_configuration_and_reports_syntax_errors(opened: Open) -> None:
    project = await opened(
        {
            "pyproject.toml": "[tool.mypy]\nfiles = ['good.py']\n",
            "good.py": "x: int = 1\n",
            "other.py": "x: int = ''\n",
        }
    )
    result = await run_one(MYPY, project)
    assert result.outcome == "passed"
    broken = await run_one(MYPY, project, {"good.py": "def f(:\n"})
    assert broken.outcome == "failed"
    assert places(broken)[0] == ("good.py:1", "syntax")


async def test_mypys_own_trouble_is_an_error(opened: Open) -> None:
    result = await run_one(MYPY, await opened({"mypy.ini": "[mypy]\nfiles = nowhere.py\n"}))
    assert result.outcome == "error"
    assert "nowhere.py" in result.summary


async def test_mypy_of_pairloop_steps_in_where_the_project_has_none(opened: Open) -> None:
    project = await opened({"a.py": "x = 1\n", ".gitignore": ".venv\n"})
    venv = project.root / ".venv"
    done = await asyncio.create_subprocess_exec(sys.executable, "-m", "venv", "--without-pip", str(venv))
    assert await done.wait() == 0
    check = MypyCheck(Interpreter(venv / "bin" / "python", ".venv", venv))
    result = await run_one(check, project, {"a.py": "x: int = ''\n"})
    assert places(result) == [("a.py:1", "assignment")]


@pytest.mark.parametrize(
    ("code", "outcome", "words"),
    [
        ("print('garbage')", "error", "no list of findings"),
        ("raise SystemExit(1)", "error", "no list of findings"),
        ("import time, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)", "timeout", "1 s"),
        ("raise RuntimeError('inside')", "error", "inside"),
    ],
)
async def test_a_mypy_that_misbehaves_is_never_a_pass(opened: Open, code: str, outcome: str, words: str) -> None:
    project = await opened({"mypy.ini": "[mypy]\n", "a.py": "x = 1\n", "lib/mypy/__init__.py": ""})
    (project.root / "lib" / "mypy" / "__main__.py").write_text(code)
    fake = project.root / "python"
    program(fake, f'#!/bin/sh\nPYTHONPATH={project.root}/lib exec {sys.executable} "$@"\n')
    result = await run_one(MypyCheck(Interpreter(fake, "fake"), timeout=1 if outcome == "timeout" else 60), project)
    assert result.outcome == outcome, result
    assert words in result.summary


async def test_an_old_mypys_text_is_read(opened: Open) -> None:
    project = await opened({"mypy.ini": "[mypy]\n", "a.py": "x = 1\ny = 2\n", "lib/mypy/__init__.py": ""})
    (project.root / "lib" / "mypy" / "__main__.py").write_text(
        "import sys\n"
        "if '--output=json' in sys.argv:\n"
        "    sys.exit(sys.stderr.write('mypy: error: unrecognized arguments: --output=json\\n') and 2)\n"
        "print('a.py:2: error: Bad thing \"y\"  [bad-thing]')\n"
        "print('a.py:2: note: Did you mean \"x\"?')\n"
        "print('a.py: error: Whole file')\n"
        "sys.exit(1)\n"
    )
    fake = project.root / "python"
    program(fake, f'#!/bin/sh\nPYTHONPATH={project.root}/lib exec {sys.executable} "$@"\n')
    result = await run_one(MypyCheck(Interpreter(fake, "fake")), project)
    assert result.outcome == "failed", result
    assert places(result) == [("a.py:2", "bad-thing"), ("a.py", "")]
    assert result.findings[0].message == 'Bad thing "y"'
    assert result.findings[0].detail == 'Did you mean "x"?'
    assert result.findings[0].text == "y = 2"


async def test_ruff_says_what_it_could_mend_and_mends_only_that(opened: Open) -> None:
    text = "import os\nimport sys\n\n\ndef area(side: int) -> int:\n    unused = 1\n    return side * missing\n"
    project = await opened({"shop.py": text, "fine.py": "x = 1\n"})
    found = (await run_one(RUFF, project)).findings
    assert [(one.code, bool(one.fix)) for one in found] == [
        ("F401", True),
        ("F401", True),
        ("F841", False),
        ("F821", False),
    ]
    candidate = await candidate_of(project)
    changes = await RUFF.fixes(candidate, ["shop.py", "fine.py", "gone.py"])
    await candidate.close()
    mended = text.removeprefix("import os\nimport sys\n").lstrip("\n")
    assert {path: (change.data or b"").decode().lstrip("\n") for path, change in changes.items()} == {"shop.py": mended}
    assert (project.root / "shop.py").read_text() == text


async def test_ruff_mends_nothing_that_the_project_excludes(opened: Open) -> None:
    files = {"sub/a.py": "import os\n", "a.py": "import os\n", "ruff.toml": "extend-exclude = ['sub']\n"}
    candidate = await candidate_of(await opened(files))
    changes = await RUFF.fixes(candidate, ["sub/a.py", "a.py"])
    await candidate.close()
    assert set(changes) == {"a.py"}


async def test_a_ruff_that_cannot_mend_is_told(opened: Open) -> None:
    project = await opened({"a.py": "import os\n", "ruff.toml": "no-such-setting = 1\n"})
    candidate = await candidate_of(project)
    with pytest.raises(CheckError, match=r"a\.py: ruff ended with exit status 2 and mended nothing"):
        await RUFF.fixes(candidate, ["a.py"])
    await candidate.close()


async def test_yaml_is_parsed_too(opened: Open) -> None:
    project = await opened({"a.yaml": "a: 1\n"})
    result = await run_one(SYNTAX, project, {"a.yaml": "a: [1\n", "b.yml": "x: !Tag 1\n"})
    assert (result.outcome, places(result)) == ("failed", [("a.yaml:2", "YAML")])
