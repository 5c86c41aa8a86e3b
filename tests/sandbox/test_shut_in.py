"""What a command in a candidate cannot reach, tried by commands that try to."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from agent_core.config_tables import Config, SandboxConfig
from agent_core.errors import SandboxError
from agent_core.places import project_state
from agent_core.workspace.project import open_project
from tests.projects import make_project, write_files
from tests.sandbox.shut_in import SECRET, opened, overlays, python, run_in
from tests.workspace.opening import KINDS, Kind, contents


@overlays
async def test_secrets_of_home_are_hidden_and_the_rest_is_not(tmp_path: Path, home: Path, kind: Kind) -> None:
    project = await opened(home / "work" / "p", kind, home)
    (project.state / "journal.db").write_text(SECRET)
    before = contents(home)
    done = await run_in(project, "sh", "-c", 'cd; grep -rs "" . ; cat .npmrc .netrc && ls .ssh; echo end')
    assert done.code == 0
    assert SECRET not in done.text
    said = done.stdout.decode().splitlines()
    assert said[-1] == "end"
    assert {"./.pyenv/version:3", "./.cache/pip/x:c", "./work/p/new.txt:n", "./.config/pip/pip.conf:p"} <= set(said)
    state = await run_in(project, "sh", "-c", f'cat "{project.state}/journal.db" "{home}/.aws/credentials"; true')
    assert SECRET not in state.text
    # Nor can they be uncovered, nor written to.
    reveal = "umount ~/.ssh; unshare -Urm sh -c 'umount ~/.ssh; cat ~/.ssh/id_x'; mount --bind / /mnt; echo x >~/.netrc"
    tricks = await run_in(project, "sh", "-c", f"{reveal}; echo y >~/.ssh/id_x; cat ~/.ssh/id_x ~/.netrc")
    assert SECRET not in tricks.text
    assert contents(home) == before


@overlays
async def test_a_project_among_secrets_is_shown(tmp_path: Path, home: Path, kind: Kind) -> None:
    project = await opened(home / ".config" / "gh" / "extension", kind, home)
    done = await run_in(project, "sh", "-c", "cat a.py new.txt; ls -A ..")
    assert done.text == "A = 1\nn\nextension\n"


@overlays
async def test_what_variables_name_is_hidden(tmp_path: Path, home: Path, kind: Kind) -> None:
    write_files(home, {"elsewhere/key.json": SECRET, "conf/gh/hosts.yml": SECRET})
    named = {"GOOGLE_APPLICATION_CREDENTIALS": str(home / "elsewhere/key.json"), "XDG_CONFIG_HOME": str(home / "conf")}
    project = await opened(home / "p", kind, home, named)
    done = await run_in(project, "sh", "-c", f"cat '{home}/elsewhere/key.json' '{home}/conf/gh/hosts.yml'; echo end")
    assert SECRET not in done.text


@overlays
async def test_services_of_the_system_are_out_of_reach(tmp_path: Path, home: Path, kind: Kind) -> None:
    project = await opened(tmp_path / "p", kind, home)
    ours = Path(f"/run/pairloop-test-{os.getpid()}")
    if os.access("/run", os.W_OK):
        ours.write_text(SECRET)
    try:
        done = await run_in(project, "sh", "-c", f"cat {ours} /etc/shadow; find /run -type s; true")
    finally:
        ours.unlink(missing_ok=True)
    assert done.stdout == b""
    (home / ".docker" / "run").mkdir(parents=True)
    # The path of a socket is bounded: it is bound by its short name.
    place = os.open(home / ".docker" / "run", os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as daemon, socket.socket(socket.AF_UNIX) as abstract:
        daemon.bind(f"/proc/self/fd/{place}/docker.sock")
        abstract.bind(f"\0pairloop-test-{os.getpid()}")
        for service in (daemon, abstract):
            service.listen()
        fresh = await opened(tmp_path / "q", kind, home)
        done = await python(
            fresh,
            """
            import os, socket, sys
            os.chdir(sys.argv[1])
            for address in (".docker/run/docker.sock", "\\0" + sys.argv[2]):
                try:
                    socket.socket(socket.AF_UNIX).connect(address)
                    print("reached", address)
                except OSError:
                    print("refused")
            """,
            str(home),
            f"pairloop-test-{os.getpid()}",
        )
    os.close(place)
    assert done.stdout == b"refused\nrefused\n"


@overlays
async def test_there_is_no_network_but_its_own_loopback(tmp_path: Path, home: Path, kind: Kind) -> None:
    project = await opened(tmp_path / "p", kind, home)
    with socket.create_server(("127.0.0.1", 0)) as server:
        done = await python(
            project,
            """
            import socket, sys
            for address in (("127.0.0.1", int(sys.argv[1])), ("192.0.2.1", 80)):
                try:
                    socket.create_connection(address, timeout=5)
                    print("reached", address)
                except OSError:
                    print("refused")
            with socket.create_server(("127.0.0.1", 0)) as own:
                socket.create_connection(own.getsockname(), timeout=5)
                print("own loopback")
            """,
            str(server.getsockname()[1]),
        )
    said = done.text.splitlines()
    assert said[:2] == ["refused", "refused"]
    if "loopback is down" not in project.note:
        assert said[2:] == ["own loopback"]


@overlays
async def test_other_processes_are_out_of_reach(tmp_path: Path, home: Path, kind: Kind) -> None:
    project = await opened(tmp_path / "p", kind, home)
    done = await python(
        project,
        """
        import ctypes, json, os, sys
        libc = ctypes.CDLL(None, use_errno=True)
        pid = int(sys.argv[1])
        own = [int(name) for name in os.listdir("/proc") if name.isdigit()]
        seen = any(open(f"/proc/{one}/cmdline", "rb").read() == sys.argv[2].encode() for one in own)
        def refused(act):
            try:
                act()
                return False
            except OSError:
                return True
        print(json.dumps({
            "processes": len(own),
            "seen": seen,
            "signalled": pid not in own and not refused(lambda: os.kill(pid, 0)),
            "traced": pid not in own and libc.ptrace(16, pid, None, None) == 0,
            "environ": pid not in own and not refused(lambda: open(f"/proc/{pid}/environ").read()),
            "core": not refused(lambda: os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY)),
            "cgroups": not refused(lambda: os.open("/sys/fs/cgroup/cgroup.procs", os.O_WRONLY)),
            "disks": [n for n in os.listdir("/dev") if os.path.exists(f"/dev/{n}")
                      and os.stat(f"/dev/{n}").st_mode & 0o170000 == 0o060000],
            "mounts": libc.mount(b"x", b"/mnt", b"tmpfs", 0, None) == 0,
        }))
        """,
        str(os.getpid()),
        Path("/proc/self/cmdline").read_bytes().decode().replace("\0", "?"),
    )
    found = json.loads(done.stdout)
    own_proc = "process list" not in project.note
    assert found.pop("processes") < 12 or not own_proc
    assert found == {
        **dict.fromkeys(("seen", "signalled", "traced", "environ", "core", "cgroups", "mounts"), False),
        "disks": [],
    }


@overlays
async def test_links_do_not_lead_out(tmp_path: Path, home: Path, kind: Kind) -> None:
    root = make_project(home / "p", {"a.py": ""})
    (root / "out").symlink_to(home / ".profile")
    (root / "up").symlink_to("..")
    project = await opened(root, kind, home)
    before = contents(home)
    done = await run_in(
        project,
        *(
            "sh",
            "-c",
            "echo x >out; echo x >up/new; ln -s ~/.ssh/id_x key; cat key; ln -s / root; echo x >root/etc/p; :",
        ),
    )
    assert SECRET not in done.text
    assert contents(home) == before
    assert not Path("/etc/p").exists()


async def test_the_environment_is_let_in_by_name(tmp_path: Path, home: Path) -> None:
    mine = {"MYAPP_MODE": "m", "MYAPP_TOKEN": "t", "DATABASE_URL": "postgres://u:p@h/d", "PYTEST_X": "1", "ODD": "1"}
    project = await opened(tmp_path / "p", "copy", home, mine, env=("MYAPP_*", "DATABASE_URL"))
    seen = (await run_in(project, "env")).text.splitlines()
    assert {f"{name}={value}" for name, value in mine.items()} & set(seen) == {
        "MYAPP_MODE=m",
        "DATABASE_URL=postgres://u:p@h/d",
        "PYTEST_X=1",
    }


@pytest.mark.parametrize("kind", KINDS)
async def test_who_ignores_sigterm_is_ended(tmp_path: Path, home: Path, kind: Kind) -> None:
    project = await opened(tmp_path / "p", kind, home)
    done = await run_in(project, "sh", "-c", "trap '' TERM; while :; do sleep 0.1; done", timeout=1)
    assert done.timed_out
    assert done.seconds < 10


async def test_real_isolation_can_be_required(tmp_path: Path, home: Path) -> None:
    root = make_project(tmp_path / "p", {"a.py": ""})
    settings = Config(sandbox=SandboxConfig(candidate="copy", required=True))
    with pytest.raises(SandboxError, match="a sandbox is required") as raised:
        await open_project(root, settings, {**os.environ, "HOME": str(home)})
    assert "required = true" in raised.value.hint
    assert not (project_state(root) / "candidates").exists()
