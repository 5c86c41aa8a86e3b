"""What runs away in a test ends there, says so, and hurts nobody."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import sys
from pathlib import Path

import pytest

from agent_core.config_tables import SandboxConfig
from agent_core.process import run
from agent_core.sandbox.guard import use_of, watch
from agent_core.sandbox.limits import (
    GB,
    MB,
    Limits,
    machine_memory,
    parse_limits,
    parse_size,
    resource_limits,
    size_text,
    with_limits,
)
from tests.sandbox.shut_in import opened, overlays, python
from tests.workspace.opening import KINDS, Kind
from tests.workspace.warming import LIGHT, forks, needs_kernel

every = pytest.mark.parametrize("kind", KINDS)
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.mark.parametrize(
    ("text", "size"),
    [("4 GB", 4 * GB), ("4GiB", 4 * GB), ("512m", 512 * MB), ("1.5 G", GB * 3 // 2), ("80%", 800), ("2048", 2048)],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text, 1000) == size


@pytest.mark.parametrize("text", ["", "much", "-1 GB", "0%", "101%", "4 XB", "1e9"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match=r"size|share"):
        parse_size(text, 1000)


def test_the_configuration_refuses_what_nothing_runs_in() -> None:
    with pytest.raises(ValueError, match="memory = '1 MB' is too little"):
        SandboxConfig(memory="1 MB")
    assert SandboxConfig(memory="50%").limits.memory == machine_memory() // 2
    assert parse_limits("1 GB", 20, "10 MB") == Limits(GB, 20, 10 * MB)
    assert [size_text(size) for size in (GB, 3 * GB // 2, 10 * MB, 2048)] == ["1 GB", "1.5 GB", "10 MB", "2 KB"]


@linux
@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
async def test_every_shell_sets_them(shell: str) -> None:
    wanted = resource_limits(Limits(GB, 100, 10 * MB), own_users=True)
    _, *rest = with_limits(("cat", "/proc/self/limits", "/proc/self/oom_score_adj"), wanted)
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    argv = (shell, *(("sh",) if shell == "busybox" else ("--posix",) if shell == "bash" else ()), *rest)
    done = await run(argv, cwd=Path("/"), timeout=20)
    said = {line[:25].strip(): line[25:].split()[:2] for line in done.text.splitlines()}
    assert said["Max data size"] == [str(GB)] * 2
    assert said["Max file size"] == [str(10 * MB)] * 2
    assert said["Max core file size"] == ["0", "0"]
    assert said["Max processes"] == ["100", "100"]
    assert int(said["Max open files"][1]) <= 65_536
    assert done.text.splitlines()[-1] == "1000"


def test_what_is_stricter_stays() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    found = resource_limits(Limits(GB, 100, 10 * MB), own_users=True)
    assert ("RLIMIT_NOFILE" in found) == (hard == resource.RLIM_INFINITY or hard > 65_536)


@every
async def test_a_process_that_wants_all_memory_gets_an_error(tmp_path: Path, home: Path, kind: Kind) -> None:
    project = await opened(tmp_path / "p", kind, home, memory="200 MB")
    done = await python(
        project, "try: bytearray(400 << 20)\nexcept MemoryError: print('no memory')\nelse: print('had it')"
    )
    assert done.text == "no memory\n"


@linux
@every
async def test_many_processes_that_take_memory_are_killed(tmp_path: Path, home: Path, kind: Kind) -> None:
    project = await opened(tmp_path / "p", kind, home, memory="150 MB")
    done = await python(
        project,
        """
        import os, signal
        for _ in range(4):
            if not os.fork():
                # Written to, or it would take no memory at all.
                kept = bytearray(os.urandom(1 << 20) * 60)
                signal.pause()
        signal.pause()
        """,
        timeout=30,
    )
    assert done.killed == "killed: out of memory (limit 150 MB)"
    assert done.text.endswith("killed: out of memory (limit 150 MB)\n")
    assert not done.timed_out


@linux
@overlays
async def test_a_fork_bomb_ends(tmp_path: Path, home: Path, kind: Kind) -> None:
    project = await opened(tmp_path / "p", kind, home, processes=60)
    done = await python(
        project,
        """
        import os, signal, sys
        made = 0
        try:
            # Bounded, should nothing else bound it.
            while made < 400:
                if not os.fork():
                    signal.pause()
                made += 1
        except OSError as error:
            sys.exit(f"{error.strerror} after {made < 60}")
        signal.pause()
        """,
        timeout=30,
    )
    # The kernel counts the processes of everybody but root.
    said = done.stderr.decode().strip().splitlines()[-1]
    assert said in {"killed: more than 60 processes at a time", "Resource temporarily unavailable after True"}
    if os.geteuid() == 0:
        assert done.killed


@linux
@overlays
async def test_a_full_disk_is_the_sandboxs_own(tmp_path: Path, home: Path, kind: Kind) -> None:
    project = await opened(tmp_path / "p", kind, home, disk="8 MB")
    done = await python(
        project,
        """
        import errno, signal
        def fill(folder, megabytes):
            try:
                for number in range(5):
                    with open(f"{folder}/filler{number}", "wb") as file:
                        for _ in range(megabytes):
                            file.write(bytes(1 << 20))
            except OSError as error:
                return errno.errorcode[error.errno]
            return "filled"
        print(fill("/tmp", 20), fill("/var/tmp", 4), fill("/dev/shm", 4), flush=True)
        here = fill(".", 4)
        print(here, flush=True)
        if here == "filled":
            signal.pause()
        """,
        timeout=20,
    )
    assert done.stdout.decode().splitlines()[0] == "EFBIG ENOSPC ENOSPC"
    # An overlay of bubblewrap's has no bound of its own: there the run as a whole is ended.
    assert done.killed == "killed: more than 8 MB written" or b"\nENOSPC" in done.stdout
    assert not list((tmp_path / "p").glob("filler*"))


@linux
async def test_the_guard_sees_the_whole_tree() -> None:
    code = (
        "import os, signal\nif not os.fork():\n  os.setsid()\n  if not os.fork(): x = b'x' * (30 << 20)\nsignal.pause()"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, start_new_session=True)
    try:
        async with asyncio.timeout(20):
            assert "out of memory" in await watch(process.pid, Limits(20 * MB, 100, GB))
            assert "processes" in await watch(process.pid, Limits(GB, 2, GB))
        use = use_of(process.pid, 100)
        assert use.pids[0] == process.pid
        assert len(use.pids) == 3
        assert use.memory > 30 * MB
    finally:
        for pid in use_of(process.pid, 100).pids:
            os.kill(pid, 9)
        await process.wait()


_GREEDY = """
import os, signal, sys, decimal
for _ in range(int(sys.argv[1])):
    if not os.fork():
        kept = os.urandom(int(sys.argv[2]) << 20)
        signal.pause()
signal.pause()
"""


@needs_kernel
@overlays
@pytest.mark.parametrize(
    ("count", "each", "why"),
    [(4, 30, "killed: out of memory (limit 90 MB)"), (20, 0, "killed: more than 10 processes at a time")],
)
async def test_a_warm_run_that_uses_too_much_is_killed_and_it_is_said_why(
    tmp_path: Path, home: Path, kind: Kind, count: int, each: int, why: str
) -> None:
    project = await opened(tmp_path / "p", kind, home, memory="90 MB", processes=10)
    try:
        project.warm(LIGHT)
        assert await project.warmed() == ()
        candidate = await project.candidate(await project.snapshot(), {}, cache="c")
        argv = (str(project.interpreter.python), "-c", _GREEDY, str(count), str(each))
        done = await candidate.run(argv, timeout=30, warm=LIGHT)
        await candidate.close()
        assert forks(project) == 1
    finally:
        await project.close()
    if each or done.killed or os.geteuid() == 0:
        assert done.killed == why
    else:
        # For whoever is not root the kernel counts, too, and is quicker.
        assert "BlockingIOError" in done.text
    assert not done.timed_out
