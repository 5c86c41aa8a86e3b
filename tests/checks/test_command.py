"""Commands of a project's own as judges: real small tools in real candidates, and every way in which one fails."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from agent_core.checks.baseline import PathBound
from agent_core.checks.command import CommandCheck
from agent_core.checks.model import CheckResult, Outcome, Wish
from agent_core.checks.settings import CommandConfig
from agent_core.checks.verdict import judge
from agent_core.config_tables import Config, SandboxConfig
from agent_core.workspace.project import open_project
from tests.checks.conftest import Open, candidate_of, run_one
from tests.projects import make_project

JUNIT = """<testsuite><testcase classname="test_a" name="one"/><testcase classname="test_a" name="two">
<failure message="no">why it is so
test_a.py:1: in two</failure></testcase></testsuite>"""


def command(run: str | tuple[str, ...], *, timeout: float = 30.0, **settings: Any) -> CommandCheck:
    return CommandCheck("lint", CommandConfig(run=run, **settings), timeout)


async def said(opened: Open, files: Mapping[str, str], check: CommandCheck) -> CheckResult:
    return await run_one(check, await opened(files))


async def test_the_exit_status_alone(opened: Open) -> None:
    project = await opened({"a.txt": "good\n"})
    check = command("echo looked; grep -q good a.txt")
    good = await run_one(check, project)
    bad = await run_one(check, project, {"a.txt": "bad\n"})
    assert (good.outcome, good.summary, good.findings) == ("passed", "exit status 0", ())
    assert (bad.outcome, bad.summary) == ("failed", "exit status 1")
    assert [(one.message, one.detail) for one in bad.findings] == [("exit status 1", "looked")]
    assert good.tree != bad.tree


async def test_a_list_runs_without_a_shell(opened: Open) -> None:
    project = await opened({"a b;c": "x\n"})
    assert (await run_one(command(("cat", "a b;c")), project)).outcome == "passed"
    assert (await run_one(command(("cat", "$HOME")), project)).outcome == "failed"


async def test_other_exit_statuses_can_be_good(opened: Open) -> None:
    project = await opened({"a.txt": "x\n"})
    assert (await run_one(command("exit 3", ok_codes=(0, 3)), project)).outcome == "passed"
    assert (await run_one(command("exit 0", ok_codes=(3,)), project)).outcome == "failed"


async def test_a_real_compiler_says_where_it_hurts(opened: Open) -> None:
    project = await opened(
        {
            "Makefile": "all: prog\nprog: src/main.c\n\tgcc -Wall -o prog src/main.c\n",
            "src/main.c": "int main(void) { return 0; }\n",
        }
    )
    check = command("make all", parse="gcc")
    assert (await run_one(check, project)).outcome == "passed"
    bad = await run_one(check, project, {"src/main.c": "int main(void) {\n  return nothing;\n}\n"})
    assert bad.outcome == "failed"
    assert bad.summary == "1 found in 1 file"
    (found,) = bad.findings
    assert (found.place, found.text) == ("src/main.c:2", "return nothing;")
    assert "undeclared" in found.message
    warned = await run_one(check, project, {"src/main.c": "int main(void) {\n  int x;\n  return 0;\n}\n"})
    assert (warned.outcome, warned.summary) == ("passed", "nothing found, 1 warning")
    strict = command("make all", parse="gcc", warnings=True)
    counted = await run_one(strict, project, {"src/main.c": "int main(void) {\n  int x;\n  return 0;\n}\n"})
    assert [(one.place, one.code) for one in counted.findings] == [("src/main.c:2", "-Wunused-variable")]
    assert not (project.root / "prog").exists()


async def test_findings_on_both_streams_are_read_and_colours_are_not(opened: Open) -> None:
    script = r"printf '\033[1ma.txt:1:\033[0m \033[31mone [e-1]\033[0m\n'; echo 'a.txt:2: two' >&2"
    script += "; echo '12:30:45: x'; exit 1"
    seen = await said(opened, {"a.txt": "first\nsecond\n"}, command(script, parse="gcc"))
    assert [(one.place, one.message, one.code, one.text) for one in seen.findings] == [
        ("a.txt:1", "one", "e-1", "first"),
        ("a.txt:2", "two", "", "second"),
    ]


async def test_lines_that_claim_nothing_do_not_count_where_the_tool_is_content(opened: Open) -> None:
    project = await opened({"a.txt": "x\n"})
    assert (await run_one(command("echo 'a.txt:1: seen'", parse="gcc"), project)).outcome == "passed"
    assert (await run_one(command("echo 'a.txt:1: error: seen'", parse="gcc"), project)).outcome == "failed"


async def test_a_pattern_of_the_projects_own(opened: Open) -> None:
    pattern = r"^(?P<severity>\w+) in (?P<path>\S+) at (?P<line>\d+) <(?P<code>\w+)>: (?P<message>.+)$"
    script = "echo 'bad in a.txt at 2 <X1>: spelt wrongly'; echo noise; echo 'warn in a.txt at 1 <X2>: hm' >&2; exit 1"
    project = await opened({"a.txt": "one\ntwo\n"})
    seen = await run_one(command(script, parse="regex", pattern=pattern), project)
    # A severity that nobody knows is a remark.
    assert (seen.outcome, seen.summary) == ("failed", "exit status 1, 1 warning")
    script = script.replace("bad in", "error in")
    seen = await run_one(command(script, parse="regex", pattern=pattern), project)
    assert [(one.place, one.code, one.message) for one in seen.findings] == [("a.txt:2", "X1", "spelt wrongly")]


async def test_a_pattern_that_never_ends_is_no_judgement(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent_core.checks.reports.PATTERN_SECONDS", 1.0)
    check = command("printf '%060d' 0; exit 0", parse="regex", pattern=r"(?P<message>(0|00)+x)")
    seen = await said(opened, {"a.txt": ""}, check)
    assert seen.outcome == "error"
    assert "the pattern is not done" in seen.summary


async def test_json_from_standard_output(opened: Open) -> None:
    project = await opened({"a.js": "let a\nlet b\n"})
    script = """cat <<'END'
> shop@1.0 lint
[{"filePath": "'$PWD'/a.js", "messages": [{"ruleId": "no-var", "severity": 2, "line": 2, "message": "No b."}]}]
END
exit 1"""
    seen = await run_one(command(script.replace("'$PWD'", str(project.root)), parse="json"), project)
    assert [(one.place, one.code, one.message, one.text) for one in seen.findings] == [
        ("a.js:2", "no-var", "No b.", "let b")
    ]


async def test_a_report_in_a_file(opened: Open) -> None:
    project = await opened({"out/.keep": "", "test_a.py": "x = 1\n", "report.txt": JUNIT})
    check = command("cat report.txt > out/r.xml; exit 1", parse="junit", report="out/r.xml")
    seen = await run_one(check, project)
    assert (seen.outcome, seen.summary, seen.total) == ("failed", "1 failed, 1 passed", 2)
    assert [(one.place, one.code, one.message, one.text) for one in seen.findings] == [
        ("test_a.py:1", "test_a.py::two", "no", "x = 1")
    ]
    assert seen.passed == ("test_a.py::one",)
    assert not (project.root / "out/r.xml").exists()
    assert not list((await candidate_of(project)).cache.glob("command-lint/*"))


async def test_a_report_of_an_earlier_run_is_never_read(opened: Open) -> None:
    stale = JUNIT.replace("failure", "system-out")
    project = await opened({"r.xml": stale})
    seen = await run_one(command("true", parse="junit", report="r.xml"), project)
    assert seen.outcome == "error"
    assert "it did not write r.xml" in seen.summary
    assert (project.root / "r.xml").read_text() == stale


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ('ln -sf /etc/passwd "$R"', "did not write"),
        ('mkfifo "$R"', "is not a file"),
        ("head -c 70000000 /dev/zero > r.json", "is larger than"),
    ],
)
async def test_a_report_that_is_a_trap(opened: Open, script: str, reason: str) -> None:
    project = await opened({"a.txt": ""})
    cache = (await candidate_of(project)).cache
    # The command knows where its report is brought to, and puts something else there.
    script = f"R=$(echo {cache}/command-lint/run-*)/report; {script}"
    seen = await run_one(command(script, parse="json", report="r.json"), project)
    assert seen.outcome == "error"
    assert reason in seen.summary
    assert "root:" not in seen.summary + seen.output


async def test_a_report_folder_that_is_a_link(opened: Open, tmp_path: Path) -> None:
    project = await opened({"a.txt": ""})
    candidate = await candidate_of(project)
    (tmp_path / "elsewhere").mkdir()
    (candidate.cache / "command-lint").symlink_to(tmp_path / "elsewhere")
    assert (await command("true").run(candidate, Wish())).outcome == "passed"
    assert not (candidate.cache / "command-lint").is_symlink()
    await candidate.close()


TROUBLES: dict[str, tuple[CommandCheck, Outcome, str]] = {
    "missing": (command("no-such-tool --all"), "missing", "no-such-tool: not found"),
    "missing without a shell": (command(("no-such-tool",)), "missing", "set on = false under [checks.lint]"),
    "missing with a report": (command(("no-such-tool",), parse="json", report="r"), "missing", "no-such-tool"),
    "not executable": (command("./a.txt"), "missing", "cannot be run"),
    "missing below make": (command("make lint", parse="gcc"), "missing", "cannot be run"),
    "no such target": (command("make nothing"), "error", "No rule to make target 'nothing'"),
    "killed": (command("kill -9 $$"), "error", "was killed by signal 9"),
    "out of time": (command("sleep 60", timeout=0.5), "timeout", "not finished after 0.5 s"),
    "deaf and out of time": (
        command("trap '' TERM; sleep 60 & wait; sleep 60", timeout=0.5),
        "timeout",
        "not finished",
    ),
    "garbage for JSON": (command("head -c 3000 /dev/urandom", parse="json"), "error", "it is not JSON"),
    "JSON cut off": (command("""echo '[{"message": "x", "pa'""", parse="json"), "error", "not all of it"),
    "nothing for JSON": (command("exit 2", parse="json"), "error", "exit status 2 and its report cannot be used"),
    "JSON without a list": (command("echo '{\"ok\": true}'", parse="json"), "error", "no list of findings"),
    "JSON of strange types": (command("echo '{\"testResults\": [3]}'", parse="json"), "error", "no list of tests"),
    "XML cut off": (command("echo '<testsuite><testcase name=\"a\">'", parse="junit"), "error", "not all of it"),
    "other XML": (command("echo '<html/>'", parse="junit"), "error", "no JUnit report"),
    "no SARIF": (command("echo '{}'", parse="sarif"), "error", "no SARIF log"),
    "SARIF of strange types": (command('echo \'{"runs": [{"results": [3]}]}\'', parse="sarif"), "error", "built other"),
    "no test": (command("echo '<testsuite/>'", parse="junit"), "no_tests", "not one test was found"),
    "all skipped": (
        command("echo '<testsuite><testcase name=\"a\"><skipped/></testcase></testsuite>'", parse="junit"),
        "no_tests",
        "all tests are skipped (1)",
    ),
    "100 MB of JSON": (
        command("head -c 100000000 /dev/zero | tr '\\0' '['", parse="json"),
        "error",
        "more than 4 MB",
    ),
    "too many findings": (command("yes 'a.txt:1: error: x' | head -30000", parse="gcc"), "error", "more than 20000"),
}


async def test_what_does_not_judge_is_no_pass(opened: Open) -> None:
    project = await opened({"a.txt": "x\n", "Makefile": "lint:\n\tno-such-linter .\n"})
    candidate = await candidate_of(project)
    turns = asyncio.Semaphore(3)

    async def run(check: CommandCheck) -> CheckResult:
        async with turns:
            return await check.run(candidate, Wish())

    seen = await asyncio.gather(*(run(check) for check, _, _ in TROUBLES.values()))
    await candidate.close()
    for (name, (_, outcome, reason)), one in zip(TROUBLES.items(), seen, strict=True):
        assert (one.outcome, one.findings) == (outcome, ()), name
        assert reason in one.summary, name


async def test_100_mb_of_noise_does_not_hide_the_finding(opened: Open) -> None:
    noise = "head -c 50000000 /dev/zero | tr '\\0' 'x'"
    seen = await said(
        opened, {"a.txt": "x\n"}, command(f"{noise}; echo; echo 'a.txt:1: error: here'; {noise}; exit 1", parse="gcc")
    )
    assert [(one.place, one.message) for one in seen.findings] == [("a.txt:1", "here")]


async def test_an_empty_report_and_a_failure_are_one_finding(opened: Open) -> None:
    seen = await said(opened, {"a.txt": ""}, command("echo '[]'; echo because >&2; exit 4", parse="json"))
    assert seen.outcome == "failed"
    assert [(one.message, one.detail) for one in seen.findings] == [("exit status 4", "[]\nbecause")]


async def test_findings_count_although_the_tool_is_content(opened: Open) -> None:
    script = """echo '[{"file": "a.txt", "line": 1, "message": "m", "level": "LEVEL"}]'"""
    project = await opened({"a.txt": "x\n"})
    bad = await run_one(command(script.replace("LEVEL", "error"), parse="json"), project)
    assert (bad.outcome, len(bad.findings)) == ("failed", 1)
    fine = await run_one(command(script.replace("LEVEL", "warning"), parse="json"), project)
    assert (fine.outcome, fine.findings, fine.summary) == ("passed", (), "nothing found, 1 warning")


async def test_escapes_and_lengths_of_what_is_said(opened: Open) -> None:
    script = r"""long=$(head -c 9000 /dev/zero | tr '\0' m)"""
    script += r"""; printf '[{"message": "a\\u001b[2Jb%s", "path": "x\\u0007", "code": "c"}]' "$long" """
    (found,) = (await said(opened, {"a.txt": ""}, command(script, parse="json"))).findings
    assert found.message.startswith("ab")
    assert len(found.message) <= 500
    assert "\x07" not in (found.path or "")


async def test_when_it_runs(opened: Open) -> None:
    project = await opened({"src/a.ts": "x\n", "b.txt": "x\n"})
    check = command("grep -q x src/a.ts", when=("src/**/*.ts",))
    other = await run_one(check, project, {"b.txt": "y\n"})
    assert (other.outcome, other.summary) == ("skipped", "no changed file matches src/**/*.ts")
    assert (await run_one(check, project, {"src/a.ts": "y\n"})).outcome == "failed"
    assert (await run_one(check, project, {"src/a.ts": None})).outcome == "failed"
    # Where nobody says what is changed, and nothing is: all of it.
    assert (await run_one(check, project)).outcome == "passed"
    candidate = await candidate_of(project)
    assert (await check.run(candidate, Wish(changed=()))).outcome == "skipped"
    assert (await check.run(candidate, Wish(changed=("src/a.ts",)))).outcome == "passed"
    await candidate.close()


async def test_on_the_baseline_it_runs_for_the_same_changes(opened: Open) -> None:
    project = await opened({"src/a.ts": "x\n", "b.txt": "x\n"})
    base = await candidate_of(project, cache="baseline")
    check = command("exit 1", when=("*.ts",))
    assert isinstance(check, PathBound)
    assert (await check.bound(base, ("src/a.ts",)).run(base, Wish())).outcome == "failed"
    assert (await check.bound(base, ("b.txt",)).run(base, Wish())).outcome == "skipped"
    assert check.bound(base, ("src/a.ts",)) == check.bound(base, ("src/a.ts", "b.txt"))
    assert hash(check.bound(base, ("src/a.ts",))) == hash(check.bound(base, ("src/a.ts", "b.txt")))
    always = command("exit 1")
    assert always.bound(base, ("b.txt",)) is always
    await base.close()


async def test_the_changed_files_stand_in_the_command(opened: Open) -> None:
    project = await opened({"a.md": "x\n", "b.txt": "x\n", "gone.md": "x\n"})
    changed = {"a.md": "y\n", "-v.md": "y\n", "it's.md": "y\n", "b.txt": "y\n", "gone.md": None}
    for run in ("grep -L nothing {files}; exit 1", ("sh", "-c", 'grep -L nothing "$@"; exit 1', "sh", "{files}")):
        seen = await run_one(command(run, when=("*.md",)), project, changed)
        assert seen.findings[0].detail.splitlines() == ["./-v.md", "a.md", "it's.md"]
    assert (await run_one(command("exit 1 {files}"), project, {"gone.md": None})).outcome == "skipped"


async def test_a_patch_is_blamed_for_what_it_breaks_only(opened: Open) -> None:
    project = await opened({"a.txt": "one\nold bad\n"})
    check = command("grep -n bad a.txt | sed 's/^/a.txt:/; s/:\\([^:]*\\)$/: error: \\1/'; exit 1", parse="gcc")
    base = await run_one(check, project)
    after = await run_one(check, project, {"a.txt": "new bad\none\nold bad\n"})
    verdict = judge([base], [after])
    assert [one.place for one in verdict.broken] == ["a.txt:1"]
    assert [one.place for one in verdict.known] == ["a.txt:3"]


async def test_progress_of_a_run_of_tests(opened: Open) -> None:
    events = "\n".join(
        f'{{"Action":"{how}","Package":"p","Test":"T{n}"}}' for n, how in enumerate(["pass", "skip", "pass"])
    )
    project = await opened({"events": events + "\n"})
    candidate = await candidate_of(project)
    told: list[tuple[int, int]] = []
    seen = await command("cat events", parse="go-test").run(candidate, Wish(progress=lambda *at: told.append(at)))
    await candidate.close()
    assert (seen.outcome, seen.summary, seen.total) == ("passed", "2 tests passed", 3)
    assert told[0] == (0, 0)
    assert told[-1] == (3, 0)


async def test_it_judges_a_copy_where_overlays_are_forbidden(tmp_path: Path) -> None:
    root = await asyncio.to_thread(make_project, tmp_path / "p", {"a.txt": "x\n", "r.json": "[]"})
    project = await open_project(root, Config(sandbox=SandboxConfig(candidate="copy")), dict(os.environ))
    script = """echo "[{\\"file\\": \\"$PWD/a.txt\\", \\"line\\": 1, \\"msg\\": \\"m\\"}]" > r.json; exit 1"""
    check = command(script, parse="json", report="r.json")
    seen = await run_one(check, project)
    assert [one.place for one in seen.findings] == ["a.txt:1"]
    assert (await run_one(command("true", parse="json", report="r.json"), project)).outcome == "error"
    assert (await run_one(command(("no-such-tool",)), project)).outcome == "missing"
    assert (await run_one(command("kill -9 $$"), project)).outcome == "error"
    assert (root / "r.json").read_text() == "[]"
