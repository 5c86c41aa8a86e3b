"""What nobody waits for lets others go first, started or forked."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from agent_core.checks.baseline import Baseline
from agent_core.checks.command import CommandCheck
from agent_core.checks.settings import CommandConfig
from agent_core.sandbox.limits import PATIENT
from tests.projects import make_project
from tests.workspace.opening import KINDS, Kind, open_with
from tests.workspace.warming import LIGHT, forks, needs_kernel, warmed

_OWN = os.nice(0)
_GROUP = Path("/proc/self/autogroup")
_ASK = "import os, sys; print(os.nice(0)); print(open('/proc/self/autogroup').read() if sys.argv[1:] else '')"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_patient_candidates_commands_are_nice(tmp_path: Path, kind: Kind) -> None:
    project = await open_with(make_project(tmp_path / "p", {"a.py": ""}), kind)
    base = await project.snapshot()
    for patient, nice in ((False, _OWN), (True, min(_OWN + PATIENT, 19))):
        candidate = await project.candidate(base, {}, cache="c", patient=patient)
        done = await candidate.run((sys.executable, "-c", _ASK), timeout=30)
        assert done.stdout.split() == [b"%d" % nice], done.text
        missing = await candidate.run(("./is-not-there",), timeout=30)
        assert missing.code == 127
        await candidate.close()


@needs_kernel
async def test_a_patient_candidates_forks_are_nice(tmp_path: Path) -> None:
    async with warmed(make_project(tmp_path / "p", {"a.py": ""})) as project:
        base = await project.snapshot()
        python = str(project.interpreter.python)
        for patient, nice in ((True, min(_OWN + PATIENT, 19)), (False, _OWN)):
            candidate = await project.candidate(base, {}, cache="c", patient=patient)
            asked = ["group"] if _GROUP.exists() else []
            done = await candidate.run((python, "-c", _ASK, *asked), timeout=30, warm=LIGHT)
            assert done.stdout.splitlines()[0] == b"%d" % nice, done.text
            assert not asked or (b"nice %d" % PATIENT in done.stdout) == patient, done.text
            await candidate.close()
        assert forks(project) == 2


async def test_the_base_is_judged_at_the_pace_of_the_candidate_that_waits_for_it(tmp_path: Path) -> None:
    project = await open_with(make_project(tmp_path / "p", {"a.py": ""}), "copy")
    check = CommandCheck("own", CommandConfig(run=(sys.executable, "-c", f"{_ASK}; sys.exit(1)")))
    baseline = Baseline(project, (check,), lambda _: None)
    (said,) = await baseline.of(await project.snapshot())
    await baseline.close()
    assert said.findings[0].detail.split() == [str(_OWN)]
