"""Commands that begin in a warm process judge exactly the candidate's tree, and are as shut in as any."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import dedent

import pytest

from agent_core.process import Completed
from agent_core.workspace.project import Project
from agent_core.workspace.shadows import importable
from agent_core.workspace.tree import Changes, FileChange
from tests.projects import git, make_project, write_files
from tests.workspace.opening import OVERLAYS, Kind, contents, make_sample, open_with, put
from tests.workspace.warming import LIGHT, forks, needs_kernel, servers, warmed

pytestmark = needs_kernel
overlaid = pytest.mark.parametrize("kind", OVERLAYS)
GONE = FileChange(None)


async def ask(project: Project, code: str, changes: Changes | None = None, modules: Sequence[str] = LIGHT) -> Completed:
    """Run Python code in a candidate, in a fork where that can be."""
    candidate = await project.candidate(await project.snapshot(), changes or {}, cache="c")
    try:
        argv = [str(project.interpreter.python), "-c", dedent(code)]
        return await candidate.run(argv, timeout=20, warm=modules)
    finally:
        await candidate.close()


def environment_of(root: Path, packages: dict[str, str]) -> Path:
    """Give a project an environment of its own with some files in site-packages; gives that folder."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", ".venv"], cwd=root, check=True)
    site = next((root / ".venv").glob("lib/python*/site-packages"))
    write_files(site, packages)
    return site


@overlaid
async def test_it_sees_the_changed_tree_and_writes_only_there(tmp_path: Path, kind: Kind) -> None:
    root = make_sample(tmp_path)
    async with warmed(root, kind) as project:
        before = contents(root)
        changes = {
            "pkg/one.py": put("ONE = 11\n"),
            "pkg/two.py": GONE,
            "old/only.py": GONE,
            "deep/new/file.sh": put("echo hello\n", 0o100755),
            "link": FileChange(b"top.txt", 0o120000),
            "top.txt": put("t\n"),
        }
        look = """
            import os, shutil, subprocess
            from pkg import one
            print(one.ONE, os.path.exists("pkg/two.py"), os.path.exists("old"), os.readlink("link"), end=" ")
            print(open("link").read())
            print(subprocess.run("deep/new/file.sh", shell=True, capture_output=True).stdout)
            print(open(".env").read(), open("untracked.txt").read(), open(".venv/lib/dep.py").read())
            for name in ("pkg/one.py", "brand-new"):
                with open(name, "w") as file:
                    file.write("spoilt")
            shutil.rmtree(".git")
        """
        for _ in range(2):
            done = await ask(project, look, changes)
            assert done.stderr == b""
            expected = "11 False False top.txt t\n\nb'hello\\n'\nLOCAL=1\n new\n DEP = 1\n\n"
            assert done.stdout.decode() == expected
        assert forks(project) == 2
        assert contents(root) == before


@overlaid
async def test_nothing_gets_out(tmp_path: Path, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "id_x").write_text("secret")
    (home / "notes").write_text("mine")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PAIRLOOP_STATE_DIR", str(home / "state"))
    outside = tmp_path / "outside"
    outside.mkdir()
    root = make_project(home / "work", {"a.txt": "base\n"})
    escape = f"""
        import ctypes, glob, os, socket
        def tried(what, do):
            try:
                print(what, do())
            except OSError as error:
                print(what, "no")
        home, root, outside = {str(home)!r}, {str(root)!r}, {str(outside)!r}
        tried("keys", lambda: os.listdir(home + "/.ssh"))
        tried("usr", lambda: open("/usr/pairloop", "w"))
        tried("prefix", lambda: open({sys.prefix!r} + "/pairloop", "w"))
        tried("sys", lambda: open("/sys/kernel/uevent_helper", "w"))
        tried("proc", lambda: open("/proc/sys/kernel/core_pattern", "w"))
        tried("disk", lambda: [n for n in os.listdir("/dev") if n.startswith(("sd", "vd", "nvme", "mem", "kmsg"))])
        tried("net", lambda: socket.create_connection(("192.0.2.1", 80), 1))
        tried("up", lambda: os.open("/proc/1/root", os.O_RDONLY))
        tried("files of 1", lambda: os.readlink("/proc/1/fd/1"))
        libc = ctypes.CDLL(None)
        print("mount", libc.mount(b"none", b"/usr", b"tmpfs", 0, None), libc.umount2(root.encode(), 2))
        print("own", len(os.listdir("/proc/self/fd")))
        for place in (home + "/notes", root + "/a.txt", outside + "/f", home + "/.bashrc"):
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with open(place, "w") as file:
                file.write("changed")
    """
    before = contents(home)
    async with warmed(root, kind) as project:
        before = contents(root)
        done = await ask(project, escape)
        assert done.stderr == b""
        assert done.stdout.decode().splitlines() == [
            *("keys []", "usr no", "prefix no", "sys no", "proc no", "disk []", "net no", "up no", "files of 1 no"),
            *("mount -1 -1", "own 4"),
        ]
        assert forks(project) == 1
    assert contents(root) == before
    assert (home / "notes").read_text() == "mine"
    assert not (home / ".bashrc").exists()
    assert list(outside.iterdir()) == []


async def test_what_the_human_replaces_is_seen_at_once(tmp_path: Path) -> None:
    root = make_sample(tmp_path)
    async with warmed(root) as project:
        code = "from pkg import one; print(one.ONE)"
        assert (await ask(project, code)).stdout == b"1\n"
        (root / "pkg" / "new").write_text("ONE = 22\n")
        (root / "pkg" / "new").rename(root / "pkg" / "one.py")
        assert (await ask(project, code)).stdout == b"22\n"
        (root / "pkg").rename(root / "gone")
        write_files(root, {"pkg/one.py": "ONE = 333\n"})
        assert (await ask(project, code)).stdout == b"333\n"
        assert forks(project) == 3


@overlaid
async def test_an_editable_install_imports_the_candidates_code(installed: Path, kind: Kind) -> None:
    async with warmed(installed, kind) as project:
        assert project.interpreter.found == ".venv"
        code = "import sample; print(sample.VALUE)"
        changes = {"src/sample/__init__.py": put("VALUE = 'candidate'\n")}
        assert (await ask(project, code, changes)).text == "candidate\n"
        assert (await ask(project, code)).text == "base\n"
        assert forks(project) == 2


async def test_the_projects_own_code_is_not_imported_ahead(installed: Path) -> None:
    project = await open_with(installed, "bubblewrap")
    try:
        project.warm(("sample",))
        (reason,) = await project.warmed()
        assert reason.startswith("sample is the project's own")
        project.warm(("sample", "decimal"))
        assert len(await project.warmed()) == 1
        done = await ask(project, "import sample, decimal; print(sample.VALUE)", modules=("sample", "decimal"))
        assert (done.text, forks(project)) == ("base\n", 1)
    finally:
        await project.close()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("decimal.py", "own False\n"),
        ("decimal/__init__.py", "own False\n"),
        # The standard library comes before the folders of installed projects, but not before all that could be.
        ("src/decimal.py", "True\n"),
        ("tests/decimal.py", "True\n"),
        ("src/sitecustomize.py", "own True\n"),
    ],
)
async def test_what_would_be_imported_instead_is(tmp_path: Path, path: str, said: str) -> None:
    root = make_project(tmp_path / "p", {"a.py": "", "src/pkg/__init__.py": "", "src/pkg/decimal.py": ""})
    site = environment_of(root, {})
    (site / "_project.pth").write_text(f"{root / 'src'}\n")
    async with warmed(root) as project:
        code = "import decimal; print(hasattr(decimal, 'Decimal'))"
        assert (await ask(project, code)).text == "True\n"
        assert forks(project) == 1
        text = "print('own', end=' ')\n"
        assert ((await ask(project, code, {path: put(text)})).text, forks(project)) == (said, 1)
        # What git ignores is in no snapshot, and on disk.
        write_files(root, {path: text})
        (root / ".git" / "info" / "exclude").write_text("decimal*\nsitecustomize.py\n.venv\n")
        assert (await ask(project, code)).text == said


async def test_a_folder_for_imports_that_only_the_candidate_has(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"a.py": ""})
    site = environment_of(root, {})
    (site / "_project.pth").write_text(f"{root / 'lib'}\n")
    async with warmed(root) as project:
        done = await ask(project, "import found; print(found.X)", {"lib/found.py": put("X = 1\n")})
        assert done.text == "1\n"


async def test_what_is_installed_anew_is_what_runs(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"a.py": "", ".gitignore": ".venv\n"})
    site = environment_of(root, {"dep.py": "X = 1\n", "other.py": "Y = 1\n"})
    async with warmed(root, modules=("dep",)) as project:

        async def said() -> str:
            return (await ask(project, "import dep, other; print(dep.X, other.Y)", modules=("dep",))).text

        assert (await said(), forks(project)) == ("1 1\n", 1)
        (site / "dep.py").write_text("X = 22\n")
        (server,) = servers(project)
        assert await said() == "22 1\n"
        assert await project.warmed() == ()
        assert (await said(), forks(project), servers(project) != [server]) == ("22 1\n", 1, True)
        # What was not imported ahead is read by each run.
        (site / "other.py").write_text("Y = 22\n")
        assert (await said(), forks(project)) == ("22 22\n", 2)
        # A new installation, with code of its own at the start of Python.
        write_files(site, {"third.pth": "import dep; dep.X = 3\n", "third.py": ""})
        assert await said() == "3 22\n"
        assert await project.warmed() == ()
        assert (await said(), forks(project)) == ("3 22\n", 1)


async def test_what_is_installed_while_it_is_imported(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"a.py": "", ".gitignore": ".venv\n"})
    begun, go_on = tmp_path / "begun", tmp_path / "go on"
    for pipe in (begun, go_on):
        os.mkfifo(pipe)
    waits = f"X = 1\nopen({str(begun)!r}, 'w').close()\nopen({str(go_on)!r}).close()\n"
    site = environment_of(root, {"dep.py": waits})
    project = await open_with(root, "bubblewrap")
    try:
        project.warm(("dep",))
        await asyncio.wait_for(asyncio.to_thread(begun.read_text), 20)
        (site / "dep.py").write_text("X = 2\n")
        await asyncio.wait_for(asyncio.to_thread(go_on.write_text, ""), 20)
        assert await project.warmed() == ()
        assert (await ask(project, "import dep; print(dep.X)", modules=("dep",))).text == "2\n"
        assert forks(project) == 1
    finally:
        await project.close()


async def test_installed_files_that_are_part_of_the_tree(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"a.py": ""})
    site = environment_of(root, {"dep.py": "X = 1\n"})
    (root / ".venv" / ".gitignore").unlink(missing_ok=True)
    path = str((site / "dep.py").relative_to(root))
    git(root, "add", "-f", path)
    async with warmed(root, modules=("dep",)) as project:
        if path not in (await project.snapshot()).files:
            pytest.skip("environments are left out of snapshots")
        code = "import dep; print(dep.X)"
        assert (await ask(project, code, {path: put("X = 5\n")}, ("dep",))).text == "5\n"
        assert (await ask(project, code, modules=("dep",))).text == "1\n"
        assert forks(project) == 0


async def test_what_can_not_be_forked_is_left_out(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"a.py": "", ".gitignore": ".venv\n"})
    threads = "import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n"
    packages = {
        "threads.py": threads,
        "traces.py": "import sys\nsys.settrace(lambda *a: None)\n",
        "ends.py": "raise SystemExit(3)\n",
        "broken.py": "1 / 0\n",
        "dep.py": "X = 1\n",
    }
    environment_of(root, packages)
    modules = ("threads", "broken", "dep", "traces", "absent", "ends")
    async with warmed(root, modules=modules) as project:
        done = await ask(project, "import sys; print('dep' in sys.modules, 'threads' in sys.modules)", modules=modules)
        assert (done.text, forks(project)) == ("True False\n", 1)
        project.warm(("ends",))
        assert await project.warmed() == ("it ends with SystemExit",)
        assert (await ask(project, "print(2)", modules=("ends",))).text == "2\n"


async def test_copies_run_as_ever(tmp_path: Path) -> None:
    project = await open_with(make_sample(tmp_path), "copy")
    project.warm(LIGHT)
    assert await project.warmed() != ()
    assert (await ask(project, "from pkg import one; print(one.ONE)")).text == "1\n"
    await project.close()


async def test_servers_are_few_and_the_last_used_stay(tmp_path: Path) -> None:
    async with warmed(make_sample(tmp_path)) as project:
        for name in ("fractions", "statistics", "colorsys"):
            project.warm((name,))
        assert await project.warmed() == ()
        first = servers(project)[0]
        assert (await ask(project, "print(1)")).text == "1\n"
        project.warm(("calendar",))
        assert await project.warmed() == ()
        assert (len(servers(project)), first in servers(project)) == (4, True)
        assert next(server.ground.modules for server in servers(project)) == ("statistics",)


async def test_one_that_has_imported_less_will_do_meanwhile(tmp_path: Path) -> None:
    async with warmed(make_sample(tmp_path)) as project:
        more = (*LIGHT, "fractions")
        (less,) = servers(project)
        assert (await ask(project, "print(1)", modules=more)).text == "1\n"
        assert (less.runs, await project.warmed(), len(servers(project))) == (2, (), 2)
        assert (await ask(project, "print(1)", modules=more)).text == "1\n"
        assert (less.runs, sorted(server.runs for server in servers(project))) == (2, [2, 2])
        # One that has imported what the command may never import is no substitute.
        said = await ask(project, "import sys; print('fractions' in sys.modules)", modules=("colorsys",))
        assert said.text == "False\n"


OWNER = """
    import asyncio, os, sys
    from pathlib import Path
    from agent_core.config_tables import Config
    from agent_core.workspace.project import open_project
    async def main():
        project = await open_project(Path(sys.argv[1]), Config(), os.environ)
        project.warm(("decimal",))
        print(await project.warmed(), flush=True)
        candidate = await project.candidate(await project.snapshot(), {}, cache="c")
        run = asyncio.create_task(candidate.run(
            [str(project.interpreter.python), "-c", "import time; print(1, flush=True); time.sleep(600)"],
            timeout=600, warm=("decimal",), on_line=lambda line: print("runs", flush=True)))
        await run
    asyncio.run(main())
"""


def descendants(pid: int) -> list[int]:
    """All processes below one."""
    found = [pid]
    for parent in found:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found[1:]


def test_it_ends_with_its_owner_however_that_ends(tmp_path: Path) -> None:
    root = make_sample(tmp_path)
    owner = subprocess.Popen(
        [sys.executable, "-c", dedent(OWNER), str(root)], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    assert owner.stdout is not None
    with owner, owner.stdout as said:
        if (answer := said.readline()) != "()\n":
            owner.kill()
            pytest.skip(f"no overlay works here: {answer}")
        assert said.readline() == "runs\n"
        pids = descendants(owner.pid)
        # The process that waits outside, the server, and of the run the first process and the command.
        assert len(pids) >= 4
        ends = [os.pidfd_open(pid) for pid in pids]
        owner.send_signal(signal.SIGKILL)
        for end in ends:
            assert select.select([end], [], [], 10)[0] == [end]
            os.close(end)


def test_names_a_tree_could_be_imported_under() -> None:
    files = ["a.py", "b/__init__.py", "b/c.py", "b/d/__init__.py", "b/d/e.py", "src/f.cpython-311-x.so", "src/g/h.py"]
    found = importable([*files, "docs/notes.txt", "i/__init__.py/j.py"])
    assert found.names == {"a", "b", "f", "h", "j"}
    assert found.packages == {"b", "b/d"}
    assert importable(["b/json.py", "__init__.py", "json.py"], found.packages).names == {"json", "__init__"}
