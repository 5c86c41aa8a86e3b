"""Which checks judge is found out again when a file says otherwise; a proposal is judged by those from before it."""

from __future__ import annotations

import json
from pathlib import Path

from agent_core import events as ev
from agent_core.checks.choosing import reconfigures
from agent_core.commands import Accept, Ask
from tests.projects import make_project, write_files
from tests.support.running import Running, flags, running

OFF = ("mypy", "pytest", "ruff")
OWN = "[checks.own]\nrun = 'grep -q good a.txt'\n"


async def noted(here: Running, words: str) -> ev.Noted:
    """Wait for a word to the human."""
    await here.until(lambda _: any(words in one.text for one in here.all(ev.Noted)))
    return next(one for one in here.all(ev.Noted) if words in one.text)


async def test_a_save_that_says_which_checks_there_are_is_heard(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"a.txt": "bad\n"})
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"turns": [{"text": "Well."}] * 5}))
    async with running(root, flags(off=OFF, partner={"script": str(script)})) as here:

        async def look() -> None:
            """Have the session look at the working tree, as it does before each step."""
            tasks = len(here.all(ev.TaskFinished))
            here.submit(Ask("Go on."))
            await here.until(lambda _: len(here.all(ev.TaskFinished)) > tasks)

        await look()
        assert {one.result.check for one in here.all(ev.CheckFinished)} == {"syntax"}
        write_files(root, {"pairloop.toml": "[checks.own]\nrun = 3\n"})
        await look()
        assert (await noted(here, "The checks stay as they were.")).level == "warning"
        write_files(root, {"pairloop.toml": OWN})
        await look()
        said = await noted(here, "chosen anew")
        assert said.text == "The checks are chosen anew, as pairloop.toml changed: own runs now."
        await here.until(lambda _: any(one.result.check == "own" for one in here.all(ev.CheckFinished)))
        last = [one for one in here.all(ev.CheckFinished) if one.result.check == "own"][-1]
        assert (last.where, last.result.outcome) == ("baseline", "failed")
        (root / "pairloop.toml").unlink()
        write_files(root, {"b.txt": "no file that says anything of checks\n"})
        await look()
        await noted(here, "own runs no more")
        write_files(root, {"b.txt": "neither now\n"})
        await look()
        assert sum("chosen anew" in one.text for one in here.all(ev.Noted)) == 2
        assert sum("stay as they were" in one.text for one in here.all(ev.Noted)) == 1


async def test_a_proposal_is_judged_by_the_checks_before_it_and_its_own_hold_once_it_has_landed(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"a.txt": "good\n", "pairloop.toml": OWN})
    patch = """*** Begin Patch
*** Update File: pairloop.toml
@@
-run = 'grep -q good a.txt'
+run = 'true'
*** Update File: a.txt
@@
-good
+bad
*** End Patch
"""
    script = tmp_path / "script.json"
    calls = [{"name": "apply_patch", "arguments": {"patch": patch}}]
    script.write_text(json.dumps({"turns": [{"calls": calls}]}))
    async with running(root, flags(off=OFF, partner={"script": str(script)}), watch=True) as here:
        here.submit(Ask("make it bad"))
        verdict = (await here.judged()).verdict
        assert not verdict.green
        assert [one.check for one in verdict.broken] == ["own"]
        assert any("how the project is checked (pairloop.toml)" in note for note in verdict.notes), verdict.notes
        state = await here.until(lambda state: state.waiting != 0)
        here.submit(Accept(state.waiting))
        said = await noted(here, "chosen anew")
        assert "own is set up differently" in said.text


def test_what_would_have_other_checks_run() -> None:
    base = {"Makefile": "test:\n\t./run\n", "pyproject.toml": "[project]\nname = 'a'\n", "a.py": ""}

    def told(**changes: str | None) -> tuple[str, ...]:
        names = {name.replace("_", "."): text for name, text in changes.items()}
        after = {name: text for name, text in {**base, **names}.items() if text is not None}
        return reconfigures(
            sorted(names),
            lambda path: base[path].encode() if path in base else None,
            lambda path: after[path].encode() if path in after else None,
        )

    assert told(Makefile="test:\n\ttrue\n") == ("Makefile",)
    assert told(pyproject_toml="[project]\nname = 'b'\n", a_py="x = 1\n") == ()
    assert told(Cargo_toml="[package]\nname = 'a'\n", a_py="x = 1\n") == ("Cargo.toml",)
    assert told(pairloop_toml="", Makefile=None) == ("Makefile", "pairloop.toml")
