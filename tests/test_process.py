"""Programs are run to their end or to their timeout, and nothing they start outlives them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_core.process import Capture, Completed, run, run_blocking, wait_for

_PATIENCE = 30.0


async def python(code: str, cwd: Path, *, timeout: float = 30.0, **more: object) -> Completed:
    return await run((sys.executable, "-c", code), cwd=cwd, timeout=timeout, **more)  # type: ignore[arg-type]  # handed on


async def sh(script: str, cwd: Path, *, timeout: float = 30.0, **more: object) -> Completed:
    return await run(("sh", "-c", script), cwd=cwd, timeout=timeout, **more)  # type: ignore[arg-type]  # handed on


async def until(true: Callable[[], bool]) -> None:
    """Wait for something outside of this process."""
    async with asyncio.timeout(_PATIENCE):
        while not true():  # noqa: ASYNC110 - no event tells what happens in another process
            await asyncio.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has died but was not yet reaped by its new parent does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        if Path("/proc/self/stat").exists():
            return False
        try:
            os.kill(pid, 0)
        except OSError:
            return False
        return True
    return state != "Z"


def pids(file: Path, count: int) -> Callable[[], bool]:
    return lambda: file.exists() and len(file.read_text().split()) == count


async def test_what_a_program_says_and_how_it_ends(tmp_path: Path) -> None:
    done = await sh("echo out; echo err >&2; pwd; exit 3", tmp_path)
    assert (done.code, done.stderr, done.timed_out) == (3, b"err\n", False)
    assert done.stdout == f"out\n{os.path.realpath(tmp_path)}\n".encode()
    assert done.text == done.stdout.decode() + "err\n"
    assert 0 < done.seconds < 30


async def test_a_signal_is_a_negative_code(tmp_path: Path) -> None:
    assert (await sh("kill -KILL $$", tmp_path)).code == -signal.SIGKILL


async def test_the_environment_is_the_one_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", "here")
    assert (await sh("echo $OURS", tmp_path)).stdout == b"here\n"
    done = await sh("echo $OURS$THEIRS", tmp_path, env={"PATH": os.environ["PATH"], "THEIRS": "there"})
    assert done.stdout == b"there\n"


async def test_missing_programs_and_folders_are_the_callers(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await run(("no-such-program-anywhere",), cwd=tmp_path, timeout=5)
    with pytest.raises(FileNotFoundError):
        await run(("true",), cwd=tmp_path / "gone", timeout=5)
    (tmp_path / "plain").write_text("not a program")
    with pytest.raises(PermissionError):
        await run((str(tmp_path / "plain"),), cwd=tmp_path, timeout=5)


async def test_standard_input_is_empty_or_what_is_given(tmp_path: Path) -> None:
    assert (await run(("cat",), cwd=tmp_path, timeout=10)).stdout == b""
    data = bytes(range(256)) * 4000
    assert (await run(("cat",), cwd=tmp_path, timeout=10, stdin=data)).stdout == data


async def test_input_that_nobody_reads_is_no_failure(tmp_path: Path) -> None:
    done = await sh("exec 0<&-; echo done", tmp_path, stdin=b"x" * 3_000_000)
    assert (done.code, done.stdout, done.timed_out) == (0, b"done\n", False)


async def test_the_time_is_up_for_the_whole_group(tmp_path: Path) -> None:
    start = time.monotonic()
    done = await sh("sleep 60 & echo $! >child; echo begun; sleep 60", tmp_path, timeout=2.0)
    assert done.timed_out
    assert done.code == -signal.SIGTERM
    assert done.stdout == b"begun\n"
    assert time.monotonic() - start < 40
    child = int((tmp_path / "child").read_text())
    await until(lambda: not is_alive(child))


async def test_whoever_ignores_being_asked_is_made_to_stop(tmp_path: Path) -> None:
    code = (
        "import os, signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen(['sh', '-c', 'trap \"\" TERM; while :; do sleep 1; done'])\n"
        "print(os.getpid(), child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    done = await python(code, tmp_path, timeout=4.0)
    assert done.timed_out
    assert done.code == -signal.SIGKILL
    leader, child = map(int, done.stdout.split())
    assert not is_alive(leader)
    await until(lambda: not is_alive(child))


async def test_a_child_that_ignores_the_end_of_its_parent_goes_too(tmp_path: Path) -> None:
    # The leader obeys at once; only its child does not.
    script = "(trap '' TERM; echo $$ >ready; while :; do sleep 1; done) & echo $! >child; wait"
    done = await sh(script, tmp_path, timeout=3.0)
    assert done.timed_out
    child = int((tmp_path / "child").read_text())
    await until(lambda: not is_alive(child))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells whose descendant a process is")
async def test_what_left_the_group_goes_too(tmp_path: Path) -> None:
    """As in a sandbox that is ended before it has asked the kernel to have what it started end with it."""
    code = (
        "import os, sys, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        open('pids', 'w').write(f'{os.getpid()} {os.getppid()}')\n"
        "    time.sleep(600)\n"
        "time.sleep(600)\n"
    )
    running = asyncio.ensure_future(python(code, tmp_path, timeout=600))
    await until(pids(tmp_path / "pids", 2))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    for pid in (tmp_path / "pids").read_text().split():
        await until(lambda pid=int(pid): not is_alive(pid))  # type: ignore[misc]  # bound now


async def test_what_is_left_in_the_background_ends_with_the_program(tmp_path: Path) -> None:
    done = await sh("sleep 60 & echo $!", tmp_path)
    assert (done.code, done.timed_out) == (0, False)
    assert done.seconds < 10
    await until(lambda: not is_alive(int(done.stdout)))


async def test_a_daemon_that_keeps_our_pipes_does_not_hang_us(tmp_path: Path) -> None:
    code = (
        "import os, sys, time\n"
        "print('said', flush=True)\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        open('daemon', 'w').write(str(os.getpid()))\n"
        "        time.sleep(60)\n"
        "    os._exit(0)\n"
        "while not os.path.exists('daemon'): time.sleep(0.01)\n"
    )
    start = time.monotonic()
    done = await python(code, tmp_path)
    await until(pids(tmp_path / "daemon", 1))
    daemon = int((tmp_path / "daemon").read_text())
    try:
        assert (done.code, done.stdout, done.timed_out) == (0, b"said\n", False)
        assert time.monotonic() - start < 40
        # It left its group, so it is not ours to kill; what matters is that nobody waits for it.
        assert is_alive(daemon)
    finally:
        os.kill(daemon, signal.SIGKILL)


@pytest.mark.parametrize("times", [1, 2])
async def test_cancelling_kills_the_group_first(tmp_path: Path, times: int) -> None:
    script = "trap '' TERM; (trap '' TERM; while :; do sleep 1; done) & echo $$ $! >both; while :; do sleep 1; done"
    task = asyncio.ensure_future(sh(script, tmp_path))
    await until(pids(tmp_path / "both", 2))
    both = [int(pid) for pid in (tmp_path / "both").read_text().split()]
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await task
    # A second cancellation cannot be kept waiting; the first has set the end of the group going all the same.
    if times == 1:
        assert not is_alive(both[0])
    await until(lambda: not any(map(is_alive, both)))


def _begun_since(before: set[int]) -> bool:
    """Whether this process has a child that it did not have; needs no event loop."""
    return bool(_children() - before)


def _children() -> set[int]:
    found = set[int]()
    for one in Path("/proc/self/task").glob("*/children"):
        # A thread may end in between.
        with contextlib.suppress(OSError):
            found |= set(map(int, one.read_text().split()))
    return found


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs a list of one's own children")
@pytest.mark.parametrize("times", [1, 2])
async def test_cancelling_while_it_starts_kills_all_it_has_started(tmp_path: Path, times: int) -> None:
    starting = 0
    for steps in range(1, 12):
        both = tmp_path / f"both{steps}"
        before = _children()
        # The one in a session of its own is not ours to kill, and holds our pipes.
        script = f"setsid sleep 30 & echo $! >>left; sleep 1000 & echo $$ $! >{both.name}; wait"
        task = asyncio.ensure_future(sh(script, tmp_path))
        for _ in range(steps):
            await asyncio.sleep(0)
        begun = _begun_since(before)
        limit = time.monotonic() + _PATIENCE
        while begun and not pids(both, 2)():
            # The loop stands still: it is as far as these steps brought it, and the program goes on.
            assert time.monotonic() < limit
            time.sleep(0.005)  # noqa: ASYNC251 - just that is wanted
        for _ in range(times):
            task.cancel()
            await asyncio.sleep(0)
        await asyncio.wait([task], timeout=_PATIENCE)
        left = (tmp_path / "left").read_text().split() if begun else ()
        for pid in map(int, left):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert task.cancelled(), f"after {steps} steps"
        if begun:
            starting += 1
            group = [int(pid) for pid in both.read_text().split()]
            await until(lambda group=group: not any(map(is_alive, group)))  # type: ignore[misc]  # bound at once
    assert starting > 2


async def test_endless_output_stays_in_bounded_memory(tmp_path: Path) -> None:
    import resource  # noqa: PLC0415 - not everywhere

    size = 100_000_000
    code = (
        "import os, sys\n"
        "os.write(1, b'FIRST\\n')\n"
        "block = b'x' * 65535 + b'\\n'\n"
        f"for _ in range({size} // len(block)): os.write(1, block)\n"
        "os.write(1, b'LAST\\n')\n"
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    lines = 0

    def count(line: str) -> None:
        nonlocal lines
        lines += 1

    done = await python(code, tmp_path, timeout=60, cap=100_000, on_line=count)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown * (1 if sys.platform == "darwin" else 1024) < 20_000_000
    assert done.stdout.startswith(b"FIRST\n")
    assert done.stdout.endswith(b"LAST\n")
    cut = [line for line in done.stdout.split(b"\n") if line.startswith(b"[... ")]
    whole = size // 65536 * 65536 + 11
    kept = len(done.stdout) - len(cut[0]) - 2
    assert cut == [f"[... {whole - kept} bytes left out ...]".encode()]
    assert kept == 100_000
    assert lines == size // 65536 + 2


async def test_lines_come_while_the_program_runs(tmp_path: Path) -> None:
    lines: list[str] = []
    code = (
        "import os, sys\n"
        "os.write(1, b'one\\nt')\n"
        "while not os.path.exists('heard'): pass\n"
        "os.write(1, b'wo\\n\\xff\\xc3')\n"
        "os.write(1, b'\\xa4\\n\\nlast without end')\n"
    )

    def hear(line: str) -> None:
        lines.append(line)
        (tmp_path / "heard").touch()

    done = await python(code, tmp_path, on_line=hear)
    assert lines == ["one", "two", "\ufffdä", "", "last without end"]
    assert done.stdout.count(b"\n") == 4


async def test_a_line_without_end_stays_in_bounded_memory(tmp_path: Path) -> None:
    lines: list[str] = []
    await python("print('a' * 3_000_000 + 'z')", tmp_path, on_line=lines.append, cap=1000)
    assert len(lines) == 1
    assert len(lines[0]) <= 200_000
    assert lines[0].endswith("z")


@given(st.binary(max_size=300), st.integers(1, 200))
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_byte_is_kept_or_counted(tmp_path: Path, data: bytes, cap: int) -> None:
    async def said() -> Completed:
        return await run(("cat",), cwd=tmp_path, timeout=20, stdin=data, cap=cap)

    out = asyncio.run(said()).stdout
    half = max(cap // 2, 1)
    left_out = len(data) - 2 * half
    if left_out <= 0:
        assert out == data
    else:
        assert out == data[:half] + f"\n[... {left_out} bytes left out ...]\n".encode() + data[-half:]


async def test_several_at_once_do_not_mix(tmp_path: Path) -> None:
    all_done = await asyncio.gather(*(sh(f"echo {number}; exit {number}", tmp_path) for number in range(8)))
    assert [(done.code, done.stdout) for done in all_done] == [(n, f"{n}\n".encode()) for n in range(8)]


async def test_the_blocking_form_works_below_a_running_loop(tmp_path: Path) -> None:
    done = run_blocking(
        ("sh", "-c", "echo $WHO; sleep 0; exit 2"), cwd=tmp_path, timeout=10, env={"WHO": "me", "PATH": "/bin:/usr/bin"}
    )
    assert (done.code, done.stdout) == (2, b"me\n")
    assert run_blocking(("sleep", "60"), cwd=tmp_path, timeout=0.3).timed_out
    with pytest.raises(FileNotFoundError):
        run_blocking(("no-such-program-anywhere",), cwd=tmp_path, timeout=5)


async def test_nothing_is_left_open(tmp_path: Path) -> None:
    folder = Path("/proc/self/fd")
    if not folder.exists():
        pytest.skip("needs /proc")
    await sh("true", tmp_path)
    before = len(list(folder.iterdir()))
    for _ in range(3):
        await sh("echo x", tmp_path, stdin=b"y")
        await sh("sleep 60", tmp_path, timeout=0.05)
    assert len(list(folder.iterdir())) <= before


@pytest.mark.parametrize("steps", range(6))
async def test_a_cancellation_that_comes_with_the_end_is_not_lost(steps: int) -> None:
    event = asyncio.Event()
    waiting = asyncio.create_task(wait_for(event, 60))
    for _ in range(3):
        await asyncio.sleep(0)
    event.set()
    for _ in range(steps):
        await asyncio.sleep(0)
    # Once it is done it cannot be cancelled; until then it must be.
    cancelled = waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled() == cancelled


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_however_often_it_is_cancelled_no_task_outlives_it(tmp_path: Path, times: int) -> None:
    before = asyncio.all_tasks()
    script = "trap '' TERM; echo $$ $$ >both; while :; do sleep 1; done"
    task = asyncio.ensure_future(sh(script, tmp_path))
    await until(pids(tmp_path / "both", 2))
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    assert asyncio.all_tasks() - before == set()


def test_a_line_that_is_too_long_says_that_its_beginning_is_gone() -> None:
    lines: list[str] = []
    capture = Capture(1000, lines.append)
    for piece in (b"short\n", b"a" * 60_000, b"b" * 60_000, b"c" * 10 + b"\nnext\nla", b"st"):
        capture.feed(piece)
    capture.result()
    assert [lines[0], *lines[2:]] == ["short", "next", "last"]
    cut, _, rest = lines[1].partition("] ")
    assert cut == f"[... {120_000 - 65_536} bytes left out ..."
    assert rest == "a" * (65_536 - 60_000) + "b" * 60_000 + "c" * 10
