"""Starts the project's pytest with our plug-in in it, and reads its report as it grows."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from agent_core.checks.affected import warm_modules
from agent_core.checks.pytest_report import PytestReport
from agent_core.checks.tool import run_tool
from agent_core.process import Completed
from agent_core.protocols import Candidate
from agent_core.workspace.interpreter import Interpreter

ABSENT, TOO_OLD = 97, 96
"""Exit statuses of our own, for a pytest that is not there or too old for the plug-in."""
OLDEST = 7
REPORT, DEBUG_REPORT = "report.jsonl", "debug.jsonl"

PLUGIN = Path(__file__).with_name("pytest_plugin") / "pairloop_pytest"
"""The plug-in's folder."""

_LOOK_EVERY = 0.05
_WARM = ("pytest", "_pytest")
# As ``python -m pytest``, with the plug-in's folder at the end of the path; PYTHONPATH is left to the candidate. The
# plug-in is imported first: pytest would parse all of it to see whether there are assertions to rewrite. Modules that
# were there before us, in a process forked from a warm one, cannot be rewritten either, which is no news to anybody.
BEGIN = f"""
import sys
warm = frozenset(sys.modules)
import importlib.util, os, runpy
if sys.path[:1] == [""]:
    sys.path[0] = os.getcwd()
sys.path.append(sys.argv.pop(1))
if importlib.util.find_spec("pytest") is None:
    sys.exit({ABSENT})
import pytest
version = getattr(pytest, "__version__", "0")
if not version.partition(".")[0].isdigit() or int(version.partition(".")[0]) < {OLDEST}:
    sys.stderr.write("pytest " + version + " is too old\\n")
    sys.exit({TOO_OLD})
import pairloop_pytest
from _pytest.assertion.rewrite import AssertionRewritingHook as Hook
complain = getattr(Hook, "_warn_already_imported", None)
if complain is not None:
    Hook._warn_already_imported = lambda self, name: None if name in warm else complain(self, name)
"""
"""The beginning of a program that runs tests: its argument is the folder in which the plug-in's lies."""

_START = f"""{BEGIN}
runpy.run_module("pytest", run_name="__main__", alter_sys=True)
"""


class Prepared(msgspec.Struct, frozen=True):
    """A run of the tests that can begin.

    Attributes:
        argv: The command.
        env: Variables it needs.
        warm: Modules that are worth being imported ahead.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]
    warm: tuple[str, ...]


def prepare(
    candidate: Candidate,
    interpreter: Interpreter,
    folder: Path,
    plan: Mapping[str, Any],
    debug: Mapping[str, Any] | None = None,
) -> Prepared:
    """Write what a run needs into its folder; see `run_pytest`.

    Args:
        candidate: The tree.
        interpreter: Whose pytest is run.
        folder: A new folder in the candidate's cache, for this run only.
        plan: See `pairloop_pytest.plan`.
        debug: See `run_pytest`.
    """
    # A copy of the plug-in beside the report: that is readable in every sandbox. A new one each time, as the tests
    # of an earlier run may have changed theirs or left compiled code for it.
    plugin = folder / "plugin"
    shutil.copytree(PLUGIN, plugin / PLUGIN.name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "plan.json").write_text(json.dumps(plan), "utf-8")
    env = {
        "PAIRLOOP_PYTEST_REPORT": str(folder / REPORT),
        "PAIRLOOP_PYTEST_PLAN": str(folder / "plan.json"),
    }
    plugins: tuple[str, ...] = ("-p", PLUGIN.name)
    if debug is not None:
        what = {**debug, "report": str(folder / DEBUG_REPORT)}
        (folder / "debug.json").write_text(json.dumps(what), "utf-8")
        env["PAIRLOOP_PYTEST_DEBUG"] = str(folder / "debug.json")
        plugins += ("-p", f"{PLUGIN.name}.debug")
    # After the project's own addopts these win: all tests run, whatever failed first. A cache that is empty
    # instead of none: plug-ins and options such as --ff keep working, and nothing is left out because of it.
    argv: tuple[str, ...] = (str(interpreter.python), "-c", _START, str(plugin), *plugins)
    argv += ("-q", "--color=no", "--tb=no", "--maxfail=0", "--continue-on-collection-errors")
    argv += ("-o", f"cache_dir={folder / 'cache'}")
    return Prepared(argv, env, (*_WARM, *warm_modules(candidate.cache)))


async def run_pytest(
    candidate: Candidate,
    interpreter: Interpreter,
    folder: Path,
    report: PytestReport,
    *,
    timeout: float,
    on_progress: Callable[[int, int], None],
    first: Iterable[str] = (),
    affected: Iterable[str] = (),
    only: Iterable[str] | None = None,
    debug: Mapping[str, Any] | None = None,
) -> Completed:
    """Run the tests of a candidate.

    Args:
        candidate: The tree.
        interpreter: Whose pytest is run.
        folder: A new folder in the candidate's cache, for this run only.
        report: Reads `REPORT` in that folder.
        timeout: Seconds it may take.
        on_progress: Called with (done, total) as it gets on.
        first: Ids of tests whose files come first.
        affected: Files whose tests come next.
        only: Ids of the tests to run, None for all.
        debug: What `pairloop_pytest.debug` is to do, its report apart, which is ``debug.jsonl``; None for nothing.

    Raises:
        SandboxError: The candidate's tree could not be made.
    """
    plan = {"first": sorted(first), "affected": sorted(affected), "only": None if only is None else sorted(only)}
    prepared = prepare(candidate, interpreter, folder, plan, debug)
    last = (-1, -1)

    def look() -> None:
        nonlocal last
        while report.read():
            pass
        if (report.done, report.total) != last and report.total:
            last = (report.done, report.total)
            on_progress(*last)

    async def watch() -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            look()

    watcher = asyncio.create_task(watch())
    try:
        done = await run_tool(candidate, prepared.argv, timeout=timeout, env=prepared.env, warm=prepared.warm)
    finally:
        watcher.cancel()
        await asyncio.gather(watcher, return_exceptions=True)
    look()
    return done
