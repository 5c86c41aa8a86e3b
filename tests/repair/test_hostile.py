"""Tests are foreign code: whatever they do, a look and trials come to their end in time, with a clear word."""

from __future__ import annotations

import asyncio
from pathlib import Path

from agent_core.repair.model import Plan
from tests.repair.forked import bench, by_name

FINE = "def test_fine(): pass\n"


async def test_a_look_goes_on_behind_tests_that_hang_and_crash_and_waver(tmp_path: Path) -> None:
    files = {
        "slow.py": "def spin(n):\n    while n:\n        pass\n    return n\n",
        "test_slow.py": """
            import os, signal, threading
            from pathlib import Path
            from slow import spin

            def test_fails(): assert spin(0) == 1
            def test_spins(): spin(1)
            def test_holds_out():
                signal.signal(signal.SIGALRM, signal.SIG_IGN)
                threading.Event().wait(60)
            def test_exits(): os._exit(0)
            def test_dies(): os.kill(0, signal.SIGKILL)
            def test_wavers(): assert 'test_holds_out' in PASSED
            def test_leaves():
                if os.fork() == 0:
                    raise RuntimeError("a child that comes back")
            def test_shuts(): os.closerange(3, 400)
            def test_moves():
                os.chdir("/")
                for path in Path(__file__).parent.glob("*.py"):
                    path.unlink()
            def test_last(): assert 1

            PASSED = []
            def setup_function(function): PASSED.append(function.__name__)
            """,
    }
    async with bench(tmp_path, files) as lab, asyncio.timeout(60):
        look = await lab.look("test_slow.py::test_fails", seconds=30)
        assert sorted(path.name for path in lab.root.iterdir()) == [".git", "slow.py", "test_slow.py"]
    runs = by_name(look)
    assert {name: run.outcome for name, run in runs.items()} == {
        "test_fails": "failed",
        "test_spins": "hung",
        "test_holds_out": "hung",
        "test_exits": "crashed",
        "test_dies": "crashed",
        "test_wavers": "failed",
        "test_leaves": "passed",
        "test_moves": "passed",
        "test_shuts": "crashed",
        "test_last": "passed",
    }
    assert runs["test_spins"].message == "it did not come to an end within 2.0 s"
    # Where it hangs is known, and what it executed.
    assert runs["test_spins"].frames[-1].path == "slow.py"
    assert runs["test_spins"].lines["slow.py"] == (1, 2, 3)
    assert runs["test_exits"].message == "its process ended with exit status 0 before its time"
    assert runs["test_dies"].message == "its process ended by SIGKILL"
    assert look.whole


async def test_a_failing_test_that_passes_without_any_change_is_said_to(tmp_path: Path) -> None:
    files = {
        "test_a.py": """
            from pathlib import Path
            SEEN = Path("seen")

            def test_wavers():
                before = SEEN.exists()
                SEEN.touch()
                assert before

            def test_fails(): assert 0
            """
    }
    async with bench(tmp_path, files) as lab:
        runs = by_name(await lab.look())
    assert (runs["test_wavers"].outcome, runs["test_wavers"].wavers) == ("failed", True)
    assert [name for name, run in runs.items() if run.wavers] == ["test_wavers"]
    assert runs["test_fails"].message == "assert 0"


DEEDS = {
    "os._exit(0)": ("crashed", "its process ended with exit status 0 before its time"),
    "os.kill(os.getppid(), 9)": ("crashed", "it ended more than its own process"),
    "[os.kill(pid, 9) for pid in (os.getppid(), os.getpid())]": ("crashed", "it ended more than its own process"),
    "os.fork() or sys.exit(3)": ("passed", ""),
    "os.fork() or time.sleep(60)": ("passed", ""),
    "subprocess.Popen(['sleep', '60'])": ("passed", ""),
    "os.fork() or (os.setsid(), time.sleep(60))": ("passed", ""),
    "[sys.__stdout__.write('{}' * 10**6) for _ in range(50)]": ("passed", ""),
    "[os.write(number, b'{}') for number in range(3, 400) if writable(number)]": ("passed", ""),
    "socket.create_connection(('192.0.2.1', 80), timeout=60)": (
        "failed",
        "OSError: [Errno 101] Network is unreachable",
    ),
    "input()": ("failed", "OSError: pytest: reading from stdin while output is captured!  Consider using `-s`."),
    "shutil.rmtree(tempfile.gettempdir())": ("passed", ""),
    "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32)); hang()": ("hung", ""),
    "raise type('Odd', (Exception,), {'__str__': hang, '__repr__': hang})": ("hung", ""),
}


async def test_what_a_test_does_to_a_trial_is_its_own_affair(tmp_path: Path) -> None:
    files = {
        "deed.py": """
            import os, shutil, signal, socket, subprocess, sys, tempfile, time

            def writable(number):
                try:
                    os.write(number, b"")
                except OSError:
                    return False
                return True

            def hang(*_):
                while True:
                    pass

            def do():
                pass

            def other():
                return 1
            """,
        "test_deed.py": "from deed import *\ndef test_deed(): do()\ndef test_other(): assert other() == 1\n",
    }
    async with bench(tmp_path, files) as lab, asyncio.timeout(60):
        await lab.look()
        plans = []
        for number, deed in enumerate(DEEDS):
            done = lab.edit("deed.py", "    pass\n\ndef other", f"    {deed}\n\ndef other")
            fine = lab.edit("deed.py", "return 1", "return +1")
            plans.append(Plan(number, (done,), ("test_deed.py::test_deed",)))
            plans.append(Plan(100 + number, (fine,), ("test_deed.py::test_other",)))
        trials = await lab.tried(plans, seconds=40)
    beside = {deed: (trials[100 + number].outcome, trials[100 + number].why) for number, deed in enumerate(DEEDS)}
    assert beside == dict.fromkeys(DEEDS, ("passed", ""))
    assert {deed: (trials[number].outcome, trials[number].why) for number, deed in enumerate(DEEDS)} == DEEDS


async def test_a_project_that_cannot_even_be_collected_is_told_of(tmp_path: Path) -> None:
    async with bench(tmp_path, {"test_a.py": "while True: pass\n", "test_b.py": FINE}) as lab, asyncio.timeout(20):
        look = await lab.look(seconds=2)
    assert (look.fault, look.runs, look.whole) == ("collecting the tests hung", (), False)
    async with bench(tmp_path / "other", {"test_a.py": "import os\nos._exit(3)\n"}) as lab, asyncio.timeout(20):
        look = await lab.look()
        assert look.fault == "collecting the tests ended with exit status 3 before its time"
        plan = Plan(1, (lab.edit("test_a.py", "_exit(3)", "_exit(4)"),), ("test_a.py::test_a",))
        assert (await lab.tried([plan]))[1].why == "its process ended with exit status 4 before its time"
