"""Candidates: what runs in one sees its tree at the project's path, and nothing it does gets out."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from agent_core.config_tables import Config, SandboxConfig
from agent_core.errors import SandboxError
from agent_core.places import project_state
from agent_core.process import run
from agent_core.protocols import Workspace
from agent_core.workspace.layering import remove_tree
from agent_core.workspace.project import open_project
from agent_core.workspace.tree import FileChange, content_hash
from tests.projects import git, make_project, write_files
from tests.workspace.opening import KINDS, OVERLAYS, Kind, contents, make_sample, open_with, put

every = pytest.mark.parametrize("kind", KINDS)
overlaid = pytest.mark.parametrize("kind", OVERLAYS)


GONE = FileChange(None)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_sample(tmp_path)


@every
async def test_a_command_sees_the_changed_tree(project: Path, kind: Kind) -> None:
    opened = await open_with(project, kind)
    base = await opened.snapshot()
    changes = {
        "pkg/one.py": put("ONE = 11\n"),
        "pkg/two.py": GONE,
        "old/only.py": GONE,
        "deep/new/file.sh": put("echo hello\n", 0o100755),
        "link": FileChange(b"top.txt", 0o120000),
        "top.txt": put("t\n"),
    }
    candidate = await opened.candidate(base, changes, cache="c")
    show = (
        "cat pkg/one.py; ls -d pkg/two.py old; sh -c ./deep/new/file.sh; cat link .env untracked.txt .venv/lib/dep.py"
    )
    done = await candidate.run(["sh", "-c", show], timeout=20)
    assert done.stdout.decode() == "ONE = 11\nhello\nt\nLOCAL=1\nnew\nDEP = 1\n"
    assert done.stderr.count(b"No such file") == 2
    assert candidate.changed == ("deep/new/file.sh", "link", "old/only.py", "pkg/one.py", "pkg/two.py")
    assert candidate.tree == candidate.snapshot.tree != base.tree
    assert candidate.read("pkg/one.py") == b"ONE = 11\n"
    assert candidate.read("pkg/two.py") is None
    assert candidate.read("link") == b"top.txt"
    assert candidate.read("untracked.txt") == b"new\n"
    await candidate.close()
    assert not any((opened.state / "candidates").iterdir())


@every
async def test_no_changes_make_the_base(project: Path, kind: Kind) -> None:
    opened: Workspace = await open_with(project, kind)
    base = await opened.snapshot()
    candidate = await opened.candidate(base, {"nowhere": GONE, "top.txt": put("t\n")}, cache="c")
    assert (candidate.changed, candidate.tree) == ((), base.tree)
    assert (await candidate.run(["cat", "pkg/one.py"], timeout=20)).stdout == b"ONE = 1\n"
    await candidate.close()


@every
async def test_nothing_written_reaches_the_working_tree(project: Path, kind: Kind) -> None:
    opened = await open_with(project, kind)
    before = contents(project)
    candidate = await opened.candidate(await opened.snapshot(), {"pkg/one.py": put("ONE = 5\n")}, cache="c")
    wreck = "echo x > pkg/one.py; echo x >> pkg/two.py; rm -rf old top.txt; chmod 777 pkg/two.py; mkdir m; rm -rf .git"
    done = await candidate.run(["sh", "-c", f"set -e; {wreck}; mv pkg/two.py three.py; ls"], timeout=20)
    assert (done.code, b"three.py" in done.stdout) == (0, True)
    assert contents(project) == before
    await candidate.close()
    assert contents(project) == before


@overlaid
async def test_absolute_writes_stay_inside(project: Path, kind: Kind, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    home = Path.home() / f".pairloop-test-{os.getpid()}"
    opened = await open_with(project, kind)
    candidate = await opened.candidate(await opened.snapshot(), {}, cache="c")
    script = (
        f"echo x > '{project}/top.txt'; echo x > {home}; cat {home}; mkdir -p {outside}; echo x > {outside}/f;"
        f"for place in /usr {sys.prefix}; do echo x > $place/pairloop-test; done;"
        f"echo kept > '{candidate.cache}/f'; cat top.txt"
    )
    before = contents(project)
    done = await candidate.run(["sh", "-c", script], timeout=20)
    assert done.stdout == b"x\nx\n"
    assert contents(project) == before
    assert not home.exists()
    assert not any((place / "pairloop-test").exists() for place in (Path("/usr"), Path(sys.prefix)))
    assert list(outside.iterdir()) == []
    assert (candidate.cache / "f").read_text() == "kept\n"
    await candidate.close()
    assert (candidate.cache / "f").exists()


@overlaid
async def test_each_run_starts_from_the_same_tree(project: Path, kind: Kind) -> None:
    opened = await open_with(project, kind)
    candidate = await opened.candidate(await opened.snapshot(), {}, cache="c")
    spoil = ["sh", "-c", "ls | grep -c spoilt; echo > spoilt; ls /tmp/* 2>/dev/null | grep -c left; echo > /tmp/left"]
    runs = await asyncio.gather(*(candidate.run(spoil, timeout=20) for _ in range(4)))
    assert [done.stdout for done in runs] == [b"0\n0\n"] * 4
    await candidate.close()


@overlaid
async def test_a_project_in_the_home_folder(tmp_path: Path, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("PAIRLOOP_STATE_DIR", str(home / ".local" / "state"))
    root = make_project(home / "work" / "p", {"a.txt": "base\n"})
    (home / ".config").mkdir()
    opened = await open_with(root, kind, home=home)
    candidate = await opened.candidate(await opened.snapshot(), {"a.txt": put("new\n")}, cache="c")
    done = await candidate.run(
        ["sh", "-c", 'cat a.txt; echo x > "$HOME/.config/f"; ls "$HOME/.config"; pwd'], timeout=20
    )
    assert done.stdout.decode() == f"new\nf\n{root}\n"
    assert contents(home / ".config") == {}
    await candidate.run(
        ["sh", "-c", 'echo kept > "$1/f"; rm -rf "$1/../../stamps.sqlite"', "sh", str(candidate.cache)], timeout=20
    )
    assert (candidate.cache / "f").read_text() == "kept\n"
    assert (opened.state / "stamps.sqlite").exists()
    assert (root / "a.txt").read_text() == "base\n"


async def test_the_home_folder_itself_is_copied(tmp_path: Path) -> None:
    home = make_project(tmp_path / "home", {"a.txt": "base\n"})
    opened = await open_project(home, Config(), {**os.environ, "HOME": str(home)})
    assert opened.isolation.startswith("copy")
    assert "home folder" in opened.note
    with pytest.raises(SandboxError, match=r"bubblewrap does not work here: .* home folder"):
        await open_project(home, Config(sandbox=SandboxConfig("bubblewrap")), {"HOME": str(home)})


@overlaid
async def test_daemons_die_with_the_command(project: Path, kind: Kind, tmp_path: Path) -> None:
    opened = await open_with(project, kind)
    candidate = await opened.candidate(await opened.snapshot(), {}, cache="c")
    fifo = candidate.cache / "pipe"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reader, True)
    daemon = """
        import os, sys, time
        if os.fork():
            os._exit(0)
        os.setsid()
        if os.fork():
            os._exit(0)
        with open(sys.argv[1], "w") as pipe:
            pipe.write("up")
            pipe.flush()
            open("up", "w").close()
            time.sleep(600)
    """
    (project / "daemon.py").write_text(dedent(daemon))
    waits = f"{sys.executable} daemon.py '{fifo}'; until test -e up; do :; done"
    done = await candidate.run(["bash", "-c", waits], timeout=20)
    assert done.code == 0
    # End of file comes only when every process that holds the other end is gone.
    said = await asyncio.wait_for(asyncio.to_thread(_read_all, reader), 30)
    assert said == b"up"


def _read_all(reader: int) -> bytes:
    with os.fdopen(reader, "rb") as file:
        return file.read()


@every
async def test_a_timeout_kills_all_of_it(project: Path, kind: Kind) -> None:
    opened = await open_with(project, kind)
    candidate = await opened.candidate(await opened.snapshot(), {}, cache="c")
    done = await candidate.run(["sh", "-c", "trap '' TERM; echo begun; sleep 600 & sleep 600"], timeout=2.0)
    assert done.timed_out
    assert done.stdout == b"begun\n"
    assert done.seconds < 30
    await candidate.close()


@overlaid
async def test_network_is_off_unless_allowed(project: Path, kind: Kind) -> None:
    look = """
        import socket
        server = socket.create_server(("127.0.0.1", 0))
        socket.create_connection(server.getsockname())
        print(*sorted(name for _, name in socket.if_nameindex()))
    """
    seen = {}
    for network in (False, True):
        opened = await open_with(project, kind, network=network)
        candidate = await opened.candidate(await opened.snapshot(), {}, cache="c")
        done = await candidate.run([sys.executable, "-c", dedent(look)], timeout=20)
        assert done.code == 0, done.text
        seen[network] = done.stdout.decode().split()
    assert seen[True] == sorted(name for _, name in socket.if_nameindex())
    assert seen[False] == ["lo"]


@every
async def test_how_commands_end(project: Path, kind: Kind) -> None:
    opened = await open_with(project, kind)
    candidate = await opened.candidate(await opened.snapshot(), {"pkg/one.py": GONE}, cache="c")
    assert (await candidate.run(["sh", "-c", "exit 7"], timeout=20)).code == 7
    assert (await candidate.run(["no-such-program"], timeout=20)).code == 127
    assert (await candidate.run(["sh", "-c", "kill -SEGV $$"], timeout=20)).code == -signal.SIGSEGV
    lines: list[str] = []
    done = await candidate.run(["cat"], timeout=20, stdin=b"one\ntwo\n", on_line=lines.append, env={"X": "1"})
    assert (done.stdout, lines) == (b"one\ntwo\n", ["one", "two"])
    assert (await candidate.run(["sh", "-c", "echo $X"], timeout=20, env={"X": "yes"})).stdout == b"yes\n"


async def test_a_tree_that_cannot_be_made_is_an_error(project: Path) -> None:
    opened = await open_with(project, "bubblewrap")
    candidate = await opened.candidate(await opened.snapshot(), {}, cache="c")
    await candidate.close()
    with pytest.raises(SandboxError, match="cannot be mounted"):
        await candidate.run(["true"], timeout=20)


@pytest.mark.parametrize(
    "path", ["../out", "/etc/x", "a/../../b", ".git/hooks/x", ".GIT/config", "sub/.git/config", "", "a\0b"]
)
async def test_paths_outside_are_refused(project: Path, path: str) -> None:
    opened = await open_with(project, "copy")
    base = await opened.snapshot()
    with pytest.raises(SandboxError):
        await opened.candidate(base, {path: put("x")}, cache="c")
    assert not (project.parent / "out").exists()


@every
async def test_files_and_folders_change_places(project: Path, kind: Kind) -> None:
    opened = await open_with(project, kind)
    base = await opened.snapshot()
    changes = {"top.txt": GONE, "top.txt/in.txt": put("in\n"), "pkg": put("file\n")}
    changes |= {path: GONE for path in base.files if path.startswith("pkg/")}
    candidate = await opened.candidate(base, changes, cache="c")
    done = await candidate.run(["cat", "top.txt/in.txt", "pkg"], timeout=20)
    assert done.stdout == b"in\nfile\n", done.text


@overlaid
async def test_many_files_can_go_at_once(tmp_path: Path, kind: Kind) -> None:
    names = [f"folder with 'quotes'/file number {number}.txt" for number in range(2000)]
    root = make_project(tmp_path / "p", dict.fromkeys(names, "x\n") | {"stay.txt": "x\n"}, commit=False)
    opened = await open_with(root, kind)
    candidate = await opened.candidate(await opened.snapshot(), dict.fromkeys(names, GONE), cache="c")
    assert (await candidate.run(["ls"], timeout=60)).stdout == b"stay.txt\n"


async def test_leftovers_of_dead_processes_go(project: Path) -> None:
    dead = int((await run(["sh", "-c", "echo $$"], cwd=project, timeout=20)).stdout)
    candidates = project_state(project) / "candidates"
    for name in (f"{dead}-1", f"{os.getppid()}-1", f"{os.getpid()}-0"):
        (candidates / name / "upper" / "locked").mkdir(parents=True)
        (candidates / name / "upper" / "locked").chmod(0)
    await open_with(project, "copy")
    left = {path.name for path in candidates.iterdir()}
    assert left == {f"{os.getppid()}-1", f"{os.getpid()}-0"}
    remove_tree(candidates)
    assert not candidates.exists()


@every
async def test_git_works_in_a_candidate(project: Path, kind: Kind, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    git(project, "worktree", "add", "-q", str(linked))
    for root in (project, linked):
        opened = await open_with(root, kind)
        candidate = await opened.candidate(await opened.snapshot(), {"pkg/one.py": put("ONE = 9\n")}, cache="c")
        done = await candidate.run(["git", "diff", "--name-only", "HEAD"], timeout=20)
        assert done.text == "pkg/one.py\n"
        await candidate.run(["git", "commit", "-qam", "inside"], timeout=20)
        await candidate.close()
        assert git(root, "log", "--format=%s") == "start\n"
        assert "pkg/one.py" not in git(root, "status", "--short")


async def test_reading_stays_in_the_project(project: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("no")
    (project / "way").symlink_to(tmp_path)
    opened = await open_with(project, "copy")
    assert opened.read("pkg/one.py") == b"ONE = 1\n"
    assert opened.read("way") == os.fsencode(tmp_path)
    for path in ("way/secret", "../secret", str(tmp_path / "secret"), "pkg", "nothing", "", "a\0"):
        assert opened.read(path) is None


async def test_a_plain_folder_works(tmp_path: Path) -> None:
    root = tmp_path / "plain"
    write_files(root, {"a.py": "A = 1\n", ".venv/lib/x.py": "", "__pycache__/a.pyc": ""})
    for kind in KINDS:
        opened = await open_with(root, kind)
        base = await opened.snapshot()
        assert set(base.files) == {"a.py"}
        candidate = await opened.candidate(base, {"a.py": put("A = 2\n"), "b.py": put("")}, cache="c")
        assert (await candidate.run(["sh", "-c", "cat a.py; ls -a .venv/lib"], timeout=20)).stdout.endswith(b"x.py\n")
        assert candidate.snapshot.files["a.py"].hash == content_hash(b"A = 2\n")
        await candidate.close()
    assert (root / "a.py").read_text() == "A = 1\n"
